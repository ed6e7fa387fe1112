"""Backtest: for every recorded day, what policies would have released, and who came back.

A release is counted on the day on which the verdict turns to release, and then not again until the license is used. A
verdict changes only where a fact does, or a day comes that the policy names: so only these are decided, by the
evaluator that decides for plans, too. A test decides every license on every day and finds the same.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from sys import maxsize

from seatwarden.engine.analysis.stretches import Calendar, Need, Stretch, StretchReader
from seatwarden.engine.analysis.turns import turns_of
from seatwarden.engine.decide.verdicts import Verdicts
from seatwarden.engine.facts.facts import OF_SITE, OVER_ALL_LICENSES, READERS, Subject
from seatwarden.engine.history.timeline import Timeline
from seatwarden.engine.snapshot.model import UserReference
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, Field, LicenseType
from seatwarden.policy.loading import CheckedPolicy


@dataclass(slots=True)
class PastRelease:
    """A license that a policy would have released: whose it was, and when. Days are ordinals.

    `used` is the last use until then, `back` the next one, None where there was none; `until` the day from which on the
    seat is not free any more: by that use, since the license is gone anyhow, or since nothing more is recorded.
    """

    person: str
    license_type: LicenseType
    group: str
    day: int
    backlog: bool
    used: int | None
    until: int = 0
    back: int | None = None

    def is_back(self, used: int | None) -> bool:
        """Whether that last use is a later one."""
        return used is not None and (self.used is None or used > self.used)

    @property
    def seat_days(self) -> int:
        """The days on which the seat would have been free."""
        return self.until - self.day


@dataclass(frozen=True, slots=True)
class Backtested:
    """What one policy would have released. `last` is the day of the last snapshot."""

    releases: list[PastRelease]
    last: int


def past_releases(
    timeline: Timeline,
    policies: Sequence[CheckedPolicy],
    types: Sequence[LicenseType] = LICENSE_TYPES,
    group: Field | None = None,
) -> list[list[PastRelease]]:
    """What each policy would have released, in their order. `group` is the field by which releases are counted."""
    found: list[list[PastRelease]] = [[] for _ in policies]
    for kind in types:
        calendars = {zone: Calendar(timeline, zone, kind) for zone in {policy.timezone for policy in policies}}
        tests = [_Test(policy, kind, calendars[policy.timezone], group) for policy in policies]
        alike: dict[object, list[_Test]] = defaultdict(list)
        for test in tests:
            alike[test.calendar, test.need._replace(least=0)].append(test)
        for several in alike.values():
            need = several[0].need._replace(least=min(test.need.least for test in several))
            reader = StretchReader(timeline, several[0].calendar, kind, need)
            people = [list(reader.of(person)) for person in timeline.people]
            for test in several:
                found[tests.index(test)] += test.releases(people)
    return found


class _Test:
    """What one policy would have released of a type."""

    def __init__(self, policy: CheckedPolicy, kind: LicenseType, calendar: Calendar, group: Field | None) -> None:
        self._turns = turns_of(policy, kind)
        self._places = [*self._turns.places(calendar.days), len(calendar.days)]
        self._verdicts = Verdicts(policy, kind)
        self._kind = kind
        self._group = group
        self.calendar = calendar
        self.least = self._turns.least
        self.known = len(calendar.days) if self._turns.needs_disuse else 0
        """Up to which snapshot nothing is released that was used lately."""
        by = group.name if group is not None else ""
        self.need = Need(
            self.least,
            self._turns.by_use,
            self._turns.together or by in OVER_ALL_LICENSES,
            self._turns.uses_together or by in OVER_ALL_LICENSES,
            self._turns.site or by in (*OF_SITE, "license.takenBackBy"),
        )

    def releases(self, people: Sequence[Sequence[Sequence[Stretch]]]) -> list[PastRelease]:
        """The releases of people whose licenses are given as stretches, in their order."""
        walks = [
            [_Walk(self, told) for stretches in licenses if (told := self._telling(stretches))] for licenses in people
        ]
        asked = [(walk, subject) for walk in chain.from_iterable(walks) if (subject := walk.go_on(None)) is not None]
        while asked:
            verdicts = self._verdicts.released([subject for _, subject in asked])
            asked = [
                (walk, subject)
                for (walk, _), released in zip(asked, verdicts, strict=True)
                if (subject := walk.go_on(released)) is not None
            ]
        for of_person, licenses in zip(walks, people, strict=True):
            if gone := [one for walk in of_person for one in walk.gone]:
                _find_returns(gone, licenses)
        return [release for walk in chain.from_iterable(walks) for release in walk.found]

    def _telling(self, stretches: Sequence[Stretch]) -> Sequence[Stretch]:
        """Those of a license's stretches that can tell of a release, or of what became of it.

        Where a policy asks for disuse, no other is looked at: for long thresholds that is most of them.
        """
        if not self.known:
            return stretches
        found: list[Stretch] = []
        latest, follows = -1, False
        for stretch in stretches:
            used = -1 if stretch.used is None else stretch.used
            if stretch.reach >= self.least:
                found.append(stretch)
                latest, follows = max(used, latest if follows else -1), True
            elif follows:
                found.append(stretch)
                follows = used <= latest and not stretch.uses
        return found

    def released_at(self, stretch: Stretch, place: int) -> PastRelease:
        """A release that begins."""
        row, group = stretch.facts.license, ""
        person = row.user.id if isinstance(row.user, UserReference) else f"license {row.id}"
        if self._group is not None:
            subject = stretch.subject(self.calendar.days[place])
            fact = READERS[self._group.name](subject, self._group.key or "")
            group = "(not known)" if isinstance(fact, Unknown) else ", ".join(map(str, fact)) or "(none)"
        return PastRelease(
            person, self._kind, group, self.calendar.today[place], place == self.calendar.first, stretch.used
        )

    def own_days(self, stretch: Stretch) -> list[int]:
        """The days (ordinals) on which the verdict on this license may be another one."""
        if not self._turns.has_own_days:
            return []
        return self._turns.own_days(stretch.subject(self.calendar.days[stretch.first]))

    def next_turn(self, own_days: Sequence[int], place: int) -> int:
        """The next snapshot on which the verdict may be another one, whatever the license's age."""
        turn = self._places[bisect_right(self._places, place)]
        later = bisect_right(own_days, self.calendar.today[place])
        return min(turn, self.calendar.place_of(own_days[later], place)) if later < len(own_days) else turn

    def next_age(self, start: int, place: int) -> int:
        """The next snapshot on which the license has an age that the policy names, counted from the day `start`."""
        ages = self._turns.ages
        later = bisect_right(ages, self.calendar.today[place] - start)
        return self.calendar.place_of(start + ages[later], place) if later < len(ages) else len(self.calendar.days)


