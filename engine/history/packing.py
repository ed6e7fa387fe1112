"""How rows, changes and orders lie in the history: packed together, many in one piece.

A change of a timestamp takes some ten bytes so, a fifth of what a row of a database would: most of them are alike.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, pairwise

import msgspec
import zstandard
from msgspec import Struct

from seatwarden.engine.history.cut import SEPARATOR, Row, unpacked_row

LEVEL = 9
_END = b"\x01"
"""Ends a row; no JSON has it either."""


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

    def without(self, numbers: frozenset[int]) -> "RowChanges":
        """The changes of all other rows."""
        times = {hole: {n: t for n, t in column.items() if n not in numbers} for hole, column in self.times.items()}
        return RowChanges(times, {n: row for n, row in self.rows.items() if n not in numbers})


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
    packed = msgspec.msgpack.decode(unpack_text(data), type=_Packed)
    times = {hole: dict(zip(_numbers(gaps), texts.split(SEPARATOR), strict=True)) for hole, gaps, texts in packed.holes}
    rows = packed.rows.split(_END) if packed.numbers else []
    return RowChanges(times, dict(zip(_numbers(packed.numbers), map(unpacked_row, rows), strict=True)))


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
    packed = msgspec.msgpack.decode(unpack_text(data), type=dict[str, bytes])
    return {name: list(_numbers(gaps)) for name, gaps in packed.items()}


def pack_text(text: bytes) -> bytes:
    """A text in one piece."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(text)


def unpack_text(data: bytes) -> bytes:
    """The text of a piece."""
    return zstandard.ZstdDecompressor().decompress(data)


def _gaps(numbers: Sequence[int]) -> bytes:
    """Numbers as what each is beyond the one before: mostly the same few, which packs well."""
    return array("i", [b - a for a, b in pairwise(chain([0], numbers))]).tobytes()


def _numbers(gaps: bytes) -> Iterable[int]:
    found = array("i")
    found.frombytes(gaps)
    return accumulate(found)
