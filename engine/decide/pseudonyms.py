"""Pseudonyms: names in plans and journals as keyed digests, for sites where a log must not name people.

A pseudonym is an HMAC-SHA-256 of `DIRECTORY\\id` under a secret key, so the same person has the same pseudonym in
every log of that key, and only who holds the key and a snapshot can find the person again. Replaced are user ids,
names and attributes. The user directory, license ids and the policy's own text stay: a policy that names a person
names that person.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec import structs

from seatwarden.engine.common.key_file import read_key
from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import Decision, Evaluated
from seatwarden.engine.decide.reference import RuleOutcome, Trace
from seatwarden.engine.facts.facts import Fact, Unknown
from seatwarden.engine.facts.guards import RowState, guard_for
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.grammar.ast import Field
from seatwarden.grammar.printer import print_field
from seatwarden.policy.operators import Value

_PREFIX = "p-"
_PSEUDONYM = re.compile(r"p-[0-9a-f]{20}", re.ASCII)
PERSONAL = ("user", "user.userId", "user.name", "user.attributes")
"""Fields whose values tell who a person is."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms under one key."""

    key: bytes

    @property
    def key_id(self) -> str:
        """A digest that tells keys apart, and nothing else of them."""
        return self._digest("key id")

    def of_user(self, user: str) -> str:
        """The pseudonym of `DIRECTORY\\id`; case does not matter, as in QRS."""
        return _PREFIX + self._digest("user\n" + user.casefold())

    def of_decision(self, decision: Decision) -> Decision:
        """The decision with names replaced everywhere, also in its reason. The verdict is what it was."""
        user_id = self.of_user(decision.user) if decision.user_id is not None else None
        name = user_id if decision.user_name is not None else None
        row_state = self._standing(decision.row_state)
        outcomes = tuple(self._outcome(outcome, user_id) for outcome in decision.outcomes)
        # The reason is worded anew from the replaced facts: to replace names within the old sentence would miss some,
        # and hit words that only look the same.
        _, reason = conclude(decision.license_type, outcomes, guard_for(row_state))
        facts = {field: self._fact(field, fact, user_id) for field, fact in decision.facts.items()}
        return structs.replace(
            decision,
            user_id=user_id,
            user_name=name,
            row_state=row_state,
            reason=reason,
            evaluation=Evaluated(facts, outcomes),
        )

    def people(self, snapshot: Snapshot) -> dict[str, tuple[str, str | None]]:
        """The people behind the pseudonyms: user id and name by pseudonym, for all that a snapshot speaks of."""
        found: dict[str, tuple[str, str | None]] = {}
        for rows in snapshot.licenses.values():
            for row in rows:
                if row.deleted_user_id:
                    user = f"{row.deleted_user_directory or '?'}\\{row.deleted_user_id}"
                    found[self.of_user(user)] = (row.deleted_user_id, None)
        for person in snapshot.users:
            user = f"{person.user_directory}\\{person.user_id}"
            found[self.of_user(user)] = (person.user_id, person.name or None)
        return found

    def _outcome(self, outcome: RuleOutcome, user_id: str | None) -> RuleOutcome:
        return structs.replace(outcome, trace=self._trace(outcome.trace, user_id))

    def _trace(self, trace: Trace, user_id: str | None) -> Trace:
        facts = tuple((field, self._fact(print_field(field), fact, user_id)) for field, fact in trace.facts)
        left = getattr(trace.condition, "left", None)
        hits = self._values(print_field(left), trace.hits, user_id) if isinstance(left, Field) else trace.hits
        parts = tuple(self._trace(part, user_id) for part in trace.parts)
        return structs.replace(trace, facts=facts, hits=hits, parts=parts)

    def _fact(self, field: str, fact: Fact, user_id: str | None) -> Fact:
        return fact if isinstance(fact, Unknown) else self._values(field, fact, user_id)

    def _values(self, field: str, values: tuple[Value, ...], user_id: str | None) -> tuple[Value, ...]:
        if field == "user":
            return tuple(_with_id(str(value), user_id) for value in values) if user_id else values
        if field in ("user.userId", "user.name"):
            return tuple(user_id or "" for _ in values)
        if field.startswith("user.attributes"):
            return tuple(_PREFIX + self._digest(f"{field}\n{str(value).casefold()}") for value in values)
        return values

    def _standing(self, row_state: RowState) -> RowState:
        deleted = row_state.deleted_user
        return structs.replace(row_state, deleted_user=_with_id(deleted, self.of_user(deleted)) if deleted else None)

    def _digest(self, text: str) -> str:
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()[:20]


def _with_id(user: str, user_id: str) -> str:
    """`DIRECTORY\\id` with another id."""
    directory, separator, _ = user.partition("\\")
    return directory + separator + user_id


def load_pseudonyms(path: Path) -> Pseudonyms:
    """The pseudonyms under the key in a file. Raises InputError."""
    return Pseudonyms(read_key(path))


def hides_facts(decision: Decision) -> bool:
    """Whether facts that the rules read stand behind pseudonyms."""
    hidden = decision.user_id is not None and _PSEUDONYM.fullmatch(decision.user_id)
    return bool(hidden) and any(map(is_personal, decision.facts))


def known_facts(decision: Decision) -> Mapping[str, Fact]:
    """The facts that a decision can be thought further from: what stands behind a pseudonym is unknown."""
    if not hides_facts(decision):
        return decision.facts
    hidden = Unknown("hidden behind a pseudonym")
    return {name: hidden if is_personal(name) else fact for name, fact in decision.facts.items()}


def is_personal(name: str) -> bool:
    """Whether a field, by its name in the language, tells who a person is."""
    return name in PERSONAL or name.startswith("user.attributes.")
