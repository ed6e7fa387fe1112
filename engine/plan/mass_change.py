"""A change that touches everybody: facts that make licenses releasable, and changed for many users since the last run.

A filter of a user directory connector that marks all users as removed, a tag that was deleted in the QMC: each license
is decided rightly by what Qlik Sense says, and all of them at once is probably a mistake upstream. Compared are the
facts that both plans have recorded, license by license; what is counted is users, and only changes towards release:
a part of a release rule that has become true, a part of a keep rule that is not true any more. Disuse and the calendar
change by themselves and are left out. What is unknown now releases nobody, and is no such change.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from msgspec import Struct

from seatwarden.engine.common.text import plural
from seatwarden.engine.decide.decision import Decision, facts_of
from seatwarden.engine.decide.phrases import show_values
from seatwarden.engine.decide.pseudonyms import is_personal
from seatwarden.engine.decide.reference import Trace, evaluate
from seatwarden.engine.facts.facts import Fact, RecordedFact, RecordedFacts
from seatwarden.grammar.ast import (
    Comparison,
    Condition,
    Field,
    IsEmpty,
    LicenseType,
    Not,
    Rule,
    children,
    walk,
)
from seatwarden.grammar.printer import print_field
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import Value
from seatwarden.policy.vocabulary import IN_USE, Type, entry_of

MASS_CHANGE_PERCENT = 20
"""Of the users, unless the site file says otherwise."""
LEAST_USERS = 5
"""Fewer users are no mass, however small the site."""
_BY_ITSELF = ("license.type", "license.neverUsed", "weekday")
"""Facts that are disuse, or the calendar, beside dates and numbers."""
_WHO = ("user", "user.userId", "user.name")

Recorded: TypeAlias = Mapping[tuple[LicenseType, str], Mapping[str, RecordedFact]]
"""The facts of each license in the plan before, by the license's type and id."""


class MassChange(Struct, frozen=True):
    """A fact that has changed for many users: `sentence` says for how many, and what that does."""

    fact: str
    sentence: str


class Compared(Struct, frozen=True):
    """The result of comparing a plan with the one before: what touches everybody, and what could not be compared."""

    changes: tuple[MassChange, ...]
    users: int
    not_recorded: tuple[str, ...]


def compare_facts(
    policy: CheckedPolicy,
    decisions: Iterable[Decision],
    before: Recorded,
    percent: int,
    *,
    with_names: bool = True,
) -> Compared:
    """The facts that changed towards release for more than `percent` of the users since the plan before.

    Also a protection that more than half of those who had it have lost. `with_names` is False where the plan before has
    the pseudonyms of format 1 for what tells who a person is: that is left out then.
    """
    listed = tuple(decisions)
    parts = [part for part in _parts(policy) if with_names or not any(map(is_personal, part.names))]
    tallies = [_Tally(part, policy) for part in parts]
    users: set[str] = set()
    missing: set[str] = set()
    for decision, now in zip(listed, facts_of(listed), strict=True):
        was = before.get(decision.key)
        if was is None:
            continue
        users.add(decision.user)
        for tally in tallies:
            if tally.part.names <= was.keys():
                tally.add(decision, was, now)
            elif decision.license_type in tally.part.types:
                missing |= tally.part.names - was.keys()
    changes = [*_moved(tallies, len(users), percent), *_lost(tallies)]
    return Compared(tuple(changes), len(users), tuple(sorted(missing)))


class _Part(Struct, frozen=True):
    """A part of a rule that has no parts: true, it speaks for release or (`protects`) against."""

    condition: Condition
    names: frozenset[str]
    protects: bool
    types: frozenset[LicenseType]
    keys: tuple[str, ...]


def _parts(policy: CheckedPolicy) -> list[_Part]:
    found = [part for rule in policy.rules for part in _parts_of(rule, rule.condition, rule.kind == "keep")]
    return list({(part.condition, part.protects, part.types): part for part in found}.values())


