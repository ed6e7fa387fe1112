"""`seatwarden restore` against the simulated site: who gets a license back, who does not, and what it says."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.conftest import Ran, Run, SiteFile
from tests.engine.idle import LICENSES, POLICY, USERS, idle_site


@pytest.fixture
def qrs(certificates: CertificateFiles) -> Iterator[SimulatedQrs]:
    with SimulatedQrs(idle_site(), certificates=certificates) as server:
        yield server


class Office:
    """A site whose six licenses a run has released."""

    def __init__(self, run: Run, site: Path, state: Path) -> None:
        self._run, self.site, self._state = run, site, state
        policy = state / "p.policy"
        policy.write_text(POLICY)
        self.plan = state / "plan"
        assert run("plan", "-p", policy, "--site", site, "-o", self.plan).code == 0

    def apply(self) -> None:
        assert self._run("apply", self.plan, "--site", self.site, "--yes").code == 0

    def restore(self, *arguments: object) -> Ran:
        return self._run("restore", self.plan, "--site", self.site, "--yes", *arguments)

    def verify(self) -> Ran:
        return self._run("log", "verify", self.register)

    @property
    def register(self) -> Path:
        (found,) = self._state.rglob("runs.jsonl")
        return found

    @property
    def restores(self) -> list[Path]:
        return sorted(path.parent for path in self._state.rglob("restore.jsonl"))


@pytest.fixture
def planned(run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path) -> Office:
    return Office(run, site_file(qrs.port), tmp_path)


@pytest.fixture
def office(planned: Office) -> Office:
    planned.apply()
    return planned


def holders(qrs: SimulatedQrs) -> list[str]:
    """The users who hold an analyzer license, by name."""
    with qrs.site_lock() as site:
        return sorted(row["user"]["userId"] for row in site["licenses"]["analyzer"])


def test_all_are_given_back(office: Office, qrs: SimulatedQrs) -> None:
    assert holders(qrs) == []
    ran = office.restore()
    assert (ran.code, ran.err) == (0, "")
    assert holders(qrs) == USERS
    assert f"To give back on {qrs.url.replace('127.0.0.1', 'localhost')}: 6 analyzer licenses\n" in ran.out
    assert "6 restored, 0 held, 0 skipped, 0 failed, 0 unknown\n" in ran.out
    again = office.restore()
    assert (again.code, again.out) == (0, "All that this run released has been given back.\n")
    assert len(qrs.allocated) == LICENSES


def test_the_body_names_the_user_by_id(office: Office, qrs: SimulatedQrs) -> None:
    office.restore("--user", "CORP\\user03")
    assert qrs.allocated == ["u-03"]


def test_only_those_who_are_named(office: Office, qrs: SimulatedQrs) -> None:
    ran = office.restore("--user", "CORP\\user01", "--user", "User 04")
    assert ran.code == 0
    assert holders(qrs) == ["user01", "user04"]
    rest = office.restore()
    assert rest.code == 0
    assert "4 restored" in rest.out
    assert len(office.restores) == 2


def test_a_mistyped_user_is_named(office: Office, qrs: SimulatedQrs) -> None:
    ran = office.restore("--user", "CORP\\usr03")
    assert ran.code == 2
    assert "there is no user `CORP\\usr03` whose license this run has released" in ran.err
    assert "did you mean `CORP\\user0" in ran.err
    assert holders(qrs) == []


def test_who_cannot_be_given_one_is_named(office: Office, qrs: SimulatedQrs) -> None:
    with qrs.site_lock() as site:
        rows = idle_site()["licenses"]["analyzer"]
        held, quarantined = rows[1], {**rows[2], "quarantined": True, "quarantineEnd": "2099-01-02T03:04:05.000Z"}
        site["licenses"]["analyzer"] += [held, quarantined]
        site["users"] = [user for user in site["users"] if user["userId"] != "user03"]
    ran = office.restore()
    assert ran.code == 4
    lines = [line.split() for line in ran.out.splitlines() if line.startswith("  ")]
    assert sorted((line[2], line[0]) for line in lines) == [
        ("CORP\\user00", "restored"),
        ("CORP\\user01:", "held"),
        ("CORP\\user02:", "skipped"),
        ("CORP\\user03:", "skipped"),
        ("CORP\\user04", "restored"),
        ("CORP\\user05", "restored"),
    ]
    assert "a license of the person is in quarantine until 2099-01-02 03:04Z: reinstate it in the QMC" in ran.out
    assert "the user is gone" in ran.out
    assert "the person has a license of type analyzer again" in ran.out
    assert sorted(qrs.allocated) == ["u-00", "u-04", "u-05"]


def test_no_more_are_given_than_are_free(office: Office, qrs: SimulatedQrs) -> None:
    with qrs.site_lock() as site:
        taken = idle_site()["licenses"]["analyzer"][0]
        # Five more were bought than were allocated at first: 11.
        others = [{**taken, "id": f"x-{n}", "user": {**taken["user"], "id": f"x-{n}"}} for n in range(9)]
        site["licenses"]["analyzer"] += others
    ran = office.restore()
    assert ran.code == 4
    assert "2 restored, 0 held, 4 skipped" in ran.out
    assert ran.out.count("no license of type analyzer is free") == 4
    assert len(qrs.allocated) == 2
    with qrs.site_lock() as site:
        site["licenses"]["analyzer"][:] = []
    rest = office.restore()
    assert (rest.code, len(qrs.allocated)) == (0, 6), "those who went away empty-handed are given one later"


def test_where_nobody_knows_how_many_are_free_none_is_given(office: Office, qrs: SimulatedQrs) -> None:
    with qrs.site_lock() as site:
        site["accessTypeOverview"] = {"analyzerAccess": {"enabled": True}}
    ran = office.restore()
    assert ran.code == 4
    assert "QRS does not say how many licenses of type analyzer are free" in ran.out
    assert qrs.allocated == []


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("fault", "result", "code"),
    [
        (Fault("reset_after", "POST", times=1), "restored", 0),
        (Fault("reset", "POST", times=1), "unknown", 4),
        (Fault("status", "POST", status=500, times=1), "failed", 4),
        (Fault("status", "POST", status=503, times=1), "failed", 4),
        (Fault("status", "POST", status=409, times=1), "failed", 4),
        (Fault("status", "POST", status=401, times=1), "failed", 3),
        (Fault("html", "POST", times=1), "failed", 3),
    ],
)
def test_what_a_post_came_to(office: Office, qrs: SimulatedQrs, fault: Fault, result: str, code: int) -> None:
    """It is sent once; what was not answered is looked up; the next call goes on, in the same run."""
    qrs.faults.append(fault)
    ran = office.restore("--user", "CORP\\user02")
    assert (ran.code, f"1 {result}" in ran.out) == (code, True)
    posts = [path for method, path in qrs.requests if method == "POST"]
    assert len(posts) == 1
    rest = office.restore("--user", "CORP\\user02")
    assert rest.code == 0
    assert qrs.allocated == ["u-02"]
    assert len(office.restores) == 1
    assert office.verify().code == 0


@pytest.mark.usefixtures("quick")
def test_what_could_not_be_looked_up_is_looked_up_by_the_next(office: Office, qrs: SimulatedQrs) -> None:
    qrs.faults += [Fault("reset_after", "POST", times=1)]
    with qrs.site_lock() as site:
        before = json.loads(json.dumps(site["licenses"]["analyzer"]))
    looks = "analyzeraccesstype/full?filter=user.id"
    # The look before the POST is answered, all after it are not.
    qrs.faults += [_AfterOne("status", "GET", looks, status=500)]
    ran = office.restore("--user", "CORP\\user02")
    assert (ran.code, "1 unknown" in ran.out, before) == (4, True, [])
    qrs.faults.clear()
    rest = office.restore()
    assert rest.code == 0
    assert "an earlier run had sent the POST; looked up: the person has a license" in rest.out
    assert qrs.allocated == ["u-02"]


class _AfterOne(Fault):
    """A fault that lets the first request pass."""

    passed = False

    def strikes(self, method: str, path: str) -> bool:
        strikes = super().strikes(method, path)
        let, self.passed = strikes and not self.passed, self.passed or strikes
        return strikes and not let


def test_without_qrs_nothing_is_begun(office: Office, qrs: SimulatedQrs, run: Run, site_file: SiteFile) -> None:
    qrs.faults.append(Fault("status", "GET", "user/full", status=500))
    ran = office.restore()
    assert ran.code == 3
    assert qrs.allocated == []
    qrs.faults.clear()
    assert office.restore().code == 0


def test_what_released_nothing_is_refused(planned: Office, run: Run, qrs: SimulatedQrs, tmp_path: Path) -> None:
    ran = planned.restore()
    assert (ran.code, ran.err) == (
        1,
        "refused: the run is a plan that was not applied: it has released nothing\n",
    )
    site = tmp_path / "site.json"
    site.write_text(json.dumps(idle_site()))
    assert run("plan", "-p", tmp_path / "p.policy", "-s", site, "-o", tmp_path / "other").code == 0
    ran = run("restore", tmp_path / "other", "--site", planned.site, "--yes")
    assert (ran.code, "the run is a what-if" in ran.err) == (1, True)


def test_a_restore_is_no_run_to_restore(office: Office, run: Run) -> None:
    office.restore()
    (folder,) = office.restores
    ran = run("restore", folder, "--site", office.site, "--yes")
    assert ran.code == 2
    assert "is itself a restore, of run" in ran.err


def test_somebody_is_asked(office: Office, run: Run, qrs: SimulatedQrs) -> None:
    ran = run("restore", office.plan, "--site", office.site)
    assert ran.code == 2
    assert "nobody is here to confirm" in ran.err
    assert "CORP\\user00 (User 00): released 20" in ran.out
    assert (qrs.allocated, office.restores) == ([], [])


def test_the_record_verifies(office: Office) -> None:
    office.restore()
    ran = office.verify()
    assert (ran.code, ran.err) == (0, "")


# The record ----------------------------------------------------------------------------------------------


def test_verify_knows_a_restore(office: Office, run: Run) -> None:
    office.restore()
    (folder,) = office.restores
    for place in (folder, folder / "restore.jsonl", office.register.parent):
        ran = run("log", "verify", place)
        assert (ran.code, ran.err) == (0, "")
        assert f"{folder / 'restore.jsonl'}: verified\n" in ran.out
        assert "entry run 2 of register" in ran.out


@pytest.mark.parametrize("name", ["restore.jsonl", "outcomes.jsonl"])
def test_what_was_changed_is_found(office: Office, name: str) -> None:
    office.restore()
    path = office.restores[0] / name
    path.write_bytes(path.read_bytes().replace(b"user03", b"user30"))
    ran = office.verify()
    assert ran.code == 1
    assert f"error: {path}:" in ran.err


def test_a_restore_that_was_taken_away_is_missing(office: Office) -> None:
    office.restore()
    shutil.rmtree(office.restores[0])
    ran = office.verify()
    assert (ran.code, "run 2 is missing: the register has it" in ran.err) == (1, True)


def test_a_file_that_does_not_belong_there_is_named(office: Office) -> None:
    office.restore()
    (office.restores[0] / "note.txt").write_text("hello")
    assert "is no file of this run" in office.verify().err


def test_a_restore_that_was_never_entered_was_never_begun(office: Office, qrs: SimulatedQrs) -> None:
    """A crash between the file and the register leaves it; the next restore takes it away, and its number."""
    office.restore("--user", "CORP\\user01")
    (folder,) = office.restores
    register = office.register
    lines = register.read_bytes().splitlines(keepends=True)
    register.write_bytes(b"".join(lines[: next(n for n, line in enumerate(lines) if b'"kind":"restore"' in line)]))
    (folder / "outcomes.jsonl").unlink()
    assert office.verify().code == 1
    assert office.restore("--user", "CORP\\user02").code == 0
    assert folder not in office.restores
    assert office.verify().code == 0


def test_a_person_is_forgotten_in_restores_too(office: Office, run: Run) -> None:
    office.restore()
    (folder,) = office.restores
    assert b"user03" in (folder / "restore.jsonl").read_bytes()
    arguments = ("--site", office.site, "--reason", "request", "--yes")
    ran = run("log", "forget", "CORP\\user03", *arguments)
    assert ran.code in (0, 4), ran.err  # the plan lies outside the state folder, which is said
    for name in ("restore.jsonl", "outcomes.jsonl"):
        assert b"user03" not in (folder / name).read_bytes()
    assert "lines of restore and journal erased, as the register says" in run("log", "verify", folder).out
    assert run("log", "verify", folder).code == 0


# What is told of it afterwards ---------------------------------------------------------------------------


def test_the_log_says_that_it_was_given_back(office: Office, run: Run, qrs: SimulatedQrs) -> None:
    office.restore("--user", "CORP\\user03")
    (folder,) = office.restores
    since = f"given back on {datetime.now(UTC):%Y-%m-%d} by run {folder.name}"
    rows = json.loads(run("log", "show", office.plan, "--format", "json").out)["decisions"]
    whys = {row["user"]: row["why"] for row in rows}
    assert since in whys.pop("CORP\\user03")
    assert not any("given back" in why for why in whys.values())
    given = {row["user"]: row["givenBack"] for row in rows}
    assert given["CORP\\user03"]["result"] == "restored"
    assert given["CORP\\user02"] is None
    assert since in run("explain", "CORP\\user03", "--plan", office.plan, "--brief").out
    assert "given back" not in run("explain", "CORP\\user02", "--plan", office.plan).out


def test_the_list_has_both_runs(office: Office, run: Run, tmp_path: Path) -> None:
    office.restore("--user", "CORP\\user03", "--user", "CORP\\user04")
    (restored, applied) = json.loads(run("log", "list", tmp_path, "--format", "json").out)["runs"]
    assert (restored["mode"], restored["state"], restored["ofRun"]) == (
        "restore",
        "restore, 2 given back",
        applied["run"],
    )
    assert (applied["state"], applied["released"], applied["givenBack"]) == ("applied, 2 given back", 6, 2)


def test_the_report_counts_what_is_regretted(office: Office, run: Run, tmp_path: Path) -> None:
    assert run("report", office.plan).code == 0
    office.restore("--user", "CORP\\user03", "--user", "CORP\\user04")
    assert run("report", office.plan, "-o", tmp_path / "page.html").code == 0
    assert "2 licenses were given back since, within 30 days of the release." in (tmp_path / "page.html").read_text()
    assert run("log", "verify", office.plan).code == 0


def test_an_audit_tells_of_it(office: Office, run: Run, tmp_path: Path) -> None:
    office.restore("--user", "CORP\\user03")
    (folder,) = office.restores
    answers = json.loads(run("log", "audit", tmp_path, "--format", "json").out)["answers"]
    lost = next(answer for answer in answers if answer["number"] == 1)
    assert "1 license was given back since." in lost["short"]
    (listing,) = [one for one in lost["listings"] if one["title"] == "Given back since"]
    assert listing["entries"][0]["cells"][2] == "CORP\\user03 (User 03)"
    assert folder.name in listing["entries"][0]["words"]


def test_a_damaged_restore_is_listed(office: Office, run: Run, tmp_path: Path) -> None:
    office.restore("--user", "CORP\\user03")
    path = office.restores[0] / "restore.jsonl"
    path.write_bytes(path.read_bytes().replace(b"user03", b"user30"))
    ran = run("log", "list", tmp_path)
    assert ran.code == 1
    assert f"error: {path}: line 1 was changed" in ran.err
    refused = office.restore()
    assert (refused.code, "an earlier restore is not as it was written" in refused.err) == (3, True)


@pytest.mark.usefixtures("quick")
def test_an_open_restore_is_brought_to_its_end_first(office: Office, qrs: SimulatedQrs) -> None:
    """Also where others are named: what was sealed is carried out before anything else is."""
    qrs.faults.append(Fault("status", "POST", status=500, times=1))
    assert office.restore("--user", "CORP\\user02").code == 4
    ran = office.restore("--user", "CORP\\user05")
    assert "it is brought to its end first, whoever is named" in ran.err
    assert qrs.allocated == ["u-02"]
    assert office.restore("--user", "CORP\\user05").code == 0
    assert qrs.allocated == ["u-02", "u-05"]
    assert len(office.restores) == 2


def test_the_sealed_record_says_what_was_seen(office: Office) -> None:
    office.restore()
    header = json.loads((office.restores[0] / "restore.jsonl").read_bytes().partition(b"\n")[0])
    assert header["overview"]["analyzer"]["available"] == 11
    assert header["clocks"]["qrs"] is not None
    assert header["person"]["command"].startswith("seatwarden restore")


def test_what_is_refused_is_entered_and_no_mark_on_the_run(planned: Office) -> None:
    planned.restore()
    last = json.loads(planned.register.read_bytes().splitlines()[-1])
    assert (last["kind"], last["result"], last["run"]) == ("attempt", "refused", None)
    assert last["person"]["reason"].startswith("restore of 20")
