"""Small sites over time, as QRS sends them, for tests of the history."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 1, 5, 2, 0, tzinfo=UTC)
NEVER = "1753-01-01T00:00:00.000Z"


def at(day: float) -> str:
    """A moment some days after the first, as QRS writes it."""
    return (START + timedelta(days=day)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_row(name: str, **facts: Any) -> dict[str, Any]:
    """A user as QRS sends it."""
    row = {"id": f"u-{name}", "createdDate": at(-900), "modifiedDate": at(-1), "userId": name, "userDirectory": "CORP"}
    return {**row, "name": name.title(), "roles": [], "tags": [], "customProperties": [], "attributes": [], **facts}


def license_row(name: str, used: str, **facts: Any) -> dict[str, Any]:
    """A license of a user as QRS sends it."""
    user = {"id": f"u-{name}", "userId": name, "userDirectory": "CORP", "name": name.title()}
    row = {"id": f"l-{name}", "createdDate": at(-500), "modifiedDate": used, "user": user, "lastUsed": used}
    return {**row, "quarantined": False, "quarantineEnd": NEVER, "excess": False, **facts}


def snapshot_of(
    day: float, users: Sequence[Mapping[str, Any]], licenses: Sequence[Mapping[str, Any]], **more: Any
) -> bytes:
    """A snapshot of a day with analyzer licenses."""
    found = {"takenAt": at(day), "source": "https://qlik.example.com:4242", "users": users}
    return json.dumps({**found, "licenses": {"professional": [], "analyzer": licenses}, **more}).encode()
