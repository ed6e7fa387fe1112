"""How rows, changes and orders lie in the history: packed together, many in one piece.

A change of a timestamp takes some ten bytes so, a fifth of what a row of a database would: most of them are alike.
"""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate, chain, islice, pairwise

import msgspec
import zstandard
from msgspec import Struct

from seatwarden.engine.history.cut import SEPARATOR, Row, unpacked_row

LEVEL = 9
_END = b"\x01"
"""Ends a row; no JSON has it either."""
_CODE = "i"
_NUMBER = array(_CODE).itemsize
_FEW = 100
"""Rows that come or go, up to which they are looked for one by one."""


class RowChanges(Struct):
    """What is otherwise than in another state of the same rows, by number of the row.

    `times`: for each hole the timestamps that stand in it now; `rows`: rows whose skeleton is another one.
    """

    times: dict[int, dict[int, bytes]]
    rows: dict[int, Row]

    def add(self, later: "RowChanges") -> None:
        """Adds changes that came later."""
        for column in self.times.values():
            for number in later.rows:
                column.pop(number, None)
        self.rows.update(later.rows)
        for hole, times in later.times.items():
            self.times.setdefault(hole, {}).update(times)

    def numbers(self) -> set[int]:
        """The numbers of all rows of which something is otherwise."""
        return set(self.rows).union(*self.times.values())

    def without(self, numbers: frozenset[int]) -> "RowChanges":
        """The changes of all other rows."""
        times = {hole: {n: t for n, t in column.items() if n not in numbers} for hole, column in self.times.items()}
        return RowChanges(times, {n: row for n, row in self.rows.items() if n not in numbers})


class TimeColumn:
    """The timestamps in a hole, as they lie packed: of many of them nobody asks more than whose they are.

    `numbers` are those of the rows, rising; `joined` the timestamps in their order, with `SEPARATOR` in between.
    Raises ValueError where these are not as many.
    """

    def __init__(self, gaps: bytes, joined: bytes) -> None:
        self._gaps, self.joined = gaps, joined
        if len(self) != (joined.count(SEPARATOR) + 1 if joined else 0):
            raise ValueError("a column has as many timestamps as rows")

    @classmethod
    def of(cls, times: Mapping[int, bytes]) -> "TimeColumn":
        """The column of timestamps by number."""
        numbers = sorted(times)
        return cls(_gaps(numbers), SEPARATOR.join([times[number] for number in numbers]))

    def __len__(self) -> int:
        return len(self._gaps) // _NUMBER

    @cached_property
    def numbers(self) -> list[int]:
        """The numbers of the rows."""
        return list(_numbers(self._gaps))

    @cached_property
    def rows(self) -> frozenset[int]:
        """The numbers, to be looked into."""
        return frozenset(self.numbers)

    @property
    def texts(self) -> list[bytes]:
        """The timestamps."""
        return self.joined.split(SEPARATOR) if self.joined else []

    @cached_property
    def by_number(self) -> dict[int, bytes]:
        """The timestamps by number."""
        return dict(zip(self.numbers, self.texts, strict=True))

    def get(self, number: int) -> bytes | None:
        """One timestamp, without all others being taken apart where they are of one length."""
        place = bisect_left(self.numbers, number)
        if place == len(self.numbers) or self.numbers[place] != number:
            return None
        return self.joined[place * self._step : (place + 1) * self._step - 1] if self._step else self.texts[place]

    @cached_property
    def _step(self) -> int:
        """From one timestamp to the next; 0 where that differs."""
        step = (len(self.joined) + 1) // len(self)
        alike = step * len(self) == len(self.joined) + 1 and set(self.joined[step - 1 :: step]) <= set(SEPARATOR)
        return step if alike else 0

    def within(self, numbers: Collection[int]) -> "TimeColumn":
        """What of it is of these rows; a set is quick to look into."""
        return TimeColumn.of({number: time for number, time in self.by_number.items() if number in numbers})


