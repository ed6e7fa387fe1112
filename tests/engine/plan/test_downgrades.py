"""The downgrades of a plan: which are made now, and why the others are kept."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.downgrade import REST_DAYS, DowngradeStanding, longest_disuse
from seatwarden.engine.facts.standing import Standing
from seatwarden.engine.plan.plan import make_plan
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.grammar.ast import DOWNGRADED_TO, Policy
from tests.engine.support import checked, day_of, license_row, plan_of, site_of, snapshot_of, user
from tests.strategies import NOW, policies, sites

LONG_AGO = "2026-01-10T08:00:00.000Z"
DOWNGRADE = "downgrade professional when unused for 60 days\nlimit release to 100% per run\n"


def site(people: int = 1, free: int | None = 9, analyzer: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """People who hold a Professional license each, unused for longer the higher their number is."""
    rows = [license_row(n, f"2026-0{max(1, 9 - n)}-10T08:00:00.000Z", id=f"p{n}") for n in range(1, people + 1)]
    found = site_of([user(n) for n in range(1, people + 1)], analyzer, rows)
    if free is not None:
        found["accessTypeOverview"] = {"analyzerAccess": {"enabled": True, "total": 20, "available": free}}
    return found


def kinds(decisions: tuple[Decision, ...]) -> dict[str, tuple[str, str]]:
    """Verdict and reason of each license."""
    return {one.license_id: (one.verdict, one.because) for one in decisions}


MADE, KEPT = ("downgrade", "downgrade"), ("keep", "downgrade")


def test_the_longest_unused_come_first() -> None:
    plan = plan_of(DOWNGRADE, site(4, free=2))
    assert kinds(plan.decisions) == {"p1": KEPT, "p2": KEPT, "p3": MADE, "p4": MADE}
    kept = next(one for one in plan.decisions if one.license_id == "p1")
    assert kept.reason == "due; no analyzer license is free for it (2 are free, 2 of them given in this plan)"


def test_what_the_same_plan_releases_is_not_free_yet() -> None:
    policy = f"{DOWNGRADE}release analyzer when unused for 90 days"
    people = site(1, free=0, analyzer=[license_row(2, LONG_AGO)])
    people["users"].append(user(2))
    assert kinds(plan_of(policy, people).decisions) == {"p1": KEPT, "l2": ("release", "release")}


def test_who_holds_both_keeps_the_other_license_of_the_same_plan() -> None:
    policy = f"{DOWNGRADE}release analyzer when unused for 30 days"
    people = site(1, free=0, analyzer=[license_row(1, LONG_AGO)])
    plan = plan_of(policy, people)
    assert kinds(plan.decisions) == {"p1": MADE, "l1": KEPT}
    assert plan.decisions[1].reason == "due; the person's Professional license is downgraded by the same plan"


@pytest.mark.parametrize(
    ("free", "why"),
    [
        (None, "QRS does not say how many analyzer licenses are free"),
        (0, "no analyzer license is free for it (0 are free)"),
    ],
)
def test_what_is_not_known_or_not_there_keeps(free: int | None, why: str) -> None:
    (decision,) = plan_of(DOWNGRADE, site(free=free)).decisions
    assert (decision.verdict, decision.because, decision.reason) == (*KEPT, f"due; {why}")


def test_with_pseudonyms_nobody_is_downgraded() -> None:
    loaded = checked(DOWNGRADE)
    plan = make_plan(loaded, snapshot_of(site(3)), day_of(loaded), "test", Pseudonyms(b"k" * 32))
    assert set(kinds(plan.decisions).values()) == {KEPT}
    assert set(kinds(plan.exact).values()) == {KEPT}


def test_nobody_is_told_in_vain() -> None:
    """What is in the way is found before people are told; a license that none is free for waits for a free one."""
    policy = "downgrade professional when unused for 60 days after notice of 14 days"
    people = site(1, analyzer=[license_row(1, LONG_AGO, quarantined=True)])
    assert kinds(plan_of(policy, people).decisions)["p1"] == KEPT
    assert kinds(plan_of(policy, site(1, free=0)).decisions)["p1"] == ("keep", "notice")


def test_the_numbers_say_how_many_become_analyzer() -> None:
    plan = plan_of(f"{DOWNGRADE}release analyzer when unused for 30 days", site(3, free=2, analyzer=[license_row(1)]))
    summary = plan.summary()
    assert (summary["release"], summary["downgrade"], summary["keep"]) == (3, 3, 1)
    assert summary["byType"]["analyzer"]["notNow"] == 1
    assert summary["loseEveryLicense"] == 0
    text = plan_text(plan)
    assert "Due, to become Analyzer: 3 licenses" in text
    assert "3 licenses would be downgraded. Nothing has been released." in text


def test_a_downgrade_counts_in_limits() -> None:
    assert plan_of(f"{DOWNGRADE}limit release to 2 of professional per run", site(3)).over != []
    plan = plan_of(DOWNGRADE.replace("100%", "2"), site(3))
    assert plan.summary()["thisRun"] == 0


# The rest -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("release analyzer when never used", 31),
        ("release analyzer when unused for 30 days", 31),
        ("release analyzer when unused for 90 days", 90),
        ("release analyzer when license.unusedDays > 45", 45),
        ("release analyzer when user.unusedDays >= 50 or unused for 40 days", 50),
    ],
)
def test_nothing_is_taken_before_the_rest_is_over(rule: str, days: int) -> None:
    (made,) = checked(rule).rules
    assert max(REST_DAYS, longest_disuse(made.condition)) == days
    today = NOW.date()
    for ago, kept in ((days - 1, True), (days, False)):
        standing = DowngradeStanding(on=str(today - timedelta(days=ago)))
        assert (standing.keeps(made, today) is not None) == kept


def test_an_open_delete_is_the_first_reason() -> None:
    (rule,) = checked("release analyzer when never used").rules
    standing = DowngradeStanding(on="2026-11-20", open_in="R", why="w")
    assert str(standing.keeps(rule, NOW.date())).startswith("run R has deleted")


# On random policies ---------------------------------------------------------------------------------------


@given(policies(), sites(), st.integers(0, 3))
def test_a_plan_never_leaves_somebody_without_who_is_downgraded(
    policy: Policy, people: dict[str, Any], free: int
) -> None:
    people = people | {"accessTypeOverview": {"analyzerAccess": {"enabled": True, "available": free}}}
    decisions = plan_of(policy, people).decisions
    downgraded = {(one.user_directory, one.user_id) for one in decisions if one.verdict == "downgrade"}
    holders = {(o.user_directory, o.user_id) for o in decisions if o.license_type == DOWNGRADED_TO}
    assert len(downgraded - holders) <= free
    for one in decisions:
        if (one.user_directory, one.user_id) in downgraded and one.license_type == DOWNGRADED_TO:
            assert not one.takes
        assert one.verdict != "downgrade" or one.license_type != DOWNGRADED_TO


@given(policies(), sites(), st.sampled_from(["2026-11-20", "2026-10-22", "2026-01-01"]))
def test_a_rest_only_keeps(policy: Policy, people: dict[str, Any], on: str) -> None:
    loaded, snapshot = checked(policy), snapshot_of(people)
    day = day_of(loaded)
    before = make_plan(loaded, snapshot, day, "test").decisions
    resting = {key: Standing(downgrade=DowngradeStanding(on=on)) for key in (one.key for one in before)}
    after = make_plan(loaded, snapshot.with_standings(resting), day, "test").decisions
    for one, other in zip(before, after, strict=True):
        assert one.takes or not other.takes
