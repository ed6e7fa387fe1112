"""The site's own license: when it expires, as `GET /qrs/license` tells it in its `keyDetails`.

`keyDetails` is text for people, several lines of `Name: value`; the line `Valid To:` has the expiry. Seen in the
field and in Butler's tests are `2099-12-31`, `2099-12-31T00:00:00Z` and `2024-03-16  12:00:00 AM`. Whatever
else stands there is not guessed at: a month taken for a day would move an alarm by months.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from seatwarden.engine.common.text import plural
from seatwarden.engine.errors import RemoteError
from seatwarden.engine.facts.day import Day
from seatwarden.engine.metrics.point import FieldValue, Point, merge_tags
from seatwarden.engine.monitor.license_use import decode_object
from seatwarden.policy.butler.jobs import Tags

MEASUREMENT = "qlik_sense_server_license"

_VALID_TO = re.compile(r"^\s*Valid\s+To\s*:(.*)$", re.IGNORECASE)
_DAY = re.compile(
    r"(\d{4}-\d\d-\d\d)"  # the day, and after it nothing, or a time of day as .NET or ISO 8601 writes it
    r"(?:(?:[Tt]|\s+)\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?\s*(?:[Zz]|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_SECRET = re.compile(r"[0-9A-Za-z+/=_.-]{14,}|\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}")
"""Texts that could be a serial number, a control number or a key."""


@dataclass(frozen=True, slots=True)
class ServerLicense:
    """The day the site's license expires, and how many calendar days that is from today: negative after it."""

    expires: date
    days: int
    expired: bool

    def is_close(self, threshold_days: int | None) -> bool:
        """Whether it has expired, or will within that many days (None: nobody asked to be told before)."""
        return self.expired or (threshold_days is not None and self.days <= threshold_days)

    def describe(self) -> str:
        """In words: `expires on 2027-12-31, in 405 days`."""
        day = self.expires.isoformat()
        if self.days < 0:
            return f"expired on {day}, {plural(-self.days, 'day')} ago"
        if self.expired:
            return f"has expired, says QRS; valid to {day}"
        return f"expires today, {day}" if self.days == 0 else f"expires on {day}, in {plural(self.days, 'day')}"


def read_server_license(answer: bytes, now: datetime, zone: ZoneInfo) -> ServerLicense:
    """The expiry in an answer of `GET /qrs/license`; days are counted in `zone`, the last day is valid still.

    With several `Valid To:` lines (one a product) the earliest day counts. Raises RemoteError when there is none, or
    one in a form that is not known: then nobody would be warned, which must not go unseen.
    """
    license_ = decode_object(answer, "license")
    expires = _earliest(license_.get("keyDetails"))
    days = (expires - Day(now, zone).today).days
    return ServerLicense(expires, days, license_.get("isExpired") is True or days < 0)


def server_license_points(license_: ServerLicense, tags: Tags, at: datetime) -> list[Point]:
    """The `qlik_sense_server_license` point, with the fields that Butler's has; `expiry_date` is `YYYY-MM-DD`."""
    fields: dict[str, FieldValue] = {
        "license_expired": license_.expired,
        "expiry_date": license_.expires.isoformat(),
        "days_until_expiry": float(license_.days),
    }
    return [Point(MEASUREMENT, merge_tags(tags), fields, at)]


def _earliest(details: Any) -> date:
    lines = details.splitlines() if isinstance(details, str) else []
    found = [match[1].strip() for match in map(_VALID_TO.match, lines) if match]
    if not found:
        what = "has no line `Valid To:`" if lines else "is empty"
        help_ = "look up the expiry in the QMC, under License management; licenses with a control number do not tell it"
        raise RemoteError(f"the expiry of the site's license is not known: `keyDetails` {what}", help_)
    return min(_day(text) for text in found)


def _day(text: str) -> date:
    match = _DAY.fullmatch(text)
    try:
        if match:
            return date.fromisoformat(match[1])
    except ValueError:
        pass  # the 31st of a month that has none: as unknown as any other form
    shown = _SECRET.sub("…", text[:60])
    help_ = "look up the expiry in the QMC, under License management, and report this form"
    raise RemoteError(f"the expiry of the site's license is not known: `Valid To: {shown}` is no known date", help_)
