"""`seatwarden run`: plan and apply in one against the real simulator, and what a script is told."""

import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import seatwarden.engine.cli.commands.run
import seatwarden.engine.cli.state_folder
import seatwarden.engine.runs.publish
from seatwarden.engine.cli.main import main
from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.log.journal_lines import JournalLine
from seatwarden.engine.log.register import LOCK_FILE
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.applying import read_outcomes
from tests.engine.cli.conftest import Processes, Run, SiteFile
from tests.engine.cli.rounds import ROUNDS
from tests.engine.idle import ALL, LICENSES, POLICY, USERS, idle_site
from tests.engine.metrics.servers import Answering
from tests.engine.service.sites import TO_INFLUX, runs_of, write_site
from tests.platforms import WINDOWS

pytestmark = pytest.mark.usefixtures("quick")


# What releases, and what does not -----------------------------------------------------------------------------


def test_releases_when_the_file_says_so(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release="dryRun: false")
    ran = run("run", "--site", site)
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, ALL)
    assert "6 released" in ran.out
    assert [line.partition(":")[0] for line in ran.err.splitlines()] == ["warning"]
    assert idle_qrs.url in ran.err
    (folder,) = runs_of(site)
    journal = read_outcomes(folder)
    assert journal.sealed
    assert set(journal.results.values()) == {"released"}
    again = run("run", "--site", site)
    assert (again.code, len(idle_qrs.deleted)) == (0, LICENSES)
    assert "Nothing was to be released." in again.out


@pytest.mark.parametrize(
    ("release", "options", "released", "said"),
    [
        ("enable: true", (), False, "`dryRun: false` in the site file releases."),
        ("dryRun: true", (), False, "`dryRun: false` in the site file releases."),
        ("enable: false\ndryRun: false", (), False, "The site file says `enable: false`."),
        ("dryRun: false", ("--dry-run",), False, "Dry run: nothing has been released.\n"),
        ("enable: true", ("--no-dry-run",), True, "6 released"),
        ("enable: false\ndryRun: true", ("--no-dry-run",), True, "6 released"),
        ("enable: true\ndryRun: false", (), True, "6 released"),
    ],
)
def test_dry_run_is_the_default(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, release: str, options: tuple[str, ...], released: bool, said: str
) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=release)
    ran = run("run", "--site", site, *options)
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, ALL if released else [])
    assert said in ran.out
    (folder,) = runs_of(site)
    assert (folder / "plan.jsonl").exists()
    assert (folder / "outcomes.jsonl").exists() is released


@pytest.mark.parametrize(
    ("limit", "code", "released"),
    [
        ("", 1, []),  # the default: 10 % of 6 is none
        ("limit release to 5 per run", 1, []),
        ("limit release to 0 per run", 1, []),
        ("limit release to 6 per run", 0, ALL),
        ("limit release to 2 per run, longest unused first", 0, ["l-03", "l-05"]),
    ],
)
def test_limits(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, limit: str, code: int, released: list[str]) -> None:
    with idle_qrs.site_lock() as content:
        for n in (3, 5):
            long_ago = format_instant(datetime.now(UTC) - timedelta(days=200 + n))
            content["licenses"]["analyzer"][n]["lastUsed"] = long_ago
    policy = POLICY.replace("limit release to 1000 per run\n", f"{limit}\n")
    ran = run("run", "--site", write_site(tmp_path, idle_qrs.port, policy=policy), "--no-dry-run")
    assert (ran.code, sorted(idle_qrs.deleted)) == (code, released)
    if code:
        assert "over limit: 6 " in ran.err


def test_policy_in_the_command_line_comes_first(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release="dryRun: false")
    (tmp_path / "other.policy").write_text("keep when true\n")
    assert run("run", "--site", site, "--policy", tmp_path / "other.policy").code == 0
    assert idle_qrs.deleted == []


def test_through_tls(run: Run, certificates: CertificateFiles, site_file: SiteFile, tmp_path: Path) -> None:
    (tmp_path / "p.policy").write_text(POLICY)
    with SimulatedQrs(idle_site(), certificates=certificates) as idle_qrs:
        site = site_file(idle_qrs.port)
        ran = run("run", "--site", site, "--policy", tmp_path / "p.policy", "--no-dry-run")
    assert (ran.code, ran.err, sorted(idle_qrs.deleted)) == (0, "", ALL)


