"""Two simulated sites on one signed key: people of A appear at B, inactive and removed externally, with a license row.

A DELETE of a row at one site takes the person's row at the other, too, at once or when the service synchronizes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.simulator.repository import Answer
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.fleet.fleets import SimulatedFleet
from tests.engine.idle import idle_site
from tests.engine.service.sites import write_site

UNUSED = "release analyzer when unused for 30 days\nlimit release to 1000 per run\n"
REMOVED = "release analyzer when user.removedExternally\nlimit release to 1000 per run\n"


def days_ago(days: float) -> str:
    return format_instant(datetime.now(UTC) - timedelta(days=days))


@dataclass
class SharedKey:
    """The sites `a` and `b` of the pool `emea`, in a fleet. `delayed`: B hears of what was deleted at A only when it is
    synchronized, and the other way round."""

    fleet: SimulatedFleet
    delayed: bool = False
    _gone: dict[str, list[str]] = field(default_factory=lambda: {"a": [], "b": []})

    @property
    def a(self) -> SimulatedQrs:
        return self.fleet.sites["a"]

    @property
    def b(self) -> SimulatedQrs:
        return self.fleet.sites["b"]

    def row(self, site: str, user_id: str) -> dict[str, Any]:
        """The license row of a user at a site, to be changed."""
        with self.fleet.sites[site].site_lock() as found:
            return next(row for row in found["licenses"]["analyzer"] if row["user"]["userId"] == user_id)

    def user(self, site: str, user_id: str) -> dict[str, Any]:
        """A user at a site, to be changed."""
        with self.fleet.sites[site].site_lock() as found:
            return next(user for user in found["users"] if user["userId"] == user_id)

    def holders(self, site: str) -> list[str]:
        """Who holds a license at a site."""
        with self.fleet.sites[site].site_lock() as found:
            return sorted(row["user"]["userId"] for row in found["licenses"]["analyzer"])

    def assign_anew(self, user_id: str) -> None:
        """By hand in the QMC: the license is taken and given again; everywhere it is another row, allocated now."""
        for name in ("a", "b"):
            row = self.row(name, user_id)
            row["id"] += "-anew"
            row["createdDate"], row["lastUsed"] = days_ago(0), "1753-01-01T00:00:00.000Z"

    def write(self, name: str, policy: str, ours: str = "licensePool: emea", release: str = "dryRun: false") -> None:
        """Writes the site file and the policy of a site."""
        qrs = self.fleet.sites[name]
        write_site(self.fleet.folder / name, qrs.port, policy=policy, ours=f"parallel: 1\n{ours}", release=release)

    def synchronize(self) -> None:
        """What was deleted at one site is gone at the other."""
        for name, other in (("a", "b"), ("b", "a")):
            with self.fleet.sites[other].site_lock() as found:
                rows = found["licenses"]["analyzer"]
                rows[:] = [row for row in rows if row["user"]["userId"] not in self._gone[name]]
            self._gone[name].clear()

    def watch(self, name: str, other: str) -> None:
        """Lets a DELETE at one site take the row at the other."""
        repository = self.fleet.sites[name]._repository
        whole = repository.answer

        def answer(method: str, path: str, *rest: Any) -> Answer:
            rows = repository.site["licenses"]["analyzer"]
            holder = {row["id"]: row["user"]["userId"] for row in rows}.get(path.rpartition("/")[2])
            answered = whole(method, path, *rest)
            if method == "DELETE" and answered.status == 204 and holder is not None:
                self._gone[name].append(holder)
                if not self.delayed:
                    rows_there = self.fleet.sites[other]._repository.site["licenses"]["analyzer"]
                    rows_there[:] = [row for row in rows_there if row["user"]["userId"] != holder]
                    self._gone[name].clear()
            return answered

        repository.answer = answer  # type: ignore[assignment,method-assign] # behind the site


@contextmanager
def shared_key(folder: Path, a: str = UNUSED, b: str = UNUSED, *, delayed: bool = False) -> Iterator[SharedKey]:
    """The two sites, that answer as long as the block lasts; all six licenses were last used 90 days ago at A."""
    site = idle_site()
    other = deepcopy(site)
    for user in other["users"]:
        user["id"] = f"b-{user['id']}"
        user["inactive"] = user["removedExternally"] = True
    for row in other["licenses"]["analyzer"]:
        row["id"] = f"b-{row['id']}"
        row["user"]["id"] = f"b-{row['user']['id']}"
        row["lastUsed"] = "1753-01-01T00:00:00.000Z"
    with SimulatedQrs(site) as qrs_a, SimulatedQrs(other) as qrs_b:
        for name in ("a", "b"):
            (folder / name).mkdir()
        one = SharedKey(SimulatedFleet(folder, {"a": qrs_a, "b": qrs_b}), delayed)
        one.write("a", a)
        one.write("b", b)
        one.watch("a", "b")
        one.watch("b", "a")
        yield one
