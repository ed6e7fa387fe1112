"""Releases without disuse: rules that can take a license on the very day of its use, whatever the keep rules say."""

from collections.abc import Collection, Iterator
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING

from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    Not,
    Number,
    Operand,
    Or,
    Rule,
    UnusedFor,
)
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import head, warning
from seatwarden.policy.loading import CheckedPolicy

if TYPE_CHECKING:
    from seatwarden.policy.worlds.formula import Formula
    from seatwarden.policy.worlds.world import World

MOST_WORLDS = 20
"""Most worlds that are looked at for one that proves it."""


def find_without_disuse(
    policy: CheckedPolicy, today: date, never: Collection[int] = frozenset()
) -> Iterator[Diagnostic]:
    """SW312 a threshold of 0 days, SW322 a release that asks for no disuse; rules that `never` match are left out."""
    for number, rule in enumerate(policy.rules):
        if rule.kind != "release" or number in never:
            continue
        spans = [span for span, days in least_days(rule.condition, policy) if days <= 0]
        for span in spans:
            message = f"`{rule.title}` releases licenses that were used today"
            help_ = "write how many days a license must be unused, like 30; the limit of a run still holds"
            yield warning("SW312", message, span, "every license is unused for 0 days", help_)
        if not spans and world_of_use(rule, policy, today) is not None:
            message = f"`{rule.title}` can release a license on the day of its use"
            help_ = 'add "and unused for 30 days"; or say why it is meant: # seatwarden: allow SW322 …'
            yield warning("SW322", message, head(rule), "it does not ask for disuse", help_)


def world_of_use(rule: Rule, policy: CheckedPolicy, today: date) -> "World | None":
    """A world, on `today` or later, in which the rule releases a license that is used on that day; None where none is
    found."""
    if _waits(rule.condition):
        return None
    # Nearly all rules wait, and to import what follows takes longer than to read a policy.
    from seatwarden.policy.worlds.formula import all_of, negate
    from seatwarden.policy.worlds.policies import rule_formula
    from seatwarden.policy.worlds.search import Space, Undecided

    keeps = [negate(rule_formula(keep, policy.names)) for keep in policy.rules if keep.kind == "keep"]
    goal = all_of([rule_formula(rule, policy.names), *keeps, _used_that_day(today)])
    try:
        # Where a text that nobody spelled out decides, a world proves nothing.
        worlds = islice(Space([goal]).worlds(goal), MOST_WORLDS)
        return next((world for world in worlds if not world.is_wild), None)
    except Undecided:
        return None


def _waits(condition: Condition) -> bool:
    """Whether a condition asks for disuse at its top, as nearly all do; then nothing needs to be searched."""
    parts = condition.operands if isinstance(condition, And) else (condition,)
    return any(isinstance(part, UnusedFor) and part.days > 0 for part in parts)


def _used_that_day(first: date) -> "Formula":
    """The license, and with it its user, has its last use today; today is not before `first`."""
    from seatwarden.policy.worlds.days import DayField
    from seatwarden.policy.worlds.formula import Flag, Within, all_of
    from seatwarden.policy.worlds.translate import NEVER_USED, USER_LAST_USED

    on_the_day = [
        Within(one, other, 0)
        for used in (DayField.LAST_USED, DayField.USER_LAST_USED)
        for one, other in ((DayField.TODAY, used), (used, DayField.TODAY))
    ]
    from_then_on = Within(DayField.ORIGIN, DayField.TODAY, -first.toordinal())
    return all_of([Flag(NEVER_USED, wanted=False), Flag(USER_LAST_USED), from_then_on, *on_the_day])


def least_days(condition: Condition, policy: CheckedPolicy, wanted: bool = True) -> Iterator[tuple[Span, int]]:
    """Every least number of unused days that a condition asks for, with its place."""
    match condition:
        case And(operands) | Or(operands):
            for operand in operands:
                yield from least_days(operand, policy, wanted)
        case Not(operand):
            yield from least_days(operand, policy, not wanted)
        case UnusedFor() if wanted:
            yield condition.span, condition.days
        case Comparison(operator, Field("license.unusedDays"), right) if wanted and operator in (">", ">="):
            yield from ((condition.span, n + (operator == ">")) for n in _numbers(right, policy))
        case _:
            return


def _numbers(operand: Operand, policy: CheckedPolicy) -> list[int]:
    return [value.value for value in policy.values_of(operand) if isinstance(value, Number)]
