"""The page on the word at a place."""

from dataclasses import dataclass

from seatwarden.engine.lsp.names import declared
from seatwarden.engine.lsp.policy_places import before, is_settings
from seatwarden.engine.lsp.settings_keys import path_at, schema_at
from seatwarden.engine.lsp.words import SourceText, Word
from seatwarden.policy.word_pages import FIELD_PAGES, WORD_PAGES, family_of

_MOST_SHOWN = 400
"""Most characters of a named value that are shown."""


@dataclass(frozen=True, slots=True)
class Hover:
    """A page in Markdown, and the word that it is about."""

    markdown: str
    word: Word


def hover(text: SourceText, file: str, offset: int) -> Hover | None:
    """The page at an offset; None where nothing is known of the word."""
    part = before(text, file, offset)
    word = text.word_at(offset, part.start if part else 0)
    if word is None or word.kind in ("STRING", "COMMENT", "OPEN", "NUMBER", "DATE"):
        return None
    if part is None:
        markdown = _key(text, word) if word.kind == "WORD" else None
    else:
        markdown = _field(word) if word.kind == "FIELD" else _named(text, file, word) or _word(word)
    return Hover(markdown, word) if markdown else None


def _field(word: Word) -> str | None:
    page = FIELD_PAGES.get(family_of(word.text))
    return page.markdown if page else None


def _word(word: Word) -> str | None:
    page = WORD_PAGES.get(word.text.lower())
    return page.markdown if page else None


def _named(text: SourceText, file: str, word: Word) -> str | None:
    """The statement that gives a name its value."""
    if not word.is_name:
        return None
    for given in declared(text, file):
        if given.text == word.text:
            start, end = text.line_around(given.start) if is_settings(file) else text.statement(given.start)
            statement = text.text[start:end].strip()
            shown = statement if len(statement) <= _MOST_SHOWN else statement[: _MOST_SHOWN - 1] + "…"
            return f"```seatwarden\n{shown}\n```"
    return None


def _key(text: SourceText, word: Word) -> str | None:
    """What a setting of Butler's says."""
    number, column = text.lines.place(word.start)
    lines = text.text.split("\n")
    path = path_at(lines, number - 1, column - 1)
    doc = schema_at(path).get("properties", {}).get(word.text, {}).get("description")
    return f"**`{'.'.join([*path, word.text])}`** — {doc}" if doc else None
