"""Days and the differences between them: which combinations of date conditions can hold together.

Every date condition says that one moment is at most so many days after another. A set of such statements is kept
as the tightest bound for each pair of moments; it can hold exactly when no bound contradicts itself, and any day
that is within a moment's bounds can be taken for it.
"""

from calendar import isleap
from collections.abc import Callable
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import TypeAlias

from seatwarden.grammar.calendar_names import WEEKDAYS

_LEAP = date(2000, 1, 1)
"""A year that has every date."""
_BITS = {((_LEAP + timedelta(n)).month, (_LEAP + timedelta(n)).day): 1 << n for n in range(366)}
ALL_DATES = (1 << 366) - 1
"""The dates of a year, as bits: the first of January is bit 0, 29 February is among them."""
ALL_WEEKDAYS = (1 << len(WEEKDAYS)) - 1


class DayField(IntEnum):
    """The days that conditions speak of. REFERENCE is the last use, or the allocation when never used; USER_REFERENCE
    is the same over all licenses of the user. The last two are of the user's other license, of the other type."""

    ORIGIN = 0
    TODAY = 1
    REFERENCE = 2
    LAST_USED = 3
    ALLOCATED = 4
    USER_CREATED = 5
    USER_LAST_USED = 6
    USER_REFERENCE = 7
    USER_LAST_RELEASED = 8
    OTHER_REFERENCE = 9
    OTHER_ALLOCATED = 10


_COUNT = len(DayField)
# A use in the first hours of 1900 (UTC) is on a day of 1899 in zones behind UTC.
_FIRST, _LAST = date(1899, 12, 31).toordinal(), date.max.toordinal()
_ENOUGH = 41
"""Years within which every weekday of every date comes up, 29 February over a turn of the century included."""
_LEAP_DAY = 31 + 28
"""The bit of 29 February."""

DayBounds: TypeAlias = tuple[int, ...]
"""At `later * len(DayField) + earlier`: the most days that `later` can be after `earlier`."""


def _unbounded() -> DayBounds:
    widest = _LAST - _FIRST
    bounds = [widest] * (_COUNT * _COUNT)
    for moment in DayField:
        bounds[moment * _COUNT + moment] = 0
        if moment is not DayField.ORIGIN:
            bounds[moment * _COUNT + DayField.ORIGIN] = _LAST
            bounds[DayField.ORIGIN * _COUNT + moment] = -_FIRST
    return tuple(bounds)


UNBOUNDED = _unbounded()
"""Any day that QRS can write for each moment: it reads years before 1900 as *never*."""


@lru_cache(maxsize=4096)
def tighten(bounds: DayBounds, later: DayField, earlier: DayField, days: int) -> DayBounds | None:
    """The bounds when `later` is also at most `days` after `earlier`; None when that cannot be.

    The same object comes back when this was certain before.
    """
    if bounds[later * _COUNT + earlier] <= days:
        return bounds
    if days + bounds[earlier * _COUNT + later] < 0:
        return None
    # The bounds were the tightest before, so only ways that take the new one (once) can be shorter: one round of
    # Floyd and Warshall's algorithm, not all of them.
    to_later = [bounds[i * _COUNT + later] for i in range(_COUNT)]
    from_earlier = bounds[earlier * _COUNT : earlier * _COUNT + _COUNT]
    return tuple(
        min(bounds[i * _COUNT + j], to_later[i] + days + from_earlier[j]) for i in range(_COUNT) for j in range(_COUNT)
    )


def same_day(bounds: DayBounds, one: DayField, other: DayField) -> DayBounds | None:
    """The bounds when both moments are on one day."""
    first = tighten(bounds, one, other, 0)
    return tighten(first, other, one, 0) if first is not None else None


def window(bounds: DayBounds, moment: DayField) -> tuple[int, int]:
    """The first and last day (as ordinals) that a moment can have."""
    return -bounds[DayField.ORIGIN * _COUNT + moment], bounds[moment * _COUNT + DayField.ORIGIN]


def date_bit(day: date) -> int:
    """The bit of a day's date in its year."""
    return _BITS[day.month, day.day]


def dates_where(holds: Callable[[int, int], bool]) -> int:
    """The dates of a year, as bits, for which something holds that is asked of month and day."""
    return sum(bit for (month, day), bit in _BITS.items() if holds(month, day))


def pick_today(bounds: DayBounds, dates: int, weekdays: int, wish: int) -> int | None:
    """A possible `today` on those dates of a year and on those weekdays, near the wish; None when there is none."""
    first, last = window(bounds, DayField.TODAY)
    start = min(max(wish, first), last)
    if (dates, weekdays) == (ALL_DATES, ALL_WEEKDAYS):
        return start
    return _nearest(first, last, start, dates, weekdays) if dates and weekdays else None


@lru_cache(maxsize=4096)
def _nearest(first: int, last: int, start: int, dates: int, weekdays: int) -> int | None:
    """Year by year, first from `start` on, then before it: to look at every day takes seconds for a few conditions."""
    later, earlier = date.fromordinal(start), date.fromordinal(max(first, start - 1))
    for year in range(later.year, min(later.year + _ENOUGH, date.fromordinal(last).year) + 1):
        found = _possible(year, dates, weekdays)
        found &= -date_bit(later) if year == later.year else found
        if found:
            ordinal = _ordinal(year, (found & -found).bit_length() - 1)
            if ordinal <= last:
                return ordinal
    for year in range(earlier.year, max(earlier.year - _ENOUGH, date.fromordinal(first).year) - 1, -1):
        found = _possible(year, dates, weekdays)
        found &= (date_bit(earlier) << 1) - 1 if year == earlier.year else found
        if found:
            ordinal = _ordinal(year, found.bit_length() - 1)
            if ordinal >= first:
                return ordinal
    return None


def _possible(year: int, dates: int, weekdays: int) -> int:
    """Those of the dates that a year has on one of the weekdays."""
    return dates & _on_weekdays(date(year, 1, 1).weekday(), isleap(year), weekdays)


@lru_cache
def _on_weekdays(first: int, is_leap: bool, weekdays: int) -> int:
    """The dates on these weekdays in a year that begins on that weekday."""
    days = (n for n in range(366) if is_leap or n != _LEAP_DAY)
    return sum(1 << n for n in days if weekdays >> ((first + n - _gone(is_leap, n)) % 7) & 1)


def _ordinal(year: int, n: int) -> int:
    return date(year, 1, 1).toordinal() + n - _gone(isleap(year), n)


def _gone(is_leap: bool, n: int) -> int:
    """How many days a date comes sooner than in a leap year."""
    return int(not is_leap and n > _LEAP_DAY)


def pick(bounds: DayBounds, moment: DayField, wish: int) -> tuple[int, DayBounds]:
    """A possible day for a moment, near the wish, and the bounds with the moment on that day."""
    first, last = window(bounds, moment)
    ordinal = min(max(wish, first), last)
    fixed = tighten(bounds, moment, DayField.ORIGIN, ordinal)
    fixed = tighten(fixed, DayField.ORIGIN, moment, -ordinal) if fixed is not None else None
    assert fixed is not None  # noqa: S101 - any day within tightest bounds is possible
    return ordinal, fixed
