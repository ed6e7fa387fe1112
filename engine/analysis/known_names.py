"""The names that the users of a snapshot have, and which rules match there: what lint holds a policy against."""

from collections import defaultdict
from typing import TypeVar

from msgspec import UnsetType

from seatwarden.engine.decide.reference import evaluate_rule
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import SnapshotFacts, subject_of
from seatwarden.engine.facts.guards import guard_for, row_state_of
from seatwarden.engine.snapshot.model import Snapshot, User
from seatwarden.grammar.ast import Field, Rule
from seatwarden.grammar.printer import print_field
from seatwarden.policy.lint.known_names import KnownNames
from seatwarden.policy.loading import CheckedPolicy


def known_names(policy: CheckedPolicy, snapshot: Snapshot, day: Day) -> KnownNames:
    """The names that a snapshot has, for lint; facts that are missing or unreadable there add none."""
    return KnownNames(*names_in_use(snapshot), lambda rule: _may_match(rule, policy, snapshot, day))


def names_in_use(snapshot: Snapshot) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """The texts that users have by field, as a rule writes it, and the names of properties and attributes by family."""
    texts: dict[str, set[str]] = defaultdict(set)
    keys: dict[str, set[str]] = {"user.@": set(), "user.attributes": set()}
    for user in snapshot.users:
        for field, text in _texts_of(user):
            texts[print_field(field)].add(text)
            if field.key is not None:
                keys[field.name].add(field.key)
    return (
        {name: frozenset(found) for name, found in texts.items()},
        {name: frozenset(found) for name, found in keys.items()},
    )


def _texts_of(user: User) -> list[tuple[Field, str]]:
    found = [
        (Field("user"), user.directory_and_id),
        (Field("user.userDirectory"), user.user_directory),
        (Field("user.userId"), user.user_id),
    ]
    if isinstance(user.name, str):
        found.append((Field("user.name"), user.name))
    found += [(Field("user.roles"), role) for role in _rows(user.roles)]
    found += [(Field("user.tags"), tag.name) for tag in _rows(user.tags)]
    found += [(Field("user.@", row.definition.name), row.value) for row in _rows(user.custom_properties)]
    found += [(Field("user.attributes", row.attribute_type), row.attribute_value) for row in _rows(user.attributes)]
    return found


_Row = TypeVar("_Row")


def _rows(rows: tuple[_Row, ...] | None | UnsetType) -> tuple[_Row, ...]:
    return rows if isinstance(rows, tuple) else ()


def _may_match(rule: Rule, policy: CheckedPolicy, snapshot: Snapshot, day: Day) -> bool:
    """Whether a rule matches some license of the snapshot, or that of some is not known on which rules decide."""
    for license_type, licenses in snapshot.licenses.items():
        for license_ in licenses if rule.applies_to(license_type) else ():
            subject = subject_of(snapshot, license_type, license_, day)
            truth = evaluate_rule(rule, SnapshotFacts(subject), policy.names, day.today).truth
            if truth or (truth is None and guard_for(row_state_of(subject)) is None):
                return True
    return False
