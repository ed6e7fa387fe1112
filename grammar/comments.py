"""The comments of a policy text. The tree has none; formatting and directives find them here, with their places."""

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

from seatwarden.grammar.parser import terminal
from seatwarden.grammar.spans import Span


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: its text from the `#` on, without white space at its end.

    `own_line` is true when nothing of the policy stands before it on its line.
    """

    text: str
    span: Span
    own_line: bool


def find_comments(text: str, file: str) -> tuple[Comment, ...]:
    """All comments of a text that is a policy, in file order; `file` names it in spans."""
    starts = [0, *(match.end() for match in re.finditer("\n", text))]
    comments = []
    for match in _pattern().finditer(text):
        if match["comment"] is None:
            continue
        line = bisect_right(starts, match.start())
        column = match.start() - starts[line - 1] + 1
        before = re.split(r"[\r\n]", text[starts[line - 1] : match.start()])[-1]
        words = match["comment"].rstrip()
        span = Span(file, line, column, line, column + len(words))
        comments.append(Comment(words, span, not before.strip(" \t\f\ufeff")))
    return tuple(comments)


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    """A comment, or a quoted text: what looks like a comment in there is none."""
    return re.compile(f"{terminal('STRING')}|(?P<comment>{terminal('COMMENT')})")
