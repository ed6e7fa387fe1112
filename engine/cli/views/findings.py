"""The findings of lint for machines: JSON, and GitHub's workflow commands."""

from dataclasses import dataclass, field
from typing import Any

from seatwarden.engine.cli.terminal.output import say
from seatwarden.engine.common.text import printable
from seatwarden.policy.diagnostics import Diagnostic, finding_to_json
from seatwarden.policy.lint.allow import Allowed


@dataclass
class LintReport:
    """All findings of one run, file by file, and the text of the files."""

    findings: list[Diagnostic] = field(default_factory=list)
    allowed: list[Allowed] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """The number of findings that are errors."""
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def warnings(self) -> int:
        """The number of findings that are warnings."""
        return len(self.findings) - self.errors


def report_to_json(report: LintReport) -> dict[str, Any]:
    """The report as `lint --format json` prints it. Lines and columns count from 1, the end is exclusive."""
    return {
        "findings": [finding_to_json(finding) for finding in report.findings],
        "allowed": [{**finding_to_json(allowed.finding), "reason": allowed.reason} for allowed in report.allowed],
        "summary": {
            "files": len(report.sources),
            "errors": report.errors,
            "warnings": report.warnings,
            "allowed": len(report.allowed),
        },
    }


def print_github(report: LintReport) -> None:
    """Prints findings as annotations of a GitHub Actions run."""
    for finding in report.findings:
        say(github_command(finding))


def github_command(finding: Diagnostic) -> str:
    """One finding as a workflow command; GitHub shows it at its line of the changed file."""
    span = finding.span
    properties = {
        "file": span.file.replace("\\", "/"),
        "line": span.line,
        "endLine": span.end_line,
        "col": span.column,
        "endColumn": span.end_column,
        "title": finding.code,
    }
    if span.line == span.end_line:
        del properties["endLine"]
    else:  # GitHub knows columns within one line only
        del properties["col"], properties["endColumn"]
    places = [f"{other.place}: {label}" for other, label in finding.related]
    text = "\n".join([_headline(finding), *places, *([f"help: {finding.help}"] if finding.help else [])])
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{finding.severity} {listed}::{_data(text)}"


def _headline(finding: Diagnostic) -> str:
    return f"{finding.message}: {finding.label}" if finding.label else finding.message


def _data(text: str) -> str:
    lines = "\n".join(printable(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
