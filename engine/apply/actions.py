"""Actions: what is read, sent and looked up for one license. `engine.apply.one_by_one` takes licenses through one.

Releasing is one (a DELETE, `engine.apply.releaser`), giving back another (a POST, `engine.apply.restorer`), and an
exchange is both (`engine.apply.exchange`): first the POST, then the DELETE. All that must never go wrong, the intent on
the disk before anything is sent and the look where no answer came, stands once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

from seatwarden.engine.log.journal import Gift
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.grammar.ast import LicenseType

RowsT = TypeVar("RowsT")
ActionOf: TypeAlias = "Callable[[Key], Action[Any]]"
"""The action for each license."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one license, and a sentence. `stop` ends the run: nothing that follows can succeed."""

    key: Key
    user: str
    result: OutcomeKind
    detail: str
    stop: bool = False


class Judged(NamedTuple):
    """A result, and why."""

    result: OutcomeKind
    detail: str


class Notes(Protocol):
    """Writes into the journal what an action does before the DELETE. Both methods raise OSError."""

    def give(self, license_type: LicenseType) -> None:
        """That a license of this type is about to be given."""
        ...

    def given(self, license_type: LicenseType, gift: Gift) -> None:
        """What became of that."""
        ...


class OneRequest:
    """The part of an action that sends one request and nothing before it."""

    def first(self, key: Key, rows: object, notes: Notes) -> Judged | None:
        """Nothing."""
        return None

    def withdrawn(self, key: Key, rows: object, why: str, notes: Notes) -> Judged:
        """It is not sent again."""
        return Judged("skipped", why)

    def is_begun(self, key: Key) -> bool:
        """Never beside what was sent."""
        return False


class Action(Protocol[RowsT]):
    """What is done with each license. Methods that ask QRS raise RemoteError."""

    @property
    def method(self) -> str:
        """The method of what is sent: `DELETE`."""
        ...

    @property
    def done(self) -> OutcomeKind:
        """The result where it has been done."""
        ...

    @property
    def overtaken(self) -> OutcomeKind:
        """The result where QRS refuses it, and shows that it is done: somebody else was first."""
        ...

    @property
    def seen(self) -> str:
        """What QRS shows once it is done, in words."""
        ...

    @property
    def attempts(self) -> int:
        """How often it is sent when no answer comes and QRS, asked, shows that it is not done."""
        ...

    @property
    def unanswered(self) -> Judged:
        """The outcome after the last of these."""
        ...

    def prepare(self, keys: Sequence[Key]) -> None:
        """Reads what all of them need, before the first."""
        ...

    def line_of(self, key: Key) -> int:
        """The line of what was sealed that speaks of the license."""
        ...

    def user_of(self, key: Key) -> str:
        """Whose license it is, as the journal says it."""
        ...

    def look(self, key: Key) -> RowsT:
        """What QRS shows of it now."""
        ...

    def is_done(self, rows: RowsT) -> bool:
        """Whether that shows that it is done."""
        ...

    def obstacle(self, key: Key, rows: RowsT) -> Judged | None:
        """Why it is not done after all; None where nothing is in the way."""
        ...

    def first(self, key: Key, rows: RowsT, notes: Notes) -> Judged | None:
        """Does what has to be done before it is sent; why it is not sent then, None where nothing is in the way.
        Raises OSError."""
        ...

    def withdrawn(self, key: Key, rows: RowsT, why: str, notes: Notes) -> Judged:
        """What is left of it where the work is not to be carried on with. Raises OSError."""
        ...

    def is_begun(self, key: Key) -> bool:
        """Whether an earlier run has done something of it, beside what was sent last."""
        ...

    def send(self, key: Key) -> tuple[int, str]:
        """Does it: status and body of the answer. Raises NoAnswer when none came."""
        ...

    def answered(self, status: int, *, again: bool) -> Judged | None:
        """What an answer says; None where QRS has to be asked. `again`: it had been sent before, without an answer."""
        ...

    def concealed(self, key: Key, detail: str, body: str | None) -> tuple[str, str | None]:
        """Detail and body of an outcome, without what must not stand in the journal."""
        ...

    def moment(self, at: datetime) -> datetime:
        """The instant of a line as the journal may have it."""
        ...
