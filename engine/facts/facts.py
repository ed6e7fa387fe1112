"""The facts a rule can read: for each field of the vocabulary, how it is found in a snapshot.

A fact is a tuple of values (empty when there is none: no tag, never used) or `Unknown` with the reason.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Protocol, TypeAlias

from msgspec import Struct, UnsetType, field

from seatwarden.engine.facts.day import NEVER, Day
from seatwarden.engine.snapshot.model import License, Seats, SiteFacts, Snapshot, User, UserReference
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, Field, LicenseType, ReadAs
from seatwarden.grammar.printer import print_field
from seatwarden.policy.operators import Value, read_text
from seatwarden.policy.vocabulary import IN_USE, NOUNS, VOCABULARY, Type

Fact: TypeAlias = tuple[Value, ...] | Unknown

RecordedValue: TypeAlias = str | int | bool
RecordedFact: TypeAlias = tuple[RecordedValue, ...] | Unknown
"""A fact as the decision log has it: dates are texts in ISO form."""

MAX_NUMBER = 4_000_000
"""Beyond every number that a field has, and fewer days than a date can be moved by."""


class Facts(Protocol):
    """A source of facts for an evaluation."""

    def read(self, field: Field) -> Fact:
        """The fact of that field."""
        ...


class Subject(Struct, frozen=True, gc=False):
    """The subject of one decision: a license row, its user (None: not to be found) and the day.

    `last_used` is the day of the last use in the policy's zone (None: never used), `unused_days` counts calendar days
    since then, or since the allocation when never used. Both are found once for all that read them.
    """

    snapshot: Snapshot
    license_type: LicenseType
    license: License
    user: User | None
    day: Day
    last_used: date | None | Unknown
    unused_days: int | Unknown


def subject_of(snapshot: Snapshot, license_type: LicenseType, license: License, day: Day) -> Subject:
    """The subject of the decision on a license of the snapshot."""
    used = last_use(license, day)
    user = snapshot.users_by_id.get(license.user.id) if isinstance(license.user, UserReference) else None
    return Subject(snapshot, license_type, license, user, day, used, _unused_days(license, used, day))


def subjects_of(snapshot: Snapshot, license_type: LicenseType, licenses: Sequence[License], day: Day) -> list[Subject]:
    """`subject_of` of many licenses, in less than half the time."""
    # What is no text, or does not name a day, is left to the other function, which says what it is.
    texts = [text for license_ in licenses if isinstance(text := license_.last_used, str)]
    if len(texts) < len(licenses):
        return [subject_of(snapshot, license_type, license_, day) for license_ in licenses]
    users, today, found, unused = snapshot.users_by_id, day.today, [], dict[date, int]()
    for license_, used in zip(licenses, day.days_of_timestamps(texts), strict=True):
        if used is None or used is NEVER:
            found.append(subject_of(snapshot, license_type, license_, day))
            continue
        days = unused.get(used)
        if days is None:
            days = unused[used] = (today - used).days
        holder = license_.user
        user = users.get(holder.id) if isinstance(holder, UserReference) else None
        found.append(Subject(snapshot, license_type, license_, user, day, used, days))
    return found


class SnapshotFacts(Struct):
    """Facts of one license in a snapshot. Every fact read is remembered in `seen`, by its name in the language."""

    subject: Subject
    seen: dict[str, Fact] = field(default_factory=dict)

    def read(self, field: Field) -> Fact:
        """The fact of that field; the field must be in the vocabulary."""
        name = print_field(field)
        if name not in self.seen:
            self.seen[name] = READERS[field.name](self.subject, field.key or "")
        return self.seen[name]


class RecordedFacts(Struct, frozen=True):
    """Facts as a plan recorded them."""

    values: Mapping[str, Fact]

    def read(self, field: Field) -> Fact:
        """The recorded fact; one that was not recorded is unknown."""
        name = print_field(field)
        fact = self.values.get(name)
        return Unknown(f"`{name}` was not recorded") if fact is None else fact


def fact_to_json(fact: Fact) -> object:
    """A fact for the decision log: a list of values, dates in ISO form, or `{"unknown": reason}`."""
    if isinstance(fact, Unknown):
        return {"unknown": fact.reason}
    return [value.isoformat() if isinstance(value, date) else value for value in fact]


def facts_from_json(recorded: Mapping[str, RecordedFact]) -> dict[str, Fact]:
    """Recorded facts by name, as they were read then. Raises ValueError for a value that its field cannot have."""
    facts: dict[str, Fact] = {}
    for name, fact in recorded.items():
        # A record repeats the type of no value: who compares a text with a number, or a date with a text, fails.
        facts[name] = fact if type(fact) is Unknown else _of_type(_type_of(name), fact, name)  # type: ignore[arg-type]
    return facts


def _of_type(wanted: Type | None, values: tuple[RecordedValue, ...], name: str) -> tuple[Value, ...]:
    if wanted is Type.DATE:
        return tuple([recorded_date(value, name) for value in values])
    kind = KINDS.get(wanted)
    for value in values:
        if type(value) is not kind or (kind is int and not -MAX_NUMBER <= value <= MAX_NUMBER):  # type: ignore[operator]
            raise ValueError(f"`{name}` cannot be {value!r}"[:200])
    return values


KINDS: Mapping[Type | None, type] = {Type.TEXT: str, Type.NUMBER: int, Type.BOOLEAN: bool}
"""The Python types of values other than dates."""


@lru_cache(maxsize=1024)
def _type_of(name: str) -> Type | None:
    """The type of a field's values, by the field's name in the language; None when there is no such field."""
    entry = VOCABULARY.get(next((family for family in FAMILIES if name.startswith(family)), name))
    return entry.type if entry else None


@lru_cache(maxsize=16_384)
def recorded_date(text: RecordedValue, name: str) -> date:
    """A date of a record; `name` is the field's. Raises ValueError."""
    try:
        return date.fromisoformat(text)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"`{name}` cannot be {text!r}"[:200]) from None


