"""A table as plain text, laid out as on the terminal, for files and pipes: there nothing needs folding.

Rich, which draws tables on terminals, takes about a millisecond a row, this a hundredth of it.
"""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len


def plain_table(heads: Sequence[str], rows: Iterable[Sequence[str]], to_the_right: str = "") -> str:
    """The table; the column with the head `to_the_right` is aligned so. A cell is on one line, and printable."""
    table = [tuple(heads), *map(tuple, rows)]
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    right = [head == to_the_right for head in heads]
    first, *lines = (_line(row, widths, right) for row in table)
    drawn = sum(widths) + 3 * (len(widths) - 1)
    edge = " " * (drawn + 2)
    return "\n".join([edge, first, f" {'─' * drawn} ", *lines, edge, ""])


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = []
    for cell, width, to_the_right in zip(row, widths, right, strict=True):
        # A cell may take more columns than it has characters, or fewer.
        width += len(cell) - _width(cell)
        cells.append(cell.rjust(width) if to_the_right else cell.ljust(width))
    return f" {'   '.join(cells)} "


def _width(cell: str) -> int:
    return len(cell) if cell.isascii() else cell_len(cell)
