"""One layout for policies that people wrote: the printer's, with their comments and their groups of statements.

A comment stays where it stands: above a statement, a part of a condition, a value of a list or a `when`, or at the
end of one of their lines. One that stands elsewhere, in the midst of what is written on one line, goes to that line's
end, or above it when it had a line of its own. None is lost and their order stays. Between statements
blank lines are kept, one at most.

The formatter proves itself on each run: it never hands out text that says something else.
"""

import re
from bisect import bisect_right

from seatwarden.grammar.ast import Policy, Statement
from seatwarden.grammar.comments import Comment, find_comments
from seatwarden.grammar.errors import Defect
from seatwarden.grammar.parser import parse_policy
from seatwarden.grammar.printer import Line, end_of, lay_out, start_of


def format_policy(text: str, file: str) -> str:
    """The text in the one layout, with lines ending in a newline; `file` names it in errors.

    Raises PolicySyntaxError when it is not a policy, Defect when the proof fails.
    """
    text = re.sub("\r\n?", "\n", text)
    policy, comments = parse_policy(text, file), find_comments(text, file)
    formatted = weave(policy, comments)
    again, comments_again = parse_policy(formatted, file), find_comments(formatted, file)
    if again != policy:
        raise Defect("the formatted text would mean something else")
    if [comment.text for comment in comments_again] != [comment.text for comment in comments]:
        raise Defect("the formatted text would not have the same comments")
    if weave(again, comments_again) != formatted:
        raise Defect("the formatted text would be formatted differently")
    return formatted


def weave(policy: Policy, comments: tuple[Comment, ...]) -> str:
    """The policy as text, with these comments in it. Both come from one text, whose places bring them together."""
    weaver = _Weaver()
    rest = list(reversed(comments))
    for number, statement in enumerate(policy.statements):
        following = policy.statements[number + 1 : number + 2]
        limit = start_of(following[0].span) if following else None
        while rest and start_of(rest[-1].span) < start_of(statement.span):
            weaver.comment(rest.pop())
        inside = []
        while rest and _belongs(rest[-1], statement) and (limit is None or start_of(rest[-1].span) < limit):
            inside.append(rest.pop())
        weaver.statement(statement, inside)
    for comment in reversed(rest):
        weaver.comment(comment)
    return "".join(f"{line}\n" for line in weaver.lines)


def _belongs(comment: Comment, statement: Statement) -> bool:
    """Whether a comment that does not stand before the statement stands in it, or behind it on its last line."""
    if start_of(comment.span) < end_of(statement.span):
        return True
    return not comment.own_line and comment.span.line == statement.span.end_line


class _Weaver:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self._last: int | None = None  # the source line where what was written last ends

    def comment(self, comment: Comment) -> None:
        """A comment between statements."""
        self._group(comment.span.line)
        self.lines.append(comment.text)
        self._last = comment.span.line

    def statement(self, statement: Statement, comments: list[Comment]) -> None:
        """A statement with the comments in it and behind it."""
        self._group(statement.span.line)
        end = end_of(statement.span)
        inside = [start_of(comment.span) for comment in comments if start_of(comment.span) < end]
        lines = lay_out(statement, inside)
        for line, (above, behind) in zip(lines, _by_line(lines, comments), strict=True):
            self.lines += [" " * line.comment_indent + comment.text for comment in above]
            self.lines.append(" " * line.indent + line.text + (f"  {behind.text}" if behind else ""))
        self._last = statement.span.end_line

    def _group(self, line: int) -> None:
        if self._last is not None and line > self._last + 1:
            self.lines.append("")


def _by_line(lines: list[Line], comments: list[Comment]) -> list[tuple[list[Comment], Comment | None]]:
    """For each line the comments above it and the one behind it, if there is one."""
    above: list[list[Comment]] = [[] for _ in lines]
    within: list[list[Comment]] = [[] for _ in lines]
    starts = [line.start for line in lines]
    for comment in comments:
        place = start_of(comment.span)
        number = bisect_right(starts, place) - 1
        line = lines[number]
        same_line = not comment.own_line and comment.span.line == line.end[0]
        if place < line.end or same_line or number + 1 == len(lines):
            within[number].append(comment)
        else:
            # Above the next line, never behind it: there it would no longer keep the two apart.
            above[number + 1].append(comment)
    found = []
    for before, of_line in zip(above, within, strict=True):
        behind = of_line.pop() if of_line and not of_line[-1].own_line else None
        found.append((before + of_line, behind))
    return found
