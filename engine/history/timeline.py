"""The history turned round: each person with all days, in place of each day with all persons.

Most of what changes is that somebody worked with Qlik: so the uses of a license are kept as numbers, and its row only
where something else of it is otherwise. What is asked of a person then takes nobody else, but for the `SiteState`.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain
from operator import itemgetter
from struct import iter_unpack
from typing import NamedTuple, TypeVar

from msgspec import UNSET, structs

from seatwarden.engine.common.timestamps import USUAL_LENGTH, are_usual, are_usual_bytes
from seatwarden.engine.facts.day import NEVER, make_day
from seatwarden.engine.history.cut import SEPARATOR, USERS
from seatwarden.engine.history.live import LiveRows, LiveTimes
from seatwarden.engine.history.packing import TimeColumn
from seatwarden.engine.history.store import History
from seatwarden.engine.history.walk import HistoryStep, walk
from seatwarden.engine.snapshot.model import License, SiteFacts, User, UserReference, as_rows
from seatwarden.engine.snapshot.reader import decode_license, decode_user
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType

_Row = TypeVar("_Row")
UTC_ZONE = "UTC"
_HOUR = len("2026-11-21T02")
_HOURS = f"{_HOUR}s{USUAL_LENGTH + len(SEPARATOR) - _HOUR}x"
"""How the hours lie in a column of usual timestamps."""
CODE_BITS = 32
"""Of a packed use; the lower ones, `CODE`, are the code of its moment."""
CODE = (1 << CODE_BITS) - 1


@dataclass(slots=True)
class PastLicense:
    """A license over time, by the places of the snapshots, counted from 0.

    `rows` has from which snapshot on the row was so; None: not there, or not readable. `uses` are the snapshots that
    know of another last use and show nothing else new, as `pack_use` has them.
    """

    license_type: LicenseType
    rows: list[tuple[int, License | None]]
    uses: "array[int]" = field(default_factory=lambda: array("Q"))


@dataclass(slots=True)
class PastPerson:
    """A person over time: the licenses, and by the user's id the rows of the user, of which there should be one.

    Users who have held the same license are one person here. `number` tells people apart; that of each further user is
    one more.
    """

    number: int
    users: dict[str, list[list[tuple[int, User | None]]]]
    licenses: list[PastLicense]


class SiteState(NamedTuple):
    """What the facts of a license hang on beside the rows of its person: the names in use, the ids that are listed
    twice, the types whose licenses are listed, licenses that do not say whose they are, and the license rules as JSON
    (None where they are not known)."""

    facts: SiteFacts
    doubled_users: frozenset[str]
    doubled_licenses: Mapping[LicenseType, frozenset[str]]
    types: tuple[LicenseType, ...]
    unclaimed: tuple[License, ...]
    license_rules: bytes | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """A site over time.

    `moments` are those of the snapshots; `site` has from which snapshot on the site was in a state. `use_days` are the
    days (ordinals) of uses by the code of their moment, in each zone that was asked for and in UTC; `use_texts` has a
    timestamp of each.
    """

    moments: list[datetime]
    site: list[tuple[int, SiteState]]
    use_days: dict[str, list[int]]
    use_texts: list[str]
    people: list[PastPerson]

    def parts(self, size: int) -> list["Timeline"]:
        """The same with so many of the people each, in their order."""
        starts = range(0, max(len(self.people), 1), size)
        return [replace(self, people=self.people[start : start + size]) for start in starts]


def pack_use(place: int, code: int = 0) -> int:
    """A use in one number, in the order of the snapshots: that which first knows of it, and the code of its moment."""
    return place << CODE_BITS | code


def as_of(rows: Sequence[tuple[int, _Row]], place: int) -> _Row | None:
    """What held at a snapshot, of what is listed by the snapshots from which on it held; None before the first."""
    count = bisect_right(rows, place, key=itemgetter(0))
    return rows[count - 1][1] if count else None


def read_timeline(history: History, zones: Iterable[str] = ()) -> Timeline:
    """Goes through a history once. `zones` are those in which days will be asked for."""
    reader = _Reader(zones)
    moments = []
    for place, step in enumerate(walk(history)):
        moments.append(step.kept.at)
        reader.take(place, step)
    return Timeline(moments, reader.site.states, reader.moments.days, reader.moments.texts, reader.people())


class _Reader:
    """What is known so far, on the way through a history."""

    def __init__(self, zones: Iterable[str]) -> None:
        self.moments = _UseMoments(zones)
        self.site = _Site()
        self._times = LiveTimes()
        self._users: LiveRows[User] = LiveRows(list[User], decode_user)
        self._licenses = {kind: LiveRows(list[License], decode_license) for kind in LICENSE_TYPES}
        self._past_users: dict[int, list[tuple[int, User | None]]] = {}
        self._past_licenses: dict[int, PastLicense] = {}
        self._add_use: dict[int, Callable[[int], None]] = {}

    def take(self, place: int, step: HistoryStep) -> None:
        """Takes over what a step changes."""
        changed, used = self._times.take(step)
        for number, user in self._users.take(step, USERS, changed).items():
            rows = self._past_users.setdefault(number, [])
            self.site.user(rows[-1][1] if rows else None, user)
            rows.append((place, user))
        types = tuple(kind for kind in LICENSE_TYPES if kind in step.lists)
        anew = set[int]()
        # Licenses of a type that a snapshot leaves out stay as they were.
        for kind in types:
            for number, row in self._licenses[kind].take(step, kind, changed).items():
                if number not in self._past_licenses:
                    past = self._past_licenses[number] = PastLicense(kind, [])
                    self._add_use[number] = past.uses.append
                self._row(place, self._past_licenses[number], row)
                anew.add(number)
        listed = [self._licenses[kind].listed for kind in types]
        for column in used:
            others = column.rows.difference(*listed) | (column.rows & anew)
            self._uses(place, column.within(column.rows - others) if others else column)
        self.site.note(place, types, step.license_rules)

    def _uses(self, place: int, column: TimeColumn) -> None:
        base, add_use = pack_use(place), self._add_use
        codes = self.moments.codes_in(column)
        if None not in codes:
            for number, code in zip(column.numbers, codes, strict=True):
                add_use[number](base | code)  # type: ignore[operator]
            return
        for number, code, text in zip(column.numbers, codes, column.texts, strict=True):
            if code is not None:
                add_use[number](base | code)
            elif (row := self._past_licenses[number].rows[-1][1]) is not None:
                self._past_licenses[number].rows.append((place, structs.replace(row, last_used=text.decode())))

    def _row(self, place: int, past: PastLicense, row: License | None) -> None:
        before = past.rows[-1][1] if past.rows else None
        if before is not None and row is not None and structs.replace(before, last_used=row.last_used) == row:
            code = self.moments.code(row.last_used) if isinstance(row.last_used, str) else None
            if code is not None:
                past.uses.append(pack_use(place, code))
                return
        self.site.license(past.license_type, before, row)
        past.rows.append((place, row))

    def people(self) -> list[PastPerson]:
        """The people that have ever held a license, and the licenses of nobody, in the order in which they came."""
        users: dict[str, list[list[tuple[int, User | None]]]] = {}
        for rows in self._past_users.values():
            for id_ in {user.id for _, user in rows if user is not None}:
                users.setdefault(id_, []).append(rows)
        person_of: dict[str, PastPerson] = {}
        people: dict[int, PastPerson] = {}
        for past in self._past_licenses.values():
            ids = {row.user.id for _, row in past.rows if row is not None and isinstance(row.user, UserReference)}
            person = PastPerson(0, {id_: users.get(id_, []) for id_ in sorted(ids)}, [past])
            for other in {id(known): known for id_ in ids if (known := person_of.get(id_))}.values():
                del people[id(other)]
                person = PastPerson(0, {**other.users, **person.users}, [*other.licenses, *person.licenses])
            person_of.update(dict.fromkeys(person.users, person))
            people[id(person)] = person
        number = 0
        for person in people.values():
            person.number = number
            number += max(len(person.users), 1)
        return list(people.values())


class _UseMoments:
    """Codes for moments of uses: one for all of an hour, where that lies on one day in each of the zones."""

    def __init__(self, zones: Iterable[str]) -> None:
        self._zones = {zone: make_day(date(2000, 1, 1), zone) for zone in (UTC_ZONE, *zones)}
        self._hours: dict[bytes, int] = {}
        self._others: dict[str, int] = {}
        """By the whole timestamp."""
        self.days: dict[str, list[int]] = {zone: [] for zone in self._zones}
        self.texts: list[str] = []

    def codes_in(self, column: TimeColumn) -> list[int | None]:
        """The codes of the timestamps of a column; None of *never*, and of what is none."""
        joined = column.joined + SEPARATOR
        if not are_usual_bytes(joined, SEPARATOR):
            return [self.code(text.decode()) for text in column.texts]
        hours = list(chain.from_iterable(iter_unpack(_HOURS, joined)))
        if new := set(hours) - self._hours.keys():
            texts = column.texts
            for hour in new:
                self.code(texts[hours.index(hour)].decode())
        found = list(map(self._hours.get, hours))
        if None not in found:
            return found
        return [
            self.code(text.decode()) if code is None else code for text, code in zip(column.texts, found, strict=True)
        ]

    def code(self, text: str) -> int | None:
        """The code of a timestamp; None of *never*, and of what is none."""
        is_usual, hour = are_usual((text,)), text[:_HOUR]
        known = self._hours.get(hour.encode()) if is_usual else None
        if known is None:
            known = self._others.get(text)
        if known is not None:
            return known
        days = self._days(text)
        if days is None:
            return None
        code = len(self.texts)
        if is_usual and days == self._days(f"{hour}:00:00.000Z") == self._days(f"{hour}:59:59.999Z"):
            self._hours[hour.encode()] = code
        else:
            self._others[text] = code
        self.texts.append(text)
        for zone, day in zip(self._zones, days, strict=True):
            self.days[zone].append(day.toordinal())
        return code

    def _days(self, text: str) -> list[date] | None:
        days = [day for zone in self._zones.values() if (day := zone.day_of_timestamp(text)) is not None]
        return None if len(days) < len(self._zones) or any(day is NEVER for day in days) else days


class _Tally:
    """How many there are of what; `twice` is what there is more than once."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.twice: set[str] = set()

    def add(self, what: str, by: int) -> None:
        """Counts one more, or one less."""
        count = self.counts.pop(what, 0) + by
        if count:
            self.counts[what] = count
        (self.twice.add if count > 1 else self.twice.discard)(what)


