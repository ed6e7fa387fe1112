"""Giving back what a downgrade took: somebody is given a Professional license, and then loses the Analyzer one.

Only the row whose id our journal has is taken back: what the person had before, or got from others, is not ours.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from seatwarden.engine.apply.actions import ActionOf, Judged, Notes
from seatwarden.engine.apply.exchange import Exchange, ExchangeRows, QrsToExchange
from seatwarden.engine.apply.restorer import QrsToRestore, Restore
from seatwarden.engine.log.journal import Gift
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.restore import RestoreLog
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.snapshot.model import License, UserReference
from seatwarden.grammar.ast import DOWNGRADED


class QrsToGiveBack(QrsToRestore, QrsToExchange, Protocol):
    """The calls that a restore makes to QRS; all methods raise RemoteError."""


class Regive(Exchange):
    """The action of giving back what a downgrade took. `restore` knows the people of the site."""

    done: ClassVar[OutcomeKind] = "restored"
    overtaken: ClassVar[OutcomeKind] = "restored"

    def __init__(self, log: RestoreLog, restore: Restore, qrs: QrsToExchange, gifts: Mapping[Key, Gift | None]) -> None:
        super().__init__(qrs, DOWNGRADED, gifts)
        self._log, self._restore = log, restore

    def prepare(self, keys: Sequence[Key]) -> None:
        """Reads the users of the site."""
        self._restore.prepare(keys)

    def line_of(self, key: Key) -> int:
        """The line of the restore that speaks of the license."""
        return self._log.line_of[key]

    def user_of(self, key: Key) -> str:
        """Whose license it was."""
        return self._log.by_key[key].about.user

    def obstacle(self, key: Key, rows: ExchangeRows) -> Judged | None:
        """Why it is not done after all. Raises RemoteError."""
        if rows.given and self.is_done(rows) and not self.is_begun(key):
            return Judged("held", f"the person has a {self._gives} license again")
        return super().obstacle(key, rows)

    def first(self, key: Key, rows: ExchangeRows, notes: Notes) -> Judged | None:
        """Gives the license; where nothing of ours is left to be taken back, that is all."""
        judged = super().first(key, rows, notes)
        if judged is None and self.is_done(rows):
            return Judged("restored", "nothing of ours was left to be taken back")
        return judged

    def _row_to_take(self, key: Key) -> Key | None:
        line = self._log.by_key[key]
        given = line.about.instead
        return (line.takes, given) if isinstance(given, str) and isinstance(line.takes, str) else None

    def _person(self, key: Key, taken: License | None) -> str | None:
        return self._restore.person_of(key)

    def _changed(self, key: Key, rows: ExchangeRows) -> str | None:
        why = self._restore.why_nobody(key)
        taken, person = rows.taken, self._restore.person_of(key)
        if (
            why is None
            and taken is not None
            and not (isinstance(taken.user, UserReference) and taken.user.id == person)
        ):
            return "the license that was given in its place is somebody else's now"
        return why


def actions_of_restore(log: RestoreLog, qrs: QrsToGiveBack, gifts: Mapping[Key, Gift | None]) -> ActionOf:
    """The action for each license of a restore."""
    restore = Restore(log, qrs)
    regive, exchanged = Regive(log, restore, qrs, gifts), log.exchanges
    return lambda key: regive if log.line_of[key] in exchanged else restore
