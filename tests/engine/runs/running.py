"""A site in memory, and runs on it one after another."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.log.register import LOCK_FILE
from seatwarden.engine.plan.circumstances import Hand
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.context import RunContext
from seatwarden.engine.runs.left import release_left
from seatwarden.engine.runs.run import run_once
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import Snapshot
from tests.engine.apply.applying import POLICY, MemoryQrs
from tests.engine.service.sites import runs_of, settings_of, write_site
from tests.engine.support import hand_at, snapshot_of
from tests.strategies import NOW


class Site(MemoryQrs):
    """A site in memory that can be planned for. `on_snapshot` is called when it has been read."""

    ending: Sequence[EndingCertificate] = ()
    site_clock: datetime | None = None

    def on_snapshot(self) -> None:
        """Something happens now."""

    def snapshot(self, now: datetime) -> Snapshot:
        self.events.append("snapshot")
        found = snapshot_of(self.site)
        found.site_clock = self.site_clock
        self.on_snapshot()
        return found


@dataclass
class Running:
    """Runs on one site; `now` is the time."""

    folder: Path
    qrs: Site
    now: datetime = NOW
    hand: Hand = field(init=False)
    stop: threading.Event = field(default_factory=threading.Event)
    said: list[tuple[int, str, dict[str, Any]]] = field(default_factory=list)
    policy: str = POLICY
    port: int = 4242
    ours: str = "parallel: 1"
    release: str = "dryRun: false"
    influx: int | None = None

    def __post_init__(self) -> None:
        self.hand = hand_at(lambda: self.now)

    @contextmanager
    def _connect(self) -> Iterator[Site]:
        self.qrs.events.append("connect")
        yield self.qrs

    def log(self, message: str, *, level: int = logging.INFO, **facts: object) -> None:
        self.said.append((level, message, dict(facts)))

    @property
    def settings(self) -> Settings:
        """What the site file says now."""
        more: dict[str, Any] = {"policy": self.policy, "ours": self.ours, "release": self.release}
        return settings_of(write_site(self.folder, self.port, influx=self.influx, **more), scheduled=False)

    @property
    def lock(self) -> Path:
        return self.settings.folder / LOCK_FILE

    @property
    def runs(self) -> list[Path]:
        return runs_of(self.folder / "site.yaml")

    def run(self, *, dry_run: bool = False, accept_mass_change: bool = False) -> RunReport:
        self.said.clear()
        self.qrs.events.clear()
        report = run_once(self.settings, self._context, dry_run=dry_run, accept_mass_change=accept_mass_change)
        self.now += timedelta(minutes=1)  # a run's name has seconds
        return report

    def first_step(self) -> RunReport:
        """A run whose releases are left to a second step."""
        self.said.clear()
        self.qrs.events.clear()
        report = run_once(self.settings, self._context, dry_run=False, in_two_steps=True)
        self.now += timedelta(minutes=1)
        return report

    def second_step(self, first: RunReport, *license_ids: str, over: Sequence[str] = ()) -> RunReport:
        """The second step of a run, with these licenses allowed; all that are left where none is named."""
        assert first.left is not None
        keys = [one.key for one in first.left.chosen if not license_ids or one.license_id in license_ids]
        report = release_left(self.settings, self._context, first.left, keys, over)
        self.now += timedelta(minutes=1)
        return report

    @property
    def _context(self) -> RunContext:
        return RunContext(self._connect, self.hand, self.log, self.stop)

    def words(self) -> list[str]:
        return [message for _, message, _ in self.said]

    def crash(self) -> Path:
        """A run that is killed when its first DELETE is on its way, which QRS does not get to see; its folder."""

        def killed(license_id: str) -> None:
            raise MemoryError

        before, self.qrs.on_delete = self.runs, killed
        with pytest.raises(MemoryError):
            self.run()
        self.qrs.on_delete = lambda license_id: None
        self.now += timedelta(minutes=1)
        (folder,) = set(self.runs) - set(before)
        return folder
