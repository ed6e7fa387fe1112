"""A state folder with runs of every kind, made by real runs on a site in memory, and the pages of a service over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from seatwarden.engine.errors import RemoteError
from seatwarden.engine.history.forecast import Forecast
from seatwarden.engine.history.running_out import RunningOut
from seatwarden.engine.monitor.capacity import FreeLicenses
from seatwarden.engine.service.known import Known, TypeOfLicense
from seatwarden.engine.service.state import JobResult, ServiceState
from seatwarden.engine.service.status_page import ServicePages
from seatwarden.engine.service.status_server import status_server
from seatwarden.engine.site.capacity import WarnBelow
from seatwarden.engine.site.ours import HttpSettings
from seatwarden.engine.site.settings import Settings
from tests.engine.apply.applying import POLICY, idle
from tests.engine.runs.running import Running, Site

ZONED = f'timezone "Europe/Stockholm"\n{POLICY}'
LICENSES = (TypeOfLicense("analyzer", 200, 143, 57), TypeOfLicense("professional", 60, None, 4))


def past_site(folder: Path, licenses: int = 4) -> Running:
    """A dry run, a run over the limit, one that failed before it had a plan, one that was killed, and one that was
    applied; each a minute after the one before."""
    running = Running(folder, Site(idle(licenses)), policy=ZONED)
    running.run(dry_run=True)
    running.policy = ZONED.replace("1000 per run", "2 per run")
    running.run()
    running.policy = ZONED

    def unreachable() -> None:
        raise RemoteError("QRS cannot be reached")

    running.qrs.on_snapshot = unreachable  # type: ignore[method-assign]
    running.run()
    del running.qrs.on_snapshot
    running.crash()
    running.run()
    return running


def settings_for(running: Running, *, reports: bool = True) -> Settings:
    """What the site file says, with a port."""
    return replace(running.settings, http=HttpSettings(9464, reports))


def state_at(now: datetime, *, wrong: bool = False) -> ServiceState:
    """A service that has been at work for some days."""
    state = ServiceState(now - timedelta(days=3, hours=2))
    state.schedule({"licenseRelease": "at 02:30 on mon through fri", "licenseMonitor": "every 6 hours"})
    state.policy = "0123456789abcdef"
    state.due("licenseRelease", now + timedelta(hours=4, minutes=12))
    state.due("licenseMonitor", now + timedelta(minutes=30))
    state.ended("licenseRelease", now - timedelta(hours=20), JobResult("done", ok=True))
    known = Known(licenses=LICENSES, licenses_at=now - timedelta(hours=6), expires=now.date() + timedelta(days=400))
    known = replace(known, expires_at=now - timedelta(hours=6))
    known = replace(known, free=(free_analyzer(57, now),), free_at=now - timedelta(hours=6))
    state.ended("licenseMonitor", now - timedelta(hours=6), JobResult("done", ok=True, known=known))
    if wrong:
        why = ("QRS cannot be reached at https://qlik.example.com:4242: connection refused",)
        help_ = "is the Qlik Sense Repository Service running? `seatwarden site check` asks it"
        state.missed("licenseMonitor", 3)
        state.ended("licenseMonitor", now - timedelta(minutes=8), JobResult("failed", ok=False, why=why, help=help_))
        state.refused_change = "it has 1 error\nerror[SW501]: unexpected `tuesdy`\n --> site.yaml:9:24"
    return state


def free_analyzer(free: int, now: datetime) -> FreeLicenses:
    """Free analyzer licenses, which are low below 20 of 200, and when none is left."""
    both = RunningOut(41, 62, None, 365, 365), RunningOut(None, None, None, 365, 120)
    return FreeLicenses("analyzer", free, 200, 20, WarnBelow(percent=10), Forecast(free, now.date(), *both))


@contextmanager
def served(running: Running, state: ServiceState | None = None, *, reports: bool = True) -> Iterator[int]:
    """The port of a status server over a state folder."""
    settings = settings_for(running, reports=reports)
    state = state or state_at(running.now)
    with status_server(0, state, ServicePages(state, lambda: settings), lambda: running.now) as port:
        yield port
