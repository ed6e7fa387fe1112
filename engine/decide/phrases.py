"""Evaluated conditions in words, with the actual values: one vocabulary for reasons and explanations."""

from dataclasses import replace
from datetime import date

from msgspec import structs

from seatwarden.engine.common.text import plural, quoted
from seatwarden.engine.decide.reference import Trace
from seatwarden.engine.facts.facts import Fact, Unknown
from seatwarden.grammar.ast import Comparison, Field, IsEmpty, ListOf, Name, Not, Operand, Operator, UnusedFor
from seatwarden.grammar.printer import print_condition, print_field, print_operand
from seatwarden.policy.operators import POSITIVE, Value
from seatwarden.policy.vocabulary import VOCABULARY, Type

MAX_VALUES = 6
"""Most values of a list that are shown."""


def phrase(trace: Trace) -> str:
    """The finding of a condition without parts, like `user.userDirectory = "ADMIN", listed`."""
    for _, fact in trace.facts:
        if isinstance(fact, Unknown) and trace.truth is None:
            return f"unknown: {fact.reason}"
    match trace.condition:
        case UnusedFor():
            return f"{last_use_phrase(trace)}; {trace.condition.days} needed"
        case Comparison(operator, left, right) if operator not in POSITIVE:
            return f"{_side(left, trace)}{_verdict(operator, left, right, trace)}"
        case Comparison(operator):
            opposite = replace(trace.condition, operator=POSITIVE[operator])
            return _negated(structs.replace(trace, condition=opposite, truth=not trace.truth))
        case IsEmpty(field) if not trace.truth:
            return f"{print_field(field)} = {_of_field(field, dict(trace.facts)[field])}"
        case Field("license.neverUsed", None):
            return "never used" if trace.truth else "used before"
        case Field() as field:
            return f"{print_field(field)} is {'true' if trace.truth else 'false'}"
        case Not():
            return _negated(trace.parts[0])
        case condition:
            return print_condition(condition)


def _negated(part: Trace) -> str:
    """The finding under a `not`, marked where the words alone would read as if it were wanted."""
    found = phrase(part)
    return f"not wanted: {found}" if part.truth and not isinstance(part.condition, Field) else found


def last_use_phrase(trace: Trace) -> str:
    """The last use behind an `unused for`, like `last used 2026-09-01, 81 days ago`."""
    facts = {field.name: fact for field, fact in trace.facts}
    days = _first(facts.get("license.unusedDays"))
    if isinstance(days, str):  # a range, in a plan with pseudonyms
        return f"unused for {days}"
    used, allocated = _first(facts.get("license.lastUsed")), _first(facts.get("license.createdDate"))
    ago = days_ago(days) if isinstance(days, int) else "on an unknown day"
    if used is None:
        return f"never used, allocated {allocated}, {ago}" if allocated is not None else "never used"
    return f"last used {used}, {ago}"


def days_ago(days: int) -> str:
    """`today`, `1 day ago`, `81 days ago`, `in 2 days` (clocks differ)."""
    if days == 0:
        return "today"
    if days < 0:
        return f"in {plural(-days, 'day')}"
    return f"{plural(days, 'day')} ago"


def show_values(fact: Fact) -> str:
    """The values of a fact, the first few of many; `none` when there is none."""
    if isinstance(fact, Unknown):
        return "unknown"
    shown = [_show(value) for value in fact[:MAX_VALUES]]
    more = len(fact) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if fact else "none"


def _side(operand: Operand, trace: Trace) -> str:
    if not isinstance(operand, Field):
        return print_operand(operand)
    fact = next((fact for field, fact in trace.facts if field == operand), ())
    if not fact:
        return f"{print_field(operand)} has no value"
    on_left = isinstance(trace.condition, Comparison) and operand == trace.condition.left
    if on_left and trace.truth and isinstance(fact, tuple) and len(fact) > 1:
        return f"{print_field(operand)} has {_of_field(operand, trace.hits)}"
    return f"{print_field(operand)} = {_of_field(operand, fact)}"


def _of_field(field: Field, fact: Fact) -> str:
    """The values of a field; a range of days or numbers stands there as it is."""
    if isinstance(fact, tuple) and VOCABULARY[field.name].type in (Type.NUMBER, Type.DATE):
        return ", ".join(value if isinstance(value, str) else _show(value) for value in fact) or "none"
    return show_values(fact)


def _verdict(operator: Operator, left: Operand, right: Operand, trace: Trace) -> str:
    """The result of the comparison: with the other side where it is short, `listed` where it is a list."""
    if isinstance(right, Name | ListOf) and operator in ("=", "=="):
        where = f" in {right.name}" if isinstance(right, Name) else ""
        return f", {'listed' if trace.truth else 'not listed'}{where}"
    if operator not in ("=", "=="):
        return f", {'' if trace.truth else 'not '}{operator} {_side(right, trace)}"
    if trace.truth and isinstance(left, Field) and not isinstance(right, Field):
        return ""
    return f", {'the same as' if trace.truth else 'not'} {_side(right, trace)}"


def _first(fact: Fact | None) -> Value | None:
    return fact[0] if isinstance(fact, tuple) and fact else None


def _show(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else quoted(value) if isinstance(value, str) else str(value)
