"""The strategies draw what properties are for: an edge that never comes up is none that was looked at."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from seatwarden.grammar.ast import LICENSE_TYPES, Date, Length, LicenseType, Policy, Rule, UnusedFor
from tests.strategies import MIDNIGHTS, NOW, ZONES, moments, policies, sites

FIND = settings(database=None, derandomize=True, max_examples=1000, deadline=None, phases=(Phase.generate,))

Drawn: TypeAlias = tuple[Policy, dict[str, Any]]


def _doubled(license_type: LicenseType) -> Callable[[Drawn], bool]:
    def is_doubled(drawn: Drawn) -> bool:
        ids = [row["id"] for row in drawn[1]["licenses"].get(license_type, [])]
        return len(set(ids)) < len(ids)

    return is_doubled


def _last_day(ahead: int) -> Callable[[Drawn], bool]:
    def has_such_a_rule(drawn: Drawn) -> bool:
        ends = [s.until for s in drawn[0].statements if isinstance(s, Rule)]
        return any(isinstance(end, Date) and end.value == NOW.date() + timedelta(days=ahead) for end in ends)

    return has_such_a_rule


def _last_use(beyond: int) -> Callable[[Drawn], bool]:
    def is_at_the_threshold(drawn: Drawn) -> bool:
        policy, site = drawn
        used = [row.get("lastUsed") for rows in site["licenses"].values() for row in rows]
        for rule in policy.rules:
            unused = rule.condition
            if isinstance(unused, UnusedFor) and isinstance(unused.length, Length) and unused.days > 0:
                wanted = NOW.date() - timedelta(days=unused.days + beyond)
                if any(isinstance(moment, str) and moment.startswith(f"{wanted}T") for moment in used):
                    return True
        return False

    return is_at_the_threshold


EDGES: dict[str, Callable[[Drawn], bool]] = {
    **{f"doubled rows of {license_type}": _doubled(license_type) for license_type in LICENSE_TYPES},
    **{f"a last day {ahead:+} days from today": _last_day(ahead) for ahead in (-1, 0, 1)},
    **{f"a last use {beyond:+} days from a threshold": _last_use(beyond) for beyond in (-1, 0, 1)},
}


@pytest.mark.long
def test_edges_come_up() -> None:
    """Each in one search, as drawing is what takes its time."""
    missing = set(EDGES)

    def all_seen(drawn: Drawn) -> bool:
        missing.difference_update([name for name in missing if EDGES[name](drawn)])
        return not missing

    with suppress(NoSuchExample):
        find(st.tuples(policies(), sites()), all_seen, settings=FIND)
    assert missing == set()


@pytest.mark.parametrize("zone", ZONES)
def test_midnights(zone: str) -> None:
    """Of every zone: the first moment of a day, and the last one before it."""

    def clock(moment: datetime) -> tuple[int, ...]:
        there = moment.astimezone(ZoneInfo(zone))
        return there.hour, there.minute, there.second, there.microsecond

    assert {clock(moment) for moment in MIDNIGHTS} >= {(0, 0, 0, 0), (23, 59, 59, 999999)}
    assert find(moments, lambda moment: clock(moment) == (0, 0, 0, 0), settings=FIND)
    assert find(moments, lambda moment: clock(moment) == (23, 59, 59, 999999), settings=FIND)
