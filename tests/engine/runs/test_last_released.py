"""`user.lastReleased`: what the journals of a site's runs say, and when they say nothing."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from seatwarden.engine.facts.day import make_day
from seatwarden.engine.runs.last_released import last_released
from tests.engine.apply.applying import idle
from tests.engine.runs.running import Running, Site
from tests.strategies import NOW

CAME_BACK = """
keep "came back" when user.lastReleased > today - 180 days
release analyzer when unused for 30 days
limit release to 100% of analyzer per run
"""


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path, Site(idle(2)), policy=CAME_BACK)


def _known(running: Running) -> dict[str, date] | str:
    return last_released(running.settings.folder, make_day(running.now, "UTC"))


def test_who_was_released_is_spared_for_half_a_year(running: Running) -> None:
    assert _known(running) == {}
    assert running.run().counts == {"released": 2}
    assert _known(running) == {"ACME\\user1": NOW.date(), "ACME\\user2": NOW.date()}
    running.qrs = Site(idle(3))  # both have their licenses again, and somebody else has one
    running.now = NOW + timedelta(days=1)
    running.run()
    assert running.qrs.deletes == ["l3"]
    running.qrs = Site(idle(3))
    running.now = NOW + timedelta(days=180)
    running.run()
    assert running.qrs.deletes == ["l1", "l2"]
    assert _known(running) == {
        "ACME\\user1": NOW.date() + timedelta(days=180),
        "ACME\\user2": NOW.date() + timedelta(days=180),
        "ACME\\user3": NOW.date() + timedelta(days=1),
    }


def _without_journal(folder: Path) -> None:
    (folder / "outcomes.jsonl").unlink()


def _with_damage(folder: Path) -> None:
    path = folder / "outcomes.jsonl"
    path.write_bytes(path.read_bytes().replace(b"ACME", b"ACMD"))


@pytest.mark.parametrize("change", [_without_journal, _with_damage])
def test_a_journal_that_says_nothing_keeps_everybody(running: Running, change: Callable[[Path], None]) -> None:
    running.run()
    change(running.runs[0])
    assert _known(running) == "a journal of the site's runs, or their register, is missing or cannot be read"
    running.qrs = Site(idle(3))
    report = running.run()
    assert (running.qrs.deletes, report.plan and report.plan.summary()["undetermined"]) == ([], 3)


def test_a_plan_that_was_not_applied_has_no_journal(running: Running) -> None:
    running.run(dry_run=True)
    assert _known(running) == {}
