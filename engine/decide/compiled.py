"""The fast evaluator: the rules of a policy made ready to decide many licenses, the same answers as the reference.

Each rule is compiled once into a function over columns: the facts of a batch of licenses, field by field, go in, and
true, false or unknown comes out for each license. All fields of a family (`user.@…`) share one column. What makes it
fast: one call serves a thousand licenses, values to compare with are sets, several custom properties joined by `or`
are one lookup, and nothing is explained that nobody asked for. What its traces say is what `engine.decide.reference`
says; a property test holds the two against each other, condition by condition.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any

from msgspec import Struct, field

from seatwarden.engine.decide.column_tests import (
    FactBatch,
    Get,
    ListedValues,
    ReadValues,
    Test,
    all_of,
    any_in_table,
    any_listed,
    any_of,
    compared,
    constant,
    hits_of,
    listed_hits,
    negated,
    season,
    true_in,
    unused_for,
)
from seatwarden.engine.decide.reference import RuleOutcome, Trace, telling
from seatwarden.engine.facts.columns import SINGLE, FactColumn, as_facts, facts_by_key, read_column
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import (
    FAMILIES,
    OF_SITE,
    Fact,
    Facts,
    RecordedFact,
    Subject,
    as_read,
    emptiness,
    of_key,
)
from seatwarden.engine.facts.recorded import IrregularRecord, recorded_column
from seatwarden.engine.snapshot.unknown import Unknown
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
    ReadAs,
    Season,
    Shifted,
    UnusedFor,
    field_of,
    read_in,
)
from seatwarden.grammar.printer import print_field, print_operand
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.names import NamedValue
from seatwarden.policy.operators import POSITIVE, Truth, Value, moved
from seatwarden.policy.vocabulary import IN_USE

_USED, _ALLOCATED = Field("license.lastUsed"), Field("license.createdDate")
_USED_BY_USER = Field("user.lastUsed")


class CompiledCondition(Struct, frozen=True):
    """A compiled condition, with what it takes to explain it."""

    condition: Condition
    test: Test
    parts: tuple["CompiledCondition", ...] = ()
    reads: tuple[tuple[Field, Get], ...] = ()
    hits: Callable[[ReadValues], tuple[Value, ...]] = lambda values: ()
    listed: ListedValues | None = None

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
        self.conditions = tuple(compiler.condition(rule.condition) for rule in self.rules)
        self._expired = tuple(rule.until is not None and rule.until.value < day.today for rule in self.rules)
        self._tests = tuple(
            constant(False) if expired else node.test
            for node, expired in zip(self.conditions, self._expired, strict=True)
        )
        self._places = compiler.places
        self._fields = tuple(compiler.fields)
        self._names = tuple(map(print_field, compiler.fields))

    def read(self, subjects: Sequence[Subject]) -> FactBatch:
        """The facts that the rules read of some licenses."""
        return FactBatch(len(subjects), [_column(place, subjects) for place in self._places.values()])

    def read_as_asked(self, subjects: Sequence[Subject]) -> FactBatch:
        """The same for who wants truths alone: what only an explanation would say is not read."""
        return FactBatch(len(subjects), _AskedColumns(tuple(self._places.values()), subjects))

    def read_again(self, several: Sequence[Facts]) -> FactBatch:
        """The facts that the rules read, from another source than a snapshot: `several` has one for each license."""
        columns = [[place.from_facts(facts) for facts in several] for place in self._places.values()]
        return FactBatch(len(several), columns)

    def read_recorded(self, records: Sequence[Mapping[str, RecordedFact]], of_site: Mapping[str, Fact]) -> FactBatch:
        """The facts that the rules read, as a plan recorded them for some licenses and, once, for the site.

        Raises IrregularRecord: such records are for `read_again`.
        """
        if not set(map(len, records)) <= {sum(name not in OF_SITE for name in self._names)}:
            raise IrregularRecord
        columns = [place.recorded(records, of_site) for place in self._places.values()]
        return FactBatch(len(records), columns)

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
        trace, expired = self.conditions[index].trace(values, alone), self._expired[index]
        return RuleOutcome(self.rules[index], False if expired else trace.truth, trace, expired)

    def outcomes(self, values: ReadValues) -> tuple[RuleOutcome, ...]:
        """The outcomes of all rules, explained."""
        return tuple(self.outcome(index, values) for index in range(len(self.rules)))

    def place_of(self, field: Field) -> int:
        """The place of a field that the rules read, among the values of a license."""
        return self._places[field.name].index

    def words_depend_on(self, indexes: Sequence[int]) -> Callable[[ReadValues], object]:
        """A function from a license's facts to a key: licenses with equal keys have the same words on these rules."""
        # Nearly every license has a day of allocation of its own, but `unused for` speaks of it only where a license
        # was never used. With the day in every key 4,552 licenses of a site took 4,158 sentences, without it 398.
        conditions = [node for index in indexes for node in _below(self.conditions[index])]
        waits = any(_counts_from_allocation(node) for node in conditions)
        read = {
            self._places[field.name].index
            for node in conditions
            for field, _ in node.reads
            if not (_counts_from_allocation(node) and field == _ALLOCATED)
        }
        pick: Callable[[ReadValues], object] = itemgetter(*sorted(read)) if read else lambda values: ()
        if not waits:
            return pick
        used, allocated = (self._places[field.name].index for field in (_USED, _ALLOCATED))
        return lambda values: (pick(values), None if values[used] else values[allocated])


