"""Instants and calendar days. Disuse is counted in days of the policy's time zone, never in hours."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from seatwarden.policy.errors import InputError
from seatwarden.policy.vocabulary import WEEKDAYS
from seatwarden.policy.zones import find_timezone, timezone_help

_USUAL = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
"""What QRS writes most; the standard library reads it as it is, in a third of the time. It is not asked about less:
it takes `…T05:24Z` with a zero byte and anything at all behind it for a timestamp."""
NEVER_BEFORE_YEAR = 1900
"""QRS writes 1753-01-01 for *never*; any year before this one means the same."""
NEVER = date.min
"""Stands for *never* where a day is read; compare with `is`."""
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s*(Z|z|[+-]\d\d:\d\d)?", re.ASCII)


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


def parse_timestamp(text: str) -> datetime | None:
    """The instant a QRS timestamp names, or None when it is not one.

    QRS writes UTC with 0 to 7 fraction digits; digits after the sixth are cut, a missing zone is UTC.
    """
    try:
        if _USUAL.fullmatch(text):
            return datetime.fromisoformat(text)
        match = _TIMESTAMP.fullmatch(text.strip())
        if match is None:
            return None
        day, time, fraction, offset = match.groups()
        digits = (fraction or "")[:6].ljust(6, "0")
        offset = "+00:00" if offset is None or offset in "Zz" else offset
        return datetime.fromisoformat(f"{day}T{time}.{digits}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_instant(instant: datetime) -> str:
    """An instant as QRS writes it: UTC, three fraction digits, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
