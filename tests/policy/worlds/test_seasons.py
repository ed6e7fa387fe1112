"""Seasons by day: the search for worlds knows every date of a year, and finds a day for each with any weekday."""

from datetime import date

import pytest

from seatwarden.grammar.ast import MonthDay, Season
from seatwarden.policy.operators import in_season
from seatwarden.policy.worlds.formula import OnDays
from seatwarden.policy.worlds.search import Space
from tests.policy.worlds.test_worlds import formula, implies, possible


@pytest.mark.parametrize(
    ("season", "inside", "outside"),
    [
        ((12, 15, 1, 10), ["12-15", "12-31", "01-01", "01-10"], ["12-14", "01-11", "06-15"]),
        ((2, 20, 2, 29), ["02-20", "02-28"], ["02-19", "03-01"]),
        ((3, 1, 3, 1), ["03-01"], ["02-28", "03-02"]),
        ((1, 1, 12, 31), ["01-01", "12-31"], []),
    ],
)
def test_both_ends_lie_in_a_season(season: tuple[int, int, int, int], inside: list[str], outside: list[str]) -> None:
    asked = Season(MonthDay(*season[:2]), MonthDay(*season[2:]))
    for year in (2026, 2028):
        assert all(in_season(asked, date.fromisoformat(f"{year}-{day}")) for day in inside)
        assert not any(in_season(asked, date.fromisoformat(f"{year}-{day}")) for day in outside)


def test_leap_days_with_any_weekday() -> None:
    leap_day = formula("today from 02-29 to 02-29")
    for weekday in range(7):
        world = Space([leap_day]).world(leap_day, OnDays(weekdays=1 << weekday))
        assert world is not None
        assert (world.today.month, world.today.day, world.today.weekday()) == (2, 29, weekday)


def test_what_seasons_say_of_each_other() -> None:
    assert possible("today from 12-15 to 01-10", "month = 2") is False
    assert possible("today from 12-15 to 01-10", "month = 1", "today > 2027-06-01") is True
    assert possible("today from 2026-12-18 to 2027-01-06", "today from 01-07 to 12-17") is False
    assert implies("today from 12-20 to 12-24", "today from 12-15 to 01-10") is True
    assert implies("today from 12-15 to 01-10", "month = [12, 1]") is True
    assert implies("month = [12, 1]", "today from 12-15 to 01-10") is False
    assert implies("user.inactive", "today from 01-01 to 12-31") is True
