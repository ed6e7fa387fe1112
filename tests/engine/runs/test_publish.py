"""What a run has done is told once, and nothing that goes wrong in telling changes how it ended."""

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.errors import NotAuthorized, RemoteError
from seatwarden.engine.metrics.delivery import Delivery
from seatwarden.engine.metrics.point import Point
from seatwarden.engine.notify.events import Event
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.publish import events_of, points_of, publish_apply, publish_run
from seatwarden.engine.runs.recovery import PUBLISHED_FOLDER
from seatwarden.engine.runs.run_report import RunReport
from tests.engine.apply.applying import POLICY, idle
from tests.engine.runs.running import Running, Site
from tests.engine.service.sites import TO_INFLUX


class Telling:
    """What was written to the database and sent to people; `delivery` is what became of the points."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self.events: list[Event] = []
        self.delivery = Delivery(sent=1)
        self.failure: Exception | None = None

    def send(self, points: Sequence[Point], *_: object) -> Delivery:
        if self.failure is not None:
            raise self.failure
        self.points += points
        return self.delivery

    def notify(self, _: object, event: Event, *__: object) -> list[Any]:
        self.events.append(event)
        return []

    @property
    def released(self) -> list[str]:
        """The users in the points of releases."""
        names = [dict(point.tags).get("user", "") for point in self.points]
        return sorted(name.rpartition("\\")[2] for name in names if name)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> Telling:
    found = Telling()
    monkeypatch.setattr("seatwarden.engine.runs.publish.send", found.send)
    monkeypatch.setattr("seatwarden.engine.runs.publish.notify", found.notify)
    return found


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path, Site(idle(2)), release=f"dryRun: false\n{TO_INFLUX}", influx=9)


def _publish(running: Running, report: RunReport) -> None:
    publish_run(report, running.settings, running.log, running.now)


def _published(running: Running) -> list[bool]:
    return [_mark(running, folder).exists() for folder in running.runs]


def _mark(running: Running, folder: Path) -> Path:
    return running.settings.folder / PUBLISHED_FOLDER / folder.name


def test_a_run_is_told_once(running: Running, telling: Telling) -> None:
    _publish(running, running.run())
    assert (telling.released, telling.kinds, _published(running)) == (["user1", "user2"], ["releases-done"], [True])
    assert running.run().applied == ()


def test_what_is_lost_is_told_by_the_next_run(running: Running, telling: Telling) -> None:
    """No room was left for the points: they are not marked as told."""
    telling.delivery = Delivery(dropped=3, problem="no room")
    _publish(running, running.run())
    assert _published(running) == [False]
    telling.points.clear()
    telling.delivery = Delivery(sent=1)
    _publish(running, running.run())
    assert (telling.released, _published(running)) == (["user1", "user2"], [True, False])


def test_what_waits_is_not_lost(running: Running, telling: Telling) -> None:
    telling.delivery = Delivery(waiting=3, problem="nothing listens there")
    _publish(running, running.run())
    assert _published(running) == [True]
    assert "InfluxDB has not got everything" in running.words()


@pytest.mark.parametrize(
    "release", [f"dryRun: false\n{TO_INFLUX}", f"dryRun: false\n{TO_INFLUX.replace('true', 'false')}"]
)
def test_no_points_of_releases_where_nobody_wants_them(running: Running, telling: Telling, release: str) -> None:
    running.release = release
    wanted = running.settings.jobs.release.to_influxdb
    _publish(running, running.run())
    assert (bool(telling.points), telling.kinds, _published(running)) == (wanted, ["releases-done"], [True])


def test_a_defect_in_telling(running: Running, telling: Telling) -> None:
    """It is logged; people are told all the same, and the next run tells the database."""
    report = running.run()
    telling.failure = ZeroDivisionError("a defect")
    _publish(running, report)
    assert (report.outcome, telling.kinds, _published(running)) == ("done", ["releases-done"], [False])
    (defect,) = [facts for level, _, facts in running.said if level == logging.ERROR]
    assert (defect["error"], "Traceback" in defect["traceback"]) == ("ZeroDivisionError('a defect')", True)


def test_a_note_that_cannot_be_written(running: Running, telling: Telling) -> None:
    report = running.run()
    _mark(running, running.runs[0]).mkdir(parents=True)
    _publish(running, report)
    (warning,) = [facts for level, _, facts in running.said if level == logging.WARNING]
    assert warning["folder"] == str(running.runs[0])


def test_which_events_a_run_has(running: Running) -> None:
    def kinds(report: RunReport) -> list[str]:
        return [event.kind for event in events_of(report, running.settings)]

    assert kinds(running.run(dry_run=True)) == ["plan-ready"]
    running.policy = "keep when true\n"
    assert kinds(running.run(dry_run=True)) == []
    assert kinds(running.run()) == []
    running.policy = POLICY.replace("1000", "1")
    assert kinds(running.run()) == ["limit-hit"]
    assert kinds(running.run(dry_run=True)) == ["plan-ready", "limit-hit"]
    running.policy = POLICY
    running.qrs.on_delete = {"l1": (409, "in use")}.get
    assert kinds(running.run()) == ["releases-done", "run-failed"]
    running.stop.set()
    assert kinds(running.run()) == []


def test_where_a_run_failed(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(license_id: str) -> None:
        raise NotAuthorized("refused us")

    def fail() -> None:
        raise RemoteError("answered 500", "look into the log")

    running.qrs.on_delete = refuse
    (event,) = [e for e in events_of(running.run(), running.settings) if e.kind == "run-failed"]
    assert (event.data["stage"], event.data["help"]) == ("apply", None)
    monkeypatch.setattr(running.qrs, "on_snapshot", fail)
    for folder in running.runs:
        (folder / "outcomes.jsonl").unlink()
    (event,) = events_of(running.run(), running.settings)
    assert event.data == {"stage": "plan", "message": "answered 500", "help": "look into the log"}


def test_a_run_in_numbers(running: Running) -> None:
    running.qrs.on_delete = {"l1": (409, "in use")}.get
    points = [point for point in points_of(running.run(), running.settings) if not dict(point.tags).get("user")]
    whole = points[0]
    assert dict(whole.tags) | {"outcome": "incomplete", "dry_run": "false"} == dict(whole.tags)
    assert {name: whole.fields[name] for name in ("release", "released", "failed", "failures")} == {
        "release": 2, "released": 1, "failed": 1, "failures": 1
    }  # fmt: skip
    (rule,) = [point for point in points if "rule" in dict(point.tags)]
    assert (rule.fields["licenses"], rule.fields["licenses_released"]) == (2, 1)


# A plan that somebody applies by hand --------------------------------------------------------------------


def test_an_apply_by_hand_is_told_once(running: Running, telling: Telling) -> None:
    (applied,) = running.run().applied
    publish_apply(applied, running.settings, running.log, running.now)
    assert (telling.released, telling.kinds, _published(running)) == (["user1", "user2"], ["releases-done"], [True])


def test_an_apply_by_hand_that_nobody_wants_to_hear_of(running: Running, telling: Telling) -> None:
    """The next run may want to tell of it: it is not marked."""
    (applied,) = running.run().applied
    running.influx, running.release = None, "dryRun: false"
    publish_apply(applied, running.settings, running.log, running.now)
    assert (telling.points, telling.events, _published(running)) == ([], [], [False])


def test_an_apply_by_hand_whose_points_are_lost(running: Running, telling: Telling) -> None:
    (applied,) = running.run().applied
    telling.delivery = Delivery(dropped=1, problem="no room")
    publish_apply(applied, running.settings, running.log, running.now)
    assert (telling.kinds, _published(running)) == (["releases-done"], [False])


def test_certificates_that_end_are_told_of_once_a_day(
    running: Running, monkeypatch: pytest.MonkeyPatch, telling: Telling
) -> None:
    """Each run is a process of its own, which nothing in memory outlives."""
    monkeypatch.setattr("seatwarden.engine.site.notifications.Notifications.anybody", True)
    running.qrs.ending = [EndingCertificate("the client certificate `c.pem`", date(2026, 12, 1), 9, "export a new one")]
    said = []
    for _ in range(2):
        _publish(running, running.run(dry_run=True))
        said += [message for message in running.words() if "c.pem" in message]
    assert [kind for kind in telling.kinds if kind == "certificate-expiring"] == ["certificate-expiring"]
    sentence = "the client certificate `c.pem` ends in 9 days, on 2026-12-01: export a new one"
    assert said == [sentence] * 2, "the log says it each time"
    running.now += timedelta(days=1)
    _publish(running, running.run(dry_run=True))
    assert telling.kinds.count("certificate-expiring") == 2
    (event,) = {event.lines for event in telling.events if event.kind == "certificate-expiring"}
    assert event[1] == sentence


def test_nobody_to_tell_leaves_no_note(running: Running, telling: Telling) -> None:
    running.qrs.ending = [EndingCertificate("the client certificate `c.pem`", date(2026, 12, 1), 9, "export a new one")]
    _publish(running, running.run(dry_run=True))
    assert "certificate-expiring" not in telling.kinds
    assert not (running.settings.folder / "notified.json").exists()
