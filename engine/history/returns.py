"""On which day people came back, where snapshots are further apart than a day.

A snapshot says when a license was used last, and not when that began: of two snapshots with a week in between, anybody
who is back may be so on any day of it. To date all by the last use moves those who come monthly past the thirtieth day,
and the chance with them by 2 to 5 points; see bench/habits.py.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import fsum
from typing import TypeAlias

from seatwarden.engine.history.spells import Spell

SharedSpell: TypeAlias = tuple[Spell, float]
"""A spell that ends, if it does, on one day, and the share of a person that it counts as."""


def by_day(spells: Sequence[Spell]) -> list[SharedSpell]:
    """The spells, each of those whose last day is in doubt as several: one for each day, all of them one person.

    First every day of a spell has the same share; what that says of each age then weighs the days. To go on so makes
    peaks out of chance: more rounds were further from the truth.
    """
    if not any(spell.doubt for spell in spells):
        return [(spell, 1.0) for spell in spells]
    returns_at = _returns_at(spells)
    return [shared for spell in spells for shared in _shared(spell, returns_at)]


def _shared(spell: Spell, returns_at: Sequence[float]) -> Iterator[SharedSpell]:
    if not spell.doubt:
        yield spell, 1.0
        return
    days = range(spell.until - spell.doubt, spell.until + 1)
    weights = [returns_at[day - spell.start] for day in days]
    whole = fsum(weights)
    if not whole:
        weights, whole = [1.0] * len(weights), len(weights)
    for day, weight in zip(days, weights, strict=True):
        if weight:
            yield spell._replace(until=day, doubt=0), weight / whole


def _returns_at(spells: Iterable[Spell]) -> list[float]:
    """By age, the share of all who come back at it, when each spell in doubt ends on all of its days alike."""
    begins, ends, returns = Counter[int](), Counter[int](), Counter[int]()
    doubtful = Counter[tuple[int, int]]()
    for spell in spells:
        begins[spell.since - spell.start] += 1
        if not spell.returned:
            ends[spell.until - spell.start] += 1
        elif spell.doubt:
            doubtful[spell.until - spell.doubt - spell.start, spell.until - spell.start] += 1
        else:
            returns[spell.until - spell.start] += 1
    at = [float(returns[age]) for age in range(max(spell.until - spell.start for spell in spells) + 1)]
    for (low, high), count in doubtful.items():
        for age in range(low, high + 1):
            at[age] += count / (high - low + 1)
    found, at_risk, stays = [], 0.0, 1.0
    for age, back in enumerate(at):
        at_risk += begins[age]
        hazard = min(back / at_risk, 1.0) if back else 0.0
        found.append(stays * hazard)
        stays *= 1 - hazard
        at_risk -= back + ends[age]
    return found
