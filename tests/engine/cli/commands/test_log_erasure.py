"""`seatwarden log forget` and `log prune`: what is said, asked and refused, and what others say of an erased record."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from filelock import FileLock

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.plan.circumstances import NOBODY
from seatwarden.engine.report.write import write_report
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.engine.idle import ALL
from tests.engine.runs.recorded import RecordedSite, with_kept_snapshot
from tests.engine.runs.test_erasure import GONE, named
from tests.engine.service.sites import runs_of, write_site
from tests.paths import ROOT

pytestmark = pytest.mark.usefixtures("quick")
Forget = Callable[..., list[object]]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordedSite:
    """A dry run, and a run in which a license failed."""
    made = RecordedSite(tmp_path)
    with_kept_snapshot(monkeypatch, made)
    made.run(dry_run=True)
    made.fail = "l-03"
    made.run()
    return made


def forget(site: RecordedSite, *more: object, user: str = GONE, reason: str = "left") -> list[object]:
    return ["log", "forget", user, "--site", site.site_file, "--reason", reason, *more]


# Forget --------------------------------------------------------------------------------------------------


def test_erases_and_says_what_is_out_of_reach(run: Run, site: RecordedSite) -> None:
    ran = run(*forget(site, "--yes"))
    assert (ran.code, named(site.state)) == (0, [])
    assert ran.out.splitlines()[0] == "CORP\\user03 (User 03)"
    assert "Erased: 8 lines of 2 runs." in ran.out
    assert "backups" in ran.out
    assert "the next run records the person anew" in ran.out
    verified = run("log", "verify", site.state)
    assert (verified.code, verified.err) == (0, "")
    assert "3 lines of plan and journal erased" in verified.out


def test_the_command_is_on_record_without_the_name(run: Run, site: RecordedSite) -> None:
    run(*forget(site, "--yes", reason="court"))
    line = json.loads((site.state / "runs.jsonl").read_bytes().splitlines()[-1])
    assert (line["kind"], line["reason"], line["done"]) == ("erased", "court", True)
    assert GONE not in line["person"]["command"]


def test_a_dry_run_changes_nothing(run: Run, site: RecordedSite) -> None:
    before = {path: path.read_bytes() for path in site.state.rglob("*") if path.is_file()}
    ran = run(*forget(site, "--dry-run"))
    assert ran.code == 0
    assert "8 lines would be erased" in ran.out
    assert {path: path.read_bytes() for path in site.state.rglob("*") if path.is_file()} == before


def test_asked_for_the_number(run: Run, site: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = run(*forget(site))
    assert (nobody.code, "add --yes" in nobody.err) == (2, True)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    for typed, code in (("no", 1), ("8", 0)):
        monkeypatch.setattr("typer.prompt", lambda *args, typed=typed, **options: typed)
        assert run(*forget(site)).code == code
    assert named(site.state) == []


def test_for_programs(run: Run, site: RecordedSite) -> None:
    dry = json.loads(run(*forget(site, "--dry-run", "--format", "json")).out)
    done = json.loads(run(*forget(site, "--yes", "--format", "json")).out)
    assert (dry["done"], dry["dryRun"], done["done"], done["dryRun"]) == (False, True, True, False)
    assert dry["files"] == done["files"]
    assert (done["lines"], done["left"], done["stillNamed"], len(done["runs"])) == (8, [], [], 2)
    assert (done["user"], done["reason"]) == ("CORP\\user03", "left")


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("user0", "CORP\\user05"),
        ("nobody", "there is no user `nobody` in the record of this site"),
        ("CORP\\usr03", "did you mean"),
    ],
)
def test_who_is_meant_must_be_clear(run: Run, site: RecordedSite, user: str, said: str) -> None:
    ran = run(*forget(site, "--yes", user=user))
    assert (ran.code, said in ran.err) == (2, True)


def test_a_reason_is_one_of_a_list(run: Run, site: RecordedSite) -> None:
    assert run(*forget(site, "--yes", reason="because")).code == 2
    assert run("log", "forget", GONE, "--site", site.site_file, "--yes").code == 2
    assert named(site.state)


def test_no_record_at_all(run: Run, tmp_path: Path) -> None:
    site = RecordedSite(tmp_path)
    assert site.settings.folder == site.state
    ran = run(*forget(site, "--yes"))
    assert (ran.code, "there is no record of this site" in ran.err) == (2, True)
    assert not site.state.exists()


def test_while_another_is_at_work(run: Run, site: RecordedSite) -> None:
    with FileLock(site.state / "lock"):
        assert run(*forget(site, "--yes")).code == 1
    assert named(site.state)


def test_twice(run: Run, site: RecordedSite) -> None:
    run(*forget(site, "--yes"))
    ran = run(*forget(site, "--yes"))
    assert (ran.code, "there is no user" in ran.err) == (2, True)


def test_a_policy_that_names_the_person_is_named_itself(run: Run, site: RecordedSite) -> None:
    site.policy = 'keep "her" when user = "CORP\\user03"\n' + site.policy
    site.now += timedelta(minutes=1)
    site.run(dry_run=True)
    ran = run(*forget(site, "--yes"))
    assert ran.code == 0
    assert f"the person is named here: {site.folder / 'p.policy'}:1" in ran.out
    assert f"the policy that was in force names the person, and is kept in {site.runs[-1].name}" in ran.out
    assert run("log", "verify", site.state).code == 0


def test_an_open_run_is_refused_with_a_word(run: Run, site: RecordedSite) -> None:
    def killed(license_id: str) -> None:
        raise MemoryError

    site.on_delete = killed
    site.now += timedelta(minutes=1)
    with pytest.raises(MemoryError):
        site.run()
    ran = run(*forget(site, "--yes"))
    assert ran.code == 1
    assert "it is open: bring it to its end" in ran.out
    assert {Path(name).parent.name for name in named(site.state)} == {site.runs[-1].name}


def test_a_run_of_the_first_format_is_left_and_named(run: Run, site: RecordedSite) -> None:
    former = ROOT / "tests" / "data" / "log" / "former-plan.jsonl"
    folder = site.state / "runs" / "20250101T020000Z-0123456789ab"
    folder.mkdir()
    (folder / "plan.jsonl").write_bytes(former.read_bytes())
    ran = run(*forget(site, "--yes", user="User 1"))
    assert ran.code == 1
    assert "whose lines have no salt" in ran.out
    assert (folder / "plan.jsonl").read_bytes() == former.read_bytes()


def test_a_run_with_pseudonyms_is_searched_with_its_key(run: Run, site: RecordedSite) -> None:
    write_atomically(site.folder / "site.key", b"ab" * 32 + b"\n")
    plain = site.ours
    site.ours = "pseudonyms: site.key\n"
    site.now += timedelta(minutes=1)
    site.content["licenses"]["analyzer"] = RecordedSite(site.folder).content["licenses"]["analyzer"]
    site.run(dry_run=True)
    hidden = site.runs[-1] / "plan.jsonl"
    count = hidden.read_bytes().count(b'"person":')
    site.ours = plain
    assert site.settings.pseudonym_key is None
    without = run(*forget(site, "--dry-run"))
    assert "pseudonyms of another key" in without.out
    site.ours = "pseudonyms: site.key\n"
    assert site.settings.pseudonym_key is not None
    assert run(*forget(site, "--yes")).code == 0
    assert hidden.read_bytes().count(b'"person":') == count - 1
    assert named(site.state) == []


def test_who_ran_it_stays_on_record(run: Run, site: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who released what must be known, also when it is the one who is forgotten as a holder of a license."""
    by_hand = msgspec.structs.replace(NOBODY, account="CORP\\user03")
    monkeypatch.setattr("seatwarden.engine.cli.circumstances.circumstances", lambda user: by_hand)
    ran = run(*forget(site, "--yes"))
    assert ran.code == 0
    assert "they say that the person has run seatwarden, and stay" in ran.out
    assert named(site.state) == ["runs.jsonl"]


