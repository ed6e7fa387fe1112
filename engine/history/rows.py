"""The rows of a site over time: each as it first came, and what of it is otherwise at one moment."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import msgspec
from msgspec import Struct

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.history.cut import SEPARATOR, Row, row_of, unpacked_row
from seatwarden.engine.history.packing import RowChanges

PLAIN = b'{"id":"'
"""How a row begins that QRS has sent. An id of QRS has no other characters than a GUID."""


class _Identity(Struct):
    id: str


class SiteRows:
    """Rows by number: `first` has each as it first came, packed (empty: erased), `changes` what is otherwise now.

    Most rows are never looked at, but put together again: so what lies packed is taken apart only when it is needed.
    """

    def __init__(self, first: list[bytes], changes: RowChanges | None = None) -> None:
        self.first = first
        self.changes = changes or RowChanges({}, {})

    def row(self, number: int) -> Row | None:
        """A row as it is now; None for one that was erased."""
        row = self.changes.rows.get(number)
        if row is None:
            if not self.first[number]:
                return None
            row = unpacked_row(self.first[number])
        times = list(row.times)
        for hole, column in self.changes.times.items():
            if number in column:
                times[hole] = column[number]
        return Row(row.skeleton, tuple(times))

    def texts(self, numbers: Sequence[int]) -> list[bytes]:
        """The rows with these numbers as they were sent; of one that was erased nothing."""
        first, rows, found = self.first, self.changes.rows, []
        columns = list(self.changes.times.items())
        for number in numbers:
            packed = first[number]
            if number in rows:
                skeleton, known = rows[number]
                times = list(known)
            elif packed:
                skeleton, *times = packed.split(SEPARATOR)
            else:
                continue
            for hole, column in columns:
                time = column.get(number)
                if time is not None:
                    times[hole] = time
            found.append(skeleton % tuple(times))
        return found

    def times(self, hole: int, numbers: Sequence[int]) -> list[str]:
        """The timestamps in a hole of rows that have it."""
        column = self.changes.times.get(hole, {})
        try:
            found = list(map(column.__getitem__, numbers))
        except KeyError:  # some have the one again with which they first came
            found = [column.get(number) or self._time(hole, number) for number in numbers]
        return b",".join(found).decode().split(",") if found else []

    def _time(self, hole: int, number: int) -> bytes:
        row = self.row(number)
        return row.times[hole] if row is not None else b""


def difference(known: SiteRows, rows: Mapping[int, bytes]) -> RowChanges:
    """What of these rows, by number, is otherwise than what is known of them."""
    found = RowChanges({}, {})
    numbers = list(rows)
    for number, text, before in zip(numbers, rows.values(), known.texts(numbers), strict=True):
        if text == before:
            continue
        row, old = row_of(text), known.row(number)
        if old is None or row.skeleton != old.skeleton:
            found.rows[number] = row
            continue
        for hole, (time, then) in enumerate(zip(row.times, old.times, strict=True)):
            if time != then:
                found.times.setdefault(hole, {})[number] = time
    return found


def keys_of_rows(name: str, texts: Iterable[bytes]) -> list[tuple[str, bytes, int]]:
    """What tells the rows of a list apart: its name, the id, and the how many-th of that id it is."""
    counts: dict[bytes, int] = {}
    found = []
    for text in texts:
        id_ = _id_of(text)
        nth = counts[id_] = counts.get(id_, -1) + 1
        found.append((name, id_, nth))
    return found


def _id_of(text: bytes) -> bytes:
    """The id of a row; of one that has none, the row."""
    if text.startswith(PLAIN):
        return text[len(PLAIN) : text.index(b'"', len(PLAIN))]
    with suppress(*UNREADABLE):
        return msgspec.json.decode(text, type=_Identity).id.encode()
    return text
