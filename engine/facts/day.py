"""The moment of a decision and its calendar day: disuse counts in days of the policy's time zone, never in hours."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.grammar.calendar_names import WEEKDAYS
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.zones import find_timezone, timezone_help

NEVER_BEFORE_YEAR = 1900
"""QRS writes 1753-01-01 for *never*; any year before this one means the same."""
NEVER = date.min
"""Stands for *never* where a day is read; compare with `is`."""


@dataclass(frozen=True, slots=True)
class Day:
    """The moment a policy is evaluated at: the instant `now` (aware) and the zone in which days are counted.

    `today` is its calendar day in the zone. It is kept: every decision asks for it several times.
    """

    now: datetime
    zone: ZoneInfo
    today: date = field(init=False, repr=False, compare=False)
    _is_utc: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "today", self.now.astimezone(self.zone).date())
        object.__setattr__(self, "_is_utc", self.zone.key == "UTC")

    @property
    def weekday(self) -> str:
        """The weekday's English name in lower case."""
        return WEEKDAYS[self.today.weekday()]

    def day_of(self, instant: datetime) -> date:
        """The calendar day of an instant in the zone."""
        try:
            return instant.astimezone(self.zone).date()
        except OverflowError:  # a zone's offset leads out of the years 1 to 9999
            return instant.date()

    def day_of_timestamp(self, text: str) -> date | None:
        """The calendar day of a QRS timestamp in the zone: None when it is not one, NEVER when it says so."""
        instant = parse_timestamp(text)
        if instant is None:
            return None
        if instant.year < NEVER_BEFORE_YEAR:
            return NEVER
        return instant.date() if self._is_utc else self.day_of(instant)

    def later_by(self, days: int) -> "Day":
        """The same hour by the zone's clocks, some calendar days later."""
        # Within one zone Python adds days to what the clock shows, not to the instant: as wanted here.
        there = self.now.astimezone(self.zone) + timedelta(days=days)
        return Day(there.astimezone(UTC), self.zone)


def make_day(now: datetime | date, timezone: str) -> Day:
    """The Day of an instant in the IANA zone of that name, or of a date's midnight there.

    Raises InputError when there is no such zone.
    """
    zone = find_timezone(timezone)
    if zone is None:
        raise InputError(f"there is no time zone `{timezone}`", timezone_help(timezone))
    if not isinstance(now, datetime):
        # A midnight that is skipped is read by the offset before it: that is as much later, on the same day.
        now = datetime.combine(now, time(), zone).astimezone(UTC)
    return Day(now, zone)


def day_for(policy: CheckedPolicy, now: datetime | date, timezone: str | None) -> Day:
    """The Day of `now`, in the zone that is asked for or else the policy's. Raises InputError."""
    return make_day(now, policy.timezone if timezone is None else timezone)
