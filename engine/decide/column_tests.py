"""The tests of compiled conditions: functions over columns, from the facts of a batch of licenses to truths.

What makes them fast: one call serves a batch, values to compare with are sets, and a custom property of hundreds is one
look into a table. Their truths are those of `engine.decide.reference`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from seatwarden.engine.decide.reference import compare
from seatwarden.engine.facts.columns import FactColumn
from seatwarden.engine.facts.facts import Fact, Pairs
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Operator, Season
from seatwarden.policy.operators import Truth, Value, in_season

ReadValues: TypeAlias = tuple[Any, ...]
"""The facts read of one license: in each place a fact, or the pairs of a family."""


class FactBatch(Struct, frozen=True):
    """The facts read of some licenses: a column for each place."""

    size: int
    columns: Sequence[FactColumn]

    def rows(self) -> list[ReadValues]:
        """The facts of each license."""
        return list(zip(*self.columns, strict=True)) if self.columns else [()] * self.size


Test: TypeAlias = Callable[[FactBatch], list[Truth]]
"""A compiled condition."""

Get: TypeAlias = Callable[[ReadValues], Fact]
"""Finds one fact among what was read of a license."""


class ListedValues(Struct, frozen=True):
    """A field that is compared with constants: true when one of its values is among them."""

    place: int
    key: str | None
    is_single: bool
    folded: bool
    values: frozenset[Value]


def constant(truth: bool) -> Test:
    """A test that no fact changes."""
    return lambda batch: [truth] * batch.size


def negated(test: Test) -> Test:
    """The test of `not`."""
    return lambda batch: [None if truth is None else not truth for truth in test(batch)]


def all_of(tests: Sequence[Test]) -> Test:
    """The test of `and`."""

    def together(batch: FactBatch) -> list[Truth]:
        columns = zip(*[test(batch) for test in tests], strict=True)
        return [False if False in truths else None if None in truths else True for truths in columns]

    return together


def any_of(tests: Sequence[Test]) -> Test:
    """The test of `or`."""

    def together(batch: FactBatch) -> list[Truth]:
        columns = zip(*[test(batch) for test in tests], strict=True)
        return [True if True in truths else None if None in truths else False for truths in columns]

    return tests[0] if len(tests) == 1 else together


def unused_for(place: int, days: int) -> Test:
    """The test of `unused for`; `place` has the days without use."""

    def long_enough(batch: FactBatch) -> list[Truth]:
        return [None if isinstance(found, Unknown) else found >= days for found in batch.columns[place]]

    return long_enough


def season(place: int, asked: Season) -> Test:
    """The test of a season; `place` has the day of the run, which is the same for nearly all of a batch."""

    def lies_in(batch: FactBatch) -> list[Truth]:
        known: dict[object, Truth] = {}
        found: list[Truth] = []
        for day in batch.columns[place]:
            if day not in known:
                known[day] = None if isinstance(day, Unknown) else in_season(asked, day)
            found.append(known[day])
        return found

    return lies_in


def true_in(place: int, is_single: bool) -> Test:
    """The test of a field that is true or false."""
    if is_single:
        return lambda batch: [None if isinstance(found, Unknown) else found for found in batch.columns[place]]
    return lambda batch: [None if isinstance(fact, Unknown) else True in fact for fact in batch.columns[place]]


def compared(operator: Operator, left: Get, right: Get) -> Test:
    """A comparison of a rare kind: made pair by pair, as the reference does."""
    return lambda batch: [compare(operator, left(values), right(values)) for values in batch.rows()]


def any_listed(listed: ListedValues) -> Test:
    """Whether a field has one of the values that are listed for it."""
    if listed.key is not None:
        return any_in_table(listed.place, {listed.key: listed.values}, listed.folded)
    place, allowed, is_other = listed.place, listed.values, listed.values.isdisjoint
    if listed.is_single and listed.folded:
        return lambda batch: [
            None if isinstance(found, Unknown) else found.casefold() in allowed for found in batch.columns[place]
        ]
    if listed.is_single:
        return lambda batch: [
            None if isinstance(found, Unknown) else found in allowed for found in batch.columns[place]
        ]

    def listed_exactly(batch: FactBatch) -> list[Truth]:
        return [None if isinstance(fact, Unknown) else not is_other(fact) for fact in batch.columns[place]]

    def listed_in_any_case(batch: FactBatch) -> list[Truth]:
        return [
            None if isinstance(fact, Unknown) else not is_other([value.casefold() for value in fact])
            for fact in batch.columns[place]
        ]

    return listed_in_any_case if listed.folded else listed_exactly


def any_in_table(place: int, table: Mapping[str, frozenset[Value]], folded: bool) -> Test:
    """Whether a custom property (or attribute) has one of the values that are listed for it."""

    def is_listed(pairs: Pairs) -> bool:
        return any(key in table and (value.casefold() if folded else value) in table[key] for key, value in pairs)

    def in_table(batch: FactBatch) -> list[Truth]:
        # Most users have none of the properties that the policy speaks of.
        return [
            None if isinstance(pairs, Unknown) else bool(pairs) and is_listed(pairs) for pairs in batch.columns[place]
        ]

    return in_table


def hits_of(operator: Operator, left: Get, right: Get) -> Callable[[ReadValues], tuple[Value, ...]]:
    """A function that finds the values on the left for which a comparison holds."""

    def hits(values: ReadValues) -> tuple[Value, ...]:
        one, other = left(values), right(values)
        return () if isinstance(one, Unknown) else tuple(v for v in one if compare(operator, (v,), other))

    return hits


def listed_hits(listed: ListedValues, left: Get) -> Callable[[ReadValues], tuple[Value, ...]]:
    """The same for a field that is compared with constants."""

    def hits(values: ReadValues) -> tuple[Value, ...]:
        fact = left(values)
        if isinstance(fact, Unknown):
            return ()
        fold = str.casefold if listed.folded else lambda value: value
        return tuple(value for value in fact if fold(value) in listed.values)  # type: ignore[arg-type]

    return hits
