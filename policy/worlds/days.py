"""Days and the differences between them: which combinations of date conditions can hold together.

Every date condition says that one moment is at most so many days after another. A set of such statements is kept
as the tightest bound for each pair of moments; it can hold exactly when no bound contradicts itself, and any day
that is within a moment's bounds can be taken for it.
"""

from datetime import date
from enum import IntEnum
from functools import lru_cache
from typing import TypeAlias

from seatwarden.grammar.calendar_names import WEEKDAYS

ALL_MONTHS = (1 << 12) - 1
ALL_WEEKDAYS = (1 << len(WEEKDAYS)) - 1


class DayField(IntEnum):
    """The days that conditions speak of. REFERENCE is the last use, or the allocation when never used."""

    ORIGIN = 0
    TODAY = 1
    REFERENCE = 2
    LAST_USED = 3
    ALLOCATED = 4
    USER_CREATED = 5
    USER_LAST_USED = 6


_COUNT = len(DayField)
# A use in the first hours of 1900 (UTC) is on a day of 1899 in zones behind UTC.
_FIRST, _LAST = date(1899, 12, 31).toordinal(), date.max.toordinal()
_ENOUGH = 800
"""Days within which every weekday of every month comes up."""

DayBounds: TypeAlias = tuple[int, ...]
"""At `later * 7 + earlier`: the most days that `later` can be after `earlier`."""


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


def pick_today(bounds: DayBounds, months: int, weekdays: int, wish: int) -> int | None:
    """A possible `today` in those months and on those weekdays, near the wish; None when there is none."""
    first, last = window(bounds, DayField.TODAY)
    start = min(max(wish, first), last)
    if (months, weekdays) == (ALL_MONTHS, ALL_WEEKDAYS):
        return start
    forward = range(start, min(last, start + _ENOUGH) + 1)
    backward = range(start - 1, max(first, start - _ENOUGH) - 1, -1)
    for days in (forward, backward):
        for ordinal in days:
            day = date.fromordinal(ordinal)
            if months >> (day.month - 1) & 1 and weekdays >> day.weekday() & 1:
                return ordinal
    return None


def pick(bounds: DayBounds, moment: DayField, wish: int) -> tuple[int, DayBounds]:
    """A possible day for a moment, near the wish, and the bounds with the moment on that day."""
    first, last = window(bounds, moment)
    ordinal = min(max(wish, first), last)
    fixed = tighten(bounds, moment, DayField.ORIGIN, ordinal)
    fixed = tighten(fixed, DayField.ORIGIN, moment, -ordinal) if fixed is not None else None
    assert fixed is not None  # noqa: S101 - any day within tightest bounds is possible
    return ordinal, fixed
