"""A site's state folder with runs, journals and a register, as `run` and `apply` would have left them."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from seatwarden.engine.apply.apply import find_pending
from seatwarden.engine.apply.pending import open_journal
from seatwarden.engine.log.chain import erased
from seatwarden.engine.log.kept import keep
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.log.writer import Recording, seal_plan, write_plan
from seatwarden.engine.plan.circumstances import Circumstances, Hand
from seatwarden.engine.plan.modes import LIVE, WHAT_IF, Mode
from seatwarden.engine.plan.plan import make_plan, with_origin
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.runs.record import SiteRecord, site_record
from tests.engine.support import checked, day_of, license_row, site_of, snapshot_of, user
from tests.strategies import NOW, as_json

URL = "https://qlik.example.com:4242"
POLICY = """\
# The season of the auditors.
keep "vip" when user.tags = "vip"
keep "admins" when user.userDirectory = "ADMIN"
release analyzer when unused for 30 days
release professional "long away" when unused for 60 days
"""
LONG_AGO, LATELY = "2026-06-01T08:00:00.000Z", "2026-11-20T08:00:00.000Z"
MADE = Circumstances(
    account="ann (uid 1000)", host="qs1", command="seatwarden run --site s.yaml", interactive=True, qlik_user="U=sa"
)


def some_site(*gone: str) -> dict[str, Any]:
    """Six users, without the licenses in `gone`: 1 and 2 long away, 3 a VIP, 4 of ADMIN, 5 at work, 6 quarantined."""
    users = [
        *(user(n) for n in (1, 2, 5, 6)),
        user(3, tags=[{"name": "vip"}]),
        user(4, userDirectory="ADMIN"),
    ]
    rows = [license_row(n, LATELY if n == 5 else LONG_AGO) for n in range(1, 6)]
    rows.append(license_row(6, LONG_AGO, quarantined=True))
    professional = [license_row(11, LONG_AGO, user={"id": "u1", "userId": "user1", "userDirectory": "ACME"})]
    site = site_of(users, [r for r in rows if r["id"] not in gone], [r for r in professional if r["id"] not in gone])
    return {**site, "source": URL}


@dataclass
class Record:
    """A state folder; `now` is the time."""

    folder: Path
    now: datetime = NOW
    made: Circumstances = MADE
    _drawn: int = field(default=0)

    @property
    def hand(self) -> Hand:
        """Whose hand it is; what it draws is the same in each test."""
        return Hand(self.made, lambda: self.now, self._draw)

    def _draw(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(b"%d" % self._drawn).digest(count)

    @contextmanager
    def open(self) -> Iterator[SiteRecord]:
        """The register, to be written."""
        with site_record(self.folder, URL, self.hand) as record:
            yield record

    def plan(
        self,
        site: Mapping[str, Any] | None = None,
        policy: str = POLICY,
        mode: Mode = LIVE,
        place: Path | None = None,
        *,
        kept: bool = False,
    ) -> Path:
        """Makes a plan, in `runs/` or elsewhere; a what-if is in no register."""
        data = as_json(site if site is not None else some_site())
        loaded, snapshot = checked(policy), snapshot_of(msgspec.json.decode(data))
        snapshot.data = data
        made = make_plan(loaded, snapshot, day_of(loaded, self.now), URL)
        made = with_origin(made, self.hand.origin(mode, self.now))
        folder = place or self.folder / "runs" / f"{self.now:%Y%m%dT%H%M%S}"
        keeping = keep(snapshot) if kept else None
        if mode == WHAT_IF:
            write_plan(made, folder, plan_text(made), Recording(self.hand.seed(), snapshot=keeping))
            return folder
        with self.open() as record:
            recording = record.recording(keeping)
            record.planned(made, folder, recording, seal_plan(made, folder, plan_text(made), recording))
        return folder

    def apply(self, folder: Path, results: Mapping[str, OutcomeKind] | None = None, *open_: str) -> Path:
        """Applies a plan: what becomes of licenses by their ids (else: released); those in `open_` get no answer."""
        plan = read_plan(folder)
        pending = find_pending(plan, folder, ())
        with self.open() as record, record.applying(pending):
            journal = open_journal(pending, self.hand, self.now)
            for key in pending.chosen:
                line, who, at = plan.line_of[key], "somebody", f"{self.now:%Y-%m-%dT%H:%M:%S}.000Z"
                result = (results or {}).get(key[1], "released")
                if result != "skipped":
                    journal.intend(line, key, who, at)
                if key[1] not in open_:
                    status = 500 if result == "failed" else 204
                    journal.note(
                        line, key, who, result, "" if result == "released" else f"why {key[1]}", at, status=status
                    )
            if not open_:
                journal.seal({}, {}, f"{self.now:%Y-%m-%dT%H:%M:%S}.000Z")
            journal.close()
        return folder

    def later(self, **span: float) -> None:
        """Time passes."""
        self.now += timedelta(**span)


def erase(folder: Path, license_id: str) -> None:
    """Takes the personal part out of every line of a run that speaks of a license."""
    for name in (PLAN_FILE, JOURNAL_FILE):
        path = folder / name
        lines = path.read_bytes().splitlines() if path.exists() else []
        told = f'"licenseId":"{license_id}"'.encode()
        if lines:
            path.write_bytes(b"".join((erased(line) if told in line else line) + b"\n" for line in lines))
