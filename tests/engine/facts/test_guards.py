"""The guards: rows that no rule can release. Every one with the policy that releases everything."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.facts.facts import subject_of
from seatwarden.engine.facts.guards import RowState, UserState, guard_for, row_state_of, row_states_of
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from tests.engine.support import checked, day_of, decide, license_row, site_of, snapshot_of, user
from tests.strategies import sites

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
            "undetermined: held by nobody: its user ADMIN\\jdoe was deleted, and it is not in quarantine",
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


@pytest.mark.parametrize("license_type", LICENSE_TYPES)
def test_rows_that_are_listed_twice_are_of_one_type(license_type: LicenseType) -> None:
    """All rows of that id are kept, and no others: not another one of the type, not the same id of the other type."""
    site = site_of([user(1), user(2)], [license_row(1)], [license_row(1)])
    site["licenses"][license_type] += [license_row(2), license_row(2, id="l1")]
    decisions = decide(RELEASE_ALL, site)
    kept = [(d.license_type, d.license_id) for d in decisions if d.guard == "undetermined"]
    assert kept == [(license_type, "l1")] * 2
    assert all(d.reason.endswith("this license is listed more than once") for d in decisions if d.guard)
    assert [d.license_id for d in decisions if d.verdict == "release" and d.license_type == license_type] == ["l2"]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ("1753-01-01T00:00:00.000Z", ""),
        ("1899-12-31T23:59:59.999Z", ""),
        ("1900-01-01T00:00:00.000Z", " until 1900-01-01"),
        ("2026-11-20T10:00:00Z", " until 2026-11-20"),
        ("2026-11-21T10:00:00Z", " until 2026-11-21"),
        (None, ""),
        (5, ""),
    ],
)
def test_the_end_of_a_quarantine(end: object, words: str) -> None:
    """It is told, and decides nothing: only QRS ends a quarantine, also one whose end is over."""
    (decision,) = decide(RELEASE_ALL, site_of([user(1)], [license_row(1, quarantined=True, quarantineEnd=end)]))
    assert (decision.verdict, decision.guard) == ("keep", "quarantined")
    assert decision.reason == f"in quarantine{words}: Qlik Sense has taken this license back already"
    assert decision.row_state.quarantine_end == (end if isinstance(end, str) else None)
    (free,) = decide(RELEASE_ALL, site_of([user(1)], [license_row(1, quarantineEnd=end)]))
    assert free.verdict == "release"
    assert free.row_state.quarantine_end == (end if isinstance(end, str) else None)


def test_the_state_of_a_row() -> None:
    gone = {"deletedUserId": "jdoe"}
    site = site_of(
        [user(1)], [license_row(1), license_row(1, id="l2", **gone), license_row(9), license_row(3, user=None)]
    )
    states = [decision.row_state for decision in decide(RELEASE_ALL, site)]
    assert [state.user for state in states] == ["known", "known", "unlisted", "none"]
    assert [state.deleted_user for state in states] == [None, "?\\jdoe", None, None]
    assert [state.quarantined for state in states] == [False] * 4
    assert all(state.listed_once for state in states)


def test_ordinary_rows_share_one_state() -> None:
    """A site has very many of them. One that names a deleted user is none, whatever else it says."""
    ends = {"quarantineEnd": "1753-01-01T00:00:00.000Z"}
    rows = [license_row(1, **ends), license_row(1, id="l2", **ends), license_row(1, id="l3", deletedUserId="x", **ends)]
    snapshot = snapshot_of(site_of([user(1)], rows))
    subjects = [subject_of(snapshot, "analyzer", row, day_of(checked(""))) for row in snapshot.licenses["analyzer"]]
    for states in (row_states_of(subjects), list(map(row_state_of, subjects))):
        assert states[0] is states[1]
        assert [state.deleted_user for state in states] == [None, None, "?\\x"]
    assert row_states_of(subjects)[0] is row_state_of(subjects[0])


@given(sites(), st.sampled_from(["as it is", "a user twice", "a license twice"]))
def test_rows_told_together_are_told_as_one_by_one(site: dict[str, Any], how: str) -> None:
    analyzer = [*site["licenses"].get("analyzer", []), license_row(1), license_row(2)]
    site = site | {"users": [*site["users"], user(1)], "licenses": site["licenses"] | {"analyzer": analyzer}}
    if how == "a user twice":
        site["users"].append(user(1))
    if how == "a license twice":
        site["licenses"]["analyzer"].append(license_row(1))
    snapshot = snapshot_of(site)
    for license_type, rows in snapshot.licenses.items():
        subjects = [subject_of(snapshot, license_type, row, day_of(checked(RELEASE_ALL))) for row in rows]
        assert row_states_of(subjects) == list(map(row_state_of, subjects))
        assert row_states_of([]) == []


def test_plans_of_before_keep_their_words() -> None:
    """They have deleted users as `none`: decided again, they must not differ from their record."""
    before = RowState(False, None, "none", "ACME\\gone", True)
    assert guard_for(before) == ("undetermined", "undetermined: the license has no user (deleted user ACME\\gone)")


@pytest.mark.parametrize("state", get_args(UserState))
def test_only_a_user_who_is_known_leaves_it_to_the_rules(state: UserState) -> None:
    found = guard_for(RowState(False, None, state, None, True))
    assert (found is None) is (state == "known")
    assert found is None or found[0] == "undetermined"


def test_a_user_who_cannot_be_read_is_told() -> None:
    (decision,) = decide(RELEASE_ALL, site_of([user(1, userId=5)], [license_row(1)]))
    assert (decision.verdict, decision.reason) == (
        "keep",
        "undetermined: the user of this license has no readable id or directory",
    )
