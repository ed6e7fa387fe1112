"""A site in memory with a record of several runs, all as `run` leaves it: plans, journals, register, kept snapshot."""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.log.chain import split_lines
from seatwarden.engine.log.heads import NO_HEADS, Heads
from seatwarden.engine.log.run_folder import SNAPSHOT_FILE
from seatwarden.engine.log.verified_run import Pages
from seatwarden.engine.log.verify import VerifiedRecord
from seatwarden.engine.log.writer import KeptFile, Recording
from seatwarden.engine.notice.holds import HOLDS_FILE
from seatwarden.engine.notice.lines import AnswerLine, AnswerPart, EndedLine, EndedPart, IntentLine, MessagePart
from seatwarden.engine.notice.register import NOTICES_FILE
from seatwarden.engine.notice.verify import verify_all
from seatwarden.engine.plan.circumstances import NOBODY, Hand
from seatwarden.engine.plan.terms import Terms
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.context import RunContext
from seatwarden.engine.runs.forgotten import ForgottenPerson, find_person
from seatwarden.engine.runs.record import SiteRecord, locked_record
from seatwarden.engine.runs.run import run_once
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.runs.traces import run_folders_of
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import License, Seats, Snapshot, User
from seatwarden.engine.snapshot.packed import compress
from seatwarden.engine.snapshot.reader import decode_license, decode_user
from seatwarden.grammar.ast import LicenseType
from tests.engine.idle import POLICY, idle_site
from tests.engine.service.sites import settings_of, write_site
from tests.engine.support import snapshot_of
from tests.strategies import as_json

NO_PAGES: Pages = lambda folder: ()  # noqa: E731 - no page is compared
NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


