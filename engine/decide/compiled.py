"""The fast evaluator: the rules of a policy made ready to decide many licenses, the same answers as the reference.

Each rule is compiled once into a function over columns: the facts of a batch of licenses, field by field, go in, and
true, false or unknown comes out for each license. All fields of a family (`user.@…`) share one column. What makes it
fast: one call serves a thousand licenses, values to compare with are sets, several custom properties joined by `or`
are one lookup, and nothing is explained that nobody asked for. What its traces say is what `engine.decide.reference`
says; a property test holds the two against each other, condition by condition.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import itemgetter
from typing import Any, TypeAlias

from seatwarden.engine.decide.reference import RuleOutcome, Trace, Truth, compare
from seatwarden.engine.facts.columns import SINGLE, FactColumn, as_facts, facts_by_key, read_column
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import FAMILIES, Fact, Facts, Pairs, Subject, Unknown, emptiness, of_key
from seatwarden.grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    IsEmpty,
    LicenseType,
    ListOf,
    Name,
    Not,
    Operand,
    Operator,
    Or,
    UnusedFor,
)
from seatwarden.grammar.printer import print_field
from seatwarden.policy.loading import CheckedPolicy, NamedValue
from seatwarden.policy.operators import POSITIVE, Value
from seatwarden.policy.vocabulary import IN_USE

ReadValues: TypeAlias = tuple[Any, ...]
"""The facts read of one license: in each place a fact, or the pairs of a family."""


@dataclass(frozen=True, slots=True)
class FactBatch:
    """The facts read of some licenses: a column for each place."""

    size: int
    columns: Sequence[FactColumn]

    def rows(self) -> list[ReadValues]:
        """The facts of each license."""
        return list(zip(*self.columns, strict=True)) if self.columns else [()] * self.size


Test: TypeAlias = Callable[[FactBatch], list[Truth]]
"""A compiled condition."""

_Get: TypeAlias = Callable[[ReadValues], Fact]
"""Finds one fact among what was read of a license."""

_UNUSED, _USED, _ALLOCATED = Field("license.unusedDays"), Field("license.lastUsed"), Field("license.createdDate")


@dataclass(frozen=True, slots=True)
class _Listed:
    """A field that is compared with constants: true when one of its values is among them."""

    place: int
    key: str | None
    is_single: bool
    folded: bool
    values: frozenset[Value]


@dataclass(frozen=True, slots=True)
class _Node:
    """A compiled condition, with what it takes to explain it."""

    condition: Condition
    test: Test
    parts: tuple["_Node", ...] = ()
    reads: tuple[tuple[Field, _Get], ...] = ()
    hits: Callable[[ReadValues], tuple[Value, ...]] = lambda values: ()
    listed: _Listed | None = None

    def trace(self, values: ReadValues, alone: FactBatch) -> Trace:
        """The trace for one license, as the reference evaluator makes it; `alone` is a batch of that license."""
        facts = tuple([(field, get(values)) for field, get in self.reads])
        parts = tuple([part.trace(values, alone) for part in self.parts])
        (truth,) = self.test(alone)
        return Trace(self.condition, truth, facts, parts, self.hits(values))


class CompiledRules:
    """The rules of a policy that speak of one license type, in file order, as they hold on one day."""

    def __init__(self, policy: CheckedPolicy, license_type: LicenseType, day: Day) -> None:
        self.rules = tuple(rule for rule in policy.rules if rule.applies_to(license_type))
        compiler = _Compiler(policy.names)
        self._nodes = tuple(compiler.condition(rule.condition) for rule in self.rules)
        self._expired = tuple(rule.until is not None and rule.until.value < day.today for rule in self.rules)
        self._tests = tuple(
            _constant(False) if expired else node.test for node, expired in zip(self._nodes, self._expired, strict=True)
        )
        self._places = compiler.places
        self._fields = tuple(compiler.fields)
        self._names = tuple(map(print_field, compiler.fields))

    def read(self, subjects: Sequence[Subject]) -> FactBatch:
        """The facts that the rules read of some licenses."""
        return FactBatch(len(subjects), [_column(place, subjects) for place in self._places.values()])

    def read_again(self, several: Sequence[Facts]) -> FactBatch:
        """The facts that the rules read, from another source than a snapshot: `several` has one for each license."""
        columns = [[place.from_facts(facts) for facts in several] for place in self._places.values()]
        return FactBatch(len(several), columns)

    def truths(self, batch: FactBatch) -> list[tuple[Truth, ...]]:
        """The truths of all rules, in their order, for each license."""
        return list(zip(*[test(batch) for test in self._tests], strict=True)) if self._tests else [()] * batch.size

    def facts(self, values: ReadValues) -> dict[str, Fact]:
        """Every fact that the rules read of a license, by its name in the language, in the order of reading."""
        (facts,) = self.facts_of([values])
        return facts

    def facts_of(self, rows: Sequence[ReadValues]) -> list[dict[str, Fact]]:
        """The `facts` of several licenses, found together."""
        if not self._fields:
            return [{} for _ in rows]
        columns = list(zip(*rows, strict=True))
        keyed = {
            place.name: facts_by_key(columns[place.index], place.keys) for place in self._places.values() if place.keys
        }
        facts = [
            as_facts(columns[self._places[field.name].index], field.name)
            if field.key is None
            else keyed[field.name][field.key]
            for field in self._fields
        ]
        # Without a loop in Python, which would take most of the time: dict(zip(names, row)) for each row.
        return list(map(dict, map(zip, repeat(self._names), zip(*facts, strict=True))))

    def outcome(self, index: int, values: ReadValues) -> RuleOutcome:
        """The outcome of one rule, explained."""
        alone = FactBatch(1, [[value] for value in values])
        trace, expired = self._nodes[index].trace(values, alone), self._expired[index]
        return RuleOutcome(self.rules[index], False if expired else trace.truth, trace, expired)

    def outcomes(self, values: ReadValues) -> tuple[RuleOutcome, ...]:
        """The outcomes of all rules, explained."""
        return tuple(self.outcome(index, values) for index in range(len(self.rules)))

    def words_depend_on(self, indexes: Sequence[int]) -> Callable[[ReadValues], object]:
        """A function from a license's facts to a key: licenses with equal keys have the same words on these rules."""
        # Nearly every license has a day of allocation of its own, but `unused for` speaks of it only where a license
        # was never used. With the day in every key 4,552 licenses of a site took 4,158 sentences, without it 398.
        conditions = [node for index in indexes for node in _below(self._nodes[index])]
        waits = any(isinstance(node.condition, UnusedFor) for node in conditions)
        read = {
            self._places[field.name].index
            for node in conditions
            for field, _ in node.reads
            if not (isinstance(node.condition, UnusedFor) and field == _ALLOCATED)
        }
        pick: Callable[[ReadValues], object] = itemgetter(*sorted(read)) if read else lambda values: ()
        if not waits:
            return pick
        used, allocated = (self._places[field.name].index for field in (_USED, _ALLOCATED))
        return lambda values: (pick(values), None if values[used] else values[allocated])


