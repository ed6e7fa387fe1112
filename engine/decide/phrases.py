"""Evaluated conditions in words, with the actual values: one vocabulary for reasons and explanations."""

from collections.abc import Mapping
from datetime import date

from msgspec import structs

from seatwarden.engine.common.text import in_days, quoted
from seatwarden.engine.decide.reference import Trace
from seatwarden.engine.facts.facts import Fact, as_read
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import (
    Comparison,
    Field,
    IsEmpty,
    ListOf,
    Name,
    Not,
    Operand,
    Operator,
    ReadAs,
    Season,
    Shifted,
    UnusedFor,
    field_of,
)
from seatwarden.grammar.printer import print_condition, print_day, print_field, print_operand
from seatwarden.policy.operators import POSITIVE, Value, moved
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
            opposite = trace.condition.but(operator=POSITIVE[operator])
            return _negated(structs.replace(trace, condition=opposite, truth=not trace.truth))
        case Season(first, last):
            where = "in the season" if trace.truth else "not in the season"
            return f"today = {show_values(trace.facts[0][1])}, {where} from {print_day(first)} to {print_day(last)}"
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
    if isinstance(trace.condition, UnusedFor) and trace.condition.of_user:
        return _last_use_of_user(facts)
    days = _first(facts.get("license.unusedDays"))
    if isinstance(days, str):  # a range, in a plan with pseudonyms
        return f"unused for {days}"
    used, allocated = _first(facts.get("license.lastUsed")), _first(facts.get("license.createdDate"))
    ago = in_days(-days) if isinstance(days, int) else "on an unknown day"
    if used is None:
        return f"never used, allocated {allocated}, {ago}" if allocated is not None else "never used"
    return f"last used {used}, {ago}"


def _last_use_of_user(facts: Mapping[str, Fact]) -> str:
    days, used = _first(facts.get("user.unusedDays")), _first(facts.get("user.lastUsed"))
    if isinstance(days, str):  # a range, in a plan with pseudonyms
        return f"no license used for {days}"
    ago = in_days(-days) if isinstance(days, int) else "on an unknown day"
    if used is None:
        return f"never used any license, the latest was allocated {ago}"
    return f"last used any license {used}, {ago}"


def show_values(fact: Fact) -> str:
    """The values of a fact, the first few of many; `none` when there is none."""
    if isinstance(fact, Unknown):
        return "unknown"
    shown = [_show(value) for value in fact[:MAX_VALUES]]
    more = len(fact) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "") if fact else "none"


def _side(operand: Operand, trace: Trace) -> str:
    field = field_of(operand)
    if isinstance(operand, Shifted) and field is not None:
        days = [value for value in _read(operand.base, trace) if isinstance(value, date)]
        if not days:  # none, or a range in a plan with pseudonyms
            return _unread(operand, field, trace)
        return f"{print_operand(operand)} = {show_values(tuple(moved(day, operand.days) for day in days))}"
    if isinstance(operand, ReadAs):
        read = _read(operand, trace)
        if not read:  # none, or a class of texts in a plan with pseudonyms
            return _unread(operand, operand.field, trace)
        hits = _is_left(operand, trace) and trace.truth and len(read) > 1
        return f"{print_operand(operand)} {'has' if hits else '='} {show_values(trace.hits if hits else read)}"
    if not isinstance(operand, Field):
        return print_operand(operand)
    fact = next((fact for field, fact in trace.facts if field == operand), ())
    if not fact:
        return f"{print_field(operand)} has no value"
    if _is_left(operand, trace) and trace.truth and isinstance(fact, tuple) and len(fact) > 1:
        return f"{print_field(operand)} has {_of_field(operand, trace.hits)}"
    return f"{print_field(operand)} = {_of_field(operand, fact)}"


def _unread(operand: Operand, field: Field, trace: Trace) -> str:
    shown = _side(field, trace)
    return f"{print_operand(operand)}, {shown}" if dict(trace.facts)[field] else shown


def _read(operand: Operand, trace: Trace) -> tuple[Value, ...]:
    """The values of an operand that hangs on a fact; none where they are not known exactly."""
    field = field_of(operand)
    fact = dict(trace.facts)[field] if field is not None else ()
    fact = as_read(operand, fact) if isinstance(operand, ReadAs) else fact
    return fact if isinstance(fact, tuple) else ()


def _is_left(operand: Operand, trace: Trace) -> bool:
    return isinstance(trace.condition, Comparison) and operand == trace.condition.left


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
    field = field_of(right)
    if field is not None and dict(trace.facts)[field] == ():
        return f", and {_side(right, trace)}"
    if operator not in ("=", "=="):
        return f", {'' if trace.truth else 'not '}{operator} {_side(right, trace)}"
    if trace.truth and isinstance(left, Field | ReadAs) and not isinstance(right, Field | ReadAs):
        return ""
    return f", {'the same as' if trace.truth else 'not'} {_side(right, trace)}"


def _first(fact: Fact | None) -> Value | None:
    return fact[0] if isinstance(fact, tuple) and fact else None


def _show(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else quoted(value) if isinstance(value, str) else str(value)
