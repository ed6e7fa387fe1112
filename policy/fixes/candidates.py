"""What a finding asks for, as edits that nobody has tried yet.

Helps are written for people, and in one voice: what they name in backticks behind "did you mean" or "write" is what is
to stand at the marked place.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from seatwarden.grammar.ast import And, Condition, Let, ListOf, Operand, Or, SetFrom, Statement, children
from seatwarden.grammar.comments import find_comments
from seatwarden.grammar.printer import quote
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.fixes.edits import Edit, Lines
from seatwarden.policy.loading import YAML_SUFFIXES, CheckedPolicy

_MEANT = re.compile(r"""\b(?:did you mean|write|written) (?:`([^`]+)`|("(?:[^"]|"")*"))""")
OTHERWISE = "the policy would mean something else"
_MOST_MEANT = 3
"""Most texts of one help that are tried."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Edits that may mend a finding, and what an editor calls them. `asks` is why only the writer can decide: None
    where nobody can have meant what the edit takes away, so that it is enough that the policy keeps its meaning."""

    title: str
    edits: tuple[Edit, ...]
    asks: str | None = None


def candidates(finding: Diagnostic, text: str, policy: CheckedPolicy | None) -> Iterator[Candidate]:
    """Edits that may be what a finding asks for, the likeliest first; `policy` is what the text says, if anything."""
    lines = Lines(text)
    if finding.help:
        yield from _meant(finding, lines)
    if finding.code == "SW317":
        yield from _without_space(finding, lines)
    if policy is not None and not finding.span.file.lower().endswith(YAML_SUFFIXES):
        remove = _REMOVERS.get(finding.code)
        if remove is not None:
            yield from remove(finding, lines, policy)


def _meant(finding: Diagnostic, lines: Lines) -> Iterator[Candidate]:
    """What the help names, in the quotes that stand there now."""
    there = lines.at(finding.span)
    found = list(_MEANT.finditer(finding.help or ""))[:_MOST_MEANT]
    for match in sorted(found, key=lambda one: not one[0].startswith("did")):
        meant = match[1] or match[2]
        mark = there[:1]
        quoted = quote(meant) if mark == '"' else "'" + meant.replace("'", "''") + "'"
        text = quoted if mark in ('"', "'") and meant[:1] != mark else meant
        if text != there:
            yield Candidate(f"Write {text}", (Edit(finding.span, text),), OTHERWISE)


def _without_space(finding: Diagnostic, lines: Lines) -> Iterator[Candidate]:
    there = lines.at(finding.span)
    bare = there[:1] + there[1:-1].strip() + there[-1:]
    if len(there) > 2 and bare != there:
        yield Candidate(f"Write {bare}", (Edit(finding.span, bare),), OTHERWISE)


# What is removed ------------------------------------------------------------------------------------------


def _remove_statement(finding: Diagnostic, lines: Lines, policy: CheckedPolicy) -> Iterator[Candidate]:
    statement = _statement_at(finding.span, policy)
    if statement is None:
        return
    start, end = lines.ends(statement.span)
    line = lines.text[end:].partition("\n")[0].rstrip("\r")
    behind = end + len(line) if line.lstrip().startswith("#") else end
    comments = [one for one in find_comments(lines.text, policy.file) if start <= lines.ends(one.span)[0] < behind]
    kept = "\n".join(comment.text for comment in comments)  # somebody's words
    if kept and line.strip() and behind == end:
        kept += "\n"  # or it would take in the statement behind
    alone = not lines.text[:start].rpartition("\n")[2].strip() and not line.strip()
    end = lines.offset(statement.span.end_line + 1, 1) if alone and not kept else behind
    name = "the rule" if not isinstance(statement, Let | SetFrom) else f"`{statement.name}`"
    yield Candidate(f"Remove {name}", (Edit(lines.span(policy.file, start, end), kept),), _ASKS.get(finding.code))


def _statement_at(span: Span, policy: CheckedPolicy) -> Statement | None:
    return next((one for one in policy.tree.statements if span.within(one.span)), None)


def _remove_part(finding: Diagnostic, lines: Lines, policy: CheckedPolicy) -> Iterator[Candidate]:
    """The part at the marked place or around it, with the `and` or `or` that joins it to the others."""
    for rule in policy.rules:
        if finding.span.within(rule.span):
            for joined in _joined(rule.condition):
                for part in range(len(joined.operands)):
                    if finding.span.within(joined.operands[part].span):
                        edit = _without(joined, part, lines, policy.file)
                        yield Candidate("Remove this part", (edit,), _ASKS.get(finding.code))


def _joined(condition: Condition) -> Iterator[And | Or]:
    """All `and` and `or` of a condition, the inner ones first."""
    for child in children(condition):
        yield from _joined(child)
    if isinstance(condition, And | Or):
        yield condition


def _without(joined: And | Or, part: int, lines: Lines, file: str) -> Edit:
    ends = [_with_parentheses(lines, operand) for operand in joined.operands]
    start, end = (ends[part - 1][1], ends[part][1]) if part else (ends[0][0], ends[1][0])
    return Edit(lines.span(file, start, end), "")


def _with_parentheses(lines: Lines, operand: Condition) -> tuple[int, int]:
    """The offsets of an operand with the parentheses that are around it alone."""
    start, end = lines.ends(operand.span)
    while True:
        before, behind = lines.text[:start].rstrip(), lines.text[end:].lstrip()
        if not (before.endswith("(") and behind.startswith(")")):
            return start, end
        start, end = len(before) - 1, len(lines.text) - len(behind) + 1


def _remove_value(finding: Diagnostic, lines: Lines, policy: CheckedPolicy) -> Iterator[Candidate]:
    """A value of a list, with the comma before it: the first one is never the one that stands there again."""
    for listed in _lists(policy):
        for before, item in zip(listed.items, listed.items[1:], strict=False):
            if item.span == finding.span:
                start, end = lines.ends(before.span)[1], lines.ends(item.span)[1]
                if "#" in lines.text[start:end].replace(lines.at(item.span), ""):
                    start = lines.ends(item.span)[0]  # a comment between stays, and its comma
                    end = start + len(lines.text[start:].split(",", 1)[0]) + 1
                yield Candidate("Remove this value", (Edit(lines.span(policy.file, start, end), ""),))


def _lists(policy: CheckedPolicy) -> Iterator[ListOf]:
    for statement in policy.tree.statements:
        if isinstance(statement, Let) and isinstance(statement.value, ListOf):
            yield statement.value
    for rule in policy.rules:
        yield from _lists_in(rule.condition)


def _lists_in(condition: Condition | Operand) -> Iterator[ListOf]:
    if isinstance(condition, ListOf):
        yield condition
    for child in children(condition):
        yield from _lists_in(child)


def _remove_comment(finding: Diagnostic, lines: Lines, policy: CheckedPolicy) -> Iterator[Candidate]:
    """A comment that allows nothing; alone on its line with the line."""
    for comment in find_comments(lines.text, policy.file):
        if finding.span.within(comment.span):
            start, end = lines.ends(comment.span)
            if comment.own_line:
                start, end = lines.offset(comment.span.line, 1), min(end + 1, len(lines.text))
            else:
                start = len(lines.text[:start].rstrip(" \t"))
            yield Candidate("Remove this comment", (Edit(lines.span(policy.file, start, end), ""),))


def _remove_words(finding: Diagnostic, lines: Lines, policy: CheckedPolicy) -> Iterator[Candidate]:
    """Words that change nothing, with the space before them."""
    start, end = lines.ends(finding.span)
    start = len(lines.text[:start].rstrip(" \t"))
    yield Candidate(f"Remove {lines.at(finding.span)}", (Edit(lines.span(policy.file, start, end), ""),))


_ASKS = {
    "SW301": "was it meant to match somebody?",
    "SW303": "was it meant to match somebody?",
    "SW306": "was the other rule meant to be narrower?",
    "SW308": "was it meant to release something?",
}
"""What the writer hardly meant, and what removing it would hide."""
_REMOVERS: Mapping[str, Callable[[Diagnostic, Lines, CheckedPolicy], Iterator[Candidate]]] = {
    **dict.fromkeys(("SW301", "SW305", "SW306", "SW308", "SW314"), _remove_statement),
    **dict.fromkeys(("SW303", "SW304"), _remove_part),
    "SW315": _remove_value,
    "SW319": _remove_comment,
    "SW326": _remove_words,
}
