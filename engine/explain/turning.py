"""Why a license becomes due on that day and not before: what held until the day before, or holds at last."""

from collections.abc import Iterator
from datetime import date

from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import known_facts
from seatwarden.engine.decide.reference import RuleOutcome, Trace, evaluate_rule
from seatwarden.engine.explain.days_ahead import LaterFacts
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact
from seatwarden.grammar.ast import Comparison, Field, ListOf, Name, Operand, ReadAs, Season, Shifted, UnusedFor
from seatwarden.grammar.printer import print_condition, print_day, print_field, print_operand
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import POSITIVE, Value

_MOST_VALUES = 5
"""Most values of a list that are named; of a longer one the value of the day is."""
_EQUAL = ("=", "==")


def why_on(due: date, decision: Decision, policy: CheckedPolicy, day: Day) -> str:
    """What comes true on the day on which a license becomes due, like `month is no longer 11, 12 or 1`.

    Empty where only days without use have to pass: that the license stays unused is said anyway.
    """
    facts = known_facts(decision)
    later = (due - day.today).days
    before, then = (
        [
            evaluate_rule(rule, LaterFacts(facts, day, at), policy.names, day.later_by(at).today)
            for rule in policy.rules
            if rule.applies_to(decision.license_type)
        ]
        for at in (later - 1, later)
    )
    reasons = dict.fromkeys(reason for pair in _turned_rules(before, then) for reason in _reasons(*pair))
    if all(disuse for _, disuse in reasons):
        return ""
    return join_words([text for text, _ in reasons])


def _turned_rules(before: list[RuleOutcome], then: list[RuleOutcome]) -> Iterator[tuple[RuleOutcome, RuleOutcome]]:
    """The keep rules that let go on that day, and a rule that takes, and holds where none did on the day before."""
    pairs = list(zip(before, then, strict=True))
    yield from ((b, t) for b, t in pairs if t.rule.kind == "keep" and b.truth is not t.truth)
    if not any(b.rule.takes and b.truth is True for b in before):
        yield from [(b, t) for b, t in pairs if t.rule.takes and t.truth is True][:1]


def _reasons(before: RuleOutcome, then: RuleOutcome) -> Iterator[tuple[str, bool]]:
    """In words what turned the rule, and whether that is disuse."""
    if then.expired and not before.expired:
        yield f"{then.rule.title} has ended", False
        return
    for leaf in _turned(before.trace, then.trace):
        yield _words(leaf)


def _turned(before: Trace, then: Trace) -> Iterator[Trace]:
    """The parts without parts that turned a condition, as they are on the later day."""
    if before.truth is then.truth:
        return
    if not then.parts:
        yield then
    for part_before, part in zip(before.parts, then.parts, strict=True):
        yield from _turned(part_before, part)


def _words(leaf: Trace) -> tuple[str, bool]:
    match leaf.condition:
        case UnusedFor(of_user=True) as unused:
            return f"the user has used no license for {plural(unused.days, 'day')}", True
        case UnusedFor() as unused:
            return f"it has been unused for {plural(unused.days, 'day')}", True
        case Season(first, last):
            season = f"from {print_day(first)} to {print_day(last)}"
            return f"today is {'' if leaf.truth else 'no longer '}{season}", False
        case Comparison(_, Field("user.unusedDays"), _):
            return f"the user has used no license for {_shown(leaf)} days", True
        case Comparison(_, Field("license.unusedDays"), _):
            return f"it has been unused for {_shown(leaf)} days", True
        case Comparison(operator, Field() as field, right) if POSITIVE.get(operator, operator) in _EQUAL:
            equal = leaf.truth is (operator in _EQUAL)
            values = _values(right)
            if equal or not values:
                return f"{print_field(field)} is {_shown(leaf)}", False
            return f"{print_field(field)} is no longer {values}", False
        case condition:
            return f"`{print_condition(condition)}` holds{'' if leaf.truth else ' no longer'}", False


def _shown(leaf: Trace) -> str:
    """The value that the field on the left has on that day."""
    fact: Fact = leaf.facts[0][1]
    return ", ".join(_show(value) for value in fact) if isinstance(fact, tuple) else "unknown"


def _values(right: Operand) -> str:
    """The values on the right in words; none where there are too many to read."""
    match right:
        case Name(name):
            return f"in {name}"
        case ListOf(items):
            return join_words([_show(item.value) for item in items], "or") if len(items) <= _MOST_VALUES else ""
        case Field():
            return print_field(right)
        case ReadAs() | Shifted():
            return print_operand(right)
        case _:
            return _show(right.value)


def _show(value: Value) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
