"""The findings of lint as SARIF 2.1.0, the OASIS standard that code scanning services read."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from seatwarden.engine.cli.views.findings import LintReport
from seatwarden.engine.version import VERSION
from seatwarden.grammar.spans import Span
from seatwarden.policy.code_pages import page_of
from seatwarden.policy.codes import CODES
from seatwarden.policy.diagnostics import Diagnostic

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def report_to_sarif(report: LintReport) -> dict[str, Any]:
    """The whole run as one SARIF log; allowed findings are in it, marked as suppressed in the source."""
    results = [_result(finding) for finding in report.findings]
    for allowed in report.allowed:
        suppression = {"kind": "inSource", "justification": allowed.reason}
        results.append({**_result(allowed.finding), "suppressions": [suppression]})
    codes = sorted({result["ruleId"] for result in results})
    for result in results:
        result["ruleIndex"] = codes.index(result["ruleId"])
    driver = {"name": "seatwarden", "version": VERSION, "rules": [_rule(code) for code in codes]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, Any]:
    page = page_of(code)
    return {
        "id": code,
        "shortDescription": {"text": CODES[code].title},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": CODES[code].severity},
    }


def _result(finding: Diagnostic) -> dict[str, Any]:
    text = finding.message + (f": {finding.label}" if finding.label else "")
    if finding.help:
        text += f" ({finding.help})"
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.severity,
        "message": {"text": text},
        "locations": [_location(finding.span)],
    }
    if finding.related:
        result["relatedLocations"] = [
            {**_location(span), "id": number, "message": {"text": label}}
            for number, (span, label) in enumerate(finding.related, start=1)
        ]
    return result


def _location(span: Span) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(span.file)}}
    if span.line > 0:
        place["region"] = {
            "startLine": span.line,
            "startColumn": span.column,
            "endLine": span.end_line,
            "endColumn": span.end_column,
        }
    return {"physicalLocation": place}


def _uri(file: str) -> str:
    """A file as URI reference: relative where it was named so, to be found from the repository's root."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
