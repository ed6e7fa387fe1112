"""The service: Butler's three jobs and its heartbeat on their schedules, by APScheduler.

Nothing is done because it starts. A job that is due while its last run has not ended, or while the machine slept, is
missed; missed runs are counted, said, and made up for by one. A changed file is picked up when it has come to rest
and is right; until then everything goes on as before.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobSubmissionEvent
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.base import BaseScheduler

from seatwarden.engine.common.text import plural
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.qrs.expiry import our_ending
from seatwarden.engine.runs.context import Log
from seatwarden.engine.runs.publish import describe_defect
from seatwarden.engine.service.logging import LoggedFinding
from seatwarden.engine.service.state import JobName, JobResult, ServiceState
from seatwarden.engine.service.trigger import ScheduleTrigger
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.butler.jobs import Job
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.schedule.check import load_schedule
from seatwarden.policy.schedule.occurrences import next_occurrence, occurrences
from seatwarden.policy.schedule.schedule import Schedule

JobFunction = Callable[[Settings], JobResult]
"""The work of a job, under the settings in force."""

_MOST_COUNTED = 10_000
"""Missed runs that are counted; more are as bad."""

_LATE = timedelta(minutes=1)
"""The time by which a run may be late without a word."""

_SET_BACK = timedelta(minutes=1)
"""The time by which a clock may go back (time servers correct it) without schedules being counted anew."""

_LOOKS_BEFORE_RETRY = 6
"""Looks at the files from one reading of refused ones to the next."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """A job on schedule."""

    text: str
    schedule: Schedule
    zone: ZoneInfo

    def next(self, after: datetime) -> datetime | None:
        return next_occurrence(self.schedule, after, self.zone)

    def count(self, after: datetime, until: datetime) -> int:
        """The number of times it was due after an instant, up to and with another."""
        due = takewhile(lambda instant: instant <= until, occurrences(self.schedule, after, self.zone))
        return sum(1 for _ in islice(due, _MOST_COUNTED))


class Service:
    """Runs jobs as the settings say. `load` reads the settings again; `work` are the jobs by name."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[], Settings],
        work: Mapping[JobName, JobFunction],
        scheduler: BaseScheduler,
        state: ServiceState,
        clock: Callable[[], datetime],
        log: Log,
    ) -> None:
        self._settings = settings
        self._load = load
        self._work = work
        self._scheduler = scheduler
        self._state = state
        self._clock = clock
        self._log = log
        self._planned: dict[JobName, _Planned] = {}
        # What the files looked like when they were read is not known any more: the second look reads them again.
        self._seen: dict[Path, _Stamp] = {}
        self._resting: dict[Path, _Stamp] = {}
        self._looks = 0
        self._last_clock = clock()
        scheduler.add_listener(self._not_begun, EVENT_JOB_MAX_INSTANCES)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    def schedule_all(self, *, anew: bool = False) -> None:
        """Puts every job that is enabled on schedule and takes the others off; what is as before goes on.

        With `anew` all are counted from now.
        """
        zone = make_day(self._clock(), self._settings.policy.timezone).zone
        enabled = {name: job for name, job in jobs_of(self._settings).items() if job.enabled and job.frequency}
        before = {} if anew else self._planned
        self._planned = {name: _Planned(job.text, load_schedule(job.text, name), zone) for name, job in enabled.items()}
        self._state.schedule({name: job.text for name, job in enabled.items()})
        self._state.policy = self._settings.policy.digest
        for job in self._scheduler.get_jobs():
            if job.id not in self._planned:
                with suppress(JobLookupError):  # its schedule has just ended
                    job.remove()
                self._log("off schedule", job=job.id)
        for name, planned in self._planned.items():
            old = before.get(name)
            if old is None or (old.text, old.zone) != (planned.text, planned.zone):
                self._schedule(name, planned)

    def log_warnings(self) -> None:
        """Says what is not wrong in the settings, but may not be meant."""
        for warning in self._settings.warnings:
            self._log_finding(LoggedFinding(warning, self._settings.sources), logging.WARNING)
        for text in (*self._settings.notes, *self._client_warnings()):
            self._log(text, level=logging.WARNING)

    def _log_finding(self, found: LoggedFinding, level: int) -> None:
        self._log(found.finding.message, level=level, finding=found)

    def _client_warnings(self) -> list[str]:
        try:
            return [one.describe() for one in our_ending(self._settings.site, self._clock())]
        except InputError as error:  # every run will fail by it; at its start the service says so already
            return [f"{error.message}: {error.help}" if error.help else error.message]

    def tell_missed_since(self, last_alive: datetime) -> None:
        """Says which runs were due while no service was running. They are not made up for."""
        for name, planned in self._planned.items():
            missed = planned.count(last_alive, self._clock()) if name != "heartbeat" else 0  # that says itself
            if missed:
                self._state.missed(name, missed)
                facts: dict[str, Any] = {"job": name, "missed": missed, "since": last_alive}
                self._log("runs were missed while the service was not running", level=logging.WARNING, **facts)

    def watch_clock(self) -> None:
        """Keeps schedules by the clock: the scheduler's wait does not notice that it was set, or that it slept."""
        now = self._clock()
        if now < self._last_clock - _SET_BACK:
            facts: dict[str, Any] = {"now": now, "before": self._last_clock}
            self._log("the clock was set back: schedules are counted anew", level=logging.WARNING, **facts)
            self.schedule_all(anew=True)
        self._last_clock = now
        self._scheduler.wakeup()

    def _schedule(self, name: JobName, planned: _Planned) -> None:
        # Several missed runs become one, which is done however late it is: by default APScheduler drops a run that is
        # more than a second late.
        self._scheduler.add_job(
            partial(self._do, name),
            ScheduleTrigger(planned.schedule, planned.zone),
            id=name,
            name=name,
            executor=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
            replace_existing=True,
        )
        due = planned.next(self._clock())
        self._state.due(name, due)
        facts: dict[str, Any] = {"schedule": planned.text, "timezone": planned.zone.key, "next": due or "never"}
        level = logging.INFO if due else logging.WARNING
        self._log("on schedule" if due else "this schedule never fires", level=level, job=name, **facts)

    def _do(self, name: JobName) -> None:
        """One run of a job, in a thread of its own."""
        planned, now = self._planned.get(name), self._clock()
        if planned is None:
            return  # taken off while it waited for its thread
        due = self._state.next(name)
        if due is not None and now - due > _LATE:
            missed = planned.count(due, now)
            self._state.missed(name, missed)
            facts: dict[str, Any] = {"job": name, "due": due, "missed": missed}
            self._log("this run is late, and makes up for those missed since", level=logging.WARNING, **facts)
        self._state.begun(name, now)
        self._state.due(name, planned.next(now))
        try:
            result = self._work[name](self._settings)
        except Exception as error:  # noqa: BLE001 - a defect of ours: it is logged whole, and the service goes on
            result = JobResult("crashed", ok=False)
            self._log("job crashed", level=logging.ERROR, job=name, **describe_defect(error, self._settings))
        ended = self._clock()
        self._state.ended(name, ended, result)
        level = logging.INFO if result.ok else logging.ERROR
        if name == "heartbeat" and result.ok:
            level = logging.DEBUG  # twice a minute, in many files
        facts = {"outcome": result.outcome, "seconds": round((ended - now).total_seconds(), 1)}
        self._log("job ended", level=level, job=name, **facts, next=self._state.next(name))

    def _not_begun(self, event: JobSubmissionEvent) -> None:
        planned, now = self._planned.get(event.job_id), self._clock()
        if planned is None:
            return
        missed = 1 + planned.count(self._state.next(event.job_id) or now, now)
        self._state.missed(event.job_id, missed)
        self._state.due(event.job_id, planned.next(now))
        facts: dict[str, Any] = {"job": event.job_id, "missed": missed}
        self._log("run missed: the one before has not ended", level=logging.WARNING, **facts)

    # changed files

    def look_at_files(self) -> None:
        """Picks up changed files once they are the same at two looks: half a file may well be right, and wrong."""
        stamps = _stamps(self._settings.files)
        rested, self._resting = stamps == self._resting, stamps
        self._looks += 1
        # What was refused may be mended in a file that is not known yet, such as a missing list.
        again = self._state.refused_change is not None and self._looks % _LOOKS_BEFORE_RETRY == 0
        if rested and (stamps != self._seen or again):
            self.reload()

    def reload(self) -> None:
        """Reads the settings and the policy again; they come into force only without any error."""
        # From before they are read: what changes meanwhile is seen at the next look.
        self._seen = self._resting = _stamps(self._settings.files)
        try:
            settings = self._load()
        except PolicyError as error:
            found = [LoggedFinding(finding, error.sources) for finding in error.diagnostics]
            self._refuse(f"it has {plural(len(found), 'error')}", found)
            return
        except InputError as error:
            self._refuse(error.message)
            return
        except Exception as error:  # noqa: BLE001 - a defect of ours: the old settings stay, and it is logged whole
            defect = describe_defect(error, self._settings)
            self._refuse(f"reading it failed: {defect['error']}", traceback=defect["traceback"])
            return
        fixed = ("folder", "log", "http_port", "heartbeat")
        changed = [name for name in fixed if getattr(settings, name) != getattr(self._settings, name)]
        if settings.site.url != self._settings.site.url:
            changed.append("site")
        if changed:
            self._refuse(f"{', '.join(changed)} cannot change while the service runs; restart it")
            return
        before, self._settings = self._settings, settings
        refused, self._state.refused_change = self._state.refused_change, None
        if settings == before and refused is None:
            return
        facts: dict[str, Any] = {"policy": settings.policy.digest, "before": before.policy.digest}
        self._log("changed files are in force", dryRun=settings.dry_run, **facts)
        self.log_warnings()
        self.schedule_all()

    def _refuse(self, why: str, findings: Sequence[LoggedFinding] = (), traceback: str = "") -> None:
        whole = "\n".join([why, *map(str, findings), *([traceback] if traceback else [])])
        if whole == self._state.refused_change:
            return  # said already
        self._state.refused_change = whole
        for finding in findings:
            self._log_finding(finding, logging.ERROR)
        facts = {"why": why, "policy": self._settings.policy.digest, "traceback": traceback}
        self._log("a changed file is not in force: the old settings stay", level=logging.ERROR, **facts)


def jobs_of(settings: Settings) -> dict[JobName, Job]:
    """The jobs that a site file speaks of."""
    jobs = settings.jobs
    return {
        "licenseRelease": jobs.release,
        "licenseMonitor": jobs.license_monitor,
        "serverLicenseMonitor": jobs.server_monitor,
        "heartbeat": settings.alarms.heartbeat.job,
    }


_Stamp = tuple[int, int, int] | None
"""A file's time, size and number, which change when it does; None when it is not there."""


def _stamps(files: tuple[Path, ...]) -> dict[Path, _Stamp]:
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> _Stamp:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
