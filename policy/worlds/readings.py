"""Texts that are read as dates or numbers, and numbers of licenses: with which all comparisons hold as a world assumes.

The search takes each such comparison as true or false by itself; whether texts can be found for all of them together is
seen here. Where they are not, the world proves nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TypeAlias

from msgspec import Struct

from seatwarden.grammar.ast import (
    Comparison,
    Field,
    ListOf,
    Operand,
    Operator,
    ReadAs,
    days_moved,
    field_of,
    read_in,
    unmoved,
)
from seatwarden.policy.operators import FIRST_YEAR, FLIPPED, HOLDS, Value, around, moved, read_text
from seatwarden.policy.vocabulary import OF_POOL, VOCABULARY
from seatwarden.policy.worlds.state import State
from seatwarden.policy.worlds.texts import fewest

_ORDINARY = ("30", "2026-06-15")
_ORDINARY_NUMBER = 30
ReadField: TypeAlias = Callable[[Field], tuple[Value, ...]]


def unfound(state: State, held: Callable[[Field], int], read: ReadField) -> bool:
    """Whether no texts are found for a field that is read, or no number for licenses that are counted."""
    counts = (number_of(state, Field(name), read) for name in OF_POOL)
    texts = (texts_read(state, one, held(one), read) for one, pool in state.pools.items() if pool.read_as)
    return None in counts or None in texts


def number_of(state: State, field: Field, read: ReadField) -> int | None:
    """A number of licenses with which all that is assumed of a field of `OF_POOL` holds; None where none is found.

    What is compared with a text leads to a text, and one of two numbers of licenses to the other.
    """
    tests = [
        _Asked(None, 0, one.operator, on_left, _values(other, read), wanted)
        for one, own, other, on_left, wanted in _compared(state)
        if own == field and read_in(other) is None and not (field.name == OF_POOL[-1] and other == Field(OF_POOL[0]))
    ]
    near = [int(text) for one in tests for value in one.values or () for text in around(value)]
    numbers = (
        number for number in [*near, _ORDINARY_NUMBER] if all(one.compares(number) is one.wanted for one in tests)
    )
    return next(numbers, None)


def texts_read(state: State, field: Field, held: int, read: ReadField) -> tuple[str, ...] | None:
    """The fewest texts of a field with which all that is assumed of it holds; None where none are found.

    `held` are its texts in the world, as bits of its pool: the texts found pass the same tests, and no others. `read`
    gives the values of other fields.
    """
    pool, asked = state.pools[field], list(_asked(state, field, read))
    if held & pool.wild or any(one.values is None for one in asked):
        return None
    near = [text for one in asked for value in one.values or () for text in around(value, -one.shift)]
    candidates = [
        text
        for text in dict.fromkeys([*near, *_ORDINARY, *pool.values])
        if None not in {read_text(k, text) for k in pool.read_as}
    ]
    tests = [(bool(held & mask), test.passes) for test, mask in pool.masks.items()]
    tests += [(one.wanted, one.holds) for one in asked]
    allowed, needed = (1 << len(candidates)) - 1, list[int]()
    for wanted, passes in tests:
        passing = sum(passes(text) << bit for bit, text in enumerate(candidates))
        if wanted:
            needed.append(passing)
        else:
            allowed &= ~passing
    if not VOCABULARY[field.name].many:
        for passing in needed:
            allowed &= passing
        needed = [allowed]
    if any(not need & allowed for need in needed):
        return None
    chosen = fewest(allowed, tuple(needed))
    return tuple(text for bit, text in enumerate(candidates) if chosen >> bit & 1)


def is_read_or_counted(compared: Comparison) -> bool:
    """Whether a comparison is of what a text says, or of numbers of licenses."""
    sides = compared.left, compared.right
    return any(read_in(side) is not None or (isinstance(side, Field) and side.name in OF_POOL) for side in sides)


def values_of(operand: Operand, read: ReadField) -> tuple[Value, ...]:
    """The values of an operand in a world, those that its texts say among them."""
    asked = read_in(operand)
    if asked is None:
        return _values(operand, read) or ()
    said = (read_text(asked.kind, str(text)) for text in read(asked.field))
    return tuple(moved(value, days_moved(operand)) for value in said if value is not None)


def impossible(state: State, texts: bool) -> bool:
    """Whether no number of licenses is such that all that is assumed of it holds; with `texts`, also no text.

    What is compared with constants is looked at by itself, and so is what is compared with each field: not all that is
    impossible is found, and what is found is so in every world.
    """
    groups: dict[tuple[Operand, Field | None], list[_Asked]] = {}
    for one, own, other, on_left, wanted in _compared(state):
        subject, field = unmoved(own), field_of(other)
        is_counted = isinstance(subject, Field) and subject.name in OF_POOL
        if (
            (is_counted or (texts and isinstance(subject, ReadAs)))
            and read_in(other) is None
            and one.operator in FLIPPED
        ):
            values = (
                [days_moved(other)] if field is not None else [_number(v) for v in _values(other, lambda _: ()) or ()]
            )
            shifted = tuple(value - days_moved(own) for value in values)
            groups.setdefault((subject, field), []).append(_Asked(None, 0, one.operator, on_left, shifted, wanted))
    return any(_none_fits(subject, field, tests) for (subject, field), tests in groups.items())


def _none_fits(subject: Operand, field: Field | None, tests: Sequence["_Asked"]) -> bool:
    """Whether no number does, with which one of the tests holds that are to hold.

    Between two numbers that are asked for all are alike, so it is enough to try these and those beside them. Of a field
    the numbers are days, or so, beyond its own.
    """
    near = {_number(value) + beside for one in tests for value in one.values or () for beside in (-1, 0, 1)}
    allowed = [number for number in near if field is not None or _is_said(subject, number)]
    wanted, unwanted = ([one for one in tests if one.wanted is truth] for truth in (True, False))
    fitting = [number for number in allowed if not any(one.compares(number) for one in unwanted)]
    if isinstance(subject, ReadAs) and VOCABULARY[subject.field.name].many:
        return any(not any(one.compares(number) for number in fitting) for one in wanted)
    return bool(wanted) and not any(all(one.compares(number) for one in wanted) for number in fitting)


def _is_said(subject: Operand, number: int) -> bool:
    """Whether a text can say that number, or the date of that ordinal; no number of licenses is negative."""
    if isinstance(subject, ReadAs) and subject.kind == "date":
        return date(FIRST_YEAR, 1, 1).toordinal() <= number <= date.max.toordinal()
    return number >= 0


def _number(value: Value) -> int:
    return value.toordinal() if isinstance(value, date) else int(value)


class _Asked(Struct, frozen=True):
    """A comparison of what a text says with values (None where they are not known), and whether it is to hold."""

    asked: ReadAs | None
    shift: int
    operator: Operator
    on_left: bool
    values: tuple[Value, ...] | None
    wanted: bool

    def holds(self, text: str) -> bool:
        said = read_text(self.asked.kind, text) if self.asked is not None else None
        return said is not None and self.compares(moved(said, self.shift))

    def compares(self, one: Value) -> bool:
        compare = HOLDS[self.operator]
        return any(compare(one, value) if self.on_left else compare(value, one) for value in self.values or ())


def _compared(state: State) -> Iterator[tuple[Comparison, Operand, Operand, bool, bool]]:
    """What is assumed of comparisons, from each side: the comparison, the side, the other, whether left, the truth."""
    for one, wanted in state.flags.items():
        if isinstance(one, Comparison):
            yield one, one.left, one.right, True, wanted
            yield one, one.right, one.left, False, wanted


def _asked(state: State, field: Field, read: ReadField) -> Iterator[_Asked]:
    for one, own, other, on_left, wanted in _compared(state):
        asked = read_in(own)
        if asked is not None and asked.field == field:
            yield _Asked(asked, days_moved(own), one.operator, on_left, _values(other, read), wanted)


def _values(operand: Operand, read: ReadField) -> tuple[Value, ...] | None:
    """The values of the other side in the world; None where it is a text that is read itself."""
    if read_in(operand) is not None:
        return None
    if isinstance(operand, ListOf):
        return tuple(item.value for item in operand.items)
    field = field_of(operand)
    return tuple(moved(value, days_moved(operand)) for value in read(field)) if field is not None else ()
