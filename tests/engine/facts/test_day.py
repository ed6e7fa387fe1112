from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.facts.day import NEVER, Day, DaySpan, day_for, make_day
from seatwarden.policy.errors import InputError
from seatwarden.policy.zones import is_timezone, timezone_names
from tests.engine.support import checked
from tests.strategies import NOW, ZONES

_INSTANTS = st.datetimes(datetime(1900, 1, 2), datetime(9998, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("now", "zone", "today"),
    [
        ("2026-11-21T02:00:00Z", "UTC", date(2026, 11, 21)),
        ("2026-11-21T02:00:00Z", "America/New_York", date(2026, 11, 20)),
        ("2026-11-21T10:00:00Z", "Pacific/Kiritimati", date(2026, 11, 22)),
        ("2026-11-20T18:14:59Z", "Asia/Kathmandu", date(2026, 11, 20)),
        ("2026-11-20T18:15:00Z", "Asia/Kathmandu", date(2026, 11, 21)),
        ("2026-07-20T21:59:59Z", "Europe/Stockholm", date(2026, 7, 20)),  # summer: two hours ahead
        ("2026-07-20T22:00:00Z", "Europe/Stockholm", date(2026, 7, 21)),
        ("2026-12-20T22:00:00Z", "Europe/Stockholm", date(2026, 12, 20)),  # winter: one
        ("2026-12-20T23:00:00Z", "Europe/Stockholm", date(2026, 12, 21)),
    ],
)
def test_a_day_begins_at_the_zones_midnight(now: str, zone: str, today: date) -> None:
    instant = parse_timestamp(now)
    assert instant is not None
    day = make_day(instant, zone)
    assert day.today == day.day_of(instant) == today


def test_weekdays() -> None:
    assert make_day(datetime(2026, 11, 21, 2, tzinfo=UTC), "UTC").weekday == "saturday"
    assert make_day(datetime(2026, 11, 21, 2, tzinfo=UTC), "America/New_York").weekday == "friday"


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("instant", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_time(zone: str, instant: datetime) -> None:
    assert make_day(NOW, zone).day_of(instant).year in (1, 9999)


@given(_INSTANTS, st.sampled_from(ZONES), st.integers(0, 1100))
def test_some_days_later_it_is_that_many_days_later(instant: datetime, zone: str, days: int) -> None:
    """Also when the clocks are changed in between."""
    now = instant.replace(year=instant.year % 100 + 2000, day=min(instant.day, 28))
    day = make_day(now, zone)
    later = day.later_by(days)
    assert later.today == day.today + timedelta(days=days)
    assert later.now.utcoffset() == timedelta(0)


def test_later_by_the_clocks_of_the_zone() -> None:
    half_past_midnight = make_day(datetime(2026, 10, 24, 22, 30, tzinfo=UTC), "Europe/Stockholm")
    assert half_past_midnight.later_by(1) == Day(datetime(2026, 10, 25, 23, 30, tzinfo=UTC), half_past_midnight.zone)


@given(st.dates(date(1970, 1, 1), date(9000, 12, 31)), st.sampled_from((*ZONES, "Pacific/Pago_Pago")))
def test_a_date_is_its_midnight_in_the_zone(day: date, zone: str) -> None:
    made = make_day(day, zone)
    assert made.today == day
    assert made.now.utcoffset() == timedelta(0)
    assert Day(made.now - timedelta(seconds=1), made.zone).today == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "zone"),
    [
        (date(2018, 11, 4), "America/Sao_Paulo"),  # clocks went from 00:00 to 01:00
        (date(2026, 9, 6), "America/Santiago"),
        (date(2026, 11, 1), "America/Havana"),  # and here from 01:00 to 00:00
        (date(1919, 3, 31), "America/Toronto"),  # from 23:30 to 00:30
    ],
)
def test_a_midnight_that_is_skipped_or_comes_twice(day: date, zone: str) -> None:
    made = make_day(day, zone)
    assert made.today == day
    assert made.now.astimezone(made.zone).hour <= 1


