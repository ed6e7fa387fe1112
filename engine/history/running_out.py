"""When the licenses of a type run out: the day on which none is left, with the interval in which four of five lie.

The future is made of weeks that were, drawn many times: so the rhythm of the week and large joins stay as they are. Two
errors come on top that such a drawing does not see: that of the average itself, which is known from a few blocks only,
and that the rates at which people join and leave change. bench/capacity.py measures how often the interval holds.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, hypot, sqrt
from statistics import fmean, stdev

PATHS = 400
LEAST_DAYS, ROUGH_DAYS = 56, 90
"""Days of flows below which nothing is said, and below which it is rough."""
MOST_DAYS = 365
"""Days of flows that are looked at."""
QUANTILES = (0.05, 0.50, 0.85)
"""10 and 90 miss much oftener on one side than on the other: licenses run out earlier than the past says."""
_BLOCKS = (28, 14)
_LEAST_BLOCKS = 4
"""Fewer than so many blocks tell too little of how blocks differ; then they are shorter."""
_MOST_CHANGE, _CHANGE = 0.35, 0.5
"""How far a rate may change: at most in terms of its average, and in terms of how it has varied."""


@dataclass(frozen=True, slots=True)
class RunningOut:
    """In how many days no license is left: `early`, `middle` and `late` are the 5, 50 and 85 % quantiles, None where
    that is beyond the `horizon`. `days` are those of the flows that it is drawn from."""

    early: int | None
    middle: int | None
    late: int | None
    horizon: int
    days: int

    @property
    def bounds(self) -> Mapping[str, int | None]:
        """The three by the names that programs know them by."""
        return {"earliest": self.early, "middle": self.middle, "latest": self.late}

    @property
    def rough(self) -> bool:
        """Whether it is drawn from so few days that it is little more than a guess."""
        return self.days < ROUGH_DAYS


def running_out(
    arrivals: Sequence[float], exits: Sequence[float], free: int, horizon: int, seed: int | str
) -> RunningOut:
    """The forecast from flows a day, oldest first and up to today, and the licenses that are free today.

    Of at least `LEAST_DAYS` only the last `MOST_DAYS` count. The same seed draws the same.
    """
    net = [a - e for a, e in zip(arrivals, exits, strict=True)][-MOST_DAYS:]
    size = next(size for size in _BLOCKS if len(net) >= _LEAST_BLOCKS * size)
    blocks = _blocks(net, size)
    error = stdev(blocks) / sqrt(len(blocks))
    change = hypot(_change(arrivals[-MOST_DAYS:]), _change(exits[-MOST_DAYS:]))
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
    starts = range(len(net) % 7, len(net) - size + 1, 7)
    found = []
    for _ in range(PATHS):
        drift = error * _student(draw, len(blocks) - 1) + draw.gauss(0, change)
        found.append(_first_day_without(draw, net, starts, size, drift, free, horizon))
    found.sort()
    early, middle, late = (_within(found[ceil(q * PATHS) - 1], horizon) for q in QUANTILES)
    return RunningOut(early, middle, late, horizon, len(net))


def _within(day: int, horizon: int) -> int | None:
    return day if day <= horizon else None


def _blocks(net: Sequence[float], size: int) -> list[float]:
    """The average a day of each whole block, the last of them ending today."""
    return [fmean(net[start : start + size]) for start in range(len(net) % size, len(net), size)]


def _change(flow: Sequence[float]) -> float:
    """By how much a day a rate may be another one in the future: the deviation of it."""
    blocks, average = _blocks(flow, 28), fmean(flow)
    if average <= 0:
        return 0.0
    return min(_MOST_CHANGE, _CHANGE * stdev(blocks) / average) * average


def _student(draw: random.Random, freedom: int) -> float:
    """A draw from Student's t distribution."""
    return draw.gauss(0, 1) / sqrt(draw.gammavariate(freedom / 2, 2) / freedom)


def _first_day_without(
    draw: random.Random, net: Sequence[float], starts: range, size: int, drift: float, free: int, horizon: int
) -> int:
    """The first day, counted from tomorrow as 1, on which a drawn future has no free license; beyond the horizon one
    more than that."""
    if free <= 0:
        return 0
    left, day = float(free), 0
    while day < horizon:
        start = draw.choice(starts)
        for flow in net[start : start + size]:
            day += 1
            left -= flow + drift
            if left <= 0:
                return min(day, horizon + 1)
    return horizon + 1
