"""What the status page of the service shows: its state and the record of its runs, gathered for one moment.

Nobody is named in it. Of runs it has numbers; names are in their reports, which are pages of their own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from seatwarden.engine.common.text import in_days, plural
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.monitor.server_license import ServerLicense
from seatwarden.engine.qrs.expiry import SOON, EndingCertificate, our_certificates
from seatwarden.engine.service.known import Known, TypeOfLicense
from seatwarden.engine.service.past_runs import RegisteredRun, seats_before
from seatwarden.engine.service.state import JobName, JobState, ServiceState
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.errors import InputError

BandLevel: TypeAlias = Literal["well", "unknown", "attention", "wrong", "stopping"]

JOBS: dict[JobName, str] = {
    "licenseRelease": "Release licenses",
    "licenseMonitor": "Watch license use",
    "serverLicenseMonitor": "Watch the site's license",
    "heartbeat": "Heartbeat",
}
OUTCOMES = {
    "dry-run": "dry run",
    "waiting": "waiting for approval",
    "over-limit": "refused by the limit",
    "stopped": "stopped by a finding",
    "incomplete": "incomplete: some licenses failed",
    "expiring": "done: the license ends soon",
    "not-taken": "not taken",
}
"""The words for how a job ended that are not its own word."""
_HELP = {
    "over-limit": "look at the plan in the last run; raise the limit in the policy if it is right",
    "stopped": "look at the last run and its findings; `stopOn` and `massChange` in the site file say what stops a run",
    "refused": "is another run at work, by hand perhaps? The log says more",
    "failed": "the log says more",
    "incomplete": "the next run goes on with them; the log says why each failed",
    "crashed": "this is a defect: please report it, with the traceback in the log",
}
"""What to do, where the run itself has nothing better to say."""
_LOOKED_AT: tuple[tuple[str, Callable[[Known], datetime | None], tuple[JobName, ...]], ...] = (
    ("How many licenses are free", lambda known: known.free_at, ("licenseMonitor", "licenseRelease")),
    ("The site's license", lambda known: known.expires_at, ("serverLicenseMonitor",)),
)
"""What only a look at the site tells: since when it is known, and the jobs that look."""
_NOT_READ_YET = "not read yet: the job that watches it does"
_NEVER_READ = "not read: no job watches it; `serverLicenseMonitor` in the site file does, with `enable: true`"


@dataclass(frozen=True, slots=True)
class ShownMoment:
    """An instant: as the clocks of the site's zone show it, in UTC for programs, and how far from now it is."""

    local: str
    utc: str
    distance: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to see to: what it is, why in sentences, and what to do."""

    what: str
    why: tuple[str, ...] = ()
    help: str | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job: when it is due, and how it went; `told` says how many people were told, empty for nobody."""

    title: str
    schedule: str
    next: ShownMoment | None
    running: ShownMoment | None
    last: ShownMoment | None
    outcome: str | None
    well: bool
    missed: int
    told: str = ""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run; `report` is the address of its report, where it can be seen."""

    at: ShownMoment | None
    run: RegisteredRun
    report: str | None


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends: what, its last day, and how far that is; `warning` where that is close: `soon`, `ended`."""

    what: str
    day: str | None
    distance: str
    warning: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """All that the page shows."""

    level: BandLevel
    word: str
    site: str
    now: ShownMoment
    zone: str
    started: ShownMoment
    releases: str
    policy: str
    wrong: tuple[Trouble, ...]
    soon: tuple[Trouble, ...]
    not_looked: tuple[str, ...]
    jobs: tuple[JobRow, ...]
    licenses: tuple[TypeOfLicense, ...]
    licenses_from: str
    forecasts: tuple[str, ...]
    endings: tuple[Ending, ...]
    runs: tuple[RunRow, ...]
    reports: bool
    folder: str


@dataclass(frozen=True, slots=True)
class Record:
    """The last runs, newest first; `damage` where the register cannot be read, and then there are none."""

    runs: Sequence[RegisteredRun] = ()
    damage: Trouble | None = None