@pytest.mark.parametrize(
    "ours",
    [
        "log: {file: state/service.log}\n",
        "",  # where the Windows service writes then
        pytest.param("log: {file: State/Service.LOG}\n", marks=pytest.mark.windows),
    ],
)
def test_the_log_of_the_service_is_yours(run: Run, site: RecordedSite, ours: str) -> None:
    site.ours = ours
    assert site.settings.log.file == (site.state / "service.log" if ours else None)
    (site.state / "service.log").write_text("released CORP\\user03\n")
    ran = run(*forget(site, "--yes"))
    assert (ran.code, "the log of the service" in ran.out) == (0, True)
    assert named(site.state) == ["service.log"]


def test_a_file_that_nobody_expected_is_named(run: Run, site: RecordedSite) -> None:
    (site.state / "notes.txt").write_text("one\nask User 03\n", encoding="utf-8")
    ran = run(*forget(site, "--yes"))
    assert (ran.code, f"still named: {site.state / 'notes.txt'}:2" in ran.err) == (1, True)


def test_a_disk_that_is_full(run: Run, site: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("seatwarden.engine.runs.erasure.write_atomically", full)
    ran = run(*forget(site, "--yes"))
    assert (ran.code, "No space left" in ran.err) == (2, True)
    monkeypatch.undo()
    assert site.verified().faults == []
    assert named(site.state)


def test_an_erased_release_is_not_applied(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port)
    assert run("run", "--site", site, "--dry-run").code == 0
    assert run("log", "forget", GONE, "--site", site, "--reason", "left", "--yes").code == 0
    (folder,) = runs_of(site)
    ran = run("apply", folder, "--site", site, "--yes")
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, [one for one in ALL if one != "l-03"])
    assert "1 of 6 decisions is erased: what is erased is not released" in ran.err
    assert run("log", "verify", tmp_path / "state").code == 0


