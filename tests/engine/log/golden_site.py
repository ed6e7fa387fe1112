"""A small site whose plan has every kind of fact, guard and reason; its logs are kept in `tests/data/log`."""

from tests.engine.support import license_row, site_of, user

KEY = b"0123456789abcdef0123456789abcdef"
LONG_AGO, LATELY = "2026-06-01T08:00:00.000Z", "2026-11-20T08:00:00.000Z"
POLICY = """\
timezone "Europe/Stockholm"
keep "vip" when user.tags = "vip"
keep "finance in winter" until 2027-02-28
  when user.@Department = "Finance" and (month = [11, 12, 1] or weekday = "friday")
keep when user.name like "*nobody*" or license.excess or user.createdDate > 2026-11-01
release analyzer when unused for 30 days
release professional "long away" when unused for 60 days and not user.roles = "RootAdmin"
limit release to 3 per run, longest unused first
"""
_DELETED = {"user": None, "deletedUserId": "gone", "deletedUserDirectory": "ACME"}
SITE = site_of(
    [
        user(1),
        user(2, tags=[{"name": "VIP"}]),
        user(3, name="Jörg \u202e"),
        user(4, roles=None),
        user(5, customProperties=[{"value": "Finance", "definition": {"name": "Department"}}]),
        user(6, createdDate="not a date"),
        user(7),
    ],
    [
        license_row(1, LONG_AGO),
        license_row(2, LONG_AGO),
        license_row(3, LATELY),
        license_row(5, LONG_AGO),
        license_row(6, LONG_AGO),
        license_row(7, quarantined=True, quarantineEnd="2026-12-01T00:00:00.000Z"),
        license_row(8, LONG_AGO),
        license_row(9, LONG_AGO, **_DELETED),
    ],
    [license_row(4, LONG_AGO), license_row(1, LONG_AGO, id="l10")],
)