def status_of(state: ServiceState, settings: Settings, record: Record, now: datetime) -> Status:
    """What the page shows at the moment `now`."""
    day, known, jobs = make_day(now, settings.policy.timezone), state.known, state.jobs()
    certificates, unusable = _certificates(settings, known, day)
    wrong = tuple(_wrong(state.refused_change, jobs, record.damage))
    soon = (*unusable, *_soon(settings, known, certificates, day))
    not_looked = tuple(_not_looked(known, jobs, day))
    level: BandLevel = "wrong" if wrong else "attention" if soon else "unknown" if not_looked else "well"
    level = "stopping" if state.stopping else level
    licenses, licenses_from = _licenses(known, record.runs, day)
    return Status(
        level=level,
        word=_word(level, len(wrong) or len(soon)),
        site=settings.site.url,
        now=_moment(now, day),
        zone=day.zone.key,
        started=_moment(state.started, day),
        releases=_releases(settings, jobs),
        policy=settings.policy.digest,
        wrong=wrong,
        soon=soon,
        not_looked=not_looked,
        jobs=tuple(_job(name, job, day) for name, job in jobs.items()),
        licenses=licenses,
        licenses_from=licenses_from,
        forecasts=tuple(f"{one.license_type}: {line}" for one in known.free for line in one.forecast_lines),
        endings=(_license_ending(settings, known, day), *map(_ending, certificates)),
        runs=tuple(_run(run, day, reports=_reports(settings)) for run in record.runs),
        reports=_reports(settings),
        folder=str(settings.folder),
    )


def _word(level: BandLevel, count: int) -> str:
    match level:
        case "well":
            return "All is well"
        case "unknown":
            return "Running, and not everything was looked at yet"
        case "attention":
            return f"Running, with {plural(count, 'thing')} to see to"
        case "wrong":
            return "Something is wrong" if count == 1 else f"{count} things are wrong"
        case "stopping":
            return "Stopping: what is under way is finished, nothing else is begun"


def _reports(settings: Settings) -> bool:
    return settings.http is not None and settings.http.reports


def _releases(settings: Settings, jobs: dict[JobName, JobState]) -> str:
    if "licenseRelease" not in jobs:
        return "Releasing is not on schedule"
    return "Dry run: plans are made, nothing is released" if settings.dry_run else "Live: licenses are released"


# What is wrong ----------------------------------------------------------------------------------------------


def _wrong(refused: str | None, jobs: dict[JobName, JobState], damage: Trouble | None) -> list[Trouble]:
    found = []
    if refused is not None:
        help_ = "mend it: it is read again a few seconds after it was written"
        found.append(Trouble("A changed file is not in force: the old settings stay", (refused,), help_))
    for name, job in jobs.items():
        if not job.ok:
            what = f"{JOBS[name]}: {_outcome(job.last_outcome)}"
            found.append(Trouble(what, job.why, job.help or _HELP.get(job.last_outcome or "")))
    return [*found, damage] if damage else found


def _soon(settings: Settings, known: Known, certificates: Sequence[EndingCertificate], day: Day) -> list[Trouble]:
    """What still works, and will not for long."""
    found = []
    license_ = _server_license(known, day)
    if license_ is not None and license_.is_close(settings.jobs.server_monitor.threshold_days):
        found.append(Trouble(f"The site's license {license_.describe()}", (), "have it renewed by Qlik"))
    found += [
        Trouble(f"Few licenses are left: {one.sentence}", tuple(one.forecast_lines)) for one in known.free if one.is_low
    ]
    for one in certificates:
        if one.days < SOON.days:
            found.append(Trouble(_capital(one.describe().removesuffix(f": {one.to_do}")), (), one.to_do))
    return found


def _not_looked(known: Known, jobs: dict[JobName, JobState], day: Day) -> Iterator[str]:
    """What is not known yet although there is a job that looks, and when it does: a service that has begun knows
    nothing, and must not call that well."""
    for what, known_since, lookers in _LOOKED_AT:
        on_schedule = [jobs[name] for name in lookers if name in jobs]
        if not on_schedule or known_since(known) is not None:
            continue
        first = min((job.next for job in on_schedule if job.next is not None), default=None)
        when = "no job that looks is due again"
        if any(job.running_since is not None for job in on_schedule):
            when = "a job is looking now"
        elif first is not None:
            moment = _moment(first, day)
            when = f"first look at {moment.local}, {moment.distance}"
        yield f"{what}: not looked yet; {when}"


# Jobs and runs ----------------------------------------------------------------------------------------------


def _job(name: JobName, job: JobState, day: Day) -> JobRow:
    return JobRow(
        JOBS[name],
        job.schedule,
        _moment(job.next, day) if job.next else None,
        _moment(job.running_since, day) if job.running_since else None,
        _moment(job.last_ended, day) if job.last_ended else None,
        _outcome(job.last_outcome) if job.last_outcome else None,
        job.ok,
        job.missed,
        ", ".join(f"{int(job.numbers[name]):,} {word}" for name, word in _TOLD.items() if job.numbers.get(name)),
    )