# What goes wrong ----------------------------------------------------------------------------------------------


def test_qrs_is_down(run: Run, tmp_path: Path) -> None:
    with SimulatedQrs(idle_site()) as gone:
        pass
    ran = run("run", "--site", write_site(tmp_path, gone.port), "--no-dry-run")
    assert ran.code == 3
    assert "nothing listens on" in ran.err
    assert "help:" in ran.err


def test_refused_in_the_middle(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, ours="parallel: 1")
    idle_qrs.faults.append(Fault("status", path_contains="accesstype/l-03", status=403))
    ran = run("run", "--site", site)
    assert (ran.code, len(idle_qrs.deleted)) == (3, 3)
    idle_qrs.faults.clear()
    assert run("run", "--site", site).code == 0
    assert sorted(idle_qrs.deleted) == ALL


def test_one_delete_fails_and_the_next_run_goes_on(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = write_site(tmp_path, idle_qrs.port)
    idle_qrs.faults.append(Fault("status", "DELETE", "l-02", status=409, body="used in a session"))
    ran = run("run", "--site", site)
    assert (ran.code, len(idle_qrs.deleted)) == (4, LICENSES - 1)
    assert "CORP\\user02: " in ran.out
    assert "answered 409" in ran.out
    idle_qrs.faults.clear()
    _later(monkeypatch, timedelta(seconds=2))  # a run's name has seconds
    again = run("run", "--site", site)
    assert (again.code, sorted(idle_qrs.deleted)) == (0, ALL)


def _later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Sets the clock of the next run."""
    later = datetime.now(UTC) + by
    monkeypatch.setattr("seatwarden.engine.cli.host.clock", lambda: later)
    monkeypatch.setattr("seatwarden.engine.cli.commands.run.clock", lambda: later)


def test_the_settings_are_wrong(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(
        tmp_path, idle_qrs.port, release="dryRun: maybe", ours="parallel: 99", policy="release everything\n"
    )
    ran = run("run", "--site", site)
    assert (ran.code, ran.out, idle_qrs.requests) == (2, "", [])
    assert ran.err.count("error[") == 3


def test_no_site(run: Run) -> None:
    assert run("run").code == 2


def test_a_folder_that_cannot_be_used(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port)
    (tmp_path / "state").write_text("a file")
    ran = run("run", "--site", site)
    assert (ran.code, idle_qrs.deleted) == (2, [])
    assert "cannot be" in ran.err


def test_a_state_folder_without_room_for_the_lock(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    ran = run("run", "--site", write_site(tmp_path, idle_qrs.port))
    assert (ran.code, idle_qrs.requests) == (2, [])
    assert "the lock" in ran.err


def test_the_disk_is_full(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was released before is told, what cannot be journalled is not done, and the next run finds it out."""
    whole = Journal.append
    lines: list[JournalLine] = []

    def append(self: Journal, line: JournalLine) -> None:
        lines.append(line)
        if len(lines) > 5:  # the header, two licenses with intent and outcome
            raise OSError(28, "No space left on device")
        whole(self, line)

    with Answering(204) as database:
        port = int(database.url.rpartition(":")[2])
        site = write_site(
            tmp_path, idle_qrs.port, release=f"dryRun: false\n{TO_INFLUX}", influx=port, ours="parallel: 1"
        )
        with monkeypatch.context() as full:
            full.setattr(Journal, "append", append)
            ran = run("run", "--site", site)
        assert (ran.code, len(idle_qrs.deleted)) == (4, 2)
        assert "No space left" in ran.err
        assert _released_points(database) == ["user00", "user01"]
        assert run("run", "--site", site).code == 0
        assert sorted(idle_qrs.deleted) == ALL
        assert _released_points(database) == USERS


def test_a_second_run_is_refused(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port)
    with FileLock(_lock(idle_qrs, tmp_path)):
        ran = run("run", "--site", site)
    assert (ran.code, idle_qrs.requests) == (1, [])
    assert "refused: another apply" in ran.err


def _lock(qrs: SimulatedQrs, folder: Path) -> Path:
    path = folder / "state" / LOCK_FILE
    path.parent.mkdir()
    return path


def test_pseudonyms(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    write_atomically(tmp_path / "people.key", os.urandom(32))
    site = write_site(tmp_path, idle_qrs.port, ours="pseudonyms: people.key")
    ran = run("run", "--site", site)
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, ALL)
    written = ran.out + ran.err
    for path in (tmp_path / "state").rglob("*.*"):
        written += path.read_text() if path.is_file() else ""
    assert "user0" not in written.replace("user.", "")
    assert "User 0" not in written


def test_a_defect_in_telling_does_not_change_the_end(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as defect:
        defect.setattr(seatwarden.engine.runs.publish, "release_points", broken)
        ran = run("run", "--site", write_site(tmp_path, idle_qrs.port, release=f"dryRun: false\n{TO_INFLUX}", influx=9))
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, ALL)
    assert "told: ZeroDivisionError" in ran.err


# What an earlier run left -------------------------------------------------------------------------------------


def _interrupted(run: Run, idle_qrs: SimulatedQrs, site: Path, after: int = 2) -> Path:
    """A run that was asked to stop when so many licenses were released; its folder."""

    def ask() -> None:
        while len(idle_qrs.deleted) < after:
            time.sleep(0.001)
        signal.raise_signal(signal.SIGTERM)  # `os.kill` would end the process at once on Windows

    asking = threading.Thread(target=ask)
    asking.start()
    idle_qrs.faults.append(Fault("delay", "DELETE", seconds=0.02))
    ran = run("run", "--site", site)
    asking.join()
    idle_qrs.faults.clear()
    assert ran.code == 4
    assert "interrupted: asked to" in ran.err
    (folder,) = runs_of(site)
    journal = read_outcomes(folder)
    assert set(journal.intents) == set(journal.results) == set(idle_qrs.deleted)
    assert after <= len(idle_qrs.deleted) < LICENSES
    assert not journal.sealed
    return folder


def test_sigterm_finishes_the_license_and_the_next_run_the_rest(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path
) -> None:
    site = write_site(tmp_path, idle_qrs.port, ours="parallel: 1")
    folder = _interrupted(run, idle_qrs, site)
    ran = run("run", "--site", site)
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, ALL)
    assert f"end: {folder}" in ran.err
    assert read_outcomes(folder).sealed
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.parametrize("brake", ["limit release to 0 per run", 'keep "brake" when user.userDirectory = "CORP"'])
def test_a_changed_policy_stops_what_an_earlier_run_left(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, brake: str
) -> None:
    """Who stops a run and protects people must not see them lose their licenses by the plan made before."""
    site = write_site(tmp_path, idle_qrs.port, ours="parallel: 1")
    folder = _interrupted(run, idle_qrs, site)
    before = len(idle_qrs.deleted)
    policy = POLICY.replace("limit release to 1000 per run", brake)
    (tmp_path / "p.policy").write_text(policy)
    ran = run("run", "--site", site)
    assert "policy has changed" in ran.err
    assert len(idle_qrs.deleted) == before
    journal = read_outcomes(folder)
    assert journal.sealed
    assert set(journal.results.values()) == {"released", "skipped"}
    assert "not begun: the policy has changed" in journal.details[ALL[-1]]


