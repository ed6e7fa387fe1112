"""A text before and after, as `diff -u` shows it."""

import difflib
from collections.abc import Iterator
from pathlib import Path

from seatwarden.engine.cli.terminal.output import say
from seatwarden.engine.common.text import printable


def show_change(path: Path, before: str, after: str, done: str) -> None:
    """Prints what `done` ("formatted") makes of a file's text."""
    for line in _unified(path, before, after, done):
        say(printable(line.expandtabs(4)))


def _unified(path: Path, before: str, after: str, done: str) -> Iterator[str]:
    """The lines, without line ends."""
    names = (str(path), f"{path} ({done})")
    for line in difflib.unified_diff(_lines(before), _lines(after), *names, lineterm=""):
        yield from line.split("\n")


def _lines(text: str) -> list[str]:
    """The lines of a text, with what `diff` says when the last one has no end."""
    *lines, rest = text.replace("\r\n", "\n").split("\n")
    return [*lines, f"{rest}\n\\ No newline at end of file"] if rest else lines
