"""Formulas: conditions without fields and operators, in negation normal form.

A literal is a statement about the facts that is true or false in a world; `AllOf` and `AnyOf` join them.
"""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from seatwarden.grammar.ast import Comparison, Field
from seatwarden.policy.operators import matches
from seatwarden.policy.worlds.days import ALL_DATES, ALL_WEEKDAYS, DayField


@dataclass(frozen=True, slots=True)
class TextTest:
    """A set of texts: those that fold to one of `folded`, are one of `exact`, or match one of `patterns` (folded).

    With `filled` all that are not blank; `read_as` says that they are read as a date or a number. `written` holds the
    texts as the policy writes them; they only serve to show an example.
    """

    field: Field
    folded: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()
    filled: bool = False
    read_as: str = ""
    written: tuple[str, ...] = dataclasses.field(default=(), compare=False)

    def passes(self, text: str) -> bool:
        """Whether a text is one of the set."""
        folded = text.casefold()
        named = folded in self.folded or text in self.exact or (self.filled and bool(text.strip()))
        return named or any(matches(folded, pattern) for pattern in self.patterns)


class Has(Struct, frozen=True):
    """The field has (`wanted`) or has not a value that passes the test."""

    test: TextTest
    wanted: bool = True


class Flag(Struct, frozen=True):
    """A fact that is true or false: a boolean field, or a comparison that is not looked into."""

    subject: Field | Comparison
    wanted: bool = True


class Within(Struct, frozen=True):
    """`later` is at most `days` after `earlier`."""

    later: DayField
    earlier: DayField
    days: int


class OnDays(Struct, frozen=True):
    """Today lies on one of these dates of a year and on one of these weekdays, bit 0 of which is Monday."""

    dates: int = ALL_DATES
    weekdays: int = ALL_WEEKDAYS


Atom: TypeAlias = Has | Flag | Within | OnDays


class AllOf(Struct, frozen=True):
    """All parts hold; true when there is none."""

    parts: tuple["Formula", ...]


class AnyOf(Struct, frozen=True):
    """Some part holds; false when there is none."""

    parts: tuple["Formula", ...]


Formula: TypeAlias = Atom | AllOf | AnyOf

TRUE = AllOf(())
FALSE = AnyOf(())


def constant(truth: bool) -> Formula:
    """The formula that always or never holds."""
    return TRUE if truth else FALSE


def all_of(parts: Iterable[Formula]) -> Formula:
    """`and`, without needless nesting. No literal is dropped: a space must know them all."""
    flat = tuple(
        dict.fromkeys(inner for part in parts for inner in (part.parts if isinstance(part, AllOf) else (part,)))
    )
    return flat[0] if len(flat) == 1 else AllOf(flat)


def any_of(parts: Iterable[Formula]) -> Formula:
    """`or`, without needless nesting."""
    flat = tuple(
        dict.fromkeys(inner for part in parts for inner in (part.parts if isinstance(part, AnyOf) else (part,)))
    )
    return flat[0] if len(flat) == 1 else AnyOf(flat)


def negate(formula: Formula) -> Formula:
    """The formula that holds exactly where this one does not."""
    match formula:
        case AllOf(parts):
            return any_of(negate(part) for part in parts)
        case AnyOf(parts):
            return all_of(negate(part) for part in parts)
        case Has(_, wanted) | Flag(_, wanted):
            return replace(formula, wanted=not wanted)
        case Within(later, earlier, days):
            return Within(earlier, later, -days - 1)  # days are whole: more than n is n + 1 or more
        case OnDays(dates, weekdays):
            other_dates, other_weekdays = ALL_DATES & ~dates, ALL_WEEKDAYS & ~weekdays
            return any_of([OnDays(dates=other_dates), OnDays(weekdays=other_weekdays)])


def literals(formula: Formula) -> Iterator[Atom]:
    """All literals of a formula."""
    stack = [formula]
    while stack:
        part = stack.pop()
        if isinstance(part, AllOf | AnyOf):
            stack.extend(part.parts)
        else:
            yield part
