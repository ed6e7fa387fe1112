"""What a guarantee means, said once more by the reference evaluator: on given facts it is kept, or it is not."""

from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from seatwarden.engine.decide.reference import evaluate, evaluate_rule
from seatwarden.engine.facts.facts import Fact, Facts
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Condition, Field, Guarantee, Length, Not, ReadAs, Rule, UnusedFor
from seatwarden.policy.guarantees.truth import Situation
from seatwarden.policy.guarantees.unknowns import no_text, nobody_has
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.vocabulary import IN_USE
from tests.world_strategies import KnownFacts

SOURCES = (
    *("user.userDirectory", "user.userId", "user.name", "user.roles", "user.tags", "user.@", "user.attributes"),
    *("user.inactive", "user.blocked", "user.removedExternally", "user.deleteProhibited", "user.createdDate"),
    *("user.licenses", "user.lastUsed", "user.lastReleased", "user.allocations", "license.lastUsed"),
    *("license.createdDate", "license.excess", "license.available", "license.total", "site.properties"),
    "site.attributes",
)
"""What can be missing in QRS by itself."""


@dataclass(frozen=True)
class SomeFacts:
    """Facts of which some are missing."""

    known: KnownFacts
    missing: frozenset[str]

    def read(self, field: Field) -> Fact:
        return Unknown("missing") if self._is_unknown(field) else self.known.read(field)

    def _is_unknown(self, field: Field) -> bool:
        used, used_any = (self.known.read(Field(f"{whose}.lastUsed")) for whose in ("license", "user"))
        needed = {
            "user": {"user.userDirectory", "user.userId"},
            "license.neverUsed": {"license.lastUsed"},
            "license.unusedDays": {"license.lastUsed", *([] if used else ["license.createdDate"])},
            "user.lastUsed": {"license.lastUsed", "user.lastUsed"},
            "user.unusedDays": {
                *("license.lastUsed", "user.lastUsed"),
                *([] if used_any else ["license.createdDate", "user.allocations"]),
            },
        }
        return bool(needed.get(field.name, {field.name}) & self.missing)


missing = st.just(frozenset[str]()) | st.frozensets(st.sampled_from(SOURCES), max_size=3)


def released(policy: CheckedPolicy, facts: Facts, among: tuple[Rule, ...] | None = None) -> bool:
    """Whether the rules alone take a license; `among` are the rules that take and count."""
    own: Any = facts.read(Field("license.type"))
    today: Any = facts.read(Field("today"))
    rules = [rule for rule in policy.rules if rule.applies_to(own[0])]
    truths = {id(rule): evaluate_rule(rule, facts, policy.names, today[0]).truth for rule in rules}
    kept = any(truths[id(rule)] is not False for rule in rules if rule.kind == "keep")
    instead = any(truths[id(rule)] is not False for rule in rules if rule.kind == "downgrade")
    counting = [rule for rule in rules if rule.takes and (among is None or rule in among) and truths[id(rule)] is True]
    return not kept and any(rule.kind == "downgrade" or not instead for rule in counting)


def is_broken(policy: CheckedPolicy, guarantee: Guarantee, facts: Facts, other: Facts | None = None) -> bool:
    """Whether a license is not as was guaranteed; `other` is the other license of the same user."""
    if guarantee.promise == "never both types":
        return other is not None and released(policy, facts) and released(policy, other)
    own: Any = facts.read(Field("license.type"))
    about: list[Condition] = [guarantee.condition] if guarantee.condition is not None else []
    if isinstance(guarantee.before, Length):
        about.append(Not(UnusedFor(guarantee.before)))
    truths = [evaluate(condition, facts, policy.names).truth for condition in about]
    if guarantee.license_types and own[0] not in guarantee.license_types:
        return False
    if guarantee.promise == "always":
        return all(truth is True for truth in truths) and not released(policy, facts)
    releases = tuple(rule for rule in policy.rules if rule.takes)
    if guarantee.promise == "never without notice":
        releases = tuple(rule for rule in releases if rule.notice is None)
    return False not in truths and released(policy, facts, releases)


_KINDS: tuple[Literal["date", "number"], ...] = ("date", "number")


class AsFacts:
    """An example as the evaluator reads facts."""

    def __init__(self, case: Situation) -> None:
        self._case = case

    def read(self, field: Field) -> Fact:
        world = self._case.world
        if any(world.satisfies(no_text(ReadAs(kind, field))) for kind in _KINDS):
            return ("soon",)
        values = self._case.read(field)
        family = next((name for name, in_use in IN_USE.items() if in_use == field), None)
        if values is None:
            return Unknown("missing")
        return tuple(v for v in values if family is None or not world.satisfies(nobody_has(Field(family, str(v)))))
