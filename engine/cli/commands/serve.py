"""`seatwarden serve`: the service that does Butler's license jobs on their schedules until it is asked to end."""

import threading

from seatwarden.engine.cli.host import service_surroundings, stopped_by_signals
from seatwarden.engine.cli.inputs import PolicyOption, SiteOption, needed


def serve(site: SiteOption = None, policy: PolicyOption = None) -> None:
    """Release and watch licenses on schedule, as a service.

    Butler's three jobs: release, watch license use, watch the site's own license.
    Nothing is released because it starts, and nothing at all unless the site file says `dryRun: false`. Ctrl-C or
    SIGTERM ends it: licenses under way are finished, the next run goes on with the rest.

    Example: seatwarden serve --site butler.yaml
    """
    from seatwarden.engine.service.running import run_service  # APScheduler takes a while to import

    given = service_surroundings(needed(site), policy, threading.Event())
    with stopped_by_signals(given.stop, given.reload):
        run_service(given)
