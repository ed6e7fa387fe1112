"""The service of a fleet: each site is watched by a service of its own, and all are released in one run.

What a site's service does is what it does alone, but for two things: its log lines go to the fleet's log, with the
name of the site, and it does not release where the fleet has a schedule. A site whose files are wrong keeps nobody
waiting: it is tried again until they are right.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from seatwarden.engine.fleet.fleet import FleetMeans, FleetReport, run_fleet
from seatwarden.engine.fleet.result import SiteResult
from seatwarden.engine.fleet.settings import Fleet, FleetSite
from seatwarden.engine.fleet.steps import with_site_tag
from seatwarden.engine.runs.context import Log
from seatwarden.engine.service.logging import log
from seatwarden.engine.service.running import (
    LOOK_SECONDS,
    Surroundings,
    has_something_to_do,
    logging_to,
    only_service,
    run_service,
)
from seatwarden.engine.service.trigger import ScheduleTrigger
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.version import VERSION
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.schedule.check import load_schedule

RETRY_SECONDS = 60
"""From one try of a site whose files are wrong to the next."""
_WAIT_SECONDS = 0.5
_FREQUENCY_HELP = "add `frequency` to the fleet file, like: at 02:30"


@dataclass(frozen=True, slots=True)
class FleetService:
    """What the service of a fleet is given: the fleet, the means for its runs, the surroundings of a site's own service
    that an event ends, and the file by which a second service of the same fleet is noticed."""

    fleet: Fleet
    means: FleetMeans
    surroundings: Callable[[FleetSite, threading.Event], Surroundings]
    lock: Path


def serve_fleet(given: FleetService) -> None:
    """Serves a fleet until it is asked to end, and to the end of the licenses under way.

    Raises PolicyError, InputError, ServedAlready where it cannot begin.
    """
    fleet = given.fleet
    if fleet.limits and not fleet.frequency:
        message = "the fleet's `limit` is held over one run of all sites, and nothing says when that is"
        raise InputError(message, _FREQUENCY_HELP)
    with _only_one(given.lock, fleet), logging_to(fleet.log):
        log("fleet service started", version=VERSION, fleet=str(fleet.file), sites=len(fleet.sites))
        watches = [_SiteWatch(site, given) for site in fleet.sites]
        for watch in watches:
            watch.start()
        with _running_on_schedule(given):
            while not given.means.stop.wait(_WAIT_SECONDS):
                pass  # short waits: on Windows a signal is noticed only between them
        for watch in watches:
            watch.end()
        for watch in watches:  # the licenses under way are finished
            watch.join()
        log("fleet service ended")


@contextmanager
def _only_one(lock_file: Path, fleet: Fleet) -> Iterator[None]:
    """Holds the lock of the fleet's service. Raises ServedAlready, InputError."""
    with ExitStack() as stack:
        try:
            stack.enter_context(only_service(lock_file, fleet.file))
        except OSError as error:
            raise InputError(f"the lock `{lock_file}` cannot be taken: {error.strerror}") from None
        yield


# All sites together --------------------------------------------------------------------------------------


@contextmanager
def _running_on_schedule(given: FleetService) -> Iterator[None]:
    """A context in which the fleet is run when it is due; what is under way at its end is waited for."""
    fleet = given.fleet
    if not fleet.frequency:
        yield
        return
    trigger = ScheduleTrigger(load_schedule(fleet.frequency, "frequency"), fleet.zone)
    scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone=UTC)
    scheduler.add_job(lambda: _run(given), trigger, id="fleet", coalesce=True, max_instances=1, misfire_grace_time=None)
    due = trigger.get_next_fire_time(None, given.means.site.clock())
    log("on schedule", job="fleet", schedule=fleet.frequency, timezone=fleet.zone.key, next=due or "never")
    scheduler.start()
    waking = threading.Thread(target=_keep_awake, args=(scheduler, given.means.stop), daemon=True)
    waking.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=True)


