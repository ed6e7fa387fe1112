"""Bounds of policy text: what is too long or nested too deep is refused before it is parsed.

A parser needs time and memory for every token, and later steps walk conditions by recursion; one quick look over
the text keeps both in bounds, whoever wrote it.
"""

import re

from msgspec import Struct

MAX_CHARACTERS = 4_000_000
"""Longest policy text, list files written out."""
MAX_TOKENS = 120_000
"""Most words, values and signs; a list of 50,000 users has about 100,000."""
MAX_DEPTH = 64
"""Deepest nesting of `not`, `and`, `or` and parentheses in one condition."""

_TOKEN = re.compile(r""""[^"\n]*"|'[^'\n]*'|#[^\n]*|\w+|[^\s\w]""")


class TooMuch(Struct, frozen=True):
    """The reason why a text is refused, and its place (`start` and `end` are offsets)."""

    message: str
    label: str
    help: str
    start: int
    end: int


def too_much(text: str, max_depth: int = MAX_DEPTH) -> TooMuch | None:
    """The bound that a text is over, or None when it can be parsed."""
    if len(text) > MAX_CHARACTERS:
        message = f"this policy is too long: {len(text):,} characters, {MAX_CHARACTERS:,} are read"
        return TooMuch(message, "too long", "split it into several policies", 0, 1)
    open_parentheses = negations = 0
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count == MAX_TOKENS:
            message = f"this policy is too long: more than {MAX_TOKENS:,} words, values and signs"
            return TooMuch(message, "up to here", "split it into several policies", match.start(), match.end())
        word = match[0]
        negations = negations + 1 if word == "!" or word.lower() == "not" else 0
        if word == "(":
            open_parentheses += 1
        elif word == ")":
            open_parentheses = max(0, open_parentheses - 1)
        elif word.lower() == "when":
            open_parentheses = 0  # the next rule; what stayed open is the parser's to tell
        if open_parentheses + negations > max_depth:
            return TooMuch(nested_message(max_depth), "too deep", NESTED_HELP, match.start(), match.end())
    return None


def nested_message(depth: int) -> str:
    """The message for a condition that is nested deeper than `depth`."""
    return f"this condition is nested more than {depth} deep"


NESTED_HELP = "split it into several rules; rules are joined by `or`"
