"""Rows as CSV that neither a terminal nor a spreadsheet can be fooled by."""

import csv
import sys
from collections.abc import Iterable, Mapping, Sequence

from seatwarden.engine.common.text import printable

_FORMULA = tuple("=+-@＝＋－＠")
"""The beginnings that spreadsheets take for a formula, also behind white space (OWASP, CSV injection)."""


def print_csv(names: Sequence[str], rows: Iterable[Mapping[str, object]], *, raw: bool) -> None:
    """Prints a header and rows; `raw` leaves every text as it is."""
    writer = csv.DictWriter(_Lines(), names)
    writer.writeheader()
    for row in rows:
        writer.writerow(row if raw else {name: guarded(cell) for name, cell in row.items()})


class _Lines:
    """Standard output for csv, which quotes a carriage return only where that ends a line; here a line feed does."""

    def write(self, line: str) -> int:
        return sys.stdout.write(line.removesuffix("\r\n") + "\n")


def guarded(cell: object) -> object:
    """A cell without control and direction characters, and with `'` before what a spreadsheet would calculate."""
    if not isinstance(cell, str):
        return cell  # numbers are ours, and may be negative
    calculated = cell.startswith(("\t", "\r")) or cell.lstrip().startswith(_FORMULA)
    return f"'{printable(cell)}" if calculated else printable(cell)
