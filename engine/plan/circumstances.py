"""The circumstances of a run: who made it, on which machine, by which command, and what the clocks said.

They are found on the roof and passed down: nothing below reads an account, a host or a clock.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.plan.modes import WHAT_IF, Mode

if TYPE_CHECKING:  # few hands have a key
    from seatwarden.engine.common.signing_key import SigningKey

CLOCKS_APART = timedelta(minutes=5)
"""From how far on two clocks are said to differ."""


class Circumstances(Struct, frozen=True, kw_only=True, rename="camel"):
    """Who, where and how.

    `account` is told by the system, not by the environment; `command` has the options, without what may be secret or
    name somebody; `interactive`: somebody sat at a terminal. `qlik_user` is who QRS takes us for, where we ask it.
    """

    account: str
    host: str
    command: str
    interactive: bool
    qlik_user: str | None = None


NOBODY = Circumstances(account="", host="", command="", interactive=False)
"""For plans that a program makes by the Python API, and does not say more."""


class Clocks(Struct, frozen=True):
    """Our clock when the file was begun, and QRS's at its first answer (null: it said nothing, or was not asked)."""

    ours: str
    qrs: str | None = None

    @property
    def apart(self) -> timedelta | None:
        """How far ours is ahead of QRS's, where that is more than people can overlook."""
        ours, other = parse_timestamp(self.ours), parse_timestamp(self.qrs or "")
        if ours is None or other is None or abs(ours - other) <= CLOCKS_APART:
            return None
        return ours - other


def clocks_of(ours: datetime, qrs: datetime | None = None) -> Clocks:
    """The clocks as the record has them."""
    return Clocks(format_instant(ours), format_instant(qrs) if qrs is not None else None)


SEED_BYTES = 32
"""Random bytes that the salts of one file are drawn from."""


class Hand(Struct, frozen=True):
    """Whose hand does something: who and how, the clock, where random bytes come from, and by which key it signs what
    it closes, if it does."""

    made: Circumstances
    clock: Callable[[], datetime]
    draw: Callable[[int], bytes]
    key: "SigningKey | None" = None

    def seed(self) -> bytes:
        """Random bytes for one file, that are used for nothing else."""
        return self.draw(SEED_BYTES)

    def clocks(self, qrs: datetime | None) -> Clocks:
        """What the clocks say now; `qrs` is what that of QRS said."""
        return clocks_of(self.clock(), qrs)

    def origin(self, mode: Mode, qrs: datetime | None) -> "Origin":
        """How a plan made by this hand comes about."""
        return Origin(mode, self.made, self.clocks(qrs))


class Origin(Struct, frozen=True):
    """How a plan came about. Unless somebody says otherwise it is a what-if, which is never applied."""

    mode: Mode = WHAT_IF
    made: Circumstances = NOBODY
    clocks: Clocks = Clocks("")
