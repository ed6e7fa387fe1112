"""That licenses are low is told once a crossing, at least once, and not where the run itself has freed enough."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from seatwarden.engine.history.forecast import Forecast
from seatwarden.engine.history.running_out import RunningOut
from seatwarden.engine.monitor.capacity import FreeLicenses
from seatwarden.engine.notify.events import Event, licenses_low
from seatwarden.engine.notify.repetition import Repetition
from seatwarden.engine.notify.send import Problem
from seatwarden.engine.runs.publish import publish_run
from seatwarden.engine.site.capacity import WarnBelow
from tests.engine.apply.applying import idle
from tests.engine.history.sites import START
from tests.engine.runs.running import Running, Site
from tests.paths import ROOT

OURS = """\
capacity: {analyzer: {warnBelow: 10%}}
notifications: {webhook: [{url: "https://hooks.example.com/x", events: [licenses-low]}]}
"""


class LowSite:
    """A site with a hundred analyzer licenses, and what was told of it."""

    def __init__(self, folder: Path, licenses: int) -> None:
        self.running = Running(folder, Site(idle(licenses)), ours=OURS)
        self.told: list[Event] = []
        self.problems: list[Problem] = []

    def notify(self, _: object, event: Event, *__: object) -> list[Problem]:
        self.told.append(event)
        return self.problems

    def run(self, free: int, *, dry_run: bool = True) -> list[Event]:
        """What a run tells that finds so many free."""
        overview = {"analyzerAccess": {"enabled": True, "total": 100, "available": free}}
        self.running.qrs.site["accessTypeOverview"] = overview
        self.told.clear()
        report = self.running.run(dry_run=dry_run)
        publish_run(report, self.running.settings, self.running.log, self.running.now)
        self.running.now += timedelta(hours=6)
        return [event for event in self.told if event.kind == "licenses-low"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], LowSite]:
    def make(licenses: int) -> LowSite:
        made = LowSite(tmp_path, licenses)
        monkeypatch.setattr("seatwarden.engine.runs.publish.notify", made.notify)
        return made

    return make


def test_it_is_told_once_a_crossing(site: Callable[[int], LowSite]) -> None:
    one = site(2)
    told = [len(one.run(free)) for free in (30, 9, 8, 10, 9, 11, 3, 12, 9, 9)]
    assert told == [0, 1, 0, 0, 0, 0, 0, 0, 1, 0], "who wavers around the level is not told each time"


def test_what_is_told(site: Callable[[int], LowSite]) -> None:
    (event,) = site(2).run(9)
    assert event.subject == "analyzer licenses are low on http://127.0.0.1:4242: 9 free"
    assert event.lines[:2] == (
        "Of the analyzer licenses of http://127.0.0.1:4242 9 are free.",
        "You asked to be told below 10 %.",
    )
    assert event.lines[2].startswith("When none is left is not known: there is no history yet.")
    assert (event.data["licenseType"], event.data["free"], event.data["warnBelow"]) == ("analyzer", 9, 10)


def test_the_page_shows_it() -> None:
    both = RunningOut(20, 36, 61, 365, 365), RunningOut(None, None, None, 365, 240)
    forecast = Forecast(9, date(2026, 11, 21), *both)
    one = FreeLicenses("analyzer", 9, 100, 10, WarnBelow(percent=10), forecast)
    event = licenses_low("https://qlik.example.com:4242", START, "analyzer", 9, "10 %", one.forecast_lines, {})
    page = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
    assert "```\n" + "\n".join([event.subject, *event.lines]) + "\n```" in page


def test_a_run_that_frees_enough_tells_nothing(site: Callable[[int], LowSite]) -> None:
    one = site(3)
    assert one.run(8, dry_run=True) != []
    one.run(50)
    assert one.run(8, dry_run=False) == [], "three were released: there are 11"
    (free,) = one.running.run(dry_run=True).free
    assert free.free == 8, "as QRS says it of a dry run"


def test_what_reached_nobody_is_told_again(site: Callable[[int], LowSite]) -> None:
    one = site(2)
    one.problems = [Problem("licenses-low", "webhook 1", "it does not answer")]
    assert len(one.run(9)) == 1
    assert any("it does not answer" in said for said in one.running.words())
    assert len(one.run(9)) == 1
    one.problems = []
    assert [len(one.run(9)) for _ in range(2)] == [1, 0]


def test_who_is_killed_before_it_is_noted_tells_it_again(
    site: Callable[[int], LowSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = site(2)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Repetition, "note", killed)
        with pytest.raises(KeyboardInterrupt):
            one.run(9)
        assert [event.kind for event in one.told][-1] == "licenses-low"
    assert [len(one.run(9)) for _ in range(2)] == [1, 0]


def test_where_nobody_wants_it_nothing_is_noted(site: Callable[[int], LowSite]) -> None:
    one = site(2)
    one.running.ours = "capacity: {analyzer: {warnBelow: 10%}}"
    one.run(9)
    one.running.ours = OURS
    assert len(one.run(9)) == 1