# Prune ---------------------------------------------------------------------------------------------------


@pytest.fixture
def aged(site: RecordedSite) -> RecordedSite:
    """The same, 500 days later, with a run of today."""
    site.now += timedelta(days=500)
    site.run(dry_run=True)
    return site


def prune(site: RecordedSite, *more: object) -> list[object]:
    return ["log", "prune", "--site", site.site_file, *more]


def test_prunes_what_is_old(run: Run, aged: RecordedSite) -> None:
    dry = run(*prune(aged, "--keep", "400d", "--dry-run"))
    assert (dry.code, "2 runs would be deleted" in dry.out, len(aged.runs)) == (0, True, 3)
    nobody = run(*prune(aged, "--keep", "400d"))
    assert (nobody.code, len(aged.runs)) == (2, 3)
    ran = run(*prune(aged, "--keep", "400d", "--yes"))
    assert (ran.code, "2 runs deleted." in ran.out, len(aged.runs)) == (0, True, 1)
    assert run("log", "verify", aged.state).code == 0
    again = run(*prune(aged, "--keep", "400d", "--yes"))
    assert (again.code, "No run's time is over." in again.out) == (0, True)


def test_how_long_runs_are_kept_may_stand_in_the_site_file(run: Run, aged: RecordedSite) -> None:
    ran = run(*prune(aged, "--yes"))
    assert (ran.code, "--keep 400d" in ran.err) == (2, True)
    aged.ours = "retention: 400d\n"
    assert aged.settings.retention == timedelta(days=400)
    found = json.loads(run(*prune(aged, "--yes", "--format", "json")).out)
    assert (found["done"], len(found["runs"]), found["kept"], len(aged.runs)) == (True, 2, [], 1)


@pytest.mark.parametrize("keep", ["30d", "forever", "400"])
def test_a_time_that_is_none(run: Run, aged: RecordedSite, keep: str) -> None:
    ran = run(*prune(aged, "--keep", keep, "--yes"))
    assert (ran.code, "at least 31" in ran.err, len(aged.runs)) == (2, True, 3)


def test_runs_that_stay_are_named(run: Run, aged: RecordedSite) -> None:
    (aged.runs[0] / "summary.txt").write_text("nothing")
    ran = run(*prune(aged, "--keep", "400d", "--yes"))
    assert (ran.code, len(aged.runs)) == (0, 2)
    assert f"{aged.runs[0]}: it is disputed" in ran.out


# Others --------------------------------------------------------------------------------------------------


