"""Applying a plan: exactly what it says, license by license, each looked at once more before it is deleted.

For each license: re-read it and its user, decide again by the plan's policy; any changed fact skips it. Then
journal the intent, DELETE, journal the outcome. An answer that never came is looked up, not assumed.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from seatwarden.engine.apply.behind_pseudonyms import BehindPseudonyms
from seatwarden.engine.apply.drift import drifted_facts
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.disguise import is_withheld
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import NoAnswer, NotAuthorized, RemoteError
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.facts.facts import OVER_ALL_LICENSES
from seatwarden.engine.facts.standing import StandingsNow, nothing_stands
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.log.lines import Key, OutcomeKind
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.snapshot.model import (
    NO_SITE_FACTS,
    RELEASES_HIDDEN,
    License,
    Snapshot,
    User,
    UserReference,
)
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType

ATTEMPTS = 3
"""How often a DELETE is sent when no answer comes and QRS, asked, still lists the license."""


class Qrs(Protocol):
    """The calls that applying makes to QRS; all methods raise RemoteError."""

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        """The license as it is now, or None when it is gone."""
        ...

    def user(self, user_id: str) -> User | None:
        """The user as it is now, or None."""
        ...

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        """The licenses of one type that a user holds now."""
        ...

    def licenses(self, license_type: LicenseType) -> list[License]:
        """All licenses of one type as they are now."""
        ...

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        """Deletes a license: status and body of the answer. Raises NoAnswer when none came."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result for one license, and a sentence. `stop` ends the run: nothing that follows can succeed."""

    key: Key
    user: str
    result: OutcomeKind
    detail: str
    stop: bool = False


