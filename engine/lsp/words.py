"""The words of a text, found without reading it as a policy: a text is seldom one while it is typed."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from seatwarden.grammar.keywords import IN_PLACE, RESERVED, STATEMENTS
from seatwarden.grammar.parser import terminal
from seatwarden.policy.fixes.edits import Lines

_KINDS = ("STRING", "COMMENT", "FIELD", "DATE", "NUMBER", "OPERATOR")
_STARTS = re.compile(rf"^[ \t]*(?:{'|'.join(STATEMENTS)})\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: its kind (a terminal of the grammar, `WORD`, `OPEN` for a text that is not closed, or
    `SIGN`), how it is written, and the offsets where it starts and ends."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        """Whether it can be the name of a value."""
        return self.kind == "WORD" and self.text.lower() not in (*RESERVED, *IN_PLACE)


class SourceText:
    """A text with the places of its lines and words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = Lines(text)
        self._starts = [match.start() for match in _STARTS.finditer(text)]

    def statement(self, offset: int) -> tuple[int, int]:
        """The offsets between which the statement around an offset stands, by the words at the starts of lines."""
        number = bisect_right(self._starts, offset)
        start = self._starts[number - 1] if number else 0
        return start, self._starts[number] if number < len(self._starts) else len(self.text)

    def statements(self) -> Iterator[tuple[int, int]]:
        """All statements."""
        ends = [*self._starts[1:], len(self.text)]
        return zip(self._starts, ends, strict=True)

    def word_at(self, offset: int, start: int = 0) -> Word | None:
        """The word at an offset, or that ends there; nothing before `start` is part of one."""
        first, end = self.line_around(offset)
        found = [word for word in words(self.text, max(first, start), end) if word.start <= offset <= word.end]
        return next((word for word in reversed(found) if word.kind != "SIGN"), found[0] if found else None)

    def line_around(self, offset: int) -> tuple[int, int]:
        """The offsets between which the line around an offset stands."""
        end = self.text.find("\n", offset)
        return self.text.rfind("\n", 0, offset) + 1, len(self.text) if end < 0 else end


def words(text: str, start: int = 0, end: int | None = None) -> Iterator[Word]:
    """The words between two offsets, comments among them."""
    for match in _pattern().finditer(text, start, len(text) if end is None else end):
        yield Word(match.lastgroup or "SIGN", match[0], match.start(), match.end())


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    kinds = [f"(?P<{kind}>{terminal(kind)})" for kind in _KINDS]
    return re.compile("|".join([*kinds, r"(?P<OPEN>[\"'][^\r\n]*)", r"(?P<WORD>[^\W\d]\w*)", r"(?P<SIGN>[^\s\w])"]))
