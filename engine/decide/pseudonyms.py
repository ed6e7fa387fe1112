"""Pseudonyms: ids of users and licenses as keyed digests that hold for one period, where a log must not name people.

A pseudonym is an HMAC-SHA-256 under a key that is made from the key file's and the period: a month, or one run. Within
a period the same person has the same pseudonym, across periods nobody can tell; only who holds the key file and a
snapshot can find people again. What else a log says of them is coarse: see `engine.decide.disguise`.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from seatwarden.engine.common.key_file import DEFAULT_K, Period, PseudonymKey, read_key
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decision import Decision, is_pseudonym, user_of
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import OF_SITE, Fact
from seatwarden.engine.snapshot.model import License, Snapshot, UserReference
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.vocabulary import OF_POOL

_PREFIX = "p-"
PERSONAL = ("user", "user.userId", "user.name", "user.attributes")
"""Fields whose values tell who a person is."""
_EXACT = ("today", "month", "weekday", "license.type", "license.neverUsed", "license.excess", *OF_SITE, *OF_POOL)
"""Facts that are exact where all others are coarse, beside those that are true or false."""


class Revealed(NamedTuple):
    """A person behind a pseudonym."""

    user_directory: str | None
    user_id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The pseudonyms under one key; with a `period` those of that period, else those of logs of format 1.

    `per` says how long a period is, `k` how many must say the same for a log to say it.
    """

    key: bytes = field(repr=False)
    per: Period = "month"
    k: int = DEFAULT_K
    period: str | None = None
    _period_key: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = self.key if self.period is None else hmac.digest(self.key, f"period\n{self.period}".encode(), "sha256")
        object.__setattr__(self, "_period_key", own)

    @classmethod
    def under(cls, found: PseudonymKey) -> "Pseudonyms":
        """The pseudonyms that a site file asks for."""
        return cls(found.key, found.per, found.k)

    @property
    def key_id(self) -> str:
        """A digest that tells key files apart, and nothing else of them."""
        return hmac.digest(self.key, b"key id", "sha256").hex()[:20]

    def at(self, day: Day) -> "Pseudonyms":
        """Those of the period that a plan of this moment lies in."""
        return self.of_period(f"{day.today:%Y-%m}" if self.per == "month" else format_instant(day.now))

    def of_period(self, period: str | None) -> "Pseudonyms":
        """Those of a period as the first line of a plan has it; None for a plan of format 1."""
        return replace(self, period=period)

    def of_user(self, user: str) -> str:
        """The pseudonym of `DIRECTORY\\id`; case does not matter, as in QRS."""
        return _PREFIX + self.digest("user\n" + user.casefold())

    def of_license(self, license_type: LicenseType, license_id: str) -> str:
        """The pseudonym of a license."""
        return _PREFIX + self.digest(f"license\n{license_type}\n{license_id}")

    def of_holder(self, license_pseudonym: str) -> str:
        """A pseudonym of whoever holds a license, that leads to no other license of theirs."""
        return _PREFIX + self.digest(f"holder\n{license_pseudonym}")

    def people(self, snapshot: Snapshot) -> dict[str, Revealed]:
        """The people behind the pseudonyms of users and holders, as far as a snapshot speaks of them."""
        found: dict[str, Revealed] = {}
        for user in snapshot.users:
            person = Revealed(user.user_directory, user.user_id, user.name or None)
            found[self.of_user(user.directory_and_id)] = person
        for license_type, rows in snapshot.licenses.items():
            for row in rows:
                holder = _holder(row, snapshot)
                if holder is not None:
                    found[self.of_holder(self.of_license(license_type, row.id))] = holder
                    found.setdefault(self.of_user(user_of(holder.user_directory, holder.user_id)), holder)
        return found

    def digest(self, text: str) -> str:
        """A digest of a text that only the key holder can make, and only for this period."""
        return hmac.digest(self._period_key, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:20]


def _holder(row: License, snapshot: Snapshot) -> Revealed | None:
    """The person that a row is about, as a decision names them."""
    if isinstance(row.user, UserReference):
        known = snapshot.users_by_id.get(row.user.id)
        if known is not None:
            return Revealed(known.user_directory, known.user_id, known.name or None)
        return Revealed(row.user.user_directory, row.user.user_id, row.user.name) if row.user.user_id else None
    return Revealed(row.deleted_user_directory or None, row.deleted_user_id, None) if row.deleted_user_id else None


def load_pseudonyms(path: Path, per: Period = "month", k: int = DEFAULT_K) -> Pseudonyms:
    """The pseudonyms under the key in a file. Raises InputError."""
    return Pseudonyms(read_key(path), per, k)


# What a reader can rely on -------------------------------------------------------------------------------


def hides_facts(decision: Decision) -> bool:
    """Whether facts that the rules read are hidden: all but a few are coarse, in format 1 names have pseudonyms."""
    if is_pseudonym(decision.license_id):
        return any(not _is_exact(name, fact) for name, fact in decision.facts.items())
    return is_pseudonym(decision.user_id) and any(map(is_personal, decision.facts))


def known_facts(decision: Decision) -> Mapping[str, Fact]:
    """The facts that a decision can be thought further from: what is hidden or coarse is unknown."""
    if not hides_facts(decision):
        return decision.facts
    hidden = Unknown("hidden behind a pseudonym")
    coarse = is_pseudonym(decision.license_id)
    return {
        name: hidden if (not _is_exact(name, fact) if coarse else is_personal(name)) else fact
        for name, fact in decision.facts.items()
    }


def _is_exact(name: str, fact: Fact) -> bool:
    return name in _EXACT or (isinstance(fact, tuple) and all(isinstance(value, bool) for value in fact) and bool(fact))


def is_personal(name: str) -> bool:
    """Whether a field, by its name in the language, tells who a person is."""
    return name in PERSONAL or name.startswith("user.attributes.")
