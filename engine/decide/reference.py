"""The reference evaluator: a tree walk in three-valued logic. It is what a policy means.

True, false and unknown (None) combine by Kleene's rules: `and` is false as soon as one part is false, `or`
true as soon as one is true, and unknown otherwise when any part is. Evaluation is total: it cannot raise on a
checked policy, it ends, and it reads no clock.
"""

from collections.abc import Mapping
from datetime import date

from msgspec import Struct

from seatwarden.engine.facts.facts import Fact, Facts, as_read, emptiness
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    IsEmpty,
    ListOf,
    Name,
    Not,
    Operand,
    Operator,
    Or,
    ReadAs,
    Rule,
    Season,
    Shifted,
    UnusedFor,
    field_of,
    read_in,
)
from seatwarden.policy.names import NamedValue
from seatwarden.policy.operators import HOLDS, POSITIVE, Truth, Value, all_true, any_true, in_season, moved, opposite
from seatwarden.policy.vocabulary import IN_USE


class Trace(Struct, frozen=True):
    """A condition with its truth, the facts it read (by field) and the traces of its parts.

    `hits` are the values on the left of a comparison that equal the right (or for which `<`, `like` … holds): the
    tag that is listed, among many.
    """

    condition: Condition
    truth: Truth
    facts: tuple[tuple[Field, Fact], ...] = ()
    parts: tuple["Trace", ...] = ()
    hits: tuple[Value, ...] = ()


class RuleOutcome(Struct, frozen=True):
    """The outcome of one rule. `expired`: its last day is over, so it holds no more whatever its condition says."""

    rule: Rule
    truth: Truth
    trace: Trace
    expired: bool = False


def evaluate_rule(rule: Rule, facts: Facts, names: Mapping[str, NamedValue], today: date) -> RuleOutcome:
    """The outcome of a rule for the license whose facts are given."""
    trace = evaluate(rule.condition, facts, names)
    expired = rule.until is not None and rule.until.value < today
    return RuleOutcome(rule, False if expired else trace.truth, trace, expired)


def evaluate(condition: Condition, facts: Facts, names: Mapping[str, NamedValue]) -> Trace:
    """The truth of a condition, with every fact it read; all parts are evaluated, also those that change nothing."""
    match condition:
        case And(operands):
            parts = tuple(evaluate(operand, facts, names) for operand in operands)
            return Trace(condition, all_true(part.truth for part in parts), (), parts)
        case Or(operands):
            parts = tuple(evaluate(operand, facts, names) for operand in operands)
            return Trace(condition, any_true(part.truth for part in parts), (), parts)
        case Not(operand):
            part = evaluate(operand, facts, names)
            return Trace(condition, opposite(part.truth), (), (part,))
        case IsEmpty(field):
            fact = facts.read(field)
            in_use = facts.read(IN_USE[field.name]) if field.name in IN_USE else ()
            truth, found = emptiness(field, fact, in_use)
            return Trace(condition, truth, ((field, found),))
        case Season():
            day = Field("today")
            today = facts.read(day)
            known = None if isinstance(today, Unknown) else [one for one in today if isinstance(one, date)]
            truth = None if known is None else any(in_season(condition, one) for one in known)
            return Trace(condition, truth, ((day, today),))
        case UnusedFor():
            unused = facts.read(condition.field)
            truth = (
                None if isinstance(unused, Unknown) else any(isinstance(d, int) and d >= condition.days for d in unused)
            )
            also = ("user.lastUsed",) if condition.of_user else ("license.lastUsed", "license.createdDate")
            return Trace(condition, truth, ((condition.field, unused), *_also(facts, *also)))
        case Comparison(operator, left, right):
            read = tuple(
                (of, telling(side, facts.read(of))) for side in (left, right) if (of := field_of(side)) is not None
            )
            one, other = _fact(left, facts, names), _fact(right, facts, names)
            positive = POSITIVE.get(operator, operator)
            hits = () if isinstance(one, Unknown) else tuple(v for v in one if compare(positive, (v,), other))
            return Trace(condition, compare(operator, one, other), read, (), hits)
        case Field():
            fact = facts.read(condition)
            return Trace(condition, None if isinstance(fact, Unknown) else True in fact, ((condition, fact),))
        case _:
            values = _fact(condition, facts, names)
            return Trace(condition, None if isinstance(values, Unknown) else True in values)


def compare(operator: Operator, left: Fact, right: Fact) -> Truth:
    """Qlik's comparison: true when it holds for any pair of values; `!=` is exactly the opposite of `=`."""
    if operator in POSITIVE:
        return opposite(compare(POSITIVE[operator], left, right))
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return None
    holds = HOLDS[operator]
    return any(holds(one, other) for one in left for other in right)


def _fact(operand: Operand, facts: Facts, names: Mapping[str, NamedValue]) -> Fact:
    match operand:
        case Field():
            return facts.read(operand)
        case ListOf(items):
            return tuple(item.value for item in items)
        case Name(name):
            return _fact(names[name], facts, names)
        case ReadAs(_, field):
            return as_read(operand, facts.read(field))
        case Shifted(base):
            fact = _fact(base, facts, names)
            return fact if isinstance(fact, Unknown) else tuple(moved(value, operand.days) for value in fact)
        case _:
            return (operand.value,)


def telling(operand: Operand, fact: Fact) -> Fact:
    """The fact of an operand's field as it tells of the truth: what cannot be read as a date is unknown."""
    asked = read_in(operand)
    read = as_read(asked, fact) if asked is not None else fact
    return read if isinstance(read, Unknown) else fact


def _also(facts: Facts, *names: str) -> tuple[tuple[Field, Fact], ...]:
    """Facts that change no truth but belong into the explanation."""
    return tuple((Field(name), facts.read(Field(name))) for name in names)
