"""The policy tree: what both surfaces (policy text and Butler YAML) compile to.

Every node is frozen and knows its span; equality ignores spans, so two policies are equal when they say
the same thing, wherever it was written. License types are the two that Qlik Sense allocates to a user.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal, TypeAlias, TypeVar, get_args

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


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time: `30 days`, `2 weeks`."""

    count: int
    unit: Literal["days", "weeks"]
    span: Span = _span()

    @property
    def days(self) -> int:
        """The length in calendar days; a week is 7."""
        return self.count * (7 if self.unit == "weeks" else 1)


@dataclass(frozen=True, slots=True)
class ReadAs:
    """`date(user.@ContractEnd)`: the texts of a field, read as dates or as numbers."""

    kind: Literal["date", "number"]
    field: Field
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Shifted:
    """`today - 90 days`: a date, so many calendar days later or earlier.

    `length` is a name as the policy is written, and a length of time once names are resolved.
    """

    base: "Unmoved"
    sign: Literal["+", "-"]
    length: Length | Name
    span: Span = _span()

    @property
    def days(self) -> int:
        """The calendar days by which it is later, of a policy whose names are resolved."""
        assert isinstance(self.length, Length)  # noqa: S101 - loading resolves names before anything asks
        return self.length.days if self.sign == "+" else -self.length.days


Unmoved: TypeAlias = Literal_ | ListOf | Name | Field | ReadAs
Operand: TypeAlias = Unmoved | Shifted


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
    """`unused for 30 days`: the last use lies that many calendar days back, or more.

    `of_user` looks at all licenses of the user (`user unused for 30 days`), else it is the license that is decided on.
    `length` is a name as the policy is written, and days once names are resolved.
    """

    length: Length | Name
    of_user: bool = False
    span: Span = _span()

    @property
    def field(self) -> "Field":
        """The days without use that it asks for."""
        return Field("user.unusedDays" if self.of_user else "license.unusedDays")

    @property
    def days(self) -> int:
        """The length in calendar days, of a policy whose names are resolved."""
        assert isinstance(self.length, Length)  # noqa: S101 - loading resolves names before anything asks
        return self.length.days


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """`user.tags is empty`: a field has no value, or only blank ones. `is not empty` is exactly its opposite."""

    field: Field
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class MonthDay:
    """A day of every year: `12-15`; 29 February is one."""

    month: int
    day: int
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Season:
    """`today from 12-15 to 01-10`: today lies between two days, both included, of every year or of one.

    Both are of one kind. A season of every year may go over the turn of the year.
    """

    first: MonthDay | Date
    last: MonthDay | Date
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


Condition: TypeAlias = Comparison | IsEmpty | UnusedFor | Season | Not | And | Or | Operand
"""A bare operand is a condition when its type is boolean (`user.inactive`)."""


# Statements ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notice:
    """`after notice of 14 days, reminder 3 days before`: the user is told before. Lengths are as in `UnusedFor`."""

    length: Length | Name
    reminder: Length | Name | None = None
    span: Span = _span()

    @property
    def days(self) -> int:
        """The calendar days from the notice to the release, of a policy whose names are resolved."""
        assert isinstance(self.length, Length)  # noqa: S101 - loading resolves names before anything asks
        return self.length.days

    @property
    def reminder_days(self) -> int | None:
        """How many calendar days before the release the reminder goes out, of a policy whose names are resolved."""
        assert not isinstance(self.reminder, Name)  # noqa: S101 - loading resolves names before anything asks
        return self.reminder.days if self.reminder is not None else None


@dataclass(frozen=True, slots=True)
class Rule:
    """A `keep` or a `release` rule.

    `license_types` is empty when the rule speaks of both types. `until` (a keep rule's last day, included)
    is None for a rule without end. `regardless_of_use` says that a release rule is meant to take licenses that are in
    use; it changes no verdict. `notice` is a release rule's: what it takes is told to its user before.
    """

    kind: Literal["keep", "release"]
    license_types: tuple[LicenseType, ...]
    name: str | None
    until: Date | None
    condition: Condition
    span: Span = _span()
    name_span: Span = _span()
    regardless_of_use: bool = False
    regardless_span: Span = _span()
    notice: Notice | None = None

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
    """`let admins = [...]`: a named value, length of time (`let grace = 30 days`) or condition."""

    name: str
    value: "Named"
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class SetFrom:
    """`set vips from "vips.txt"`: a named list whose values stand in a file, one a line, and what they are."""

    name: str
    path: Text
    kind: Literal["text", "dates", "numbers"] = "text"
    span: Span = _span()
    name_span: Span = _span()


@dataclass(frozen=True, slots=True)
class Limit:
    """The most licenses that a run may release: `count`, or `percent` of the allocated ones (exactly one is set).

    `license_type` None means any type for a count, and each type for a percentage. With
    `longest_unused_first` a run over the limit releases that many and leaves the rest; without, a run over
    the limit releases nothing. With `over` it is the most of all runs together within so many days, this one included.
    """

    count: int | None
    percent: int | None
    license_type: LicenseType | None = None
    longest_unused_first: bool = False
    over: Length | None = None
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Reserve:
    """`limit release to reach 20 free analyzer, longest unused first`: no more than it takes until so many are free.

    It chooses before any other limit is asked.
    """

    free: int
    license_type: LicenseType
    span: Span = _span()


@dataclass(frozen=True, slots=True)
class Timezone:
    """`timezone "Europe/Stockholm"`: the IANA zone in which days are counted."""

    name: str
    span: Span = _span()
    name_span: Span = _span()


Named: TypeAlias = Condition | Length
"""What a `let` can name. A value, alone, is a value; anything else that is no length is a condition."""

AnyLimit: TypeAlias = Limit | Reserve
Statement: TypeAlias = Rule | Let | SetFrom | AnyLimit | Timezone


@dataclass(frozen=True, slots=True)
class Policy:
    """A whole policy, its statements in file order."""

    statements: tuple[Statement, ...]

    @property
    def rules(self) -> tuple[Rule, ...]:
        """All rules in file order."""
        return tuple(s for s in self.statements if isinstance(s, Rule))

    @property
    def limits(self) -> tuple[AnyLimit, ...]:
        """All limits in file order, reserves among them."""
        return tuple(s for s in self.statements if isinstance(s, AnyLimit))

    @property
    def timezone(self) -> Timezone | None:
        """The time zone the policy names, if it does."""
        return next((s for s in self.statements if isinstance(s, Timezone)), None)


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
        case And(operands) | Or(operands):
            return replace(condition, operands=tuple(map(change, operands)))
        case Not(operand):
            return replace(condition, operand=change(operand))
        case IsEmpty(field) | ReadAs(_, field):
            return replace(condition, field=change(field))
        case Comparison(_, left, right):
            return replace(condition, left=change(left), right=change(right))
        case Shifted(base):
            return replace(condition, base=change(base))
        case _:
            return condition


def walk(condition: Condition) -> Iterator[tuple[Condition, int]]:
    """Every node of a condition with its depth (the root has 1), parents first, without recursion."""
    stack = [(condition, 1)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in reversed(children(node)))
