"""The usual time between two runs of a site: how long it may be silent before days do not count any more."""

from datetime import datetime
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from seatwarden.engine.notice.notices import USUAL_INTERVAL
from seatwarden.policy.schedule.occurrences import occurrences
from seatwarden.policy.schedule.schedule import Schedule

_LONGEST_INTERVAL = 31
_LOOKED_AHEAD = 40
"""Runs ahead from which the usual time between two is told."""


def interval_of(schedule: Schedule | None, now: datetime, zone: ZoneInfo) -> int:
    """The most days between two runs by their schedule; 7 where there is none."""
    if schedule is None:
        return USUAL_INTERVAL
    # By the calendar: where the clocks are set back a day has 25 hours, and is one day all the same.
    ahead = [one.astimezone(zone).date() for one in islice(occurrences(schedule, now, zone), _LOOKED_AHEAD)]
    longest = max(((later - earlier).days for earlier, later in pairwise(ahead)), default=USUAL_INTERVAL)
    return min(max(1, longest), _LONGEST_INTERVAL)