def test_whoever_reads_an_erased_run_says_so(run: Run, site: RecordedSite) -> None:
    run(*forget(site, "--yes"))
    first, second = site.runs
    said = "1 of 6 decisions is erased"
    assert said in run("log", "show", first).err
    assert said in run("log", "replay", second).out
    assert json.loads(run("log", "replay", first, "--format", "json").out)["erased"] == 1
    assert "not ended, 1 erased" in run("log", "list", site.state).out
    assert {row["erased"] for row in json.loads(run("log", "list", site.state, "--format", "json").out)["runs"]} == {1}
    assert said in run("explain", "user02", "--plan", first).err
    asked = run("explain", GONE, "--plan", first)
    assert (asked.code, said in asked.err) == (2, True)
    assert run("explain", "--releases", "--plan", second).code == 0
    for folder in site.runs:
        write_report(folder, folder / "report.html")
        assert "erased from the record since" in (folder / "report.html").read_text(encoding="utf-8")
    assert run("log", "show", second, "--outcome", "released").code == 0
    verified = json.loads(run("log", "verify", site.state, "--format", "json").out)
    assert [one["erasedLines"] for one in verified["runs"]] == [1, 2 + 1]


def test_everybody_can_be_erased(run: Run, site: RecordedSite) -> None:
    for n in range(6):
        assert run(*forget(site, "--yes", user=f"user0{n}")).code == 0
    assert run("log", "verify", site.state).code == 0
    for command in (("log", "show"), ("log", "replay"), ("report",), ("explain", "--releases", "--plan")):
        for folder in site.runs:
            assert run(*command, folder).code == 0
    site.now += timedelta(minutes=5)
    assert site.run(dry_run=True).outcome == "dry-run"


# Who was told --------------------------------------------------------------------------------------------


def test_who_was_told_is_forgotten_from_the_announced_day_on(run: Run, site: RecordedSite) -> None:
    """Until then a run without the register could release the license before the day that was announced."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    site.tell(f"CORP\\{GONE}", "l-03", tomorrow)
    for more in (["--yes"], ["--dry-run"]):
        ran = run(*forget(site, *more))
        assert ran.code == 1
        said = f"CORP\\user03 (User 03) was told of a release, and nothing may be released before {tomorrow}"
        assert said in ran.err
    assert named(site.state) != []


def test_cancelled_the_announced_day_still_holds(run: Run, site: RecordedSite) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    site.tell(f"CORP\\{GONE}", "l-03", tomorrow, cancelled="by admin")
    assert run(*forget(site, "--yes")).code == 1


def test_the_lines_of_who_was_told_go(run: Run, site: RecordedSite) -> None:
    site.tell(f"CORP\\{GONE}", "l-03", site.now.date(), cancelled="by admin: she is back")
    site.tell("CORP\\user04", "l-04", site.now.date())
    ran = run(*forget(site, "--yes"))
    assert (ran.code, named(site.state)) == (0, [])
    assert "  notices.jsonl: 3 lines" in ran.out
    verified = run("log", "verify", site.state)
    assert (verified.code, verified.err) == (0, "")
    assert "3 lines erased, as the register of runs says" in verified.out
    listed = run("notice", "list", "--site", site.site_file, "--all", "--format", "json")
    assert [one["user"] for one in json.loads(listed.out)["notices"]] == ["CORP\\user04"]


def test_somebody_whom_only_the_register_of_notices_names(run: Run, site: RecordedSite) -> None:
    site.tell("CORP\\stranger", "l-99", site.now.date())
    ran = run(*forget(site, "--yes", user="stranger"))
    assert (ran.code, "  notices.jsonl: 2 lines" in ran.out) == (0, True)
    assert b"stranger" not in (site.state / "notices.jsonl").read_bytes()


def test_a_register_that_was_set_aside_is_named(run: Run, site: RecordedSite) -> None:
    """Its lines cannot be told apart any more: whoever deletes it forgets everybody in it."""
    site.tell(f"CORP\\{GONE}", "l-03", site.now.date())
    path = site.state / "notices.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    aside = path.with_name("notices.jsonl.damaged-1")
    with site.record() as record:
        record.accept_damage(site.settings.policy, "cut", site.now.date())
    aside.write_bytes(aside.read_bytes() + b'{"user":"CORP\\\\user03"}\n')
    ran = run(*forget(site, "--yes"))
    assert ran.code == 1
    assert f"{aside}: its damage was accepted, and its lines cannot be erased: delete it" in ran.out
    assert named(site.state) == [aside.name]
