"""The operators of conditions: what they mean, and their documentation for the `fields` command and the language page.

Names and meaning are Qlik's, from its help on operators for conditions of rules. A comparison is true when it holds
for any pair of a value on the left and one on the right. The reference evaluator and the search for possible worlds
both ask here whether it holds for a pair.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from seatwarden.grammar.ast import Operator
from seatwarden.policy.vocabulary import Type

Value: TypeAlias = str | int | bool | date
"""A single value, as facts and lists have several of."""

_ALL = (Type.TEXT, Type.NUMBER, Type.DATE, Type.BOOLEAN)
_ORDERED = (Type.NUMBER, Type.DATE)


@dataclass(frozen=True, slots=True)
class OperatorEntry:
    """One operator. `also` are other spellings of it, `types` what it compares (empty: it joins conditions)."""

    spelling: str
    doc: str
    example: str
    types: tuple[Type, ...] = ()
    also: tuple[str, ...] = ()


OPERATORS = (
    OperatorEntry("=", "equal; text in any case", 'user.userDirectory = "ADMIN"', _ALL),
    OperatorEntry("!=", "not equal: exactly the opposite of `=`", 'user.roles != "RootAdmin"', _ALL),
    OperatorEntry("==", "equal; text with the same capitals", 'user.tags == "VIP"', _ALL),
    OperatorEntry("!==", "not equal: exactly the opposite of `==`", 'user.tags !== "VIP"', _ALL),
    OperatorEntry("like", "text in any case; `*` stands for any characters", 'user.userId like "sa_*"', (Type.TEXT,)),
    OperatorEntry("<", "less; a day before", "license.createdDate < 2026-07-01", _ORDERED),
    OperatorEntry("<=", "less or equal", "license.unusedDays <= 45", _ORDERED),
    OperatorEntry(">", "greater; a day after", "license.unusedDays > 45", _ORDERED),
    OperatorEntry(">=", "greater or equal", "today >= 2026-12-01", _ORDERED),
    OperatorEntry("not", "true where what follows is false", "not user.inactive", also=("!",)),
    OperatorEntry(
        "and", "true where both are; binds less than `not`", 'user.inactive and user.tags = "x"', also=("&&",)
    ),
    OperatorEntry("or", "true where one is; binds less than `and`", "user.inactive or user.blocked", also=("||",)),
    OperatorEntry(
        "is empty",
        "no value, or only blank ones; unknown for a property or attribute that nobody at the site has",
        "user.@Department is empty",
    ),
    OperatorEntry(
        "is not empty", "a value that is not blank: exactly the opposite of `is empty`", "user.roles is not empty"
    ),
    OperatorEntry(
        "unused for", "the last use is that many calendar days (or weeks) ago, or more", "unused for 30 days"
    ),
    OperatorEntry("never used", "never used since it was allocated", "never used"),
)
"""Every operator, in the order in which they are explained."""

POSITIVE: Mapping[Operator, Operator] = {"!=": "=", "!==": "=="}
"""The operators that are exactly `not` of another: of the whole comparison, not of a pair."""


def matches(text: str, pattern: str) -> bool:
    """Qlik's `like`: `*` stands for any characters, case is ignored. Linear in the length of the text."""
    # No regular expression: for `*a*a*a*b` that would try all ways to divide a text. The first place where a part is
    # found is the right one, since it leaves the most room to the parts behind it.
    first, *rest = pattern.casefold().split("*")
    text = text.casefold()
    if not rest:
        return text == first
    if not text.startswith(first) or len(text) < len(first) + len(rest[-1]) or not text.endswith(rest[-1]):
        return False
    position, end = len(first), len(text) - len(rest[-1])
    for part in rest[:-1]:
        found = text.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


HOLDS: Mapping[Operator, Callable[[Value, Value], bool]] = {
    "=": lambda one, other: _folded(one) == _folded(other),
    "==": lambda one, other: one == other,
    "like": lambda one, other: matches(str(one), str(other)),
    "<": lambda one, other: one < other,  # type: ignore[operator]
    "<=": lambda one, other: one <= other,  # type: ignore[operator]
    ">": lambda one, other: one > other,  # type: ignore[operator]
    ">=": lambda one, other: one >= other,  # type: ignore[operator]
}
"""Whether an operator holds for a pair of values, of types that the check lets it compare."""
