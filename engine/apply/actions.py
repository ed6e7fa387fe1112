"""Actions: what is read, sent and looked up for one license. `engine.apply.one_by_one` takes licenses through one.

Releasing is one (a DELETE, `engine.apply.releaser`), giving back another (a POST, `engine.apply.restorer`). All that
must never go wrong, the intent on the disk before anything is sent and the look where no answer came, stands once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol, TypeVar

from seatwarden.engine.log.lines import Key, OutcomeKind

RowsT = TypeVar("RowsT")


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