class _Site:
    """The state of the site, followed row by row."""

    def __init__(self) -> None:
        self.states: list[tuple[int, SiteState]] = []
        self._users, self._properties, self._attributes = _Tally(), _Tally(), _Tally()
        self._licenses = {kind: _Tally() for kind in LICENSE_TYPES}
        self._unclaimed: dict[str, License] = {}

    def user(self, before: User | None, now: User | None) -> None:
        """A row of a user that was otherwise before."""
        for user, by in ((before, -1), (now, 1)):
            if user is not None:
                self._users.add(user.id, by)
                for name in as_rows(user.custom_properties):
                    self._properties.add(name.definition.name, by)
                for attribute in as_rows(user.attributes):
                    self._attributes.add(attribute.attribute_type, by)

    def license(self, kind: LicenseType, before: License | None, now: License | None) -> None:
        """A row of a license that was otherwise before."""
        for row, by in ((before, -1), (now, 1)):
            if row is not None:
                self._licenses[kind].add(row.id, by)
                if row.user is UNSET:
                    self._unclaimed.pop(row.id, None)
                    if by > 0:
                        self._unclaimed[row.id] = row

    def note(self, place: int, types: tuple[LicenseType, ...], license_rules: bytes | None) -> None:
        """Notes the state as of a snapshot, where it is another one."""
        state = SiteState(
            SiteFacts(tuple(sorted(self._properties.counts)), tuple(sorted(self._attributes.counts))),
            frozenset(self._users.twice),
            {kind: frozenset(tally.twice) for kind, tally in self._licenses.items()},
            types,
            tuple(self._unclaimed.values()),
            license_rules,
        )
        if not self.states or self.states[-1][1] != state:
            self.states.append((place, state))
