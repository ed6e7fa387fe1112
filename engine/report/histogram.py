"""How long licenses have not been used, as a picture, and what other thresholds would do.

Bars are of one width on the page and of growing width in days: narrow up to the thresholds of the rules, where one
looks closely, and wider and wider beyond them. Lengths are in the units of a picture `WIDTH` wide.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from seatwarden.engine.analysis.thresholds import thresholds_of, with_days
from seatwarden.engine.decide.column_tests import FactBatch
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decision import BATCH, STANDING, Compact, Decision
from seatwarden.engine.decide.standing import is_due
from seatwarden.engine.decide.withheld import is_withheld
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.report.axis import Mark, axis_end
from seatwarden.engine.report.pool import WIDTH
from seatwarden.grammar.ast import LicenseType, Policy

_LEFT, _TOP, _HEIGHT = 44, 30, 130
_GAP = 2.0
"""Between what is kept and what is due in one bar, so that they are told apart without colours."""
_MOST_BARS = 22
_LAST_WORDS = 120
"""Room for the words below the last bar: `1,440 or more`."""
_WIDENING = (1.5, 2, 3, 4, 6, 8, 12, 16, 24)
"""Beyond the largest threshold bars end at so many times of it."""
_FAR = 3_650
"""Thresholds beyond ten years are not drawn."""
_OTHERS = (45, 90, 180, 365)
"""Thresholds that people think of instead of theirs: the next ones below and above are tried."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Licenses unused for `first` to `last` days (None: or more), kept and due."""

    first: int
    last: int | None
    kept: int
    due: int
    x: float
    width: float
    kept_height: float
    due_height: float

    @property
    def lift(self) -> float:
        """How far above the ground the part that is due begins."""
        return self.kept_height + _GAP if self.kept_height else 0


@dataclass(frozen=True, slots=True)
class OtherThreshold:
    """How many licenses would be due if the rules asked for another number of days."""

    days: int
    due: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """How long the licenses of a type have not been used, with the thresholds of the rules that release them.

    `unknown` counts those whose days are unknown, `withheld` those of them that do not say them, `beyond` those at or
    over the smallest threshold. `others` are tried where there is one threshold.
    """

    license_type: LicenseType
    bars: tuple[Bar, ...]
    thresholds: tuple[Mark, ...]
    days: tuple[Mark, ...]
    counts: tuple[Mark, ...]
    unknown: int
    beyond: int
    due: int
    others: tuple[OtherThreshold, ...]
    bottom: float = _TOP + _HEIGHT
    last_day_at: float = 0
    withheld: int = 0
    spared: int = 0
    """Of those due how many are kept all the same, by a hold or for a notice."""

    @property
    def licenses(self) -> int:
        """All licenses of the type."""
        return sum(bar.kept + bar.due for bar in self.bars) + self.unknown


