"""Spells without use: from the last use of a license to the next one, or to where nobody has seen further.

A spell is at risk of ending from the day on which it was first seen, since nothing is known of those that ended before;
and up to the day before the last snapshot, since of that day itself not all is known.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from seatwarden.engine.facts.day import NEVER, make_day
from seatwarden.engine.history.store import History
from seatwarden.engine.history.timeline import (
    CODE,
    CODE_BITS,
    UTC_ZONE,
    PastLicense,
    PastPerson,
    Timeline,
    as_of,
    pack_use,
    read_timeline,
)
from seatwarden.engine.snapshot.model import UserReference
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType


class Spell(NamedTuple):
    """A spell without use of one person; days are ordinals, as `date.toordinal` counts them.

    It began with the use on `start` (or the allocation, of a license never used). From `since` to `until`, both
    included, it was seen whether it ends; `returned` says that it did, on `until`, or on one of the `doubt` days before
    it: between two snapshots nobody knows when somebody came back, only which use was the last.
    """

    person: int
    start: int
    since: int
    until: int
    returned: bool
    doubt: int = 0


@dataclass(frozen=True, slots=True)
class SpellRecord:
    """The spells of one license type. `first` and `last` are the first and last day on which uses are known, `gap` the
    usual number of days between two snapshots, `released` the day of our first release."""

    spells: list[Spell]
    first: int
    last: int
    gap: int
    released: int | None = None


class SpellBook:
    """Collects the spells of one license type, in order of snapshots; of returns only those after `least` days or more.

    `days` are those of the snapshots.
    """

    def __init__(self, days: Sequence[int], least: int = 2) -> None:
        self._days = days
        self._least = max(least, 2)
        # Of spells in doubt some that are shorter, too: they weigh the days of those that are long enough.
        self._enough = [self._least, *(self._least - max(b - a - 1, 0) for a, b in pairwise(days))]
        self._open: dict[int, tuple[int, int]] = {}
        self._spells: list[Spell] = []

    def seen(self, person: int, place: int, used: int | None, allocated: int) -> None:
        """What a snapshot says of a person's license: the day of its last use, if it was ever used."""
        if person not in self._open:
            self._open[person] = (allocated if used is None else used, self._days[place])
        elif used is not None:
            self.used(person, [(place, used)])

    def used(self, person: int, uses: Iterable[tuple[int, int]]) -> None:
        """Further last uses of a license, each with the snapshot that is the first to know of it."""
        days, enough, uses = self._days, self._enough, iter(uses)
        if person not in self._open:
            place, day = next(uses, (0, None))
            if day is None:
                return
            self._open[person] = (day, days[place])
        start, since = self._open[person]
        for place, day in uses:
            if day > start:
                if days[place] - start >= enough[place]:
                    self._back(person, start, since, place, day)
                # The last use before a snapshot: that there was none between the two is no survival.
                start, since = day, days[place]
        self._open[person] = start, since

    def _back(self, person: int, start: int, since: int, place: int, used: int) -> None:
        # A snapshot each day dates the return by the new last use; where they are further apart, there may have been
        # others before that one.
        before, now = self._days[max(place - 1, 0)], self._days[place]
        until, doubt = used, 0
        if now - before > 1:
            until = max(used, now - 1)
            doubt = until - max(before, start + 1)
        if until - start >= self._least - doubt:
            self._spells.append(Spell(person, start, max(since, start + 1), until, True, doubt))

    def moved(self, person: int, place: int) -> None:
        """As of a snapshot the person has the other license type instead: of this one nothing more can be seen."""
        open_ = self._open.pop(person, None)
        if open_ is not None:
            self._end(person, open_, self._days[place] - 1)

    def ended(self) -> list[Spell]:
        """All spells, those included that go on after the last day."""
        for person, open_ in self._open.items():
            self._end(person, open_, self._days[-1] - 1)
        self._open = {}
        return self._spells

    def _end(self, person: int, open_: tuple[int, int], last: int) -> None:
        start, since = open_
        if last >= max(since, start + 2):
            self._spells.append(Spell(person, start, max(since, start + 1), last, False))


