"""Tables: fitted to a terminal by Rich, and as plain text for files and pipes, where nothing needs folding.

Rich takes about a millisecond a row, the plain text a hundredth of it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from seatwarden.engine.cli.terminal.output import Part, is_terminal, plain
from seatwarden.engine.cli.terminal.streams import is_quiet, is_utf8

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


Rows = Sequence[Sequence[Part]]
"""Rows of cells, each on one line."""


def print_rows(columns: Sequence[Column], rows: Rows) -> None:
    """A table on stdout: as wide as the terminal, or in a file as wide as it needs."""
    if is_quiet():
        return
    if is_terminal():
        from seatwarden.engine.cli.terminal.fitted_table import (
            print_fitted,  # files and pipes need none of Rich's tables
        )

        print_fitted(columns, rows)
    else:
        sys.stdout.write(plain_text(columns, rows, "─" if is_utf8() else "-"))


def plain_text(columns: Sequence[Column], rows: Rows, line: str = "─") -> str:
    """A table as plain text, its head underlined with that character."""
    table = [[column.head for column in columns], *([plain(cell) for cell in row] for row in rows)]
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
    """How many columns of a terminal a text takes."""
    return len(cell) if cell.isascii() else cell_len(cell)
