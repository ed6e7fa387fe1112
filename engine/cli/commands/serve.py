"""`seatwarden serve`: the service that does Butler's license jobs on their schedules until it is asked to end."""

import threading
from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.cli.host import service_surroundings, stopped_by_signals
from seatwarden.engine.cli.inputs import PolicyOption, SiteOption, needed
from seatwarden.policy.errors import InputError


def serve(
    site: SiteOption = None,
    policy: PolicyOption = None,
    fleet: Annotated[
        Path | None, typer.Option("--fleet", "-f", metavar="FILE", help="In place of a site: all sites of this fleet.")
    ] = None,
) -> None:
    """Release and watch licenses on schedule, as a service.

    Butler's three jobs: release, watch license use, watch the site's own license.
    Nothing is released because it starts, and nothing at all unless the site file says `dryRun: false`. Ctrl-C or
    SIGTERM ends it: licenses under way are finished, the next run goes on with the rest.

    Example: seatwarden serve --site butler.yaml
    """
    if fleet is not None:
        if site is not None or policy is not None:
            raise InputError("--fleet excludes --site and --policy", "the fleet file names them")
        _serve_fleet(fleet)
        return
    from seatwarden.engine.service.running import run_service  # APScheduler takes a while to import

    given = service_surroundings(needed(site), policy, threading.Event())
    with stopped_by_signals(given.stop, given.reload):
        run_service(given)


def _serve_fleet(file: Path) -> None:
    from seatwarden.engine.cli.fleets import fleet_and_sites, fleet_service
    from seatwarden.engine.fleet.serving import serve_fleet

    (fleet, _), stop = fleet_and_sites(file, None), threading.Event()
    with stopped_by_signals(stop):
        serve_fleet(fleet_service(fleet, stop))
