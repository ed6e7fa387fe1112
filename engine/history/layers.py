"""The rows of a site as layers of changes over the first form: what is not asked for is not taken apart.

Where all changes are put together for each snapshot, most of the time of a year goes into timestamps that nobody reads.
"""

from collections.abc import Iterable, Sequence

from seatwarden.engine.history.cut import Row, unpacked_row
from seatwarden.engine.history.packing import PackedChanges, TimeColumn


class LayeredRows:
    """Rows by number: `first` has each as it first came, packed (empty: erased), `layers` what came later, in order."""

    def __init__(self, first: Sequence[bytes], layers: Sequence[PackedChanges] = ()) -> None:
        self.first = first
        self.layers = list(layers)

    def row(self, number: int) -> Row | None:
        """A row as it is now; None for one that was erased."""
        count = next((n for n in reversed(range(len(self.layers))) if number in self.layers[n].rows), None)
        if count is not None:
            skeleton, known = self.layers[count].rows[number]
        elif self.first[number]:
            skeleton, known = unpacked_row(self.first[number])
        else:
            return None
        times = list(known)
        for layer in self.layers[count or 0 :]:
            for hole, column in layer.times.items():
                if (time := column.get(number)) is not None:
                    times[hole] = time
        return Row(skeleton, tuple(times))

    def texts(self, numbers: Iterable[int]) -> list[bytes]:
        """The rows with these numbers as they were sent; of one that was erased nothing."""
        return [row.text for number in numbers if (row := self.row(number)) is not None]

    def changed_rows(self) -> dict[int, Row]:
        """The rows that have another skeleton than at first."""
        return {number: row for layer in self.layers for number, row in layer.rows.items()}

    def holes(self) -> set[int]:
        """The holes in which a timestamp has changed."""
        return {hole for layer in self.layers for hole in layer.times}

    def numbers_in(self, hole: int) -> list[list[int]]:
        """The rows whose timestamp in a hole has changed, layer by layer."""
        return [column.numbers for layer in self.layers if (column := layer.times.get(hole))]

    def times_in(self, hole: int) -> dict[int, bytes]:
        """The timestamps in a hole that have changed since the row, or its skeleton, first came."""
        found: dict[int, bytes] = {}
        for layer in self.layers:
            for number in layer.rows:
                found.pop(number, None)
            column: TimeColumn | None = layer.times.get(hole)
            if column is not None:
                found.update(zip(column.numbers, column.texts, strict=True))
        return found
