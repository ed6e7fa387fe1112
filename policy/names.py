"""Names of conditions and of lengths of time: put in the place where they are used, before anything else is done.

`let leaver = user.inactive or user.removedExternally` is what it says wherever `leaver` stands; so evaluators, lint,
`diff` and plans know no such names. Names of values and lists stay: a list of thousands of users stands once.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import TypeAlias, TypeGuard

from msgspec import Struct

from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Guarantee,
    Length,
    Let,
    ListOf,
    Literal_,
    Name,
    Named,
    Not,
    Notice,
    Or,
    Policy,
    ReadAs,
    Rule,
    Shifted,
    UnusedFor,
    rebuilt,
    walk,
)
from seatwarden.grammar.bounds import MAX_DEPTH, nested_message
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import in_file, parse_condition, parse_days
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic

NamedValue: TypeAlias = Literal_ | ListOf
"""The value of a `let` or `set`."""
MOST_PARTS = 10_000
"""Most parts that names may add to the rules of a policy."""


class PolicyNames(Struct, frozen=True):
    """The names of a policy by what they stand for.

    `values` are those of values and lists; `lengths` and `conditions` are put where they are used, and so are dates
    relative to today, which stand among the conditions, each behind those it needs.
    """

    values: Mapping[str, NamedValue]
    lengths: Mapping[str, Length]
    conditions: Mapping[str, Condition]

    @classmethod
    def of(cls, lets: Mapping[str, Let]) -> "PolicyNames":
        """The names that these `let` give; those in a circle, and what needs them, are left out."""
        named = {name: let.value for name, let in lets.items()}
        return cls(
            {name: value for name, value in named.items() if isinstance(value, NamedValue)},
            {name: value for name, value in named.items() if isinstance(value, Length)},
            {name: named[name] for name in _order(named)[0]},  # type: ignore[misc]
        )


def circles(lets: Mapping[str, Let]) -> Iterator[Diagnostic]:
    """SW109: conditions that stand for themselves."""
    for circle in _order({name: let.value for name, let in lets.items()})[1]:
        first = min(circle, key=lambda name: lets[name].span)
        start = circle.index(first)
        shown = " → ".join(f"`{name}`" for name in (*circle[start:], *circle[:start], first))
        message = f"`{first}` stands for itself: {shown}" if len(circle) > 1 else f"`{first}` stands for itself"
        help_ = "give one of them a condition without the others" if len(circle) > 1 else "say in it what is meant"
        yield Diagnostic("SW109", "error", message, lets[first].name_span, "a circle", help_)


def too_large(policy: Policy, names: PolicyNames) -> Iterator[Diagnostic]:
    """SW005: conditions that are nested too deep, or have too many parts, with what names stand for in their place."""
    sizes: dict[str, tuple[int, int]] = {}
    for name, condition in names.conditions.items():
        sizes[name] = _size(condition, sizes)
    added = 0
    for condition in policy.conditions:
        parts, depth = _size(condition, sizes)
        added += parts - _size(condition, {})[0]
        used = next(conditions_used(condition, names), None)
        if used is not None and depth > MAX_DEPTH:
            message = nested_message(MAX_DEPTH)
            help_ = "name less, or split it into several rules"
            yield Diagnostic("SW005", "error", message, used.span, f"with what `{used.name}` stands for", help_)
        elif used is not None and added > MOST_PARTS:
            message = f"names make this policy too long: they add more than {MOST_PARTS:,} parts to its rules"
            yield Diagnostic("SW005", "error", message, used.span, "up to here", "let names of names stand for less")
            return


def resolved(policy: Policy, names: PolicyNames) -> Policy:
    """The policy without names of conditions and lengths; what they stand for has the place of the name."""
    conditions: dict[str, Condition] = {}
    for name, condition in names.conditions.items():
        conditions[name] = _resolved(condition, conditions, names.lengths)

    def of_rule(rule: Rule) -> Rule:
        notice = _notice(rule.notice, names.lengths) if rule.notice is not None else None
        return rule.but(condition=_resolved(rule.condition, conditions, names.lengths), notice=notice)

    def of_guarantee(said: Guarantee) -> Guarantee:
        about = _resolved(said.condition, conditions, names.lengths) if said.condition is not None else None
        before = _length(said.before, names.lengths) if said.before is not None else None
        return said.but(condition=about, before=before)

    statements = (
        of_rule(s) if isinstance(s, Rule) else of_guarantee(s) if isinstance(s, Guarantee) else s
        for s in policy.statements
        if not isinstance(s, Let) or s.name in names.values
    )
    return Policy(tuple(statements))


def is_condition(value: Named) -> TypeGuard[Condition]:
    """Whether a `let` names a condition: all that is no value, no length and no date."""
    return not isinstance(value, NamedValue | Length | ReadAs | Shifted)


def meant_by_text(name: str, text: str) -> str | None:
    """The help where a name stands for a text that looks like a length of time or a condition."""
    at = in_file("")
    with suppress(PolicySyntaxError):
        parse_days(text, at)
        return f"write `let {name} = {text}` without quotes; in YAML it stands under `days`"
    with suppress(PolicySyntaxError):
        if not isinstance(parse_condition(text, at), NamedValue | Name):
            return f"write `let {name} = {text}` without quotes; in YAML it stands under `conditions`"
    return None


def conditions_used(condition: Condition, names: PolicyNames) -> Iterator[Name]:
    """The names of conditions that stand in a condition."""
    return (node for node, _ in walk(condition) if isinstance(node, Name) and node.name in names.conditions)


def _order(named: Mapping[str, Named]) -> tuple[list[str], list[list[str]]]:
    """The names of conditions, each behind those it needs, and the circles."""
    conditions = {name: value for name, value in named.items() if not isinstance(value, NamedValue | Length)}
    needs = {
        name: {node.name for node, _ in walk(value) if isinstance(node, Name) and node.name in conditions}
        for name, value in conditions.items()
    }
    found: list[list[str]] = []
    while True:
        try:
            return list(TopologicalSorter(needs).static_order()), found
        except CycleError as error:
            circle = error.args[1][1:][::-1]
            found.append(circle)
            gone = set(circle)
            while more := {name for name, needed in needs.items() if needed & gone} - gone:
                gone |= more
            needs = {name: needed for name, needed in needs.items() if name not in gone}


def _size(condition: Condition, sizes: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """How many parts a condition has, values counted, and how deep it is nested."""
    parts = deepest = 0
    for node, depth in walk(condition):
        more, below = sizes.get(node.name, (1, 1)) if isinstance(node, Name) else (1, 1)
        parts += more + (len(node.items) if isinstance(node, ListOf) else 0)
        deepest = max(deepest, depth + below - 1)
    return parts, deepest


def _resolved(condition: Condition, conditions: Mapping[str, Condition], lengths: Mapping[str, Length]) -> Condition:
    match condition:
        case Name(name) if name in conditions:
            return _at(conditions[name], condition.span)
        case UnusedFor(Name()) | Shifted(length=Name()):
            return condition.but(length=_length(condition.length, lengths))
        case And() | Or() | Not() | Comparison():
            return rebuilt(condition, lambda part: _resolved(part, conditions, lengths))
        case _:
            return condition


def _notice(notice: Notice, lengths: Mapping[str, Length]) -> Notice:
    reminder = _length(notice.reminder, lengths) if notice.reminder is not None else None
    return notice.but(length=_length(notice.length, lengths), reminder=reminder)


def _length(length: Length | Name, lengths: Mapping[str, Length]) -> Length:
    """A length of time, a named one at the place of its name."""
    return lengths[length.name].but(span=length.span) if isinstance(length, Name) else length


def _at(condition: Condition, span: Span) -> Condition:
    """The condition with all of it at one place: that of its name."""
    return rebuilt(condition, lambda part: _at(part, span)).but(span=span)


def uses(conditions: Iterable[Condition], names: PolicyNames) -> frozenset[Span]:
    """The places where the name of a condition stands."""
    return frozenset(name.span for condition in conditions for name in conditions_used(condition, names))
