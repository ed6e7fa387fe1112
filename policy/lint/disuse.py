"""Releases without disuse: rules that can take a license on the very day of its use, whatever the keep rules say."""

from collections.abc import Iterator
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
from seatwarden.policy.lint.findings import head, is_yaml, warning
from seatwarden.policy.loading import CheckedPolicy

if TYPE_CHECKING:
    from seatwarden.policy.lint.rule_space import RuleSpace
    from seatwarden.policy.worlds.formula import Formula
    from seatwarden.policy.worlds.world import World

QUARANTINE_DAYS = 7
"""Days of Qlik Sense's quarantine: a license used within the last 7 is set aside for 7, and nobody can have it."""
MOST_WORLDS = 20
"""Most worlds that are looked at for one that proves it."""


def find_without_disuse(policy: CheckedPolicy, today: date, space: "RuleSpace | None" = None) -> Iterator[Diagnostic]:
    """SW312 a threshold of 0 days, SW322 a release that asks for no disuse and does not say that it is meant.

    What a rule means is asked, not how it is written: a world proves each. With the `space` of the policy's rules those
    that never match are left out, and those of which it is not decided are kept there.
    """
    for number, rule in _releases(policy, space):
        if rule.regardless_of_use or not is_proved(number, policy, today, space, 0):
            continue
        spans = [span for span, days in least_days(rule.condition, policy) if days <= 0]
        for span in spans:
            message = f"`{rule.title}` {rule.does} licenses that were used today"
            help_ = "write how many days a license must be unused, like 30; the limit of a run still holds"
            yield warning("SW312", message, span, "every license is unused for 0 days", help_)
        if not spans:
            message = f"`{rule.title}` can {rule.kind} a license on the day of its use"
            meant = "`regardlessOfUse: true`" if is_yaml(policy) else "`regardless of use` at the end"
            help_ = f'add "and unused for 30 days"; or say that it is meant: {meant}'
            yield warning("SW322", message, head(rule), "it does not ask for disuse", help_)


def find_said_in_vain(policy: CheckedPolicy, today: date, space: "RuleSpace") -> Iterator[Diagnostic]:
    """SW326: `regardless of use` where the rule cannot release a license on the day of its use anyway."""
    for number, rule in _releases(policy, space):
        if rule.regardless_of_use and is_proved(number, policy, today, space, 0) is False:
            message = f"`{rule.title}` cannot {rule.kind} a license on the day of its use"
            help_ = f"leave `{'regardlessOfUse' if is_yaml(policy) else 'regardless of use'}` out"
            yield warning("SW326", message, rule.regardless_span, "this changes nothing", help_)


def find_short(policy: CheckedPolicy, today: date, space: "RuleSpace") -> Iterator[Diagnostic]:
    """SW313: a threshold under 7 days, where the rule releases what was used within them."""
    for number, rule in _releases(policy, space):
        spans = [span for span, days in least_days(rule.condition, policy) if 0 < days < QUARANTINE_DAYS]
        if not spans and (rule.regardless_of_use or is_proved(number, policy, today, space, 0) is not False):
            continue  # it is meant, or is said of the day of use
        if is_proved(number, policy, today, space, QUARANTINE_DAYS - 1):
            # Days can be asked for in more ways than are looked for: then it is the rule that says so.
            for span in spans or [head(rule)]:
                message = f"`{rule.title}` {rule.does} licenses that were used in the last {QUARANTINE_DAYS} days"
                label = f"Qlik Sense puts these in quarantine for {QUARANTINE_DAYS} days: nobody can have them sooner"
                yield warning("SW313", message, span, label, f"use {QUARANTINE_DAYS} days or more")


def _releases(policy: CheckedPolicy, space: "RuleSpace | None") -> Iterator[tuple[int, Rule]]:
    """The rules that take licenses and can match, by number."""
    never = space.never if space is not None else frozenset[int]()
    return ((n, rule) for n, rule in enumerate(policy.rules) if rule.takes and n not in never)


def is_proved(number: int, policy: CheckedPolicy, today: date, space: "RuleSpace | None", within: int) -> bool | None:
    """Whether the rule releases what was used so few days ago; None where that is not decided."""
    rule = policy.rules[number]
    if _waits(rule.condition, within):
        return False
    # Nearly all rules wait, and to import what follows takes longer than to read a policy.
    from seatwarden.policy.worlds.search import Undecided, Unproved

    try:
        return world_of_use(rule, policy, today, within) is not None
    except Undecided as why:
        if space is not None:
            (space.unproved if isinstance(why, Unproved) else space.undecided).add(number)
        return None


def world_of_use(rule: Rule, policy: CheckedPolicy, today: date, within: int = 0) -> "World | None":
    """A world, on `today` or later, in which the rule releases a license that was used on that day, or some days before
    at most; None where there is none. Raises Undecided."""
    from seatwarden.policy.worlds.formula import all_of, negate
    from seatwarden.policy.worlds.policies import rule_formula
    from seatwarden.policy.worlds.search import Space, Unproved

    formula = all_of([rule_formula(rule, policy.names), _used(today, within)])
    keeps = [negate(rule_formula(other, policy.names)) for other in policy.rules if other.beats(rule)]
    space = Space([formula, *keeps])
    kept_out: list[Formula] = []
    while True:
        # Nearly all keep rules have nothing to do with it: those are added that keep the license in the world at hand.
        worlds = list(islice(space.worlds(formula, *kept_out), MOST_WORLDS))
        if not worlds:
            return None
        # Where a text that nobody spelled out decides, a world proves nothing.
        tame = [world for world in worlds if not world.is_wild]
        proof = next((world for world in tame if all(map(world.satisfies, keeps))), None)
        if proof is not None:
            return proof
        broken = next((keep for world in tame for keep in keeps if not world.satisfies(keep)), None)
        if broken is None:
            raise Unproved
        kept_out.append(broken)


def _waits(condition: Condition, beyond: int) -> bool:
    """Whether a condition asks for more days of disuse at its top, as nearly all do; then nothing is to be searched."""
    parts = condition.operands if isinstance(condition, And) else (condition,)
    return any(isinstance(part, UnusedFor) and part.days > beyond for part in parts)


def _used(first: date, within: int) -> "Formula":
    """The license has its last use today or some days before at most, and with it its user; today is not before
    `first`."""
    from seatwarden.policy.worlds.days import DayField
    from seatwarden.policy.worlds.formula import Flag, Within, all_of
    from seatwarden.policy.worlds.translate import NEVER_USED, USER_LAST_USED

    lately = [
        one
        for used in (DayField.LAST_USED, DayField.USER_LAST_USED)
        for one in (Within(DayField.TODAY, used, within), Within(used, DayField.TODAY, 0))
    ]
    from_then_on = Within(DayField.ORIGIN, DayField.TODAY, -first.toordinal())
    return all_of([Flag(NEVER_USED, wanted=False), Flag(USER_LAST_USED), from_then_on, *lately])


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
