"""Schedules for hypothesis: their text, and beside it what they mean, said in other words than the engine's."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.strategies import ZONES

Meets = Callable[[datetime], bool]

SCHEDULE_ZONES = (*ZONES, "America/New_York", "America/Santiago", "Pacific/Apia", "Africa/Casablanca")
_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "june", "july", "aug", "sept", "oct", "nov", "dec")
TICKS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


@dataclass(frozen=True)
class Words:
    """A part of a schedule text and what it asks of a moment. `tick` is the finest unit it names."""

    text: str
    meets: Meets
    tick: str


def _values(lowest: int, highest: int) -> SearchStrategy[list[int]]:
    return st.sets(st.integers(lowest, highest), min_size=1, max_size=3).map(sorted)


def _listed(tick: str, unit: str, lowest: int, highest: int, of: Callable[[datetime], int]) -> SearchStrategy[Words]:
    def words(values: list[int]) -> Words:
        return Words(f"on the {','.join(map(str, values))} {unit}", lambda at: of(at) in values, tick)

    return _values(lowest, highest).map(words)


def _stepped(tick: str, unit: str, lowest: int, highest: int, of: Callable[[datetime], int]) -> SearchStrategy[Words]:
    def words(step: int, start: int) -> Words:
        return Words(
            f"every {step} {unit} starting on the {start} {unit}",
            lambda at: of(at) >= start and (of(at) - start) % step == 0,
            tick,
        )

    return st.builds(words, st.integers(1, highest), st.integers(lowest, highest))


def _day_of_year(at: datetime) -> int:
    return (at.replace(hour=0, minute=0) - datetime(at.year, 1, 1)).days + 1


def _days_in_month(at: datetime) -> int:
    return ((at.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


MINUTES = _listed("minute", "minute", 0, 59, lambda at: at.minute) | _stepped(
    "minute", "minutes", 0, 59, lambda at: at.minute
)
HOURS = _listed("hour", "hour", 0, 23, lambda at: at.hour) | _stepped("hour", "hours", 0, 23, lambda at: at.hour)
TIMES = _values(0, 95).map(
    lambda quarters: Words(
        "at " + ",".join(f"{q // 4}:{q % 4 * 15:02}" for q in quarters),
        lambda at: at.hour * 4 + at.minute / 15 in quarters,
        "minute",
    )
)
_WEEKDAYS = st.sets(st.integers(0, 6), min_size=1, max_size=6).map(
    # The schedule's week starts on Sunday.
    lambda days: Words(
        "on " + ",".join(_DAY_NAMES[day] for day in sorted(days, key=lambda day: (day + 1) % 7)),
        lambda at: at.weekday() in days,
        "day",
    )
)
_MONTHS = _values(1, 12).map(
    lambda months: Words("of " + ",".join(_MONTH_NAMES[m - 1] for m in months), lambda at: at.month in months, "month")
)
_LAST_DAY = st.just(Words("on the last day of the month", lambda at: at.day == _days_in_month(at), "day"))
DAYS = (
    _listed("day", "day", 1, 31, lambda at: at.day)
    | _listed("day", "day of the year", 1, 366, _day_of_year)
    | _stepped("day", "days", 1, 31, lambda at: at.day)
    | _WEEKDAYS
    | _LAST_DAY
)
# Weeks and months go with something finer: alone they fire as they begin, which the conditions here do not say.
COARSE = (
    _listed("week", "week", 1, 53, lambda at: at.isocalendar().week)
    | _listed("week", "day instance", 1, 5, lambda at: (at.day + 6) // 7)
    | _MONTHS
)


def _joined(parts: list[Words]) -> Words:
    tick = next(name for name in (*TICKS, "week", "month") if any(part.tick == name for part in parts))
    return Words(" ".join(part.text for part in parts), lambda at: all(part.meets(at) for part in parts), tick)


_PATTERNS = st.builds(
    lambda fine, days, coarse: _joined([*fine, *days, *coarse]),
    st.one_of(st.just([]), st.tuples(TIMES).map(list), st.tuples(MINUTES, HOURS).map(list), st.tuples(HOURS).map(list)),
    st.tuples(DAYS).map(list),
    st.one_of(st.just([]), st.tuples(COARSE).map(list)),
)


def _with_exception(pattern: Words, exception: Words | None) -> Words:
    if exception is None:
        return pattern
    return Words(
        f"{pattern.text} except {exception.text}",
        lambda at: pattern.meets(at) and not exception.meets(at),
        pattern.tick,
    )


def schedules() -> SearchStrategy[Words]:
    """Schedules that fire on days, hours or minutes, some with a day or month excepted."""
    return st.builds(_with_exception, _PATTERNS, st.none() | _WEEKDAYS | _MONTHS)
