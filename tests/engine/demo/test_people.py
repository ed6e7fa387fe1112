from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from seatwarden.engine.common.timestamps import instant_ticks
from seatwarden.engine.demo.people import SMALLEST_SITE, TELLING_USERS, demo_site

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
NEVER = "1753-01-01T00:00:00.000Z"


@pytest.fixture(scope="module")
def site() -> dict[str, Any]:
    return demo_site(seed=1, now=NOW)


def _licenses(site: dict[str, Any]) -> list[dict[str, Any]]:
    return [*site["licenses"]["professional"], *site["licenses"]["analyzer"]]


def _days_unused(row: dict[str, Any]) -> int:
    counted_from = row["createdDate"] if row["lastUsed"] == NEVER else row["lastUsed"]
    return (NOW.date() - date.fromisoformat(counted_from[:10])).days


def _user(site: dict[str, Any], user: str) -> dict[str, Any]:
    (found,) = [entry for entry in site["users"] if f"{entry['userDirectory']}\\{entry['userId']}" == user]
    assert isinstance(found, dict)
    return found


def _held_by(site: dict[str, Any], user: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for row in _licenses(site) if row["user"] and row["user"]["id"] == user["id"]]


def _tags(user: dict[str, Any]) -> list[str]:
    return [tag["name"] for tag in user["tags"]]


def _properties(user: dict[str, Any]) -> dict[str, str]:
    return {entry["definition"]["name"]: entry["value"] for entry in user["customProperties"]}


def _timestamps(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("createdDate", "modifiedDate", "lastUsed", "quarantineEnd"):
                assert isinstance(inner, str)
                yield inner
            yield from _timestamps(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _timestamps(inner)


def test_same_arguments_same_bytes() -> None:
    first, second = (json.dumps(demo_site(seed=7, now=NOW, users=80)) for _ in range(2))
    assert first == second


def test_the_zone_now_is_given_in_does_not_matter() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-8)))
    assert demo_site(seed=7, now=elsewhere, users=40) == demo_site(seed=7, now=NOW, users=40)


def test_another_seed_is_another_site_with_the_same_first_people() -> None:
    one, other = (demo_site(seed=seed, now=NOW) for seed in (1, 2))
    assert one["users"][0]["id"] != other["users"][0]["id"]
    fixed = [[user["userId"] for user in site["users"][:SMALLEST_SITE]] for site in (one, other)]
    assert fixed[0] == fixed[1]


@pytest.mark.parametrize("users", [SMALLEST_SITE, SMALLEST_SITE + 1, 75, 500])
def test_as_many_users_as_asked_for_and_no_id_twice(users: int) -> None:
    site = demo_site(seed=3, now=NOW, users=users)
    people = [(user["userDirectory"], user["userId"].casefold()) for user in site["users"]]
    ids = [entry["id"] for entry in [*site["users"], *_licenses(site)]]
    assert len(people) == len(set(people)) == users
    assert len(ids) == len(set(ids))
    assert all(str(uuid.UUID(entry)) == entry for entry in ids)


def test_refuses_what_it_cannot_make() -> None:
    with pytest.raises(ValueError, match="at least"):
        demo_site(seed=1, now=NOW, users=SMALLEST_SITE - 1)
    with pytest.raises(ValueError, match="time zone"):
        demo_site(seed=1, now=NOW.replace(tzinfo=None))


def test_snapshot_format(site: dict[str, Any]) -> None:
    assert list(site) == ["takenAt", "source", "users", "licenses"]
    assert site["takenAt"] == "2026-11-21T02:00:00.000Z"
    assert list(site["users"][0]) == [
        *("id", "createdDate", "modifiedDate", "userId", "userDirectory", "name", "roles", "attributes"),
        *("inactive", "blacklisted", "removedExternally", "deleteProhibited", "tags", "customProperties"),
    ]
    assert {tuple(row) for row in _licenses(site)} == {
        (
            *("id", "createdDate", "modifiedDate", "user", "deletedUserId", "deletedUserDirectory"),
            *("lastUsed", "excess", "quarantined", "quarantineEnd"),
        )
    }
    assert json.loads(json.dumps(site)) == site


def test_license_rows_name_their_user_as_qrs_does(site: dict[str, Any]) -> None:
    users = {user["id"]: user for user in site["users"]}
    for row in _licenses(site):
        if row["user"] is not None:
            assert list(row["user"]) == ["id", "userId", "userDirectory", "name"]
            assert row["user"].items() <= users[row["user"]["id"]].items()


