"""The service on a simulated clock: when jobs begin, what is missed, and which changed files come into force."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from apscheduler.executors.debug import DebugExecutor
from apscheduler.executors.pool import ThreadPoolExecutor

from seatwarden.engine.service.service import Service
from seatwarden.engine.service.state import JobName, JobResult, ServiceState
from seatwarden.engine.site.settings import Settings
from tests.engine.service.simulated_time import HandDriven, SimulatedClock, simulated
from tests.engine.service.sites import settings_of, write_site

START = datetime(2026, 11, 21, 0, 30, tzinfo=UTC)


@dataclass
class Kept:
    """A service whose jobs note when they were begun."""

    folder: Path
    clock: SimulatedClock
    service: Service
    scheduler: HandDriven
    state: ServiceState
    begun: list[tuple[JobName, datetime]]
    logged: list[tuple[str, dict[str, Any]]]
    during: dict[str, Callable[[Settings], None]] = field(default_factory=dict)

    def run_for(self, **span: float) -> list[str]:
        """Lets time pass; when jobs were begun meanwhile."""
        before = len(self.begun)
        self.scheduler.run_until(self.clock.now + timedelta(**span))
        return [f"{moment:%d %H:%M}" for _, moment in self.begun[before:]]

    def said(self, message: str) -> list[dict[str, Any]]:
        """The facts of each time that something was said."""
        return [facts for text, facts in self.logged if text == message]


Keep = Callable[..., Kept]


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Keep]:
    """Makes a service for a site file; `threads` gives jobs threads of their own."""
    with ExitStack() as stack:

        def make(
            *, start: datetime = START, threads: bool = False, meanwhile: Callable[[], None] = lambda: None, **site: Any
        ) -> Kept:
            path = write_site(tmp_path, 4242, **site)
            clock = SimulatedClock(start)
            stack.enter_context(simulated(clock))
            state, begun, logged = ServiceState(start), [], []
            names: tuple[JobName, ...] = ("licenseRelease", "licenseMonitor", "serverLicenseMonitor", "heartbeat")
            executor: Any = partial(ThreadPoolExecutor, 1) if threads else DebugExecutor
            executors: dict[JobName, Any] = {name: executor() for name in names}
            scheduler = HandDriven(clock, executors=executors)
            kept: Kept

            def work(name: JobName) -> Callable[[Settings], JobResult]:
                def do(settings: Settings) -> JobResult:
                    begun.append((name, clock.now))
                    if name in kept.during:
                        kept.during[name](settings)
                    return JobResult("done", ok=True)

                return do

            def log(message: str, *, level: int = logging.INFO, **facts: object) -> None:
                logged.append((message, {"level": level, **facts}))

            settings = settings_of(path)
            meanwhile()
            service = Service(
                settings,
                load=lambda: settings_of(path),
                work={name: work(name) for name in names},
                scheduler=scheduler,
                state=state,
                clock=clock,
                log=log,
            )
            kept = Kept(tmp_path, clock, service, scheduler, state, begun, logged)
            service.schedule_all()
            scheduler.start()
            stack.callback(scheduler.shutdown)
            return kept

        yield make


# When jobs begin ------------------------------------------------------------------------------------------------


def test_by_the_clock_and_not_because_it_starts(keep: Keep) -> None:
    kept = keep(license_monitor="at 2:30", start=START.replace(hour=0, minute=0))
    assert kept.run_for(hours=24) == ["21 02:30", "21 06:00", "21 12:00", "21 18:00", "22 00:00"]
    assert [name for name, _ in kept.begun][:2] == ["licenseMonitor", "licenseRelease"]
    state = kept.state.jobs()["licenseRelease"]
    assert state.next == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert (state.runs, state.missed) == ({"done": 4}, 0)


@pytest.mark.parametrize("release", ["enable: false\nfrequency: every 6 hours", "frequency: every 6 hours"])
def test_what_is_not_enabled_is_never_done(keep: Keep, release: str) -> None:
    kept = keep(release=release, license_monitor="every 12 hours")
    kept.run_for(hours=24)
    assert {name for name, _ in kept.begun} == {"licenseMonitor"}


def test_in_the_policys_time_zone_over_both_changes_of_the_clock(keep: Keep) -> None:
    kept = keep(
        start=datetime(2026, 3, 27, 12, tzinfo=UTC),
        release="enable: true\nfrequency: at 2:30",
        policy='timezone "Europe/Stockholm"\nkeep when true\n',
    )
    # On the 29th the clock goes from 2:00 to 3:00.
    assert kept.run_for(days=3) == ["28 01:30", "30 00:30"]
    kept.clock.now = datetime(2026, 10, 24, 12, tzinfo=UTC)
    kept.service.schedule_all(anew=True)
    # On the 25th it is 2:30 twice.
    assert kept.run_for(days=2) == ["25 00:30", "26 01:30"]


def test_a_schedule_that_never_fires_is_said(keep: Keep) -> None:
    kept = keep(release="enable: true\nfrequency: on the 31 day of feb", license_monitor="every 12 hours")
    (facts,) = kept.said("this schedule never fires")
    assert facts["level"] == logging.WARNING
    kept.run_for(hours=24)
    assert {name for name, _ in kept.begun} == {"licenseMonitor"}


def test_a_schedule_that_ends(keep: Keep) -> None:
    kept = keep(release="enable: true\nfrequency: at 2:30 in 2026", start=datetime(2026, 12, 30, tzinfo=UTC))
    assert kept.run_for(days=5) == ["30 02:30", "31 02:30"]
    assert kept.state.jobs()["licenseRelease"].next is None


# What is missed -------------------------------------------------------------------------------------------------


def test_a_long_sleep_is_made_up_for_by_one_run(keep: Keep) -> None:
    kept = keep()
    kept.clock.pass_by(hours=39)  # asleep over the 21st 06, 12, 18, the 22nd 00, 06, 12
    assert kept.run_for(seconds=1) == ["22 15:30"]
    (facts,) = kept.said("this run is late, and makes up for those missed since")
    assert (facts["due"], facts["missed"]) == (datetime(2026, 11, 21, 6, tzinfo=UTC), 5)
    assert kept.state.jobs()["licenseRelease"].missed == 5
    assert kept.run_for(hours=6) == ["22 18:00"]


def test_years_of_sleep_are_not_walked_through(keep: Keep) -> None:
    kept = keep(release="enable: true\nfrequency: every 5 minutes")
    kept.clock.now = kept.clock.now.replace(year=2040)
    assert len(kept.run_for(seconds=1)) == 1
    trigger = kept.scheduler.get_job("licenseRelease").trigger
    assert trigger.get_next_fire_time(START, kept.clock.now) > kept.clock.now
    assert kept.said("this run is late, and makes up for those missed since")[0]["missed"] == 10_000


def test_a_clock_that_was_ahead_does_not_put_runs_off_for_years(keep: Keep) -> None:
    kept = keep(start=START.replace(year=2036))
    kept.service.watch_clock()
    kept.clock.now = START
    assert kept.run_for(hours=12) == []
    kept.service.watch_clock()
    assert len(kept.said("the clock was set back: schedules are counted anew")) == 1
    assert kept.run_for(hours=12) == ["21 18:00", "22 00:00"]


def test_a_clock_that_is_corrected_a_little_repeats_nothing(keep: Keep) -> None:
    kept = keep()
    assert kept.run_for(hours=5.5) == ["21 06:00"]
    kept.service.watch_clock()
    kept.clock.pass_by(seconds=-30)
    kept.service.watch_clock()
    assert kept.run_for(hours=1) == []
    assert kept.scheduler.wakened


def test_a_run_longer_than_its_interval_is_not_run_twice(keep: Keep) -> None:
    kept = keep(threads=True, release="enable: true\nfrequency: every 1 hour", license_monitor="at 3:15")
    begun, go_on = threading.Event(), threading.Event()

    def long(_: Settings) -> None:
        begun.set()
        assert go_on.wait(20)

    kept.during["licenseRelease"] = long
    kept.run_for(minutes=30)
    assert begun.wait(20)
    kept.scheduler.run_until(datetime(2026, 11, 21, 3, 30, tzinfo=UTC))
    assert len(kept.said("run missed: the one before has not ended")) == 2
    assert kept.state.jobs()["licenseRelease"].running_since == datetime(2026, 11, 21, 1, tzinfo=UTC)
    go_on.set()
    _wait_until(lambda: not kept.state.running)
    kept.run_for(minutes=30)
    _wait_until(lambda: len(kept.begun) == 3)
    assert sorted(f"{moment:%H:%M}" for _, moment in kept.begun) == ["01:00", "03:15", "04:00"]
    assert kept.state.jobs()["licenseRelease"].missed == 2


def _wait_until(condition: Callable[[], bool]) -> None:
    done = threading.Event()
    for _ in range(10_000):
        if condition():
            return
        done.wait(0.001)
    pytest.fail("it never came")


def test_a_job_that_crashes_is_seen_and_goes_on(keep: Keep) -> None:
    kept = keep()

    def crash(_: Settings) -> None:
        raise ZeroDivisionError("a defect of ours")

    kept.during["licenseRelease"] = crash
    assert kept.run_for(hours=12) == ["21 06:00", "21 12:00"]
    facts = kept.said("job crashed")[0]
    assert (facts["level"], facts["error"]) == (logging.ERROR, "ZeroDivisionError('a defect of ours')")
    assert "in crash" in facts["traceback"]
    assert not kept.state.ok
    kept.during.clear()
    kept.run_for(hours=6)
    assert kept.state.ok
    assert kept.state.jobs()["licenseRelease"].runs == {"crashed": 2, "done": 1}


def test_runs_missed_while_no_service_was_there_are_said_not_made_up_for(keep: Keep) -> None:
    kept = keep()
    kept.service.tell_missed_since(START - timedelta(days=1))
    (facts,) = kept.said("runs were missed while the service was not running")
    assert (facts["job"], facts["missed"]) == ("licenseRelease", 4)
    kept.service.tell_missed_since(START - timedelta(minutes=1))
    kept.service.tell_missed_since(START + timedelta(days=1))  # a heartbeat of the future
    assert len(kept.said("runs were missed while the service was not running")) == 1
    assert kept.run_for(minutes=1) == []


def test_the_heartbeat_has_a_schedule_and_makes_no_noise(keep: Keep) -> None:
    kept = keep(heartbeat="{enable: true, remoteURL: 'http://h/s3cret', frequency: every 30 minutes}")
    assert kept.run_for(hours=2) == ["21 01:00", "21 01:30", "21 02:00", "21 02:30"]
    assert {name for name, _ in kept.begun} == {"heartbeat"}
    assert {facts["level"] for facts in kept.said("job ended")} == {logging.DEBUG}
    assert kept.state.to_json(kept.clock.now)["jobs"]["heartbeat"]["schedule"] == "every 30 minutes"
    kept.service.tell_missed_since(START - timedelta(days=1))
    assert [facts["job"] for facts in kept.said("runs were missed while the service was not running")] == [
        "licenseRelease"
    ], "nobody wants to hear of beats"


# Changed files --------------------------------------------------------------------------------------------------


def _change(kept: Kept, name: str, old: str, new: str) -> None:
    path = kept.folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _look(kept: Kept, times: int = 2) -> None:
    for _ in range(times):
        kept.service.look_at_files()


def test_what_has_not_changed_is_not_spoken_of(keep: Keep) -> None:
    kept = keep()
    logged = len(kept.logged)
    _look(kept, 20)
    assert len(kept.logged) == logged


def test_a_changed_policy_is_in_force_when_it_has_come_to_rest(keep: Keep) -> None:
    kept = keep()
    _look(kept)
    before = kept.service.settings.policy.digest
    _change(kept, "p.policy", "30 days", "60 days")
    _look(kept, 1)
    assert kept.service.settings.policy.digest == before
    _change(kept, "p.policy", "60 days", "600 days")  # still being written
    _look(kept, 1)
    assert kept.service.settings.policy.digest == before
    _look(kept, 1)
    assert kept.service.settings.policy.digest != before
    assert kept.state.policy == kept.service.settings.policy.digest
    assert kept.said("changed files are in force")[0]["before"] == before


def test_what_changed_while_it_was_read_at_the_start_is_seen(keep: Keep, tmp_path: Path) -> None:
    policy = tmp_path / "p.policy"
    kept = keep(meanwhile=lambda: policy.write_text(policy.read_text().replace("30 days", "60 days")) and None)
    _look(kept)
    assert len(kept.said("changed files are in force")) == 1


def test_half_a_file_is_refused_once_and_the_old_policy_stays(keep: Keep) -> None:
    kept = keep()
    whole = (kept.folder / "p.policy").read_text()
    before = kept.service.settings
    (kept.folder / "p.policy").write_text(whole[: whole.index("days") - 4])
    _look(kept, 30)
    assert kept.service.settings is before
    assert len(kept.said("a changed file is not in force: the old settings stay")) == 1
    assert not kept.state.ok
    assert "error[SW" in (kept.state.refused_change or "")
    assert kept.run_for(hours=6) == ["21 06:00"]
    (kept.folder / "p.policy").write_text(whole)
    _look(kept)
    assert kept.state.ok
    assert kept.service.settings.policy.digest == before.policy.digest
    assert len(kept.said("changed files are in force")) == 1


def test_a_file_that_is_gone_for_a_moment(keep: Keep) -> None:
    kept = keep()
    (kept.folder / "p.policy").rename(kept.folder / "aside")
    _look(kept, 3)
    assert "does not exist" in (kept.state.refused_change or "")
    (kept.folder / "aside").rename(kept.folder / "p.policy")
    _look(kept, 2)
    assert kept.state.ok


def test_a_list_file_of_the_new_policy_that_comes_later(keep: Keep) -> None:
    kept = keep()
    _look(kept)
    _change(kept, "p.policy", 'keep "tag"', 'set vips from "vips.txt"\nkeep "vips" when user = vips\nkeep "tag"')
    _look(kept)
    refused = kept.state.refused_change or ""
    # A long path is cut short in the message.
    assert "error[SW207]: list file `" in refused
    assert "` does not exist" in refused
    (kept.folder / "vips.txt").write_text("CORP\\jdoe\n")
    _look(kept, 6)
    assert kept.state.ok
    assert len(kept.service.settings.files) == 3
    before = kept.service.settings.policy.digest
    _look(kept)
    (kept.folder / "vips.txt").write_text("CORP\\jdoe\nCORP\\kchen\n")
    _look(kept)
    assert kept.service.settings.policy.digest != before


def test_schedules_are_changed_taken_off_and_put_on(keep: Keep) -> None:
    kept = keep(license_monitor="every 12 hours")
    _change(kept, "site.yaml", "every 6 hours", "at 2:15")
    kept.service.reload()
    assert kept.run_for(hours=24) == ["21 02:15", "21 12:00", "22 00:00"]
    _change(kept, "site.yaml", "enable: true\n      frequency: at 2:15", "enable: false\n      frequency: at 2:15")
    kept.service.reload()
    assert list(kept.state.jobs()) == ["licenseMonitor"]
    assert kept.said("off schedule") == [{"level": logging.INFO, "job": "licenseRelease"}]
    assert kept.run_for(hours=24) == ["22 12:00", "23 00:00"]
    _change(kept, "site.yaml", "enable: false\n      frequency: at 2:15", "enable: true\n      frequency: at 2:15")
    kept.service.reload()
    assert kept.run_for(hours=6) == ["23 02:15"]


def test_a_run_that_is_due_is_not_lost_to_a_reload(keep: Keep) -> None:
    kept = keep()
    kept.clock.pass_by(hours=5.5)  # due now, but the scheduler has not looked yet
    _change(kept, "p.policy", "30 days", "60 days")
    kept.service.reload()
    assert kept.run_for(seconds=1) == ["21 06:00"]


def test_a_job_that_is_taken_off_while_it_runs_or_waits(keep: Keep) -> None:
    kept = keep(license_monitor="every 6 hours", threads=True)

    def reload(_: Settings) -> None:
        _change(kept, "site.yaml", "dryRun: false", "dryRun: true")
        on, off = (f"enable: {word}\n      frequency: every 6 hours\n      dryRun" for word in ("true", "false"))
        _change(kept, "site.yaml", on, off)
        kept.service.reload()

    kept.during["licenseRelease"] = reload
    kept.run_for(hours=6)
    _wait_until(lambda: len(kept.said("job ended")) == 2)
    assert [name for name, _ in kept.begun].count("licenseRelease") == 1
    assert not kept.said("job crashed")
    assert list(kept.state.jobs()) == ["licenseMonitor"]
    # It was handed to its thread before it was taken off.
    kept.service._do("licenseRelease")
    assert [name for name, _ in kept.begun].count("licenseRelease") == 1


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("folder: state", "folder: other", "folder"),
        ("port: 4242", "port: 4243", "site"),
        ("folder: state", "folder: state\n  heartbeat: 5", "heartbeat"),
        ("folder: state", "folder: state\n  http: {port: 9464}", "http_port"),
        ("folder: state", "folder: state\n  log: {level: debug}", "log"),
    ],
)
def test_what_cannot_change_while_it_runs(keep: Keep, old: str, new: str, named: str) -> None:
    kept = keep()
    before = kept.service.settings
    _change(kept, "site.yaml", old, new)
    kept.service.reload()
    assert kept.service.settings is before
    assert kept.state.refused_change == f"{named} cannot change while the service runs; restart it"


def test_a_defect_in_reading_does_not_end_the_service(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("tests.engine.service.test_service.settings_of", broken)
    kept.service.reload()
    assert "ZeroDivisionError" in (kept.state.refused_change or "")
    assert kept.run_for(hours=6) == ["21 06:00"]


def test_no_defect_shows_a_secret(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep(ours="notifications: {webhook: [{url: 'https://h.example.com/T0/hunter2'}]}")

    def broken(*_: object, **__: object) -> None:
        raise ValueError("no such address: https://h.example.com/T0/hunter2")

    kept.during["licenseRelease"] = broken
    kept.run_for(hours=6)
    facts = kept.said("job crashed")[0]
    assert facts["error"] == "ValueError('no such address: …')"
    monkeypatch.setattr("tests.engine.service.test_service.settings_of", broken)
    kept.service.reload()
    assert "no such address" in (kept.state.refused_change or "")
    assert "hunter2" not in f"{kept.logged} {kept.state.refused_change}"


def test_the_time_zone_changes_with_the_policy(keep: Keep) -> None:
    kept = keep(release="enable: true\nfrequency: at 2:30")
    _change(kept, "p.policy", 'keep "tag"', 'timezone "America/New_York"\nkeep "tag"')
    kept.service.reload()
    assert kept.run_for(hours=24) == ["21 07:30"]


def test_warnings_are_said_again_with_each_change(keep: Keep) -> None:
    kept = keep()
    _change(kept, "site.yaml", "every 6 hours", "every 7 hours")
    kept.service.reload()
    assert any("SW507" in str(facts.get("finding", "")) for _, facts in kept.logged)