class _Place(Struct):
    """The place of a field, or of all fields of a family, among the values."""

    index: int
    name: str
    keys: list[str] = field(default_factory=list)

    def recorded(self, records: Sequence[Mapping[str, RecordedFact]], of_site: Mapping[str, Fact]) -> FactColumn:
        """This place's column, from records. Raises IrregularRecord."""
        if self.name in of_site:
            return [of_site[self.name]] * len(records)
        return recorded_column(self.name, self.keys, records)

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


class _AskedColumns(Sequence[FactColumn]):
    """The columns of some licenses, each read when a test first looks at it."""

    def __init__(self, places: Sequence[_Place], subjects: Sequence[Subject]) -> None:
        self._places, self._subjects = places, subjects
        self._known: dict[int, FactColumn] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        found = self._known.get(index)
        if found is None:
            found = self._known[index] = _column(self._places[index], self._subjects)
        return found


class _Compiler:
    """Compiles conditions; `fields` and `places` fill in the order in which the reference evaluator reads."""

    def __init__(self, names: Mapping[str, NamedValue]) -> None:
        self._names = names
        self.places: dict[str, _Place] = {}
        self.fields: dict[Field, Get] = {}

    def condition(self, condition: Condition) -> CompiledCondition:
        match condition:
            case And(operands):
                parts = tuple(self.condition(operand) for operand in operands)
                return CompiledCondition(condition, all_of([part.test for part in parts]), parts)
            case Or(operands):
                parts = tuple(self.condition(operand) for operand in operands)
                return CompiledCondition(condition, any_of(_joined(parts)), parts)
            case Not(operand):
                part = self.condition(operand)
                return CompiledCondition(condition, negated(part.test), (part,))
            case IsEmpty(field):
                return self._emptiness(condition, field)
            case Season():
                day = Field("today")
                return CompiledCondition(
                    condition, season(self._place(day), condition), (), ((day, self._getter(day)),)
                )
            case UnusedFor():
                also = (_USED_BY_USER,) if condition.of_user else (_USED, _ALLOCATED)
                reads = tuple((field, self._getter(field)) for field in (condition.field, *also))
                return CompiledCondition(condition, unused_for(self._place(condition.field), condition.days), (), reads)
            case Comparison():
                return self._comparison(condition)
            case Field():
                get = self._getter(condition)
                return CompiledCondition(
                    condition, true_in(self._place(condition), condition.name in SINGLE), (), ((condition, get),)
                )
            case _:
                return CompiledCondition(condition, constant(True in self._constants(condition)))

    def _emptiness(self, condition: IsEmpty, field: Field) -> CompiledCondition:
        get = self._getter(field)
        in_use = self._getter(IN_USE[field.name]) if field.name in IN_USE else lambda values: ()

        def found(values: ReadValues) -> tuple[Truth, Fact]:
            return emptiness(field, get(values), in_use(values))

        def is_empty(batch: FactBatch) -> list[Truth]:
            return [found(values)[0] for values in batch.rows()]

        return CompiledCondition(condition, is_empty, (), ((field, lambda values: found(values)[1]),))

    def _comparison(self, condition: Comparison) -> CompiledCondition:
        left, right = condition.left, condition.right
        reads = tuple(
            (field, self._telling(side, field)) for side in (left, right) if (field := field_of(side)) is not None
        )
        operator = POSITIVE.get(condition.operator, condition.operator)
        one, other = self._fact(left), self._fact(right)
        listed = self._listed(operator, left, right)
        if listed is None:
            test, hits = compared(operator, one, other), hits_of(operator, one, other)
        else:
            test = any_listed(listed)
            hits = listed_hits(listed, one) if isinstance(left, Field) else hits_of(operator, one, other)
        if operator != condition.operator:
            # Without `listed`: in the table of an `or` a value that is listed makes it true, here it makes it false.
            return CompiledCondition(condition, negated(test), (), reads, hits)
        return CompiledCondition(condition, test, (), reads, hits, listed)

    def _listed(self, operator: Operator, left: Operand, right: Operand) -> ListedValues | None:
        """The comparison of a field with constants, if it is one."""
        if operator not in ("=", "=="):
            return None
        for side, others in ((left, right), (right, left)):
            if isinstance(side, Field) and field_of(others) is None:
                values = self._constants(others)
                folded = operator == "=" and any(isinstance(value, str) for value in values)
                kept = frozenset(v.casefold() if folded and isinstance(v, str) else v for v in values)
                return ListedValues(self._place(side), side.key, side.name in SINGLE, folded, kept)
        return None

    def _fact(self, operand: Operand) -> Get:
        if isinstance(operand, Field):
            return self._getter(operand)
        if isinstance(operand, ReadAs):
            get, read = self._getter(operand.field), operand
            return lambda values: as_read(read, get(values))
        if isinstance(operand, Shifted) and field_of(operand) is not None:
            return _later(self._fact(operand.base), operand.days)
        constants = self._constants(operand)
        return lambda values: constants

    def _telling(self, operand: Operand, field: Field) -> Get:
        get = self._getter(field)
        return (lambda values: telling(operand, get(values))) if read_in(operand) is not None else get

    def _constants(self, operand: Operand) -> tuple[Value, ...]:
        match operand:
            case Name(name):
                return self._constants(self._names[name])
            case ListOf(items):
                return tuple(item.value for item in items)
            case Shifted(base):
                return tuple(moved(value, operand.days) for value in self._constants(base))
            case Field() | ReadAs():
                raise TypeError(f"{print_operand(operand)} is no constant")
            case _:
                return (operand.value,)

    def _place(self, field: Field) -> int:
        place = self.places.setdefault(field.name, _Place(len(self.places), field.name))
        if field.key is not None and field.key not in place.keys:
            place.keys.append(field.key)
        return place.index

    def _getter(self, field: Field) -> Get:
        index, key = self._place(field), field.key
        get: Get
        if key is not None:
            get = lambda values: of_key(values[index], key)  # noqa: E731
        elif field.name in SINGLE:
            get = lambda values: found if isinstance(found := values[index], Unknown) else (found,)  # noqa: E731
        else:
            get = itemgetter(index)
        return self.fields.setdefault(field, get)


def _counts_from_allocation(node: CompiledCondition) -> bool:
    """Whether it is a test of disuse whose words name the allocation where the license was never used."""
    return isinstance(node.condition, UnusedFor) and not node.condition.of_user


def _later(get: Get, days: int) -> Get:
    """A date so many days later."""

    def later(values: ReadValues) -> Fact:
        fact = get(values)
        return fact if isinstance(fact, Unknown) else tuple(moved(value, days) for value in fact)

    return later


def _column(place: _Place, subjects: Sequence[Subject]) -> FactColumn:
    if place.name not in FAMILIES:
        return read_column(place.name, subjects)
    read, keys = FAMILIES[place.name], frozenset(place.keys)
    return [read(subject, keys) for subject in subjects]


def _joined(parts: Sequence[CompiledCondition]) -> list[Test]:
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
    return [*tests, *(any_in_table(place, table, folded) for (place, folded), table in tables.items())]


def _below(node: CompiledCondition) -> list[CompiledCondition]:
    return [node, *(below for part in node.parts for below in _below(part))]