def spells_of(history: History) -> dict[LicenseType, SpellRecord]:
    """The spells of a history by license type."""
    timeline = read_timeline(history)
    return records_of(timeline.moments, [spells_in(timeline)], history.releases())


def spells_in(timeline: Timeline, least: int = 2) -> dict[LicenseType, list[Spell]]:
    """The spells of some people by license type; of returns only those after `least` days or more."""
    days = [moment.date().toordinal() for moment in timeline.moments]
    books = {kind: SpellBook(days, least) for kind in LICENSE_TYPES}
    for person in timeline.people:
        numbers = {user: person.number + count for count, user in enumerate(person.users)}
        for past in person.licenses:
            _read(past, person, numbers, len(days), timeline.use_days[UTC_ZONE], books[past.license_type])
    return {kind: book.ended() for kind, book in books.items()} if days else {}


def _read(
    past: PastLicense,
    person: PastPerson,
    numbers: Mapping[str, int],
    snapshots: int,
    use_days: Sequence[int],
    book: SpellBook,
) -> None:
    holder, at = "", 0
    for (begin, row), (end, _) in pairwise([*past.rows, (snapshots, None)]):
        stop = bisect_left(past.uses, pack_use(end), at)
        uses, at = past.uses[at:stop], stop
        if row is None:
            if holder and _holds_another(person, past.license_type, holder, begin):
                book.moved(numbers[holder], begin)
        elif isinstance(row.user, UserReference):  # a user who was deleted is not seen again: the spell goes on
            holder = row.user.id
            number, used = numbers[holder], _day_of(row.last_used)
            allocated = _day_of(row.created_date) if used is None else used
            if allocated is not None:
                book.seen(number, begin, used, allocated)
            # Two lists are made in half the time that a generator of pairs takes, and there are millions.
            places, used_on = [packed >> CODE_BITS for packed in uses], [use_days[packed & CODE] for packed in uses]
            book.used(number, zip(places, used_on, strict=True))


def _holds_another(person: PastPerson, license_type: LicenseType, holder: str, place: int) -> bool:
    """Whether somebody has a license of the other type: whether the first would be used cannot be seen then."""
    rows = [as_of(past.rows, place) for past in person.licenses if past.license_type != license_type]
    return any(row is not None and isinstance(row.user, UserReference) and row.user.id == holder for row in rows)


_UTC = make_day(date(2000, 1, 1), UTC_ZONE)


def _day_of(text: object) -> int | None:
    """The day of a timestamp, in UTC; None for *never*, and for what cannot be read."""
    day = _UTC.day_of_timestamp(text) if isinstance(text, str) else None
    return None if day is None or day is NEVER else day.toordinal()


def records_of(
    moments: Iterable[datetime],
    parts: Sequence[Mapping[LicenseType, list[Spell]]],
    releases: Iterable[tuple[str, str, datetime]],
) -> dict[LicenseType, SpellRecord]:
    """The spells of all people, with the day of our first release of each type; nothing without two days."""
    days = sorted({moment.date().toordinal() for moment in moments})
    if len(days) < 2:
        return {}
    first: dict[str, int] = {}
    for kind, _, at in releases:
        first[kind] = min(first.get(kind, date.max.toordinal()), at.date().toordinal())
    gap = round(median(b - a for a, b in pairwise(days)))
    return {
        kind: SpellRecord([s for part in parts for s in part[kind]], days[0], days[-1] - 1, gap, first.get(kind))
        for kind in LICENSE_TYPES
    }


def day_words(day: int) -> str:
    """`14 May 2025`."""
    found = date.fromordinal(day)
    return f"{found.day} {found:%b} {found.year}"
