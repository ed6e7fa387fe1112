"""Twelve months of the demonstration site."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.demo.people import NEVER
from seatwarden.engine.demo.year import demo_year
from seatwarden.engine.snapshot.reader import decode_snapshot

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def nights() -> list[bytes]:
    return list(demo_year(seed=3, now=NOW, users=160, nights=120))


def _rows(night: dict[str, Any]) -> list[dict[str, Any]]:
    return [*night["licenses"]["professional"], *night["licenses"]["analyzer"]]


def test_the_same_arguments_give_the_same_bytes(nights: list[bytes]) -> None:
    later = NOW.astimezone(timezone(timedelta(hours=9))) + timedelta(hours=13)
    assert list(demo_year(seed=3, now=later, users=160, nights=120)) == nights, "the same night is the last one"
    assert list(demo_year(seed=4, now=NOW, users=160, nights=120)) != nights


def test_each_night_is_a_snapshot_of_that_moment(nights: list[bytes]) -> None:
    taken = [json.loads(night)["takenAt"] for night in nights]
    assert (taken[-1], len(set(taken))) == ("2026-11-21T02:00:00.000Z", 120)
    early = list(demo_year(seed=3, now=NOW.replace(hour=1), users=20, nights=2))
    assert json.loads(early[-1])["takenAt"] == "2026-11-20T02:00:00.000Z"
    for night in nights[::40]:
        decode_snapshot(night, "a night")


def test_nobody_uses_a_license_before_it_is_allocated_or_in_the_future(nights: list[bytes]) -> None:
    weekdays: Counter[int] = Counter()
    before: dict[str, str] = {}
    for night in map(json.loads, nights):
        users = {user["id"] for user in night["users"]}
        assert len(users) == len(night["users"])
        for row in _rows(night):
            assert row["user"]["id"] in users
            assert row["createdDate"] < night["takenAt"]
            assert row["lastUsed"] == NEVER or row["createdDate"][:10] <= row["lastUsed"][:10]
            assert before.get(row["id"], "") <= row["lastUsed"] <= night["takenAt"], (
                "a last use is never an earlier one"
            )
            if before.get(row["id"], row["lastUsed"]) != row["lastUsed"]:
                used = parse_timestamp(row["lastUsed"])
                assert used is not None
                weekdays[used.weekday()] += 1
            before[row["id"]] = row["lastUsed"]
    assert weekdays[5] + weekdays[6] < weekdays[0] + weekdays[1], "few work on weekends"


def test_people_come_and_go_and_the_overview_counts_them(nights: list[bytes]) -> None:
    held = []
    for night in map(json.loads, nights):
        for kind in ("professional", "analyzer"):
            counted = night["accessTypeOverview"][f"{kind}Access"]
            assert counted["allocated"] == len(night["licenses"][kind])
            assert counted["allocated"] + counted["available"] == counted["total"]
            assert counted["available"] > 0
        held.append({row["id"] for row in _rows(night)})
    assert held[-1] - held[0]
    assert held[0] - held[-1]
