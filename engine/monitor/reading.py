"""The readings of the monitors: one question to QRS each, for the command and for the service."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from seatwarden.engine.facts.day import Day
from seatwarden.engine.metrics.point import Point
from seatwarden.engine.monitor.license_use import license_use
from seatwarden.engine.monitor.server_license import ServerLicense, read_server_license, server_license_points
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.site.settings import Settings


class Reader(Protocol):
    """The part of QRS that watching needs."""

    def get(self, path: str) -> bytes:
        """The JSON that `GET /qrs/{path}` answers. Raises RemoteError."""
        ...

    @property
    def ending(self) -> Sequence[EndingCertificate]:
        """The certificates that end soon, as far as they are known yet."""
        ...


def read_use(qrs: Reader, settings: Settings, at: datetime) -> list[Point]:
    """The use of licenses by type, as points of the instant `at`. Raises RemoteError."""
    tags = (*settings.static_tags, *settings.jobs.license_monitor.tags)
    return license_use(qrs.get("license/accesstypeoverview"), tags, at)


def read_expiry(qrs: Reader, settings: Settings, day: Day) -> tuple[ServerLicense, list[Point]]:
    """The expiry of the site's own license, seen from `day`, and as points of its instant. Raises RemoteError."""
    found = read_server_license(qrs.get("license"), day.now, day.zone)
    tags = (*settings.static_tags, *settings.jobs.server_monitor.tags)
    return found, server_license_points(found, tags, day.now)
