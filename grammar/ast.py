"""The policy tree: what both surfaces (policy text and Butler YAML) compile to.

Every node is frozen and knows its span; equality ignores spans, so two policies are equal when they say
the same thing, wherever it was written. License types are the two that Qlik Sense allocates to a user.
What conditions are made of stands in `conditions`, and is had from here like the rest of the tree.
"""

from typing import Literal, TypeAlias, get_args

from seatwarden.grammar.conditions import (
    And,
    Boolean,
    Comparison,
    Condition,
    Date,
    Field,
    IsEmpty,
    Length,
    ListOf,
    Literal_,
    MonthDay,
    Name,
    Not,
    Number,
    Operand,
    Operator,
    Or,
    ReadAs,
    Season,
    Shifted,
    Text,
    Unmoved,
    UnusedFor,
    children,
    days_moved,
    field_of,
    read_in,
    rebuilt,
    unmoved,
    walk,
)
from seatwarden.grammar.nodes import TreeNode
from seatwarden.grammar.spans import NOWHERE, Span

__all__ = [
    "DOWNGRADED",
    "DOWNGRADED_TO",
    "LICENSE_TYPES",
    "PROMISES",
    "RULE_KINDS",
    "And",
    "AnyLimit",
    "Boolean",
    "Comparison",
    "Condition",
    "Date",
    "Field",
    "Guarantee",
    "IsEmpty",
    "Length",
    "Let",
    "LicenseType",
    "Limit",
    "ListOf",
    "Literal_",
    "MonthDay",
    "Name",
    "Named",
    "Not",
    "Notice",
    "Number",
    "Operand",
    "Operator",
    "Or",
    "Policy",
    "Promise",
    "ReadAs",
    "Reserve",
    "Rule",
    "RuleKind",
    "Season",
    "SetFrom",
    "Shifted",
    "Statement",
    "Text",
    "Timezone",
    "Unmoved",
    "UnusedFor",
    "children",
    "days_moved",
    "field_of",
    "read_in",
    "rebuilt",
    "unmoved",
    "walk",
]

LicenseType: TypeAlias = Literal["professional", "analyzer"]
LICENSE_TYPES: tuple[LicenseType, ...] = get_args(LicenseType)


class Notice(TreeNode, frozen=True):
    """`after notice of 14 days, reminder 3 days before`: the user is told before. Lengths are as in `UnusedFor`."""

    length: Length | Name
    reminder: Length | Name | None = None
    span: Span = NOWHERE

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


RuleKind: TypeAlias = Literal["keep", "downgrade", "release"]
"""What a rule does with a license."""
RULE_KINDS: tuple[RuleKind, ...] = get_args(RuleKind)
"""In this order: what stands in front beats what stands behind, whatever the order of rules."""
DOWNGRADED: LicenseType = "professional"
"""The type of the licenses that can be downgraded."""
DOWNGRADED_TO: LicenseType = "analyzer"
"""The type that the person gets instead."""


class Rule(TreeNode, frozen=True):
    """A `keep`, a `release` or a `downgrade` rule.

    `license_types` is empty when the rule speaks of all types that it can: of both, or of the one that can be
    downgraded. `until` (a keep rule's last day, included) is None for a rule without end. `regardless_of_use` says that
    a rule is meant to take licenses that are in use; it changes no verdict. `notice` is of a rule that takes: what it
    takes is told to its user before.
    """

    kind: RuleKind
    license_types: tuple[LicenseType, ...]
    name: str | None
    until: Date | None
    condition: Condition
    span: Span = NOWHERE
    name_span: Span = NOWHERE
    regardless_of_use: bool = False
    regardless_span: Span = NOWHERE
    notice: Notice | None = None

    @property
    def takes(self) -> bool:
        """Whether the rule takes licenses from their users."""
        return self.kind != "keep"

    def beats(self, other: "Rule") -> bool:
        """Whether this rule decides where both match."""
        return RULE_KINDS.index(self.kind) < RULE_KINDS.index(other.kind)

    @property
    def does(self) -> str:
        """What it does with a license: `keeps`, `downgrades`, `releases`."""
        return f"{self.kind}s"

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
        return license_type in self.types

    @property
    def types(self) -> tuple[LicenseType, ...]:
        """The types of the licenses that the rule speaks of."""
        return self.license_types or (LICENSE_TYPES if self.kind != "downgrade" else (DOWNGRADED,))


class Let(TreeNode, frozen=True):
    """`let admins = [...]`: a named value, length of time (`let grace = 30 days`) or condition."""

    name: str
    value: "Named"
    span: Span = NOWHERE
    name_span: Span = NOWHERE


class SetFrom(TreeNode, frozen=True):
    """`set vips from "vips.txt"`: a named list whose values stand in a file, one a line, and what they are."""

    name: str
    path: Text
    kind: Literal["text", "dates", "numbers"] = "text"
    span: Span = NOWHERE
    name_span: Span = NOWHERE


class Limit(TreeNode, frozen=True):
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
    span: Span = NOWHERE


class Reserve(TreeNode, frozen=True):
    """`limit release to reach 20 free analyzer, longest unused first`: no more than it takes until so many are free.

    It chooses before any other limit is asked.
    """

    free: int
    license_type: LicenseType
    span: Span = NOWHERE


class Timezone(TreeNode, frozen=True):
    """`timezone "Europe/Stockholm"`: the IANA zone in which days are counted."""

    name: str
    span: Span = NOWHERE
    name_span: Span = NOWHERE


Promise: TypeAlias = Literal["never", "always", "never before", "never without notice", "never both types"]
"""What a guarantee says of releases."""
PROMISES: tuple[Promise, ...] = get_args(Promise)


class Guarantee(TreeNode, frozen=True):
    """`guarantee "root admins" never release when …`: a sentence about the rules, which is proved. It decides nothing.

    It is about licenses of `license_types` (of both when empty) of which `condition` holds (of all when None). `before`
    is the disuse that `never before` asks for, as in `UnusedFor`.
    """

    promise: Promise
    license_types: tuple[LicenseType, ...] = ()
    name: str | None = None
    before: Length | Name | None = None
    condition: Condition | None = None
    span: Span = NOWHERE
    name_span: Span = NOWHERE

    @property
    def title(self) -> str:
        """The guarantee as people speak of it: by its name, or else by how it starts."""
        if self.name is not None:
            return f'guarantee "{self.name}"'
        return f"guarantee {self.start}"

    @property
    def start(self) -> str:
        """What it says without its condition: `never release professional before 45 days`."""
        verb, _, rest = self.promise.partition(" ")
        length = self.before.name if isinstance(self.before, Name) else self.before.text if self.before else ""
        return " ".join(filter(None, (verb, "release", ", ".join(self.license_types), rest, length)))


Named: TypeAlias = Condition | Length
"""What a `let` can name. A value, alone, is a value; anything else that is no length is a condition."""

AnyLimit: TypeAlias = Limit | Reserve
Statement: TypeAlias = Rule | Let | SetFrom | AnyLimit | Timezone | Guarantee


class Policy(TreeNode, frozen=True):
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
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of all rules and guarantees in file order."""
        found = (s.condition for s in self.statements if isinstance(s, Rule | Guarantee))
        return tuple(condition for condition in found if condition is not None)

    @property
    def guarantees(self) -> tuple[Guarantee, ...]:
        """All guarantees in file order."""
        return tuple(s for s in self.statements if isinstance(s, Guarantee))

    @property
    def timezone(self) -> Timezone | None:
        """The time zone the policy names, if it does."""
        return next((s for s in self.statements if isinstance(s, Timezone)), None)
