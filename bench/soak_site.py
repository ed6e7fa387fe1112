"""The site of the soak test: people come, use their licenses and go, and a QRS that fails in every way it knows."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.simulator.server import Fault, FaultKind, SimulatedQrs

KINDS: tuple[FaultKind, ...] = get_args(FaultKind)
PROTECTED_TAG = "License do not release"
LICENSES = 40

OVERVIEW = {
    "analyzerAccess": {"enabled": True, "allocated": 40, "available": 60, "used": 30, "total": 100},
    "professionalAccess": {"enabled": True, "allocated": 5, "available": 5, "used": 3, "total": 10},
}


class SoakSite:
    """Everybody who ever had a license there, and who of them must never lose it."""

    def __init__(self, chance: random.Random, now: datetime) -> None:
        self._chance = chance
        self._users: list[dict[str, Any]] = []
        self._rows: list[dict[str, Any]] = []
        self.user_of: dict[str, str] = {}
        """`DIRECTORY\\id` by license id."""
        self.safe: set[str] = set()
        """Licenses of people who are protected, or have used theirs lately."""
        self.content = {
            "users": self._users,
            "licenses": {"professional": [], "analyzer": self._rows},
            "accessTypeOverview": OVERVIEW,
            "license": {"keyDetails": f"Valid To: {now + timedelta(days=400):%Y-%m-%d}\n"},
        }
        self._count = 0
        for _ in range(LICENSES):
            self.join(now)

    def join(self, now: datetime) -> None:
        """A person gets a license; every third is idle, some are protected."""
        self._count += 1
        user_id, license_id = f"user{self._count:05}", f"l-{self._count:05}"
        idle = timedelta(days=self._chance.choice((1, 5, 27, 31, 90, 400)))
        tags = [{"id": "t", "name": PROTECTED_TAG}] if self._chance.random() < 0.2 else []
        created = format_instant(now - timedelta(days=500))
        user: dict[str, Any] = {
            "id": f"u-{self._count:05}",
            "userId": user_id,
            "userDirectory": "CORP",
            "name": "N",
            "roles": [],
        }
        user |= {"tags": tags, "customProperties": [], "attributes": [], "createdDate": created}
        user |= dict.fromkeys(("inactive", "blacklisted", "removedExternally", "deleteProhibited"), False)
        row: dict[str, Any] = {
            "id": license_id,
            "createdDate": created,
            "user": dict(user),
            "lastUsed": format_instant(now - idle),
        }
        row |= {"excess": False, "quarantined": False, "quarantineEnd": "1753-01-01T00:00:00.000Z"}
        self._users.append(user)
        self._rows.append(row)
        self.user_of[license_id] = f"CORP\\{user_id}"
        if tags or idle < timedelta(days=30):
            self.safe.add(license_id)

    def live(self, qrs: SimulatedQrs, now: datetime) -> None:
        """Some time passes: people leave with their license, and licenses are assigned to somebody else."""
        with qrs.site_lock() as site:
            self._users, self._rows = site["users"], site["licenses"]["analyzer"]
            for row in [row for row in self._rows if self._chance.random() < 0.1]:
                self._rows.remove(row)
            holders = {row["user"]["id"] for row in self._rows}
            self._users[:] = [user for user in self._users if user["id"] in holders]
            while len(self._rows) < LICENSES:
                self.join(now)

    def change_minds(self, qrs: SimulatedQrs, now: datetime) -> None:
        """After the plan was made, and before it is carried out: people come back, or are protected."""
        with qrs.site_lock() as site:
            people = {user["id"]: user for user in site["users"]}
            for row in self._chance.sample(site["licenses"]["analyzer"], 8):
                if self._chance.random() < 0.5:
                    row["lastUsed"] = format_instant(now)
                else:
                    people[row["user"]["id"]]["tags"] = [{"id": "t", "name": PROTECTED_TAG}]
                self.safe.add(row["id"])


class WatchedQrs(SimulatedQrs):
    """A simulated QRS that looks, when a DELETE arrives, whether its intent is on the disk."""

    def __init__(self, site: SoakSite, runs: Path) -> None:
        super().__init__(site.content)
        self._runs = runs
        self._people = site
        self.violations: list[str] = []

    def _arrive(self, method: str, path: str) -> Fault | None:
        if method == "DELETE":
            license_id = path.partition("?")[0].rpartition("/")[2]
            if not any(license_id in intents for intents in _intents(self._runs)):
                self.violations.append(f"{license_id}: a DELETE without an intent on the disk")
            if license_id in self._people.safe:
                self.violations.append(f"{license_id}: a DELETE of a license that must be kept")
        return super()._arrive(method, path)

    @property
    def forgetting(self) -> int:
        """Forgets the requests so far, which would grow for ever; how many they were."""
        with self._lock:
            count = len(self._requests)
            self._requests.clear()
        return count


def _intents(runs: Path) -> Iterator[str]:
    """The intents of each journal, the newest first."""
    for path in sorted(runs.glob("*/outcomes.jsonl"), reverse=True):
        yield "".join(line for line in path.read_text().splitlines() if '"kind":"intent"' in line)


def random_fault(chance: random.Random) -> Fault:
    """One of all the ways to fail, for a few requests."""
    return Fault(
        kind=chance.choice(KINDS),
        method=chance.choice((None, "GET", "DELETE", "DELETE")),
        path_contains=chance.choice(("", "", "accesstype", "user", "license")),
        times=chance.randint(1, 8),
        status=chance.choice((400, 401, 403, 404, 409, 429, 500, 502, 503)),
        seconds=0.005,
        chunk=4096,
    )