def _keep_awake(scheduler: BackgroundScheduler, stop: threading.Event) -> None:
    """Lets the scheduler look at the clock: its wait does not notice that it was set, or that the machine slept."""
    while not stop.wait(LOOK_SECONDS):
        scheduler.wakeup()


def _run(given: FleetService) -> None:
    fleet = given.fleet
    try:
        report = run_fleet(fleet, fleet.sites, given.means, dry_run=False, scheduled=True)
    except Exception as error:  # noqa: BLE001 - a defect of ours: it is logged, and the service goes on
        log("job crashed", level=logging.ERROR, job="fleet", error=repr(error))
        return
    for result in report.results:
        _log_result(result)
    _log_report(report)


def _log_result(result: SiteResult) -> None:
    """One line a site; what it warned of before it."""
    for one in result.warnings:
        log(one.text, level=logging.WARNING, name=result.site, at=one.at)
    level = logging.INFO if result.is_well else logging.ERROR
    counts = {"due": result.due, "thisRun": result.in_this_run, **result.results}
    facts = {"outcome": result.words, **counts, "why": "; ".join(result.why), "help": result.help, "seal": result.seal}
    log("site ended", level=level, name=result.site, **facts)


def _log_report(report: FleetReport) -> None:
    wrong = [result.site for result in report.results if not result.is_well]
    level = logging.ERROR if wrong else logging.INFO
    seconds = round((report.ended - report.started).total_seconds(), 1)
    released = sum(result.released for result in report.results)
    facts = {"sites": len(report.results), "released": released, "seconds": seconds, "notWell": ", ".join(wrong)}
    log("fleet run ended", level=level, job="fleet", **facts, over="; ".join(report.over))


# Each site by itself -------------------------------------------------------------------------------------


class _SiteWatch(threading.Thread):
    """Watches a site until it is asked to end, whatever is wrong there."""

    def __init__(self, site: FleetSite, given: FleetService) -> None:
        super().__init__(name=site.name, daemon=True)
        self._site = site
        self._given = given
        self._ending = threading.Event()
        self._running = threading.Event()

    def end(self) -> None:
        """Asks it to end."""
        self._ending.set()
        self._running.set()

    def run(self) -> None:
        """Serves the site; one that cannot be served is tried again."""
        tell, said = _logging_for(self._site), ""
        while not self._ending.is_set():
            try:
                if not has_something_to_do(self._load()):
                    tell("nothing is on schedule for this site alone")
                    return
                self._serve(tell)
                continue
            except (SeatwardenError, OSError) as problem:
                why = _in_words(problem)
            except Exception as error:  # noqa: BLE001 - a defect of ours at one site: the others go on
                why = f"a defect of seatwarden: {type(error).__name__}"
            if why != said:
                again = f"every {RETRY_SECONDS} seconds"
                tell("this site is not watched", level=logging.ERROR, why=why, triedAgain=again)
            said = why
            self._ending.wait(RETRY_SECONDS)

    def _serve(self, tell: Log) -> None:
        # An event of its own: a service that breaks off sets it, and must not end the others.
        self._running = threading.Event()
        if not self._ending.is_set():
            run_service(replace(self._given.surroundings(self._site, self._running), load=self._load, log=tell))

    def _load(self) -> Settings:
        settings = with_site_tag(self._given.surroundings(self._site, self._running).load())
        return _without_releasing(settings) if self._given.fleet.frequency else settings


def _without_releasing(settings: Settings) -> Settings:
    """The settings of a site that is released with all others."""
    return replace(settings, jobs=replace(settings.jobs, release=replace(settings.jobs.release, enabled=False)))


def _logging_for(site: FleetSite) -> Log:
    """The log, for what is about one site."""

    def tell(message: str, *, level: int = logging.INFO, **facts: object) -> None:
        log(message, level=level, name=site.name, **facts)

    return tell


def _in_words(problem: SeatwardenError | OSError) -> str:
    if isinstance(problem, PolicyError):
        return "; ".join(f"{one.code}: {one.message} ({one.span.short_place})" for one in problem.diagnostics)
    return problem.message if isinstance(problem, SeatwardenError) else problem.strerror or str(problem)
