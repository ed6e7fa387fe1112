"""Texts that are read as dates or numbers, and numbers of licenses: with which all comparisons hold as a world assumes.

The search takes each such comparison as true or false by itself; whether texts can be found for all of them together is
seen here. Where they are not, the world proves nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from seatwarden.grammar.ast import Comparison, Field, ListOf, Operand, Operator, ReadAs, days_moved, field_of, read_in
from seatwarden.policy.operators import HOLDS, Value, around, moved, read_text
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
        text for text in dict.fromkeys([*near, *_ORDINARY]) if None not in {read_text(k, text) for k in pool.read_as}
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


@dataclass(frozen=True, slots=True)
class _Asked:
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
