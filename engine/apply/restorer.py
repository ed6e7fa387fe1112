"""Giving back: a license that a run released is given to the same person anew.

The second look: is the user there, who holds what, and is one free. QRS's rows are new ones: the released row is gone,
and nothing brings it back. What a POST came to that was not answered is looked up among the rows of the person, and it
is not sent again in the same run: nobody has documented that QRS refuses the second.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from seatwarden.engine.apply.actions import Judged, OneRequest
from seatwarden.engine.common.timestamps import parse_timestamp, to_the_minute
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.restore import RestoreLog
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.snapshot.model import License, Seats, User
from seatwarden.grammar.ast import LicenseType


class QrsToRestore(Protocol):
    """The calls that giving back makes to QRS; all methods raise RemoteError."""

    def users(self) -> list[User]:
        """All users as they are now."""
        ...

    def user(self, user_id: str) -> User | None:
        """The user as it is now, or None."""
        ...

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        """The licenses of one type that a user holds now."""
        ...

    def seats(self) -> Mapping[LicenseType, Seats]:
        """QRS's own count of the licenses now."""
        ...

    def allocate(self, license_type: LicenseType, user_id: str) -> tuple[int, str]:
        """Gives a user a license: status and body of the answer. Raises NoAnswer when none came."""
        ...


class Restore(OneRequest):
    """The action of giving back. It is for one license after the other: what is free is counted before each."""

    method = "POST"
    done: OutcomeKind = "restored"
    overtaken: OutcomeKind = "held"
    seen = "the person has a license"
    attempts = 1
    unanswered = Judged("unknown", "no answer to the POST, and no license to be seen; restore again: it is looked up")

    def __init__(self, log: RestoreLog, qrs: QrsToRestore) -> None:
        self._log = log
        self._qrs = qrs
        self._users: dict[str, str] = {}
        """The ids in QRS of the users that it lists once."""
        self._doubled: frozenset[str] = frozenset()

    def prepare(self, keys: Sequence[Key]) -> None:
        """Reads the users of the site, once: the record has their names, a POST wants their ids."""
        if self._users or self._doubled:
            return
        users = self._qrs.users()
        listed = Counter(user.directory_and_id for user in users)
        self._users = {name: user.id for user in users if listed[name := user.directory_and_id] == 1}
        self._doubled = frozenset(name for name, count in listed.items() if count > 1)

    def line_of(self, key: Key) -> int:
        """The line of the restore that speaks of the license."""
        return self._log.line_of[key]

    def user_of(self, key: Key) -> str:
        """Whose license it was."""
        return self._log.by_key[key].about.user

    def look(self, key: Key) -> list[License]:
        """The licenses of the type that the person holds now, those in quarantine too. Raises RemoteError."""
        user_id = self.person_of(key)
        return self._qrs.licenses_of(key[0], user_id) if user_id is not None else []

    def person_of(self, key: Key) -> str | None:
        """The id in QRS of whose license it was; None where nobody is called so, or several are."""
        return self._users.get(self.user_of(key))

    def why_nobody(self, key: Key) -> str | None:
        """Why a license can be given to nobody, in words. Raises RemoteError."""
        user_id = self.person_of(key)
        if self.user_of(key) in self._doubled:
            return "QRS lists the user more than once: which one it was is not known"
        return "the user is gone" if user_id is None or self._qrs.user(user_id) is None else None

    def is_done(self, rows: list[License]) -> bool:
        """Whether the person has a license; one of which it is not known whether it is in quarantine counts."""
        return any(row.quarantined is not True for row in rows)

    def obstacle(self, key: Key, rows: list[License]) -> Judged | None:
        """Why the license is not given back after all. Raises RemoteError."""
        license_type = key[0]
        if self.is_done(rows):
            return Judged("held", f"the person has a license of type {license_type} again")
        if rows:
            end = rows[0].quarantine_end
            until = f" until {to_the_minute(end)}" if isinstance(end, str) and parse_timestamp(end) else ""
            return Judged("skipped", f"a license of the person is in quarantine{until}: reinstate it in the QMC")
        if (why := self.why_nobody(key)) is not None:
            return Judged("skipped", why)
        seats = self._qrs.seats().get(license_type)
        if seats is None or seats.available is None:
            return Judged("skipped", f"QRS does not say how many licenses of type {license_type} are free")
        if seats.available < 1:
            return Judged("skipped", f"no license of type {license_type} is free")
        return None

    def send(self, key: Key) -> tuple[int, str]:
        """Gives the person a license. Raises RemoteError, NoAnswer."""
        return self._qrs.allocate(key[0], self._users[self.user_of(key)])

    def answered(self, status: int, *, again: bool) -> Judged | None:
        """What an answer to the POST says; whatever is no success is looked up."""
        return Judged("restored", "") if 200 <= status < 300 else None

    def concealed(self, key: Key, detail: str, body: str | None) -> tuple[str, str | None]:
        """Detail and body of an outcome, as they are."""
        return detail, body

    def moment(self, at: datetime) -> datetime:
        """The instant of a line, as it is."""
        return at
