"""Exchanging: somebody is given a license of one type, and only then loses the one of the other.

Look; *giving*; POST, never again without a look; *given*, with the row's id; look at both and at all facts again;
*intent*; DELETE; *outcome*. Nothing is undone: where anything is otherwise than it has to be, the person is left with
both, and is named. A DELETE without a known answer stays open until the row is seen gone.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, NamedTuple, Protocol

from seatwarden.engine.apply.actions import Judged, Notes
from seatwarden.engine.apply.releaser import ATTEMPTS
from seatwarden.engine.decide.downgrade import why_none_free, why_not_to
from seatwarden.engine.errors import NotAuthorized, RemoteError
from seatwarden.engine.log.journal import Gift
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.snapshot.model import License, Seats
from seatwarden.grammar.ast import LicenseType

_POST_UNKNOWN = "no answer to the POST, and no {} license to be seen; it is looked up before anything is sent again"


class QrsToExchange(Protocol):
    """The calls that an exchange makes to QRS; all methods raise RemoteError."""

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        """The license as it is now, or None when it is gone."""
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

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        """Deletes a license: status and body of the answer. Raises NoAnswer when none came."""
        ...


class ExchangeRows(NamedTuple):
    """What a person has: the license that is taken (None: it is gone), and all of the type that is given."""

    taken: License | None
    given: Sequence[License]


class Exchange(ABC):
    """An exchange, whichever way. `gifts` are what earlier runs have given; so many licenses are `reserved`."""

    method = "DELETE"
    done: ClassVar[OutcomeKind]
    overtaken: ClassVar[OutcomeKind]
    seen = "the license is gone"
    attempts = ATTEMPTS
    unanswered = Judged("unknown", f"{ATTEMPTS} times no answer to the DELETE; QRS still lists the license")

    def __init__(
        self, qrs: QrsToExchange, gives: LicenseType, gifts: Mapping[Key, Gift | None], reserved: int = 0
    ) -> None:
        self._qrs, self._gives, self._gifts, self._reserved = qrs, gives, dict(gifts), reserved
        self._giving = threading.Lock()
        """One at a time: two that see the same last free license would both be given one."""

    @abstractmethod
    def prepare(self, keys: Sequence[Key]) -> None:
        """Reads what all of them need, before the first."""

    @abstractmethod
    def line_of(self, key: Key) -> int:
        """The line of what was sealed that speaks of the license."""

    @abstractmethod
    def user_of(self, key: Key) -> str:
        """Whose license it is, as the journal says it."""

    @abstractmethod
    def _row_to_take(self, key: Key) -> Key | None:
        """Type and id of the row that is deleted; None where there is none to delete."""

    @abstractmethod
    def _person(self, key: Key, taken: License | None) -> str | None:
        """The id in QRS of the person; None where it is not known."""

    @abstractmethod
    def _changed(self, key: Key, rows: ExchangeRows) -> str | None:
        """Why it is not to be done after all, by all that is known of the person. Raises RemoteError."""

    # looking

    def look(self, key: Key) -> ExchangeRows:
        """Both sides as they are now. Raises RemoteError."""
        row = self._row_to_take(key)
        taken = self._qrs.license(*row) if row is not None else None
        person = self._person(key, taken)
        return ExchangeRows(taken, self._qrs.licenses_of(self._gives, person) if person is not None else [])

    def is_done(self, rows: ExchangeRows) -> bool:
        """Whether what is taken is gone; in quarantine it is, too."""
        return rows.taken is None or rows.taken.quarantined is True

    def obstacle(self, key: Key, rows: ExchangeRows) -> Judged | None:
        """Why it is not done after all. Raises RemoteError."""
        why = self._changed(key, rows) or why_not_to(rows.given, self._gives)
        return self._not_taken(key, rows, why) if why is not None else None

    # giving

    def first(self, key: Key, rows: ExchangeRows, notes: Notes) -> Judged | None:
        """Gives the other license, where there is none, and looks at everything again. Raises RemoteError, OSError."""
        if rows.given:
            self._note_found(key, rows, notes)
            return None
        with self._giving:
            person = self._person(key, rows.taken)
            why = why_none_free(self._qrs.seats().get(self._gives), self._reserved, of_type=self._gives)
            if person is None or why is not None:
                return Judged("skipped", why or "the user is gone")
            sent_before = self._is_open(key)
            notes.give(self._gives)
            self._gifts[key] = None
            answer = self._post(person)
            after = self.look(key)
            gift = _gift_of(after.given, answer, self._gives, sent_before=sent_before)
            notes.given(self._gives, gift)
            self._gifts[key] = gift
        if not after.given:
            return Judged("unknown" if gift.result == "unknown" else "failed", gift.detail)
        return self._unless_changed(key, rows, after)

    def _post(self, person: str) -> tuple[int | None, str]:
        """Status and body of the answer; no status where none came. Raises NotAuthorized."""
        try:
            return self._qrs.allocate(self._gives, person)
        except NotAuthorized:
            raise
        except RemoteError as error:
            return None, error.message

    def _is_open(self, key: Key) -> bool:
        """Whether a POST was sent, and it is not known what became of it."""
        gift = self._gifts.get(key)
        return key in self._gifts and (gift is None or gift.result == "unknown")

    def _note_found(self, key: Key, rows: ExchangeRows, notes: Notes) -> None:
        """Notes a license that is there already: ours, where a POST of ours was sent, since there was none before."""
        known = self._gifts.get(key)
        if known is not None and known.result in ("given", "there"):
            return
        ours = self._is_open(key)
        one = rows.given[0].id if len(rows.given) == 1 else None
        gift = Gift("given", one, "looked up: a POST had been sent") if ours else Gift("there", one, "")
        notes.given(self._gives, gift)
        self._gifts[key] = gift

    def _unless_changed(self, key: Key, rows: ExchangeRows, after: ExchangeRows) -> Judged | None:
        """Looks at everything again: what has to be there is there, and what is taken is as it was."""
        why = self._changed(key, after) or why_not_to(after.given, self._gives)
        if why is None and after.taken != rows.taken:
            why = "the license has changed meanwhile"
        return self._not_taken(key, after, why) if why is not None else None

    def _not_taken(self, key: Key, rows: ExchangeRows, why: str) -> Judged:
        """The result where nothing is taken: left with both, where we have given the other one."""
        gift = self._gifts.get(key)
        both = rows.taken is not None and rows.given and gift is not None and gift.result == "given"
        return Judged("left", f"left with both licenses: {why}") if both else Judged("skipped", why)

    # the rest of an action

    def withdrawn(self, key: Key, rows: ExchangeRows, why: str, notes: Notes) -> Judged:
        """What is left of it: who was given the other license has both."""
        if self._is_open(key):
            if not rows.given:
                return Judged("unknown", _POST_UNKNOWN.format(self._gives))
            self._note_found(key, rows, notes)
        return self._not_taken(key, rows, why)

    def is_begun(self, key: Key) -> bool:
        """Whether a license was given, or a POST sent."""
        gift = self._gifts.get(key)
        return self._is_open(key) or (gift is not None and gift.result == "given")

    def send(self, key: Key) -> tuple[int, str]:
        """Deletes what is taken. Raises RemoteError, NoAnswer."""
        row = self._row_to_take(key)
        assert row is not None  # noqa: S101 - without one it ends before
        return self._qrs.delete(*row)

    def answered(self, status: int, *, again: bool) -> Judged | None:
        """What an answer to the DELETE says; after a defect of QRS it is looked up."""
        if status == 404:
            return Judged(self.done, "QRS had no such license any more")
        if 200 <= status < 300:
            return Judged(self.done, "")
        return Judged("failed", f"QRS answered {status}") if status < 500 else None

    def concealed(self, key: Key, detail: str, body: str | None) -> tuple[str, str | None]:
        """Detail and body of an outcome, as they are: behind pseudonyms nothing is exchanged."""
        return detail, body

    def moment(self, at: datetime) -> datetime:
        """The instant of a line, as it is."""
        return at


def _gift_of(
    given: Sequence[License], answer: tuple[int | None, str], gives: LicenseType, *, sent_before: bool
) -> Gift:
    """What a POST came to, by what QRS shows behind it: before it there was none."""
    status, body = answer
    ids = [row.id for row in given]
    named = ids if len(ids) == 1 else [one for one in ids if one in body]
    said = f"QRS answered {status} to the POST" if status is not None else f"no answer to the POST ({body})"
    one = named[0] if len(named) == 1 else None
    if ids and status is not None and status < 300:
        return Gift("given", one, "", status)
    if ids and status is not None and status < 500 and not sent_before:
        return Gift("there", one, f"{said}; looked up: somebody else has given it", status)
    if ids:
        return Gift("given", one, f"{said}; looked up: it is there", status)
    if status is None:
        return Gift("unknown", None, _POST_UNKNOWN.format(gives))
    return Gift("refused", None, said, status, body)
