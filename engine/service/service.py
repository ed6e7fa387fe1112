"""The service: Butler's three jobs on their schedules, by APScheduler.

Nothing is done because it starts. A job that is due while its last run has not ended, or while the machine slept, is
missed; missed runs are counted, said, and made up for by one. A changed file is picked up when it has come to rest
and is right; until then everything goes on as before.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent, JobSubmissionEvent
from apscheduler.schedulers.base import BaseScheduler

from engine.days import make_day
from engine.frequency import next_occurrence, occurrences
from engine.phrases import plural
from engine.service.settings import Settings
from engine.service.state import JobName, Result, ServiceState
from engine.service.trigger import FrequencyTrigger
from engine.service.unattended import Tell
from policy.butler_settings import Job
from policy.diagnostics import PolicyError, render
from policy.errors import InputError
from policy.schedule import Schedule
from policy.schedule_lint import load_frequency

Work = Callable[[Settings], Result]
"""A job: what it does under the settings in force."""

_MOST_COUNTED = 100_000
"""Missed runs that are counted one by one."""

_LOOKS_BEFORE_RETRY = 6
"""How many looks at the files apart refused ones are read again."""


class Service:
    """Runs jobs as the settings say. `load` reads the settings again; `work` are the jobs by name."""

    def __init__(
        self,
        settings: Settings,
        *,
        load: Callable[[], Settings],
        work: Mapping[JobName, Work],
        scheduler: BaseScheduler,
        state: ServiceState,
        clock: Callable[[], datetime],
        tell: Tell,
    ) -> None:
        self._settings = settings
        self._load = load
        self._work = work
        self._scheduler = scheduler
        self._state = state
        self._clock = clock
        self._tell = tell
        self._schedules: dict[JobName, Schedule] = {}
        self._seen = self._resting = _stamps(settings.files)
        self._looks = 0
        scheduler.add_listener(self._not_begun, EVENT_JOB_MAX_INSTANCES)
        scheduler.add_listener(self._crashed, EVENT_JOB_ERROR)

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    def schedule_all(self) -> None:
        """Puts all jobs that are enabled on schedule, and takes others off."""
        for job in self._scheduler.get_jobs():
            job.remove()
        enabled = {name: job for name, job in jobs_of(self._settings).items() if job.enabled and job.frequency}
        self._schedules = {name: load_frequency(job.text, name) for name, job in enabled.items()}
        self._state.schedule({name: job.text for name, job in enabled.items()})
        self._state.policy = self._settings.policy.digest
        for name, schedule in self._schedules.items():
            self._scheduler.add_job(
                partial(self._do, name),
                FrequencyTrigger(schedule, self._zone),
                id=name,
                name=name,
                executor=name,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,
            )
            due = next_occurrence(schedule, self._clock(), self._zone)
            self._state.due(name, due)
            facts: dict[str, Any] = {"schedule": enabled[name].text, "timezone": self._zone.key, "next": due or "never"}
            self._tell("on schedule", job=name, **facts)

    def tell_missed_since(self, last_alive: datetime) -> None:
        """Says which runs were due while no service was running. They are not made up for."""
        for name, schedule in self._schedules.items():
            missed = self._count(schedule, last_alive, self._clock())
            if missed:
                self._state.missed(name, missed)
                facts = {"job": name, "missed": missed, "since": last_alive}
                self._tell("runs were missed while the service was not running", level=logging.WARNING, **facts)

    def _do(self, name: JobName) -> None:
        """One run of a job, in a thread of its own."""
        now = self._clock()
        due = self._state.jobs()[name].next
        if due is not None:
            missed = self._count(self._schedules[name], due, now)
            if missed:
                self._state.missed(name, missed)
                facts = {"job": name, "missed": missed, "since": due}
                self._tell("runs were missed; this one makes up for them", level=logging.WARNING, **facts)
        self._state.begun(name, now)
        self._state.due(name, next_occurrence(self._schedules[name], now, self._zone))
        result = self._work[name](self._settings)
        self._state.ended(name, self._clock(), result)
        level = logging.INFO if result.ok else logging.ERROR
        seconds = f"{(self._clock() - now).total_seconds():.1f}"
        next_ = self._state.jobs()[name].next
        self._tell("job ended", level=level, job=name, outcome=result.outcome, seconds=seconds, next=next_)

    def _not_begun(self, event: JobSubmissionEvent) -> None:
        self._state.missed(event.job_id, 1)
        self._state.due(event.job_id, next_occurrence(self._schedules[event.job_id], self._clock(), self._zone))
        self._tell("run missed: the one before has not ended", level=logging.WARNING, job=event.job_id)

    def _crashed(self, event: JobExecutionEvent) -> None:
        """A defect of ours. It is logged whole, and the service goes on."""
        self._state.ended(event.job_id, self._clock(), Result("crashed", ok=False))
        trace = "".join(traceback.format_exception(event.exception))
        self._tell("job crashed", level=logging.ERROR, job=event.job_id, error=repr(event.exception), traceback=trace)

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
        self._seen = self._resting = _stamps(self._settings.files)
        try:
            settings = self._load()
        except PolicyError as error:
            found = [render(finding, error.sources) for finding in error.diagnostics]
            self._refuse(f"it has {plural(len(found), 'error')}", found)
            return
        except InputError as error:
            self._refuse(error.message)
            return
        fixed = ("folder", "log", "http_port", "heartbeat")
        changed = [name for name in fixed if getattr(settings, name) != getattr(self._settings, name)]
        if settings.site.url != self._settings.site.url:
            changed.append("site")
        if changed:
            self._refuse(f"{', '.join(changed)} cannot change while the service runs; restart it")
            return
        before, self._settings = self._settings, settings
        self._seen = self._resting = _stamps(settings.files)
        self._state.refused_change = None
        if jobs_of(before) != jobs_of(settings) or before.policy.timezone != settings.policy.timezone:
            self.schedule_all()
        self._state.policy = settings.policy.digest
        facts: dict[str, Any] = {"policy": settings.policy.digest, "before": before.policy.digest}
        self._tell("changed files are in force", dryRun=settings.dry_run, **facts)

    def _refuse(self, why: str, findings: list[str] | None = None) -> None:
        whole = "\n".join([why, *(findings or [])])
        if whole == self._state.refused_change:
            return  # said already
        self._state.refused_change = whole
        for finding in findings or []:
            self._tell(finding, level=logging.ERROR)
        facts = {"why": why, "policy": self._settings.policy.digest}
        self._tell("a changed file is not in force: the old settings stay", level=logging.ERROR, **facts)

    @property
    def _zone(self) -> ZoneInfo:
        return make_day(self._clock(), self._settings.policy.timezone).zone

    def _count(self, schedule: Schedule, after: datetime, until: datetime) -> int:
        """How often a job was due after an instant, up to and with another."""
        due = islice(occurrences(schedule, after, self._zone), _MOST_COUNTED)
        count = 0
        for instant in due:
            if instant > until:
                break
            count += 1
        return count


def jobs_of(settings: Settings) -> dict[JobName, Job]:
    """The jobs that a site file speaks of."""
    jobs = settings.jobs
    return {
        "licenseRelease": jobs.release,
        "licenseMonitor": jobs.license_monitor,
        "serverLicenseMonitor": jobs.server_monitor,
    }


def _stamps(files: tuple[Path, ...]) -> dict[Path, tuple[int, int] | None]:
    """What a file looks like from outside; None when it is not there."""
    return {file: _stamp(file) for file in files}


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
