"""Tables on stdout: fitted to a terminal by Rich, as plain text in files and pipes.

Rich takes about a millisecond a row, the plain text a hundredth of it.
"""

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
        sys.stdout.write(
            plain_text(columns, [[plain(cell) for cell in row] for row in rows], "─" if is_utf8() else "-")
        )
