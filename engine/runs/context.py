"""The surroundings of a run: QRS, whose hand it is, whom to tell. They are found on the roof and passed down."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from msgspec import structs

from seatwarden.engine.apply.downgrader import QrsToApply
from seatwarden.engine.plan.circumstances import Hand
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.notices import Couriers, real_courier
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import Snapshot, User
from seatwarden.grammar.ast import LicenseType


class Connection(QrsToApply, Protocol):
    """The part of QRS that a run needs: to read the site, then to release."""

    @property
    def ending(self) -> Sequence[EndingCertificate]:
        """The certificates that end soon, as far as they are known yet."""
        ...

    @property
    def site_clock(self) -> datetime | None:
        """What QRS's clock said at its first answer, if it said anything."""
        ...

    def snapshot(self, now: datetime) -> Snapshot:
        """Users and licenses as they are now. Raises RemoteError."""
        ...


class Log(Protocol):
    """A listener to what happens while it happens: a sentence, and facts by name."""

    def __call__(self, message: str, *, level: int = logging.INFO, **facts: object) -> None:
        """Takes a sentence; `level` is one of `logging`'s."""
        ...


@dataclass(frozen=True, slots=True)
class RunContext:
    """The surroundings of a run: QRS, whose hand it is, whom to tell.

    Once `stop` is set, no further license is begun.
    """

    connect: Callable[[], AbstractContextManager[Connection]]
    hand: Hand
    log: Log
    stop: threading.Event = field(default_factory=threading.Event)
    couriers: Couriers = real_courier
    """Opens the way out for messages to people whose licenses are due."""
    pool: str | None = None
    """The pool of sites, all of which are looked at by whoever runs this."""
    agree: Callable[[User, LicenseType], str | None] = lambda user, license_type: None
    """Says right before each release why another site of the pool does not agree; None where all do."""

    def hand_of(self, settings: Settings) -> Hand:
        """The hand, with the key by which it signs, where the site file has one. Raises InputError."""
        return structs.replace(self.hand, key=settings.signing.read()) if settings.signing else self.hand

    @property
    def clock(self) -> Callable[[], datetime]:
        """The clock."""
        return self.hand.clock
