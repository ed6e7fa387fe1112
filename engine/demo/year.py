"""Twelve months of the demonstration site, night by night: its people work by habits, some come, some go.

The users are those of the demonstration site; what they do with their licenses is drawn.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.demo.habits import OFFICE, Life, life
from seatwarden.engine.demo.people import NEVER, demo_site

NIGHTS = 366
"""A year of days, and one night more."""
USERS_OF_A_YEAR = 300
_MIX = replace(OFFICE, joiners=0.2)
_HOUR = 2
"""When the nightly snapshot is taken, in UTC."""
_SPARE = 1.15
"""How many licenses are bought for each that is in use at most."""


def demo_year(*, seed: int, now: datetime, users: int, nights: int) -> Iterator[bytes]:
    """Snapshots of a site of so many users, one a night, the last of them right before `now`, which has a time zone.

    The same arguments give the same bytes; between two nights nothing of `now` matters.
    """
    last = datetime.combine((now.astimezone(UTC) - timedelta(hours=_HOUR)).date(), time(_HOUR), UTC)
    first = last - timedelta(days=nights - 1)
    site = demo_site(seed=seed, now=last, users=users)
    draw = random.Random(f"{seed} year")  # noqa: S311 - repeatable on purpose, nothing secret
    licensed = _licensed(site, draw, first.date(), nights)
    held = {one.user["id"] for one in licensed}
    others = [msgspec.json.encode(user) for user in site["users"] if user["id"] not in held]
    bought = {kind: round(_SPARE * sum(one.kind == kind for one in licensed)) for kind in site["licenses"]}
    for night in range(nights):
        there = [one for one in licensed if one.is_there(night)]
        for one in there:
            one.live(night, draw)
        rows = {kind: [one.row_json for one in there if one.kind == kind] for kind in bought}
        people = others + list({one.user["id"]: one.user_json for one in there}.values())
        yield _written(first + timedelta(days=night), site["source"], people, rows, bought)


@dataclass(slots=True)
class _Licensed:
    """A license with its user and what that does. Days count from the first night on, 0 is the day that it ends."""

    kind: str
    user: dict[str, Any]
    row: dict[str, Any]
    life: Life
    first: date
    user_json: bytes = b""
    row_json: bytes = b""
    lived: int = 0

    def is_there(self, night: int) -> bool:
        """Whether the license is allocated in a night, and its user not deleted."""
        return self.life.allocated < night and (self.life.deleted is None or night <= self.life.deleted)

    def live(self, night: int, draw: random.Random) -> None:
        """Brings both rows up to a night."""
        used = None
        while self.lived < len(self.life.uses) and self.life.uses[self.lived] < night:
            used = self.life.uses[self.lived]
            self.lived += 1
        if used is not None:
            self.row["lastUsed"] = self.row["modifiedDate"] = _moment(self.first, used, draw)
        if used is not None or not self.row_json:
            self.row_json = msgspec.json.encode(self.row)
            self.user_json = self.user_json or msgspec.json.encode(self.user)


def _licensed(site: dict[str, Any], draw: random.Random, first: date, nights: int) -> list[_Licensed]:
    """The licenses of a site that somebody holds, each with the life of its user."""
    monday = first - timedelta(days=first.weekday())
    shift = (first - monday).days
    new_year = (date(monday.year, 1, 1) - monday).days
    users = {user["id"]: user for user in site["users"]}
    lives: dict[str, Life] = {}
    found = []
    for kind, rows in site["licenses"].items():
        for row in rows:
            if row["user"] is None:
                continue
            user = users[row["user"]["id"]]
            lived = lives.setdefault(user["id"], _from(life(draw, _MIX, nights, new_year), shift))
            created = _moment(first, lived.allocated, draw)
            user |= {"createdDate": created, "modifiedDate": created}
            row |= {"createdDate": created, "modifiedDate": created, "lastUsed": NEVER}
            row |= {"quarantined": False, "quarantineEnd": NEVER}
            found.append(_Licensed(kind, user, row, lived, first))
    return found


def _from(lived: Life, shift: int) -> Life:
    """A life whose days count from another one on."""
    deleted = None if lived.deleted is None else lived.deleted - shift
    return Life([day - shift for day in lived.uses if day >= lived.allocated], lived.allocated - shift, deleted)


def _moment(first: date, day: int, draw: random.Random) -> str:
    """A moment of a day at working hours, as QRS writes it."""
    at = datetime.combine(first + timedelta(days=day), time(6), UTC)
    return format_instant(at + timedelta(milliseconds=draw.randrange(13 * 3_600_000)))


def _written(
    at: datetime, source: str, people: list[bytes], rows: dict[str, list[bytes]], bought: dict[str, int]
) -> bytes:
    """A snapshot as JSON."""
    overview = {
        f"{kind}Access": {
            "enabled": True,
            "total": bought[kind],
            "allocated": len(found),
            "quarantined": 0,
            "available": bought[kind] - len(found),
            "excess": 0,
        }
        for kind, found in rows.items()
    }
    lists = b",".join(b'"%s":[%s]' % (kind.encode(), b",".join(found)) for kind, found in rows.items())
    head = b'{"takenAt":%s,"source":%s,"users":[%s]' % (_json(format_instant(at)), _json(source), b",".join(people))
    return b'%s,"licenses":{%s},"accessTypeOverview":%s}' % (head, lists, _json(overview))


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)
