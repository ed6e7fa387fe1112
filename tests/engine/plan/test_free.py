"""How many licenses are free now and after the run, held against the licenses that the plan takes one by one."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.plan.free import FreeSeats, free_seats, freed
from seatwarden.engine.plan.limits import frees_at_once
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.plan.summary_text import summary_lines
from tests.engine.support import license_row, plan_of, site_of, user
from tests.strategies import NOW


def _plan(days: list[int], most: int, overview: dict[str, Any]) -> Plan:
    """A plan for licenses that were used so many days ago."""
    rows = [license_row(n, format_instant(NOW - timedelta(days=ago))) for n, ago in enumerate(days, 1)]
    site = site_of([user(n) for n in range(1, len(days) + 1)], rows)
    policy = "release analyzer when license.excess = false regardless of use\n"
    policy += f"limit release to {most} per run, longest unused first\n"
    return plan_of(policy, {**site, "accessTypeOverview": {"analyzerAccess": {"enabled": True, **overview}}})


def _free(plan: Plan) -> list[FreeSeats]:
    return free_seats(plan.run()["overview"], plan.summary()["byType"], plan.decisions)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=8), st.integers(1, 9), st.sampled_from([0, 0, 1, 3]))
def test_after_the_run_as_many_are_free_as_it_frees(days: list[int], most: int, excess: int) -> None:
    plan = _plan(days, most, {"total": 50, "available": 7, "excess": excess})
    (found,) = _free(plan)
    taken = {decision.key for decision in plan.chosen}
    after = freed(plan.snapshot.overview, plan.decisions, taken)["analyzer"].available
    assert (found.now, found.after_this_run) == (7, after)
    assert found.after_this_run + found.in_quarantine == 7 + max(0, len(plan.chosen) - excess)
    if not excess:
        assert found.in_quarantine == sum(not frees_at_once(decision) for decision in plan.chosen)


@pytest.mark.parametrize(
    ("days", "most", "words"),
    [
        ([30, 30, 30], 2, "7 of 50 free, 9 after this run"),
        ([30, 3], 2, "7 of 50 free, 8 after this run, 1 more after their quarantine"),
        ([2], 2, "7 of 50 free, 1 more after their quarantine"),
    ],
)
def test_it_stands_in_the_plan_in_numbers(days: list[int], most: int, words: str) -> None:
    lines = summary_lines(_plan(days, most, {"total": 50, "available": 7}))
    assert f"  analyzer      {words}" in lines
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("overview", [{"total": 50}, {"available": "7"}, {"enabled": False, "available": 7}])
def test_what_qrs_does_not_say_is_not_said(overview: dict[str, Any]) -> None:
    plan = _plan([30], 2, overview)
    assert _free(plan) == []
    assert not [line for line in summary_lines(plan) if "free" in line]