@dataclass(slots=True)
class _Place:
    """The place of a field, or of all fields of a family, among the values."""

    index: int
    name: str
    keys: list[str] = field(default_factory=list)

    def from_facts(self, facts: Facts) -> Any:
        """The content of this place, from facts by field: as `read` has it in the place's column."""
        if self.name not in FAMILIES:
            fact = facts.read(Field(self.name))
            if self.name not in SINGLE or isinstance(fact, Unknown):
                return fact
            # A snapshot always has a value here; a log that somebody has edited and sealed anew may not.
            return fact[0] if fact else Unknown(f"`{self.name}` has no value")
        pairs: list[tuple[str, str]] = []
        for key in self.keys:
            fact = facts.read(Field(self.name, key))
            if isinstance(fact, Unknown):
                return fact
            pairs += [(key, str(value)) for value in fact]
        return tuple(pairs)


class _Compiler:
    """Compiles conditions; `fields` and `places` fill in the order in which the reference evaluator reads."""

    def __init__(self, names: Mapping[str, NamedValue]) -> None:
        self._names = names
        self.places: dict[str, _Place] = {}
        self.fields: dict[Field, _Get] = {}

    def condition(self, condition: Condition) -> _Node:
        match condition:
            case And(operands):
                parts = tuple(self.condition(operand) for operand in operands)
                return _Node(condition, _all([part.test for part in parts]), parts)
            case Or(operands):
                parts = tuple(self.condition(operand) for operand in operands)
                return _Node(condition, _any(_joined(parts)), parts)
            case Not(operand):
                part = self.condition(operand)
                return _Node(condition, _negated(part.test), (part,))
            case IsEmpty(field):
                return self._emptiness(condition, field)
            case UnusedFor():
                reads = tuple((field, self._getter(field)) for field in (_UNUSED, _USED, _ALLOCATED))
                return _Node(condition, _unused(self._place(_UNUSED), condition.days), (), reads)
            case Comparison():
                return self._comparison(condition)
            case Field():
                get = self._getter(condition)
                return _Node(
                    condition, _true_in(self._place(condition), condition.name in SINGLE), (), ((condition, get),)
                )
            case _:
                return _Node(condition, _constant(True in self._constants(condition)))

    def _emptiness(self, condition: IsEmpty, field: Field) -> _Node:
        get = self._getter(field)
        in_use = self._getter(IN_USE[field.name]) if field.name in IN_USE else lambda values: ()

        def found(values: ReadValues) -> tuple[Truth, Fact]:
            return emptiness(field, get(values), in_use(values))

        def is_empty(batch: FactBatch) -> list[Truth]:
            return [found(values)[0] for values in batch.rows()]

        return _Node(condition, is_empty, (), ((field, lambda values: found(values)[1]),))

    def _comparison(self, condition: Comparison) -> _Node:
        left, right = condition.left, condition.right
        reads = tuple((side, self._getter(side)) for side in (left, right) if isinstance(side, Field))
        operator = POSITIVE.get(condition.operator, condition.operator)
        one, other = self._fact(left), self._fact(right)
        listed = self._listed(operator, left, right)
        if listed is None:
            test, hits = _compared(operator, one, other), _hits(operator, one, other)
        else:
            test = _any_listed(listed)
            hits = _listed_hits(listed, one) if isinstance(left, Field) else _hits(operator, one, other)
        if operator != condition.operator:
            # Without `listed`: in the table of an `or` a value that is listed makes it true, here it makes it false.
            return _Node(condition, _negated(test), (), reads, hits)
        return _Node(condition, test, (), reads, hits, listed)

    def _listed(self, operator: Operator, left: Operand, right: Operand) -> _Listed | None:
        """The comparison of a field with constants, if it is one."""
        if operator not in ("=", "=="):
            return None
        for side, others in ((left, right), (right, left)):
            if isinstance(side, Field) and not isinstance(others, Field):
                values = self._constants(others)
                folded = operator == "=" and any(isinstance(value, str) for value in values)
                kept = frozenset(v.casefold() if folded and isinstance(v, str) else v for v in values)
                return _Listed(self._place(side), side.key, side.name in SINGLE, folded, kept)
        return None

    def _fact(self, operand: Operand) -> _Get:
        if isinstance(operand, Field):
            return self._getter(operand)
        constants = self._constants(operand)
        return lambda values: constants

    def _constants(self, operand: Operand) -> tuple[Value, ...]:
        match operand:
            case Name(name):
                return self._constants(self._names[name])
            case ListOf(items):
                return tuple(item.value for item in items)
            case Field():
                raise TypeError(f"{operand.name} is no constant")
            case _:
                return (operand.value,)

    def _place(self, field: Field) -> int:
        place = self.places.setdefault(field.name, _Place(len(self.places), field.name))
        if field.key is not None and field.key not in place.keys:
            place.keys.append(field.key)
        return place.index

    def _getter(self, field: Field) -> _Get:
        index, key = self._place(field), field.key
        get: _Get
        if key is not None:
            get = lambda values: of_key(values[index], key)  # noqa: E731
        elif field.name in SINGLE:
            get = lambda values: found if isinstance(found := values[index], Unknown) else (found,)  # noqa: E731
        else:
            get = itemgetter(index)
        return self.fields.setdefault(field, get)


