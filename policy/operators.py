"""The operators of conditions: what they mean, and their documentation for the `fields` command and the language page.

Names and meaning are Qlik's, from its help on operators for conditions of rules. A comparison is true when it holds
for any pair of a value on the left and one on the right. The reference evaluator and the search for possible worlds
both ask here whether it holds for a pair.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import TypeAlias

from msgspec import Struct

from seatwarden.grammar.ast import Date, Operator, Season
from seatwarden.grammar.calendar_names import date_from
from seatwarden.policy.vocabulary import Type

Value: TypeAlias = str | int | bool | date
"""A single value, as facts and lists have several of."""
Truth: TypeAlias = bool | None
"""The truth of a condition: None where it is not known."""


def all_true(truths: Iterable[Truth]) -> Truth:
    """Whether all are true: one that is false decides, whatever is not known of the others."""
    found = set(truths)
    return False if False in found else None if None in found else True


def any_true(truths: Iterable[Truth]) -> Truth:
    """Whether any is true: one that is decides, whatever is not known of the others."""
    found = set(truths)
    return True if True in found else None if None in found else False


def opposite(truth: Truth) -> Truth:
    """What is not so; what is not known stays so."""
    return None if truth is None else not truth


_ALL = (Type.TEXT, Type.NUMBER, Type.DATE, Type.BOOLEAN)
_ORDERED = (Type.NUMBER, Type.DATE)


class OperatorEntry(Struct, frozen=True):
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
        "from … to",
        "today lies in a season, both days included: of every year, or with dates of one",
        "today from 12-15 to 01-10",
    ),
    OperatorEntry(
        "unused for", "the last use is that many calendar days (or weeks) ago, or more", "unused for 30 days"
    ),
    OperatorEntry(
        "user unused for",
        "the last use over all licenses of the user is that many calendar days (or weeks) ago, or more",
        "user unused for 60 days",
    ),
    OperatorEntry(
        "date(…)",
        "the texts of a field, read as dates like 2027-02-28; where one of them is none, all are unknown",
        "date(user.@ContractEnd) >= today",
    ),
    OperatorEntry(
        "number(…)",
        "the texts of a field, read as whole numbers; where one of them is none, all are unknown",
        "license.unusedDays > number(user.@KeepDays)",
    ),
    OperatorEntry("never used", "never used since it was allocated", "never used"),
)
"""Every operator, in the order in which they are explained."""

POSITIVE: Mapping[Operator, Operator] = {"!=": "=", "!==": "=="}
"""The operators that are exactly `not` of another: of the whole comparison, not of a pair."""

FLIPPED: Mapping[Operator, Operator] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "==": "=="}
"""The operators that say the same with their sides exchanged."""


def matches(text: str, pattern: str) -> bool:
    """Qlik's `like`: `*` stands for any characters, case is ignored. Linear in the length of the text."""
    return matches_exactly(text.casefold(), pattern.casefold())


def matches_exactly(text: str, pattern: str) -> bool:
    """The same, with the same capitals."""
    # No regular expression: for `*a*a*a*b` that would try all ways to divide a text. The first place where a part is
    # found is the right one, since it leaves the most room to the parts behind it.
    first, *rest = pattern.split("*")
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


MAX_SHIFT = 36_500
"""Most days by which a date can be moved."""


def moved(day: Value, days: int) -> Value:
    """A date so many calendar days later; within the calendar, which ends with the year 9999. What is none stays."""
    if not isinstance(day, date):
        return day
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


FIRST_YEAR = 1900
"""Dates in texts are of this year or later: QRS has no earlier ones."""
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)


def read_text(kind: str, text: str) -> date | int | None:
    """The date (`kind` is `date`) or the whole number that a text says, blanks around it left out; None if neither."""
    text = text.strip()
    if kind == "number":
        return int(text) if _DIGITS.fullmatch(text) else None
    found = date_from(text)
    return found if found is not None and found.year >= FIRST_YEAR else None


def around(value: Value, days: int = 0) -> Iterator[str]:
    """Texts that are read as a date or a number that is moved, and as the ones near it."""
    for beside in (0, -1, 1, -2, 2):
        if isinstance(value, date):
            yield moved(value, days + beside).isoformat()  # type: ignore[union-attr]
        elif isinstance(value, int) and value + beside >= 0:
            yield str(value + beside)


def in_season(season: Season, day: date) -> bool:
    """Whether a day lies in a season, both its ends included."""
    first, last = season.first, season.last
    if isinstance(first, Date) and isinstance(last, Date):
        return first.value <= day <= last.value
    if isinstance(first, Date) or isinstance(last, Date):  # no such season is read
        return False
    start, end, at = (first.month, first.day), (last.month, last.day), (day.month, day.day)
    return start <= at <= end if start <= end else at >= start or at <= end


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
