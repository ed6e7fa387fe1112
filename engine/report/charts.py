"""Numbers behind the page's pictures, and their geometry: what the template draws as SVG.

Lengths are in the units of a picture `WIDTH` wide; the page scales it.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.report.outcomes import FREED, TO_FREE, LicenseOutcome
from seatwarden.grammar.ast import Comparison, Field, LicenseType, Number, Rule, UnusedFor, walk

WIDTH = 460
_BARS = 24
"""About so many bars a histogram has."""
_LEFT, _TOP, _HEIGHT = 44, 26, 130


# The pool -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """Licenses of a pool that stand alike. `kind` is also the class it is drawn with."""

    kind: str
    label: str
    before: int
    after: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Pool:
    """The allocated licenses of a type, before and after the run."""

    license_type: LicenseType
    before: int
    after: int
    segments: tuple[Segment, ...]


_SEGMENTS = {
    "kept": "kept",
    "undetermined": "kept, a fact is unknown",
    "quarantined": "in quarantine already",
    "due": "due, not in this run",
    "freed": "to release",
}
_APPLIED = _SEGMENTS | {"due": "due, not released", "freed": "free now"}


def pool_of(license_type: LicenseType, decisions: Iterable[tuple[Decision, LicenseOutcome]], *, applied: bool) -> Pool:
    """The picture of one type, as planned, or as it became when the plan was `applied`."""
    labels = _APPLIED if applied else _SEGMENTS
    counts = dict.fromkeys(labels, 0)
    for decision, outcome in decisions:
        if decision.license_type == license_type:
            counts[_segment(decision, outcome, applied)] += 1
    total = sum(counts.values())
    ends = accumulate((WIDTH * count / total if total else 0 for count in counts.values()), initial=0.0)
    segments = tuple(
        Segment(
            kind, labels[kind], count, 0 if kind == "freed" else count, round(x, 2), round(WIDTH * count / total, 2)
        )
        for (kind, count), x in zip(counts.items(), ends, strict=False)
        if count
    )
    return Pool(license_type, total, total - counts["freed"], segments)


def _segment(decision: Decision, outcome: LicenseOutcome, applied: bool) -> str:
    if outcome in (FREED if applied else TO_FREE):
        return "freed"
    return "due" if decision.verdict == "release" else decision.guard or "kept"


# Days unused ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bar:
    """Licenses unused for `first` to `last` days (None: or more), kept and to be released."""

    first: int
    last: int | None
    kept: int
    release: int
    x: float
    width: float
    kept_height: float
    release_height: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A line or a number on an axis, at its place."""

    at: float
    value: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long the licenses of a type have not been used, with the thresholds of the rules that release them.

    `unknown` counts those whose days are unknown, `beyond` those at or over the smallest threshold.
    """

    license_type: LicenseType
    bars: tuple[Bar, ...]
    thresholds: tuple[Mark, ...]
    days: tuple[Mark, ...]
    counts: tuple[Mark, ...]
    unknown: int
    beyond: int
    bottom: float = _TOP + _HEIGHT


def histogram_of(license_type: LicenseType, plan: RecordedPlan) -> Histogram:
    """The picture of one type; licenses whose days are unknown are only counted."""
    decisions = [d for d in plan.decisions if d.license_type == license_type]
    thresholds = thresholds_of(license_type, plan.policy.rules)
    width, bins = _bins(thresholds)
    kept, release = [0] * bins, [0] * bins
    for decision in decisions:
        if decision.unused_days is not None:
            side = release if decision.verdict == "release" else kept
            side[min(max(decision.unused_days, 0) // width, bins - 1)] += 1
    top = _round_up(max((one + other for one, other in zip(kept, release, strict=True)), default=0))
    room = (WIDTH - _LEFT) / bins

    def height(count: int) -> float:
        """A bar of one license is still to be seen."""
        return round(max(_HEIGHT * count / top, 1.5), 2) if count else 0

    bars = tuple(
        Bar(
            n * width,
            (n + 1) * width - 1 if n < bins - 1 else None,
            kept[n],
            release[n],
            round(_LEFT + n * room, 2),
            round(room * 0.86, 2),
            height(kept[n]),
            height(release[n]),
        )
        for n in range(bins)
    )
    step = max(bins // 6, 1)
    return Histogram(
        license_type,
        bars,
        tuple(Mark(round(_LEFT + room * min(day / width, bins), 2), day) for day in thresholds),
        tuple(Mark(round(_LEFT + n * room, 2), n * width) for n in range(0, bins - 4, step)),
        tuple(Mark(round(_TOP + _HEIGHT - _HEIGHT * count / top, 2), count) for count in sorted({0, top // 2, top})),
        sum(d.unused_days is None for d in decisions),
        sum(d.unused_days is not None and d.unused_days >= thresholds[0] for d in decisions) if thresholds else 0,
    )


def thresholds_of(license_type: LicenseType, rules: Sequence[Rule]) -> tuple[int, ...]:
    """The numbers of days that release rules for this type speak of, smallest first."""
    found = set()
    for rule in rules:
        if rule.kind == "release" and rule.applies_to(license_type):
            for node, _ in walk(rule.condition):
                match node:
                    case UnusedFor():
                        found.add(node.days)
                    case Comparison(left=Field("license.unusedDays"), right=Number(days)):
                        found.add(days)
    return tuple(sorted(found))


def _bins(thresholds: Sequence[int]) -> tuple[int, int]:
    """Days in a bar, and bars. Thresholds fall between two bars as far as one width can do that."""
    positive = [days for days in thresholds if 0 < days <= _FAR] or [60]
    span = max(4 * max(positive), 90)
    common = math.gcd(*positive)
    widths = [width for width in range(1, common + 1) if common % width == 0]
    width = min(widths, key=lambda w: abs(math.ceil(span / w) - _BARS))
    if math.ceil(span / width) > 2 * _BARS:
        width = math.ceil(span / _BARS)
    return width, math.ceil(span / width)


_FAR = 3_650
"""Thresholds beyond ten years are not drawn to scale."""


def _round_up(count: int) -> int:
    """The end of an axis: the next number that is 1, 2 or 5 with zeros, or halves of such."""
    for exponent in range(12):
        for digits in (1, 2, 4, 6, 8):
            if digits * 10**exponent >= count and digits * 10**exponent >= 2:
                return int(digits * 10**exponent)
    return count
