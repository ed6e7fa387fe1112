"""A day on some dates of the year and on some weekdays is the nearest that a look at every day finds."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from seatwarden.policy.worlds.days import UNBOUNDED, DayField, date_bit, dates_where, pick_today, tighten

_dates = st.dates(date(1900, 1, 1), date(9999, 12, 31)).map(date.toordinal)
_few = st.sets(st.integers(0, 365), min_size=1, max_size=3).map(lambda days: sum(1 << n for n in days))
_some_dates = _few | st.sets(st.integers(1, 12), min_size=1).map(lambda months: dates_where(lambda m, d: m in months))


@given(_dates, st.integers(0, 5000), st.integers(-30, 5030), _some_dates, st.integers(1, 127))
def test_the_nearest_day(first: int, length: int, wish: int, dates: int, weekdays: int) -> None:
    last = min(first + length, date.max.toordinal())
    bounds = tighten(UNBOUNDED, DayField.TODAY, DayField.ORIGIN, last)
    assert bounds is not None
    bounds = tighten(bounds, DayField.ORIGIN, DayField.TODAY, -first)
    assert bounds is not None
    start = min(max(first + wish, first), last)
    days = [*range(start, last + 1), *range(start - 1, first - 1, -1)]
    fitting = (n for n in days if _fits(date.fromordinal(n), dates, weekdays))
    assert pick_today(bounds, dates, weekdays, start) == next(fitting, None)


def _fits(day: date, dates: int, weekdays: int) -> bool:
    return bool(dates & date_bit(day) and weekdays >> day.weekday() & 1)