@pytest.mark.parametrize("now", [NOW, NOW.replace(hour=0), NOW.replace(hour=23, minute=59)])
def test_timestamps_are_qrs_timestamps_of_the_past(now: datetime) -> None:
    site = demo_site(seed=5, now=now, users=300)
    digits = set()
    for text in _timestamps([site["users"], site["licenses"]]):
        assert instant_ticks(text) is not None
        assert text.endswith("Z")
        digits.add(len(text[:-1].partition(".")[2]))
    assert digits == {0, 3, 7}
    current = instant_ticks(site["takenAt"])
    assert current is not None
    for row in _licenses(site):
        created, used = instant_ticks(row["createdDate"]), instant_ticks(row["lastUsed"])
        assert created is not None
        assert used is not None
        assert used <= current
        assert row["lastUsed"] == NEVER or created < used
        assert (row["quarantineEnd"] > site["takenAt"]) is row["quarantined"]


def test_the_telling_users_tell(site: dict[str, Any]) -> None:
    protected = _user(site, TELLING_USERS.protected)
    assert protected["userDirectory"] not in ("INTERNAL", "ADMIN")
    assert _tags(protected) == ["License do not release"]
    assert min(_days_unused(row) for row in _held_by(site, protected)) > 100

    leaver = _user(site, TELLING_USERS.leaver)
    assert leaver["removedExternally"]
    assert leaver["inactive"]
    assert min(_days_unused(row) for row in _held_by(site, leaver)) > 100

    (fresh,) = _held_by(site, _user(site, TELLING_USERS.newcomer))
    assert fresh["lastUsed"] == NEVER
    assert _days_unused(fresh) == 10

    (quarantined,) = _held_by(site, _user(site, TELLING_USERS.quarantined))
    assert quarantined["quarantined"]


@pytest.mark.parametrize("users", [SMALLEST_SITE, 200])
def test_every_situation_occurs(users: int) -> None:
    site = demo_site(seed=11, now=NOW, users=users)
    people = site["users"]
    licenses = _licenses(site)
    assert {user["userDirectory"] for user in people} == {"INTERNAL", "ADMIN", "CORP", "PARTNER"}
    service = {user["userId"] for user in people if user["userDirectory"] == "INTERNAL"}
    assert service == {"sa_repository", "sa_api", "sa_scheduler"}
    assert any("contractor" in _tags(user) for user in people if user["userDirectory"] == "PARTNER")
    assert any(_properties(user).get("LicenseManage") == "do-not-release" for user in people)
    assert any(user["blacklisted"] for user in people)
    assert any("RootAdmin" in user["roles"] for user in people)
    assert any(not user["name"].isascii() for user in people)
    assert all(user["userId"].isascii() and user["userId"] for user in people)
    assert any(
        300 <= _days_unused(row) <= 340 and row["lastUsed"] != NEVER
        for user in people
        if _properties(user).get("Department") == "Finance"
        for row in _held_by(site, user)
    )
    assert {_days_unused(row) for row in licenses if row["lastUsed"] == NEVER} == {10, 120}
    (deleted,) = [row for row in licenses if row["user"] is None]
    assert deleted["quarantined"]
    assert (deleted["deletedUserDirectory"], deleted["deletedUserId"]) == ("CORP", "bhansen")
    holders = [
        {(row["user"]["userDirectory"], row["user"]["userId"]) for row in rows if row["user"]}
        for rows in site["licenses"].values()
    ]
    assert holders[0] & holders[1]


@pytest.mark.parametrize("seed", range(8))
def test_about_a_fifth_of_the_licenses_is_unused_for_30_days(seed: int) -> None:
    licenses = _licenses(demo_site(seed=seed, now=NOW))
    due = [row for row in licenses if not row["quarantined"] and _days_unused(row) >= 30]
    assert 0.15 <= len(due) / len(licenses) <= 0.25


def test_mail_addresses_lead_nowhere(site: dict[str, Any]) -> None:
    mails = [
        entry["attributeValue"]
        for user in site["users"]
        for entry in user["attributes"]
        if entry["attributeType"] == "email"
    ]
    assert mails
    assert all(mail.endswith(".example.com") for mail in mails)
