"""Protections that are over, or wider than they read."""

from collections.abc import Iterator
from datetime import date

from seatwarden.grammar.ast import (
    Field,
    Rule,
)
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import warning
from seatwarden.policy.lint.rule_space import RuleSpace, bounds
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.formula import Flag, negate

_FLAGS = {
    "inactive": ("inactive", "active"),
    "blocked": ("blocked", "not blocked"),
    "removedExternally": ("removed externally", "still in the directory"),
}


def find_protections(policy: CheckedPolicy, space: RuleSpace, today: date) -> Iterator[Diagnostic]:
    """SW310 expired `until`, SW311 `inactive: no` and its like."""
    for number, rule in enumerate(policy.rules):
        if rule.until is not None and number in space.expired:
            message = f"`{rule.title}` is over: its last day was {rule.until.value.isoformat()}"
            help_ = "it protects nobody any more: remove it, or give it another last day"
            yield warning("SW310", message, rule.until.span, f"today is {today.isoformat()}", help_)
        if rule.kind == "keep" and number not in space.never | space.always:
            yield from _protects_everyone(number, rule, space)


def _protects_everyone(number: int, rule: Rule, space: RuleSpace) -> Iterator[Diagnostic]:
    """A keep rule that matches wherever a flag is not set: nearly always, as such flags are rare."""
    for field, (set_, unset) in _FLAGS.items():
        not_set = Flag(Field(f"user.{field}"), wanted=False)
        matches = negate(space.formula(rule.condition))
        if space.impossible(number, [bounds(rule)[0], not_set, matches]):
            message = f"`{rule.title}` protects every user who is {unset}"
            help_ = (
                f"write `Ignore` to leave the mark out, `Yes` to protect users who are {set_}"
                if rule.name == field
                else f"`not user.{field}` is true of nearly everybody"
            )
            yield warning("SW311", message, rule.condition.span, f"true unless the user is {set_}", help_)
