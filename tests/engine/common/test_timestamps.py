import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.common.timestamps import (
    are_usual,
    are_usual_bytes,
    format_instant,
    instant_ticks,
    parse_timestamp,
    to_the_minute,
)

_INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(9998, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize("digits", range(8))
def test_fractions_of_0_to_7_digits(digits: int) -> None:
    fraction = "1234567"[:digits]
    text = f"2026-11-21T02:00:00{'.' if digits else ''}{fraction}Z"
    expected = datetime(2026, 11, 21, 2, 0, 0, int(fraction[:6].ljust(6, "0")), tzinfo=UTC)
    assert parse_timestamp(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T02:00:00", datetime(2026, 11, 21, 2, tzinfo=UTC)),
        (" 2026-11-21 02:00:00z ", datetime(2026, 11, 21, 2, tzinfo=UTC)),
        ("2026-11-21T02:00:00.5+05:45", datetime(2026, 11, 20, 20, 15, 0, 500_000, tzinfo=UTC)),
        ("1753-01-01T00:00:00.000Z", datetime(1753, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00.000Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.9999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),  # the year 0
        ("2026-02-29T00:00:00Z", None),
        ("2026-11-21T24:00:00Z", None),
        ("2026-11-21T23:59:60Z", None),
        ("2026-11-21", None),
        ("2026-11-21T02:00Z", None),
        ("2026-11-21T02:00:00+24:00", None),
        ("2026-11-21T02:00:00Z and more", None),
        ("२०२६-११-२१T02:00:00Z", None),
        ("2026-11-21T05:24Z\0:57.123Z", None),  # which the standard library takes for one
        ("2026-11-21T05:24:57.12 Z", datetime(2026, 11, 21, 5, 24, 57, 120_000, tzinfo=UTC)),
        ("", None),
    ],
)
def test_timestamps(text: str, expected: datetime | None) -> None:
    assert parse_timestamp(text) == expected


@given(st.text() | st.from_regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8})?(Z|[+-]\d\d:\d\d)?", fullmatch=True))
def test_any_text_is_an_instant_in_utc_or_none(text: str) -> None:
    instant = parse_timestamp(text)
    assert instant is None or instant.utcoffset() == timedelta(0)


_FORM = re.compile(r"\s*\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?\s*(Z|z|[+-]\d\d:\d\d)?\s*", re.ASCII)


@given(st.dictionaries(st.integers(0, 23), st.sampled_from("0123Z:. \0-+T,W\t") | st.characters(), max_size=8))
def test_no_other_form_is_a_timestamp(changes: dict[int, str]) -> None:
    text = "".join(changes.get(at, letter) for at, letter in enumerate("2026-11-21T05:24:57.123Z"))
    assert parse_timestamp(text) is None or _FORM.fullmatch(text)


@given(_INSTANTS, st.sampled_from((UTC, timezone(timedelta(hours=5, minutes=45)))))
def test_what_is_written_is_read(instant: datetime, zone: timezone) -> None:
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert parse_timestamp(format_instant(whole.astimezone(zone))) == whole


_QRS_INSTANTS = st.datetimes(datetime(1753, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001 - made aware below


def _written(instant: datetime, digits: int) -> str:
    fraction = f"{instant.microsecond:06d}0"[:digits]
    return f"{instant:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{fraction}Z"


@given(_QRS_INSTANTS, st.integers(0, 7), st.integers(0, 7))
def test_ticks_count_100_nanoseconds(instant: datetime, digits: int, other_digits: int) -> None:
    ticks = instant_ticks(_written(instant, 7))
    assert ticks is not None
    whole = (instant.replace(tzinfo=UTC) - datetime(1, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert ticks == whole * 10
    shorter = instant_ticks(_written(instant, min(digits, other_digits)))
    longer = instant_ticks(_written(instant, max(digits, other_digits)))
    assert shorter is not None
    assert longer is not None
    assert shorter <= longer <= ticks


@pytest.mark.parametrize(
    "text",
    [
        *("", "never", "2024", "2024-13-01", "2024-02-30T00:00:00Z", "2024-01-01T25:00:00Z"),
        *("2024-01-01T00:00:00.Z", "2024-01-01T00:00:00.12345678Z", "٢٠٢٤-01-01", "0000-01-01"),
    ],
)
def test_what_is_no_timestamp(text: str) -> None:
    assert instant_ticks(text) is None


def test_to_the_minute() -> None:
    assert to_the_minute("2026-11-21T02:03:59.999Z") == "2026-11-21 02:03Z"


_USUAL = re.compile(r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z", re.ASCII)
_NEARLY_USUAL = st.builds(
    lambda changes: "".join(changes.get(at, letter) for at, letter in enumerate("2026-11-21T05:24:57.123Z")),
    st.dictionaries(st.integers(0, 23), st.sampled_from("0123456789Z:\0é"), max_size=2),
)


@given(st.lists(_NEARLY_USUAL | st.sampled_from(["2026-11-21T23:59:59.999Z", "2026-11-21T05:24:57.12Z", ""])))
def test_the_usual_form_of_many_at_once(texts: list[str]) -> None:
    usual = all(_USUAL.fullmatch(text) for text in texts)
    assert are_usual(texts) is usual
    if usual:
        assert are_usual_bytes("".join(f"{text}\0" for text in texts).encode(), b"\0")
        assert not texts or not are_usual_bytes("\0".join(texts).encode(), b"\0")
