"""Conditions and the values in them: the lower half of the policy tree, and the ways through it.

Every node is frozen and knows its span; equality ignores spans.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Literal, TypeAlias, TypeVar

from seatwarden.grammar.nodes import TreeNode
from seatwarden.grammar.spans import NOWHERE, Span

Operator: TypeAlias = Literal["=", "!=", "==", "!==", "like", "<", "<=", ">", ">="]


# Values ----------------------------------------------------------------------------------------------


class Text(TreeNode, frozen=True):
    """A quoted string."""

    value: str
    span: Span = NOWHERE


class Number(TreeNode, frozen=True):
    """A whole number, not negative."""

    value: int
    span: Span = NOWHERE


class Date(TreeNode, frozen=True):
    """A calendar date."""

    value: date
    span: Span = NOWHERE


class Boolean(TreeNode, frozen=True):
    """`true` or `false`."""

    value: bool
    span: Span = NOWHERE


Literal_: TypeAlias = Text | Number | Date | Boolean


class ListOf(TreeNode, frozen=True):
    """Several values in brackets; a comparison with it holds when it holds for any of them."""

    items: tuple[Literal_, ...]
    span: Span = NOWHERE


class Name(TreeNode, frozen=True):
    """The name of a `let` or `set` value."""

    name: str
    span: Span = NOWHERE


class Field(TreeNode, frozen=True):
    """A fact about the user, the license or the day.

    `name` is the name in the vocabulary; families (`user.@`, `user.attributes`) have a `key` too:
    `user.@Department` is `Field("user.@", "Department")`.
    """

    name: str
    key: str | None = None
    span: Span = NOWHERE


class Length(TreeNode, frozen=True):
    """A length of time: `30 days`, `2 weeks`."""

    count: int
    unit: Literal["days", "weeks"]
    span: Span = NOWHERE

    @property
    def text(self) -> str:
        """As it is written: `30 days`, `1 week`."""
        return f"{self.count} {self.unit if self.count != 1 else self.unit[:-1]}"

    @property
    def days(self) -> int:
        """The length in calendar days; a week is 7."""
        return self.count * (7 if self.unit == "weeks" else 1)


class ReadAs(TreeNode, frozen=True):
    """`date(user.@ContractEnd)`: the texts of a field, read as dates or as numbers."""

    kind: Literal["date", "number"]
    field: Field
    span: Span = NOWHERE


class Shifted(TreeNode, frozen=True):
    """`today - 90 days`: a date, so many calendar days later or earlier.

    `length` is a name as the policy is written, and a length of time once names are resolved.
    """

    base: "Unmoved"
    sign: Literal["+", "-"]
    length: Length | Name
    span: Span = NOWHERE

    @property
    def days(self) -> int:
        """The calendar days by which it is later, of a policy whose names are resolved."""
        assert isinstance(self.length, Length)  # noqa: S101 - loading resolves names before anything asks
        return self.length.days if self.sign == "+" else -self.length.days


Unmoved: TypeAlias = Literal_ | ListOf | Name | Field | ReadAs
Operand: TypeAlias = Unmoved | Shifted


# Conditions ------------------------------------------------------------------------------------------


class Comparison(TreeNode, frozen=True):
    """Two operands and an operator; holds when it holds for any pair of their values."""

    operator: Operator
    left: Operand
    right: Operand
    span: Span = NOWHERE


class UnusedFor(TreeNode, frozen=True):
    """`unused for 30 days`: the last use lies that many calendar days back, or more.

    `of_user` looks at all licenses of the user (`user unused for 30 days`), else it is the license that is decided on.
    `length` is a name as the policy is written, and days once names are resolved.
    """

    length: Length | Name
    of_user: bool = False
    span: Span = NOWHERE

    @property
    def field(self) -> "Field":
        """The days without use that it asks for."""
        return Field("user.unusedDays" if self.of_user else "license.unusedDays")

    @property
    def days(self) -> int:
        """The length in calendar days, of a policy whose names are resolved."""
        assert isinstance(self.length, Length)  # noqa: S101 - loading resolves names before anything asks
        return self.length.days


class IsEmpty(TreeNode, frozen=True):
    """`user.tags is empty`: a field has no value, or only blank ones. `is not empty` is exactly its opposite."""

    field: Field
    span: Span = NOWHERE


class MonthDay(TreeNode, frozen=True):
    """A day of every year: `12-15`; 29 February is one."""

    month: int
    day: int
    span: Span = NOWHERE


class Season(TreeNode, frozen=True):
    """`today from 12-15 to 01-10`: today lies between two days, both included, of every year or of one.

    Both are of one kind. A season of every year may go over the turn of the year.
    """

    first: MonthDay | Date
    last: MonthDay | Date
    span: Span = NOWHERE


class Not(TreeNode, frozen=True):
    """True where its operand is false."""

    operand: "Condition"
    span: Span = NOWHERE


class And(TreeNode, frozen=True):
    """True when all its operands (two or more) are."""

    operands: tuple["Condition", ...]
    span: Span = NOWHERE


class Or(TreeNode, frozen=True):
    """True when any of its operands (two or more) is."""

    operands: tuple["Condition", ...]
    span: Span = NOWHERE


Condition: TypeAlias = Comparison | IsEmpty | UnusedFor | Season | Not | And | Or | Operand
"""A bare operand is a condition when its type is boolean (`user.inactive`)."""


# Ways through a condition -----------------------------------------------------------------------------


def unmoved(operand: Operand) -> Unmoved:
    """What an operand is without the days by which it is moved."""
    return operand.base if isinstance(operand, Shifted) else operand


def days_moved(operand: Operand) -> int:
    """By how many calendar days an operand is moved to a later one, of a policy whose names are resolved."""
    return operand.days if isinstance(operand, Shifted) else 0


def read_in(operand: Operand) -> ReadAs | None:
    """The text that an operand reads as a date or a number, moved or not."""
    base = unmoved(operand)
    return base if isinstance(base, ReadAs) else None


def field_of(operand: Operand) -> Field | None:
    """The field whose fact an operand hangs on."""
    base = unmoved(operand)
    base = base.field if isinstance(base, ReadAs) else base
    return base if isinstance(base, Field) else None


def children(condition: Condition) -> tuple[Condition, ...]:
    """The parts directly below a condition."""
    match condition:
        case And() | Or():
            return condition.operands
        case Not():
            return (condition.operand,)
        case IsEmpty() | ReadAs():
            return (condition.field,)
        case Comparison():
            return (condition.left, condition.right)
        case Shifted():
            return (condition.base,)
        case _:
            return ()


_Node = TypeVar("_Node", bound=Condition)


def rebuilt(condition: _Node, change: Callable[[Any], Any]) -> _Node:
    """The condition with each part directly below it changed."""
    match condition:
        case And(operands):
            return condition.but(operands=tuple(map(change, operands)))
        case Or(operands):
            return condition.but(operands=tuple(map(change, operands)))
        case Not(operand):
            return condition.but(operand=change(operand))
        case IsEmpty(field):
            return condition.but(field=change(field))
        case ReadAs(_, field):
            return condition.but(field=change(field))
        case Comparison(_, left, right):
            return condition.but(left=change(left), right=change(right))
        case Shifted(base):
            return condition.but(base=change(base))
        case _:
            return condition


def walk(condition: Condition) -> Iterator[tuple[Condition, int]]:
    """Every node of a condition with its depth (the root has 1), parents first, without recursion."""
    stack = [(condition, 1)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in reversed(children(node)))
