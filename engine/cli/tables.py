"""Tables: fitted to a terminal by rich, and as plain text for files and pipes, where nothing needs folding.

Rich takes about a millisecond a row, the plain text a hundredth of it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from engine.cli.output import console
from engine.cli.streams import is_quiet, is_utf8

_NARROWEST = 30
"""Columns of a terminal that a folded cell keeps before other columns make way for it."""
_GAP = 3


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


Cell = str | tuple[str, str]
"""Printable text on one line; with the name of a style for terminals."""
Rows = Sequence[Sequence[Cell]]


def print_rows(columns: Sequence[Column], rows: Rows) -> None:
    """A table on stdout: as wide as the terminal, or in a file as wide as it needs."""
    if is_quiet():
        return
    out = console()
    if out.is_terminal:
        out.print(_fitted(columns, rows, out.width))
    else:
        sys.stdout.write(plain_text(columns, rows, "─" if is_utf8() else "-"))


def plain_text(columns: Sequence[Column], rows: Rows, line: str = "─") -> str:
    """A table as plain text, its head underlined with that character."""
    table = [[column.head for column in columns], *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, cells)) for cells in zip(*table, strict=True)]
    right = [column.right for column in columns]
    first, *lines = (_line(row, widths, right) for row in table)
    drawn = sum(widths) + _GAP * (len(widths) - 1)
    edge = " " * (drawn + 2)
    return "\n".join([edge, first, f" {line * drawn} ", *lines, edge, ""])


def _fitted(columns: Sequence[Column], rows: Rows, width: int) -> Table:
    columns, shown = _fitting(columns, rows, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number in shown:
        column = columns[number]
        # The last column takes what the others leave.
        most = max(width // 4, 16) if column.folds and number != shown[-1] else None
        justify = "right" if column.right else "left"
        table.add_column(column.head, overflow="fold", no_wrap=not column.folds, max_width=most, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(_text(row[number]), style=_style(row[number])) for number in shown))
    return table


def _fitting(columns: Sequence[Column], rows: Rows, width: int) -> tuple[list[Column], list[int]]:
    """The columns, told which of them fold, and the numbers of those for which there is room."""
    needed = [
        max(_width(column.head), *(_width(_text(row[number])) for row in rows), 0)
        for number, column in enumerate(columns)
    ]
    columns = [
        replace(column, folds=column.folds or each > width - _NARROWEST)
        for each, column in zip(needed, columns, strict=True)
    ]
    needed = [min(each, _NARROWEST) if column.folds else each for each, column in zip(needed, columns, strict=True)]
    shown = list(range(len(columns)))
    while sum(needed[number] + _GAP for number in shown) > width + 1:
        leaving = max(shown, key=lambda number: columns[number].leaves)
        if not columns[leaving].leaves:
            break
        shown.remove(leaving)
    return columns, shown


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = []
    for cell, width, to_the_right in zip(row, widths, right, strict=True):
        # A cell may take more columns than it has characters, or fewer.
        width += len(cell) - _width(cell)
        cells.append(cell.rjust(width) if to_the_right else cell.ljust(width))
    return f" {'   '.join(cells)} "


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell[0]


def _style(cell: Cell) -> str:
    return "" if isinstance(cell, str) else cell[1]


def _width(cell: str) -> int:
    return len(cell) if cell.isascii() else cell_len(cell)