def last_use(license: License, day: Day) -> date | None | Unknown:
    """The day of the last use in the policy's zone; None when the license was never used."""
    raw = license.last_used
    if raw is None:
        return None
    used = day.day_of_timestamp(raw) if isinstance(raw, str) else None
    if used is None:
        return Unknown(f"`lastUsed` is unreadable: `{str(raw)[:40]}`")
    return None if used is NEVER else used


def _unused_days(license: License, used: date | None | Unknown, day: Day) -> int | Unknown:
    if used is None:
        allocated = read_date(license.created_date, "license.createdDate", day)
        if isinstance(allocated, Unknown):
            return Unknown(f"never used, and {allocated.reason}")
        used = allocated
    return used if isinstance(used, Unknown) else (day.today - used).days


# Readers, one a field ------------------------------------------------------------------------------------


def read_date(raw: object, name: str, day: Day) -> date | Unknown:
    """The day of a timestamp that QRS always sends; `name` is the field's."""
    if not isinstance(raw, str):
        return Unknown(f"`{name}` is missing or unreadable")
    found = day.day_of_timestamp(raw)
    if found is None or found is NEVER:
        return Unknown(f"`{name}` is unreadable: `{raw[:40]}`")
    return found


def _fact(value: date | int | Unknown) -> Fact:
    return value if isinstance(value, Unknown) else (value,)


def _known(raw: object, name: str) -> Fact:
    """A single value that QRS always sends."""
    if isinstance(raw, str | bool):
        return (raw,)
    return Unknown(f"`{name}` is missing or unreadable")


_NOTHING = Unknown("the user has no license in the snapshot")
NO_USER = Unknown("the user is not known")


def _of_user(read: Callable[[User, Day, str], Fact]) -> Callable[[Subject, str], Fact]:
    def reader(subject: Subject, key: str) -> Fact:
        if subject.user is None:
            return NO_USER
        return read(subject.user, subject.day, key)

    return reader