def _column(place: _Place, subjects: Sequence[Subject]) -> FactColumn:
    if place.name not in FAMILIES:
        return read_column(place.name, subjects)
    read, keys = FAMILIES[place.name], frozenset(place.keys)
    return [read(subject, keys) for subject in subjects]


# Tests ---------------------------------------------------------------------------------------------------


def _constant(truth: bool) -> Test:
    return lambda batch: [truth] * batch.size


def _negated(test: Test) -> Test:
    return lambda batch: [None if truth is None else not truth for truth in test(batch)]


def _all(tests: Sequence[Test]) -> Test:
    def all_of(batch: FactBatch) -> list[Truth]:
        columns = zip(*[test(batch) for test in tests], strict=True)
        return [False if False in truths else None if None in truths else True for truths in columns]

    return all_of


def _any(tests: Sequence[Test]) -> Test:
    def any_of(batch: FactBatch) -> list[Truth]:
        columns = zip(*[test(batch) for test in tests], strict=True)
        return [True if True in truths else None if None in truths else False for truths in columns]

    return tests[0] if len(tests) == 1 else any_of


def _unused(place: int, days: int) -> Test:
    def unused_for(batch: FactBatch) -> list[Truth]:
        return [None if isinstance(found, Unknown) else found >= days for found in batch.columns[place]]

    return unused_for


