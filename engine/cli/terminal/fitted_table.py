"""A table on a terminal: drawn by Rich, its columns cut, folded or left out where there is little room."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from seatwarden.engine.cli.terminal.output import Part, console, plain
from seatwarden.engine.common.tables import Column, fitted

_Rows = Sequence[Sequence[Part]]


def print_fitted(columns: Sequence[Column], rows: _Rows) -> None:
    """Prints a table on the terminal, as wide as that is."""
    out = console()
    out.print(_table(columns, rows, out.width))


def _table(columns: Sequence[Column], rows: _Rows, width: int) -> Table:
    shown, cells = fitted(columns, [[plain(cell) for cell in row] for row in rows], width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in shown.items():
        # The last column takes what the others leave.
        most = max(width // 4, 16) if column.folds and number != max(shown) else None
        justify = "right" if column.right else "left"
        table.add_column(column.head, overflow="fold", no_wrap=not column.folds, max_width=most, justify=justify)  # type: ignore[arg-type]
    for row, texts in zip(rows, cells, strict=True):
        table.add_row(*(Text(text, style=_style(row[number])) for number, text in zip(shown, texts, strict=True)))
    return table


def _style(cell: Part) -> str:
    return "" if isinstance(cell, str) else cell[1]
