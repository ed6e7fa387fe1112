"""What a schedule really fires on, by looking at its occurrences: values that it passes over, steps that are uneven."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice, pairwise

from seatwarden.grammar.schedule.ast import Every, Pattern, ScheduleTree, UnitName
from seatwarden.policy.schedule.calendar import COUNTED_FROM_ONE_END, FIRST_YEAR, UNITS
from seatwarden.policy.schedule.schedule import Clauses, Constraint, Schedule, Tick, compile_schedule

_LOOKED_AT = 1_000
"""Ticks that are looked at: of days almost three years, of weeks twenty."""
_START = datetime(FIRST_YEAR, 1, 1)


def passed_over(pattern: Pattern, unit: UnitName) -> list[int]:
    """The values of a unit that a pattern lists and would fire on if they stood in order, but does not."""
    rules = _compiled(pattern).rules
    listed = next((rule for rule in rules if rule.unit is UNITS[unit] and type(rule) is Constraint), None)
    if listed is None:
        return []
    ordered = Constraint(listed.unit, tuple(sorted(listed.values, key=lambda value: place_of(unit, value))))
    if ordered.values == listed.values:
        return []
    # What is shorter decides when in such a period it fires, not in which.
    around = [rule for rule in rules if rule.seconds >= listed.seconds and rule is not listed]
    comes, would_come = (_coming(one, around) for one in (listed, ordered))
    return [value for value in listed.values if value in would_come - comes]


def place_of(unit: UnitName, value: int) -> tuple[bool, int]:
    """The place of a value in its order: 0 is the last of its kind."""
    return value == 0 and (unit in COUNTED_FROM_ONE_END or UNITS[unit].written[0] > 0), value


def is_even(clause: Every) -> bool:
    """Whether a step always takes as many periods of its unit as it says."""
    if clause.unit in _ALWAYS_AS_MANY:
        lowest, highest = UNITS[clause.unit].written
        return (highest - lowest + 1) % (clause.step or 1) == 0
    return seems_even(clause)


_ALWAYS_AS_MANY: tuple[UnitName, ...] = ("second", "minute", "hour", "month")
"""The units of which there are always as many in what they are counted in."""


def seems_even(clause: Every) -> bool:
    """The same by its occurrences."""
    unit, step = UNITS[clause.unit], clause.step or 1
    alone = _compiled(Pattern((clause,), clause.span))
    for tick, later in pairwise(_ticks(alone)):
        at = tick
        for _ in range(step):
            if at >= later:
                return False
            at = unit.following(at)
        if at != later:
            return False
    return True


def _coming(listed: Constraint, around: list[Constraint]) -> set[int]:
    """The values of a list that come, with what else must hold."""
    rules = sorted((listed, *around), key=lambda rule: -rule.seconds)
    sought = set(listed.values)
    ticks = list(_ticks(Clauses(tuple(rules))))
    # What stands before the larger values may come once, where the search happens to begin, and then no more.
    for at in ticks[_LOOKED_AT // 4 :] if len(ticks) == _LOOKED_AT else ticks:
        sought -= {value for value in sought if listed.unit.holds(at, value)}
        if not sought:
            break
    return set(listed.values) - sought


def _compiled(pattern: Pattern) -> Clauses:
    return compile_schedule(ScheduleTree((pattern,), (), ())).patterns[0]


def _ticks(clauses: Clauses) -> Iterator[datetime]:
    ticks = Schedule((clauses,), ()).ticks_after(_START)
    return (tick.at for tick in islice(ticks, _LOOKED_AT) if isinstance(tick, Tick))
