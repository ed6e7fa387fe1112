"""The facts of many licenses, field by field: what `engine.facts` reads of one license, read of a whole batch.

Most of the time of a decision is calls of small functions; a column takes one call for a thousand licenses. Only the
fields that most policies read have a column of their own, all others are read by the table of `engine.facts`. A
property test holds both against each other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from engine.facts import NO_USER, READERS, Fact, Subject, Unknown

Column: TypeAlias = list[Any]
"""The facts of one field (or the pairs of one family), license by license."""


def read_column(name: str, subjects: Sequence[Subject]) -> Column:
    """The column of a field that takes no key."""
    column = _COLUMNS.get(name)
    if column is not None:
        return column(subjects)
    read = READERS[name]
    return [read(subject, "") for subject in subjects]


def _user(subjects: Sequence[Subject]) -> Column:
    users = [subject.user for subject in subjects]
    return [NO_USER if u is None else (f"{u.user_directory}\\{u.user_id}",) for u in users]


def _user_directory(subjects: Sequence[Subject]) -> Column:
    users = [subject.user for subject in subjects]
    return [NO_USER if u is None else (u.user_directory,) for u in users]


def _tags(subjects: Sequence[Subject]) -> Column:
    read = READERS["user.tags"]
    # Most users have no tag: an empty list is read in no time, whatever else by the table.
    return [() if s.user is not None and s.user.tags == () else read(s, "") for s in subjects]


def _unused_days(subjects: Sequence[Subject]) -> Column:
    return [days if isinstance(days, Unknown) else (days,) for days in [s.unused_days for s in subjects]]


def _last_used(subjects: Sequence[Subject]) -> Column:
    def fact(subject: Subject) -> Fact:
        used = subject.last_used
        return () if used is None else used if isinstance(used, Unknown) else (used,)

    return [fact(subject) for subject in subjects]


_COLUMNS: Mapping[str, Callable[[Sequence[Subject]], Column]] = {
    "user": _user,
    "user.userDirectory": _user_directory,
    "user.tags": _tags,
    "license.unusedDays": _unused_days,
    "license.lastUsed": _last_used,
}