def histogram_of(license_type: LicenseType, plan: RecordedPlan) -> Histogram:
    """The picture of one type; licenses whose days are unknown are only counted."""
    decisions = [d for d in plan.decisions if d.license_type == license_type]
    thresholds = thresholds_of(license_type, plan.policy.rules)
    known = [(max(d.unused_days, 0), is_due(d)) for d in decisions if d.unused_days is not None]
    edges = edges_for(thresholds, max((days for days, _ in known), default=0))
    kept, due = [0] * len(edges), [0] * len(edges)
    for days, released in known:
        (due if released else kept)[bisect_right(edges, days) - 1] += 1
    top = axis_end(max(map(sum, zip(kept, due, strict=True))))
    room = (WIDTH - _LEFT) / len(edges)

    def height(count: int) -> float:
        """A bar of one license is still to be seen."""
        return round(max((_HEIGHT - _GAP) * count / top, 2), 2) if count else 0

    lasts = [*(after - 1 for _, after in pairwise(edges)), None]
    bars = tuple(
        Bar(first, last, kept[n], due[n], round(_LEFT + n * room, 2), round(room * 0.84, 2),
            height(kept[n]), height(due[n]))
        for n, (first, last) in enumerate(zip(edges, lasts, strict=True))
    )  # fmt: skip
    places = {bar.first: bar.x for bar in bars}
    drawn = [days for days in thresholds if days in places]
    return Histogram(
        license_type,
        bars,
        tuple(Mark(round(places[days] - room * 0.08, 2), days) for days in drawn),
        tuple(Mark(bar.x, bar.first) for bar in _labelled(bars, drawn)),
        tuple(Mark(round(_TOP + _HEIGHT - _HEIGHT * count / top, 2), count) for count in sorted({0, top // 2, top})),
        len(decisions) - len(known),
        sum(days >= thresholds[0] for days, _ in known) if thresholds else 0,
        sum(due) + sum(d.unused_days is None and is_due(d) for d in decisions),
        tuple(_others(license_type, plan, decisions, thresholds)),
        last_day_at=bars[-1].x,
        withheld=sum(map(is_withheld, decisions)),
        spared=sum(d.because in STANDING for d in decisions),
    )


def edges_for(thresholds: Sequence[int], most: int) -> list[int]:
    """The first days of the bars. Each threshold is one; between them bars are alike, beyond the last they widen."""
    drawn = [days for days in thresholds if 0 < days <= _FAR]
    edges, start = [0], 0
    for days in drawn or [60]:
        parts = 6 if len(drawn) < 2 else 4 if len(drawn) < 4 else 2
        edges += sorted({start + round((days - start) * part / parts) for part in range(1, parts + 1)} - {start})
        start = days
    beyond = [round(start * times) for times in _WIDENING]
    edges += [edge for n, edge in enumerate(beyond) if edge > edges[-1] and (n < 2 or edge <= most)]
    return edges if len(edges) <= _MOST_BARS else sorted({0, *drawn, *edges[-3:]})


def _labelled(bars: Sequence[Bar], thresholds: Sequence[int]) -> Iterator[Bar]:
    """The bars under which a number stands: every other one, counted from the first threshold; the last has words."""
    start = next((n for n, bar in enumerate(bars) if bar.first in thresholds), 0)
    for n, bar in enumerate(bars):
        if bar.x < WIDTH - _LAST_WORDS and (n == 0 or (n - start) % 2 == 0):
            yield bar


# Other thresholds -------------------------------------------------------------------------------------------


def _others(
    license_type: LicenseType, plan: RecordedPlan, decisions: Sequence[Decision], thresholds: Sequence[int]
) -> Iterator[OtherThreshold]:
    """The next thresholds that people think of, each decided again. None of a plan that does not say all facts."""
    if len(thresholds) != 1:
        return
    (own,) = thresholds
    below, above = [days for days in _OTHERS if days < own], [days for days in _OTHERS if days > own]
    for days in [*below[-1:], *above[: 1 if below else 2]]:
        due = _due_with(days, license_type, plan, decisions)
        if due is None:
            return
        yield OtherThreshold(days, due)


def _due_with(days: int, license_type: LicenseType, plan: RecordedPlan, decisions: Sequence[Decision]) -> int | None:
    """How many licenses would be due. Those that a guard or a keep rule keeps, are kept in any case."""
    open_ones = [d.evaluation for d in decisions if d.because == "default" or is_due(d)]
    values = [one.values for one in open_ones if isinstance(one, Compact)]
    if len(values) < len(open_ones):
        return None
    # All rules in their order, so that each fact is looked for where the plan's own rules have put it.
    rules = [r.but(condition=with_days(r.condition, days)) if r.takes else r for r in plan.policy.rules]
    compiled = CompiledRules(replace(plan.policy, tree=Policy(tuple(rules))), license_type, plan.day)
    releasing = [n for n, rule in enumerate(compiled.rules) if rule.takes]
    due = 0
    for start in range(0, len(values), BATCH):
        some = values[start : start + BATCH]
        truths = compiled.truths(FactBatch(len(some), list(map(list, zip(*some, strict=True)))))
        due += sum(any(row[n] is True for n in releasing) for row in truths)
    return due
