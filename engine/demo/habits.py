"""People with habits: on which days somebody works with Qlik. Everybody has one habit for good.

The demonstration site has such people, and so have the sites by which it is tried what a history tells.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BEFORE, _AFTER = 800, 60
"""Days that are lived before the history begins, and after it has ended."""


@dataclass(frozen=True, slots=True)
class Mix:
    """A mix of habits, in shares."""

    name: str
    daily: float
    weekly: float
    monthly: float
    quarterly: float
    yearly: float
    sporadic: float
    leavers: float
    joiners: float = 0.05


OFFICE = Mix("office", 0.30, 0.20, 0.15, 0.10, 0.05, 0.10, 0.10)


@dataclass(frozen=True, slots=True)
class Life:
    """The days on which somebody works with Qlik, and those of the allocation and of the deletion, if there is one."""

    uses: Sequence[int]
    allocated: int
    deleted: int | None


def life(draw: random.Random, mix: Mix, days: int, new_year: int = 0) -> Life:
    """Somebody of a site whose history has so many days; day 0 is its first, and a Monday. `new_year` is a 1st of
    January, before or after it."""
    shares = (mix.daily, mix.weekly, mix.monthly, mix.quarterly, mix.yearly, mix.sporadic, mix.leavers)
    habit = draw.choices(("daily", "weekly", "monthly", "quarterly", "yearly", "sporadic", "leaver"), shares)[0]
    first, last = -_BEFORE, days + _AFTER
    if draw.random() < mix.joiners:
        first = draw.randrange(-_BEFORE, days)
    deleted = None
    if habit == "leaver":
        last = draw.randrange(-_BEFORE, days)
        habit = draw.choice(("daily", "weekly", "monthly"))
        deleted = last + draw.randrange(1, 200) if draw.random() < 0.5 else None
    away = [*_holidays(draw, first, last, new_year), *_absences(draw, first, last)]
    uses = sorted({day for day in _days(draw, habit, first, last) if not any(a <= day < b for a, b in away)})
    return Life(uses, first, deleted)


def _days(draw: random.Random, habit: str, first: int, last: int) -> Iterator[int]:
    match habit:
        case "daily":
            rate = draw.uniform(0.5, 0.95)
            yield from (day for day in range(first, last) if day % 7 < 5 and draw.random() < rate)
        case "weekly":
            yield from _around(draw, first, last, 7, 2)
        case "monthly":
            yield from _around(draw, first, last, 30.4, 4)
        case "quarterly":
            yield from _around(draw, first, last, 91.3, 6)
        case "yearly":
            yield from _around(draw, first, last, 365.25, 10)
        case _:
            rate = draw.choice((1 / 20, 1 / 60, 1 / 150))
            day = float(first)
            while (day := day + draw.expovariate(rate)) < last:
                yield int(day)


def _around(draw: random.Random, first: int, last: int, period: float, spread: float) -> Iterator[int]:
    day = first + draw.uniform(0, period)
    while day < last:
        for offset in range(draw.choice((1, 1, 2, 3))):
            yield int(day + draw.gauss(0, spread / 2)) + offset
        day += period


def _holidays(draw: random.Random, first: int, last: int, new_year: int) -> Iterator[tuple[int, int]]:
    """Weeks in summer, and around the end of the year."""
    for year in range((first - new_year) // 365 - 1, (last - new_year) // 365 + 1):
        begins = new_year + year * 365
        summer = begins + draw.randrange(180, 230)
        yield summer, summer + draw.choice((7, 14, 14, 21))
        yield begins + 356, begins + 356 + draw.choice((0, 10, 14))


def _absences(draw: random.Random, first: int, last: int) -> Iterator[tuple[int, int]]:
    if draw.random() < 0.08:
        start = draw.randrange(first, max(last, first + 1))
        yield start, start + draw.randrange(30, 180)
