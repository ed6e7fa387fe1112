"""APScheduler's side of a schedule: when a job is due next."""

from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger

from seatwarden.policy.schedule.occurrences import next_occurrence
from seatwarden.policy.schedule.schedule import Schedule


class ScheduleTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler has no types
    """Fires by the clock of a zone, whenever the service was started."""

    def __init__(self, schedule: Schedule, zone: ZoneInfo) -> None:
        self._schedule = schedule
        self._zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """The next instant; the first is later than `now`: nothing is done because a service starts.

        What lies between `previous` and `now` was missed and is passed over: after a long sleep, or when the clock was
        set, APScheduler would otherwise walk through every one of them to run the last.
        """
        return next_occurrence(self._schedule, max(previous, now) if previous else now, self._zone)