class _Walk:
    """A license on its way: `found` are its releases, `gone` those whose license went, with the snapshot without it."""

    def __init__(self, test: _Test, stretches: Sequence[Stretch]) -> None:
        self.found: list[PastRelease] = []
        self.gone: list[tuple[int, PastRelease]] = []
        self._test = test
        self._days, self._today = test.calendar.days, test.calendar.today
        self._kept = self._known = test.known
        """Up to which snapshot it is known to be kept, if it was used lately; and up to which it always is."""
        self._verdicts = self._run(stretches)

    def go_on(self, released: bool | None) -> Subject | None:
        """Goes on with the verdict that was asked for; returns what is to be decided next, None at the end."""
        try:
            return self._verdicts.send(released)
        except StopIteration:
            return None

    def _run(self, stretches: Sequence[Stretch]) -> Generator[Subject, bool | None, None]:
        release: PastRelease | None = None
        end, todo = 0, list(reversed(stretches))
        while todo:
            stretch = todo.pop()
            if release is not None and stretch.first > end:
                self._lose(release, end)
                release = None
            end = stretch.end
            if stretch.anew:
                self._kept = self._known
            if release is not None and stretch.used is not None and release.is_back(stretch.used):
                release.back = stretch.used
                # Where snapshots are days apart, the one that shows it comes later than the return.
                release.until = min(self._today[stretch.first], max(stretch.used + 1, release.day))
                release = None
            if release is None:
                if stretch.end <= self._kept and stretch.is_below(self._test.least, self._today):
                    continue
                place = yield from self._due(stretch)
                if place is None:
                    continue
                if not stretch.uses:
                    release = self._test.released_at(stretch, place)
                    self.found.append(release)
            # When somebody was released and back within a busy stretch tells only each use of it.
            if stretch.uses:
                todo.extend(reversed(list(stretch.apart())))
        if release is not None and end < len(self._days):
            self._lose(release, end)
        elif release is not None:
            release.until = self._today[-1] + 1

    def _due(self, stretch: Stretch) -> Generator[Subject, bool | None, int | None]:
        """The first snapshot of a stretch on which the license would be released."""
        place, test, start, used = stretch.first, self._test, stretch.start, stretch.used
        own_days = test.own_days(stretch)
        while place < stretch.end:
            lately = bool(stretch.uses) or (used is not None and self._today[place] - used < test.least)
            if not (lately and place < self._kept) and (yield stretch.subject(self._days[place])):
                return place
            turn = test.next_turn(own_days, place)
            if lately:
                self._kept = max(self._kept, turn)
            place = turn if stretch.uses or start is None else min(turn, test.next_age(start, place))
        return None

    def _lose(self, release: PastRelease, place: int) -> None:
        release.until = self._today[place]
        self.gone.append((place, release))


def _find_returns(gone: Iterable[tuple[int, PastRelease]], licenses: Iterable[Sequence[Stretch]]) -> None:
    """Finds out whose license went, and who came back by another one; who loses that too is followed from then on."""
    following: dict[str, int] = {}
    for place, release in sorted(gone, key=itemgetter(0), reverse=True):
        until = following.get(release.person, maxsize)
        following[release.person] = place
        uses = [
            (max(part.first, place), part.used)
            for stretches in licenses
            for stretch in stretches
            if isinstance(stretch.facts.license.user, UserReference) and stretch.facts.license.user.id == release.person
            for part in stretch.apart()
            if part.end > place and part.first < until and release.is_back(part.used)
        ]
        if uses and place < until:
            release.back = min(uses)[1]
