"""The chance that somebody comes back whose license has lain unused for some days, with its interval.

A Kaplan-Meier estimate by age: the hazard of an age is the share of those who come back among those who were seen at
that age, whether they were seen before or not. It is not smoothed: the true curve rises before 30, 91 and 365 days,
when those come who come monthly, quarterly and yearly. Each rule below was found on sites whose truth is known;
bench/habits.py has such.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import fsum, prod
from operator import itemgetter
from typing import Literal, TypeAlias

from seatwarden.engine.history.interval import wilson
from seatwarden.engine.history.returns import SharedSpell, by_day
from seatwarden.engine.history.spells import SpellRecord

YEAR = 365
LEAST_PEOPLE = 30
LEAST_DAYS = 180
"""Fewer days of history give a rough number at best."""
SEASON = (372, 328)
"""How many days ago the weeks begin and end that are those of today a year ago."""
LEAST_SEASON = 402

Basis: TypeAlias = Literal["year", "part", "rough", "season"]


@dataclass(frozen=True, slots=True)
class Chance:
    """The chance to come back within `within` days of those whose license has lain unused for `age` days: `share`, and
    the interval from `low` to `high` around it, from 0 to 1.

    `people` are those who were seen at that age, `since` and `until` the days (ordinals) from which it is known;
    `basis` is the average of whole years, a part of one, less than half of one (rough), or these weeks a year ago.
    """

    age: int
    within: int
    share: float
    low: float
    high: float
    people: int
    since: int
    until: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Nothing is said, and why."""

    why: str


class ChanceTable:
    """The chances that follow from the spells of one license type, as of its last day.

    `reallocates`: whether the site gives who comes back a license again; otherwise only what was before our first
    release tells who would come back.
    """

    def __init__(self, record: SpellRecord, *, reallocates: bool = False) -> None:
        last = record.last
        if record.released is not None and not reallocates:
            last = min(last, record.released - 1)
        self._record = record
        self.last = last
        # The day of the last snapshot counts: 365 snapshots are a year.
        self.days = max(last - record.first + 2, 0)
        years = self.days // YEAR
        self.first = max(last - years * YEAR + 1, record.first) if years else record.first
        self.basis: Basis = "year" if years else "part" if self.days >= LEAST_DAYS else "rough"
        spells = by_day(record.spells)
        self._whole = _Risk(spells, self.first, last)
        self._season: _Risk | None = None
        if self.days >= LEAST_SEASON:
            self._season = _Risk(spells, last - SEASON[0], last - SEASON[1])

    def of(self, age: int, within: int) -> Chance | Unsaid:
        """The average of the year, or of what there is."""
        return self._said(self._whole, age, within, self.basis)

    def of_season(self, age: int, within: int) -> Chance | Unsaid:
        """That of these weeks a year ago."""
        if self._season is None:
            return Unsaid(f"the history has {self.days:,} days, and these weeks a year ago need {LEAST_SEASON}")
        return self._said(self._season, age, within, "season")

    def _said(self, risk: "_Risk", age: int, within: int, basis: Basis) -> Chance | Unsaid:
        if age < 2 * self._record.gap:
            each = "every day" if self._record.gap == 1 else f"every {self._record.gap} days"
            return Unsaid(f"a snapshot {each} says nothing of {age} days: {2 * self._record.gap} are the least")
        if self.days <= within:
            return Unsaid(f"the history has {self.days:,} days, and who is back within {within} is seen in more")
        people = risk.least_people(age, within)
        if people < LEAST_PEOPLE:
            seen = "1 person was" if people == 1 else f"{people} people were"
            return Unsaid(f"only {seen} seen unused for {age} to {age + within - 1} days")
        share, variance = risk.share(age, within)
        reached = risk.people_at(age)
        known = share * (1 - share) / variance if variance > 0 else 2 * reached
        # Between two snapshots a return has no day: at its ends a window is seen as well as one of so many days more.
        sharp = within / (within + self._record.gap - 1)
        low, high = wilson(share, min(2 * reached, known) * sharp)
        return Chance(age, within, share, low, high, reached, risk.first, risk.last, basis)


class _Risk:
    """Who was at risk at which age on the days from `first` to `last`, and who came back."""

    def __init__(self, spells: Iterable[SharedSpell], first: int, last: int) -> None:
        self.first, self.last = first, last
        self._spans = sorted(_spans(spells, first, last), key=itemgetter(2))
        self._ends = [span[2] for span in self._spans]
        longest = max(self._ends, default=0) + 2
        begins, events = [0.0] * (longest + 1), [0.0] * (longest + 1)
        for _, low, high, returned, part in self._spans:
            begins[low] += part
            begins[high + 1] -= part
            events[high] += part if returned else 0.0
        self._at_risk = list(accumulate(begins))
        self._hazard = [min(e / n, 1.0) if e else 0.0 for e, n in zip(events, self._at_risk, strict=True)]
        self._people = _people(self._spans, longest)

    def people_at(self, age: int) -> int:
        """How many different people were seen at an age."""
        return self._people[age] if age < len(self._people) else 0

    def least_people(self, age: int, within: int) -> int:
        """The fewest that were seen at any age of a window."""
        return min(self.people_at(j) for j in range(age, age + within))

    def share(self, age: int, within: int) -> tuple[float, float]:
        """The chance within a window, and its variance by person: one person's spells are no independent ones."""
        window = range(age, age + within)
        share = 1 - prod(1 - self._hazard[j] for j in window)
        if share >= 1:
            return 1.0, 0.0
        weight = [1 / (self._at_risk[j] * (1 - self._hazard[j])) for j in window]
        sums = [0.0, *accumulate(w * self._hazard[j] for w, j in zip(weight, window, strict=True))]
        influence: dict[int, float] = defaultdict(float)
        for person, low, high, returned, part in self._spans[bisect_left(self._ends, age) :]:
            if low >= age + within:
                continue
            end = min(high, age + within - 1)
            influence[person] -= part * (sums[end - age + 1] - sums[max(low - age, 0)])
            if returned and high == end:
                influence[person] += part * weight[end - age]
        return share, (1 - share) ** 2 * fsum(g * g for g in influence.values())


_Span: TypeAlias = tuple[int, int, int, bool, float]
"""The ages at which a spell was seen: whose, from, to, whether it ended there, and the share that it counts as."""


def _spans(spells: Iterable[SharedSpell], first: int, last: int) -> Iterable[_Span]:
    """The ages at which each spell was seen within some days."""
    for (person, start, since, until, returned, _), part in spells:
        low, high = max(since, first), min(until, last)
        if low <= high:
            yield person, low - start, high - start, returned and until <= last, part


def _people(spans: Sequence[_Span], longest: int) -> list[int]:
    """By age, how many different people were seen."""
    begins = [0] * (longest + 1)
    reached: dict[int, int] = {}
    for person, low, high, _, _ in sorted(spans):
        # What of a person's spell lies behind those before it is new.
        new = max(low, reached.get(person, -1) + 1)
        if new <= high:
            begins[new] += 1
            begins[high + 1] -= 1
            reached[person] = high
    return list(accumulate(begins))
