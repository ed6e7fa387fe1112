"""Tables as text: which columns there is room for, and how wide each is."""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size

GAP = 3
"""Columns of a terminal between two cells."""
_NARROWEST = 30
"""Columns of a terminal that a folded cell keeps before others make way for it."""


class Column(Struct, frozen=True):
    """One column of a table.

    Where there is little room, cells are cut down to `least` columns of a terminal, of which their start or their end
    `stays`; a column that `folds` takes several lines instead. Then columns leave the table, those with the highest
    `leaves` first; those with 0 stay. Numbers stand to the `right`.
    """

    head: str
    folds: bool = False
    right: bool = False
    leaves: int = 0
    least: int | None = None
    stays: Literal["start", "end"] = "start"


Rows = Sequence[Sequence[str]]


def plain_text(columns: Sequence[Column], rows: Rows, line: str = "─", width: int | None = None) -> str:
    """A table as plain text, its head underlined with that character: as wide as it needs, or at most `width`."""
    if width is not None:
        shown, rows = fitted(columns, rows, width)
        columns = list(shown.values())
    table = [[column.head for column in columns], *rows]
    widths = [max(map(cell_width, cells)) for cells in zip(*table, strict=True)]
    right = [column.right for column in columns]
    first, *lines = (_line(row, widths, right) for row in table)
    drawn = sum(widths) + GAP * (len(widths) - 1)
    return "\n".join(["", first, f" {line * drawn}", *lines, "", ""])


def fitted(columns: Sequence[Column], rows: Rows, width: int) -> tuple[dict[int, Column], list[list[str]]]:
    """The columns for which there is room, by their numbers, and the rows with their cells cut.

    Each cell that does not fold fits.
    """
    needed = [
        max(cell_width(column.head), *(cell_width(row[number]) for row in rows), 0)
        for number, column in enumerate(columns)
    ]
    # A single cell that would fill the terminal folds whatever its column says: nothing is lost.
    columns = [
        replace(column, folds=column.folds or (column.least is None and each > width - _NARROWEST))
        for each, column in zip(needed, columns, strict=True)
    ]
    wanted = [min(each, _NARROWEST) if column.folds else each for each, column in zip(needed, columns, strict=True)]
    shown = list(range(len(columns)))
    while True:
        widths = _cut({number: wanted[number] for number in shown}, columns, width - 2 - GAP * (len(shown) - 1))
        leaving = max(shown, key=lambda number: columns[number].leaves)
        if widths is not None or not columns[leaving].leaves:
            break
        shown.remove(leaving)
    widths = widths or {number: columns[number].least or wanted[number] for number in shown}
    cut = [
        [
            row[number] if columns[number].folds else _fit(row[number], widths[number], columns[number].stays)
            for number in shown
        ]
        for row in rows
    ]
    return {number: columns[number] for number in shown}, cut


def _cut(widths: dict[int, int], columns: Sequence[Column], room: int) -> dict[int, int] | None:
    """The widths with the widest columns cut as far as it takes; None where that is not enough."""
    widths = dict(widths)
    while sum(widths.values()) > room:
        least = {number: columns[number].least for number in widths}
        free = [number for number in widths if (narrow := least[number]) is not None and widths[number] > narrow]
        if not free:
            return None
        widths[max(free, key=lambda number: widths[number])] -= 1
    return widths


def _fit(cell: str, width: int, stays: Literal["start", "end"]) -> str:
    """A cell cut to that width, with a mark where something is missing."""
    if cell_width(cell) <= width:
        return cell
    if stays == "start":
        return set_cell_size(cell, width - 1).rstrip() + "…"
    return "…" + set_cell_size(cell[::-1], width - 1)[::-1].lstrip()


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = []
    for cell, width, to_the_right in zip(row, widths, right, strict=True):
        # A cell may take more columns than it has characters, or fewer.
        width += len(cell) - cell_width(cell)
        cells.append(cell.rjust(width) if to_the_right else cell.ljust(width))
    return f" {'   '.join(cells)}".rstrip()


def cell_width(cell: str) -> int:
    """The number of a terminal's columns that a text takes."""
    return len(cell) if cell.isascii() else cell_len(cell)
