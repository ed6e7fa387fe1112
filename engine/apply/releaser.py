"""Releasing: exactly what a plan says, each license looked at once more before it is deleted.

The second look: re-read the license and its user, decide again by the plan's policy; any changed fact skips it.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime
from typing import Protocol

from msgspec import UNSET, Raw, UnsetType

from seatwarden.engine.apply.actions import Judged, OneRequest
from seatwarden.engine.apply.behind_pseudonyms import BehindPseudonyms, check_key
from seatwarden.engine.apply.drift import drifted_facts
from seatwarden.engine.decide.decide import DecideOne, decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.withheld import is_withheld
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.facts.facts import OVER_ALL_LICENSES
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.plan.downgrades import why_in_vain
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

    def license_rules(self) -> bytes | None:
        """The license rules of the site as JSON; None where they cannot be read."""
        ...

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        """Deletes a license: status and body of the answer. Raises NoAnswer when none came."""
        ...


class Release(OneRequest):
    """The action of releasing the licenses of a plan. A plan with pseudonyms needs the same ones here.

    `clock` tells the day on which the policy decides again; `released_by` tells which run of ours has released a
    license, if one did. `decide_now` decides before each DELETE, and hears the registers beside the site: it raises
    UntrustedRecord where they cannot be relied on. Raises PlanRefused where the key of pseudonyms is not at hand.
    """

    method = "DELETE"
    done: OutcomeKind = "released"
    overtaken: OutcomeKind = "gone"
    seen = "the license is gone"
    attempts = ATTEMPTS
    unanswered = Judged("failed", f"{ATTEMPTS} times no answer to the DELETE; QRS still lists the license")

    def __init__(
        self,
        plan: RecordedPlan,
        qrs: Qrs,
        *,
        pseudonyms: Pseudonyms | None,
        clock: Callable[[], datetime],
        released_by: Callable[[Key], str | None] = lambda key: None,
        decide_now: DecideOne = decide,
    ) -> None:
        check_key(plan, pseudonyms)
        self._plan = plan
        self._qrs = qrs
        hides = pseudonyms is not None and plan.header.period is not None
        self._hidden = BehindPseudonyms(plan, pseudonyms) if hides and pseudonyms is not None else None
        self._rows: dict[Key, License] = {}
        self._rules: Raw | UnsetType = UNSET
        self._clock = clock
        self._released_by = released_by
        self._decide_now = decide_now
        self._decisions = {decision.key: decision for decision in plan.decisions}

    def prepare(self, keys: Sequence[Key]) -> None:
        """Reads the license rules again, once, where the policy speaks of them. Behind pseudonyms all rows of the site
        are read, too. Raises RemoteError."""
        policy = self._plan.policy
        asked = policy.reads("license.takenBackBy") or policy.downgrades
        if asked and self._rules is UNSET and (rules := self._qrs.license_rules()) is not None:
            self._rules = Raw(rules)
        if self._hidden is not None:
            types = dict.fromkeys(license_type for license_type, _ in keys)
            self._rows = self._hidden.rows({one: self._qrs.licenses(one) for one in types})

    def line_of(self, key: Key) -> int:
        """The line of the plan that decides on the license."""
        return self._plan.line_of[key]

    def user_of(self, key: Key) -> str:
        """Whose license it is, as the plan says it."""
        return self._decisions[key].user

    def look(self, key: Key) -> License | None:
        """The license of a line as it is now; None when it is gone. Raises RemoteError."""
        if self._hidden is not None and key not in self._rows:
            return None
        return self._qrs.license(key[0], self._id_of(key))

    def is_done(self, row: License | None) -> bool:
        """Whether the license is gone; in quarantine it is, too."""
        return row is None or row.quarantined is True

    def obstacle(self, key: Key, row: License | None) -> Judged | None:
        """Why the license is not released after all. Raises RemoteError."""
        why = self.second_look(key, row)
        return Judged("skipped", why) if why is not None else None

    def send(self, key: Key) -> tuple[int, str]:
        """Deletes the license. Raises RemoteError, NoAnswer."""
        return self._qrs.delete(key[0], self._id_of(key))

    def answered(self, status: int, *, again: bool) -> Judged | None:
        """What an answer to the DELETE says; after a defect of QRS it is looked up."""
        if status == 404 and again:
            return Judged("released", "gone after a DELETE without an answer")
        if status == 404:
            return Judged("gone", "QRS had no such license any more")
        if 200 <= status < 300:
            return Judged("released", "")
        return Judged("failed", f"QRS answered {status}") if status < 500 else None

    def concealed(self, key: Key, detail: str, body: str | None) -> tuple[str, str | None]:
        """Detail and body of an outcome; behind pseudonyms without ids: what QRS says may name anybody."""
        if self._hidden is None:
            return detail, body
        return self._hidden.without_ids(detail, self._rows.get(key)), None

    def moment(self, at: datetime) -> datetime:
        """The instant of a line; behind pseudonyms its day, since QRS notes the moment beside the name."""
        return at if self._hidden is None else at.replace(hour=0, minute=0, second=0, microsecond=0)

    def second_look(self, key: Key, row: License | None, beside: Collection[str] = ()) -> str | None:
        """Why the license is not taken after all, or None when nothing has changed; other licenses of the person with
        the ids `beside` are as if they were not there. Raises RemoteError."""
        decision = self._decisions[key]
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
            rows = {
                license_type: [one for one in self._qrs.licenses_of(license_type, user.id) if one.id not in beside]
                for license_type in LICENSE_TYPES
            }
        others = [other for other in rows[decision.license_type] if other.id != row.id]
        rows[decision.license_type] = [row, *others]
        day = make_day(self._clock(), self._plan.day.zone.key)
        snapshot = Snapshot.of([user], rows, self._plan.header.site_facts or NO_SITE_FACTS)
        snapshot.last_released = RELEASES_HIDDEN if self._hidden is not None else _last_released(decision, user)
        snapshot.overview = self._plan.header.overview
        snapshot.license_rules = self._rules
        now = self._decide_now(self._plan.policy, snapshot, decision.license_type, row, day)
        if self._hidden is not None:
            changes = (
                [] if self._hidden.still_holds(decision, snapshot, row) else ["it is not as the plan says any more"]
            )
        else:
            changes = drifted_facts(decision, now, (day.today - self._plan.day.today).days)
        if now.verdict == "downgrade" and (why := why_in_vain(snapshot, user)) is not None:
            changes.append(why)
        if now.verdict not in ("keep", decision.verdict):
            changes.append(f"the policy says {now.verdict} now")
        if not now.takes:
            return "; ".join([*changes, "now kept" if self._hidden is not None else f"now kept: {now.reason}"])
        # Skipped also where the policy would release all the same: the plan was approved on other facts.
        return "; ".join(changes) or None

    def _id_of(self, key: Key) -> str:
        """The id that QRS has for the license of a line."""
        return self._rows[key].id if self._hidden is not None else key[1]


def _last_released(decision: Decision, user: User) -> dict[str, date] | str:
    """When a license of the user was released before, by the plan's record: this apply may have released one since."""
    fact = decision.facts.get("user.lastReleased")
    if not isinstance(fact, tuple):
        return fact.reason if fact is not None else ""
    on = [day for day in fact if isinstance(day, date)]
    return {user.directory_and_id: on[0]} if on else {}
