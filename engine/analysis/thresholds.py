"""A policy with another threshold of disuse: for who asks what 60 days instead of 30 would do."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from seatwarden.grammar.ast import (
    LICENSE_TYPES,
    And,
    Comparison,
    Condition,
    Field,
    Length,
    LicenseType,
    Not,
    Number,
    Or,
    Policy,
    Rule,
    Statement,
    UnusedFor,
    walk,
)
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy

STEPS = (14, 21, 30, 45, 60, 75, 90, 105, 120, 135, 150, 165, 180)
"""The days that a span such as `14..180` stands for: there is more to see where they are few."""
_UNUSED = Field("license.unusedDays")


@dataclass(frozen=True, slots=True)
class Variant:
    """A policy as one asks about it: as it is, or with `days` without use as its threshold for one license type, of
    which alone it is then asked."""

    policy: CheckedPolicy
    license_type: LicenseType | None = None
    days: int | None = None

    def is_of(self, kind: LicenseType) -> bool:
        """Whether it is asked of licenses of that type."""
        return self.license_type in (None, kind)


def variants_of(
    policies: Mapping[str, CheckedPolicy], thresholds: Mapping[LicenseType, tuple[int, ...]]
) -> dict[str, Variant]:
    """The policies by name, each with every threshold where some are asked for. Raises InputError."""
    if not thresholds:
        return {name: Variant(policy) for name, policy in policies.items()}
    return {
        f"{f'{name}, ' if len(policies) > 1 else ''}{kind} {one} days": Variant(
            with_threshold(policy, kind, one), kind, one
        )
        for name, policy in policies.items()
        for kind, days in thresholds.items()
        for one in days
    }


def thresholds_of(kind: LicenseType, rules: Iterable[Rule]) -> tuple[int, ...]:
    """The numbers of days that release rules for this type speak of, smallest first."""
    found = set()
    for rule in rules:
        if rule.takes and rule.applies_to(kind):
            for node, _ in walk(rule.condition):
                match node:
                    case UnusedFor(of_user=False):
                        found.add(node.days)
                    case Comparison(left=Field("license.unusedDays"), right=Number(days)):
                        found.add(days)
    return tuple(sorted(found))


def parse_thresholds(text: str) -> tuple[LicenseType, tuple[int, ...]]:
    """A type and its thresholds in days: `analyzer=30,60`, or `analyzer=14..180`. Raises InputError."""
    found = re.fullmatch(r"\s*(\w+)\s*=\s*([\d.,\s]+)", text, re.ASCII)
    kind = next((kind for kind in LICENSE_TYPES if found and kind == found[1].lower()), None)
    days = _days(found[2]) if found else None
    if kind is None or not days or max(days) > 3650:
        raise InputError(
            f"--threshold: `{text}` is no type with days", "write analyzer=30,60,90 or professional=14..180"
        )
    return kind, days


def asked_thresholds(texts: Iterable[str]) -> dict[LicenseType, tuple[int, ...]]:
    """All thresholds that are asked for, by type, each once. Raises InputError."""
    found: dict[LicenseType, tuple[int, ...]] = {}
    for kind, days in map(parse_thresholds, texts):
        found[kind] = tuple(dict.fromkeys((*found.get(kind, ()), *days)))
    return found


def _days(text: str) -> tuple[int, ...] | None:
    span = re.fullmatch(r"\s*(\d+)\s*\.\.\s*(\d+)\s*", text)
    if span:
        low, high = int(span[1]), int(span[2])
        inner = [step for step in STEPS if low < step < high]
        return tuple(sorted({low, *inner, high})) if low <= high else None
    parts = [part.strip() for part in text.split(",")]
    return tuple(dict.fromkeys(map(int, parts))) if all(part.isdigit() for part in parts) else None


def with_threshold(policy: CheckedPolicy, kind: LicenseType, days: int) -> CheckedPolicy:
    """The policy as it would be if its release rules for a type asked for that many days without use.

    Raises InputError where none of them asks for any.
    """
    statements: list[Statement] = []
    changed = False
    for statement in policy.tree.statements:
        if not isinstance(statement, Rule) or not statement.takes or not statement.applies_to(kind):
            statements.append(statement)
            continue
        condition = with_days(statement.condition, days)
        changed |= any(_asks_days(node) for node, _ in walk(statement.condition))
        others = tuple(other for other in LICENSE_TYPES if other != kind and statement.applies_to(other))
        statements.append(statement.but(license_types=(kind,), condition=condition))
        if others:
            statements.append(statement.but(license_types=others))
    if not changed:
        help_ = f"--threshold changes what stands behind `unused for` in rules that release {kind} licenses"
        raise InputError(f"`{policy.file}` has no threshold for {kind} licenses", help_)
    return replace(policy, tree=Policy(tuple(statements)))


def _asks_days(node: Condition) -> bool:
    return (isinstance(node, UnusedFor) and not node.of_user) or (
        isinstance(node, Comparison)
        and node.operator in (">", ">=")
        and node.left == _UNUSED
        and isinstance(node.right, Number)
    )


def with_days(node: Condition, days: int) -> Condition:
    """A condition with another number of days in the place of those that it asks for."""
    match node:
        case UnusedFor(of_user=False):
            return node.but(length=Length(days, "days"))
        case Comparison() if _asks_days(node):
            return node.but(operator=">=", right=Number(days, node.right.span))
        case And() | Or():
            return node.but(operands=tuple(with_days(one, days) for one in node.operands))
        case Not(operand):
            return node.but(operand=with_days(operand, days))
        case _:
            return node
