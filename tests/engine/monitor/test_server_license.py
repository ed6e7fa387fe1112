"""The expiry of the site's own license."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from seatwarden.engine.errors import RemoteError
from seatwarden.engine.metrics.point import line
from seatwarden.engine.monitor.server_license import ServerLicense, read_server_license, server_license_points
from tests.engine.metrics.databases import Influx

NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")


def read(valid_to: str, now: datetime = NOW, zone: str = "UTC", **fields: object) -> ServerLicense:
    details = f"Product: Qlik Sense\nLicense Type: x\nValid To:{valid_to}\nOther: 2001-01-01\n"
    return read_server_license(json.dumps({"keyDetails": details, **fields}).encode(), now, ZoneInfo(zone))


@pytest.mark.parametrize(
    "form",
    [
        " 2027-12-31",
        "2027-12-31",
        " 2027-12-31T00:00:00Z",
        " 2027-12-31T23:59:59.999Z",
        " 2027-12-31T00:00:00+02:00",
        " 2027-12-31 00:00:00",
        "  2027-12-31  12:00:00 AM",
        " 2027-12-31 11:59:59 pm",
        " 2027-12-31\r",
    ],
)
def test_documented_forms(form: str) -> None:
    assert read(form) == ServerLicense(date(2027, 12, 31), 405, expired=False)


def test_days_are_signed_calendar_days_of_the_zone() -> None:
    assert [read(day).days for day in (" 2026-11-22", " 2026-11-21", " 2026-11-20")] == [1, 0, -1]
    assert read(" 2026-11-22", zone="Asia/Tokyo").days == 0
    assert [read(day).expired for day in (" 2026-11-21", " 2026-11-20")] == [False, True]
    assert read(" 2027-01-01", isExpired=True).expired


def test_in_words() -> None:
    assert read(" 2027-12-31").describe() == "expires on 2027-12-31, in 405 days"
    assert read(" 2026-11-22").describe() == "expires on 2026-11-22, in 1 day"
    assert read(" 2026-11-21").describe() == "expires today, 2026-11-21"
    assert read(" 2026-11-19").describe() == "expired on 2026-11-19, 2 days ago"
    assert read(" 2027-01-01", isExpired=True).describe() == "has expired, says QRS; valid to 2027-01-01"


def test_the_earliest_of_several_counts() -> None:
    details = "Product: A\nValid To: 2028-01-01\n\nProduct: B\nValid To: 2027-01-01\nProduct: C\nValid To: 2029-01-01"
    found = read_server_license(json.dumps({"keyDetails": details}).encode(), NOW, UTC_ZONE)
    assert found.expires == date(2027, 1, 1)


@pytest.mark.parametrize("form", [" 3/16/2024 12:00:00 AM", " 16.03.2024", " never", "", " 2024-02-31", " 2024-03-16x"])
def test_an_unknown_form_is_an_error_that_shows_it(form: str) -> None:
    with pytest.raises(RemoteError) as caught:
        read(form)
    assert f"`Valid To: {form.strip()}` is no known date" in caught.value.message


@pytest.mark.parametrize("details", [None, "", "Product: Qlik Sense\n", 5, ["Valid To: 2027-12-31"]])
def test_no_expiry_is_an_error(details: object) -> None:
    with pytest.raises(RemoteError, match="expiry of the site's license is not known"):
        read_server_license(json.dumps({"keyDetails": details, "key": "secret"}).encode(), NOW, UTC_ZONE)


@pytest.mark.parametrize(
    "secret", ["eyJhbGciOiJIUzUxMiJ9.eyJsaWNlbnNl.abc", "9999 1234 5678 9012", "1234-5678-9012-3456"]
)
def test_secrets_are_never_shown(secret: str) -> None:
    answer = {"keyDetails": f"Serial: {secret}\nValid To: {secret}", "key": secret, "serial": secret, "check": secret}
    with pytest.raises(RemoteError) as caught:
        read_server_license(json.dumps(answer).encode(), NOW, UTC_ZONE)
    assert secret not in caught.value.message + (caught.value.help or "")


def test_the_point_stands_beside_butlers(influx: Influx) -> None:
    influx.statement("CREATE DATABASE butler")
    butlers = 'qlik_sense_server_license,foo=bar license_expired=F,expiry_date="2024-03-16",days_until_expiry=3'
    influx.write(butlers)
    made = server_license_points(read(" 2026-11-19"), (("foo", "bar"),), NOW)
    assert [line(point, with_time=False) for point in made] == [
        'qlik_sense_server_license,foo=bar days_until_expiry=-2,expiry_date="2026-11-19",license_expired=true'
    ]
    influx.write("\n".join(map(line, made)), "ms")
    rows = influx.rows("SELECT * FROM qlik_sense_server_license")
    assert [row["days_until_expiry"] for row in rows if row["license_expired"]] == [-2]
    assert len(rows) == 2
