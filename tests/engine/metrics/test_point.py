"""Points as lines, and what the real databases read in them."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.metrics.point import Point, known_numbers, line, merge_tags
from seatwarden.engine.metrics.writer import OpenWriter
from tests.engine.metrics.databases import Influx, Victoria

NOW = datetime.now(UTC).replace(microsecond=123_000)


def point(user: str = "CORP\\anna") -> Point:
    return Point("m", (("user", user),), {"n": 40.0}, NOW)


def test_numbers_are_floats_as_butlers_were() -> None:
    fields: dict[str, float | str | bool] = {
        "a": 40,
        "b": 0.1,
        "c": 9007199254740992,
        "d": -1,
        "e": 2.5,
        "f": True,
        "g": "x",
    }
    assert line(Point("m", (), fields, NOW), with_time=False) == (
        'm a=40,b=0.1,c=9007199254740992,d=-1,e=2.5,f=true,g="x"'
    )


def test_the_time_is_in_milliseconds_whatever_the_zone() -> None:
    there = datetime(2026, 11, 21, 4, 0, 0, 987_654, tzinfo=timezone(timedelta(hours=2)))
    assert line(Point("m", (), {"n": 1.0}, there)) == "m n=1 1795226400987"
    assert line(Point("m", (), {"n": 1.0}, datetime(9000, 1, 1, tzinfo=UTC))) == "m n=1 221845392000000"


def test_what_is_no_number_is_left_out() -> None:
    fields = {"a": 1, "b": None, "c": "2", "d": True, "e": math.nan, "f": math.inf, "g": [1], "h": 0}
    assert known_numbers(fields) == {"a": 1.0, "h": 0.0}
    assert line(Point("m", (), {}, NOW)) == ""


def test_a_later_tag_wins() -> None:
    tags = merge_tags([("user", "global"), ("foo", "1")], [("foo", "2")], [("user", "ours")])
    assert line(Point("m", tags, {"n": 1.0}, NOW), with_time=False) == "m,foo=2,user=ours n=1"


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_line_is_one_line(user: str, text: str) -> None:
    assert "\n" not in line(Point("m", (("user", user),), {"n": 1.0, "text": text}, NOW))


USERS = {
    "CORP\\anna": "CORP\\anna",
    "CORP\\a b": "CORP\\a b",
    "a,b": "a,b",
    "a=b=c": "a=b=c",
    "CORP\\nancy": "CORP\\nancy",
    "DIR=EQ\\0": "DIR=EQ\\0",
    "İSTANBUL\\Ünïcode 😀": "İSTANBUL\\Ünïcode 😀",
    'say "x"': 'say "x"',
    "100%": "100%",
    # A trailing backslash has no form in line protocol: behind it stands a zero-width space.
    "CORP\\bob\\": "CORP\\bob\\\u200b",
    "CORP\\bob\\\\": "CORP\\bob\\\\\u200b",
    "\\": "\\\u200b",
    "line\nbreak": "line\\nbreak",
    "tab\tand\rreturn": "tab\\tand\\rreturn",
}


@pytest.mark.parametrize(("user", "read"), USERS.items())
def test_influxdb_reads_back_what_was_written(influx: Influx, user: str, read: str) -> None:
    with OpenWriter(influx.target()) as writer:
        writer.write([line(point(user))])
    assert influx.rows('SELECT "n", "user" FROM "m"') == [{"time": _ms(), "n": 40, "user": read}]


def test_victoriametrics_reads_them_too(victoria: Victoria) -> None:
    users = {user: read for user, read in USERS.items() if "\\\\" not in user}  # it has \\ for one backslash
    with OpenWriter(victoria.target()) as writer:
        writer.write([line(point(user)) for user in users])
    found = [row for row in victoria.export() if row["metric"]["__name__"] == "m_n"]
    assert {row["metric"]["user"] for row in found} == set(users.values())
    assert all(row["timestamps"] == [_ms()] and row["values"] == [40] for row in found)


def test_a_tag_without_a_value_is_left_out(influx: Influx) -> None:
    with OpenWriter(influx.target()) as writer:
        writer.write([line(Point("m", (("user", ""), ("x", "1")), {"n": 1.0}, NOW))])
    assert influx.rows("SELECT * FROM m") == [{"time": _ms(), "n": 1, "x": "1"}]


def test_sending_twice_changes_nothing(influx: Influx) -> None:
    with OpenWriter(influx.target()) as writer:
        writer.write([line(point())])
        writer.write([line(point())])
    assert len(influx.rows("SELECT * FROM m")) == 1


def _ms() -> int:
    return int(NOW.timestamp() * 1000)
