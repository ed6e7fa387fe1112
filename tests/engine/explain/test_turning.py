"""The reason of a due day is what turned on it, in words, and never something that stayed as it was."""

from typing import Any

import pytest
from hypothesis import given

from seatwarden.engine.explain.explanation import explain
from seatwarden.engine.explain.turning import why_on
from seatwarden.grammar.ast import Policy
from tests.engine.support import license_row, plan_of, site_of, user
from tests.profiles import examples
from tests.strategies import policies, sites

_DISUSE = ("unused", "unusedDays")


def _told(policy: str, last_used: str = "2026-11-01T00:00:00Z", **facts: Any) -> tuple[str, str]:
    """The day, and the reason, of a license that was used 20 days before Saturday, 21 November 2026."""
    plan = plan_of(policy, site_of([user(1, **facts)], [license_row(1, last_used)]))
    explanation = explain(plan.decisions[0], plan.policy, plan.day)
    assert explanation.due is not None
    why = why_on(explanation.due, plan.decisions[0], plan.policy, plan.day)
    when = f", when {why}," if why else ""
    sentence = f"Would be released on {explanation.due}{when} if it stays unused and nothing else changes."
    assert sentence in explanation.advice
    return explanation.due.isoformat(), why


@pytest.mark.parametrize(
    ("policy", "due", "why"),
    [
        ("release when unused for 30 days", "2026-12-01", ""),
        ("release when license.unusedDays > 29", "2026-12-01", ""),
        ("keep when not unused for 30 days release when unused for 10 days", "2026-12-01", ""),
        (
            "keep when month = [11, 12, 1] release when unused for 30 days",
            "2027-02-01",
            "month is no longer 11, 12 or 1",
        ),
        (
            "release when unused for 1 week and month != 11",
            "2026-12-01",
            "month is no longer 11",
        ),
        (
            "release when unused for 30 days and month = 12",
            "2026-12-01",
            "it has been unused for 30 days and month is 12",
        ),
        (
            'release when unused for 1 day and not weekday = ["saturday", "sunday"]',
            "2026-11-23",
            "weekday is no longer saturday or sunday",
        ),
        ('release when unused for 1 day and weekday = "sunday"', "2026-11-22", "weekday is sunday"),
        (
            "let closed = [2026-11-21, 2026-11-22] keep when today = closed release when unused for 1 day",
            "2026-11-23",
            "today is no longer in closed",
        ),
        (
            "keep when month = [11, 12, 1, 2, 3, 4] release when unused for 1 day",
            "2027-05-01",
            "month is 5",
        ),
        (
            "keep when today < 2027-01-07 release when unused for 1 day",
            "2027-01-07",
            "`today < 2027-01-07` holds no longer",
        ),
        ("release when unused for 1 day and today >= 2027-01-07", "2027-01-07", "`today >= 2027-01-07` holds"),
        (
            'keep "a" until 2026-11-30 when not user.inactive release when unused for 1 day',
            "2026-12-01",
            'keep "a" has ended',
        ),
        (
            'keep "a" until 2026-11-30 when not user.inactive keep when month = 11 release when unused for 1 day',
            "2026-12-01",
            'keep "a" has ended and month is no longer 11',
        ),
        ('keep "a" until 2026-11-23 when not user.inactive release when unused for 30 days', "2026-12-01", ""),
        (
            "keep when month = 11 and not user.inactive release when unused for 1 day",
            "2026-12-01",
            "month is no longer 11",
        ),
        ("keep when month = 11 release when month = 12 or unused for 1 day", "2026-12-01", "month is no longer 11"),
    ],
)
def test_the_reason_of_a_day(policy: str, due: str, why: str) -> None:
    assert _told(policy) == (due, why)


def test_one_release_rule_is_enough() -> None:
    policy = 'release when unused for 1 day and month = 12 release when unused for 2 days and weekday = ["tuesday"]'
    assert _told(policy) == ("2026-11-24", "weekday is tuesday")
    assert _told("release when unused for 1 day and month = 12 release when today = 2026-12-01")[1] == "month is 12"


@examples(17)
@given(policies(), sites())
def test_there_is_always_a_reason(policy: Policy, site: dict[str, Any]) -> None:
    plan = plan_of(policy, site)
    for decision in plan.decisions:
        due = explain(decision, plan.policy, plan.day).due
        if due is not None and not plan.policy.gives_notice and not why_on(due, decision, plan.policy, plan.day):
            assert any(word in plan.policy.text for word in _DISUSE)
