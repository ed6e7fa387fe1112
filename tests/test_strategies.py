"""The strategies draw what properties are for: an edge that never comes up is none that was looked at."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st

from seatwarden.grammar.ast import LICENSE_TYPES, Date, Policy, Rule, UnusedFor
from tests.strategies import MIDNIGHTS, NOW, ZONES, moments, policies, sites

FIND = settings(database=None, derandomize=True, max_examples=1000, deadline=None, phases=(Phase.generate,))


def _doubled(license_type: str) -> Callable[[dict[str, Any]], bool]:
    def is_doubled(site: dict[str, Any]) -> bool:
        ids = [row["id"] for row in site["licenses"].get(license_type, [])]
        return len(set(ids)) < len(ids)

    return is_doubled


@pytest.mark.parametrize("license_type", LICENSE_TYPES)
def test_doubled_rows_of_both_types(license_type: str) -> None:
    assert find(sites(), _doubled(license_type), settings=FIND)


def _last_days(policy: Policy) -> set[date]:
    return {s.until.value for s in policy.statements if isinstance(s, Rule) and isinstance(s.until, Date)}


@pytest.mark.parametrize("ahead", [-1, 0, 1])
def test_last_days_around_today(ahead: int) -> None:
    assert find(policies(), lambda policy: NOW.date() + timedelta(days=ahead) in _last_days(policy), settings=FIND)


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_last_uses_around_a_threshold(beyond: int) -> None:
    def is_at_the_threshold(drawn: tuple[Policy, dict[str, Any]]) -> bool:
        policy, site = drawn
        used = [row.get("lastUsed") for rows in site["licenses"].values() for row in rows]
        for rule in policy.rules:
            if isinstance(rule.condition, UnusedFor) and rule.condition.days > 0:
                wanted = NOW.date() - timedelta(days=rule.condition.days + beyond)
                if any(isinstance(moment, str) and moment.startswith(f"{wanted}T") for moment in used):
                    return True
        return False

    assert find(st.tuples(policies(), sites()), is_at_the_threshold, settings=FIND)


@pytest.mark.parametrize("zone", ZONES)
def test_midnights(zone: str) -> None:
    """Of every zone: the first moment of a day, and the last one before it."""

    def clock(moment: datetime) -> tuple[int, ...]:
        there = moment.astimezone(ZoneInfo(zone))
        return there.hour, there.minute, there.second, there.microsecond

    assert {clock(moment) for moment in MIDNIGHTS} >= {(0, 0, 0, 0), (23, 59, 59, 999999)}
    assert find(moments, lambda moment: clock(moment) == (0, 0, 0, 0), settings=FIND)
    assert find(moments, lambda moment: clock(moment) == (23, 59, 59, 999999), settings=FIND)
