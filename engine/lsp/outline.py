"""The statements of a policy text, for an editor's outline."""

from collections.abc import Iterator
from dataclasses import dataclass

from seatwarden.engine.lsp.words import SourceText, Word, words


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A statement: its kind (its first word), what it is called, and the offsets where it starts and ends."""

    kind: str
    name: str
    start: int
    end: int


def outline(text: SourceText) -> Iterator[OutlineEntry]:
    """The statements in file order: rules as people speak of them, `keep "vips"`."""
    for start, end in text.statements():
        head: list[Word] = []
        for word in words(text.text, start, end):
            if word.kind == "COMMENT":
                continue
            if head and word.text.lower() in _ENDS.get(head[0].text.lower(), ()):
                break
            head.append(word)
        last = start + len(text.text[start:end].rstrip())
        yield OutlineEntry(head[0].text.lower(), text.text[head[0].start : head[-1].end], head[0].start, last)


_ENDS = {"keep": ("when", "until"), "release": ("when",), "downgrade": ("when",), "let": ("=",), "set": ("from",)}
"""The words before which what a statement is called ends."""
