"""What can be typed at a place: asked of the grammar itself, so that every word of the language is there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from seatwarden.engine.lsp.names import declared
from seatwarden.engine.lsp.policy_places import Before, before, is_settings
from seatwarden.engine.lsp.settings_keys import path_at, schema_at, siblings, words_of
from seatwarden.engine.lsp.site_names import SiteNames
from seatwarden.engine.lsp.words import SourceText, Word, words
from seatwarden.grammar.ast import Field
from seatwarden.grammar.keywords import IN_PLACE, KEYWORDS, TYPES, UNITS
from seatwarden.grammar.parser import acceptable
from seatwarden.grammar.printer import print_field, quote
from seatwarden.policy.operators import OPERATORS
from seatwarden.policy.vocabulary import VOCABULARY, FieldEntry
from seatwarden.policy.word_pages import FIELD_PAGES, WORD_PAGES, WordPage, family_of

CompletionKind = Literal["keyword", "field", "name", "value", "operator", "key"]
_TYPED = re.compile(r"""[\w.@]*(?:\.@?"[^"\r\n]*)?$""")
_WORDS = {word.upper(): (word,) for word in (*KEYWORDS, *IN_PLACE)} | {
    "TYPE": TYPES,
    "UNIT": UNITS,
    "DATE_OF": ("date",),
    "NUMBER_OF": ("number",),
}
_SIGNS = {
    "OPERATOR": tuple(one.spelling for one in OPERATORS if not one.spelling[0].isalpha() and one.spelling != "="),
    "EQUAL": ("=",),
}
_VALUES = {
    "tag": "user.tags",
    "userDirectory": "user.userDirectory",
    "userDir": "user.userDirectory",
    "userId": "user.userId",
}
"""Which field's texts stand behind a key of Butler's."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Something that can be typed, in place of what stands between two offsets."""

    label: str
    kind: CompletionKind
    start: int
    end: int
    page: WordPage | None = None


def completions(text: SourceText, file: str, offset: int, site: SiteNames) -> list[Completion]:
    """What can be typed at an offset, the words of the site first."""
    part = before(text, file, offset)
    if part is not None:
        return list(_in_policy(text, file, part, offset, site))
    return list(_in_settings(text, offset, site)) if is_settings(file) else []


# In a policy ---------------------------------------------------------------------------------------------


def _in_policy(text: SourceText, file: str, part: Before, offset: int, site: SiteNames) -> Iterator[Completion]:
    typed = list(words(part.text))
    last = typed[-1] if typed else None
    if last and last.kind == "COMMENT" and last.end == len(part.text):
        return
    if last and last.kind == "OPEN":
        yield from _texts(
            typed[:-1], last.text[0], offset - (last.end - last.start), _end_of_text(text, offset, last), site
        )
        return
    word = _TYPED.search(part.text)
    beginning = part.text[: word.start()] if word else part.text
    start = offset - len(part.text) + len(beginning)
    end = offset + len(re.match(r"\w*", text.text[offset : offset + 100])[0])  # type: ignore[index]
    accepted = acceptable(beginning, part.kind)
    if "STRING" in accepted:
        yield from _texts(list(words(beginning)), None, start, end, site)
    if "FIELD" in accepted:
        for name in _fields(site):
            yield Completion(name, "field", start, end, FIELD_PAGES.get(family_of(name)))
    if "NAME" in accepted and "FIELD" in accepted:
        for declaration in declared(text, file):
            yield Completion(declaration.text, "name", start, end)
    for terminal in sorted(accepted):
        for written in _WORDS.get(terminal, ()):
            yield Completion(written, "keyword", start, end, WORD_PAGES.get(written))
        for written in _SIGNS.get(terminal, ()):
            yield Completion(written, "operator", start, end, WORD_PAGES.get(written))


def _end_of_text(text: SourceText, offset: int, opened: Word) -> int:
    """Where a text ends in which one types: behind its closing quote, if that stands on the line."""
    rest = text.text[offset : text.line_around(offset)[1]]
    closing = re.match(rf"[^{opened.text[0]}\r\n,)\]]*{opened.text[0]}", rest)
    return offset + (closing.end() if closing else 0)


def _texts(typed: Sequence[Word], mark: str | None, start: int, end: int, site: SiteNames) -> Iterator[Completion]:
    """The texts that the compared field can have, in the quotes in which one has been begun."""
    compared = _compared(typed)
    if compared is None:
        return
    entry = _entry(compared)
    for text in (entry.values if entry else ()) or site.texts.get(compared, ()):
        written = f"{mark}{text.replace(mark, mark * 2)}{mark}" if mark else quote(text)
        yield Completion(written, "value", start, end)


def _compared(typed: Sequence[Word]) -> str | None:
    """The field before the operator behind which one types, or in the list behind it."""
    rest = [word for word in typed if word.kind != "COMMENT"]
    while rest and (rest[-1].kind in ("STRING", "NUMBER", "DATE") or rest[-1].text in (",", "[")):
        rest.pop()
    operator = rest[-1] if rest else None
    if operator is None or not (operator.kind == "OPERATOR" or operator.text == "=" or operator.text.lower() == "like"):
        return None
    return rest[-2].text if len(rest) > 1 and rest[-2].kind == "FIELD" else None


def _fields(site: SiteNames) -> Iterator[str]:
    """All fields; of a family those that users of the site have, and the family itself."""
    for name, entry in VOCABULARY.items():
        if entry.keyed:
            yield from (print_field(Field(name, key)) for key in site.keys.get(name, ()))
        yield f"{name}." if entry.keyed and not name.endswith("@") else name


def _entry(name: str) -> FieldEntry | None:
    return VOCABULARY.get(family_of(name))


# In Butler's YAML ----------------------------------------------------------------------------------------


def _in_settings(text: SourceText, offset: int, site: SiteNames) -> Iterator[Completion]:
    number, column = text.lines.place(offset)
    lines = text.text.split("\n")
    line = lines[number - 1][: column - 1]
    path = path_at(lines, number - 1, column - 1)
    word = re.search(r"""["']?[^\s"':,\[{-][^"':,\[{]*$|["']?$""", line)
    start = offset - (len(word[0]) if word else 0)
    schema = schema_at(path)
    if "properties" in schema:
        yield from (
            Completion(f"{key}:", "key", start, offset, _key_page(key, below))
            for key, below in schema["properties"].items()
        )
        return
    for value in words_of(schema):
        yield Completion(value, "value", start, offset)
    for value in _names_of(path, siblings(lines, number - 1), site):
        yield Completion(f"'{value.replace(chr(39), chr(39) * 2)}'", "value", start, offset)


def _names_of(path: Sequence[str], beside: dict[str, str] | object, site: SiteNames) -> Sequence[str]:
    last = path[-1] if path else ""
    if "customProperty" in path:
        name = beside.get("name", "") if isinstance(beside, dict) else ""
        return site.keys.get("user.@", ()) if last == "name" else site.texts.get(print_field(Field("user.@", name)), ())
    return site.texts.get(_VALUES.get(last, ""), ())


def _key_page(key: str, schema: dict[str, object]) -> WordPage | None:
    doc = schema.get("description")
    return WordPage(key, str(doc), f"{key}:") if doc else None
