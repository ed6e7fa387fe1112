"""The units of a wall clock without a time zone: seconds, hours, days of the month, ISO weeks …

A *period* is one second, one hour, one week; a unit numbers them. The numbers, the places a search goes on from and
the oddities named in comments are those of the JavaScript library `later` (read from its published source, checked
against its answers), which Butler's schedules were written for.
"""

from abc import ABC, abstractmethod
from datetime import datetime, timedelta

from seatwarden.grammar.schedule.ast import UnitName

_SECOND, _MINUTE, _HOUR, _DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

FIRST_YEAR, LAST_YEAR = 1970, 2099
"""The years that a schedule can name."""


class Unit(ABC):
    """One way to number moments. `seconds` is about how long a period is: the shortest sets a schedule's tick."""

    seconds: int
    written: tuple[int, int]
    """Lowest and highest value that `every N units` counts through; what `first` and `last` stand for."""

    @abstractmethod
    def value(self, at: datetime) -> int:
        """The number of the period that `at` is in."""

    @abstractmethod
    def bounds(self, at: datetime) -> tuple[int, int]:
        """The lowest and highest number around `at`: days of that month, weeks of that year."""

    @abstractmethod
    def start(self, at: datetime) -> datetime:
        """The first moment of the period that `at` is in."""

    @abstractmethod
    def following(self, at: datetime) -> datetime:
        """The first moment of the next period."""

    @abstractmethod
    def seek(self, at: datetime, value: int | None) -> datetime | None:
        """The moment from which the search for the next period of that number goes on; None when there is none.

        A number above the highest is sought from the lowest. None is the value of an empty list: of days, weeks and
        months it is sought like 0, of hours it leads to midnight, else nowhere.
        """

    def holds(self, at: datetime, value: int | None) -> bool:
        """Whether the period at `at` has that number."""
        return self.value(at) == value


class _Second(Unit):
    seconds, written = 1, (0, 59)

    def value(self, at: datetime) -> int:
        return at.second

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 0, 59

    def start(self, at: datetime) -> datetime:
        return at

    def following(self, at: datetime) -> datetime:
        return at + _SECOND

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        return None if value is None else at + _ahead(value, at.second) * _SECOND


class _Minute(Unit):
    seconds, written = 60, (0, 59)

    def value(self, at: datetime) -> int:
        return at.minute

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 0, 59

    def start(self, at: datetime) -> datetime:
        return at.replace(second=0)

    def following(self, at: datetime) -> datetime:
        return self.start(at) + _MINUTE

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        return None if value is None else self.start(at) + _ahead(value, at.minute) * _MINUTE


class _Hour(Unit):
    seconds, written = 3600, (0, 23)

    def value(self, at: datetime) -> int:
        return at.hour

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 0, 23

    def start(self, at: datetime) -> datetime:
        return at.replace(minute=0, second=0)

    def following(self, at: datetime) -> datetime:
        return self.start(at) + _HOUR

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        if value is None:
            return _midnight(at)
        value = 0 if value > 23 else value
        return _midnight(at) + (_DAY if value <= at.hour else 0 * _DAY) + value * _HOUR


class _Time(Unit):
    """Seconds since midnight."""

    seconds, written = 1, (0, 86_399)

    def value(self, at: datetime) -> int:
        return at.hour * 3600 + at.minute * 60 + at.second

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 0, 86_399

    def start(self, at: datetime) -> datetime:
        return at

    def following(self, at: datetime) -> datetime:
        return at + _SECOND

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        value = value or 0
        value = 0 if value > 86_399 else value
        return _midnight(at) + (_DAY if value <= self.value(at) else 0 * _DAY) + value * _SECOND


class _Calendar(Unit):
    """A unit of days or longer: 0 is the last of its kind."""

    def holds(self, at: datetime, value: int | None) -> bool:
        return self.value(at) == (value or self.bounds(at)[1])

    def following(self, at: datetime) -> datetime:
        return _midnight(at) + _DAY


class _Day(_Calendar):
    seconds, written = 86_400, (1, 31)

    def value(self, at: datetime) -> int:
        return at.day

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 1, (MONTH.following(at) - _DAY).day

    def start(self, at: datetime) -> datetime:
        return _midnight(at)

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        month, value = _turn(self, at, value or 0, MONTH)
        return month + (value - 1) * _DAY


class _DayOfWeek(_Calendar):
    """Sunday is 1, Saturday 7."""

    seconds, written = 86_400, (1, 7)

    def value(self, at: datetime) -> int:
        return at.isoweekday() % 7 + 1

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 1, 7

    def start(self, at: datetime) -> datetime:
        return _midnight(at)

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        value = 1 if (value or 7) > 7 else value or 7
        today = self.value(at)
        return _midnight(at) + (value - today + (7 if value <= today else 0)) * _DAY


class _DayOfYear(_Calendar):
    seconds, written = 86_400, (1, 366)

    def value(self, at: datetime) -> int:
        return at.timetuple().tm_yday

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 1, (YEAR.following(at) - _DAY).timetuple().tm_yday

    def start(self, at: datetime) -> datetime:
        return _midnight(at)

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        year, value = _turn(self, at, value or 0, YEAR)
        return year + (value - 1) * _DAY


