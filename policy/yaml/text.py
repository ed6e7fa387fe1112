"""Text in YAML: how it is written, and places inside it, for the policy language there (`when:`, `limit:`)."""

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeAlias

from seatwarden.grammar.spans import Locate, Span
from seatwarden.policy.yaml.nodes import YamlScalar

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?")
_NOT_TEXT = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"])
"""Words that some YAML reader takes for something else than text."""


def locate_in(scalar: YamlScalar) -> Locate:
    """From a place within the value to a span in the file.

    Exact for text without escapes. Where those have changed the text on its way, the span is the whole value.
    """
    whole = scalar.span
    one_line = whole.line == whole.end_line and scalar.style in (None, "'", '"')
    quotes = 2 if scalar.style in ("'", '"') else 0
    as_written = one_line and whole.end_column - whole.column == len(scalar.text) + quotes
    if not as_written:
        return _locate_apart(scalar, _places(scalar))
    start = whole.column - 1 + quotes // 2

    def locate(line: int, column: int, end_line: int, end_column: int) -> Span:
        return Span(whole.file, whole.line, start + column, whole.line, start + end_column)

    return locate


_Place: TypeAlias = tuple[int, int]
"""Line and column in the file."""


def _locate_apart(scalar: YamlScalar, places: Sequence[_Place]) -> Locate:
    whole = scalar.span
    lines = [0, *(found.end() for found in re.finditer("\n", scalar.text))]

    def locate(line: int, column: int, end_line: int, end_column: int) -> Span:
        start, end = lines[line - 1] + column - 1, lines[end_line - 1] + end_column - 1
        if not places or start >= len(places):
            return whole
        last = places[max(start, min(end, len(places)) - 1)]
        return Span(whole.file, *places[start], last[0], last[1] + 1)

    return locate


def _places(scalar: YamlScalar) -> list[_Place]:
    """Where each character of a text stands that YAML has put together from several lines, or from doubled quotes.

    On its way only blanks change: so all other characters come in the same order. Empty where they do not. A blank is
    at the place of what stands behind it.
    """
    raw, style = scalar.raw, scalar.style
    at = raw.find("\n") + 1 if style in ("|", ">") else 1 if style else 0
    if not raw.startswith(style or ""):
        return []
    places: list[int] = []
    for character in scalar.text:
        while at < len(raw) and raw[at].isspace() and not character.isspace():
            at += 1
        if not character.isspace():
            if raw[at : at + 1] != character:
                return []
            places.append(at)
            at += 2 if style == character == "'" else 1
        else:
            places.append(at)
    starts = [0, *(found.end() for found in re.finditer("\n", raw))]
    return [_in_file(scalar.span, starts, place) for place in places]


def _in_file(whole: Span, starts: Sequence[int], at: int) -> _Place:
    line = bisect_right(starts, at) - 1
    return whole.line + line, at - starts[line] + (1 if line else whole.column)


def is_plain(text: str) -> bool:
    """Whether every YAML reader takes the text for text without quotes."""
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _NOT_TEXT


def yaml_text(text: str) -> str:
    """A text as YAML, in quotes only where they are needed."""
    return text if is_plain(text) else yaml_quoted(text)


def yaml_quoted(text: str) -> str:
    """A text as YAML: in single quotes, as Butler writes them; with escapes where a character needs one."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else json.dumps(text)
