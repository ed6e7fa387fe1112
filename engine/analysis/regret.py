"""What a backtest says: how many licenses, how many people, how many seats for how long, and how many were back when.

Intervals count people, not releases: one who comes back again and again tells no more than once. Two policies are
compared on the same days and people.
"""

import random
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import exp, fsum, sqrt
from operator import mul

from msgspec import Struct

from seatwarden.engine.analysis.backtest import Backtested, PastRelease
from seatwarden.engine.analysis.thresholds import Variant
from seatwarden.engine.history.interval import wilson
from seatwarden.grammar.ast import LicenseType

WITHIN = 30
"""The days within which it is said who was back, and policies are compared."""
WINDOWS = (7, WITHIN, 90)
"""All days within which it is counted."""
_ROUNDS = 1000
_SEED = 20


class BackWithin(Struct, rename="camel", frozen=True):
    """Releases that were followed for so many `days`, how many of them were `back` by then, the share and its 95 %
    interval. None where none was followed."""

    days: int
    followed: int
    back: int
    share: float | None
    low: float | None
    high: float | None


class ReleasedCounts(Struct, rename="camel", frozen=True):
    """Some of the releases: how many, of how many people, how often one of them again, the days for which their seats
    were free until somebody was back, and who was back when."""

    releases: int
    people: int
    repeats: int
    seat_days: int
    back: list[BackWithin]


class BacktestRow(Struct, rename="camel", frozen=True):
    """What one policy would have released of one type and group (empty: of all of the type): all, on the first day, and
    later. `file` is the policy's, `threshold` the days that it was asked with, None for its own."""

    policy: str
    file: str
    threshold: int | None
    license_type: LicenseType
    group: str
    all: ReleasedCounts
    backlog: ReleasedCounts
    later: ReleasedCounts


class RegretDifference(Struct, rename="camel", frozen=True):
    """How much larger the share of a policy's later releases that was back within 30 days is than that of the policy
    `against` which it is held, in points, between which bounds (95 %); `shown`: whether 0 lies outside of them."""

    policy: str
    against: str
    license_type: LicenseType
    points: float
    low: float
    high: float
    shown: bool


def rows_of(name: str, variant: Variant, found: Backtested, types: Iterable[LicenseType]) -> list[BacktestRow]:
    """The rows of one policy: for each type all, and each group; all without a release, too."""
    of_group: dict[tuple[LicenseType, str], list[PastRelease]] = {
        (kind, ""): [one for one in found.releases if one.license_type == kind] for kind in types if variant.is_of(kind)
    }
    for release in found.releases:
        if release.group and (release.license_type, "") in of_group:
            of_group.setdefault((release.license_type, release.group), []).append(release)
    return [
        BacktestRow(
            name,
            variant.policy.file,
            variant.days,
            kind,
            group,
            released(releases, found.last),
            released([one for one in releases if one.backlog], found.last),
            released([one for one in releases if not one.backlog], found.last),
        )
        for (kind, group), releases in sorted(of_group.items(), key=lambda item: item[0])
    ]


def released(releases: Sequence[PastRelease], last: int) -> ReleasedCounts:
    """The numbers of some releases; `last` is the day of the last snapshot."""
    people = len({release.person for release in releases})
    return ReleasedCounts(
        len(releases),
        people,
        len(releases) - people,
        sum(release.seat_days for release in releases),
        [_within(releases, days, last) for days in WINDOWS],
    )


def _within(releases: Sequence[PastRelease], days: int, last: int) -> BackWithin:
    # Who was released too late to be followed for so long counts neither way, also where back already.
    followed = [release for release in releases if release.day + days <= last]
    if not followed:
        return BackWithin(days, 0, 0, None, None, None)
    back = [release.back is not None and release.back - release.day <= days for release in followed]
    n, share = len(followed), sum(back) / len(followed)
    influence: dict[str, float] = defaultdict(float)
    of_one = {came: (came - share) / n for came in (False, True)}
    for release, came in zip(followed, back, strict=True):
        influence[release.person] += of_one[came]
    variance = fsum(g * g for g in influence.values())
    low, high = wilson(share, min(n, share * (1 - share) / variance if variance > 0 else len(influence)))
    return BackWithin(days, n, sum(back), share, low, high)


def _is_back(release: PastRelease, days: int) -> bool:
    return release.back is not None and release.back - release.day <= days


def followed_people(found: Backtested, kind: LicenseType) -> dict[str, tuple[int, int]]:
    """By person, how many releases of a type could be followed, and how many of them were back: of those released
    later. The backlog of a first day is mostly people who are gone, and differs by who had been away until then."""
    people: dict[str, tuple[int, int]] = {}
    for release in found.releases:
        if release.license_type == kind and not release.backlog and release.day + WITHIN <= found.last:
            followed, back = people.get(release.person, (0, 0))
            people[release.person] = followed + 1, back + _is_back(release, WITHIN)
    return people


def difference(
    names: tuple[str, str],
    kind: LicenseType,
    one: Mapping[str, tuple[int, int]],
    other: Mapping[str, tuple[int, int]],
) -> RegretDifference | None:
    """How another policy differs from the first, whose `names` these are, by the people of both; None where one has
    nothing that was followed.

    A bootstrap by person: people with the same counts are drawn together, which takes no time.
    """
    counts = [one.get(person, (0, 0)) + other.get(person, (0, 0)) for person in one.keys() | other.keys()]
    alike = sorted(Counter(counts).items())
    # What the people with the same counts add up to, each time one of them is drawn.
    columns = list(zip(*(key for key, _ in alike), strict=True))
    points = _points([count for _, count in alike], columns)
    if points is None:
        return None
    draw = random.Random(_SEED)  # noqa: S311 - repeatable on purpose, nothing secret
    drawn_of_each = [_poisson(draw, count) for _, count in alike]
    drawn = sorted(
        again for counts in zip(*drawn_of_each, strict=True) if (again := _points(counts, columns)) is not None
    )
    low, high = drawn[round(0.025 * (len(drawn) - 1))], drawn[round(0.975 * (len(drawn) - 1))]
    return RegretDifference(names[1], names[0], kind, points, low, high, not low <= 0 <= high)


def _points(counts: Sequence[int], columns: Sequence[Sequence[int]]) -> float | None:
    sums: list[int] = [sum(map(mul, counts, column)) for column in columns or [()] * 4]
    followed, back, others_followed, others_back = sums
    if not followed or not others_followed:
        return None
    return 100 * (others_back / others_followed - back / followed)


def _poisson(draw: random.Random, mean: int) -> list[int]:
    """How often people of whom there are so many are drawn, in each round."""
    if mean > 50:
        return [max(0, round(draw.gauss(mean, sqrt(mean)))) for _ in range(_ROUNDS)]
    chances = accumulate(range(1, 4 * mean + 20), lambda chance, count: chance * mean / count, initial=exp(-mean))
    below, drawn = list(accumulate(chances)), draw.random
    return [bisect_right(below, drawn()) for _ in range(_ROUNDS)]
