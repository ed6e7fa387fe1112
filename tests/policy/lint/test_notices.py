"""Notices that cannot keep what they promise."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given

from seatwarden.engine.decide.reference import evaluate_rule
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.printer import print_policy
from seatwarden.grammar.spans import Span
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import check_text
from seatwarden.policy.worlds.calendar import calendar_of, holds_on
from seatwarden.policy.worlds.policies import rule_formula
from tests.engine.support import checked
from tests.policy.lint.support import TODAY, lint_text
from tests.profiles import examples
from tests.strategies import policies
from tests.world_strategies import KnownFacts, known_facts

CODES = ("SW328", "SW329", "SW330", "SW331", "SW332", "SW333")


def _found(text: str, file: str = "test.policy") -> list[str]:
    return [finding.code for finding in lint_text(text, file=file).findings]


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        ("unused for 30 days after notice of 14 days, reminder 3 days before", []),
        ("unused for 30 days after notice of 14 days, reminder 13 days before", []),
        ("unused for 30 days after notice of 2 weeks, reminder 14 days before", ["SW329"]),
        ("unused for 30 days after notice of 14 days, reminder 3 weeks before", ["SW329"]),
        ("unused for 30 days after notice of 0 days", ["SW330"]),
        ("unused for 30 days after notice of 0 weeks, reminder 3 days before", ["SW330"]),
        ("unused for 14 days after notice of 14 days", []),
        ("unused for 14 days after notice of 15 days", ["SW331"]),
        ("unused for 30 days and user unused for 14 days after notice of 15 days", []),
        (
            "(user.blocked and unused for 10 days) or (user.inactive and unused for 14 days) after notice of 15 days",
            ["SW331"],
        ),
        ('user.licenses = "professional" regardless of use after notice of 14 days', ["SW328"]),
        ("unused for 30 days regardless of use after notice of 14 days", ["SW326"]),
        ("user.inactive and not user.inactive regardless of use after notice of 14 days", ["SW301"]),
    ],
)
def test_what_a_notice_says_of_itself(rule: str, found: list[str]) -> None:
    assert _found(f"release when {rule}") == found


def test_names_of_lengths_are_what_they_stand_for() -> None:
    text = "let n = 3 weeks\nrelease when unused for 14 days after notice of n, reminder n before"
    assert sorted(_found(text)) == ["SW329", "SW331"]


NOTICE = " after notice of 14 days"
HALF = "release when unused for 30 days and"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"release when unused for 60 days{NOTICE}\nrelease when unused for 30 days", ["SW332"]),
        (f"release when unused for 30 days{NOTICE}\nrelease when unused for 60 days", []),
        (f"release when unused for 60 days{NOTICE}\nrelease analyzer when unused for 30 days", []),
        (f"release analyzer when unused for 60 days{NOTICE}\nrelease when unused for 30 days", ["SW332"]),
        # Two rules together, and one beside what is kept.
        (
            f"release when unused for 60 days{NOTICE}\n{HALF} user.inactive\n{HALF} not user.inactive",
            ["SW332"],
        ),
        (
            f'keep when user.tags = "a"\nrelease when unused for 60 days{NOTICE}\n{HALF} user.tags != "a"',
            ["SW332"],
        ),
        # All of it is kept: that is said, and who is told is no question.
        (f"keep when unused for 9 days\nrelease when unused for 60 days{NOTICE}\nrelease when never used", ["SW308"]),
        # Rules that differ only in the notice are two rules.
        (f"release when unused for 30 days{NOTICE}\nrelease when unused for 30 days after notice of 15 days", []),
        (
            f"release when unused for 30 days{NOTICE}\nrelease when unused for 30 days after notice of 2 weeks",
            ["SW305"],
        ),
        (
            f"release when unused for 30 days{NOTICE}\nrelease when unused for 20 days after notice of 2 weeks",
            ["SW306"],
        ),
        (f"release when unused for 60 days\nrelease when unused for 30 days{NOTICE}", []),
    ],
)
def test_a_notice_beside_other_rules(text: str, found: list[str]) -> None:
    assert [code for code in _found(text) if code in (*CODES, "SW305", "SW306", "SW308")] == found


@pytest.mark.parametrize(
    ("calendar", "days", "found"),
    [
        ("today <= 2026-12-01", 14, True),
        ("today <= 2026-12-01", 10, False),  # who is told today is released on the last day
        ("today <= 2026-12-01", 11, True),
        ("today <= 2026-11-20", 14, False),  # it is over: nobody is told at all
        ("today >= 2026-12-01", 14, False),
        ("today from 12-15 to 01-10", 14, False),
        ("today from 12-15 to 12-20", 14, True),
        ("today from 12-15 to 12-20", 5, False),
        ("today from 12-15 to 12-20", 6, True),
        ("today from 2026-12-15 to 2026-12-20", 14, True),
        ("not today from 12-15 to 12-20", 14, False),
        ("(today from 12-15 to 12-20 or user.inactive)", 14, False),
        ('weekday = "monday"', 14, False),
        ("month = 12", 30, False),
        ("month = 12", 31, True),
        ("month = [11, 12, 1]", 30, False),
        ("today = [2026-12-01, 2027-01-15]", 14, False),  # 45 days later, 31 behind the notice
        ("today = [2026-12-01, 2027-01-16]", 14, True),
        ("user.createdDate < today - 90 days", 14, False),
    ],
)
def test_a_calendar_that_leaves_no_day(calendar: str, days: int, found: bool) -> None:
    text = f"release when unused for 60 days and {calendar} after notice of {days} days"
    assert ("SW333" in _found(text)) is found


def test_a_notice_to_the_end_of_all_calendars() -> None:
    text = "release when unused for 60 days and today <= 2026-12-01 after notice of 36500 days"
    policy = check_text(text, "test.policy")
    assert "SW333" in [finding.code for finding in lint(policy, TODAY).findings]
    lint(policy, date(9999, 12, 30))


def test_in_yaml_the_keys_are_marked_and_a_comment_allows_there() -> None:
    text = (
        "licenseType:\n  analyzer:\n    enable: true\n    releaseThresholdDays: 10\n"
        "    notice:\n      days: 14\n      reminderDays: 20\n"
    )
    assert [(code, span.line, span.column) for code, span in _in_yaml(text)] == [("SW331", 6, 13), ("SW329", 7, 21)]
    allowed = text.replace("20\n", "20  # seatwarden: allow SW329 agreed with the council\n")
    assert [code for code, _ in _in_yaml(allowed)] == ["SW331"]


def _in_yaml(text: str) -> list[tuple[str, Span]]:
    policy = replace(checked(parse_butler(text, "p.yaml")), file="p.yaml", source=text)
    return [(finding.code, finding.span) for finding in lint(policy, TODAY).findings]


@examples(60)
@given(policies(), known_facts())
def test_a_rule_matches_on_no_day_that_its_calendar_leaves_out(tree: Policy, facts: KnownFacts) -> None:
    policy = check_text(print_policy(tree), "test.policy")
    (today,) = facts.values["today"]  # type: ignore[misc]
    assert isinstance(today, date)
    for rule in policy.rules:
        calendar = calendar_of(rule_formula(rule.but(license_types=()), policy.names))
        assert holds_on(calendar, today) or evaluate_rule(rule, facts, policy.names, today).truth is not True