def test_other_pseudonyms_stop_it_too(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    """Nobody in the plan could be found again: all would be skipped as changed, one request after the other."""
    site = write_site(tmp_path, idle_qrs.port, ours="parallel: 1")
    folder = _interrupted(run, idle_qrs, site)
    write_atomically(tmp_path / "people.key", os.urandom(32))
    ran = run("run", "--site", write_site(tmp_path, idle_qrs.port, ours="pseudonyms: people.key"))
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, ALL)
    assert "pseudonyms have changed" in ran.err
    assert "pseudonyms have changed" in read_outcomes(folder).details[ALL[-1]]


def test_a_dry_run_leaves_it(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, ours="parallel: 1")
    folder = _interrupted(run, idle_qrs, site)
    before = (folder / "outcomes.jsonl").read_bytes()
    assert run("run", "--site", site, "--dry-run").code == 0
    assert (folder / "outcomes.jsonl").read_bytes() == before


def test_what_is_damaged_or_of_another_site_or_no_run_is_left(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, ours="parallel: 1")
    folder = _interrupted(run, idle_qrs, site)
    folder.rename(folder.with_name("20990101 copy for the auditor"))
    (folder.parent / "a file").write_text("")
    before = len(idle_qrs.deleted)
    ran = run("run", "--site", site)
    assert (ran.code, "earlier run" in ran.err) == (0, False)
    assert len(idle_qrs.deleted) == LICENSES > before
    (folder.parent / "20990101 copy for the auditor").rename(folder)
    shutil.rmtree(folder.parent.parent / "published")
    with (folder / "outcomes.jsonl").open("r+b") as file:
        file.seek(20)
        file.write(b"#")
    ran = run("run", "--site", site)
    assert ran.code == 0
    assert "an earlier run is left as it is" in ran.err
    assert str(folder) in ran.err


