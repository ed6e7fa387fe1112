"""`seatwarden fleet`: the table, the exit codes, and what is said beside them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwarden.engine.simulator.server import Fault
from tests.engine.cli.conftest import Run
from tests.engine.fleet.fleets import SimulatedFleet, simulated_fleet, wait_until
from tests.engine.idle import LICENSES
from tests.platforms import WINDOWS

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[SimulatedFleet]:
    """Three sites that release."""
    with simulated_fleet(tmp_path, 3) as one:
        one.write()
        yield one


def _table(text: str) -> dict[str, list[str]]:
    """The cells of each site's line."""
    return {line.split()[0]: line.split()[1:] for line in text.splitlines() if line.startswith(" s")}


def test_plan_then_run_then_report(run: Run, fleet: SimulatedFleet, tmp_path: Path) -> None:
    planned = run("fleet", "plan", "--fleet", fleet.file)
    assert planned.code == 0
    assert _table(planned.out) == {name: ["0", "6", "0", "6", "6", "planned"] for name in fleet.sites}
    assert "18 licenses due, 18 in this run\nNothing has been released." in planned.out
    assert sum(fleet.released.values()) == 0
    done = run("fleet", "run", "-f", fleet.file)
    assert done.code == 0
    assert _table(done.out) == {name: ["0", "6", "6", "6", "0", "done"] for name in fleet.sites}
    assert fleet.released == dict.fromkeys(fleet.sites, LICENSES)
    pages = tmp_path / "pages"
    reported = run("fleet", "report", "--fleet", fleet.file, "-o", pages)
    assert reported.code == 0
    assert sorted(path.name for path in pages.iterdir()) == ["overview.html", "s0.html", "s1.html", "s2.html"]
    again = run("fleet", "report", "--fleet", fleet.file, "-o", pages)
    assert (again.code, "exists already" in again.err) == (2, True)
    assert run("fleet", "report", "--fleet", fleet.file, "-o", pages, "--force").code == 0


def test_only_some_sites(run: Run, fleet: SimulatedFleet) -> None:
    ran = run("fleet", "run", "--fleet", fleet.file, "--only", "s2", "--only", "s0")
    assert list(_table(ran.out)) == ["s0", "s2"]
    assert fleet.released == {"s0": LICENSES, "s1": 0, "s2": LICENSES}
    unknown = run("fleet", "run", "--fleet", fleet.file, "--only", "s4")
    assert (unknown.code, unknown.out) == (2, "")
    assert "the fleet has no site `s4`" in unknown.err


