"""Text in YAML: how it is written, and places inside it, for the policy language there (`when:`, `limit:`)."""

import json
import re

from seatwarden.grammar.spans import Locate, Span
from seatwarden.policy.yaml.nodes import YamlScalar

_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./ -]*[A-Za-z0-9_./-])?")
_NOT_TEXT = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"])
"""Words that some YAML reader takes for something else than text."""


def locate_in(scalar: YamlScalar) -> Locate:
    """From a place within the value to a span in the file.

    Exact for text on one line, plain or quoted. Where YAML has changed the text on its way (folded lines,
    escapes, block text), the span is the whole value.
    """
    whole = scalar.span
    one_line = whole.line == whole.end_line and scalar.style in (None, "'", '"')
    quotes = 2 if scalar.style in ("'", '"') else 0
    as_written = one_line and whole.end_column - whole.column == len(scalar.text) + quotes
    if not as_written:
        return lambda line, column, end_line, end_column: whole
    start = whole.column - 1 + quotes // 2

    def locate(line: int, column: int, end_line: int, end_column: int) -> Span:
        return Span(whole.file, whole.line, start + column, whole.line, start + end_column)

    return locate


def is_plain(text: str) -> bool:
    """Whether every YAML reader takes the text for text without quotes."""
    return _PLAIN.fullmatch(text) is not None and text.lower() not in _NOT_TEXT


def yaml_text(text: str) -> str:
    """A text as YAML, in quotes only where they are needed."""
    return text if is_plain(text) else yaml_quoted(text)


def yaml_quoted(text: str) -> str:
    """A text as YAML: in single quotes, as Butler writes them; with escapes where a character needs one."""
    return "'" + text.replace("'", "''") + "'" if text.isprintable() else json.dumps(text)
