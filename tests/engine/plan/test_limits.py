"""The limit: on by default, 0 means none, what the policy says replaces the default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.plan.limits import DEFAULT_COUNT, describe_excess, describe_limits, excesses, limits_in_force
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Limit
from tests.engine.support import checked, license_row, plan_of, site_of, user
from tests.strategies import limits

DEFAULTS = ("10% of professional per run", "10% of analyzer per run", "100 per run")


def _limits(text: str) -> tuple[Limit, ...]:
    return limits_in_force(checked(text).limits)


@pytest.mark.parametrize(
    ("text", "in_force"),
    [
        ("", DEFAULTS),
        ("limit release to 5 per run", ("5 per run",)),
        ("limit release to 50 per run, longest unused first", ("50 per run, longest unused first",)),
        ("limit release to 20% per run", ("20% per run", "100 per run")),
        ("limit release to 20% of analyzer per run", ("20% of analyzer per run", DEFAULTS[0], "100 per run")),
        ("limit release to 7 of analyzer per run", ("7 of analyzer per run", DEFAULTS[0])),
        (
            "limit release to 1% of professional per run\nlimit release to 2 per run",
            ("1% of professional per run", "2 per run"),
        ),
    ],
)
def test_the_policy_replaces_the_defaults_type_by_type(text: str, in_force: tuple[str, ...]) -> None:
    assert tuple(describe_limits(_limits(text))) == in_force


@pytest.mark.parametrize(
    ("text", "allocated", "planned", "over"),
    [
        ("", 100, 10, []),
        ("", 100, 11, [("analyzer", 10)]),
        ("", 109, 11, [("analyzer", 10)]),  # 10.9 licenses are 10
        ("", 9, 1, [("analyzer", 0)]),
        ("", 2000, 100, []),
        ("", 2000, 101, [(None, 100)]),
        ("limit release to 0 per run", 2000, 1, [(None, 0)]),
        ("limit release to 0 per run", 2000, 0, []),
        ("limit release to 0% per run", 2000, 1, [("analyzer", 0)]),
        ("limit release to 100% per run\nlimit release to 5000 per run", 2000, 2000, []),
        ("limit release to 3 of analyzer per run", 2000, 4, [("analyzer", 3)]),
        ("limit release to 3 of professional per run", 2000, 200, []),
    ],
)
def test_over_the_limit(text: str, allocated: int, planned: int, over: list[tuple[LicenseType | None, int]]) -> None:
    if "professional" in text:  # the other type keeps its default
        planned, allocated = 200, 2000
    found = excesses(_limits(text), {"analyzer": allocated}, {"analyzer": planned})
    assert [(excess.license_type, excess.allowed) for excess in found] == over
    assert all(excess.planned == planned for excess in found)


@pytest.mark.parametrize(
    ("text", "planned", "said"),
    [
        ("", 1, "1 analyzer license to release; the limit of 10% of analyzer per run allows 0"),
        ("", 2, "2 analyzer licenses to release; the limit of 10% of analyzer per run allows 0"),
        ("limit release to 0 per run", 1, "1 license to release; the limit of 0 per run allows 0"),
    ],
)
def test_in_words(text: str, planned: int, said: str) -> None:
    (excess,) = excesses(_limits(text), {"analyzer": 9}, {"analyzer": planned})
    assert describe_excess(excess) == said


def test_a_count_is_for_both_types_together_and_a_share_for_each() -> None:
    allocated: dict[LicenseType, int] = {"professional": 1000, "analyzer": 1000}
    planned: dict[LicenseType, int] = {"professional": 60, "analyzer": 60}
    (excess,) = excesses(_limits(""), allocated, planned)
    assert (excess.license_type, excess.allowed, excess.planned) == (None, DEFAULT_COUNT, 120)


@given(st.lists(limits, max_size=3), st.integers(0, 500), st.integers(0, 500))
def test_nothing_to_release_is_never_over(given_limits: list[Limit], professional: int, analyzer: int) -> None:
    in_force = limits_in_force(tuple(given_limits))
    assert excesses(in_force, {"professional": professional, "analyzer": analyzer}, {}) == []


@given(st.lists(limits, max_size=3), st.integers(0, 300))
def test_every_type_is_always_limited(given_limits: list[Limit], more: int) -> None:
    """Whatever the policy says, there is a number of releases that is too many."""
    in_force = limits_in_force(tuple(given_limits))
    for license_type in LICENSE_TYPES:
        assert excesses(in_force, {license_type: 1000}, {license_type: 1001 + more})


def test_a_plan_knows_what_it_is_over() -> None:
    site = site_of([user(1)], [license_row(1)])
    plan = plan_of("release when unused for 30 days", site)
    assert plan.summary()["overLimit"] == [
        "1 analyzer license to release; the limit of 10% of analyzer per run allows 0"
    ]
    assert plan_of("release when unused for 30 days\nlimit release to 1 per run", site).over == []
