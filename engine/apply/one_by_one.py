"""Licenses one by one, each from a second look to its outcome: whatever is done with them.

For each license: look at it once more; what has changed skips it. Then journal the intent, send, journal the outcome.
An answer that never came is looked up, not assumed. The licenses of one person are never handled at the same time.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seatwarden.engine.apply.actions import Action, ActionOf, Judged, Outcome
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.errors import NoAnswer, NotAuthorized, RemoteError
from seatwarden.engine.log.journal import Gift, Journal
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.grammar.ast import LicenseType


@dataclass(frozen=True, slots=True)
class _Notes:
    """The journal, for what an action does with one license before it is sent."""

    journal: Journal
    line: int
    user: str
    now: Callable[[], str]

    def give(self, license_type: LicenseType) -> None:
        self.journal.give(self.line, license_type, self.user, self.now())

    def given(self, license_type: LicenseType, gift: Gift) -> None:
        self.journal.given(self.line, license_type, self.user, gift, self.now())


class OneByOne:
    """One carrying out; each license has its action.

    `attempted` are licenses for which an earlier run sent something without learning what became of it: what QRS shows
    as done counts as done by us. `withdrawn` says why the work is not to be carried on with: then nothing is sent, and
    only those are looked up. `clock` tells the instant of each line; `progress` is called with every outcome. Once
    `stop` is set, no further license is begun.
    """

    def __init__(
        self,
        action_of: ActionOf,
        journal: Journal,
        *,
        attempted: Iterable[Key],
        clock: Callable[[], datetime],
        progress: Callable[[Outcome], None],
        stop: threading.Event | None = None,
        withdrawn: str | None = None,
    ) -> None:
        self._action_of = action_of
        self._journal = journal
        self._attempted = frozenset(attempted)
        self._withdrawn = withdrawn
        self._clock = clock
        self._progress = progress
        self._stop = stop or threading.Event()
        self._ended = threading.Event()
        self.refused = False
        """Whether QRS did not accept us, which ended the run."""
        self.reached = False
        """Whether QRS has told of any license."""

    def run(self, keys: Sequence[Key], parallel: int) -> list[Outcome]:
        """Does it for the licenses, those of `parallel` people at a time. Raises OSError when the journal cannot be
        written.

        What all of them need is read first: RemoteError where that fails, and nothing is sent.
        """
        outcomes: list[Outcome] = []
        for action in {id(one): one for one in map(self._action_of, keys)}.values():
            action.prepare([key for key in keys if self._action_of(key) is action])
        with ThreadPoolExecutor(max_workers=parallel) as pool:
            try:
                for several in pool.map(self._of_person, self._by_person(keys)):
                    outcomes += several
            except BaseException:  # an interrupt too: no further license is begun, those under way are finished
                self._ended.set()
                raise
        return outcomes

    def _by_person(self, keys: Sequence[Key]) -> list[list[Key]]:
        """The licenses of each person, in the order in which the first of them stands."""
        found: dict[str, list[Key]] = {}
        for key in keys:
            found.setdefault(self._action_of(key).user_of(key), []).append(key)
        return list(found.values())

    def _of_person(self, keys: Sequence[Key]) -> list[Outcome]:
        return [outcome for key in keys if (outcome := self._unless_stopped(key)) is not None]

    def _unless_stopped(self, key: Key) -> Outcome | None:
        if self._ended.is_set() or self._stop.is_set():
            return None
        try:
            outcome = self._one(key)
        except BaseException:  # what cannot be journalled must not be done, and after a defect nothing is sure
            self._ended.set()
            raise
        if outcome.stop:
            self._ended.set()
            self.refused = True
        return outcome

    def _one(self, key: Key) -> Outcome:
        """One license from the second look to its outcome."""
        action, attempted = self._action_of(key), key in self._attempted
        if self._withdrawn and not attempted and not action.is_begun(key):
            return self._note(key, "skipped", f"not begun: {self._withdrawn}")
        notes = _Notes(self._journal, action.line_of(key), action.user_of(key), self._now_for(action))
        try:
            rows = action.look(key)
            self.reached = True
            if attempted and action.is_done(rows):
                sent = f"an earlier run had sent the {action.method}"
                return self._note(key, action.done, f"{sent}; looked up: {action.seen}")
            if self._withdrawn:
                return self._judged(key, action.withdrawn(key, rows, f"not tried again: {self._withdrawn}", notes))
            obstacle = action.obstacle(key, rows) or action.first(key, rows, notes)
        except RemoteError as error:
            stop = isinstance(error, NotAuthorized)
            # Where something was sent it stays unknown what became of it, until QRS can be asked.
            result: OutcomeKind = "unknown" if attempted or action.is_begun(key) else "failed"
            return self._note(key, result, f"could not be read again: {error.message}", stop)
        if obstacle is not None:
            return self._judged(key, obstacle)
        self._journal.intend(action.line_of(key), key, action.user_of(key), self._now_for(action)())
        return self._send(key)

    def _send(self, key: Key) -> Outcome:
        """Sends it. An answer that does not come is looked up; what is not done is tried again."""
        action = self._action_of(key)
        for attempt in range(1, action.attempts + 1):
            try:
                status, body = action.send(key)
            except NotAuthorized as error:
                return self._note(key, "failed", error.message, stop=True)
            except NoAnswer as error:
                outcome = self._looked_up(key, f"no answer to the {action.method} ({error.message})", action.done)
                if outcome is not None:
                    return outcome
                continue
            except RemoteError as error:
                return self._looked_up(key, error.message, action.done) or self._note(key, "failed", error.message)
            again = attempt > 1 or key in self._attempted
            told = action.answered(status, again=again)
            if told is not None:
                said = body if told.result == "failed" else None
                return self._note(key, told.result, told.detail, status=status, body=said)
            why = f"QRS answered {status}"
            refused = status < 500 and not again
            settled = self._looked_up(key, why, action.overtaken if refused else action.done)
            return settled or self._note(key, "failed", why, status=status, body=body)
        return self._judged(key, action.unanswered)

    def _judged(self, key: Key, judged: Judged) -> Outcome:
        return self._note(key, judged.result, judged.detail)

    def _looked_up(self, key: Key, why: str, done: OutcomeKind) -> Outcome | None:
        """The outcome that QRS itself tells, `done` where it shows that; None when it shows that it is not done."""
        action = self._action_of(key)
        try:
            rows = action.look(key)
        except RemoteError as error:
            stop = isinstance(error, NotAuthorized)
            return self._note(key, "unknown", f"{why}; it could not be looked up: {error.message}", stop)
        if action.is_done(rows):
            return self._note(key, done, f"{why}; looked up: {action.seen}")
        return None

    def _note(
        self,
        key: Key,
        result: OutcomeKind,
        detail: str,
        stop: bool = False,
        status: int | None = None,
        body: str | None = None,
    ) -> Outcome:
        """Journals an outcome; `status` and `body` are QRS's answer to what was sent."""
        action = self._action_of(key)
        detail, body = action.concealed(key, detail, body)
        outcome = Outcome(key, action.user_of(key), result, detail, stop)
        line, at = action.line_of(key), self._now_for(action)()
        self._journal.note(line, key, outcome.user, result, detail, at, status=status, body=body)
        self._progress(outcome)
        return outcome

    def _now_for(self, action: Action[Any]) -> Callable[[], str]:
        return lambda: format_instant(action.moment(self._clock()))
