"""Rules that match nothing or everything, and parts of conditions that decide nothing. All of it is proved."""

from collections.abc import Iterator, Sequence

from seatwarden.grammar.ast import And, Comparison, Condition, Field, Name, Or, Rule, Text, walk
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import warning
from seatwarden.policy.lint.rule_space import RuleSpace, bounds
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.worlds.formula import Formula, negate

MOST_PARTS = 40
"""Most parts of one `and` or `or` that are looked at one by one."""


def find_meaningless(policy: CheckedPolicy, space: RuleSpace) -> Iterator[Diagnostic]:
    """SW301 never matches, SW302 always matches, SW303 a part that is never true, SW304 a part without effect."""
    for number, rule in enumerate(policy.rules):
        if number in space.never:
            span, label, related = _why_never(rule.condition, bounds(rule), policy, space)
            help_ = _id_alone(rule.condition, span, policy) or _never_help(rule)
            yield warning("SW301", f"`{rule.title}` never matches", span, label, help_, related)
        elif number in space.always:
            if rule.until is None:  # keeping everything for a while is meant
                message = f"`{rule.title}` always matches"
                yield warning("SW302", message, rule.condition.span, "always true", _always_help(rule))
        else:
            yield from _Parts(rule, policy, space).findings(rule.condition, bounds(rule))


class _Parts:
    """The parts of one rule's condition, each judged where the parts around it hold."""

    def __init__(self, rule: Rule, policy: CheckedPolicy, space: RuleSpace) -> None:
        self._rule, self._policy, self._space = rule, policy, space

    def findings(self, condition: Condition, around: list[Formula]) -> Iterator[Diagnostic]:
        """Findings below a condition that can be true and false where `around` holds."""
        if not isinstance(condition, And | Or) or len(condition.operands) > MOST_PARTS:
            return
        joined = isinstance(condition, And)
        dead = {part for part in condition.operands if self._space.impossible([*around, self._space.formula(part)])}
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
            if others and self._space.impossible([*around, *formulas, effect]):
                because = [others[n] for n in self._space.cause(formulas, [*around, effect])]
                yield self._needless(part, because, joined)
                left = others
        for part in left:
            beside = [self._space.formula(other) for other in left if other is not part] if joined else []
            yield from self.findings(part, [*around, *beside])

    def _beside(self, other: Condition, joined: bool) -> Formula:
        """The formula of where a part beside `other` matters: in an `and` the other, in an `or` its opposite."""
        formula = self._space.formula(other)
        return formula if joined else negate(formula)

    def _never(self, part: Condition, around: list[Formula]) -> Diagnostic:
        span, label, related = _why_never(part, around, self._policy, self._space)
        message = f"a part of `{self._rule.title}` is never true"
        return warning("SW303", message, span, label, "remove it, or correct it: it matches nobody", related)

    def _needless(self, part: Condition, because: Sequence[Condition], joined: bool) -> Diagnostic:
        message = f"a part of `{self._rule.title}` changes nothing"
        label = "always true here" if joined and not because else "true whenever the rest is"
        if not joined:
            label = "matches nothing that the rest does not"
        related = tuple((other.span, "because of this") for other in because)
        return warning("SW304", message, part.span, label, "remove it, or correct it", related)


def _why_never(
    condition: Condition, around: list[Formula], policy: CheckedPolicy, space: RuleSpace
) -> tuple[Span, str, tuple[tuple[Span, str], ...]]:
    """The part of a condition that makes it impossible; where it takes several, the last, and the others beside it."""
    if not isinstance(condition, And):
        return condition.span, _empty_list(condition, policy) or "never true", ()
    operands = condition.operands[: MOST_PARTS * 5]
    core = [operands[n] for n in space.cause([space.formula(part) for part in operands], around)]
    if len(core) == 1:
        return _why_never(core[0], around, policy, space)
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


def _id_alone(condition: Condition, span: Span, policy: CheckedPolicy) -> str | None:
    """The help for a user who is named without the directory, at that place."""
    for node, _ in walk(condition):
        if isinstance(node, Comparison) and node.span == span and Field("user") in (node.left, node.right):
            other = node.right if node.left == Field("user") else node.left
            values = policy.values_of(other)
            if all(isinstance(value, Text) and "\\" not in value.value for value in values) and values:
                return "`user` is DIRECTORY\\userId; the id alone is `user.userId`"
    return None


def _never_help(rule: Rule) -> str:
    types = f"; it speaks of {rule.license_types[0]} licenses only" if len(rule.license_types) == 1 else ""
    return f"{'it protects nobody' if rule.kind == 'keep' else 'it releases nothing'}{types}"


def _always_help(rule: Rule) -> str:
    which = f"{rule.license_types[0]} license" if len(rule.license_types) == 1 else "license"
    if rule.kind == "keep":
        return f"no {which} is ever released beside this rule"
    return f"it releases every {which} that no keep rule protects, also one used today"
