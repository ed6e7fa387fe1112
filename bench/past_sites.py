"""A site over a year, day by day, as snapshots: people at work by habits, leavers, a nightly sync."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bench.sites import NOW, Site
from seatwarden.engine.common.timestamps import format_instant

FIRST_NIGHT = NOW + timedelta(days=2)
_HABITS = ((0.35, 0.85), (0.25, 0.25), (0.2, 0.05), (0.1, 0.012), (0.1, 0.0))
"""Shares of the people, and the chance that one of them works with Qlik on a working day."""


def daily_snapshots(
    licenses: int, days: int, *, sync: bool, seed: int = 1, start: datetime = FIRST_NIGHT
) -> Iterator[bytes]:
    """Snapshots of a site, one a night. With `sync` a directory connector touches `modifiedDate` of all users."""
    draw = random.Random(seed)  # noqa: S311 - repeatable on purpose, nothing secret
    people = [(user, kind, row) for user, kind, row in Site(licenses + licenses // 10).rows()]
    habits = draw.choices([rate for _, rate in _HABITS], [share for share, _ in _HABITS], k=len(people))
    encoded = [[msgspec.json.encode(user), msgspec.json.encode(row)] for user, _, row in people]
    there = list(range(licenses))
    free = licenses
    for day in range(days):
        now = start + timedelta(days=day)
        if now.weekday() not in (6, 0):  # the nights after a working day
            _work(draw, people, habits, encoded, there, now)
        if day and free < len(people):
            for _ in range(max(1, licenses // 10_000)):
                there.remove(draw.choice(there))
                there.append(free)
                free += 1
        if sync:
            for number in there:
                user = people[number][0]
                user["modifiedDate"] = format_instant(now - timedelta(milliseconds=draw.randrange(600_000)))
                encoded[number][0] = msgspec.json.encode(user)
        yield _written(now, people, encoded, there)


def _work(draw: random.Random, people: Any, habits: Any, encoded: Any, there: list[int], now: datetime) -> None:
    for number in there:
        if draw.random() < habits[number]:
            row = people[number][2]
            used = format_instant(now - timedelta(hours=8, milliseconds=draw.randrange(36_000_000)))
            row["lastUsed"] = row["modifiedDate"] = used
            encoded[number][1] = msgspec.json.encode(row)


def _written(now: datetime, people: Any, encoded: Any, there: list[int]) -> bytes:
    rows: dict[str, list[bytes]] = {"professional": [], "analyzer": []}
    for number in there:
        rows[people[number][1]].append(encoded[number][1])
    users = b",".join([encoded[number][0] for number in there])
    lists = b",".join(b'"%s":[%s]' % (kind.encode(), b",".join(found)) for kind, found in rows.items())
    taken = format_instant(now).encode()
    return b'{"takenAt":"%s","source":"bench","users":[%s],"licenses":{%s}}' % (taken, users, lists)