class Apply:
    """One apply of a plan.

    `attempted` are licenses for which an earlier run sent a DELETE without learning what became of it: once gone,
    they count as released. `withdrawn` says why the plan is not to be carried on with: then nothing is released, and
    only those are looked up. A plan with pseudonyms needs the same ones here. `clock` tells the instant of each
    line; `progress` is called with every outcome. Once `stop` is set, no further license is begun. `released_by` tells
    which run of ours has released a license, if one did; `standings_now` asks the registers before each DELETE, so that
    a hold made since the plan keeps.
    """

    def __init__(
        self,
        plan: RecordedPlan,
        qrs: Qrs,
        journal: Journal,
        *,
        attempted: Iterable[Key],
        pseudonyms: Pseudonyms | None,
        clock: Callable[[], datetime],
        progress: Callable[[Outcome], None],
        stop: threading.Event | None = None,
        withdrawn: str | None = None,
        released_by: Callable[[Key], str | None] = lambda key: None,
        standings_now: StandingsNow = nothing_stands,
    ) -> None:
        self._plan = plan
        self._released_by = released_by
        self._standings_now = standings_now
        self._qrs = qrs
        self._journal = journal
        self._hidden = BehindPseudonyms(plan, pseudonyms) if pseudonyms is not None else None
        self._rows: dict[Key, License] = {}
        self._attempted = frozenset(attempted)
        self._withdrawn = withdrawn
        self._clock = clock
        self._progress = progress
        self._decisions = {decision.key: decision for decision in plan.decisions}
        self._stop = stop or threading.Event()
        self._ended = threading.Event()
        self.refused = False
        """Whether QRS did not accept us, which ended the run."""
        self.reached = False
        """Whether QRS has told of any license."""

    def run(self, keys: Sequence[Key], parallel: int) -> list[Outcome]:
        """Releases the licenses, `parallel` at a time. Raises OSError when the journal cannot be written,
        UntrustedRecord when the registers cannot be relied on any more.

        Behind pseudonyms all rows of the site are read first: RemoteError where that fails, and nothing is released.
        """
        outcomes: list[Outcome] = []
        if self._hidden is not None and keys:
            types = dict.fromkeys(license_type for license_type, _ in keys)
            self._rows = self._hidden.rows({one: self._qrs.licenses(one) for one in types})
        with ThreadPoolExecutor(max_workers=parallel) as pool:
            try:
                for outcome in pool.map(self._unless_stopped, keys):
                    if outcome is not None:
                        outcomes.append(outcome)
            except BaseException:  # an interrupt too: no further license is begun, those under way are finished
                self._ended.set()
                raise
        return outcomes

    def _unless_stopped(self, key: Key) -> Outcome | None:
        if self._ended.is_set() or self._stop.is_set():
            return None
        try:
            outcome = self._release(key)
        except BaseException:  # what cannot be journalled must not be done, and after a defect nothing is sure
            self._ended.set()
            raise
        if outcome.stop:
            self._ended.set()
            self.refused = True
        return outcome

    def _release(self, key: Key) -> Outcome:
        """One license from the second look to its outcome."""
        decision = self._decisions[key]
        attempted = key in self._attempted
        if self._withdrawn and not attempted:
            return self._note(key, "skipped", f"not begun: {self._withdrawn}")
        try:
            row = self._row(key)
            self.reached = True
            if attempted and (row is None or row.quarantined is True):
                return self._note(key, "released", "an earlier run had sent the DELETE; looked up: the license is gone")
            obstacle = f"not tried again: {self._withdrawn}" if self._withdrawn else self._second_look(decision, row)
        except RemoteError as error:
            stop = isinstance(error, NotAuthorized)
            # Where a DELETE was sent it stays unknown what became of it, until QRS can be asked.
            result: OutcomeKind = "unknown" if attempted else "failed"
            return self._note(key, result, f"could not be read again: {error.message}", stop)
        if obstacle is not None:
            return self._note(key, "skipped", obstacle)
        self._journal.intend(self._plan.line_of[key], key, self._decisions[key].user, self._now())
        return self._delete(key)

    def _second_look(self, decision: Decision, row: License | None) -> str | None:
        """Why the license is not released after all, or None when nothing has changed."""
        if row is None:
            run = self._released_by(decision.key)
            # A run of another period knows the license by another pseudonym.
            other = "somebody else" if self._hidden is None else "another run or somebody else"
            return f"the license is gone: {f'run {run}' if run else other} has released it"
        if not isinstance(row.user, UserReference):
            gone = row.user is None
            return "the license has no user any more" if gone else "`user` of the license is missing or unreadable"
        user = self._qrs.user(row.user.id)
        if user is None:
            return "the user is gone"
        rows: dict[LicenseType, list[License]] = {license_type: [] for license_type in LICENSE_TYPES}
        if is_withheld(decision) or not decision.facts.keys().isdisjoint(OVER_ALL_LICENSES):
            rows = {license_type: self._qrs.licenses_of(license_type, user.id) for license_type in LICENSE_TYPES}
        others = [other for other in rows[decision.license_type] if other.id != row.id]
        rows[decision.license_type] = [row, *others]
        day = make_day(self._clock(), self._plan.day.zone.key)
        snapshot = Snapshot.of([user], rows, self._plan.header.site_facts or NO_SITE_FACTS)
        snapshot.last_released = RELEASES_HIDDEN if self._hidden is not None else _last_released(decision, user)
        snapshot.overview = self._plan.header.overview
        standing = snapshot.with_standings(self._standings_now(snapshot, day))
        now = decide(self._plan.policy, standing, decision.license_type, row, day)
        if self._hidden is not None:
            changes = (
                [] if self._hidden.still_holds(decision, snapshot, row) else ["it is not as the plan says any more"]
            )
        else:
            changes = drifted_facts(decision, now, (day.today - self._plan.day.today).days)
        if now.verdict == "keep":
            return "; ".join([*changes, "now kept" if self._hidden is not None else f"now kept: {now.reason}"])
        # Skipped also where the policy would release all the same: the plan was approved on other facts.
        return "; ".join(changes) or None

    def _delete(self, key: Key) -> Outcome:
        """Sends the DELETE. An answer that does not come is looked up; what is still listed is tried again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                status, body = self._qrs.delete(key[0], self._id_of(key))
            except NotAuthorized as error:
                return self._note(key, "failed", error.message, stop=True)
            except NoAnswer as error:
                outcome = self._looked_up(key, f"no answer to the DELETE ({error.message})")
                if outcome is not None:
                    return outcome
                continue
            except RemoteError as error:
                return self._looked_up(key, error.message) or self._note(key, "failed", error.message)
            if status == 404 and (attempt > 1 or key in self._attempted):
                return self._note(key, "released", "gone after a DELETE without an answer", status=status)
            if status == 404:
                return self._note(key, "gone", "QRS had no such license any more", status=status)
            if 200 <= status < 300:
                return self._note(key, "released", "", status=status)
            settled = self._looked_up(key, f"QRS answered {status}") if status >= 500 else None
            return settled or self._note(key, "failed", f"QRS answered {status}", status=status, body=body)
        return self._note(key, "failed", f"{ATTEMPTS} times no answer to the DELETE; QRS still lists the license")

    def _looked_up(self, key: Key, why: str) -> Outcome | None:
        """The outcome that QRS itself tells; None when it still lists the license."""
        try:
            row = self._row(key)
        except RemoteError as error:
            stop = isinstance(error, NotAuthorized)
            return self._note(key, "unknown", f"{why}; it could not be looked up: {error.message}", stop)
        if row is None or row.quarantined is True:
            return self._note(key, "released", f"{why}; looked up: the license is gone")
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
        """Journals an outcome; `status` and `body` are QRS's answer to the DELETE."""
        if self._hidden is not None:
            detail, body = self._hidden.without_ids(detail, self._rows.get(key)), None  # what QRS says may name anybody
        outcome = Outcome(key, self._decisions[key].user, result, detail, stop)
        line = self._plan.line_of[key]
        self._journal.note(line, key, outcome.user, result, detail, self._now(), status=status, body=body)
        self._progress(outcome)
        return outcome

    def _row(self, key: Key) -> License | None:
        """The license of a line as it is now; None when it is gone. Raises RemoteError."""
        if self._hidden is not None and key not in self._rows:
            return None
        return self._qrs.license(key[0], self._id_of(key))

    def _id_of(self, key: Key) -> str:
        """The id that QRS has for the license of a line."""
        return self._rows[key].id if self._hidden is not None else key[1]

    def _now(self) -> str:
        """The instant of a line; behind pseudonyms its day, since QRS notes the moment beside the name."""
        moment = self._clock()
        if self._hidden is not None:
            moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        return format_instant(moment)


def _last_released(decision: Decision, user: User) -> dict[str, date] | str:
    """When a license of the user was released before, by the plan's record: this apply may have released one since."""
    fact = decision.facts.get("user.lastReleased")
    if not isinstance(fact, tuple):
        return fact.reason if fact is not None else ""
    on = [day for day in fact if isinstance(day, date)]
    return {user.directory_and_id: on[0]} if on else {}
