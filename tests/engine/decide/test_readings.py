"""Dates and numbers in texts: `date(user.@ContractEnd)`, `number(user.@KeepDays)`."""

from datetime import date
from typing import Any

import pytest

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.policy.operators import read_text
from tests.engine.support import decide, license_row, site_of, user

USED = "2026-08-01T08:00:00Z"
"""112 days before the day of the decision, 21 November 2026."""


def _of(policy: str, *texts: str, key: str = "End", **facts: Any) -> Decision:
    rows = [{"value": text, "definition": {"name": key}} for text in texts]
    (decision,) = decide(policy, site_of([user(customProperties=rows, **facts)], [license_row(1, USED)]))
    return decision


@pytest.mark.parametrize(
    ("kind", "text", "read"),
    [
        ("date", "2026-12-31", date(2026, 12, 31)),
        ("date", " 2026-12-31\t", date(2026, 12, 31)),
        ("date", "1900-01-01", date(1900, 1, 1)),
        ("date", "1899-12-31", None),
        ("date", "2026-02-30", None),
        ("date", "31.12.2026", None),
        ("date", "2026-12-31T00:00:00Z", None),
        ("date", "２０２６-12-31", None),
        ("date", "", None),
        ("number", "007", 7),
        ("number", " 999999999 ", 999_999_999),
        ("number", "1000000000", None),
        ("number", "-1", None),
        ("number", "1.5", None),
        ("number", "１", None),
    ],
)
def test_what_a_text_says(kind: str, text: str, read: date | int | None) -> None:
    assert read_text(kind, text) == read


KEPT = 'keep "contract" when date(user.@End) >= today\nrelease when unused for 30 days'


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        (["2026-11-21"], "keep"),
        (["2026-11-20"], "release"),
        ([], "release"),
        (["2026-11-20", "2027-01-01"], "keep"),
    ],
)
def test_any_of_several_dates(texts: list[str], verdict: str) -> None:
    decision = _of(KEPT, *texts)
    assert (decision.verdict, decision.facts["user.@End"]) == (verdict, tuple(texts))


@pytest.mark.parametrize("operator", ["<", ">=", "=", "!="])
@pytest.mark.parametrize("texts", [["soon"], ["2026-01-01", "soon"], ["2027-01-01", ""]])
def test_one_text_that_says_no_date_makes_all_unknown(operator: str, texts: list[str]) -> None:
    for condition in (f"date(user.@End) {operator} today", f"not date(user.@End) {operator} today"):
        assert _of(f"release when {condition}", *texts).verdict == "keep"
        decision = _of(f"keep when {condition}\nrelease when unused for 30 days", *texts)
        assert decision.because == "guard"
        assert decision.reason.startswith("undetermined: `user.@End` is no date: `")


def test_a_threshold_of_ones_own() -> None:
    policy = "release when license.unusedDays > number(user.@Keep)"
    assert _of(policy, "111", key="Keep").verdict == "release"
    assert _of(policy, "112", key="Keep").verdict == "keep"
    assert _of(policy, key="Keep").verdict == "keep"
    assert _of(policy, "a lot", key="Keep").verdict == "keep"


def test_dates_that_are_read_are_moved_and_compared_with_each_other() -> None:
    policy = "keep when date(user.@End) + 30 days >= today\nrelease when unused for 30 days"
    assert _of(policy, "2026-10-22").verdict == "keep"
    assert _of(policy, "2026-10-21").verdict == "release"
    assert _of("release when date(user.@End) > user.createdDate", "2026-10-21").verdict == "release"
    assert _of("release when date(user.@End) = date(user.@End)", "2026-10-21").verdict == "release"


def test_what_is_unknown_stays_so() -> None:
    site = site_of([user()], [license_row(1, USED)])
    del site["users"][0]["customProperties"]
    (decision,) = decide(KEPT, site)
    assert decision.because == "guard"
    assert isinstance(decision.facts["user.@End"], Unknown)
