"""One service from its beginning to its end: its folder's lock, its log, its heartbeat, its jobs on schedule."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from filelock import FileLock, Timeout

from seatwarden.engine.common.files import make_private_folder, read_file, write_atomically
from seatwarden.engine.common.rights import LEFT_TO_FOLDERS, left_to_folders
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.errors import ServedAlready
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.runs.context import Log, RunContext
from seatwarden.engine.service.jobs import ServiceJobs
from seatwarden.engine.service.logging import log, start_log, stop_log
from seatwarden.engine.service.service import Service, jobs_of
from seatwarden.engine.service.state import ServiceState
from seatwarden.engine.site.ours import LogSettings
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.version import VERSION
from seatwarden.policy.errors import InputError

HEARTBEAT_FILE = "heartbeat.json"
LOOK_SECONDS = 5
"""Seconds between two looks whether the service's files have changed, or the clock was set."""
_WAIT_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a service is given: its settings whenever it asks, the clock, the context of its runs, what is asked of it
    meanwhile (to end, to read its files at once), and whom it tells that it has begun.

    `log` takes its log lines: None is the log that its settings name.
    """

    load: Callable[[], Settings]
    clock: Callable[[], datetime]
    context: Callable[[Settings, Log, threading.Event], RunContext]
    stop: threading.Event
    reload: threading.Event
    begun: Callable[[], None] = lambda: None
    log: Log | None = None

    @property
    def tell(self) -> Log:
        """Takes a log line."""
        return self.log or log


def run_service(given: Surroundings) -> None:
    """Runs a service until it is asked to end, and to the end of the licenses under way.

    Raises PolicyError, InputError, ServedAlready where it cannot begin.
    """
    settings = given.load()
    if not has_something_to_do(settings):
        raise InputError(
            "the site file has nothing to do on schedule",
            "switch on `enable` of licenseRelease, licenseMonitor or serverLicenseMonitor",
        )
    with ExitStack() as stack:
        with _usable(f"the folder `{settings.folder}`", "name another one with `seatwarden: folder:`"):
            stack.enter_context(only_service(settings.folder / "service.lock", settings.folder))
        _serve(settings, given)


@contextmanager
def only_service(lock_file: Path, of: Path) -> Iterator[None]:
    """Holds the lock by which a second service with the same folder or file is noticed.

    Raises ServedAlready, OSError where the lock cannot be used.
    """
    make_private_folder(lock_file.parent)
    lock = FileLock(lock_file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ServedAlready(f"another service is at work with `{of}`") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def logging_to(settings: LogSettings) -> Iterator[None]:
    """A context in which log lines go where the settings say. Raises InputError where they cannot."""
    with _usable(f"the log file `{settings.file}`", "name another one with `log: file:`"):
        handler = start_log(settings)
    try:
        yield
    finally:
        stop_log(handler)


def has_something_to_do(settings: Settings) -> bool:
    """Whether anything is on schedule that is worth a service: a heartbeat alone is not."""
    return any(job.enabled for name, job in jobs_of(settings).items() if name != "heartbeat")


@contextmanager
def _usable(what: str, help_: str) -> Iterator[None]:
    """Errors of the system, on the way to begin with something, as what the administrator has to mend."""
    try:
        yield
    except Timeout:
        raise  # an OSError too
    except OSError as error:
        raise InputError(f"{what} cannot be used: {error.strerror}", help_) from None


def _serve(settings: Settings, given: Surroundings) -> None:
    state = ServiceState(given.clock())
    # A thread a job: watching goes on while a long release is under way, and no job runs twice at a time.
    threads = {name: ThreadPoolExecutor(1) for name in jobs_of(settings)}
    scheduler = BackgroundScheduler(executors=threads, timezone=UTC)
    service = _service(settings, given, scheduler, state)
    with ExitStack() as stack:
        if given.log is None:
            stack.enter_context(logging_to(settings.log))
        if settings.http_port is not None:
            from seatwarden.engine.service.status_page import ServicePages  # jinja2 takes a while to import
            from seatwarden.engine.service.status_server import status_server

            pages = ServicePages(state, lambda: service.settings)
            with _usable(f"the port {settings.http_port}", "does another program listen there? is it below 1024?"):
                stack.enter_context(status_server(settings.http_port, state, pages, given.clock))
        _begin(service, settings, given)
        scheduler.start()
        given.begun()
        try:
            _attend(service, state, given)
            given.tell("asked to end: licenses under way are finished")
        finally:
            state.stopping = True
            given.stop.set()
            scheduler.pause()
            while state.running:
                time.sleep(0.1)  # on Windows a signal is noticed only between waits
            scheduler.shutdown(wait=True)
        _beat(settings.folder, state, given)
        given.tell("service ended")


def _service(settings: Settings, given: Surroundings, scheduler: BackgroundScheduler, state: ServiceState) -> Service:
    jobs = ServiceJobs(
        context=lambda current: given.context(current, given.tell, given.stop),
        connect=lambda current: QrsClient(current.site, given.clock()),
        clock=given.clock,
        log=given.tell,
    )
    return Service(
        settings,
        load=given.load,
        work={
            "licenseRelease": jobs.release,
            "licenseMonitor": jobs.watch_licenses,
            "serverLicenseMonitor": jobs.watch_server_license,
            "heartbeat": jobs.beat,
        },
        scheduler=scheduler,
        state=state,
        clock=given.clock,
        log=given.tell,
    )


def _begin(service: Service, settings: Settings, given: Surroundings) -> None:
    """Logs what the service begins with, and plans its jobs."""
    facts: dict[str, Any] = {"site": settings.site.url, "policy": settings.policy.digest, "dryRun": settings.dry_run}
    given.tell("service started", version=VERSION, folder=str(settings.folder), **facts)
    service.log_warnings()
    if left_to_folders():
        given.tell(LEFT_TO_FOLDERS, level=logging.WARNING)
    service.schedule_all()
    last_alive = _last_alive(settings.folder, given.clock())
    if last_alive is not None:
        service.tell_missed_since(last_alive)


def _attend(service: Service, state: ServiceState, given: Surroundings) -> None:
    """Heartbeats, and looks at the files and the clock, until asked to end."""
    beat_at = look_at = time.monotonic()
    # Short waits: on Windows a signal is noticed only between them.
    while not given.stop.wait(_WAIT_SECONDS):
        now = time.monotonic()
        if given.reload.is_set():
            given.reload.clear()
            service.reload()
        if now >= look_at:
            look_at = now + LOOK_SECONDS
            service.watch_clock()
            service.look_at_files()
        if now >= beat_at:
            beat_at = now + service.settings.heartbeat
            _beat(service.settings.folder, state, given)


def _beat(folder: Path, state: ServiceState, given: Surroundings) -> None:
    """Writes that the service is alive, and how it is."""
    try:
        write_atomically(folder / HEARTBEAT_FILE, json.dumps(state.to_json(given.clock()), indent=2).encode())
    except OSError as error:
        given.tell("the heartbeat cannot be written", level=logging.WARNING, why=error.strerror)


def _last_alive(folder: Path, now: datetime) -> datetime | None:
    """The instant of the last heartbeat of a service here, at most a year back; None when it is not known."""
    try:
        text = json.loads(read_file(folder / HEARTBEAT_FILE))["at"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # there is none, or somebody else has written it: then nothing is known
    moment = parse_timestamp(text) if isinstance(text, str) else None
    return max(moment, now - timedelta(days=366)) if moment else None
