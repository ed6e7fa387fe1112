"""The moment of a decision and its calendar day: disuse counts in days of the policy's time zone, never in hours."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from seatwarden.engine.common.timestamps import are_usual, parse_timestamp
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
    _known: dict[str, date | None] = field(init=False, repr=False, compare=False)
    """Days that were found, by the beginnings of timestamps."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "today", self.now.astimezone(self.zone).date())
        object.__setattr__(self, "_is_utc", self.zone.key == "UTC")
        object.__setattr__(self, "_known", {})

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

    def days_of_timestamps(self, texts: Sequence[str]) -> list[date | None]:
        """`day_of_timestamp` of many: in a third of the time where all have the form that QRS writes most."""
        if not are_usual(texts):
            return list(map(self.day_of_timestamp, texts))
        # In UTC the day is that of the text. Elsewhere one is that of its hour, where the day does not end in that.
        known, length = self._known, len("2026-11-21") if self._is_utc else len("2026-11-21T02")
        starts = [text[:length] for text in texts]
        ends = ("T00:00:00.000Z",) if self._is_utc else (":00:00.000Z", ":59:59.999Z")
        for start in set(starts).difference(known):
            days = {self.day_of_timestamp(start + end) for end in ends}
            if len(days) == 1:
                known[start] = days.pop()
        return [
            known[start] if start in known else self.day_of_timestamp(text)
            for start, text in zip(starts, texts, strict=True)
        ]

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


class DaySpan(Struct, frozen=True):
    """Days, both included; None is open. Raises InputError where the last is before the first."""

    since: date | None = None
    until: date | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since > self.until:
            raise InputError(f"--from {self.since} is after --to {self.until}", "exchange them")

    @property
    def is_all(self) -> bool:
        """Whether every day lies in it."""
        return self.since is None and self.until is None

    def has(self, day: date) -> bool:
        """Whether a day lies in it."""
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)
