"""Whether two policies mean the same, also where facts are unknown: what is proved before a fix is applied unasked."""

from collections.abc import Iterator
from itertools import combinations

from seatwarden.grammar.ast import (
    And,
    Boolean,
    Condition,
    Field,
    IsEmpty,
    Name,
    Not,
    Or,
    Policy,
    UnusedFor,
    walk,
)
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.vocabulary import IN_USE
from seatwarden.policy.worlds.formula import TRUE
from seatwarden.policy.worlds.policies import differences, told
from seatwarden.policy.worlds.search import Undecided

MOST_UNKNOWN = 5
"""Most fields of which each choice is tried as unknown: 32 choices."""


def means_the_same(one: CheckedPolicy, other: CheckedPolicy) -> bool:
    """Whether it is proved that both policies give the same verdicts, notices, limits and days, whatever the facts.

    Of what is unknown, all choices among the fields are tried that the changed rules read. A rule is certain of a fact
    that is unknown nowhere, and it may hold wherever it is: with more unknown, the rules that stay as they are release
    less and keep more in both policies.
    """
    if (one.timezone, set(one.limits)) != (other.timezone, set(other.limits)):
        return False
    if set(one.guarantees) != set(other.guarantees):  # what is promised is up to who promises it
        return False
    both = one.names.keys() & other.names.keys()
    renewed = {name for name in both if one.names[name] != other.names[name]}
    shared = {rule for rule in set(one.rules) & set(other.rules) if renewed.isdisjoint(_named(rule.condition))}
    changed = [rule for rule in (*one.rules, *other.rules) if rule not in shared]
    fields = sorted({field for rule in changed for field in _read(rule.condition)}, key=repr)
    if len(fields) > MOST_UNKNOWN:
        return False
    choices = (frozenset(unknown) for size in range(len(fields) + 1) for unknown in combinations(fields, size))
    try:
        return not any(_differ(one, other, unknown) for unknown in choices)
    except Undecided:
        return False


def _differ(one: CheckedPolicy, other: CheckedPolicy, unknown: frozenset[Field]) -> bool:
    sides = _where_unknown(one.tree, unknown), _where_unknown(other.tree, unknown)
    notices = {told(rule) for side in sides for rule in side.rules if rule.takes}
    alike = (tuple(_telling(side, notice) for side in sides) for notice in notices or {None})
    return any(next(differences(mine, its, (one.names, other.names), TRUE), None) for mine, its in alike)


def _telling(policy: Policy, notice: tuple[int, int | None] | None) -> Policy:
    """The policy with only those rules that give this notice, of those that take licenses: who gets which must stay the
    same, too."""
    return Policy(tuple(rule for rule in policy.rules if not rule.takes or told(rule) == notice))


def _where_unknown(policy: Policy, unknown: frozenset[Field]) -> Policy:
    """The policy where these fields are unknown: a rule that takes has to be certain, a keep rule only possible.

    By Kleene's rules a condition is certain when it holds with each doubtful part taken as false, `not` counted in,
    and possible when it holds with each taken as true.
    """
    rules = (rule.but(condition=_settled(rule.condition, unknown, as_=not rule.takes)) for rule in policy.rules)
    return Policy(tuple(rules))


def _settled(condition: Condition, unknown: frozenset[Field], *, as_: bool) -> Condition:
    match condition:
        case And(operands):
            return And(tuple(_settled(operand, unknown, as_=as_) for operand in operands))
        case Or(operands):
            return Or(tuple(_settled(operand, unknown, as_=as_) for operand in operands))
        case Not(operand):
            return Not(_settled(operand, unknown, as_=not as_))
        case _:
            return condition if unknown.isdisjoint(_read(condition)) else Boolean(as_)


def _named(condition: Condition) -> Iterator[str]:
    """The names of values that a condition speaks of."""
    return (node.name for node, _ in walk(condition) if isinstance(node, Name))


def _read(condition: Condition) -> Iterator[Field]:
    """The fields that decide whether a condition is known."""
    for node, _ in walk(condition):
        match node:
            case UnusedFor():
                yield node.field
            case IsEmpty(Field(name)) if name in IN_USE:
                yield IN_USE[name]
            case Field():
                yield node
            case _:
                pass