def _true_in(place: int, is_single: bool) -> Test:
    if is_single:
        return lambda batch: [None if isinstance(found, Unknown) else found for found in batch.columns[place]]
    return lambda batch: [None if isinstance(fact, Unknown) else True in fact for fact in batch.columns[place]]


def _compared(operator: Operator, left: _Get, right: _Get) -> Test:
    """A comparison of a rare kind: made pair by pair, as the reference does."""
    return lambda batch: [compare(operator, left(values), right(values)) for values in batch.rows()]


def _any_listed(listed: _Listed) -> Test:
    if listed.key is not None:
        return _any_in_table(listed.place, {listed.key: listed.values}, listed.folded)
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


def _any_in_table(place: int, table: Mapping[str, frozenset[Value]], folded: bool) -> Test:
    """Whether a custom property (or attribute) has one of the values that are listed for it."""

    def is_listed(pairs: Pairs) -> bool:
        return any(key in table and (value.casefold() if folded else value) in table[key] for key, value in pairs)

    def in_table(batch: FactBatch) -> list[Truth]:
        # Most users have none of the properties that the policy speaks of.
        return [
            None if isinstance(pairs, Unknown) else bool(pairs) and is_listed(pairs) for pairs in batch.columns[place]
        ]

    return in_table


def _joined(parts: Sequence[_Node]) -> list[Test]:
    """The tests of an `or`, those of one family in one table: a hundred properties cost as much as one."""
    # An `or` does not depend on the order of its parts, in three values neither, and a family is known or unknown as a
    # whole: one look at its pairs answers for all its keys. Exact comparison and that in any case cannot share a table.
    # With 100 properties a site is decided in less than half the time.
    tables: dict[tuple[int, bool], dict[str, frozenset[Value]]] = {}
    tests = []
    for part in parts:
        listed = part.listed
        if listed is None or listed.key is None:
            tests.append(part.test)
            continue
        table = tables.setdefault((listed.place, listed.folded), {})
        table[listed.key] = table.get(listed.key, frozenset()) | listed.values
    return [*tests, *(_any_in_table(place, table, folded) for (place, folded), table in tables.items())]


# Traces --------------------------------------------------------------------------------------------------


def _hits(operator: Operator, left: _Get, right: _Get) -> Callable[[ReadValues], tuple[Value, ...]]:
    def hits(values: ReadValues) -> tuple[Value, ...]:
        one, other = left(values), right(values)
        return () if isinstance(one, Unknown) else tuple(v for v in one if compare(operator, (v,), other))

    return hits


def _listed_hits(listed: _Listed, left: _Get) -> Callable[[ReadValues], tuple[Value, ...]]:
    def hits(values: ReadValues) -> tuple[Value, ...]:
        fact = left(values)
        if isinstance(fact, Unknown):
            return ()
        fold = str.casefold if listed.folded else lambda value: value
        return tuple(value for value in fact if fold(value) in listed.values)  # type: ignore[arg-type]

    return hits


def _below(node: _Node) -> list[_Node]:
    return [node, *(below for part in node.parts for below in _below(part))]
