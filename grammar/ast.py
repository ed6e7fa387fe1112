"""The policy tree: what both surfaces (policy text and Butler YAML) compile to.

Every node is frozen and knows its span; equality ignores spans, so two policies are equal when they say
the same thing, wherever it was written. License types are the two that Qlik Sense allocates to a user.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias, get_args

from seatwarden.grammar.spans import NOWHERE, Span

LicenseType: TypeAlias = Literal["professional", "analyzer"]
LICENSE_TYPES: tuple[LicenseType, ...] = get_args(LicenseType)

Operator: TypeAlias = Literal["=", "!=", "==", "!==", "like", "<", "<=", ">", ">="]


def _span() -> Span:
    return field(default=NOWHERE, compare=False, repr=False)


# Values ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted string."""

    value: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number, not negative."""

    value: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Date:
    """A calendar date."""

    value: date
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    value: bool
    span: Span = _span()


Literal_: TypeAlias = Text | Number | Date | Boolean


@dataclass(frozen=True, slots=True)
class ListOf:
    """Several values in brackets; a comparison with it holds when it holds for any of them."""

    items: tuple[Literal_, ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a `let` or `set` value."""

    name: str
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Field:
    """A fact about the user, the license or the day.

    `name` is the name in the vocabulary; families (`user.@`, `user.attributes`) have a `key` too:
    `user.@Department` is `Field("user.@", "Department")`.
    """

    name: str
    key: str | None = None
    span: Span = _span()


Operand: TypeAlias = Literal_ | ListOf | Name | Field


# Conditions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two operands and an operator; holds when it holds for any pair of their values."""

    operator: Operator
    left: Operand
    right: Operand
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class UnusedFor:
    """`unused for 30 days`: the last use lies that many calendar days back, or more."""

    count: int
    unit: Literal["days", "weeks"]
    span: Span = _span()

    @property
    def days(self) -> int:
        """The length in calendar days; a week is 7."""
        return self.count * (7 if self.unit == "weeks" else 1)


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """`user.tags is empty`: a field has no value, or only blank ones. `is not empty` is exactly its opposite."""

    field: Field
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Not:
    """True where its operand is false."""

    operand: "Condition"
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class And:
    """True when all its operands (two or more) are."""

    operands: tuple["Condition", ...]
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Or:
    """True when any of its operands (two or more) is."""

    operands: tuple["Condition", ...]
    span: Span = _span()


Condition: TypeAlias = Comparison | IsEmpty | UnusedFor | Not | And | Or | Operand
"""A bare operand is a condition when its type is boolean (`user.inactive`)."""


# Statements ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rule:
    """A `keep` or a `release` rule.

    `license_types` is empty when the rule speaks of both types. `until` (a keep rule's last day, included)
    is None for a rule without end.
    """

    kind: Literal["keep", "release"]
    license_types: tuple[LicenseType, ...]
    name: str | None
    until: Date | None
    condition: Condition
    span: Span = _span()
    name_span: Span = _span()

    @property
    def label(self) -> str:
        """The rule's name, or else how it starts, like `release analyzer`."""
        return self.name if self.name is not None else " ".join((self.kind, ", ".join(self.license_types))).strip()

    @property
    def title(self) -> str:
        """The rule as people speak of it: `keep "tag"`, `release analyzer`."""
        return f'{self.kind} "{self.name}"' if self.name is not None else self.label

    @property
    def place(self) -> str:
        """`file:line:column`, the file without its folders: a plan reads the same wherever it was made."""
        return self.span.short_place

    def applies_to(self, license_type: LicenseType) -> bool:
        """Whether the rule speaks of licenses of this type."""
        return not self.license_types or license_type in self.license_types


@dataclass(frozen=True, slots=True)
class Let:
    """`let admins = [...]`: a named value."""

    name: str
    value: Literal_ | ListOf
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class SetFrom:
    """`set vips from "vips.txt"`: a named list whose values stand in a file, one a line."""

    name: str
    path: Text
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Limit:
    """The most licenses that a run may release: `count`, or `percent` of the allocated ones (exactly one is set).

    `license_type` None means any type for a count, and each type for a percentage. With
    `longest_unused_first` a run over the limit releases that many and leaves the rest; without, a run over
    the limit releases nothing.
    """

    count: int | None
    percent: int | None
    license_type: LicenseType | None = None
    longest_unused_first: bool = False
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Timezone:
    """`timezone "Europe/Stockholm"`: the IANA zone in which days are counted."""

    name: str
    span: Span = _span()
    name_span: Span = _span()


Statement: TypeAlias = Rule | Let | SetFrom | Limit | Timezone


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, its statements in file order."""

    statements: tuple[Statement, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in file order."""
        return tuple(s for s in self.statements if isinstance(s, Rule))

    @property
    def limits(self) -> tuple[Limit, ...]:
        """All limits in file order."""
        return tuple(s for s in self.statements if isinstance(s, Limit))

    @property
    def timezone(self) -> Timezone | None:
        """The time zone the policy names, if it does."""
        return next((s for s in self.statements if isinstance(s, Timezone)), None)


def children(condition: Condition) -> tuple[Condition, ...]:
    """The parts directly below a condition."""
    match condition:
        case And() | Or():
            return condition.operands
        case Not():
            return (condition.operand,)
        case IsEmpty():
            return (condition.field,)
        case Comparison():
            return (condition.left, condition.right)
        case _:
            return ()


def walk(condition: Condition) -> Iterator[tuple[Condition, int]]:
    """Every node of a condition with its depth (the root has 1), parents first, without recursion."""
    stack = [(condition, 1)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in reversed(children(node)))
