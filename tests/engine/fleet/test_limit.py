"""The limit of a fleet: held over the sum, the same in every order of arrival, and never more than it says."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.fleet.limit import hold_fleet_limits
from seatwarden.engine.runs.run_report import LeftPlan, LeftRelease
from seatwarden.grammar.ast import LICENSE_TYPES, Limit
from seatwarden.grammar.parser import in_file, parse_limit


def _left(*releases: tuple[str, int] | tuple[str, int, str], allocated: int = 100) -> LeftPlan:
    """What a site has left: analyzer licenses with their days without use, and the day announced."""
    chosen = (LeftRelease("analyzer", one[0], one[1], one[2] if len(one) > 2 else "") for one in releases)
    return LeftPlan(Path("run"), "root", {"analyzer": allocated}, tuple(chosen))


def _limit(*texts: str) -> tuple[Limit, ...]:
    limits = tuple(parse_limit(text, in_file("fleet.yaml")) for text in texts)
    assert all(isinstance(limit, Limit) for limit in limits)
    return limits  # type: ignore[return-value]


def test_over_the_limit_nothing_at_all_is_released_anywhere() -> None:
    left = {"a": _left(("a1", 50), ("a2", 40)), "b": _left(("b1", 60))}
    choice = hold_fleet_limits(_limit("2 per run"), left)
    assert choice.allowed == {"a": (), "b": ()}
    assert choice.over == ("at all sites, 3 licenses due; the limit of 2 per run allows 2",)
    assert hold_fleet_limits(_limit("3 per run"), left).over == ()


def test_the_longest_unused_over_all_sites_by_days_then_site_then_id() -> None:
    left = {
        "b": _left(("b1", 50), ("b2", 50), ("b3", 90)),
        "a": _left(("a2", 50), ("a1", 50), ("a3", 30)),
    }
    limit = _limit("3 per run, longest unused first")
    assert hold_fleet_limits(limit, left).allowed == {
        "b": (("analyzer", "b3"),),
        "a": (("analyzer", "a1"), ("analyzer", "a2")),
    }


def test_a_percentage_is_of_what_is_allocated_at_all_sites_that_were_planned() -> None:
    left = {"a": _left(*((f"a{n}", n) for n in range(1, 11)))}
    assert hold_fleet_limits(_limit("5% of analyzer per run"), left).over
    assert not hold_fleet_limits(_limit("5% of analyzer per run"), left, [{"analyzer": 100}]).over
    assert hold_fleet_limits(_limit("5% of analyzer per run"), left, [{"professional": 100}]).over


def test_announced_releases_go_up_to_the_limit_earliest_announced_first() -> None:
    left = {
        "a": _left(("a1", 90, "2026-12-09"), ("a2", 40)),
        "b": _left(("b1", 10, "2026-12-01"), ("b2", 10, "2026-12-05")),
    }
    assert hold_fleet_limits(_limit("3 per run"), left).allowed == {
        "a": (("analyzer", "a2"),),
        "b": (("analyzer", "b1"), ("analyzer", "b2")),
    }
    assert hold_fleet_limits(_limit("0 per run"), {"b": left["b"]}).allowed == {"b": ()}


def test_without_a_limit_everything_that_sites_let_through_is_allowed() -> None:
    left = {"a": _left(("a1", 1)), "b": _left()}
    assert hold_fleet_limits((), left).allowed == {"a": (("analyzer", "a1"),), "b": ()}
    assert hold_fleet_limits((), {}).allowed == {}


_RELEASES = st.lists(
    st.tuples(
        st.sampled_from(LICENSE_TYPES), st.integers(0, 60), st.sampled_from(["", "", "2026-12-01", "2026-12-09"])
    ),
    max_size=6,
)
_LIMITS = st.lists(
    st.sampled_from(
        [
            *("2 per run", "4 per run, longest unused first", "50% of analyzer per run"),
            *("20% per run, longest unused first", "0 per run, longest unused first"),
        ]
    ),
    unique=True,
    max_size=3,
)


@given(st.dictionaries(st.sampled_from("abcde"), _RELEASES, max_size=5), _LIMITS, st.randoms(use_true_random=False))
def test_every_order_of_arrival_gives_the_same_and_never_too_much(
    sites: dict[str, list[tuple[str, int, str]]], texts: list[str], chance: Random
) -> None:
    limits = _limit(*texts)
    left = {
        name: LeftPlan(
            Path(name),
            name,
            {"analyzer": 10, "professional": 5},
            tuple(LeftRelease(kind, f"{name}{n}", days, day) for n, (kind, days, day) in enumerate(rows)),  # type: ignore[arg-type]
        )
        for name, rows in sites.items()
    }
    choice = hold_fleet_limits(limits, left)
    names = list(left)
    chance.shuffle(names)
    again = hold_fleet_limits(limits, {name: _shuffled(left[name], chance) for name in names})
    assert {name: set(keys) for name, keys in again.allowed.items()} == {
        name: set(keys) for name, keys in choice.allowed.items()
    }
    assert again.over == choice.over
    counted = Counter(kind for keys in choice.allowed.values() for kind, _ in keys)
    for limit in limits:
        for kinds in [(limit.license_type,)] if limit.license_type else [LICENSE_TYPES]:
            total = sum(counted[kind] for kind in kinds if kind is not None)
            allocated = {"analyzer": 10 * len(left), "professional": 5 * len(left)}
            allowed = (
                limit.count
                if limit.count is not None
                else sum(allocated[kind] * (limit.percent or 0) // 100 for kind in kinds if kind is not None)
            )
            assert total <= (allowed or 0)
    assert all(set(keys) <= {one.key for one in left[name].chosen} for name, keys in choice.allowed.items())


def _shuffled(plan: LeftPlan, chance: Random) -> LeftPlan:
    chosen = list(plan.chosen)
    chance.shuffle(chosen)
    return LeftPlan(plan.folder, plan.root, plan.allocated, tuple(chosen))


@pytest.mark.parametrize("first", ["a", "b"])
def test_two_sites_with_equals_the_name_decides(first: str) -> None:
    both = {"a": _left(("x", 50)), "b": _left(("x", 50))}
    left = {first: both[first], **both}
    choice = hold_fleet_limits(_limit("1 per run, longest unused first"), left)
    assert choice.allowed == {"a": (("analyzer", "x"),), "b": ()}
