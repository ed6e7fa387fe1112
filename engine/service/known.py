"""What the jobs have learned of the site: licenses by type, when its own license expires, certificates that end."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from seatwarden.engine.metrics.point import Point
from seatwarden.engine.monitor.capacity import FreeLicenses
from seatwarden.engine.qrs.expiry import EndingCertificate


@dataclass(frozen=True, slots=True)
class TypeOfLicense:
    """The licenses of one type at the site; None where QRS says nothing."""

    name: str
    total: int | None
    allocated: int | None
    free: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the site, and since when; what has no instant was not read yet.

    `ending` are the certificates on the way to QRS that were found to end soon.
    """

    licenses: tuple[TypeOfLicense, ...] = ()
    licenses_at: datetime | None = None
    expires: date | None = None
    expired: bool = False
    """Whether QRS says so, whatever the day."""
    expires_at: datetime | None = None
    ending: tuple[EndingCertificate, ...] = ()
    ending_at: datetime | None = None
    free: tuple[FreeLicenses, ...] = ()
    """The free licenses, and when none is left."""
    free_at: datetime | None = None

    def updated(self, later: "Known") -> "Known":
        """With what was learned later."""
        found = self
        if later.licenses_at is not None:
            found = replace(found, licenses=later.licenses, licenses_at=later.licenses_at)
        if later.expires_at is not None:
            found = replace(found, expires=later.expires, expired=later.expired, expires_at=later.expires_at)
        if later.ending_at is not None:
            found = replace(found, ending=later.ending, ending_at=later.ending_at)
        if later.free_at is not None:
            found = replace(found, free=later.free, free_at=later.free_at)
        return found


def types_in(points: Iterable[Point]) -> tuple[TypeOfLicense, ...]:
    """The types among the points of license use that are counted in licenses; minutes and tokens are not."""
    found = []
    for point in points:
        name, fields = dict(point.tags)["license_type"], point.fields
        if "total" in fields or "available" in fields:
            found.append(
                TypeOfLicense(
                    name, _whole(fields.get("total")), _whole(fields.get("allocated")), _whole(fields.get("available"))
                )
            )
    return tuple(found)


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None
