"""Where a policy stands in a file: all of a policy text, in Butler's YAML the conditions."""

import re
from dataclasses import dataclass
from pathlib import Path

from seatwarden.engine.lsp.words import SourceText
from seatwarden.policy.loading import YAML_SUFFIXES

_CONDITION = re.compile(r"""\b(?P<key>when|limit)[ ]*:[ ]*(?:[|>][-+0-9]*[ ]*\n)?""")


def is_settings(file: str) -> bool:
    """Whether the file is YAML or JSON, by its name."""
    return Path(file).suffix.lower() in YAML_SUFFIXES


@dataclass(frozen=True, slots=True)
class Before:
    """The part of a policy before a place: its text, where that starts in the file, what it is by the grammar."""

    text: str
    start: int
    kind: str


def before(text: SourceText, file: str, offset: int) -> Before | None:
    """What stands before an offset: the beginning of its statement, in YAML of the condition; None outside of one."""
    if not is_settings(file):
        start = text.statement(offset)[0]
        return Before(text.text[start:offset], start, "policy")
    return _in_settings(text, offset)


def _in_settings(text: SourceText, offset: int) -> Before | None:
    found = None
    for match in _CONDITION.finditer(text.text, 0, offset):
        found = match
    if found is None:
        return None
    start = found.end()
    body = text.text[start:offset]
    block = "\n" in found[0]
    indent = _indent(text.text, found.start())
    rest = body.split("\n")
    if any(line.strip() and len(line) - len(line.lstrip()) <= indent for line in rest[0 if block else 1 :]):
        return None
    kind = "condition" if found["key"] == "when" else "bare_limit"
    mark = body[:1]
    if not block and mark in ("'", '"'):
        # What YAML doubles or escapes is one character of the condition; a place behind it is only looked up to here.
        body = body[1:].replace("''", "'") if mark == "'" else body[1:].replace('\\"', '"').replace("\\\\", "\\")
        if mark == "'" and body.count("'") % 2 and body.rstrip().endswith("'"):
            return None
        start += 1
    return Before(body, start, kind)


def _indent(text: str, offset: int) -> int:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return len(line) - len(line.lstrip(" -"))
