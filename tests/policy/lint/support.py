"""Short ways to lint a text."""

from datetime import date

from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.lint.linter import Lint, lint
from seatwarden.policy.loading import check_text

TODAY = date(2026, 11, 21)
RELEASE = "\nrelease analyzer when unused for 30 days\n"


def lint_text(text: str, known: KnownNames | None = None, file: str = "test.policy") -> Lint:
    """Everything lint finds in a policy text."""
    return lint(check_text(text, file), TODAY, known)


def findings(text: str, known: KnownNames | None = None) -> list[Diagnostic]:
    """The findings on some rules; a release rule is added."""
    return list(lint_text(text + RELEASE, known).findings)


def codes(text: str, known: KnownNames | None = None) -> list[str]:
    """The codes of the findings on some rules; a release rule is added."""
    return [finding.code for finding in findings(text, known)]
