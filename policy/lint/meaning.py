"""Rules that match nothing or everything, and parts of conditions that decide nothing. All of it is proved."""

import re
from collections.abc import Generator, Iterator, Sequence

from msgspec import Struct

from seatwarden.grammar.ast import And, Comparison, Condition, Field, Name, Or, Rule, Text, walk
from seatwarden.grammar.printer import quote
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import warning
from seatwarden.policy.lint.rule_space import RuleSpace, bounds
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.formula import Formula, all_of, any_of, negate

MOST_PARTS = 40
"""Most parts of one `and` or `or` that are looked at one by one."""


def find_meaningless(policy: CheckedPolicy, space: RuleSpace) -> Iterator[Diagnostic]:
    """SW301 never matches, SW302 always matches, SW303 a part that is never true, SW304 a part without effect."""
    for number, rule in enumerate(policy.rules):
        if number in space.never:
            span, label, related = _why_never(number, rule.condition, bounds(rule), policy, space)
            help_ = _id_alone(rule.condition, span, policy) or _never_help(rule)
            yield warning("SW301", f"`{rule.title}` never matches", span, label, help_, related)
        elif number in space.always:
            if rule.until is None:  # keeping everything for a while is meant
                message = f"`{rule.title}` always matches"
                yield warning("SW302", message, rule.condition.span, "always true", _always_help(rule))
        else:
            around = [_Beside(formula) for formula in bounds(rule)]
            yield from _Parts(number, policy, space).reduced(rule.condition, around)


class _Beside(Struct, frozen=True):
    """What holds beside a part: a formula, and the condition that says it (None: the rule's types or its last day)."""

    formula: Formula
    condition: Condition | None = None


class _Parts:
    """The parts of one rule's condition, each judged where the parts around it hold."""

    def __init__(self, number: int, policy: CheckedPolicy, space: RuleSpace) -> None:
        self._number, self._rule, self._policy, self._space = number, space.rules[number], policy, space

    def reduced(self, condition: Condition, around: Sequence[_Beside]) -> Generator[Diagnostic, None, Formula]:
        """Findings below a condition that can be true and false where `around` holds.

        Returns the formula that is left when all of them are followed. What comes later is judged beside that, so that
        of parts that are needless because of each other only one is called so, in whatever groups they stand.
        """
        if not isinstance(condition, And | Or) or len(condition.operands) > MOST_PARTS:
            return self._space.formula(condition)
        if condition.span in self._policy.uses_of_conditions:
            # A part of what a name stands for may matter wherever else the name is used.
            return self._space.formula(condition)
        joined = isinstance(condition, And)
        holds = [one.formula for one in around]
        dead = [part for part in condition.operands if self._impossible([*holds, self._space.formula(part)])]
        for part in dead:
            yield self._never(part, around)
        left = [part for part in condition.operands if part not in dead]
        # From the end, so that of two parts that say the same the first one stays; one by one, since what is needless
        # beside another may not be so without it.
        for part in reversed(left):
            others = [other for other in left if other is not part]
            formulas = [self._beside(other, joined) for other in others]
            formula = self._space.formula(part)
            effect = negate(formula) if joined else formula
            because = self._space.cause(self._number, formulas, [*holds, effect]) if others else None
            if because is not None:
                yield self._needless(part, [others[n] for n in because], joined)
                left = others
        after = {id(part): self._space.formula(part) for part in left}
        for part in left:
            beside = [_Beside(after[id(other)], other) for other in left if other is not part] if joined else []
            after[id(part)] = yield from self.reduced(part, [*around, *beside])
        return (all_of if joined else any_of)(after.values())

    def _impossible(self, formulas: list[Formula]) -> bool:
        return self._space.impossible(self._number, formulas)

    def _beside(self, other: Condition, joined: bool) -> Formula:
        """The formula of where a part beside `other` matters: in an `and` the other, in an `or` its opposite."""
        formula = self._space.formula(other)
        return formula if joined else negate(formula)

    def _never(self, part: Condition, around: Sequence[_Beside]) -> Diagnostic:
        holds = [one.formula for one in around]
        span, label, related = _why_never(self._number, part, holds, self._policy, self._space)
        because = self._space.cause(self._number, holds, [self._space.formula(part)]) or []
        causes = [one for n in because if (one := around[n].condition) is not None]
        if causes:
            label = label.replace("never true", "never true here")
            related += tuple((cause.span, "because of this") for cause in causes)
        message = f"a part of `{self._rule.title}` is never true{' beside the rest' if causes else ''}"
        help_ = _id_alone(part, span, self._policy) or "remove it, or correct it: it matches nobody"
        return warning("SW303", message, span, label, help_, related)

    def _needless(self, part: Condition, because: Sequence[Condition], joined: bool) -> Diagnostic:
        message = f"a part of `{self._rule.title}` changes nothing"
        label = "always true here" if joined and not because else "true whenever the rest is"
        if not joined:
            label = "matches nothing that the rest does not"
        related = tuple((other.span, "because of this") for other in because)
        help_ = _id_alone(part, None, self._policy) or "remove it, or correct it"
        return warning("SW304", message, part.span, label, help_, related)


def _why_never(
    number: int, condition: Condition, around: list[Formula], policy: CheckedPolicy, space: RuleSpace
) -> tuple[Span, str, tuple[tuple[Span, str], ...]]:
    """The part of a condition that makes it impossible; where it takes several, the last, and the others beside it."""
    if not isinstance(condition, And) or condition.span in policy.uses_of_conditions:
        return condition.span, _empty_list(condition, policy) or "never true", ()
    operands = condition.operands[: MOST_PARTS * 5]
    found = space.cause(number, [space.formula(part) for part in operands], around) or []
    core = [operands[n] for n in found]
    if len(core) == 1:
        return _why_never(number, core[0], around, policy, space)
    if not core:
        return condition.span, "never true", ()
    *others, last = core
    return last.span, "never true together", tuple((other.span, "with this") for other in others)


def _empty_list(condition: Condition, policy: CheckedPolicy) -> str | None:
    if isinstance(condition, Comparison):
        for operand in (condition.left, condition.right):
            if not policy.values_of(operand):
                return f"`{operand.name}` has no values" if isinstance(operand, Name) else "this list is empty"
    return None


def _id_alone(condition: Condition, span: Span | None, policy: CheckedPolicy) -> str | None:
    """The help for a user who is named without the directory, at that place or, without one, anywhere in it."""
    for node, _ in walk(condition):
        if isinstance(node, Comparison) and span in (None, node.span) and Field("user") in (node.left, node.right):
            other = node.right if node.left == Field("user") else node.left
            values = policy.values_of(other)
            texts = [value.value for value in values if isinstance(value, Text) and "\\" not in value.value]
            pattern = node.operator == "like" and any("*" in text for text in texts)
            if values and len(texts) == len(values) and not pattern:
                if re.fullmatch(r"[^/]+/[^/]+", texts[0]):
                    return f"the directory ends with a backslash: {quote(texts[0].replace('/', chr(92)))}"
                return "`user` is DIRECTORY\\userId; the id alone is `user.userId`"
    return None


def _never_help(rule: Rule) -> str:
    types = f"; it speaks of {rule.types[0]} licenses only" if len(rule.types) == 1 else ""
    return f"{f'it {rule.does} nothing' if rule.takes else 'it protects nobody'}{types}"


def _always_help(rule: Rule) -> str:
    which = f"{rule.types[0]} license" if len(rule.types) == 1 else "license"
    if not rule.takes:
        return f"no {which} is ever released beside this rule"
    return f"it {rule.does} every {which} that no keep rule protects, also one used today"
