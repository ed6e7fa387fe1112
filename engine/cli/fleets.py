"""The fleet that a command means, and what the roof gives for the work on its sites."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from seatwarden.engine.cli.called import remember_words, remembered
from seatwarden.engine.cli.circumstances import clock, draw
from seatwarden.engine.cli.host import (
    STOP_SIGNALS,
    context_for,
    service_surroundings,
    settings_from,
    stopped_by_signals,
)
from seatwarden.engine.cli.state_folder import default_folder
from seatwarden.engine.cli.terminal.output import working
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.fleet.fleet import FleetMeans
    from seatwarden.engine.fleet.result import SiteResult
    from seatwarden.engine.fleet.serving import FleetService
    from seatwarden.engine.fleet.settings import Fleet, FleetSite
    from seatwarden.engine.fleet.steps import SiteMeans

FLEET_FILE = Path("fleet.yaml")
"""The fleet file where none is named."""
FleetOption: TypeAlias = Annotated[
    Path, typer.Option("--fleet", "-f", metavar="FILE", help="The fleet file.", show_default=True)
]
FleetFormat: TypeAlias = Annotated[Literal["table", "json"], typer.Option("--format", help="How to print.")]
OnlyOption: TypeAlias = Annotated[
    list[str] | None, typer.Option("--only", metavar="SITE", help="This site alone, by its name; several are possible.")
]


def fleet_and_sites(file: Path, only: list[str] | None) -> "tuple[Fleet, tuple[FleetSite, ...]]":
    """The fleet in a file, and the sites of it that are asked for, by name. Raises InputError, PolicyError."""
    from seatwarden.engine.fleet.settings import load_fleet

    fleet = load_fleet(file, os.environ)
    names = [site.name for site in fleet.sites]
    for name in only or ():
        if name not in names:
            help_ = did_you_mean(name, names) or f"it has {len(names):,}: {', '.join(names[:8])}"
            raise InputError(f"--only: the fleet has no site `{name}`", help_)
    return fleet, tuple(site for site in fleet.sites if not only or site.name in only)


def site_means() -> "SiteMeans":
    """The means for the work on one site; they can be pickled."""
    from seatwarden.engine.fleet.steps import SiteMeans

    return SiteMeans(settings_from, context_for, clock)


@contextmanager
def fleet_means(what: str, sites: int) -> "Iterator[FleetMeans]":
    """The means for a fleet of so many sites, as long as this process is not asked to end; a terminal shows `what` is
    done, and how far."""
    from seatwarden.engine.fleet.fleet import FleetMeans

    stop = threading.Event()
    with stopped_by_signals(stop), working(f"{what} {sites:,} sites") as show:
        done = 0

        def tell(result: "SiteResult") -> None:
            nonlocal done
            done += 1
            show(f"{what} {sites:,} sites: {done:,} done, {result.site} last")

        yield FleetMeans(site_means(), begin_worker(), stop, tell, salt=draw(32))


def fleet_service(fleet: "Fleet", stop: threading.Event) -> "FleetService":
    """What the service of a fleet is given by this process; `stop` asks it to end."""
    import hashlib

    from seatwarden.engine.fleet.fleet import FleetMeans
    from seatwarden.engine.fleet.serving import FleetService

    means = FleetMeans(site_means(), begin_worker(), stop)
    place = str(fleet.file.resolve())
    lock = default_folder().parent / "fleets" / f"{hashlib.sha256(place.encode()).hexdigest()[:16]}.lock"
    return FleetService(fleet, means, lambda site, ending: service_surroundings(site.file, site.policy, ending), lock)


def begin_worker() -> Callable[[], None]:
    """What a process begins with that works for this one."""
    return partial(_begin, remembered())


def _begin(words: list[str]) -> None:
    """Lets the process that it works for be asked to end, and not itself; it does what that one was called to do."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    remember_words(words)
