"""Stretches: the days of a license on which nothing changes but how long it lies unused.

Whoever works with Qlik every day has one for the whole time, a *busy* one: as long as disuse stays below every age
that a policy names, the uses in between change no verdict.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import inf
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Raw, structs

from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.facts.facts import Subject, subject_of
from seatwarden.engine.history.timeline import (
    CODE,
    CODE_BITS,
    PastLicense,
    PastPerson,
    SiteState,
    Timeline,
    as_of,
    pack_use,
)
from seatwarden.engine.snapshot.model import NO_SITE_FACTS, License, Snapshot, UserReference
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.engine.take_back.take_back import take_backs_of
from seatwarden.grammar.ast import LicenseType


class Need(NamedTuple):
    """What verdicts hang on beside the rows of a license and its user: the least age that turns one; each last use;
    the other licenses of the person, and their last uses; the names in use at the site, and its license rules."""

    least: float
    by_use: bool
    together: bool
    uses_together: bool
    site: bool


@dataclass(slots=True)
class Stretch:
    """Snapshots from `first` up to before `end` on which nothing of a license changes but its age.

    `start` is the day from which on disuse counts, `used` that of the last use, as far as they are known. `anew`:
    other facts may be otherwise than in the stretch before. `facts` are those of the first of its days. Of a busy one,
    `start` and `used` are those at its beginning, and `uses` the uses after it: each with its snapshot and its day.
    `reach` is how many days ago the last use was at most, of a busy one less than any age that is asked for.
    """

    first: int
    end: int
    start: int | None
    used: int | None
    anew: bool
    facts: Subject
    uses: Sequence[tuple[int, int]] = ()
    reach: float = inf

    def until(self, end: int, uses: Sequence[tuple[int, int]] = ()) -> "Stretch":
        """One that begins as this does."""
        return Stretch(self.first, end, self.start, self.used, self.anew, self.facts, uses)

    def apart(self) -> Iterator["Stretch"]:
        """A busy one use by use."""
        first, start, used, anew = self.first, self.start, self.used, True
        for place, day in self.uses:
            yield Stretch(first, place, start, used, anew, self.facts)
            first, start, used, anew = place, day, day, False
        yield Stretch(first, self.end, start, used, anew, self.facts)

    def is_below(self, age: float, today: Sequence[int]) -> bool:
        """Whether it was used less days ago than an age to the end, by the days of the snapshots."""
        return bool(self.uses) or (self.used is not None and today[self.end - 1] - self.used < age)

    def subject(self, day: Day) -> Subject:
        """The subject of a decision on one of its days."""
        facts = self.facts
        if self.start is None:
            return structs.replace(facts, day=day)
        used = facts.last_used if self.used is None else date.fromordinal(self.used)
        unused = day.today.toordinal() - self.start
        return Subject(facts.snapshot, facts.license_type, facts.license, facts.user, day, used, unused)


class Calendar:
    """The days of the snapshots in a zone, as a license type sees them: one that does not list it is no new day."""

    def __init__(self, timeline: Timeline, zone: str, license_type: LicenseType) -> None:
        self.days = [make_day(moment, zone) for moment in timeline.moments]
        self.use_days = timeline.use_days[zone]
        self.first = next((place for place, state in timeline.site if license_type in state.types), 0)
        ends = [*(place for place, _ in timeline.site[1:]), len(self.days)]
        for (first, state), end in zip(timeline.site, ends, strict=True):
            if license_type not in state.types:
                self.days[first:end] = [self.days[max(first - 1, 0)]] * (end - first)
        self.today = [day.today.toordinal() for day in self.days]

    def place_of(self, day: int, after: int) -> int:
        """The first snapshot behind another one that is of that day or later."""
        return bisect_left(self.today, day, after + 1)


class StretchReader:
    """Reads the stretches of licenses of one type."""

    def __init__(self, timeline: Timeline, calendar: Calendar, license_type: LicenseType, need: Need) -> None:
        self._texts = timeline.use_texts
        self._calendar = calendar
        self._type = license_type
        self._need = need
        states = [(place, self._asked(state)) for place, state in timeline.site]
        self._states = [states[0], *(now for before, now in pairwise(states) if now[1] != before[1])]
        self._snapshots = [_snapshot(state) for _, state in self._states]

    def _asked(self, state: SiteState) -> SiteState:
        """What of a state is asked for."""
        if not self._need.site:
            state = state._replace(facts=NO_SITE_FACTS, license_rules=None)
        return state if self._need.together else state._replace(types=(self._type,), unclaimed=())

    def of(self, person: PastPerson) -> Iterator[list[Stretch]]:
        """The stretches of each license of a person."""
        breaks = {place for several in person.users.values() for rows in several for place, _ in rows}
        breaks.update(place for place, _ in self._states)
        if self._need.together:
            breaks.update(place for past in person.licenses for place, _ in past.rows)
        for past in person.licenses:
            if past.license_type == self._type:
                others = [one for one in person.licenses if one is not past] if self._need.uses_together else []
                uses = {packed >> CODE_BITS for one in others for packed in one.uses}
                yield list(self._stretches(person, past, sorted(breaks | uses)))

    def _stretches(self, person: PastPerson, past: PastLicense, breaks: Sequence[int]) -> Iterator[Stretch]:
        use_days, at = self._calendar.use_days, 0
        for (begin, row), (end, _) in pairwise([*past.rows, (len(self._calendar.days), None)]):
            if row is None:
                continue
            inner = breaks[bisect_right(breaks, begin) : bisect_left(breaks, end)]
            start = used = None
            for first, last in pairwise([begin, *inner, end]):
                facts = self._facts(person, row, first)
                if first == begin:
                    start, used = _start(facts), _day(facts.last_used)
                stop = bisect_left(past.uses, pack_use(last), at)
                uses = [(packed >> CODE_BITS, use_days[packed & CODE]) for packed in past.uses[at:stop]]
                at = stop
                if uses and uses[0][0] == first:
                    start = used = uses.pop(0)[1]
                for stretch in self._apart(Stretch(first, last, start, used, True, facts), uses):
                    if stretch.uses:
                        stretch.reach = -1
                    elif stretch.used is not None:
                        stretch.reach = self._calendar.today[stretch.end - 1] - stretch.used
                    if self._need.uses_together and stretch.first > first:
                        stretch.facts = self._facts(person, row, stretch.first)
                    yield stretch
                if uses:
                    start = used = uses[-1][1]

    def _apart(self, whole: Stretch, uses: Sequence[tuple[int, int]]) -> Iterator[Stretch]:
        """Stretches without a use in between, and busy ones."""
        today, least, by_use = self._calendar.today, self._need.least, self._need.by_use
        left, busy = 0, whole
        """The first use that is in no stretch yet, and what a busy one would begin with."""
        first, used = whole.first, whole.used
        for count, (place, day) in enumerate([*uses, (whole.end, 0)]):
            if by_use or used is None or today[place - 1] - used >= least:
                if first > busy.first:
                    yield busy.until(first, uses[left : count - 1])
                    busy = Stretch(first, place, used, used, by_use, whole.facts)
                yield busy.until(place)
                left, busy = count + 1, Stretch(place, whole.end, day, day, by_use or used is None, whole.facts)
            first, used = place, day
        if busy.first < whole.end:
            yield busy.until(whole.end, uses[left:])

    def _facts(self, person: PastPerson, row: License, place: int) -> Subject:
        snapshot = self._with_licenses(person, place) if self._need.together else self._snapshots[self._state_at(place)]
        facts = subject_of(snapshot, self._type, row, self._calendar.days[place])
        if not isinstance(row.user, UserReference):
            return facts
        users = [as_of(rows, place) for rows in person.users[row.user.id]]
        return structs.replace(facts, user=next((user for user in users if user is not None), None))

    def _state_at(self, place: int) -> int:
        return bisect_right(self._states, place, key=itemgetter(0)) - 1

    def _with_licenses(self, person: PastPerson, place: int) -> Snapshot:
        """The site with all licenses of a person."""
        at = self._state_at(place)
        _, state = self._states[at]
        rows: dict[LicenseType, list[License]] = {kind: [] for kind in state.types}
        for past in person.licenses:
            row = as_of(past.rows, place)
            if row is not None and past.license_type in rows:
                rows[past.license_type].append(self._as_used(past, row, place))
        found = _snapshot(state, rows)
        if state.license_rules is not None:
            found.take_backs = take_backs_of(self._snapshots[at]).on(found)
        return found

    def _as_used(self, past: PastLicense, row: License, place: int) -> License:
        """A row with the last use that was known then."""
        (since, _) = past.rows[bisect_right(past.rows, place, key=itemgetter(0)) - 1]
        first, later = (bisect_left(past.uses, pack_use(p + 1)) for p in (since, place))
        return structs.replace(row, last_used=self._texts[past.uses[later - 1] & CODE]) if later > first else row


def _snapshot(state: SiteState, rows: Mapping[LicenseType, list[License]] = MappingProxyType({})) -> Snapshot:
    """What the facts of a license ask of its snapshot."""
    found = Snapshot.of([], {kind: rows.get(kind, []) for kind in state.types}, state.facts)
    if state.license_rules is not None:
        found.license_rules = Raw(state.license_rules)
    vars(found).update(
        doubled_users=state.doubled_users,
        doubled_licenses=state.doubled_licenses,
        unclaimed_licenses=state.unclaimed,
    )
    return found


def _start(facts: Subject) -> int | None:
    """The day from which on disuse counts; None where it cannot be known."""
    unused = facts.unused_days
    return None if isinstance(unused, Unknown) else facts.day.today.toordinal() - unused


def _day(day: date | None | Unknown) -> int | None:
    return day.toordinal() if isinstance(day, date) else None
