"""`seatwarden serve`: the service that does Butler's license jobs on their schedules until it is asked to end."""

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from filelock import FileLock, Timeout

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.host import clock, context_for, settings_from, stopped_by_signals
from seatwarden.engine.cli.inputs import PolicyOption, SiteOption, needed
from seatwarden.engine.cli.terminal.output import note
from seatwarden.engine.common.files import make_private_folder, read_file, write_atomically
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

    from seatwarden.engine.service.service import Service
    from seatwarden.engine.service.state import ServiceState
    from seatwarden.engine.site.settings import Settings

HEARTBEAT_FILE = "heartbeat.json"
LOOK_SECONDS = 5
"""Seconds between two looks whether the service's files have changed, or the clock was set."""
_WAIT_SECONDS = 0.5


def serve(site: SiteOption = None, policy: PolicyOption = None) -> None:
    """Release and watch licenses on schedule, as a service.

    Butler's three jobs: release, watch license use, watch the site's own license.
    Nothing is released because it starts, and nothing at all unless the site file says `dryRun: false`. Ctrl-C or
    SIGTERM ends it: licenses under way are finished, the next run goes on with the rest.

    Example: seatwarden serve --site butler.yaml
    """
    from seatwarden.engine.service.service import jobs_of

    site = needed(site)
    settings = settings_from(site, policy, scheduled=True)
    if not any(job.enabled for name, job in jobs_of(settings).items() if name != "heartbeat"):
        raise InputError(
            f"`{site}` has nothing to do on schedule",
            "switch on `enable` of licenseRelease, licenseMonitor or serverLicenseMonitor",
        )
    try:
        with _usable(f"the folder `{settings.folder}`", "name another one with `seatwarden: folder:`"):
            make_private_folder(settings.folder)
            lock = FileLock(settings.folder / "service.lock")
            lock.acquire(timeout=0)
    except Timeout:
        note(f"refused: another service is at work with `{settings.folder}`")
        raise typer.Exit(ExitCode.NO) from None
    try:
        _serve(settings, site, policy)
    finally:
        lock.release()


@contextmanager
def _usable(what: str, help_: str) -> Iterator[None]:
    """Errors of the system, on the way to begin with something, as what the administrator has to mend."""
    try:
        yield
    except Timeout:
        raise  # an OSError too
    except OSError as error:
        raise InputError(f"{what} cannot be used: {error.strerror}", help_) from None


def _serve(settings: "Settings", site: Path, policy: Path | None) -> None:
    """Runs until a signal asks it to end."""
    from seatwarden.engine.service.logging import log, start_log, stop_log
    from seatwarden.engine.service.state import ServiceState

    stop, reload = threading.Event(), threading.Event()
    state = ServiceState(clock())
    scheduler = _scheduler(settings)
    service = _service(settings, site, policy, scheduler, state, stop)
    with ExitStack() as stack:
        with _usable(f"the log file `{settings.log.file}`", "name another one with `seatwarden: log: file:`"):
            stack.callback(stop_log, start_log(settings.log))
        if settings.http_port is not None:
            from seatwarden.engine.service.status_server import status_server

            with _usable(f"the port {settings.http_port}", "does another program listen there? is it below 1024?"):
                stack.enter_context(status_server(settings.http_port, state, clock))
        stack.enter_context(stopped_by_signals(stop, reload))
        _begin(service, settings)
        scheduler.start()
        try:
            _attend(service, state, stop, reload)
            log("asked to end: licenses under way are finished")
        finally:
            stop.set()
            scheduler.pause()
            while state.running:
                time.sleep(0.1)  # on Windows a signal is noticed only between waits
            scheduler.shutdown(wait=True)
        _beat(settings.folder, state)
        log("service ended")


def _scheduler(settings: "Settings") -> "BackgroundScheduler":
    """A thread a job: watching goes on while a long release is under way, and no job runs twice at a time."""
    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.schedulers.background import BackgroundScheduler

    from seatwarden.engine.service.service import jobs_of

    return BackgroundScheduler(executors={name: ThreadPoolExecutor(1) for name in jobs_of(settings)}, timezone=UTC)


def _service(
    settings: "Settings",
    site: Path,
    policy: Path | None,
    scheduler: "BackgroundScheduler",
    state: "ServiceState",
    stop: threading.Event,
) -> "Service":
    from seatwarden.engine.qrs.client import QrsClient
    from seatwarden.engine.service.jobs import ServiceJobs
    from seatwarden.engine.service.logging import log
    from seatwarden.engine.service.service import Service

    jobs = ServiceJobs(
        context=lambda current: context_for(current, log, stop),
        connect=lambda current: QrsClient(current.site, clock()),
        clock=clock,
        log=log,
    )
    return Service(
        settings,
        load=lambda: settings_from(site, policy, scheduled=True),
        work={
            "licenseRelease": jobs.release,
            "licenseMonitor": jobs.watch_licenses,
            "serverLicenseMonitor": jobs.watch_server_license,
            "heartbeat": jobs.beat,
        },
        scheduler=scheduler,
        state=state,
        clock=clock,
        log=log,
    )


def _begin(service: "Service", settings: "Settings") -> None:
    """Logs what the service begins with, and plans its jobs."""
    from seatwarden.engine.service.logging import log
    from seatwarden.engine.version import VERSION

    facts: dict[str, Any] = {"site": settings.site.url, "policy": settings.policy.digest, "dryRun": settings.dry_run}
    log("service started", version=VERSION, folder=str(settings.folder), **facts)
    service.log_warnings()
    service.schedule_all()
    last_alive = _last_alive(settings.folder)
    if last_alive is not None:
        service.tell_missed_since(last_alive)


def _attend(service: "Service", state: "ServiceState", stop: threading.Event, reload: threading.Event) -> None:
    """Heartbeats, and looks at the files and the clock, until asked to end."""
    beat_at = look_at = time.monotonic()
    # Short waits: on Windows a signal is noticed only between them.
    while not stop.wait(_WAIT_SECONDS):
        now = time.monotonic()
        if reload.is_set():
            reload.clear()
            service.reload()
        if now >= look_at:
            look_at = now + LOOK_SECONDS
            service.watch_clock()
            service.look_at_files()
        if now >= beat_at:
            beat_at = now + service.settings.heartbeat
            _beat(service.settings.folder, state)


def _beat(folder: Path, state: "ServiceState") -> None:
    """Writes that the service is alive, and how it is."""
    from seatwarden.engine.service.logging import log

    try:
        write_atomically(folder / HEARTBEAT_FILE, json.dumps(state.to_json(clock()), indent=2).encode())
    except OSError as error:
        log("the heartbeat cannot be written", level=logging.WARNING, why=error.strerror)


def _last_alive(folder: Path) -> datetime | None:
    """The instant of the last heartbeat of a service here, at most a year back; None when it is not known."""
    try:
        text = json.loads(read_file(folder / HEARTBEAT_FILE))["at"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None  # there is none, or somebody else has written it: then nothing is known
    moment = parse_timestamp(text) if isinstance(text, str) else None
    return max(moment, clock() - timedelta(days=366)) if moment else None