_TOLD = {
    "notices_told": "told",
    "notices_reminded": "reminded",
    "notices_refused": "refused the message",
    "notices_unanswered": "without an answer",
    "notices_redirected": "redirected",
}
"""The words for what people were told, by the numbers of a run."""


def _outcome(outcome: str | None) -> str:
    return OUTCOMES.get(outcome or "", outcome or "")


def _run(run: RegisteredRun, day: Day, *, reports: bool) -> RunRow:
    shown = reports and run.run_id is not None and run.has_record
    return RunRow(_moment(run.at, day) if run.at else None, run, f"runs/{run.run_id}/report.html" if shown else None)


# Licenses and what ends -------------------------------------------------------------------------------------


def _licenses(known: Known, runs: Sequence[RegisteredRun], day: Day) -> tuple[tuple[TypeOfLicense, ...], str]:
    """The licenses by type as they were read last, and when that was: by the monitor, or by a run."""
    run, seats = next(((run, seats) for run in runs if (seats := seats_before(run))), (None, {}))
    if known.licenses_at is not None and (run is None or run.at is None or run.at <= known.licenses_at):
        return known.licenses, f"read {_moment(known.licenses_at, day).distance} by the license monitor"
    if run is None or run.at is None:
        return (), "not read yet: the license monitor reads them, and each run does"
    found = tuple(TypeOfLicense(name, one.total, one.allocated, one.available) for name, one in seats.items())
    return found, f"read {_moment(run.at, day).distance} by a run, before it released any"


def _license_ending(settings: Settings, known: Known, day: Day) -> Ending:
    what, found = "The site's license", _server_license(known, day)
    if found is None:
        return Ending(what, None, _NOT_READ_YET if settings.jobs.server_monitor.enabled else _NEVER_READ, None)
    close = found.is_close(settings.jobs.server_monitor.threshold_days)
    warning = "ended" if found.expired else "soon" if close else None
    return Ending(what, found.expires.isoformat(), in_days(found.days), warning)


def _server_license(known: Known, day: Day) -> ServerLicense | None:
    """The site's own license as it is today, by what was read last."""
    if known.expires is None:
        return None
    days = (known.expires - day.today).days
    return ServerLicense(known.expires, days, known.expired or days < 0)


def _certificates(settings: Settings, known: Known, day: Day) -> tuple[list[EndingCertificate], list[Trouble]]:
    """Our certificates, and those of the server that were found to end soon; what is wrong with our files."""
    unusable = []
    try:
        ours = our_certificates(settings.site, day.now)
    except InputError as error:
        ours = []
        unusable.append(Trouble(error.message, ("every run will fail by it",), error.help))
    names = {one.name for one in ours}
    theirs = [
        EndingCertificate(one.name, one.last_day, (one.last_day - day.today).days, one.to_do)
        for one in known.ending
        if one.name not in names and not _is_ours(one)
    ]
    return [*ours, *theirs], unusable


def _is_ours(one: EndingCertificate) -> bool:
    """Whether it was one of our files when it was found to end: it is another one now."""
    return not one.name.startswith("the certificate of ")


def _ending(one: EndingCertificate) -> Ending:
    warning = "ended" if one.days < 0 else "soon" if one.days < SOON.days else None
    return Ending(_capital(one.name), one.last_day.isoformat(), in_days(one.days), warning)


def _capital(sentence: str) -> str:
    return f"{sentence[:1].upper()}{sentence[1:]}"


# Time in words ----------------------------------------------------------------------------------------------


def _moment(instant: datetime, day: Day) -> ShownMoment:
    local = instant.astimezone(day.zone)
    return ShownMoment(f"{local:%Y-%m-%d %H:%M}", format_instant(instant), distance(instant - day.now))


def distance(span: timedelta) -> str:
    """How far an instant is, in the two greatest units: `in 4 hours 12 minutes`, `2 days 3 hours ago`, `now`."""
    minutes = int(abs(span).total_seconds() // 60)
    if not minutes:
        return "now"
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [plural(count, unit) for count, unit in ((days, "day"), (hours, "hour"), (minutes, "minute")) if count]
    if days and not hours:
        parts = parts[:1]  # a day and 5 minutes is a day
    words = " ".join(parts[:2])
    return f"in {words}" if span > timedelta(0) else f"{words} ago"
