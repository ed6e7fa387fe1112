"""The state of the service: shared by its jobs, the heartbeat and whoever asks for its health."""

import threading
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.service.known import Known

JobName: TypeAlias = Literal["licenseRelease", "licenseMonitor", "serverLicenseMonitor", "heartbeat"]
"""As Butler's settings call them."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """The result of a job: a word for how it ended, whether that is well, and numbers by name.

    `why` are sentences on what is not well, and `help` what to do; none of them names a person. `known` is what the job
    has learned of the site.
    """

    outcome: str
    ok: bool
    numbers: dict[str, float] = field(default_factory=dict)
    why: tuple[str, ...] = ()
    help: str | None = None
    known: Known = field(default_factory=Known)


@dataclass(slots=True)
class JobState:
    """One job: when it is due, and how it went the last time."""

    schedule: str
    next: datetime | None = None
    running_since: datetime | None = None
    last_started: datetime | None = None
    last_ended: datetime | None = None
    last_outcome: str | None = None
    ok: bool = True
    why: tuple[str, ...] = ()
    help: str | None = None
    runs: dict[str, int] = field(default_factory=dict)
    """The number of runs by how they ended."""
    missed: int = 0
    numbers: dict[str, float] = field(default_factory=dict)


class ServiceState:
    """The state of all jobs and of the settings in force, behind one lock."""

    def __init__(self, started: datetime) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[JobName, JobState] = {}
        self.started = started
        self.policy = ""
        """Digest of the policy in force."""
        self.stopping = False
        """Whether the service was asked to end, and finishes what is under way."""
        self.known = Known()
        """What the jobs have learned of the site since the service began."""
        self.refused_change: str | None = None
        """The reason why a changed file is not in force; None when all that is on the disk is."""

    def schedule(self, schedules: dict[JobName, str]) -> None:
        """Sets which jobs there are; those that stay keep their past."""
        with self._lock:
            self._jobs = {name: self._jobs.get(name) or JobState(text) for name, text in schedules.items()}
            for name, text in schedules.items():
                self._jobs[name].schedule = text

    def next(self, name: JobName) -> datetime | None:
        """The instant at which a job is due next; None when never, or when there is no such job."""
        with self._lock:
            job = self._jobs.get(name)
            return job.next if job else None

    @property
    def running(self) -> bool:
        """Whether a job is under way."""
        with self._lock:
            return any(job.running_since for job in self._jobs.values())

    def due(self, name: JobName, moment: datetime | None) -> None:
        """Sets when a job is due next; None: never again."""
        with self._lock:
            if name in self._jobs:
                self._jobs[name].next = moment

    def begun(self, name: JobName, now: datetime) -> None:
        """Notes that a job has begun. Here and below, one that was taken off meanwhile is passed over."""
        with self._lock:
            if job := self._jobs.get(name):
                job.running_since = job.last_started = now

    def missed(self, name: JobName, count: int) -> None:
        """Counts runs that were due and are not made up for one by one."""
        with self._lock:
            if job := self._jobs.get(name):
                job.missed += count

    def ended(self, name: JobName, now: datetime, result: JobResult) -> None:
        """Notes that a job has ended."""
        with self._lock:
            if job := self._jobs.get(name):
                job.running_since, job.last_ended = None, now
                job.last_outcome, job.ok = result.outcome, result.ok
                job.runs[result.outcome] = job.runs.get(result.outcome, 0) + 1
                job.why, job.help = result.why, result.help
                job.numbers = result.numbers
            self.known = self.known.updated(result.known)

    @property
    def ok(self) -> bool:
        """Whether every job went well the last time, and the files on the disk are in force."""
        with self._lock:
            return self.refused_change is None and all(job.ok for job in self._jobs.values())

    def jobs(self) -> dict[JobName, JobState]:
        """A copy of all jobs."""
        with self._lock:
            return {name: JobState(**asdict(job)) for name, job in self._jobs.items()}

    def to_json(self, now: datetime) -> dict[str, Any]:
        """The state as `/health` and the heartbeat tell it."""
        ok, jobs = self.ok, self.jobs()
        return {
            "status": "ok" if ok else "failing",
            "at": format_instant(now),
            "started": format_instant(self.started),
            "policy": self.policy,
            "refusedChange": self.refused_change,
            "jobs": {name: _job_to_json(job) for name, job in jobs.items()},
        }


def _job_to_json(job: JobState) -> dict[str, Any]:
    return {
        "schedule": job.schedule,
        "next": _instant(job.next),
        "runningSince": _instant(job.running_since),
        "lastStarted": _instant(job.last_started),
        "lastEnded": _instant(job.last_ended),
        "lastOutcome": job.last_outcome,
        "runs": job.runs,
        "missed": job.missed,
    }


def _instant(moment: datetime | None) -> str | None:
    return format_instant(moment) if moment else None
