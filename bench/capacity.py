"""Pools of licenses whose future is known, and how often the forecast of the day on which none is left holds.

A pool is lived day by day: people join and leave, more in some months than in others, at rates that change; whole
departments join at once, licenses are bought, and seatwarden releases many at a time, of whom some come back. The truth
is the same pool lived on, without purchases and releases. `python -m bench.capacity` prints how it holds.
"""

import random
import sys
from dataclasses import dataclass
from math import cos, exp, pi
from statistics import median

from seatwarden.engine.history.running_out import RunningOut, running_out

HORIZON = 365
DAYS = (90, 180, 365)
_AFTER = 400


@dataclass(frozen=True, slots=True)
class Lived:
    """A pool over time: what a history tells of it, and the day after its end on which none is left (None: not within
    the horizon)."""

    arrivals: list[float]
    exits: list[float]
    free: int
    truth: int | None


def lived(draw: random.Random, days: int) -> Lived:
    """A pool whose history has so many days."""
    holders = round(exp(draw.uniform(5, 8.3)))
    rate = _Rate(draw, holders * draw.uniform(0.15, 0.6) / 365, days + _AFTER)
    leaving = _Rate(draw, rate.average * draw.uniform(0.2, 0.9), days + _AFTER)
    joins = _bulk_joins(draw, holders, days + _AFTER)
    total = holders + max(3, round(holders * exp(draw.uniform(-3.5, -1.2))))
    releases = sorted(draw.sample(range(days), draw.choice((0, 0, 1, 3))))
    arrivals, exits, returns = [], [], dict[int, int]()
    weekday = draw.randrange(7)
    for day in range(days):
        came = _poisson(draw, rate.on(day, weekday)) + joins.get(day, 0)
        left = _poisson(draw, leaving.on(day, weekday))
        holders += came - left + returns.get(day, 0)
        arrivals.append(float(came))
        exits.append(float(left))
        if day in releases:
            released = round(holders * draw.uniform(0.03, 0.15))
            holders -= released
            for _ in range(released):
                if draw.random() < 0.25:
                    back = day + 1 + int(draw.expovariate(1 / 40))
                    returns[back] = returns.get(back, 0) + 1
        if holders > total or (holders > 0.98 * total and draw.random() < 0.05):
            total = holders + max(3, round(total * draw.uniform(0.03, 0.15)))
    free, truth = total - holders, None
    for day in range(days, days + HORIZON):
        holders += _poisson(draw, rate.on(day, weekday)) + joins.get(day, 0) + returns.get(day, 0)
        holders -= _poisson(draw, leaving.on(day, weekday))
        if holders >= total:
            truth = day - days + 1
            break
    return Lived(arrivals, exits, free, truth)


class _Rate:
    """How many people a day join or leave: by season, weekday, and changing for good a few times a year."""

    def __init__(self, draw: random.Random, average: float, days: int) -> None:
        self.average = average
        self._season, self._phase = draw.uniform(0, 0.3), draw.randrange(365)
        self._levels, level = [], 1.0
        for _ in range(days):
            if draw.random() < 1.5 / 365:
                level *= exp(draw.gauss(0, 0.2))
            self._levels.append(level)

    def on(self, day: int, weekday: int) -> float:
        """The expected number of a day; nearly all of it on working days."""
        week = 1.36 if (day + weekday) % 7 < 5 else 0.1
        return self.average * self._levels[day] * week * (1 + self._season * cos(2 * pi * (day - self._phase) / 365))


def _bulk_joins(draw: random.Random, holders: int, days: int) -> dict[int, int]:
    """Departments that join at once, up to four a year."""
    yearly = draw.choice((0, 0, 1, 2, 4))
    return {
        day: max(1, round(holders * draw.uniform(0.005, 0.03))) for day in range(days) if draw.random() < yearly / 365
    }


def _poisson(draw: random.Random, mean: float) -> int:
    count, left = 0, draw.expovariate(1)
    while left < mean:
        count += 1
        left += draw.expovariate(1)
    return count


def holds(found: RunningOut, truth: int | None) -> bool:
    """Whether the day lies in the interval; beyond the horizon all days are one."""
    early, day, late = (found.horizon + 1 if day is None else day for day in (found.early, truth, found.late))
    return early <= day <= late


def calibration(histories: int, days: int, seed: int = 7) -> dict[str, float]:
    """How many intervals hold, their median width in days (open ends cut at the horizon), and how many are closed."""
    draw = random.Random(f"{seed} {days}")  # noqa: S311 - repeatable on purpose
    held, widths, closed = 0, list[int](), 0
    for number, pool in enumerate(lived(draw, days) for _ in range(histories)):
        found = running_out(pool.arrivals, pool.exits, pool.free, HORIZON, number)
        held += holds(found, pool.truth)
        early, late = (HORIZON if day is None else day for day in (found.early, found.late))
        widths.append(late - early)
        closed += found.late is not None
    return {"days": days, "held": held / histories, "width": median(widths), "closed": closed / histories}


if __name__ == "__main__":
    for length in DAYS:
        sys.stdout.write(f"{calibration(200, length)}\n")