@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("Europe/Stokholm", "did you mean `Europe/Stockholm`?"),
        ("Qlik", "write an IANA name like Europe/Stockholm, or UTC"),
        ("", "write an IANA name like Europe/Stockholm, or UTC"),
        ("localtime", "that is what a machine is set to: write an IANA name like Europe/Stockholm, or UTC"),
        ("LocalTime", "that is what a machine is set to: write an IANA name like Europe/Stockholm, or UTC"),
        ("posixrules", "that is what a machine is set to: write an IANA name like Europe/Stockholm, or UTC"),
        ("Factory", "that is what a machine is set to: write an IANA name like Europe/Stockholm, or UTC"),
        ("posix/Europe/Berlin", "write Europe/Berlin"),
        ("right/UTC", "write UTC"),
        ("right/right/UTC", "that is what a machine is set to: write an IANA name like Europe/Stockholm, or UTC"),
        ("../../etc/passwd", None),
        ("/etc/localtime", None),
        ("Europe", None),
        ("a\0b", None),
    ],
)
def test_no_such_zone(name: str, help_: str | None) -> None:
    with pytest.raises(InputError, match="there is no time zone") as caught:
        make_day(NOW, name)
    assert caught.value.help is not None
    assert help_ in (None, caught.value.help)


def test_only_zones_that_are_the_same_everywhere_are_suggested() -> None:
    names = timezone_names()
    assert {"UTC", "Europe/Stockholm"} <= names
    assert all(map(is_timezone, names))
    assert not names & {"localtime", "posixrules", "Factory"}
    assert not any(name.startswith(("posix/", "right/")) for name in names)


def test_the_zone_is_the_policys_unless_another_is_asked_for() -> None:
    policy = checked('timezone "Asia/Kathmandu"')
    assert day_for(policy, NOW, None) == make_day(NOW, "Asia/Kathmandu")
    assert day_for(policy, NOW, "Europe/Stockholm") == make_day(NOW, "Europe/Stockholm")
    assert day_for(policy, date(2026, 11, 21), "UTC").now == datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2026-11-20T23:00:00Z", "Europe/Stockholm", date(2026, 11, 21)),
        ("2026-11-20T22:59:59.9999999Z", "Europe/Stockholm", date(2026, 11, 20)),
        ("2026-11-20T23:59:59.9999999Z", "UTC", date(2026, 11, 20)),
        ("1900-01-01T00:00:00Z", "UTC", date(1900, 1, 1)),
        ("1899-12-31T23:59:59Z", "UTC", NEVER),
        ("1899-12-31T23:59:59Z", "Europe/Stockholm", NEVER),
        ("soon", "UTC", None),
    ],
)
def test_the_day_of_a_timestamp(text: str, zone: str, day: date | None) -> None:
    assert make_day(NOW, zone).day_of_timestamp(text) == day


@given(st.dates(), st.dates(), st.dates())
def test_a_span_has_its_ends(one: date, other: date, day: date) -> None:
    first, last = sorted((one, other))
    span = DaySpan(first, last)
    assert span.has(first)
    assert span.has(last)
    assert span.has(day) is (DaySpan(since=first).has(day) and DaySpan(until=last).has(day)) is (first <= day <= last)
    assert DaySpan().has(day)
    assert DaySpan().is_all
    assert not any(bounded.is_all for bounded in (span, DaySpan(since=first), DaySpan(until=last)))


def test_a_span_that_ends_before_it_begins() -> None:
    with pytest.raises(InputError, match="--from 2026-11-22 is after --to 2026-11-21"):
        DaySpan(date(2026, 11, 22), date(2026, 11, 21))


_ZONES = ("UTC", "Europe/Stockholm", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia")
_USUAL = st.timedeltas(timedelta(days=-50_000), timedelta(days=20_000)).map(lambda ago: format_instant(NOW + ago))
_ON_THE_HOUR = st.builds(
    "2026-{:02}-{:02}T{:02}:{}Z".format,
    st.integers(1, 12),
    st.integers(1, 31),
    st.integers(0, 24),
    st.sampled_from(("00:00.000", "59:59.999", "14:59.999", "15:00.000", "30:00.000")),
)
_ODD = st.sampled_from(("", "soon", "1753-01-01T00:00:00.000Z", "2026-11-21T02:00:00Z", "2026-11-21T02:00:00.0000001Z"))


@given(st.lists(_USUAL | _ON_THE_HOUR) | st.lists(_USUAL | _ON_THE_HOUR | _ODD), st.sampled_from(_ZONES))
def test_the_days_of_many_are_those_of_each(texts: list[str], zone: str) -> None:
    day = make_day(NOW, zone)
    assert day.days_of_timestamps(texts) == [day.day_of_timestamp(text) for text in texts]
    assert day.days_of_timestamps(texts) == [day.day_of_timestamp(text) for text in texts], "when they are known"


def test_texts_that_together_look_as_usual() -> None:
    texts = ["2026-11-21T02:00:00.000Z2026-11-2", "0T02:00:00.000Z"]
    assert make_day(NOW, "UTC").days_of_timestamps(texts) == [None, None]
