"""The guards: rows that no rule can release. Every one with the policy that releases everything."""

from typing import Any

import pytest

from tests.engine.support import decide, license_row, site_of, user

RELEASE_ALL = "release when true"
NO_USER = {key: value for key, value in license_row(1).items() if key != "user"}
UNSURE = {key: value for key, value in license_row(1).items() if key != "quarantined"}


@pytest.mark.parametrize(
    ("users", "rows", "guard", "reason"),
    [
        ([user(1)], [license_row(1)], None, "release: true"),
        (
            [user(1)],
            [license_row(1, quarantined=True, quarantineEnd="2026-11-25T10:00:00Z")],
            "quarantined",
            "in quarantine until 2026-11-25: Qlik Sense has taken this license back already",
        ),
        (
            [user(1)],
            [license_row(1, quarantined=True, quarantineEnd="1753-01-01T00:00:00.000Z")],
            "quarantined",
            "in quarantine: Qlik Sense has taken this license back already",
        ),
        (
            [],
            [license_row(1, user=None, quarantined=True, deletedUserId="jdoe", deletedUserDirectory="ADMIN")],
            "quarantined",
            "in quarantine: Qlik Sense has taken this license back already",
        ),
        ([user(1)], [UNSURE], "undetermined", "undetermined: `license.quarantined` is missing or unreadable"),
        (
            [user(1)],
            [license_row(1, quarantined="no")],
            "undetermined",
            "undetermined: `license.quarantined` is missing or unreadable",
        ),
        ([user(1)], [NO_USER], "undetermined", "undetermined: the license has no user"),
        (
            [user(1)],
            [license_row(1, user=None, deletedUserId="jdoe", deletedUserDirectory="ADMIN")],
            "undetermined",
            "undetermined: the license has no user (deleted user ADMIN\\jdoe)",
        ),
        (
            [user(2)],
            [license_row(1)],
            "undetermined",
            "undetermined: the user of this license is not among the site's users",
        ),
        (
            [user(1), user(2), user(1)],
            [license_row(1)],
            "undetermined",
            "undetermined: the site's users list this user more than once",
        ),
        (
            [user(1), user(2)],
            [license_row(1), license_row(2, id="l1")],
            "undetermined",
            "undetermined: this license is listed more than once",
        ),
    ],
)
def test_guards(users: list[dict[str, Any]], rows: list[dict[str, Any]], guard: str | None, reason: str) -> None:
    decision = decide(RELEASE_ALL, site_of(users, rows))[0]
    assert (decision.guard, decision.reason) == (guard, reason)
    assert decision.verdict == ("keep" if guard else "release")
    keep = decide('keep "x" when true', site_of(users, rows))[0]
    assert keep.guard == guard
    assert keep.rule_name == (guard or "x")
    assert [rule.name for rule in keep.matched] == ["x"]  # reported although the guard decides


def test_the_same_id_among_the_other_type_is_another_license() -> None:
    site = site_of([user(1)], [license_row(1)], [license_row(1)])
    assert [d.verdict for d in decide(RELEASE_ALL, site)] == ["release", "release"]