@dataclass
class RecordedSite:
    """A site with its state folder. `now` is the time; each run takes a minute."""

    folder: Path
    content: dict[str, Any] = field(default_factory=idle_site)
    now: datetime = NOW
    policy: str = POLICY
    ours: str = ""
    fail: str | None = None
    """The id of a license whose DELETE is refused."""
    site_ahead: timedelta | None = timedelta(0)
    """How far QRS's clock is ahead of ours; None: it says nothing."""
    on_delete: Callable[[str], None] = lambda license_id: None
    said: list[str] = field(default_factory=list)
    ending: tuple[EndingCertificate, ...] = ()

    # QRS -------------------------------------------------------------------------------------------------

    @property
    def site_clock(self) -> datetime | None:
        return None if self.site_ahead is None else self.now + self.site_ahead

    def snapshot(self, now: datetime) -> Snapshot:
        taken = snapshot_of(self.content)
        taken.site_clock = self.site_clock
        return taken

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        found = [row for row in self.content["licenses"][license_type] if row["id"] == license_id]
        return decode_license(as_json(found[0]), "license") if found else None

    def user(self, user_id: str) -> User | None:
        found = [row for row in self.content["users"] if row["id"] == user_id]
        return decode_user(as_json(found[0]), "user") if found else None

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        rows = self.content["licenses"][license_type]
        return [decode_license(as_json(row), "license") for row in rows if row["user"]["id"] == user_id]

    def licenses(self, license_type: LicenseType) -> list[License]:
        return [decode_license(as_json(row), "license") for row in self.content["licenses"][license_type]]

    def license_rules(self) -> bytes | None:
        return None

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        self.on_delete(license_id)
        if license_id == self.fail:
            return 409, "in use"
        for rows in self.content["licenses"].values():
            rows[:] = [row for row in rows if row["id"] != license_id]
        return 204, ""

    def seats(self) -> Mapping[LicenseType, Seats]:
        return {}

    def allocate(self, license_type: LicenseType, user_id: str) -> tuple[int, str]:
        raise AssertionError(f"nobody is to be given a license: {license_type} {user_id}")

    # Runs ------------------------------------------------------------------------------------------------

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def site_file(self) -> Path:
        return self.folder / "site.yaml"

    @property
    def settings(self) -> Settings:
        site = write_site(self.folder, 4242, ours=f"parallel: 1\n{self.ours}", policy=self.policy)
        return settings_of(site, scheduled=False)

    @property
    def runs(self) -> list[Path]:
        return run_folders_of(self.state)

    @property
    def hand(self) -> Hand:
        return Hand(NOBODY, lambda: self.now, os.urandom)

    @contextmanager
    def _connect(self) -> Iterator["RecordedSite"]:
        yield self

    def log(self, message: str, *, level: int = logging.INFO, **facts: object) -> None:
        self.said.append(f"{message} {facts}")

    def run(self, *, dry_run: bool = False) -> RunReport:
        """A run, and what it has told."""
        report = run_once(self.settings, RunContext(self._connect, self.hand, self.log), dry_run=dry_run)
        for applied in report.applied:
            applied.mark_published()
        self.now += timedelta(minutes=1)
        return report

    def run_killed(self) -> None:
        """A run that ends at its first DELETE as a killed process does: nothing is written any more."""

        def killed(license_id: str) -> None:
            raise MemoryError

        before, self.on_delete = self.on_delete, killed
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(SiteRecord, "_closed", lambda *of: None)
            with pytest.raises(MemoryError):
                self.run()
        self.on_delete = before

    @contextmanager
    def record(self) -> Iterator[SiteRecord]:
        """The record, open for writing, as commands open it."""
        with locked_record(self.state, self.settings.site.url, self.hand) as record:
            yield record

    def person(self, query: str) -> ForgottenPerson:
        """Somebody of whom the runs speak."""
        return find_person(query, [*self.runs, self.state / HOLDS_FILE, self.state / NOTICES_FILE])

    def forget(self, query: str) -> ForgottenPerson:
        """Erases somebody, in this process."""
        with self.record() as record:
            traces = record.traces(self.person(query), None)
            record.erase(traces, "left")
        return traces.person

    def hold_for_a_while(self, user: str, reason: str) -> None:
        """Holds somebody, and ends it again."""
        today = self.now.date()
        with self.record() as record, record.holds() as register:
            register.hold(user, None, today, reason, today)
            register.end(register.state.in_force(today)[-1], f"no longer {reason}", today)

    def tell(self, user: str, license_id: str, announced: date, *, cancelled: str | None = None) -> None:
        """Tells somebody, by a mail server that is not there, and takes it back for a reason."""
        day, at = self.now.date(), format_instant(self.now)
        with self.record() as record, record.notices() as register:
            number = register.notices.next_number()
            part = MessagePart(
                salt=register.salt(),
                license_id=license_id,
                user=user,
                last_used=None,
                created_date=None,
                to=f"{user.rpartition(chr(92))[2]}@example.com",
                message_id=f"id-{number}",
            )
            line = IntentLine(
                notice=number,
                step="notice",
                license_type="analyzer",
                announced=str(announced),
                zone="UTC",
                days=14,
                reminder_days=None,
                to_kind="own",
                channel="email",
                redirected=False,
                policy="0" * 64,
                rule="unused",
                holds=0,
                day=str(day),
                at=at,
                person=part,
            )
            n = register.add(line)
            reply = AnswerPart(salt=register.salt(), reply=f"250 for {user}")
            register.add(AnswerLine(intent=n, result="accepted", day=str(day), at=at, person=reply))
            if cancelled is not None:
                fact = EndedPart(salt=register.salt(), fact=cancelled)
                register.add(EndedLine(notice=number, cause="cancelled", day=str(day), at=at, person=fact))

    def verified(self) -> VerifiedRecord:
        """The record as `log verify` sees it."""
        return verify_all(self.state, NO_PAGES)


def with_kept_snapshot(monkeypatch: Any, site: RecordedSite) -> None:
    """Lets runs keep their snapshot, as a setting of the site does."""
    whole = SiteRecord.recording

    def recording(
        self: SiteRecord, kept: KeptFile | None = None, heads: Heads = NO_HEADS, terms: Terms | None = None
    ) -> Recording:
        made = whole(self, None, heads, terms)
        data = compress(as_json(site.content))
        kept = KeptFile(SNAPSHOT_FILE, data, hashlib.sha256(data).hexdigest())
        return Recording(made.seed, made.register, kept, heads, terms)

    monkeypatch.setattr(SiteRecord, "recording", recording)


def copied(site: RecordedSite, to: Path) -> RecordedSite:
    """The same site as it is now, with a state folder of its own."""
    shutil.copytree(site.folder, to)
    return RecordedSite(to, deepcopy(site.content), site.now, site.policy, site.ours)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a chain, as JSON."""
    return [msgspec.json.decode(line) for line in split_lines(path.read_bytes())]