def _several(attribute: str, name: str, text_of: Callable[[Any], str]) -> Callable[[Subject, str], Fact]:
    """A list that QRS sends: null is empty, absent is unknown."""

    def read(user: User, day: Day, key: str) -> Fact:
        rows = getattr(user, attribute)
        return tuple(map(text_of, rows)) if isinstance(rows, tuple) else _no_rows(rows, name)

    return _of_user(read)


Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""The values of a family of fields (`user.@`, `user.attributes`), each behind its key."""


def _properties(subject: Subject, keys: Collection[str]) -> Pairs | Unknown:
    rows = subject.user.custom_properties if subject.user is not None else NO_USER
    if not isinstance(rows, tuple):
        return _no_rows(rows, "user.customProperties")
    return tuple([(row.definition.name, row.value) for row in rows if row.definition.name in keys])


def _attributes(subject: Subject, keys: Collection[str]) -> Pairs | Unknown:
    rows = subject.user.attributes if subject.user is not None else NO_USER
    if not isinstance(rows, tuple):
        return _no_rows(rows, "user.attributes")
    return tuple([(row.attribute_type, row.attribute_value) for row in rows if row.attribute_type in keys])


def _no_rows(rows: Unknown | UnsetType | None, name: str) -> tuple[()] | Unknown:
    """A list that QRS did not send: null is empty, absent is unknown."""
    if isinstance(rows, Unknown):
        return rows
    return () if rows is None else Unknown(f"`{name}` is missing or unreadable")


FAMILIES: Mapping[str, Callable[[Subject, Collection[str]], Pairs | Unknown]] = {
    "user.@": _properties,
    "user.attributes": _attributes,
}
"""The readers of families: each reads several fields at once, those with the given keys."""


def of_key(pairs: Pairs | Unknown, key: str) -> Fact:
    """The fact of one field of a family."""
    return pairs if isinstance(pairs, Unknown) else tuple([value for name, value in pairs if name == key])


def _licenses_of(subject: Subject, key: str) -> Fact:
    """Types held, quarantined ones not counted: those are on their way out already."""
    if subject.user is None:
        return NO_USER
    missing = [t for t in LICENSE_TYPES if t not in subject.snapshot.licenses]
    if missing:
        return Unknown(f"the snapshot has no {missing[0]} licenses")
    # A row that does not say whose it is may be this user's; only a quarantined one would not count in any case.
    if any(row.quarantined is not True for row in subject.snapshot.unclaimed_licenses):
        return Unknown("`user` is missing on a license of the snapshot")
    held = []
    for license_type, row in subject.snapshot.licenses_of.get(subject.user.id, []):
        if not isinstance(row.quarantined, bool):
            return Unknown("`quarantined` is missing or unreadable on a license of the user")
        if not row.quarantined:
            held.append(license_type)
    return tuple(dict.fromkeys(held))


def _rows_of_user(subject: Subject) -> list[License] | Unknown:
    """All license rows of the user, quarantined ones too: those were used in the last days."""
    if subject.user is None:
        return NO_USER
    missing = [t for t in LICENSE_TYPES if t not in subject.snapshot.licenses]
    if missing:
        return Unknown(f"the snapshot has no {missing[0]} licenses")
    if subject.snapshot.unclaimed_licenses:
        return Unknown("`user` is missing on a license of the snapshot")
    return [row for _, row in subject.snapshot.licenses_of.get(subject.user.id, [])]


def _last_use_of_any(subject: Subject, key: str) -> Fact:
    """The latest use over all licenses of the user."""
    rows = _rows_of_user(subject)
    if isinstance(rows, Unknown):
        return rows
    days = []
    for row in rows:
        used = last_use(row, subject.day)
        if isinstance(used, Unknown):
            return used
        if used is not None:
            days.append(used)
    return (max(days),) if days else ()


def _unused_days_of_any(subject: Subject, key: str) -> Fact:
    """The days since the latest use, or the latest allocation, over all licenses of the user."""
    used, rows = _last_use_of_any(subject, key), _rows_of_user(subject)
    if isinstance(used, Unknown) or isinstance(rows, Unknown):
        return used if isinstance(used, Unknown) else _NOTHING
    latest = [day for day in used if isinstance(day, date)]
    for row in () if latest else rows:
        allocated = read_date(row.created_date, "license.createdDate", subject.day)
        if isinstance(allocated, Unknown):
            return Unknown(f"never used, and {allocated.reason}")
        latest.append(allocated)
    return ((subject.day.today - max(latest)).days,) if latest else _NOTHING


def _last_released(subject: Subject, key: str) -> Fact:
    if subject.user is None:
        return NO_USER
    released = subject.snapshot.last_released
    if isinstance(released, str):
        return Unknown(released)
    on = released.get(subject.user.directory_and_id)
    return () if on is None else (on,)


def _never_used(subject: Subject, key: str) -> Fact:
    return subject.last_used if isinstance(subject.last_used, Unknown) else (subject.last_used is None,)


def _last_used(subject: Subject, key: str) -> Fact:
    return () if subject.last_used is None else _fact(subject.last_used)


def _taken_back_by(subject: Subject, key: str) -> Fact:
    """The names of the rules; where a license of the other type may be given in place of it, it is not certain."""
    if subject.user is None:
        return NO_USER
    from seatwarden.engine.take_back.take_back import take_backs_of  # the grammar of license rules: few policies ask

    found = take_backs_of(subject.snapshot).of_user(subject.user, subject.license_type)
    if found.answer == "cannot say":
        return Unknown(found.reason)
    if found.answer == "given back" and not found.is_certain:
        return Unknown("license rules of both types may give one, and which of them wins is not documented")
    return found.rules


def _seats(subject: Subject, count: Callable[[Seats], int | None]) -> Fact:
    seats = subject.snapshot.overview.get(subject.license_type)
    number = count(seats) if seats is not None else None
    return Unknown("the site does not say how many licenses it has") if number is None else (number,)


OF_SITE: Mapping[str, Callable[[SiteFacts], tuple[str, ...]]] = {
    IN_USE["user.@"].name: lambda site: site.properties,
    IN_USE["user.attributes"].name: lambda site: site.attributes,
}
"""The facts of the site. They are the same for all licenses: a plan records them once, in its header."""


def _of_site(read: Callable[[SiteFacts], tuple[str, ...]]) -> Callable[[Subject, str], Fact]:
    return lambda subject, key: read(subject.snapshot.site_facts)


def as_read(read: ReadAs, fact: Fact) -> Fact:
    """The dates or numbers that the texts of a field say: `date(…)`. One text that says none makes all unknown, or
    somebody whose end of contract nobody can read would be released by another date."""
    if isinstance(fact, Unknown):
        return fact
    found: list[Value] = []
    for text in fact:
        value = read_text(read.kind, str(text))
        if value is None:
            return Unknown(f"`{print_field(read.field)}` is no {read.kind}: `{str(text)[:40]}`")
        found.append(value)
    return tuple(found)


def emptiness(field: Field, fact: Fact, in_use: Fact) -> tuple[bool | None, Fact]:
    """Whether a field has no value, and the fact that tells: `is empty`.

    `in_use` are the names of its family that anybody at the site has. A name that nobody has may be mistyped: then it
    is not known who has no value.
    """
    if isinstance(fact, Unknown):
        return None, fact
    if any(not isinstance(value, str) or value.strip() for value in fact):
        return False, fact
    if isinstance(in_use, Unknown):
        return None, in_use
    if field.key is not None and field.key not in in_use:
        return None, Unknown(f"nobody at this site has the {NOUNS[field.name]} `{field.key}`")
    return True, fact


OVER_ALL_LICENSES = ("user.licenses", "user.lastUsed", "user.unusedDays", "license.takenBackBy")
"""Facts that take all licenses of a user to read: what happens to one of these changes those of the others."""
UNUSED_DAYS = ("license.unusedDays", "user.unusedDays")
"""Facts that count days without use: with every day that passes they are one more."""
READERS: dict[str, Callable[[Subject, str], Fact]] = {
    "user": _of_user(lambda user, day, key: (user.directory_and_id,)),
    "user.userDirectory": _of_user(lambda user, day, key: (user.user_directory,)),
    "user.userId": _of_user(lambda user, day, key: (user.user_id,)),
    "user.name": _of_user(lambda user, day, key: _known(user.name, "user.name")),
    "user.roles": _several("roles", "user.roles", str),
    "user.tags": _several("tags", "user.tags", lambda tag: tag.name),
    "user.@": lambda subject, key: of_key(FAMILIES["user.@"](subject, (key,)), key),
    "user.attributes": lambda subject, key: of_key(FAMILIES["user.attributes"](subject, (key,)), key),
    "user.inactive": _of_user(lambda user, day, key: _known(user.inactive, "user.inactive")),
    "user.blocked": _of_user(lambda user, day, key: _known(user.blacklisted, "user.blocked")),
    "user.removedExternally": _of_user(
        lambda user, day, key: _known(user.removed_externally, "user.removedExternally")
    ),
    "user.deleteProhibited": _of_user(lambda user, day, key: _known(user.delete_prohibited, "user.deleteProhibited")),
    "user.createdDate": _of_user(lambda user, day, key: _fact(read_date(user.created_date, "user.createdDate", day))),
    "user.licenses": _licenses_of,
    "user.lastUsed": _last_use_of_any,
    "user.unusedDays": _unused_days_of_any,
    "user.lastReleased": _last_released,
    "license.type": lambda subject, key: (subject.license_type,),
    "license.lastUsed": _last_used,
    "license.createdDate": lambda subject, key: _fact(
        read_date(subject.license.created_date, "license.createdDate", subject.day)
    ),
    "license.neverUsed": _never_used,
    "license.unusedDays": lambda subject, key: _fact(subject.unused_days),
    "license.excess": lambda subject, key: _known(subject.license.excess, "license.excess"),
    "license.takenBackBy": _taken_back_by,
    "license.available": lambda subject, key: _seats(subject, lambda seats: seats.available),
    "license.total": lambda subject, key: _seats(subject, lambda seats: seats.total),
    "today": lambda subject, key: (subject.day.today,),
    "month": lambda subject, key: (subject.day.today.month,),
    "weekday": lambda subject, key: (subject.day.weekday,),
    **{name: _of_site(read) for name, read in OF_SITE.items()},
}
"""The reader of each field of the vocabulary; a test holds the two tables against each other."""
