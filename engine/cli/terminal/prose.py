"""Sentences on a terminal: broken between words, what follows stands under where they begin."""

import os
import sys
from collections.abc import Iterable
from textwrap import wrap

from seatwarden.engine.cli.terminal.output import is_terminal
from seatwarden.engine.cli.terminal.tables import piped_width

WIDTH = 80
"""Columns for who writes much text, where no terminal says how many there are."""
_LEAST = 40
"""Columns under which nothing is broken: words would stand alone."""


def room() -> int | None:
    """The columns of the terminal, or those that `COLUMNS` asks for in a file or pipe; None: as many as it takes."""
    if not is_terminal():
        return piped_width()
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return piped_width()


def broken(lines: Iterable[str], width: int | None) -> list[str]:
    """Lines of which none is longer than `width`, as far as their words allow."""
    if width is None or width < _LEAST:
        return list(lines)
    return [part for line in lines for part in (_broken(line, width) if len(line) > width else [line])]


def _broken(line: str, width: int) -> list[str]:
    indent = line[: len(line) - len(line.lstrip())]
    below = indent + ("  " if len(indent) + 2 < width // 2 else "")
    return wrap(
        line.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=below,
        break_long_words=False,
        break_on_hyphens=False,
    )


def under_each_other(text: str, indent: int, width: int | None) -> list[str]:
    """A text that stands behind `indent` columns, as the lines it takes there; long words stay whole."""
    if width is None or width - indent < _LEAST // 2:
        return [text]
    return wrap(text, width - indent, break_long_words=False, break_on_hyphens=False) or [""]