def test_a_table_fits_into_80_columns(run: Run, fleet: SimulatedFleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(fleet.folder)
    for command in ("check", "plan", "run", "report"):
        ran = run("fleet", command, "--fleet", fleet.file, *(["-o", "p"] if command == "report" else []))
        assert all(len(line) <= 80 for line in ran.out.splitlines()), ran.out


CODES = {
    "nothing is wrong": ([], "", 0),
    "all failed": (["s0", "s1", "s2"], "", 3),
    "one failed": (["s1"], "", 4),
    "the fleet's limit": ([], "17 per run", 1),
    "the fleet's limit, and one failed": (["s1"], "11 per run", 4),
    "the failed one is within the limit": (["s1"], "12 per run", 4),
}


@pytest.mark.parametrize(("away", "limit", "code"), CODES.values(), ids=CODES)
def test_exit_codes(run: Run, fleet: SimulatedFleet, away: list[str], limit: str, code: int) -> None:
    fleet.write(limit)
    for name in away:
        fleet.sites[name].faults.append(Fault("status", status=403))
    ran = run("fleet", "run", "--fleet", fleet.file, "--format", "json")
    printed = json.loads(ran.out)
    assert ran.code == code == printed["exit"]["code"]
    codes = {one["site"]: one["code"] for one in printed["sites"]}
    over = bool(printed["overLimit"])
    assert codes == {name: 3 if name in away else 1 if over else 0 for name in fleet.sites}


def test_a_release_that_failed(run: Run, fleet: SimulatedFleet) -> None:
    fleet.sites["s1"].faults.append(Fault("status", method="DELETE", status=500, times=1))
    ran = run("fleet", "run", "--fleet", fleet.file)
    assert ran.code == 4
    assert _table(ran.out)["s1"] == ["4", "6", "6", "5", "1", "incomplete"]


def test_nothing_is_begun_with_a_fleet_file_that_is_wrong(run: Run, fleet: SimulatedFleet) -> None:
    fleet.file.write_text("limit: 5\nsites:\n  s0: s0/site.yaml\n  s 1: s1/site.yaml\n", encoding="utf-8")
    ran = run("fleet", "run", "--fleet", fleet.file)
    assert (ran.code, ran.out) == (2, "")
    assert f"{fleet.file}:4:3" in ran.err
    assert all(not qrs.requests for qrs in fleet.sites.values())
    gone = run("fleet", "check", "--fleet", fleet.folder / "none.yaml")
    assert (gone.code, "does not exist" in gone.err) == (2, True)


def test_errors_name_the_site_and_the_line(run: Run, fleet: SimulatedFleet) -> None:
    (fleet.folder / "s1" / "p.policy").write_text("release analyzr\n", encoding="utf-8")
    ran = run("fleet", "check", "--fleet", fleet.file)
    assert ran.code == 4
    assert _table(ran.out)["s1"] == ["2", "failed"]
    assert "s1: SW001: unexpected `analyzr` (p.policy:1:9)" in ran.err
    assert "= help: did you mean `analyzer`?" in ran.err


def test_what_is_not_well_at_many_sites_is_said_once(run: Run, fleet: SimulatedFleet) -> None:
    for name in fleet.sites:
        path = fleet.folder / name / "site.yaml"
        path.write_text(path.read_text(encoding="utf-8") + "\nOther: {}\n", encoding="utf-8")
    ran = run("fleet", "plan", "--fleet", fleet.file, "--format", "json")
    (said,) = [line for line in json.loads(ran.out)["warnings"] if "`Other`" in line]
    assert said.startswith("s0 (site.yaml:")
    assert all(name in said for name in fleet.sites)


def test_init_writes_a_file_that_check_takes(run: Run, fleet: SimulatedFleet) -> None:
    (fleet.folder / "s1" / "rules.yaml").write_text("licenseRelease: {}\n", encoding="utf-8")
    (fleet.folder / "s0" / "notes.yaml").write_text("hello: 1\n", encoding="utf-8")
    target = fleet.folder / "new.yaml"
    ran = run("fleet", "init", fleet.folder, "-o", target)
    assert ran.code == 0, ran.err
    text = target.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == [
        *("sites:", "  s0: s0/site.yaml", "  s1: s1/site.yaml", "  s2: s2/site.yaml"),
    ]
    assert run("fleet", "check", "--fleet", target).code == 0
    again = run("fleet", "init", fleet.folder, "-o", target)
    assert (again.code, "exists already" in again.err) == (2, True)
    assert run("fleet", "init", fleet.folder, "-o", target, "--force").code == 0
    site = fleet.folder / "s0" / "site.yaml"
    assert run("fleet", "init", fleet.folder, "-o", site, "--force").code == 2
    (fleet.folder / "empty").mkdir()
    nothing = run("fleet", "init", fleet.folder / "empty", "-o", fleet.folder / "e.yaml")
    assert (nothing.code, "there is no site file" in nothing.err) == (2, True)


def test_plans_are_applied_as_any_other(run: Run, fleet: SimulatedFleet, tmp_path: Path) -> None:
    planned = run("fleet", "plan", "--fleet", fleet.file, "-o", tmp_path / "plans")
    assert planned.code == 0
    assert (tmp_path / "plans" / "overview.html").is_file()
    applied = run("apply", tmp_path / "plans" / "s1", "--site", fleet.folder / "s1" / "site.yaml", "--yes")
    assert applied.code == 0, applied.err
    assert fleet.released == {"s0": 0, "s1": LICENSES, "s2": 0}


def test_as_a_process_of_its_own_with_others_that_work_for_it(tmp_path: Path) -> None:
    with simulated_fleet(tmp_path, 5) as one:
        command = [sys.executable, "-P", "-m", "seatwarden", "fleet", "run", "--fleet", str(one.write())]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert (ran.returncode, ran.stdout.count("done")) == (0, 6), ran.stderr
        assert one.released == dict.fromkeys(one.sites, LICENSES)
    (folder,) = one.runs("s3")
    first = json.loads((folder / "plan.jsonl").read_text(encoding="utf-8").split("\n", 1)[0])
    assert first["person"]["command"].startswith("seatwarden fleet run --fleet "), "those who work say for whom"


@pytest.mark.skipif(WINDOWS, reason="a signal ends a process there at once")
def test_the_service_of_a_fleet_ends_when_it_is_asked_to(tmp_path: Path) -> None:
    release = "enable: true\nfrequency: every 1 second\ndryRun: false"
    with simulated_fleet(tmp_path, 2, release=release) as one:
        path = one.write("7 per run, longest unused first")
        head = f"frequency: every 1 second\nlog: {{file: '{tmp_path / 'f.log'}', format: json}}\n"
        path.write_text(head + path.read_text(encoding="utf-8"), encoding="utf-8")
        command = [sys.executable, "-P", "-m", "seatwarden", "serve", "--fleet", str(path)]
        with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "XDG_STATE_HOME": str(tmp_path)}) as process:
            wait_until(lambda: sum(one.released.values()) == 2 * LICENSES)
            process.terminate()
            assert process.wait(30) == 0
    said = [json.loads(line)["message"] for line in (tmp_path / "f.log").read_text(encoding="utf-8").splitlines()]
    assert (said[0], said[-1]) == ("fleet service started", "fleet service ended")


def test_a_service_is_of_a_fleet_or_of_a_site(run: Run, fleet: SimulatedFleet) -> None:
    ran = run("serve", "--fleet", fleet.file, "--site", fleet.folder / "s0" / "site.yaml")
    assert (ran.code, "--fleet excludes --site and --policy" in ran.err) == (2, True)
    fleet.write("5 per run")
    ran = run("serve", "--fleet", fleet.file)
    assert (ran.code, "nothing says when that is" in ran.err) == (2, True)
