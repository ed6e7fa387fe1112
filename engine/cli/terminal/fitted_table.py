"""A table on a terminal: drawn by Rich, its columns folded or left out where there is little room."""

from collections.abc import Sequence
from dataclasses import replace

from rich import box
from rich.table import Table
from rich.text import Text

from seatwarden.engine.cli.terminal.output import Part, console, plain
from seatwarden.engine.common.tables import GAP, Column, cell_width

_Rows = Sequence[Sequence[Part]]

_NARROWEST = 30
"""Columns of a terminal that a folded cell keeps before other columns make way for it."""


def print_fitted(columns: Sequence[Column], rows: _Rows) -> None:
    """Prints a table on the terminal, as wide as that is."""
    out = console()
    out.print(_fitted(columns, rows, out.width))


def _fitted(columns: Sequence[Column], rows: _Rows, width: int) -> Table:
    columns, shown = _fitting(columns, rows, width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number in shown:
        column = columns[number]
        # The last column takes what the others leave.
        most = max(width // 4, 16) if column.folds and number != shown[-1] else None
        justify = "right" if column.right else "left"
        table.add_column(column.head, overflow="fold", no_wrap=not column.folds, max_width=most, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*(Text(plain(row[number]), style=_style(row[number])) for number in shown))
    return table


def _fitting(columns: Sequence[Column], rows: _Rows, width: int) -> tuple[list[Column], list[int]]:
    """The columns, told which of them fold, and the numbers of those for which there is room."""
    needed = [
        max(cell_width(column.head), *(cell_width(plain(row[number])) for row in rows), 0)
        for number, column in enumerate(columns)
    ]
    columns = [
        replace(column, folds=column.folds or each > width - _NARROWEST)
        for each, column in zip(needed, columns, strict=True)
    ]
    needed = [min(each, _NARROWEST) if column.folds else each for each, column in zip(needed, columns, strict=True)]
    shown = list(range(len(columns)))
    while sum(needed[number] + GAP for number in shown) > width + 1:
        leaving = max(shown, key=lambda number: columns[number].leaves)
        if not columns[leaving].leaves:
            break
        shown.remove(leaving)
    return columns, shown


def _style(cell: Part) -> str:
    return "" if isinstance(cell, str) else cell[1]
