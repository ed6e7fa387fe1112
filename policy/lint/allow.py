"""`# seatwarden: allow SW301 reason`: findings that somebody has looked at, and why they may stay.

The comment silences the codes it names on its line, and in the statement that starts there; without a reason it
silences nothing. Alone on a line it speaks of the next line that is not a comment.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from seatwarden.grammar.ast import Length, Let, Statement, walk
from seatwarden.grammar.ast import Rule as RuleNode
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.codes import CODES
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.findings import is_yaml, warning
from seatwarden.policy.loading import CheckedPolicy

_ALLOW = re.compile(r"#\s*seatwarden:\s*allow\b(?P<rest>[^\n\r]*)", re.IGNORECASE)
_NEARLY = re.compile(r"#\s*seatwarden\b(?P<rest>[^\n\r]*)", re.IGNORECASE)
_CODE = re.compile(r"\s*,?\s*\b(SW\d+)\b", re.IGNORECASE)
_TEXT_LINE = re.compile(r"""(?:[^"'#\n]|"(?:[^"\n]|"")*"|'(?:[^'\n]|'')*')*""")


class Allow(Struct, frozen=True):
    """One code that one comment allows. `line` is the line it speaks of, `span` where the code is written."""

    code: str
    reason: str
    line: int
    span: Span


class Allowed(Struct, frozen=True):
    """A finding that a comment silences, and the comment's reason."""

    finding: Diagnostic
    reason: str


def read_allows(source: str, file: str, *, yaml: bool) -> tuple[list[Allow], list[Diagnostic]]:
    """All that the comments of a policy allow, and SW320 for comments that cannot be understood."""
    allows: list[Allow] = []
    findings: list[Diagnostic] = []
    lines = source.split("\n")
    for number, line in enumerate(lines, start=1):
        start = _comment_start(line, yaml)
        comment = line[start:] if start is not None else ""
        if start is None or "seatwarden" not in comment.lower():
            continue
        found = _ALLOW.match(comment)
        if found is None:
            nearly = _NEARLY.match(comment)
            if nearly is not None:
                span = Span(file, number, start + 1, number, len(line.rstrip()) + 1)
                findings.append(_not_understood(span))
            continue
        target = number if line[:start].strip() else _next_line(lines, number)
        read, problems = _codes(found["rest"], start + found.start("rest"), number, target, file)
        allows += read
        findings += problems
    return allows, findings


def apply_allows(
    findings: Iterable[Diagnostic], allows: list[Allow], policy: CheckedPolicy, *, with_snapshot: bool
) -> tuple[list[Diagnostic], list[Allowed]]:
    """The findings that stay, with SW319 for what is allowed in vain, and those that are silenced.

    A code that needs a snapshot is only judged when there is one to find it with, one of plans is not judged here.
    """
    kept, silenced, used = _silence(findings, allows, _lines_before(policy))
    for allow in allows:
        code = CODES[allow.code]
        if allow not in used and not code.of_plans and (with_snapshot or not code.needs_snapshot):
            message = f"`{allow.code}` is allowed here, and is not found"
            kept.append(warning("SW319", message, allow.span, "allows nothing", "remove it"))
    return kept, silenced


def part_allowed(
    findings: Iterable[Diagnostic], policy: CheckedPolicy, *, yaml: bool
) -> tuple[list[Diagnostic], list[Allowed]]:
    """The findings of a plan that stay, and those that a comment in the policy allows; in vain is said by lint."""
    found = list(findings)
    if not found or "seatwarden" not in policy.source.lower():
        return found, []
    allows, _ = read_allows(policy.source, policy.file, yaml=yaml)
    kept, silenced, _ = _silence(found, allows, _lines_before(policy))
    return kept, silenced


def without_allowed(findings: Iterable[Diagnostic], source: str, file: str) -> tuple[Diagnostic, ...]:
    """The findings on a site file that no comment in it allows; what is wrong with its comments lint tells."""
    allows, _ = read_allows(source, file, yaml=True)
    kept, _, _ = _silence(findings, allows, _lines_of_keys(source))
    return tuple(kept)


def _lines_before(policy: CheckedPolicy) -> Mapping[int, set[int]]:
    """For each line the others at which a comment speaks of it: where its statement begins, and in YAML its key."""
    starts = _statement_lines(policy)
    if not is_yaml(policy):
        return starts
    keys = _lines_of_keys(policy.source)
    found = {line: set(before) for line, before in starts.items()}
    for line, (key,) in keys.items():
        found.setdefault(line, set()).update({key, *starts.get(key, ())})
    return found


_KEY = re.compile(r"\s*(?:- +)*(?:-$|[^\s#:'\"]+:(?:\s|$))")


def _lines_of_keys(source: str) -> dict[int, set[int]]:
    """In YAML, for each line within a text of several lines that of its key: no comment can stand in such a text."""
    found: dict[int, set[int]] = {}
    indent, key = 0, 0
    for number, line in enumerate(source.split("\n"), 1):
        begins = len(line) - len(line.lstrip())
        if _KEY.match(line):
            indent, key = begins, number
        elif key and begins > indent and line.strip():
            found[number] = {key}
    return found


def _silence(
    findings: Iterable[Diagnostic], allows: list[Allow], starts: Mapping[int, set[int]]
) -> tuple[list[Diagnostic], list[Allowed], set[Allow]]:
    """The findings that stay, those that are silenced, and the comments that did it."""
    kept: list[Diagnostic] = []
    silenced: list[Allowed] = []
    used: set[Allow] = set()
    for finding in findings:
        lines = {finding.span.line, *starts.get(finding.span.line, ())}
        matching = [allow for allow in allows if allow.code == finding.code and allow.line in lines]
        used.update(matching)
        if matching:
            silenced.append(Allowed(finding, matching[0].reason))
        else:
            kept.append(finding)
    return kept, silenced, used


def _codes(rest: str, column: int, line: int, target: int, file: str) -> tuple[list[Allow], list[Diagnostic]]:
    found: list[tuple[str, Span]] = []
    position = 0
    while match := _CODE.match(rest, position):
        start, end = match.span(1)
        found.append((match[1].upper(), Span(file, line, column + start + 1, line, column + end + 1)))
        position = match.end()
    reason = rest[position:].strip(" \t:,-")
    whole = Span(file, line, column + 1, line, column + max(1, len(rest.rstrip())) + 1)
    if not found:
        return [], [_not_understood(whole)]
    problems = [_not_allowable(code, span) for code, span in found if not _is_allowable(code)]
    if not reason:
        help_ = f"write why: # seatwarden: allow {found[0][0]} agreed with HR"
        message = f"`{found[0][0]}` cannot be allowed without a reason"
        return [], [*problems, warning("SW320", message, whole, "allows nothing", help_)]
    return [Allow(code, reason, target, span) for code, span in found if _is_allowable(code)], problems


def _is_allowable(code: str) -> bool:
    return code in CODES and CODES[code].allowable


def _not_allowable(code: str, span: Span) -> Diagnostic:
    if code not in CODES:
        return warning("SW320", f"there is no code `{code}`", span, "allows nothing", did_you_mean(code, CODES))
    help_ = "errors are corrected; warnings can be allowed"
    return warning("SW320", f"`{code}` cannot be allowed", span, "an error", help_)


def _not_understood(span: Span) -> Diagnostic:
    help_ = "write: # seatwarden: allow SW301 why it may stay"
    return warning("SW320", "this comment to seatwarden is not understood", span, "allows nothing", help_)


def _comment_start(line: str, yaml: bool) -> int | None:
    """The offset of the line's comment; None when there is none.

    In YAML only of a comment to seatwarden, with a space before its `#`: a quote there may also be an apostrophe, so
    quotes say nothing.
    """
    if yaml:
        found = re.search(r"(?:^|(?<=\s))#\s*seatwarden\b", line, re.IGNORECASE)
        return found.start() if found else None
    found = _TEXT_LINE.match(line)
    end = found.end() if found else 0
    return end if line[end : end + 1] == "#" else None


def _next_line(lines: list[str], number: int) -> int:
    """The next line with something on it that is not a comment."""
    for following in range(number, len(lines)):
        text = lines[following].strip()
        if text and not text.startswith("#"):
            return following + 1
    return number


def _statement_lines(policy: CheckedPolicy) -> dict[int, set[int]]:
    """For each line of a statement the lines on which statements that take it in start."""
    starts: dict[int, set[int]] = {}
    for statement in policy.written.statements:
        first = statement.span.line
        for line in range(first, max(_last_lines(statement)) + 1):
            starts.setdefault(line, set()).add(first)
    return starts


def _last_lines(statement: Statement) -> Iterator[int]:
    """The last lines of a statement's parts; from YAML, a rule's own place is only its key."""
    yield statement.span.end_line
    if isinstance(statement, RuleNode):
        yield from (node.span.end_line for node, _ in walk(statement.condition))
        if statement.notice is not None:
            yield statement.notice.span.end_line
    elif isinstance(statement, Let):
        yield statement.value.span.end_line
        if not isinstance(statement.value, Length):
            yield from (node.span.end_line for node, _ in walk(statement.value))
