"""The facts of many licenses, field by field: what `engine.facts.facts` reads of one license, read of a whole batch.

Most of the time of a decision is calls of small functions; a column takes one call for a thousand licenses. Only the
fields that most policies read have a column of their own, all others are read by the table of `engine.facts.facts`. A
property test holds both against each other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from seatwarden.engine.facts.day import NEVER
from seatwarden.engine.facts.facts import NO_USER, READERS, Fact, Pairs, Subject, read_date
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.policy.vocabulary import VOCABULARY

FactColumn: TypeAlias = list[Any]
"""The facts of a batch, license by license: of a field in `SINGLE` its value or Unknown, of another its fact, of a
family its pairs."""

SINGLE = frozenset(name for name, entry in VOCABULARY.items() if not entry.many and not entry.optional)
"""Fields that have exactly one value when they are known. It stands alone in its column: a tuple around each would
take 30 MB for 100,000 licenses, and a tenth of the time."""


def read_column(name: str, subjects: Sequence[Subject]) -> FactColumn:
    """The column of a field that takes no key."""
    column = _COLUMNS.get(name)
    if column is not None:
        return column(subjects)
    read = READERS[name]
    facts = [read(subject, "") for subject in subjects]
    return facts if name not in SINGLE else [fact if isinstance(fact, Unknown) else fact[0] for fact in facts]


def as_facts(column: Sequence[Any], name: str) -> Sequence[Fact]:
    """A column of a field that takes no key, as facts."""
    if name not in SINGLE:
        return column
    if Unknown in set(map(type, column)):
        return [found if isinstance(found, Unknown) else (found,) for found in column]
    return list(zip(column, strict=True))  # a tuple around each value, without a loop in Python


def facts_by_key(column: Sequence[Pairs | Unknown], keys: Sequence[str]) -> dict[str, list[Fact]]:
    """The facts of a family, a column for each key. Most users have none of the properties that a policy speaks of."""
    facts: dict[str, list[Fact]] = {key: [()] * len(column) for key in keys}
    for row, pairs in enumerate(column):
        if isinstance(pairs, Unknown):
            for found in facts.values():
                found[row] = pairs
        else:
            for key, value in pairs:
                facts[key][row] += (value,)  # type: ignore[operator]
    return facts


def _user(subjects: Sequence[Subject]) -> FactColumn:
    users = [subject.user for subject in subjects]
    return [NO_USER if u is None else u.directory_and_id for u in users]


def _user_directory(subjects: Sequence[Subject]) -> FactColumn:
    users = [subject.user for subject in subjects]
    return [NO_USER if u is None else u.user_directory for u in users]


def _tags(subjects: Sequence[Subject]) -> FactColumn:
    read = READERS["user.tags"]
    # Most users have no tag: an empty list is read in no time, whatever else by the table.
    return [() if s.user is not None and s.user.tags == () else read(s, "") for s in subjects]


def _unused_days(subjects: Sequence[Subject]) -> FactColumn:
    return [subject.unused_days for subject in subjects]


def _last_used(subjects: Sequence[Subject]) -> FactColumn:
    days = [subject.last_used for subject in subjects]
    return [() if day is None else day if isinstance(day, Unknown) else (day,) for day in days]


def _created_date(subjects: Sequence[Subject]) -> FactColumn:
    texts = [text for subject in subjects if isinstance(text := subject.license.created_date, str)]
    if not texts or len(texts) < len(subjects):
        return [read_date(s.license.created_date, "license.createdDate", s.day) for s in subjects]
    days = subjects[0].day.days_of_timestamps(texts)
    return [
        read_date(text, "license.createdDate", subject.day) if found is None or found is NEVER else found
        for subject, text, found in zip(subjects, texts, days, strict=True)
    ]


_COLUMNS: Mapping[str, Callable[[Sequence[Subject]], FactColumn]] = {
    "user": _user,
    "user.userDirectory": _user_directory,
    "user.tags": _tags,
    "license.unusedDays": _unused_days,
    "license.lastUsed": _last_used,
    "license.createdDate": _created_date,
}