def _parts_of(rule: Rule, condition: Condition, protects: bool) -> Iterator[_Part]:
    if isinstance(condition, Comparison | IsEmpty | Field):
        read = [part for part, _ in walk(condition) if isinstance(part, Field)]
        if read and all(map(_is_compared, read)):
            types = frozenset(rule.types)
            keys = tuple(field.key for field in read if field.key is not None)
            yield _Part(condition, frozenset(map(print_field, read)), protects, types, keys)
        return
    for child in children(condition):
        yield from _parts_of(rule, child, protects is not isinstance(condition, Not))


def _is_compared(read: Field) -> bool:
    entry = entry_of(read)
    return entry is not None and entry.type in (Type.TEXT, Type.BOOLEAN) and entry.name not in _BY_ITSELF


@dataclass(slots=True)
class _Tally:
    """The users for whom a part has moved towards release, and those whom it protected by each value."""

    part: _Part
    policy: CheckedPolicy
    moved: set[str] = field(default_factory=set)
    had: dict[Value | None, set[str]] = field(default_factory=lambda: defaultdict(set))
    lost: dict[Value | None, set[str]] = field(default_factory=lambda: defaultdict(set))
    _traces: dict[tuple[Fact, ...], Trace] = field(default_factory=dict)

    def add(self, decision: Decision, was: Mapping[str, RecordedFact], now: Mapping[str, Fact]) -> None:
        """Counts the user of a license by what the part read then and reads now."""
        if decision.license_type not in self.part.types:
            return
        names = sorted(self.part.names)
        before, after = tuple(was[name] for name in names), tuple(now[name] for name in names)
        changed = before != after
        if not changed and (not self.part.protects or not self.part.names.isdisjoint(_WHO)):
            return
        old, new = self._trace(names, before), self._trace(names, after)
        if self.part.protects:
            gone = new.truth is False and old.truth is not False
            for value in (old.hits or (None,)) if old.truth is True else ():
                self.had[value].add(decision.user)
                if gone:
                    self.lost[value].add(decision.user)
        else:
            gone = new.truth is True and old.truth is not True
        if gone:
            self.moved.add(decision.user)

    def _trace(self, names: list[str], facts: tuple[Fact, ...]) -> Trace:
        found = self._traces.get(facts)
        if found is None:
            # Whether anybody has a property at all is no question here: without it the fact would be unknown.
            in_use: dict[str, Fact] = {field.name: self.part.keys for field in IN_USE.values()}
            read = RecordedFacts(in_use | dict(zip(names, facts, strict=True)))
            found = self._traces[facts] = evaluate(self.part.condition, read, self.policy.names)
        return found


def _moved(tallies: Iterable[_Tally], users: int, percent: int) -> Iterator[MassChange]:
    """Each fact that moved for more than the share of the users; a user counts once a fact."""
    by_fact: dict[str, set[str]] = {}
    for tally in tallies:
        for name in sorted(tally.part.names):
            by_fact.setdefault(name, set()).update(tally.moved)
    for name, moved in by_fact.items():
        if len(moved) >= LEAST_USERS and len(moved) * 100 > users * percent:
            share = f"{len(moved):,} of {plural(users, 'user')}"
            yield MassChange(name, f"`{name}` has changed for {share}, so that their licenses can be released")


def _lost(tallies: Iterable[_Tally]) -> Iterator[MassChange]:
    """Each protection that more than half of those who had it have lost."""
    for tally in tallies:
        for value, had in tally.had.items():
            lost = tally.lost.get(value, set())
            if len(lost) >= LEAST_USERS and len(lost) * 2 > len(had):
                name = ", ".join(sorted(tally.part.names))
                whom = f"`{name}`" if value is None else f"`{name}` = {show_values((value,))}"
                count = f"all {len(had):,}" if len(lost) == len(had) else f"{len(lost):,} of {len(had):,}"
                yield MassChange(name, f"{count} users whom {whom} protected have lost it")
