"""The downgrades of a plan: those that are not to be made now are kept, and said; no seat is given twice.

What stands in the way of each is found before people are told, so that nobody is told in vain; the free licenses are
shared out afterwards, longest unused first, among those that are downgraded at once. Releases of the same plan do not
count as free: until they are made, they are not.
"""

from collections.abc import Iterable, Sequence

from msgspec import structs

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.downgrade import why_none_free, why_not_to
from seatwarden.engine.decide.standing import due_reason, due_ruling, is_due, ruled
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.downgrade import DowngradeStanding
from seatwarden.engine.plan.given_back import gives_licenses
from seatwarden.engine.snapshot.model import License, Snapshot, User, UserReference
from seatwarden.engine.take_back.answer import named_rules
from seatwarden.grammar.ast import DOWNGRADED, DOWNGRADED_TO, AnyLimit, LicenseType, Reserve

BY_ANOTHER = "the person's Professional license is downgraded by the same plan"
BEHIND_PSEUDONYMS = "with pseudonyms nobody could tell later who was downgraded"


def reserved_in(limits: Iterable[AnyLimit], license_type: LicenseType = DOWNGRADED_TO) -> int:
    """How many licenses of a type the limits want free: a downgrade takes none of them."""
    return sum(limit.free for limit in limits if isinstance(limit, Reserve) and limit.license_type == license_type)


def why_in_vain(snapshot: Snapshot, user: User) -> str | None:
    """That license rules of the site certainly give the user a license again of the type that is taken, whatever else
    is left, in words; None where they do not, or nobody can say."""
    if not gives_licenses(snapshot):
        return None
    from seatwarden.engine.take_back.take_back import take_backs_of  # their grammar: few snapshots have rules

    rules = take_backs_of(snapshot).of_user(user, DOWNGRADED).rules
    return f"Qlik gives the {DOWNGRADED} license back at the next log-in, by {named_rules(rules)}" if rules else None


class Downgrades:
    """The downgrades of one plan. `hidden`: what it says has pseudonyms."""

    def __init__(self, snapshot: Snapshot, day: Day, limits: tuple[AnyLimit, ...], *, hidden: bool) -> None:
        self._snapshot, self._day, self._hidden = snapshot, day, hidden
        self._reserved = reserved_in(limits)
        self._holders = {
            (license_type, row.id): row.user.id
            for license_type, rows in snapshot.licenses.items()
            for row in rows
            if isinstance(row.user, UserReference)
        }

    def unless_in_the_way(self, decision: Decision) -> Decision:
        """The decision by the rules; kept where something is in the way of a downgrade, whoever else is downgraded."""
        if not is_due(decision) or decision.rule is None or decision.rule.kind != "downgrade":
            return decision
        why = BEHIND_PSEUDONYMS if self._hidden else self._in_the_way(self._holders[decision.key])
        return self._kept(decision, why) if why is not None else decision

    def shared_out(self, decisions: Sequence[Decision]) -> tuple[Decision, ...]:
        """The decisions once the free licenses are shared out, and who is downgraded keeps the other license."""
        kept: dict[tuple[LicenseType, str], Decision] = {}
        given, people = 0, set[str]()
        for decision in sorted((one for one in decisions if one.verdict == "downgrade"), key=_longest_first):
            person = self._holders[decision.key]
            needs = not self._analyzers(person)
            seats = self._snapshot.overview.get(DOWNGRADED_TO)
            why = why_none_free(seats, self._reserved, given) if needs else None
            if why is not None:
                kept[decision.key] = self._kept(decision, why)
                continue
            given += needs
            people.add(person)
        for decision in decisions:
            if decision.takes and decision.license_type != DOWNGRADED and self._holders.get(decision.key) in people:
                kept[decision.key] = self._kept(decision, BY_ANOTHER)
        return tuple(kept.get(decision.key, decision) for decision in decisions)

    def _in_the_way(self, person: str) -> str | None:
        if DOWNGRADED_TO not in self._snapshot.licenses:
            return f"the snapshot has no {DOWNGRADED_TO} licenses"
        if any(row.quarantined is not True for row in self._snapshot.unclaimed_licenses):
            return "`user` is missing on a license of the snapshot"
        held = self._analyzers(person)
        if (why := why_not_to(held)) is not None:
            return why
        if (why := why_in_vain(self._snapshot, self._snapshot.users_by_id[person])) is not None:
            return why
        seats = self._snapshot.overview.get(DOWNGRADED_TO)
        if not held and (seats is None or seats.available is None):
            return why_none_free(seats, self._reserved)
        return None

    def _analyzers(self, person: str) -> list[License]:
        return [row for kind, row in self._snapshot.licenses_of.get(person, ()) if kind == DOWNGRADED_TO]

    def _kept(self, decision: Decision, why: str) -> Decision:
        standing = decision.standing
        known = standing.downgrade or DowngradeStanding()
        standing = structs.replace(standing, downgrade=structs.replace(known, why=why))
        ruling, reason = ruled(due_ruling(decision.ruling), due_reason(decision), standing, self._day)
        return structs.replace(decision, ruling=ruling, reason=reason, standing=standing)


def _longest_first(decision: Decision) -> tuple[int, str]:
    return -(decision.unused_days or 0), decision.license_id