def test_after_a_day_it_is_only_looked_up(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A DELETE whose answer nobody saw is looked up however old the plan is; nothing else of it is done."""
    site = write_site(tmp_path, idle_qrs.port, ours="parallel: 1")
    idle_qrs.faults.append(Fault("reset_after", "DELETE", "l-01", times=1))
    arrive = SimulatedQrs._arrive

    # Once the DELETE has come, nobody is told any more what became of it.
    def arriving(self: SimulatedQrs, method: str, path: str) -> Fault | None:
        if method == "DELETE" and "l-01" in path:
            self.faults.append(Fault("reset", "GET", "accesstype/l-01"))
        return arrive(self, method, path)

    with monkeypatch.context() as blind:
        blind.setattr(SimulatedQrs, "_arrive", arriving)
        ran = run("run", "--site", site)
    (folder,) = runs_of(site)
    assert ran.code == 4
    assert read_outcomes(folder).results["l-01"] == "unknown"
    _later(monkeypatch, timedelta(days=3))
    ran = run("run", "--site", site)  # it still cannot be asked
    assert ran.code == 4
    assert read_outcomes(folder).results["l-01"] == "unknown"
    idle_qrs.faults.clear()
    ran = run("run", "--site", site)
    assert ran.code == 0
    assert "last 24 hours" in ran.err
    journal = read_outcomes(folder)
    assert journal.sealed
    assert journal.results["l-01"] == "released"
    assert "looked up" in journal.details["l-01"]


# Killed ---------------------------------------------------------------------------------------------------------


def _run_in_a_process(site: str, state: str) -> None:
    setattr(seatwarden.engine.cli.state_folder, "user_state_path", lambda *args, **options: Path(state))  # noqa: B010 - the child is its own
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    sys.argv = ["seatwarden", "run", "--site", site]
    main()


@pytest.mark.parametrize("seed", ROUNDS)
def test_killed_at_random_points(run: Run, tmp_path: Path, processes: Processes, seed: int) -> None:
    """Killed again and again: no license is deleted twice, and each release is told to InfluxDB."""
    chance = random.Random(seed)  # noqa: S311 - a kill needs no cryptography
    with Answering(204) as database, SimulatedQrs(idle_site(), latency_seconds=0.003) as qrs:
        port = int(database.url.rpartition(":")[2])
        site = write_site(tmp_path, qrs.port, release=f"dryRun: false\n{TO_INFLUX}", influx=port, ours="parallel: 2")
        for _ in range(2 if WINDOWS else 8):  # there a process takes seconds to begin
            process = processes(target=_run_in_a_process, args=(str(site), str(tmp_path)))
            process.start()
            target = len(qrs.requests) + chance.randint(4, 3 * LICENSES)
            while process.is_alive() and len(qrs.requests) < target:
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 0.02))
            process.kill()
            process.join()
            journalled = {key for folder in runs_of(site) if (folder / "outcomes.jsonl").exists()
                          for key in _intents(folder)}  # fmt: skip
            assert set(qrs.deleted) <= journalled, "every DELETE had its intent on the disk before"
        ran = run("run", "--site", site)
        assert (ran.code, sorted(qrs.deleted)) == (0, ALL)
        assert _released_points(database) == USERS
    for folder in runs_of(site):
        if (folder / "outcomes.jsonl").exists():
            assert read_outcomes(folder).sealed


def _intents(folder: Path) -> set[str]:
    lines = (folder / "outcomes.jsonl").read_bytes().split(b"\n")[:-1]
    return {record["person"]["licenseId"] for record in map(json.loads, lines) if record["kind"] == "intent"}


def _released_points(database: Answering) -> list[str]:
    """Users in the release points that the database holds: of the same series and time it keeps one."""
    lines = {
        line for body in database.bodies for line in body.split("\n") if line.startswith("qlik_sense_license_release")
    }
    series = {(line.split(" ")[0], line.rsplit(" ")[-1]) for line in lines}
    return sorted(key.rpartition("user=CORP\\")[2].lstrip("\\") for key, _ in series)


# JSON ---------------------------------------------------------------------------------------------------------


def _object(out: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(out)  # one object, and nothing else
    return read


def test_json_of_a_dry_run(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release="dryRun: true")
    ran = run("run", "--site", site, "--format", "json")
    told = _object(ran.out)
    (folder,) = runs_of(site)
    assert (ran.code, told["exit"]) == (0, {"code": 0, "meaning": "done, or a dry run"})
    assert (told["outcome"], told["dryRun"], told["site"]) == ("dry-run", True, idle_qrs.url)
    assert (told["folder"], told["run"]["runId"], told["siteFile"]) == (str(folder), folder.name, str(site))
    assert (told["summary"]["licenses"], told["outcomes"], told["errors"]) == (LICENSES, [], [])
    assert set(told["counts"].values()) == {0}
    assert told["started"] <= told["ended"]
    assert all(f"warning: {text}" in ran.err for text in told["warnings"])


def test_json_of_what_was_released_and_what_failed(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release="dryRun: false")
    idle_qrs.faults.append(Fault("status", method="DELETE", path_contains=ALL[0], status=409, times=1))
    ran = run("run", "--site", site, "--format", "json")
    told = _object(ran.out)
    assert (ran.code, told["exit"]["code"], told["outcome"]) == (4, 4, "incomplete")
    assert told["counts"] == {"released": LICENSES - 1, "gone": 0, "skipped": 0, "failed": 1, "unknown": 0}
    by_id = {outcome["licenseId"]: outcome for outcome in told["outcomes"]}
    assert set(by_id) == set(ALL)
    assert (by_id[ALL[0]]["outcome"], by_id[ALL[1]]["outcome"]) == ("failed", "released")
    assert "409" in by_id[ALL[0]]["detail"]
    assert {outcome["runId"] for outcome in told["outcomes"]} == {told["run"]["runId"]}
    assert told["why"] == ["some licenses are not released: see their outcomes"]


def test_json_where_qrs_does_not_answer(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release="dryRun: false")
    idle_qrs.faults.append(Fault("status", status=403))
    ran = run("run", "--site", site, "--format", "json")
    told = _object(ran.out)
    assert (ran.code, told["exit"]["code"], told["outcome"]) == (3, 3, "failed")
    assert (told["run"], told["folder"], told["summary"]) == (None, None, None)
    assert "403" in told["errors"][0]["message"]


def test_json_where_the_settings_are_wrong(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port)
    site.write_text(site.read_text().replace(f"port: {idle_qrs.port}", "port: QRS"))
    ran = run("run", "--site", site, "--format", "json")
    told = _object(ran.out)
    assert (ran.code, told["exit"]["code"], told["outcome"]) == (2, 2, "failed")
    assert told["errors"][0]["message"] == "`configQRS.port` must be a number"
    assert "error[SW204]" in ran.err
    nowhere = run("run", "--site", tmp_path / "nowhere.yaml", "--format", "json")
    assert (nowhere.code, _object(nowhere.out)["errors"][0]["message"]) == (2, nowhere.err.split("\n")[0][7:])
