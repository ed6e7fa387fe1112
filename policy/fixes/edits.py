"""Edits of a text, by spans."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from seatwarden.grammar.spans import Span


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """A stretch of a file, and the text that is to stand there."""

    span: Span
    text: str

    def touches(self, other: "Edit") -> bool:
        """Whether both speak of the same characters, or of the same place."""
        (start, end), (other_start, other_end) = _ends(self.span), _ends(other.span)
        return start <= other_end and other_start <= end


class Lines:
    """A text with the places of its lines: from a line and column, which count from 1, to an offset and back."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0]
        for line in text.split("\n"):
            self._starts.append(self._starts[-1] + len(line) + 1)

    def offset(self, line: int, column: int) -> int:
        """The offset of a place; of one behind the end of its line or of the text, that end."""
        if line >= len(self._starts):
            return len(self.text)
        return min(self._starts[line - 1] + column - 1, self._starts[line] - 1)

    def place(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def ends(self, span: Span) -> tuple[int, int]:
        """The offsets at which a span starts and ends."""
        return self.offset(span.line, span.column), self.offset(span.end_line, span.end_column)

    def span(self, file: str, start: int, end: int) -> Span:
        """The span between two offsets."""
        return Span(file, *self.place(start), *self.place(end))

    def at(self, span: Span) -> str:
        """The text of a span."""
        start, end = self.ends(span)
        return self.text[start:end]


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """The text after edits that do not touch one another."""
    lines = Lines(text)
    for edit in sorted(edits, reverse=True):
        start, end = lines.ends(edit.span)
        text = text[:start] + edit.text + text[end:]
    return text


def _ends(span: Span) -> tuple[tuple[int, int], tuple[int, int]]:
    return (span.line, span.column), (span.end_line, span.end_column)
