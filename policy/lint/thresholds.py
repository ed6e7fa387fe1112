"""Times: how long a license must be unused, when a rule ends, and protections that are wider than they read."""

from collections.abc import Iterator
from datetime import date

from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    ListOf,
    Name,
    Not,
    Number,
    Operand,
    Or,
    Rule,
    UnusedFor,
)
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import warning
from seatwarden.policy.lint.rule_space import RuleSpace, bounds
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.formula import Flag, negate

QUARANTINE_DAYS = 7
"""Days of Qlik Sense's quarantine: a license used within the last 7 is set aside for 7, and nobody can have it."""

_FLAGS = {
    "inactive": ("inactive", "active"),
    "blocked": ("blocked", "not blocked"),
    "removedExternally": ("removed externally", "still in the directory"),
}


def find_thresholds(policy: CheckedPolicy, space: RuleSpace, today: date) -> Iterator[Diagnostic]:
    """SW310 expired `until`, SW311 `inactive: no` and its like, SW313 a threshold under 7 days."""
    for number, rule in enumerate(policy.rules):
        if rule.until is not None and number in space.expired:
            message = f"`{rule.title}` is over since {rule.until.value.isoformat()}"
            help_ = "it protects nobody any more: remove it, or give it another last day"
            yield warning("SW310", message, rule.until.span, f"today is {today.isoformat()}", help_)
        if rule.kind == "keep" and number not in space.never | space.always:
            yield from _protects_everyone(rule, space)
        if rule.kind == "release":
            for span, days in least_days(rule.condition, policy):
                yield from _short(rule, span, days)


def _protects_everyone(rule: Rule, space: RuleSpace) -> Iterator[Diagnostic]:
    """A keep rule that matches wherever a flag is not set: nearly always, as such flags are rare."""
    for field, (set_, unset) in _FLAGS.items():
        not_set = Flag(Field(f"user.{field}"), wanted=False)
        matches = negate(space.formula(rule.condition))
        if space.impossible([bounds(rule)[0], not_set, matches]):
            message = f"`{rule.title}` protects every user who is {unset}"
            help_ = (
                f"write `Ignore` to leave the mark out, `Yes` to protect users who are {set_}"
                if rule.name == field
                else f"`not user.{field}` is true of nearly everybody"
            )
            yield warning("SW311", message, rule.condition.span, f"true unless the user is {set_}", help_)


def _short(rule: Rule, span: Span, days: int) -> Iterator[Diagnostic]:
    if 0 < days < QUARANTINE_DAYS:
        message = f"`{rule.title}` releases licenses that were used in the last {QUARANTINE_DAYS} days"
        help_ = f"use {QUARANTINE_DAYS} days or more"
        label = f"Qlik Sense puts these in quarantine for {QUARANTINE_DAYS} days: nobody can have them sooner"
        yield warning("SW313", message, span, label, help_)


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
    value = policy.names[operand.name] if isinstance(operand, Name) else operand
    items = value.items if isinstance(value, ListOf) else (value,)
    return [item.value for item in items if isinstance(item, Number)]
