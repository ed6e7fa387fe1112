"""The tree of a license rule's condition, as it was written: what it means, and how it may be read, it does not say."""

from collections.abc import Iterator
from typing import Literal, TypeAlias

from msgspec import Struct

RuleOperator: TypeAlias = Literal["=", "!=", "==", "!==", "like", "matches"]
Join: TypeAlias = Literal["and", "or"]


class RuleText(Struct, frozen=True):
    """A text as it stands between its quotes: whether a backslash in it escapes anything is open."""

    raw: str


class RuleProperty(Struct, frozen=True):
    """A property by its path, such as `user.@Department`."""

    path: str


class Unquoted(Struct, frozen=True):
    """A value without quotes, such as `5` or `true`, where a text or a property is compared."""

    word: str


RuleOperand: TypeAlias = RuleText | RuleProperty | Unquoted


class RuleTest(Struct, frozen=True):
    """A comparison."""

    operator: RuleOperator
    left: RuleOperand
    right: RuleOperand


class RuleCall(Struct, frozen=True):
    """A function of a property, such as `user.IsAnonymous()`; `given` says whether anything stands in parentheses."""

    owner: str
    function: str
    given: bool


class RuleTruth(Struct, frozen=True):
    """True or false itself."""

    value: bool


class RuleNot(Struct, frozen=True):
    """The opposite of a part."""

    part: "RulePart"


class RuleChain(Struct, frozen=True):
    """Parts joined by `and` and `or`, in a row: `joins` has one less than there are parts."""

    parts: tuple["RulePart", ...]
    joins: tuple[Join, ...]

    @property
    def mixed(self) -> bool:
        """Whether it has both joins, and so more than one reading."""
        return len(set(self.joins)) > 1


class NotUnderstood(Struct, frozen=True):
    """A part that means nothing to us; the reason says what stops us."""

    reason: str


RulePart: TypeAlias = RuleTest | RuleCall | RuleTruth | RuleNot | RuleChain | NotUnderstood


def leaves(part: RulePart) -> Iterator[RulePart]:
    """The parts that have no parts themselves, in their order."""
    match part:
        case RuleNot(inner):
            yield from leaves(inner)
        case RuleChain(parts):
            for one in parts:
                yield from leaves(one)
        case _:
            yield part
