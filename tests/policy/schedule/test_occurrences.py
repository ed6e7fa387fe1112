"""When schedules fire: as `later` recorded it, as a plain look at every moment finds it, and over clock changes."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.policy.schedule.check import load_schedule
from seatwarden.policy.schedule.occurrences import next_occurrence, occurrences
from tests.paths import DATA, load_json_lines
from tests.profiles import examples
from tests.schedules import SCHEDULE_ZONES, TICKS, Words, schedules

RECORDED = load_json_lines(DATA / "frequency-valid.jsonl.gz")
INSTANTS = st.datetimes(datetime(2023, 1, 1), datetime(2028, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
DECEMBER_2100 = "2100-12-01T00:00:00Z"


def fires(text: str, after: str, zone: str = "UTC", count: int = 6) -> list[str]:
    """The next instants at which a schedule fires."""
    found = occurrences(load_schedule(text, "p"), datetime.fromisoformat(after), ZoneInfo(zone))
    return [format_instant(instant) for instant in islice(found, count)]


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: repr(case["text"]))
def test_as_recorded(case: dict[str, Any]) -> None:
    for run in case["runs"]:
        # Of six times asked for, the first was left out when it was the moment itself; fewer mean that no more come.
        count = len(run["next"]) if len(run["next"]) >= 5 else 6
        assert fires(case["text"], run["after"], run["timezone"], count) == run["next"], run


# Against a plain look at every moment


@examples(133)
@given(schedules(), INSTANTS)
def test_fires_whenever_its_words_hold_and_never_else(words: Words, after: datetime) -> None:
    step = TICKS[words.tick]
    start = after.replace(tzinfo=None, microsecond=0, second=0, minute=0, hour=0)
    end = start + step * 1_500
    expected = []
    at = start
    while at <= end:
        if words.meets(at) and at > after.replace(tzinfo=None):
            expected.append(at)
        at += step
    found = occurrences(load_schedule(words.text, "p"), after, ZoneInfo("UTC"))
    assert [at.replace(tzinfo=None) for at in takewhile(lambda at: at.replace(tzinfo=None) <= end, found)] == expected


@examples(100)
@given(schedules(), INSTANTS, st.sampled_from(SCHEDULE_ZONES))
def test_in_any_zone_in_order_and_the_same_from_wherever_one_looks(words: Words, after: datetime, name: str) -> None:
    schedule, zone = load_schedule(words.text, "p"), ZoneInfo(name)
    found = list(islice(occurrences(schedule, after, zone), 8))
    assert all(earlier < later for earlier, later in pairwise([after, *found]))
    for earlier, later in pairwise(found):
        assert next_occurrence(schedule, earlier, zone) == later
    for instant in found:
        local = instant.astimezone(zone)
        shown = local.replace(tzinfo=None)
        if not words.meets(shown) or (words.tick == "day" and shown.hour):
            # The clock skipped the beginning of this hour or day.
            assert local.utcoffset() != (instant - timedelta(seconds=1)).astimezone(zone).utcoffset()


@given(schedules(), INSTANTS, st.integers(0, 10**6))
def test_nothing_happens_before_the_next_time(words: Words, after: datetime, part: int) -> None:
    schedule, zone = load_schedule(words.text, "p"), ZoneInfo("Europe/Stockholm")
    found = next_occurrence(schedule, after, zone)
    assume(found is not None and found - after > timedelta(seconds=1))
    assert found is not None
    between = after + (found - after - timedelta(seconds=1)) * (part / 10**6)
    # In an hour's second showing, later looks past times of day that are still to come (see below).
    assume(not between.astimezone(zone).fold)
    assert next_occurrence(schedule, between, zone) == found


# Clock changes: in Stockholm 2025, 02:00 was skipped on 30 March and repeated on 26 October


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("at 2:30", "2025-03-29T12:00Z", ["03-31T00:30"]),
        ("every 30 minutes", "2025-03-30T00:15Z", ["03-30T00:30", "03-30T01:00"]),
        ("every 2 hours", "2025-03-29T23:30Z", ["03-30T02:00"]),
        ("at 2:30", "2025-10-25T12:00Z", ["10-26T00:30", "10-27T01:30"]),
        ("at 2:30", "2025-10-26T00:45Z", ["10-27T01:30"]),
        ("every 30 minutes on the 2 hour", "2025-10-26T00:15Z", ["10-26T00:30", "10-26T01:00", "10-26T01:30"]),
        ("every 30 minutes on the 2 hour", "2025-10-26T01:30Z", ["10-27T01:00"]),
        ("every 1 hour", "2025-10-25T23:30Z", ["10-26T00:00", "10-26T01:00", "10-26T02:00"]),
        ("on sun", "2025-10-25T12:00Z", ["10-25T22:00", "11-01T23:00"]),
        # later loses a time of day shortly behind one that the clock skips,
        ("at 2:45,3:15", "2025-03-29T12:00Z", ["03-31T00:45"]),
        # and much of a morning, when it looks from an hour's second showing for a time of day within it.
        ("at 2:30,3:30,9:00", "2025-10-26T01:10Z", ["10-26T08:00"]),
        ("at 2:30 also at 3:30", "2025-10-26T01:10Z", ["10-26T02:30"]),
    ],
)
def test_clock_changes(text: str, after: str, expected: list[str]) -> None:
    assert fires(text, after, "Europe/Stockholm", len(expected)) == [f"2025-{time}:00.000Z" for time in expected]


def test_an_hour_or_day_without_its_beginning_fires_as_it_begins() -> None:
    # In Lord Howe half an hour is skipped, in Santiago the hour after midnight, in Samoa 30 December 2011.
    assert fires("every 2 hours", "2025-10-04T14:00Z", "Australia/Lord_Howe", 1) == ["2025-10-04T15:30:00.000Z"]
    assert fires("on sun", "2025-09-06T12:00Z", "America/Santiago", 1) == ["2025-09-07T04:00:00.000Z"]
    assert fires("at 0:30", "2025-09-06T12:00Z", "America/Santiago", 1) == ["2025-09-08T03:30:00.000Z"]
    assert fires("on fri", "2011-12-29T12:00Z", "Pacific/Apia", 1) == ["2012-01-05T10:00:00.000Z"]


# Schedules that end, and oddities of later


@pytest.mark.parametrize(
    "text",
    [
        "",
        "except on mon",
        "on the 31st day of february",
        "on the 30th day of the month on the 2 month",
        "in 1999",
        "in 2100",
        "on the 75 minute",
        "on the 20-15 minute",
        "on the 20-15 hour",
        "at 10:00 on the 30 second",
        "at 1:00 on the 9 hour",
        "on the 366th day of the year of mar",
        "on mon except on mon",
        "at 3:30 on the 87-51 day of the year on wed except before 8 week of the year",
        "on the 5-1 day instance",
    ],
)
def test_never(text: str) -> None:
    assert fires(text, "2026-11-21T02:00:00Z") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A list is searched from its end: a value behind a later one is passed over.
        ("at 17:00,8:00", ["2026-11-21T17:00:00.000Z", "2026-11-22T17:00:00.000Z"]),
        # A range that runs backwards is empty; an empty list of days is the last one.
        ("on sat-sun", ["2026-11-28T00:00:00.000Z", "2026-12-05T00:00:00.000Z"]),
        # An exception that ends within the hour that it begins with stops the schedule for good.
        ("every 6 hours except at 12:00", ["2026-11-21T06:00:00.000Z"]),
        # Hours that run backwards are hour 0 when excepted, and none otherwise.
        ("every 12 hours except on the 20-15 hour", ["2026-11-21T12:00:00.000Z", "2026-11-22T12:00:00.000Z"]),
        # A minute that is always excepted excepts nothing.
        ("every 6 hours except every 1 minute", ["2026-11-21T06:00:00.000Z", "2026-11-21T12:00:00.000Z"]),
        # A year after 2099 is not looked for.
        ("in 2026,2098,2104", ["2098-01-01T00:00:00.000Z"]),
        ("after 22 hours", ["2026-11-21T22:00:00.000Z", "2026-11-21T23:00:00.000Z", "2026-11-22T22:00:00.000Z"]),
        ("before 2:00 every 1 hour", ["2026-11-22T00:00:00.000Z", "2026-11-22T01:00:00.000Z"]),
    ],
)
def test_oddities(text: str, expected: list[str]) -> None:
    assert fires(text, "2026-11-21T02:00:00Z", count=len(expected)) == expected
    if len(expected) == 1:
        assert fires(text, "2026-11-21T02:00:00Z") == expected


def test_far_from_now() -> None:
    assert fires("on the 29th day of feb on mon", DECEMBER_2100, count=1) == ["2112-02-29T00:00:00.000Z"]
    assert len(fires("on the 29th day of feb", "8999-01-01T00:00:00Z", count=1000)) < 200
