"""The last runs by the register, and which of them have a record that may be looked at."""

import shutil
import sys
from pathlib import Path

import pytest

from seatwarden.engine.log.register import REGISTER_FILE, Begun, ClosedRun, Planned, RegisterState, read_register
from seatwarden.engine.log.run_folder import PLAN_FILE
from seatwarden.engine.service.past_runs import RegisteredRun, find_run, last_runs, seats_before
from tests.engine.apply.applying import idle
from tests.engine.runs.running import Running, Site
from tests.engine.service.past import past_site


def _register(running: Running) -> RegisterState:
    register = read_register(running.settings.folder / REGISTER_FILE)
    assert register is not None
    return register


def _runs(running: Running, most: int = 10, *, under_way: bool = False) -> list[RegisteredRun]:
    return last_runs(_register(running), running.settings.folder, most, under_way=under_way)


def test_each_says_how_it_ended(tmp_path: Path) -> None:
    running = past_site(tmp_path)
    runs = _runs(running)
    assert [(run.state, run.well, run.due, run.released) for run in runs] == [
        ("nothing due", True, 0, None),
        ("applied", True, 4, 4),
        ("failed", False, None, None),
        ("refused by the limit", False, 4, None),
        ("dry run", True, 4, None),
    ]
    assert [run.has_record for run in runs] == [True, True, False, True, True]
    assert [run.folder for run in reversed(runs) if run.folder] == running.runs
    assert _runs(running, 2) == runs[:2]


def test_a_run_without_an_end(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(2)))
    running.crash()
    assert [(run.state, run.well) for run in _runs(running)] == [("interrupted", False)]
    register = _register(running)
    register.lines = [line for line in register.lines if not isinstance(line, ClosedRun)]
    for under_way, state in ((False, "interrupted"), (True, "under way")):
        (run,) = last_runs(register, tmp_path, 10, under_way=under_way)
        assert (run.state, run.well, run.released) == (state, under_way, None)


def test_licenses_that_failed(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(3)))
    running.qrs.on_delete = lambda license_id: (409, "") if license_id == "l1" else None
    running.run()
    (run,) = _runs(running)
    assert (run.state, run.well, run.released) == ("applied, 1 license failed", False, 2)


def test_stopped_by_a_finding_without_its_words(tmp_path: Path) -> None:
    leavers = "release analyzer when user.removedExternally and unused for 7 days\nlimit release to 1000 per run\n"
    running = Running(tmp_path, Site(idle(11)), policy=leavers)
    running.run()
    for user in running.qrs.site["users"]:
        user["removedExternally"] = True
    assert running.run().outcome == "stopped"
    assert (_runs(running)[0].state, _runs(running)[0].well) == ("stopped by SW407", False)


def test_a_register_that_was_written_by_hand_leads_nowhere_else(tmp_path: Path) -> None:
    running = Running(tmp_path / "site", Site(idle(1)))
    (tmp_path / "site").mkdir()
    running.run(dry_run=True)
    register, state = _register(running), running.settings.folder
    (planned,) = register.of_kind(Planned)
    assert find_run(register, state, planned.run_id) is not None
    assert find_run(register, state, "20260101T000000Z-000000000000") is None
    shutil.copytree(running.runs[0], tmp_path / "elsewhere")
    for folder in ("../../elsewhere", "runs/../../../elsewhere", str(tmp_path / "elsewhere"), "", "."):
        planned.folder = folder
        assert find_run(register, state, planned.run_id) is None, folder


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
@pytest.mark.parametrize("linked", ["the folder", "the plan"])
def test_a_link_is_no_run(tmp_path: Path, linked: str) -> None:
    running = Running(tmp_path, Site(idle(1)))
    running.run(dry_run=True)
    (folder,) = running.runs
    place = folder if linked == "the folder" else folder / PLAN_FILE
    place.rename(tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    assert find_run(_register(running), running.settings.folder, folder.name) is None


def test_a_run_whose_folder_is_gone(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(1)))
    running.run(dry_run=True)
    shutil.rmtree(running.runs[0])
    (run,) = _runs(running)
    assert (run.state, run.has_record, seats_before(run)) == ("dry run", False, {})
    assert run.run_id is not None
    assert find_run(_register(running), running.settings.folder, run.run_id) is None


def test_lines_about_a_run_that_is_not_there_are_passed_over(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(1)))
    running.run()
    register = _register(running)
    register.lines = [line for line in register.lines if not isinstance(line, Planned)]
    assert any(isinstance(line, Begun) for line in register.lines)
    assert last_runs(register, tmp_path, 10) == []
