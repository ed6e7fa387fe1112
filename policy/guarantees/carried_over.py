"""The guarantees of one policy, asked of the rules of another: what a site promises, by whatever a plan was made."""

from dataclasses import replace

from seatwarden.grammar.ast import And, Comparison, Condition, Guarantee, Name, Not, Or, Policy, rebuilt
from seatwarden.policy.loading import CheckedPolicy

_OTHERS = " of the other policy"
"""Behind names of values: two policies may give one name two values. No policy can have such a name."""


def carried_over(guarantees_of: CheckedPolicy, rules_of: CheckedPolicy) -> CheckedPolicy:
    """The rules of one policy under the guarantees of another, in their order; its own guarantees are left out."""
    rules = tuple(said for said in rules_of.tree.statements if not isinstance(said, Guarantee))
    carried = tuple(
        said.but(condition=_renamed(said.condition) if said.condition is not None else None)
        for said in guarantees_of.guarantees
    )
    names = {**rules_of.names, **{f"{name}{_OTHERS}": value for name, value in guarantees_of.names.items()}}
    return replace(rules_of, tree=Policy((*rules, *carried)), names=names)


def _renamed(condition: Condition) -> Condition:
    match condition:
        case Name(name):
            return condition.but(name=f"{name}{_OTHERS}")
        case And() | Or() | Not() | Comparison():
            return rebuilt(condition, _renamed)
        case _:
            return condition