class RowList:
    """The numbers of the rows of a list, packed: each as what it is beyond the one before."""

    def __init__(self, gaps: bytes) -> None:
        self._gaps = gaps

    @cached_property
    def numbers(self) -> list[int]:
        """The numbers, in QRS's order."""
        return list(_numbers(self._gaps))

    def moved_since(self, before: "RowList") -> tuple[set[int], set[int]]:
        """The rows that came and those that went since another state of the list.

        Few do, and long pieces are the same: to make sets of all rows for each snapshot took a fifth of the time.
        """
        old, new = _array(before._gaps), _array(self._gaps)
        came, gone = set[int](), set[int]()
        i = j = last_old = last_new = 0
        while i < len(old) and j < len(new):
            if last_old == last_new:
                same = _alike(old, i, new, j)
                last_old = last_new = last_old + sum(old[i : i + same])
                i, j = i + same, j + same
                if i == len(old) or j == len(new):
                    break
            one, other = last_old + old[i], last_new + new[j]
            if one <= other:
                i, last_old = i + 1, one
            if other <= one:
                j, last_new = j + 1, other
            if one != other:
                (gone if one < other else came).add(min(one, other))
                if len(came) + len(gone) > _FEW:
                    return set(self.numbers).difference(before.numbers), set(before.numbers).difference(self.numbers)
        gone.update(islice(accumulate(old[i:], initial=last_old), 1, None))
        came.update(islice(accumulate(new[j:], initial=last_new), 1, None))
        return came - gone, gone - came


def _alike(old: "array[int]", i: int, new: "array[int]", j: int) -> int:
    """How many numbers are the same from two places on."""
    same = 0
    for power in reversed(range(min(len(old) - i, len(new) - j).bit_length())):
        size = 1 << power
        one = old[i + same : i + same + size]
        if len(one) == size and one == new[j + same : j + same + size]:
            same += size
    return same


NO_ROWS = RowList(b"")


class PackedChanges(Struct):
    """`RowChanges` whose timestamps are still packed."""

    times: dict[int, TimeColumn]
    rows: dict[int, Row]


class _Packed(Struct, array_like=True):
    holes: list[tuple[int, bytes, bytes]]
    numbers: bytes
    rows: bytes


def pack_changes(changes: RowChanges) -> bytes:
    """RowChanges in one piece."""
    holes = []
    for hole, column in sorted(changes.times.items()):
        numbers = sorted(column)
        holes.append((hole, _gaps(numbers), SEPARATOR.join([column[n] for n in numbers])))
    numbers = sorted(changes.rows)
    packed = _Packed(holes, _gaps(numbers), _END.join([changes.rows[n].packed for n in numbers]))
    return pack_text(msgspec.msgpack.encode(packed))


def unpack_changes(data: bytes) -> RowChanges:
    """The changes of a piece."""
    packed = open_changes(data)
    return RowChanges({hole: column.by_number for hole, column in packed.times.items()}, packed.rows)


def open_changes(data: bytes) -> PackedChanges:
    """The changes of a piece, without its timestamps being taken apart."""
    packed = msgspec.msgpack.decode(unpack_text(data), type=_Packed)
    rows = packed.rows.split(_END) if packed.numbers else []
    return PackedChanges(
        {hole: TimeColumn(gaps, joined) for hole, gaps, joined in packed.holes},
        dict(zip(_numbers(packed.numbers), map(unpacked_row, rows), strict=True)),
    )


def pack_rows(rows: Sequence[bytes]) -> bytes:
    """Packed rows in one piece; an empty one stands for one that was erased."""
    return pack_text(_END.join(rows))


def unpack_rows(data: bytes) -> list[bytes]:
    """The packed rows of a piece."""
    return unpack_text(data).split(_END)


def pack_order(lists: Mapping[str, Sequence[int]]) -> bytes:
    """The numbers of the rows of each list, in QRS's order."""
    return pack_text(msgspec.msgpack.encode({name: _gaps(numbers) for name, numbers in lists.items()}))


def unpack_order(data: bytes) -> dict[str, list[int]]:
    """The order of a piece."""
    return {name: rows.numbers for name, rows in open_order(data).items()}


def open_order(data: bytes) -> dict[str, "RowList"]:
    """The lists of an order, packed: those of two snapshots are mostly the same."""
    packed = msgspec.msgpack.decode(unpack_text(data), type=dict[str, bytes])
    return {name: RowList(gaps) for name, gaps in packed.items()}


def pack_text(text: bytes) -> bytes:
    """A text in one piece."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(text)


def unpack_text(data: bytes) -> bytes:
    """The text of a piece."""
    return zstandard.ZstdDecompressor().decompress(data)


def _gaps(numbers: Sequence[int]) -> bytes:
    """Numbers as what each is beyond the one before: mostly the same few, which packs well."""
    return array(_CODE, [b - a for a, b in pairwise(chain([0], numbers))]).tobytes()


def _numbers(gaps: bytes) -> Iterable[int]:
    return accumulate(_array(gaps))


def _array(gaps: bytes) -> "array[int]":
    found = array(_CODE)
    found.frombytes(gaps)
    return found
