"""Tables on stdout: fitted to a terminal by Rich, as plain text in files and pipes, where `COLUMNS` says how wide.

Rich takes about a millisecond a row, the plain text a hundredth of it.
"""

import os
import sys
from collections.abc import Sequence

from seatwarden.engine.cli.terminal.output import Part, is_terminal, plain
from seatwarden.engine.cli.terminal.streams import is_quiet, is_utf8
from seatwarden.engine.common.tables import Column, plain_text


def print_rows(columns: Sequence[Column], rows: Sequence[Sequence[Part]]) -> None:
    """Prints a table: as wide as the terminal, or in a file as wide as it needs. Each cell is one line."""
    if is_quiet():
        return
    if is_terminal():
        from seatwarden.engine.cli.terminal.fitted_table import print_fitted  # files and pipes need no Rich

        print_fitted(columns, rows)
    else:
        line = "─" if is_utf8() else "-"
        sys.stdout.write(plain_text(columns, [[plain(cell) for cell in row] for row in rows], line, piped_width()))


def piped_width() -> int | None:
    """The columns that somebody asks for in a file or pipe by `COLUMNS`; None: as many as it takes."""
    asked = os.environ.get("COLUMNS", "")
    return max(int(asked), 20) if asked.isascii() and asked.isdigit() else None
