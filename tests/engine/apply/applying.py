"""A plan on the disk, a QRS in memory, and what becomes of the one when it is applied to the other."""

import threading
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.apply.apply import PendingApply, find_pending
from seatwarden.engine.apply.pending import ApplyResult, carry_out, open_journal
from seatwarden.engine.apply.releaser import Qrs, Release
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import RecordedPlan, read_plan
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.plan.plan import make_plan, with_origin
from seatwarden.engine.snapshot.model import License, Seats, User, UserReference
from seatwarden.engine.snapshot.reader import decode_license, decode_user
from seatwarden.grammar.ast import LicenseType, Limit
from tests.engine.cli.applying import Journalled, read_outcomes
from tests.engine.support import (
    LIVE_ORIGIN,
    RECORDING,
    checked,
    day_of,
    hand_at,
    license_row,
    site_of,
    snapshot_of,
    user,
)
from tests.strategies import NOW, as_json

LONG_AGO = "2026-01-01T12:00:00.000Z"
POLICY = "release analyzer when unused for 30 days\nlimit release to 1000 per run\n"


def idle(licenses: int = 1) -> dict[str, Any]:
    """A site whose users 1, 2 … hold analyzer licenses `l1`, `l2` … that are unused for long."""
    numbers = range(1, licenses + 1)
    return site_of([user(n) for n in numbers], [license_row(n, LONG_AGO) for n in numbers])


@dataclass
class MemoryQrs:
    """A site in memory. `on_delete` and `on_look` are called first: what they return or raise is the answer.

    `events` has every call in order, and what tests put between: `look l1`, `user u1`, `licenses analyzer u1`,
    `DELETE l1`.
    """

    site: dict[str, Any]
    on_delete: Callable[[str], tuple[int, str] | None] = lambda license_id: None
    on_look: Callable[[str], License | bool | None] = lambda license_id: None
    """The answer to a look: a license, False for none; None leaves it to the site."""
    events: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.site = deepcopy(self.site)
        self._lock = threading.Lock()

    @property
    def deletes(self) -> list[str]:
        """The ids of the licenses whose DELETE was sent, in order."""
        return [event.removeprefix("DELETE ") for event in self.events if event.startswith("DELETE ")]

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        self.events.append(f"look {license_id}")
        answer = self.on_look(license_id)
        if answer is not None:
            return None if isinstance(answer, bool) else answer
        found = [row for row in self.site["licenses"].get(license_type, []) if row["id"] == license_id]
        return decode_license(as_json(found[0]), "license") if found else None

    def user(self, user_id: str) -> User | None:
        self.events.append(f"user {user_id}")
        found = [row for row in self.site["users"] if row["id"] == user_id]
        return decode_user(as_json(found[0]), "user") if found else None

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        self.events.append(f"licenses {license_type} {user_id}")
        rows = self.licenses_now(license_type)
        return [row for row in rows if isinstance(row.user, UserReference) and row.user.id == user_id]

    def licenses(self, license_type: LicenseType) -> list[License]:
        self.events.append(f"licenses {license_type}")
        return self.licenses_now(license_type)

    def licenses_now(self, license_type: LicenseType) -> list[License]:
        return [decode_license(as_json(row), "license") for row in self.site["licenses"].get(license_type, [])]

    def license_rules(self) -> bytes | None:
        return as_json(self.site["licenseRules"]) if "licenseRules" in self.site else None

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        self.events.append(f"DELETE {license_id}")
        answer = self.on_delete(license_id)
        if answer is None:
            self.remove(license_id)
            return 204, ""
        return answer

    def seats(self) -> Mapping[LicenseType, Seats]:
        return {}

    def allocate(self, license_type: LicenseType, user_id: str) -> tuple[int, str]:
        raise AssertionError(f"nobody is to be given a license: {license_type} {user_id}")

    def remove(self, license_id: str) -> None:
        """Takes the license off the site."""
        with self._lock:
            for rows in self.site["licenses"].values():
                rows[:] = [row for row in rows if row["id"] != license_id]


@dataclass
class Prepared:
    """A plan, as it is read back, to be applied as often as a test likes; `now` is the time of the next apply."""

    folder: Path
    plan: RecordedPlan
    now: datetime
    pseudonyms: Pseudonyms | None = None
    told: list[Outcome] = field(default_factory=list)

    @property
    def path(self) -> Path:
        return self.folder / "outcomes.jsonl"

    @property
    def journal(self) -> Journalled:
        return read_outcomes(self.folder)

    def pending(
        self, limits: tuple[Limit, ...] | None = None, unused_days: Callable[[], Mapping[Key, int]] = dict
    ) -> PendingApply:
        return find_pending(self.plan, self.folder, self.plan.limits if limits is None else limits, unused_days)

    def apply(
        self,
        qrs: Qrs,
        *,
        parallel: int = 1,
        limits: tuple[Limit, ...] | None = None,
        stop: threading.Event | None = None,
        withdrawn: str | None = None,
        released_by: Callable[[Key], str | None] = lambda key: None,
    ) -> ApplyResult:
        """What the commands do with a plan that is in order; a journal that has its seal is left as it is."""
        pending = self.pending(limits)
        if pending.state is not None and pending.state.sealed:
            return ApplyResult([], pending.counts, settled=True, refused=False, reached=False)
        release = Release(self.plan, qrs, pseudonyms=self.pseudonyms, clock=lambda: self.now, released_by=released_by)
        journal = open_journal(pending, hand_at(lambda: self.now))
        try:
            return carry_out(
                pending,
                lambda key: release,
                journal,
                parallel=parallel,
                clock=lambda: self.now,
                progress=self.told.append,
                stop=stop,
                withdrawn=withdrawn,
            )
        finally:
            journal.close()


def prepare(
    folder: Path,
    site: dict[str, Any],
    policy: str = POLICY,
    *,
    planned: datetime = NOW,
    applied: datetime | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> Prepared:
    """Writes the plan of a site; it is applied ten minutes later, unless said otherwise."""
    loaded = checked(policy)
    plan = make_plan(loaded, snapshot_of(site), day_of(loaded, planned), "test", pseudonyms)
    write_plan(with_origin(plan, LIVE_ORIGIN), folder, "", RECORDING)
    return Prepared(folder, read_plan(folder), applied or planned + timedelta(minutes=10), pseudonyms)


def utc(*moment: int) -> datetime:
    """A moment in UTC."""
    year, month, day, *rest = moment
    return datetime(year, month, day, *rest, tzinfo=UTC)  # type: ignore[misc,arg-type]


def keys(*ids: str) -> list[Key]:
    """The keys of analyzer licenses."""
    return [("analyzer", license_id) for license_id in ids]


def without(events: Iterable[str], *beginnings: str) -> list[str]:
    """The events that do not begin so."""
    return [event for event in events if not event.startswith(beginnings)]
