"""Tables as plain text, for files and pipes, where nothing needs folding."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

GAP = 3
"""Columns between two cells."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    One that `folds` takes several lines where there is little room; any other does so only where it would fill the
    terminal. Then columns leave the table, those with the highest `leaves` first; those with 0 stay. Numbers stand
    to the `right`.
    """

    head: str
    folds: bool = False
    right: bool = False
    leaves: int = 0


def plain_text(columns: Sequence[Column], rows: Sequence[Sequence[str]], line: str = "─") -> str:
    """A table as plain text, its head underlined with that character."""
    table = [[column.head for column in columns], *rows]
    widths = [max(map(cell_width, cells)) for cells in zip(*table, strict=True)]
    right = [column.right for column in columns]
    first, *lines = (_line(row, widths, right) for row in table)
    drawn = sum(widths) + GAP * (len(widths) - 1)
    edge = " " * (drawn + 2)
    return "\n".join([edge, first, f" {line * drawn} ", *lines, edge, ""])


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = []
    for cell, width, to_the_right in zip(row, widths, right, strict=True):
        # A cell may take more columns than it has characters, or fewer.
        width += len(cell) - cell_width(cell)
        cells.append(cell.rjust(width) if to_the_right else cell.ljust(width))
    return f" {'   '.join(cells)} "


def cell_width(cell: str) -> int:
    """The number of a terminal's columns that a text takes."""
    return len(cell) if cell.isascii() else cell_len(cell)
