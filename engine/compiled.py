"""The fast evaluator: the rules of a policy made ready to decide many licenses, the same answers as the reference.

Each rule is compiled once into a function from the facts of a license to true, false or unknown. The facts are read
once a license, into a tuple with one place for each field that the rules speak of; all fields of a family
(`user.@…`) share one. What makes it fast: values to compare with are sets, several custom properties joined by `or`
are one lookup, and nothing is explained that nobody asked for. What the traces say is what `engine.evaluate` says;
a property test holds the two against each other, condition by condition.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, TypeAlias

from engine.days import Day
from engine.evaluate import POSITIVE, RuleOutcome, Trace, Truth, compare
from engine.facts import FAMILIES, READERS, Fact, Pairs, Subject, Unknown, Value, of_key
from grammar.ast import (
    And,
    Comparison,
    Condition,
    Field,
    LicenseType,
    ListOf,
    Name,
    Not,
    Operand,
    Operator,
    Or,
    UnusedFor,
)
from grammar.printer import print_field
from policy.loading import CheckedPolicy
from policy.loading import Value as NamedValue

Values: TypeAlias = tuple[Any, ...]
"""What was read for one license: in each place a fact, or the pairs of a family."""

Test: TypeAlias = Callable[[Values], Truth]
"""A compiled condition."""

_Get: TypeAlias = Callable[[Values], Fact]

_UNUSED, _USED, _ALLOCATED = Field("license.unusedDays"), Field("license.lastUsed"), Field("license.createdDate")


@dataclass(frozen=True, slots=True)
class _Listed:
    """A field that is compared with constants: true when one of its values is among them."""

    place: int
    key: str | None
    folded: bool
    values: frozenset[Value]


@dataclass(frozen=True, slots=True)
class _Node:
    """A compiled condition, with what it takes to explain it."""

    condition: Condition
    test: Test
    parts: tuple["_Node", ...] = ()
    reads: tuple[tuple[Field, _Get], ...] = ()
    hits: Callable[[Values], tuple[Value, ...]] = lambda values: ()
    listed: _Listed | None = None

    def trace(self, values: Values) -> Trace:
        """What the reference evaluator says of it."""
        facts = tuple([(field, get(values)) for field, get in self.reads])
        parts = tuple([part.trace(values) for part in self.parts])
        return Trace(self.condition, self.test(values), facts, parts, self.hits(values))


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
        self._readers = tuple(compiler.readers())
        # A custom property that a user lacks has no value: of a hundred such facts most are written once, here.
        self._no_facts: dict[str, Fact] = {print_field(field): () for field in compiler.fields}
        self._single = [(print_field(f), self._places[f.name].index) for f in compiler.fields if f.key is None]
        self._families = [
            (place.index, {key: print_field(Field(place.name, key)) for key in place.keys})
            for place in self._places.values()
            if place.keys
        ]

    def read(self, subject: Subject) -> Values:
        """What the rules read of a license."""
        return tuple([read(subject, key) for read, key in self._readers])

    def truths(self, values: Values) -> tuple[Truth, ...]:
        """The truth of every rule."""
        return tuple([test(values) for test in self._tests])

    def facts(self, values: Values) -> dict[str, Fact]:
        """Every fact that the rules read, by its name in the language, in the order of reading."""
        facts = self._no_facts.copy()
        for name, place in self._single:
            facts[name] = values[place]
        for place, names in self._families:
            pairs: Pairs | Unknown = values[place]
            if isinstance(pairs, Unknown):
                facts.update(dict.fromkeys(names.values(), pairs))
                continue
            for key, value in pairs:
                facts[names[key]] = (*facts[names[key]], value)  # type: ignore[misc]
        return facts

    def outcome(self, index: int, values: Values) -> RuleOutcome:
        """What became of one rule, explained."""
        trace, expired = self._nodes[index].trace(values), self._expired[index]
        return RuleOutcome(self.rules[index], False if expired else trace.truth, trace, expired)

    def outcomes(self, values: Values) -> tuple[RuleOutcome, ...]:
        """What became of every rule, explained."""
        return tuple(self.outcome(index, values) for index in range(len(self.rules)))

    def words_depend_on(self, indexes: Sequence[int]) -> Callable[[Values], object]:
        """A function to what the words about these rules depend on: where it is the same, so are they.

        The day of the allocation only counts where a license was never used: else each license had words of its own.
        """
        conditions = [node for index in indexes for node in _below(self._nodes[index])]
        waits = any(isinstance(node.condition, UnusedFor) for node in conditions)
        read = {
            self._places[field.name].index
            for node in conditions
            for field, _ in node.reads
            if not (isinstance(node.condition, UnusedFor) and field == _ALLOCATED)
        }
        pick: Callable[[Values], object] = itemgetter(*sorted(read)) if read else lambda values: ()
        if not waits:
            return pick
        used, allocated = (self._places[field.name].index for field in (_USED, _ALLOCATED))
        return lambda values: (pick(values), None if values[used] else values[allocated])


@dataclass(slots=True)
class _Place:
    """Where a field, or all fields of a family, stand among the values."""

    index: int
    name: str
    keys: list[str] = field(default_factory=list)


class _Compiler:
    """Compiles conditions; `fields` and `places` fill in the order in which the reference evaluator reads."""

    def __init__(self, names: Mapping[str, NamedValue]) -> None:
        self._names = names
        self.places: dict[str, _Place] = {}
        self.fields: dict[Field, _Get] = {}

    def readers(self) -> list[tuple[Callable[[Subject, Any], Any], Any]]:
        """How each place is read, and with which key or keys."""
        return [
            (FAMILIES[place.name], frozenset(place.keys)) if place.name in FAMILIES else (READERS[place.name], "")
            for place in self.places.values()
        ]

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
            case UnusedFor():
                reads = tuple((field, self._getter(field)) for field in (_UNUSED, _USED, _ALLOCATED))
                return _Node(condition, _unused(self._place(_UNUSED), condition.days), (), reads)
            case Comparison():
                return self._comparison(condition)
            case Field():
                get = self._getter(condition)
                return _Node(condition, _true_in(self._place(condition)), (), ((condition, get),))
            case _:
                return _Node(condition, _constant(True in self._constants(condition)))

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
            return _Node(condition, _negated(test), (), reads, hits)
        return _Node(condition, test, (), reads, hits, listed)

    def _listed(self, operator: Operator, left: Operand, right: Operand) -> _Listed | None:
        """The comparison of a field with constants, if it is one."""
        if operator not in ("=", "=="):
            return None
        for field, others in ((left, right), (right, left)):
            if isinstance(field, Field) and not isinstance(others, Field):
                values = self._constants(others)
                folded = operator == "=" and any(isinstance(value, str) for value in values)
                kept = frozenset(v.casefold() if folded and isinstance(v, str) else v for v in values)
                return _Listed(self._place(field), field.key, folded, kept)
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
        get: _Get = itemgetter(index) if key is None else lambda values: of_key(values[index], key)
        return self.fields.setdefault(field, get)


# Tests ---------------------------------------------------------------------------------------------------


def _constant(truth: bool) -> Test:
    return lambda values: truth


def _negated(test: Test) -> Test:
    def negated(values: Values) -> Truth:
        truth = test(values)
        return None if truth is None else not truth

    return negated


def _all(tests: Sequence[Test]) -> Test:
    def all_of(values: Values) -> Truth:
        found: Truth = True
        for test in tests:
            truth = test(values)
            if truth is False:
                return False
            if truth is None:
                found = None
        return found

    return all_of


def _any(tests: Sequence[Test]) -> Test:
    def any_of(values: Values) -> Truth:
        found: Truth = False
        for test in tests:
            truth = test(values)
            if truth:
                return True
            if truth is None:
                found = None
        return found

    return tests[0] if len(tests) == 1 else any_of


def _unused(place: int, days: int) -> Test:
    def unused_for(values: Values) -> Truth:
        fact = values[place]
        if isinstance(fact, Unknown):
            return None
        return any(d >= days for d in fact) if len(fact) != 1 else fact[0] >= days

    return unused_for


def _true_in(place: int) -> Test:
    def true_in(values: Values) -> Truth:
        fact = values[place]
        return None if isinstance(fact, Unknown) else True in fact

    return true_in


def _compared(operator: Operator, left: _Get, right: _Get) -> Test:
    """What is rare: compared pair by pair, as the reference does."""
    return lambda values: compare(operator, left(values), right(values))


def _any_listed(listed: _Listed) -> Test:
    if listed.key is not None:
        return _any_in_table(listed.place, {listed.key: listed.values}, listed.folded)
    place, allowed = listed.place, listed.values

    def listed_exactly(values: Values) -> Truth:
        fact = values[place]
        return None if isinstance(fact, Unknown) else not allowed.isdisjoint(fact)

    def listed_in_any_case(values: Values) -> Truth:
        fact = values[place]
        return None if isinstance(fact, Unknown) else not allowed.isdisjoint([value.casefold() for value in fact])

    return listed_in_any_case if listed.folded else listed_exactly


def _any_in_table(place: int, table: Mapping[str, frozenset[Value]], folded: bool) -> Test:
    """Whether a custom property (or attribute) has one of the values that are listed for it."""

    def in_table(values: Values) -> Truth:
        pairs = values[place]
        if isinstance(pairs, Unknown):
            return None
        for key, value in pairs:
            if key in table and (value.casefold() if folded else value) in table[key]:
                return True
        return False

    return in_table


def _joined(parts: Sequence[_Node]) -> list[Test]:
    """The tests of an `or`, those of one family in one table: a hundred properties cost as much as one."""
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


def _hits(operator: Operator, left: _Get, right: _Get) -> Callable[[Values], tuple[Value, ...]]:
    def hits(values: Values) -> tuple[Value, ...]:
        one, other = left(values), right(values)
        return () if isinstance(one, Unknown) else tuple(v for v in one if compare(operator, (v,), other))

    return hits


def _listed_hits(listed: _Listed, left: _Get) -> Callable[[Values], tuple[Value, ...]]:
    def hits(values: Values) -> tuple[Value, ...]:
        fact = left(values)
        if isinstance(fact, Unknown):
            return ()
        fold = str.casefold if listed.folded else lambda value: value
        return tuple(value for value in fact if fold(value) in listed.values)  # type: ignore[arg-type]

    return hits


def _below(node: _Node) -> list[_Node]:
    return [node, *(below for part in node.parts for below in _below(part))]
