"""Errors and warnings for people: what, where, why and what to do, in the form rustc made familiar."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from seatwarden.grammar.errors import SyntaxProblem
from seatwarden.grammar.spans import Span
from seatwarden.policy.codes import Severity

MAX_FINDINGS = 100
"""Most findings of one file that are reported; nobody reads more, and looking for what was meant takes time."""
MAX_MESSAGE = 300
"""Most characters of a message that are shown; it may quote what the user wrote."""
MAX_QUOTE = 80
"""Most characters that a message quotes of one value."""
_LONG_QUOTE = re.compile(rf"([`\"])([^`\"]{{{MAX_QUOTE},}})\1")
MAX_LINE = 160
"""Most characters of a source line that are shown."""


class Diagnostic(Struct, frozen=True):
    """One finding. `label` stands under the marked source, `related` marks other places with a label each."""

    code: str
    severity: Severity
    message: str
    span: Span
    label: str = ""
    help: str | None = None
    related: tuple[tuple[Span, str], ...] = ()


def from_syntax(problem: SyntaxProblem) -> Diagnostic:
    """A syntax problem of the first floor as a diagnostic."""
    return Diagnostic(problem.code, "error", problem.message, problem.span, problem.label, problem.help)


def in_order(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics by place, each once; the first of very many."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=lambda d: (d.span, d.code, d.message))[:MAX_FINDINGS])


def finding_to_json(finding: Diagnostic) -> dict[str, Any]:
    """A finding as JSON, the same wherever there is one. Lines and columns count from 1, the end is exclusive."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "label": finding.label,
        "help": finding.help,
        **_place(finding.span),
        "related": [{**_place(span), "label": label} for span, label in finding.related],
    }


def _place(span: Span) -> dict[str, Any]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def render(diagnostic: Diagnostic, sources: Mapping[str, str]) -> str:
    """The diagnostic as text: headline, place, the source line with the span marked, help.

    Without the source of the file (`sources` has no such name) only the headline, place and help are shown.
    """
    gutter = " " * len(str(max([diagnostic.span.line, *(span.line for span, _ in diagnostic.related)])))
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {_short(diagnostic.message)}"]
    lines += _excerpt(diagnostic.span, diagnostic.label, sources, gutter, "^", "-->")
    for span, label in diagnostic.related:
        lines += _excerpt(span, label, sources, gutter, "-", ":::")
    if diagnostic.help:
        lines.append(f"{gutter} = help: {_short(diagnostic.help)}")
    return "\n".join(lines)


def _excerpt(span: Span, label: str, sources: Mapping[str, str], gutter: str, mark: str, arrow: str) -> list[str]:
    if span.line == 0:
        return []
    lines = [f"{gutter}{arrow} {span.place}"]
    text = sources.get(span.file)
    source = _lines(text) if text is not None else []
    if not 0 < span.line <= len(source):
        return lines
    line = source[span.line - 1].rstrip("\r")
    end = min(span.end_column if span.end_line == span.line else len(line) + 1, len(line) + 1)
    column = span.column
    if len(line) > MAX_LINE:
        line, column, end = _window(line, column, end)
    # A tab in front of the mark is repeated, so that the mark stands under its text.
    indent = "".join("\t" if character == "\t" else " " for character in line[: column - 1]).ljust(column - 1)
    return [
        *lines,
        f"{gutter} |",
        f"{span.line:>{len(gutter)}} | {line}",
        f"{gutter} | {indent}{mark * max(1, end - column)} {_short(label)}".rstrip(),
    ]


def _window(line: str, column: int, end: int) -> tuple[str, int, int]:
    """The part of a long line around the mark, and where the mark starts and ends in it."""
    start = max(0, min(column - 1 - MAX_LINE // 3, len(line) - MAX_LINE))
    shown = ("…" if start else "") + line[start : start + MAX_LINE] + ("…" if start + MAX_LINE < len(line) else "")
    shift = start - (1 if start else 0)
    return shown, column - shift, min(end - shift, len(shown) + 1)


def _short(text: str) -> str:
    text = _LONG_QUOTE.sub(_shortened, text)
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"


def _shortened(quoted: re.Match[str]) -> str:
    """A long quote by its start and its end: of a path the end tells most."""
    mark, text = quoted.groups()
    half = MAX_QUOTE // 2
    return f"{mark}{text[:half]}…{text[-half:]}{mark}"


@lru_cache(maxsize=4)
def _lines(text: str) -> list[str]:
    return text.split("\n")
