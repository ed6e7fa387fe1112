"""The names that a policy gives values: where each is given, and where it is used."""

import re
from collections.abc import Iterator
from pathlib import Path

from seatwarden.engine.lsp.policy_places import is_settings
from seatwarden.engine.lsp.words import SourceText, Word
from seatwarden.grammar.ast import Let, Name, Policy, SetFrom
from seatwarden.grammar.keywords import IN_PLACE, RESERVED
from seatwarden.grammar.nodes import TreeNode
from seatwarden.grammar.spans import Span
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.loading import parse_surface

_NAME = re.compile(r"[^\W\d]\w*")
_GIVES = re.compile(r"\b(?:let|set)\b\s+(?=[^\W\d])", re.IGNORECASE)
_KEY = re.compile(r"[ ]*(?P<key>[^\W\d]\w*)[ ]*:(?=\s|$)")


def declared(text: SourceText, file: str) -> list[Word]:
    """The words that `let` and `set` give values, in file order. Asked at every key: only their lines are looked at."""
    if is_settings(file):
        return list(_keys_below(text))
    givers = (match for match in _GIVES.finditer(text.text) if _is_word(text, match.start()))
    return [word for match in givers if (word := text.word_at(match.end())) is not None and word.is_name]


def uses(text: SourceText, file: str, name: str) -> list[Word]:
    """Every place of a name, the one that gives it a value among them."""
    if is_settings(file):
        return [word for word in _in_settings(text, file) if word.text == name]
    matches = re.finditer(rf"\b{re.escape(name)}\b", text.text)
    found = (text.word_at(match.end()) for match in matches)
    return [word for word in found if word is not None and word.is_name and word.text == name]


def name_at(text: SourceText, file: str, offset: int) -> Word | None:
    """The name at an offset that some `let` or `set` gives a value."""
    if is_settings(file):
        word = next((one for one in _in_settings(text, file) if one.start <= offset <= one.end), None)
    else:
        word = text.word_at(offset)
    return word if word is not None and any(one.text == word.text for one in declared(text, file)) else None


def renamed(text: SourceText, file: str, name: str, new: str) -> list[Word]:
    """The places to write the new name at. Raises InputError where that cannot be the name."""
    if not _NAME.fullmatch(new):
        raise InputError(f"`{new}` cannot be a name: one is of letters, digits and _, and starts with no digit")
    if new.lower() in (*RESERVED, *IN_PLACE):
        raise InputError(f"`{new}` is a word of the language")
    if new != name and any(word.text == new for word in declared(text, file)):
        raise InputError(f"`{new}` has a value already")
    return uses(text, file, name)


def _is_word(text: SourceText, offset: int) -> bool:
    word = text.word_at(offset)
    return word is not None and word.kind == "WORD"


def _keys_below(text: SourceText) -> Iterator[Word]:
    """The keys right below `let:`, `set:`, `days:` and `conditions:`."""
    offset, within, below = 0, -1, -1
    for line in text.text.split("\n"):
        key = _KEY.match(line)
        if key:
            indent = key.start("key")
            within = within if indent > within else -1
            below = indent if within >= 0 and below < 0 else below
            if within >= 0 and indent == below:
                yield Word("WORD", key["key"], offset + indent, offset + key.end("key"))
            elif key["key"] in ("let", "set", "days", "conditions"):
                within, below = indent, -1
        offset += len(line) + 1


def _in_settings(text: SourceText, file: str) -> Iterator[Word]:
    """Every name, from the tree: a word in YAML may be anything. A file that cannot be read has none."""
    try:
        policy = parse_surface(text.text, Path(file).name)
    except PolicyError:
        return
    for span, name in _in_tree(policy):
        start, end = text.lines.ends(span)
        if text.text[start:end] == name:  # a key in quotes would lose them
            yield Word("WORD", name, start, end)


def _in_tree(policy: Policy) -> Iterator[tuple[Span, str]]:
    for statement in policy.statements:
        if isinstance(statement, Let | SetFrom):
            yield statement.name_span, statement.name
        yield from _names_in(statement)


def _names_in(node: object) -> Iterator[tuple[Span, str]]:
    """Every name in a node, whatever it stands for there: a value, a condition, a length of time."""
    if isinstance(node, Name):
        yield node.span, node.name
    elif isinstance(node, tuple):
        for one in node:
            yield from _names_in(one)
    elif isinstance(node, TreeNode):
        for field in node.__struct_fields__:
            yield from _names_in(getattr(node, field))
