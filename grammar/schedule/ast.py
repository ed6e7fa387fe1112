"""The tree of a schedule text (Butler's `frequency`), before any calendar is asked.

The words are those of the JavaScript library `later`; every node knows where it was written.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

from seatwarden.grammar.spans import Span

UnitName: TypeAlias = Literal[
    "second",
    "minute",
    "hour",
    "time",
    "day",
    "day of the week",
    "day instance",
    "day of the year",
    "week of the month",
    "week of the year",
    "month",
    "year",
]
"""The units of a schedule. A `time` is a second of the day, a `day` one of the month, a `day instance` the first to
fifth seven days of a month; days of the week count from Sunday, 1."""


class Range(Struct, frozen=True):
    """Values from `first` to `last`, both among them; none when it runs backwards. One value is a range too."""

    first: int
    last: int
    span: Span


class Every(Struct, frozen=True):
    """Every `step`th value of a unit, from `first` (or its lowest) to `last` (or its highest).

    `unfinished` is the place of a `between` that names no end: it is read, and means nothing.
    """

    step: int
    unit: UnitName
    first: int | None
    last: int | None
    unfinished: Span | None
    span: Span


class Listed(Struct, frozen=True):
    """The values of a unit in some ranges, in the order written: `at 8:00,17:00`, `on mon-fri`, `on the 5th day`."""

    unit: UnitName
    ranges: tuple[Range, ...]
    span: Span


class Edge(Struct, frozen=True):
    """The first or last of a unit: `on the last day`."""

    edge: Literal["first", "last"]
    unit: UnitName
    span: Span


class Bound(Struct, frozen=True):
    """From a value on, or up to and without it: `after 8:00`, `before 17 hours`."""

    side: Literal["after", "before"]
    unit: UnitName
    value: int
    span: Span


Clause: TypeAlias = Every | Listed | Edge | Bound


class Pattern(Struct, frozen=True):
    """Clauses that must all hold; clauses for the same unit add up to one list of values."""

    clauses: tuple[Clause, ...]
    span: Span


class ScheduleTree(Struct, frozen=True):
    """A whole schedule: it fires by any of `patterns` (joined by `also`), but not during any of `exceptions`.

    `idle` are the places of words that say nothing: an `except` with nothing behind it.
    """

    patterns: tuple[Pattern, ...]
    exceptions: tuple[Pattern, ...]
    idle: tuple[Span, ...]
