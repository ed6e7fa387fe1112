"""Reserves, and limits over time: what the site says about free licenses and earlier runs decides what a run takes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.plan.limits import SiteNumbers, excesses, limits_in_force
from seatwarden.engine.plan.plan import Plan
from seatwarden.grammar.ast import LicenseType, Reserve
from tests.engine.support import checked, license_row, plan_of, site_of, user
from tests.profiles import examples
from tests.strategies import NOW

ALL = "limit release to 100% per run\nlimit release to 1000 per run\nrelease when unused for 1 day\n"
TWO = "2 free analyzer licenses are to be reached"
REACH = "limit release to reach {} free analyzer, longest unused first\n"


def _plan(limits: str, unused: list[int], **seats: int) -> Plan:
    """The plan of a site whose analyzer licenses are unused for so many days; its overview says `seats`."""
    rows = [license_row(1, _ago(days), id=f"a{n}") for n, days in enumerate(unused)]
    site = site_of([user()], rows, [license_row(1, _ago(99), id="p")])
    if seats:
        site["accessTypeOverview"] = {"analyzerAccess": {"enabled": True, **seats}}
    return plan_of(limits + ALL, site)


def _ago(days: int) -> str:
    return f"{NOW.date().fromordinal(NOW.date().toordinal() - days).isoformat()}T00:00:00Z"


def _taken(plan: Plan) -> list[str]:
    return [one.license_id for one in plan.chosen if one.license_type == "analyzer"]


@pytest.mark.parametrize(
    ("seats", "unused", "taken"),
    [
        ({"available": 0}, [40, 90, 60], ["a1", "a2"]),
        ({"available": 1}, [40, 90, 60], ["a1"]),
        ({"available": 2}, [40, 90, 60], []),
        ({"available": 7}, [40, 90, 60], []),
        ({"available": 0, "excess": 1}, [40, 90, 60], ["a1", "a2", "a0"]),
        ({"available": 0}, [40, 6, 7], ["a0", "a2"]),
        ({"available": 0}, [40, 6, 1], ["a0"]),
        ({"total": 9}, [40, 90, 60], []),
        ({}, [40, 90, 60], []),
    ],
)
def test_no_more_than_it_takes(seats: dict[str, int], unused: list[int], taken: list[str]) -> None:
    plan = _plan(REACH.format(2), unused, **seats)
    assert _taken(plan) == taken
    assert (plan.planned["analyzer"], plan.planned["professional"]) == (len(taken), 1)


@pytest.mark.parametrize(
    ("seats", "said"),
    [
        ({"available": 0}, f"{TWO}: 0 are free, 2 are needed, 2 in this run"),
        (
            {"available": 1, "excess": 1},
            f"{TWO}: 1 is free, 1 too many is allocated, 2 are needed, 2 in this run",
        ),
        ({"available": 5}, f"{TWO}: 5 are free, so none is released"),
        ({}, f"{TWO}; how many are free is not known, so none is released"),
    ],
)
def test_it_says_what_is_free_and_needed(seats: dict[str, int], said: str) -> None:
    assert _plan(REACH.format(2), [40, 90, 60], **seats).summary()["reserves"] == [said]


def test_other_limits_are_held_against_what_it_chose() -> None:
    assert not _plan("limit release to 2 of analyzer per run\n" + REACH.format(2), [40, 90, 60], available=0).over
    over = _plan("limit release to 1 of analyzer per run\n" + REACH.format(2), [40, 90, 60], available=0).over
    assert [(one.planned, one.allowed) for one in over] == [(2, 1)]
    first = "limit release to 1 of analyzer per run, longest unused first\n"
    assert _taken(_plan(first + REACH.format(2), [40, 90, 60], available=0)) == ["a1"]


def test_a_reserve_takes_the_place_of_no_default() -> None:
    in_force = limits_in_force(checked(REACH.format(2)).limits)
    assert [isinstance(one, Reserve) for one in in_force] == [True, False, False, False]


@given(st.lists(st.integers(0, 40), max_size=6), st.integers(0, 8), st.integers(0, 5), st.integers(0, 3))
@examples(50)
def test_what_is_free_afterwards(unused: list[int], wanted: int, available: int, excess: int) -> None:
    """As many as are wanted, or all that can be had; never one more than that takes."""
    plan = _plan(REACH.format(wanted), unused, available=available, excess=excess)
    taken = _taken(plan)
    can_be_had = sum(days >= 7 for days in unused)
    needed = max(0, wanted - available + excess)
    assert len(taken) == min(needed, can_be_had)
    days = sorted((unused[int(one[1:])] for one in taken), reverse=True)
    assert days == sorted(unused, reverse=True)[: len(days)]


# Over time ----------------------------------------------------------------------------------------------------

WEEKLY = "limit release to 4 of analyzer per 7 days{}\n"


def _lately(plan: Plan, before: Mapping[int, Any]) -> Plan:
    return replace(plan, lately=before)


@pytest.mark.parametrize(
    ("before", "taken"),
    [({}, 4), ({7: {"analyzer": 1}}, 3), ({7: {"analyzer": 9}}, 0), ({7: {"professional": 9}}, 4), ({7: None}, 0)],
)
def test_earlier_runs_count(before: Mapping[int, Any], taken: int) -> None:
    plan = _plan(WEEKLY.format(", longest unused first"), [90, 80, 70, 60, 50])
    assert len(_taken(_lately(plan, before))) == taken


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({7: {"analyzer": 1}}, "allows 3, 1 was released in the last 7 days"),
        ({7: {"analyzer": 2}}, "allows 2, 2 were released in the last 7 days"),
        ({7: None}, "allows 0, how many were released in the last 7 days is not known"),
    ],
)
def test_a_limit_that_does_not_choose_says_what_was_before(before: Mapping[int, Any], said: str) -> None:
    plan = _lately(_plan(WEEKLY.format(""), [90, 80, 70, 60, 50]), before)
    (sentence,) = plan.summary()["overLimit"]
    assert sentence == f"5 analyzer licenses due; the limit of 4 of analyzer per 7 days {said}"
    assert plan.run()["releasedBefore"] == {"7": before[7]}


def test_a_percentage_without_a_type_is_for_each() -> None:
    limits = limits_in_force(checked("limit release to 10% per 1 week\nlimit release to 99 per run").limits)
    allocated: dict[LicenseType, int] = {"analyzer": 50, "professional": 20}
    numbers = SiteNumbers({}, {7: {"analyzer": 4}})
    found = excesses(limits, allocated, {"analyzer": 2, "professional": 2}, numbers)
    assert [(one.license_type, one.allowed, one.before) for one in found] == [("analyzer", 1, 4)]
