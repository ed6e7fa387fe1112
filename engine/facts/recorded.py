"""Facts that a plan recorded, of many licenses at once: columns as `engine.facts.columns` reads them of a snapshot.

Nearly all records are regular: every fact is there, and if it is known it has the number and type of values of its
field. Only those are read here; whoever meets another reads the licenses one by one, by `engine.facts.facts`, which
knows what such a record means and what is wrong with it. A property test holds both against each other.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from seatwarden.engine.facts.columns import SINGLE, FactColumn
from seatwarden.engine.facts.facts import FAMILIES, KINDS, MAX_NUMBER, RecordedFact, recorded_date
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Field
from seatwarden.grammar.printer import print_field
from seatwarden.policy.vocabulary import VOCABULARY, Type


class IrregularRecord(Exception):
    """Some fact of these records is missing, or none that its field can have."""


def recorded_column(name: str, keys: Sequence[str], records: Sequence[Mapping[str, RecordedFact]]) -> FactColumn:
    """The column of a field, or of a family for some keys. Raises IrregularRecord."""
    try:
        if name not in FAMILIES:
            return _column(name, name, records)
        columns = [_column(print_field(Field(name, key)), name, records) for key in keys]
        return _pairs(keys, columns, len(records))
    except (KeyError, TypeError, ValueError):
        raise IrregularRecord from None


def _column(name: str, field: str, records: Sequence[Mapping[str, RecordedFact]]) -> FactColumn:
    """The recorded facts by that name, as the field's column has them."""
    facts: list[Any] = [record[name] for record in records]
    read = _reader(name, field)
    if Unknown not in set(map(type, facts)):
        return read(facts)
    known = iter(read([fact for fact in facts if type(fact) is not Unknown]))
    return [fact if type(fact) is Unknown else next(known) for fact in facts]


def _reader(name: str, field: str) -> Callable[[list[Any]], list[Any]]:
    """The function from facts that are known to their values. It raises TypeError, ValueError."""
    wanted = VOCABULARY[field].type
    if wanted is Type.DATE:
        if field in SINGLE:
            return lambda facts: [recorded_date(value, name) for (value,) in facts]
        return lambda facts: [tuple([recorded_date(value, name) for value in fact]) for fact in facts]
    kind = KINDS[wanted]
    if field in SINGLE:
        return lambda facts: _checked([value for (value,) in facts], kind)
    return lambda facts: _checked(facts, kind, list(chain.from_iterable(facts)))


def _checked(found: list[Any], kind: type, values: list[Any] | None = None) -> list[Any]:
    """What is found, whose values have that type. Raises TypeError, ValueError."""
    values = found if values is None else values
    if not set(map(type, values)) <= {kind}:
        raise TypeError
    if kind is int and values and not -MAX_NUMBER <= min(values) <= max(values) <= MAX_NUMBER:
        raise ValueError
    return found


def _pairs(keys: Sequence[str], columns: Sequence[FactColumn], count: int) -> FactColumn:
    """The values of a family behind their keys, license by license. Most people have none."""
    found: FactColumn = [()] * count
    for key, column in zip(keys, columns, strict=True):
        for row, fact in enumerate(column):
            if fact and not isinstance(found[row], Unknown):
                found[row] = fact if isinstance(fact, Unknown) else found[row] + tuple(zip(repeat(key), fact))
    return found
