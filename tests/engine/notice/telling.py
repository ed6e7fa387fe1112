"""A site whose people are told before: a QRS, a clock and a mail server in memory, day after day."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from seatwarden.engine.notice.holds import HoldsRegister
from seatwarden.engine.notice.message import NoticeMessage
from seatwarden.engine.notice.notices import GivenNotice
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notice.register import NOTICES_FILE, NoticeRecord, read_notices
from seatwarden.engine.runs.context import RunContext
from seatwarden.engine.runs.record import locked_record
from seatwarden.engine.runs.run import run_once
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.site.notice import NoticeSettings
from tests.engine.runs.running import Running, Site
from tests.engine.support import license_row, site_of, user
from tests.strategies import NOW

LONG_AGO = "2026-01-01T12:00:00.000Z"
LIMIT = "limit release to 1000 per run\n"
TOLD_FIRST = "release analyzer when unused for 30 days\n  after notice of 14 days\n" + LIMIT
REMINDED = "release analyzer when unused for 30 days\n  after notice of 14 days, reminder 3 days before\n" + LIMIT
NOTICE = """\
parallel: 1
notice:
  email: {host: localhost, port: 25, security: none, from: licenses@example.org}
"""
DAILY = "enable: true\nfrequency: every 24 hours\ndryRun: false"
TODAY = NOW.date()


@dataclass
class Post:
    """A mail server in memory. `on_message` says what becomes of a message; None: it is accepted."""

    now: Callable[[], datetime]
    on_message: Callable[[NoticeMessage], MessageOutcome | None] = lambda message: None
    messages: list[tuple[date, NoticeMessage, str]] = field(default_factory=list)
    """Day, message and result, in order."""

    @contextmanager
    def open(self, settings: NoticeSettings) -> Iterator["Post"]:
        yield self

    def deliver(self, message: NoticeMessage, now: datetime) -> MessageOutcome:
        outcome = self.on_message(message) or MessageOutcome("accepted", "250 taken")
        self.messages.append((self.now().date(), message, outcome.result))
        return outcome

    def told(self) -> list[tuple[date, str, str]]:
        """Day, address and kind of each message that was accepted."""
        return [
            (day, one.to.addr_spec, "reminder" if one.facts.reminder else "notice")
            for day, one, result in self.messages
            if result == "accepted"
        ]


def person(number: int = 1, address: str | None = None, **facts: Any) -> dict[str, Any]:
    """A user with an address."""
    to = f"user{number}@example.org" if address is None else address
    return user(number, attributes=[{"attributeType": "email", "attributeValue": to}], **facts)


def people(count: int = 1) -> dict[str, Any]:
    """A site whose users hold analyzer licenses that are unused for long."""
    numbers = range(1, count + 1)
    return site_of([person(n) for n in numbers], [license_row(n, LONG_AGO) for n in numbers])


class Telling(Running):
    """Runs on such a site, one a day unless a test says otherwise."""

    def __init__(self, folder: Path, site: dict[str, Any] | None = None, **options: Any) -> None:
        options = {"policy": TOLD_FIRST, "ours": NOTICE, "release": DAILY} | options
        super().__init__(folder, Site(site or people()), **options)
        self.post = Post(lambda: self.now)
        self.released: list[tuple[date, str]] = []
        self.qrs.on_delete = self._deleted

    def _deleted(self, license_id: str) -> tuple[int, str] | None:
        self.released.append((self.now.date(), license_id))
        return None

    def run(self, *, dry_run: bool = False, accept_mass_change: bool = False) -> RunReport:
        self.said.clear()
        self.qrs.events.clear()
        context = RunContext(self._connect, self.hand, self.log, self.stop, self.post.open)
        report = run_once(self.settings, context, dry_run=dry_run, accept_mass_change=accept_mass_change)
        self.now += timedelta(minutes=1)
        return report

    def days(self, count: int) -> list[RunReport]:
        """A run on each of so many days, the first one today; the clock stands a day behind the last then."""
        reports = []
        for _ in range(count):
            start = self.now
            reports.append(self.run())
            self.now = start + timedelta(days=1)
        return reports

    def on(self, day: int) -> date:
        """The date so many days behind the first."""
        return TODAY + timedelta(days=day)

    @property
    def record(self) -> NoticeRecord:
        """The register of notices."""
        return read_notices(self.settings.folder / NOTICES_FILE)

    @property
    def notices(self) -> list[GivenNotice]:
        """All notices."""
        return list(self.record.notices.by_number.values())

    @contextmanager
    def holding(self) -> Iterator[HoldsRegister]:
        """The register of holds, open."""
        settings = self.settings
        with locked_record(settings.folder, settings.site.url, self.hand) as record, record.holds() as holds:
            yield holds

    def use(self, number: int, at: datetime | None = None) -> None:
        """Somebody opens Qlik Sense."""
        when = (at or self.now).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for row in self.qrs.site["licenses"]["analyzer"]:
            if row["id"] == f"l{number}":
                row["lastUsed"] = when

    def move(self, number: int, address: str) -> None:
        """Somebody gets another address."""
        for row in self.qrs.site["users"]:
            if row["id"] == f"u{number}":
                row["attributes"] = [{"attributeType": "email", "attributeValue": address}]
