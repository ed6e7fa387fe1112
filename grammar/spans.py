"""Spans: the places of nodes in source files."""

from collections.abc import Callable
from pathlib import PurePath
from typing import TypeAlias

from msgspec import Struct


class Span(Struct, frozen=True, order=True, gc=False):
    """A stretch of one source file.

    Lines and columns count from 1, columns in characters; the end is exclusive. A span from a YAML file
    points into the YAML file.
    """

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def place(self) -> str:
        """The start as `file:line:column`, the form editors make clickable."""
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def short_place(self) -> str:
        """The same, the file without its folders: it reads the same wherever the file stands."""
        return f"{PurePath(self.file).name}:{self.line}:{self.column}"

    def to(self, other: "Span") -> "Span":
        """Span from this one's start to the other's end."""
        return Span(self.file, self.line, self.column, other.end_line, other.end_column)

    def within(self, other: "Span") -> bool:
        """Whether it stands in the other one."""
        start, end = (self.line, self.column), (self.end_line, self.end_column)
        whole = (other.line, other.column) <= start and end <= (other.end_line, other.end_column)
        return self.file == other.file and whole


NOWHERE = Span("", 0, 0, 0, 0)
"""The span of nodes that no file holds (built in code)."""


Locate: TypeAlias = Callable[[int, int, int, int], Span]
"""From line, column, end line and end column within the parsed text to a span in the user's file."""
