"""What people were told in a run: the same in rows, numbers, events and points, and no name where none is asked for."""

import json
from pathlib import Path

from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notify.events import Event
from seatwarden.engine.runs.publish import events_of, points_of
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.runs.told import notice_numbers, told_rows
from tests.engine.notice.telling import LIMIT, REMINDED, Telling, people


def _numbers(report: RunReport) -> dict[str, int]:
    """Those that are not 0."""
    return {name: count for name, count in notice_numbers(report).items() if count}


def _refusing(site: Telling, number: int) -> None:
    to = f"user{number}@example.org"
    site.post.on_message = lambda m: MessageOutcome("refused", f"550 no {to}") if m.to.addr_spec == to else None


def _events(site: Telling, report: RunReport) -> list[Event]:
    return list(events_of(report, site.settings))


def test_told_reminded_released(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(2), policy=REMINDED)
    reports = site.days(15)
    assert _numbers(reports[0]) == {"notices_told": 2, "notices_waiting": 2}
    assert _numbers(reports[1]) == {"notices_waiting": 2}
    assert _numbers(reports[11]) == {"notices_reminded": 2, "notices_waiting": 2}
    assert _numbers(reports[14]) == {"released_after_notice": 2}
    assert [row.words for row in told_rows(reports[0])] == ["to be released on 2026-12-05 unless used"] * 2


def test_a_run_that_releases_nothing_notifies_of_who_was_told(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(3))
    _refusing(site, 2)
    report = site.run()
    (event,) = _events(site, report)
    assert event.kind == "releases-done"
    assert event.subject.startswith("0 licenses released on http://")
    assert event.subject.endswith(", 2 told, 1 refused")
    plain = json.dumps([event.subject, event.lines_for(people=False), event.data_for(people=False)]) + repr(event)
    assert "user1" not in plain
    assert "example.org" not in plain
    assert event.data_for(people=False)["told"] == {"told": 2, "refused": 1}
    assert "Notices: 2 told, 1 refused." in event.lines_for(people=False)
    named = event.lines_for(people=True)
    assert "told: ACME\\user1 (analyzer), to be released on 2026-12-05 unless used" in named
    assert any(
        line.startswith("refused: ACME\\user2 (analyzer), the message was refused, so kept: 550") for line in named
    )
    assert event.data_for(people=True)["toldPeople"][0]["user"] == "ACME\\user1"
    assert _events(site, site.run()) == []  # refused once a day, and nothing new to say


def test_a_dry_run_notifies_of_whom_it_would_tell(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(2))
    (event,) = _events(site, site.run(dry_run=True))
    assert event.kind == "plan-ready"
    assert event.subject.endswith(", 2 to tell")
    assert event.data_for(people=False)["told"] == {"to tell": 2}


def test_ended_notices_are_told(tmp_path: Path) -> None:
    site = Telling(tmp_path)
    site.days(2)
    site.use(1)
    report = site.run()
    (event,) = _events(site, report)
    assert "Notices: 1 ended." in event.lines_for(people=False)
    assert _numbers(report) == {"notices_ended": 1}
    assert told_rows(report)[0].words == "the notice has ended: used on 2026-11-23"


def test_points_have_the_numbers_where_a_rule_gives_notice(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(2))
    totals = points_of(site.run(), site.settings)[0].fields
    assert (totals["notices_told"], totals["notices_waiting"], totals["released_after_notice"]) == (2.0, 2.0, 0.0)
    site.policy = "release analyzer when unused for 3000 days\n" + LIMIT
    site.run()
    without = points_of(site.run(), site.settings)[0].fields
    assert not [name for name in without if "notice" in name]


def test_ten_thousand_people_told_are_a_short_message(tmp_path: Path) -> None:
    site = Telling(tmp_path, people(70))
    (event,) = _events(site, site.run())
    assert event.lines_for(people=True)[-1] == "and 20 more"
    assert len(event.data_for(people=True)["toldPeople"]) == 50
