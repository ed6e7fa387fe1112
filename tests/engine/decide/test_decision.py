"""Decisions as readers see them: labels, users, and the order in which they are listed."""

from typing import Any

import pytest
from msgspec import structs

from seatwarden.engine.decide.decision import (
    Because,
    Decision,
    Verdict,
    deciding_kinds,
    listing_order,
    reason_label,
    user_of,
)
from tests.engine.support import decide, license_row, site_of, user

POLICY = 'keep "tag" when user.tags = "vip"\nkeep when user.inactive\nrelease analyzer when unused for 30 days'


def _decided(*rows: dict[str, Any], professional: list[dict[str, Any]] | None = None) -> list[Decision]:
    users = [user(1), user(2, tags=[{"name": "vip"}]), user(3, inactive=True), user(4, userDirectory="AAA")]
    return decide(POLICY, site_of(users, list(rows), professional))


OLD, OLDER, NEW = "2026-10-01T00:00:00Z", "2026-09-01T00:00:00Z", "2026-11-20T00:00:00Z"


def test_labels() -> None:
    rows = (license_row(1, OLD), license_row(2), license_row(3), license_row(9), license_row(1, NEW, id="l4"))
    quarantined = license_row(1, id="l5", quarantined=True)
    found = _decided(*rows, quarantined)
    assert [reason_label(decision) for decision in found] == [
        "release analyzer",
        'keep "tag"',
        "keep",
        "undetermined",
        "no release rule matched",
        "quarantined",
    ]
    assert [decision.rule_name for decision in found] == [None, "tag", None, "undetermined", None, "quarantined"]
    labels = [decision.rule.label if decision.rule else None for decision in found]
    assert [decision.decided_by for decision in found] == [*labels[:3], "undetermined", None, "quarantined"]
    assert [decision.key for decision in found[:2]] == [("analyzer", "l1"), ("analyzer", "l2")]


@pytest.mark.parametrize(
    ("verdict", "because", "kinds"),
    [
        ("keep", "keep", ("keep",)),
        ("keep", "guard", ()),
        ("keep", "default", ()),
        ("keep", "hold", ("downgrade", "release")),
        ("keep", "notice", ("downgrade", "release")),
        ("keep", "downgrade", ("downgrade", "release")),
        ("downgrade", "downgrade", ("downgrade",)),
        ("release", "release", ("release",)),
    ],
)
def test_the_rules_that_can_decide(verdict: Verdict, because: Because, kinds: tuple[str, ...]) -> None:
    assert deciding_kinds(verdict, because) == kinds


@pytest.mark.parametrize(
    ("directory", "user_id", "shown"),
    [("A", "b", "A\\b"), (None, "b", "?\\b"), ("", "b", "?\\b"), ("A", None, "(no user)"), (None, None, "(no user)")],
)
def test_users(directory: str | None, user_id: str | None, shown: str) -> None:
    assert user_of(directory, user_id) == shown


def test_people_read_the_name_too() -> None:
    (decision,) = _decided(license_row(1, OLD))
    assert structs.replace(decision, user_name="Ann").label == f"{decision.user} (Ann)"
    assert structs.replace(decision, user_name=None).label == decision.user


def test_releases_come_first_and_the_longest_unused_before_others() -> None:
    """Then what a guard kept, what no rule releases, what is protected; then by user and type."""
    rows = [
        license_row(2, OLD, id="protected"),
        license_row(1, NEW, id="not due"),
        license_row(9, OLD, id="guarded"),
        license_row(1, OLD, id="idle"),
        license_row(1, OLDER, id="idle longer"),
        license_row(4, OLD, id="idle, another user"),
        license_row(9, "x", id="guarded, unknown"),
    ]
    found = sorted(_decided(*rows, professional=[license_row(1, NEW, id="not due, too")]), key=listing_order)
    assert [decision.license_id for decision in found] == [
        "idle longer",
        "idle, another user",
        "idle",
        "guarded",
        "guarded, unknown",
        "not due",
        "not due, too",
        "protected",
    ]


@pytest.mark.parametrize(
    ("condition", "needed"),
    [
        ("user.inactive", "`user.inactive` is missing or unreadable"),
        ("not user.inactive", "`user.inactive` is missing or unreadable"),
        ("user.blocked or (user.inactive or user.roles = 'x')", "`user.inactive` is missing or unreadable"),
        ("not user.blocked and user.roles = 'x'", "`user.roles` is missing or unreadable"),
    ],
)
def test_the_fact_that_a_rule_needs(condition: str, needed: str) -> None:
    (decision,) = decide(
        f'keep "k" when {condition}\nrelease when true', site_of([user(1, inactive=5, roles=5)], [license_row(1)])
    )
    assert decision.reason == f'undetermined: {needed}, needed by keep "k"'


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ("", "no release rule speaks of analyzer licenses"),
        ("release when unused for 90 days", "no release rule matches: last used 2026-11-20, 1 day ago; 90 needed"),
        (
            "release when unused for 90 days\nrelease when user.inactive and unused for 60 days",
            "no release rule matches: last used 2026-11-20, 1 day ago; 60 needed",
        ),
        ("release when user.inactive\nrelease when user.blocked", "no release rule matches"),
        (
            "release when user.inactive and unused for 0 days",
            "no release rule matches: user.inactive is false",
        ),
        (
            "release when user.inactive or user.blocked",
            "no release rule matches: user.inactive is false and user.blocked is false",
        ),
    ],
)
def test_why_nothing_matched(rules: str, reason: str) -> None:
    (decision,) = decide(rules, site_of([user(1)], [license_row(1, NEW)]))
    assert (decision.because, decision.reason) == ("default", reason)