class _DayInstance(_Calendar):
    """Days 1 to 7 of a month are the first of their weekday, days 8 to 14 the second; 0 are the last seven days."""

    seconds, written = 604_800, (1, 5)

    def value(self, at: datetime) -> int:
        return (at.day - 1) // 7 + 1

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 1, (DAY.bounds(at)[1] + 6) // 7

    def start(self, at: datetime) -> datetime:
        return MONTH.start(at) + (self.value(at) - 1) * 7 * _DAY

    def following(self, at: datetime) -> datetime:
        return min(self.start(at) + 7 * _DAY, MONTH.following(at))

    def holds(self, at: datetime, value: int | None) -> bool:
        return self.value(at) == value or (value == 0 and at.day > DAY.bounds(at)[1] - 7)

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        if value is None:
            return None
        value = 1 if value > self.bounds(at)[1] else value
        month = MONTH.following(at) if (value or self.bounds(at)[1]) <= self.value(at) else MONTH.start(at)
        value = 1 if value > self.bounds(month)[1] else value
        found = self._days(month, value)
        return found if found > at else self._days(MONTH.following(at), value)

    def _days(self, month: datetime, value: int) -> datetime:
        return month + (value * 7 - 7 if value else DAY.bounds(month)[1] - 7) * _DAY


class _WeekOfMonth(_Calendar):
    """Weeks start on Sunday; the first and last are cut at the month's ends."""

    seconds, written = 604_800, (1, 5)

    def value(self, at: datetime) -> int:
        return (at.day + WEEKDAY.value(MONTH.start(at)) - 1 + 7 - WEEKDAY.value(at)) // 7

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 1, self.value(MONTH.following(at) - _DAY)

    def start(self, at: datetime) -> datetime:
        return max(_midnight(at) - (WEEKDAY.value(at) - 1) * _DAY, MONTH.start(at))

    def following(self, at: datetime) -> datetime:
        return min(_midnight(at) + (8 - WEEKDAY.value(at)) * _DAY, MONTH.following(at))

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        month, value = _turn(self, at, value or 0, MONTH)
        return month + max(0, (value - 1) * 7 - WEEKDAY.value(month) + 1) * _DAY


class _WeekOfYear(_Calendar):
    """ISO weeks: from Monday, numbered in the year of their Thursday."""

    seconds, written = 604_800, (1, 53)

    def value(self, at: datetime) -> int:
        return at.isocalendar().week

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 1, datetime(at.isocalendar().year, 12, 28).isocalendar().week

    def start(self, at: datetime) -> datetime:
        return _midnight(at) - (at.isoweekday() - 1) * _DAY

    def following(self, at: datetime) -> datetime:
        return self.start(at) + 7 * _DAY

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        value = value or 0
        value = 1 if value > self.bounds(at)[1] else value
        year = at.isocalendar().year + ((value or self.bounds(at)[1]) <= self.value(at))
        first = self.start(datetime(year, 1, 4))
        highest = self.bounds(first)[1]
        value = 1 if value > highest else value or highest
        return first + (value - 1) * 7 * _DAY


class _Month(_Calendar):
    seconds, written = 2_629_740, (1, 12)

    def value(self, at: datetime) -> int:
        return at.month

    def bounds(self, at: datetime) -> tuple[int, int]:
        return 1, 12

    def start(self, at: datetime) -> datetime:
        return datetime(at.year, at.month, 1)

    def following(self, at: datetime) -> datetime:
        year, month = divmod(at.year * 12 + at.month, 12)
        return datetime(year, month + 1, 1)

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        value = 1 if (value or 12) > 12 else value or 12
        return datetime(at.year + (value <= at.month), value, 1)


class _Year(Unit):
    seconds, written = 31_556_900, (FIRST_YEAR, 2450)

    def value(self, at: datetime) -> int:
        return at.year

    def bounds(self, at: datetime) -> tuple[int, int]:
        return FIRST_YEAR, LAST_YEAR

    def start(self, at: datetime) -> datetime:
        return datetime(at.year, 1, 1)

    def following(self, at: datetime) -> datetime:
        return datetime(at.year + 1, 1, 1)

    def seek(self, at: datetime, value: int | None) -> datetime | None:
        if value is None or not at.year < value <= LAST_YEAR:
            return None
        return datetime(value, 1, 1)


DAY, WEEKDAY, MONTH, YEAR = _Day(), _DayOfWeek(), _Month(), _Year()

UNITS: dict[UnitName, Unit] = {
    "second": _Second(),
    "minute": _Minute(),
    "hour": _Hour(),
    "time": _Time(),
    "day": DAY,
    "day of the week": WEEKDAY,
    "day instance": _DayInstance(),
    "day of the year": _DayOfYear(),
    "week of the month": _WeekOfMonth(),
    "week of the year": _WeekOfYear(),
    "month": MONTH,
    "year": YEAR,
}
"""Every unit by its name."""

COUNTED_FROM_ONE_END: frozenset[UnitName] = frozenset(
    ("day", "day instance", "day of the year", "week of the month", "week of the year")
)
"""Units whose highest value varies: their `last` is written 0."""


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0)


def _ahead(value: int, now: int) -> int:
    """Steps from one second or minute to the next of a value; a value above 59 leads to the turn of the clock."""
    if value > 59:
        return 60 - now
    return value - now if value > now else 60 - now + value


def _turn(unit: Unit, at: datetime, value: int, whole: Unit) -> tuple[datetime, int]:
    """The month or year in which a value comes next, by its start, and the value there: 0 is its last."""
    highest = unit.bounds(at)[1]
    value = 1 if value > highest else value
    found = whole.following(at) if (value or highest) <= unit.value(at) else whole.start(at)
    highest = unit.bounds(found)[1]
    return found, 1 if value > highest else value or highest
