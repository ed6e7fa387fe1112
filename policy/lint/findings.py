"""The parts of a lint finding."""

from seatwarden.grammar.ast import Rule
from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.loading import YAML_SUFFIXES, CheckedPolicy


def warning(
    code: str,
    message: str,
    span: Span,
    label: str,
    help: str | None = None,
    related: tuple[tuple[Span, str], ...] = (),
) -> Diagnostic:
    """A finding of lint: the policy can be used, and should be looked at."""
    return Diagnostic(code, "warning", message, span, label, help, related)


def is_yaml(policy: CheckedPolicy) -> bool:
    """Whether the policy is written as Butler's YAML, where comparison is exact and rules have fixed names."""
    return policy.file.lower().endswith(YAML_SUFFIXES)


def head(rule: Rule) -> Span:
    """The place of a rule without its condition: `keep "tag"`; from YAML, the key or the list item."""
    whole, condition = rule.span, rule.condition.span
    end = condition.column - len(" when ")
    if (condition.file, condition.line) == (whole.file, whole.line) and end > whole.column:
        return Span(whole.file, whole.line, whole.column, whole.line, end)
    return whole
