"""The licenses of a type as a picture: a bar for each moment, before the run and after it.

Lengths are in the units of a picture `WIDTH` wide; the page scales it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.states import LicenseState
from seatwarden.engine.plan.free import free_after
from seatwarden.engine.plan.limits import Excess, frees_at_once
from seatwarden.engine.snapshot.model import Seats
from seatwarden.grammar.ast import LicenseType

WIDTH = 460
_GAP = 1.5
"""Between two segments, so that they are told apart without colours."""
_LEAST = 2.5
"""Even one license of many thousands is to be seen."""

FREED: tuple[LicenseState, ...] = ("released", "downgraded", "gone")
TO_FREE: tuple[LicenseState, ...] = ("in this run",)
"""The states of licenses that are free, in a run that was applied and in a plan."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Licenses that stand alike, in one of the bars. `kind` is the class it is drawn with."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class PoolRow:
    """A line of the numbers below the picture: licenses that stand alike, before and after."""

    kind: str
    label: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Pool:
    """The licenses of a type, before and after the run. `seats` are the site's own numbers, where they are known.

    `limit_at` is where the `limit` cuts the licenses that are due: those right of it are as many as it allows.
    """

    license_type: LicenseType
    seats: Seats | None
    rows: tuple[PoolRow, ...]
    before: tuple[Segment, ...]
    after: tuple[Segment, ...]
    allocated: tuple[int, int]
    free: tuple[int, int] | None
    limit: Excess | None
    limit_at: float | None


_LABELS = {
    "kept": "kept",
    "undetermined": "kept, a fact is unknown",
    "quarantined": "in quarantine already",
    "held": "due, but held",
    "not-now": "due, but not now",
    "waiting": "due, waiting for notice",
    "due": "due, not in this run",
    "freed": "in this run",
    "free": "free",
}
_APPLIED = _LABELS | {"due": "due, not released", "freed": "released"}
_DRAWN_AFTER = {"held": "due", "not-now": "due", "waiting": "due"}
_DRAWN_BEFORE = {**_DRAWN_AFTER, "freed": "due"}
"""What is due has one look in all pictures, whether this run takes it, another does, or it is kept for a while."""


def pool_of(
    license_type: LicenseType,
    decided: Iterable[tuple[Decision, LicenseState]],
    seats: Seats | None,
    excesses: Sequence[Excess],
    *,
    applied: bool,
) -> Pool:
    """The picture of one type, as planned, or as it became when the plan was `applied`."""
    counts, at_once = dict.fromkeys(_LABELS, 0), 0
    for decision, state in decided:
        if decision.license_type == license_type:
            kind = _kind(decision, state, applied)
            counts[kind] += 1
            at_once += kind == "freed" and frees_at_once(decision)
    available = seats.available if seats else None
    counts["free"] = max(available or 0, 0)
    allocated = sum(count for kind, count in counts.items() if kind != "free")
    due = counts["due"] + counts["freed"]
    mine = [excess for excess in excesses if excess.license_type in (None, license_type) and excess.allowed < due]
    limit = min(mine, key=lambda excess: excess.allowed, default=None)
    scale = WIDTH / max(sum(counts.values()), 1)
    labels = _APPLIED if applied else _LABELS
    return Pool(
        license_type,
        seats,
        tuple(PoolRow(k, labels[k], n, _after(k, n, counts, available)) for k, n in counts.items() if n),
        tuple(_segments({_DRAWN_BEFORE.get(kind, kind): 0 for kind in counts}, counts, _DRAWN_BEFORE, scale)),
        tuple(_segments({_DRAWN_AFTER.get(kind, kind): 0 for kind in counts}, counts, _DRAWN_AFTER, scale)),
        (allocated, allocated - counts["freed"]),
        None if seats is None or available is None else (available, free_after(seats, at_once)),
        limit,
        None if limit is None else round((allocated - limit.allowed) * scale, 2),
    )


def _after(kind: str, count: int, counts: dict[str, int], available: int | None) -> int:
    if kind == "freed":
        return 0
    return count + counts["freed"] if kind == "free" and available is not None else count


def _kind(decision: Decision, state: LicenseState, applied: bool) -> str:
    if state in (FREED if applied else TO_FREE):
        return "freed"
    if decision.takes:
        return "due"
    return _KEPT_BY.get(decision.because) or decision.guard or "kept"


_KEPT_BY = {"hold": "held", "downgrade": "not-now", "notice": "waiting"}


def _segments(sums: dict[str, int], counts: dict[str, int], drawn: dict[str, str], scale: float) -> Iterable[Segment]:
    """The segments of a bar, of what is drawn alike together."""
    for kind, count in counts.items():
        sums[drawn.get(kind, kind)] += count
    x = 0.0
    for kind, count in sums.items():
        if count:
            yield Segment(kind, round(x, 2), round(max(count * scale - _GAP, _LEAST), 2))
        x += count * scale
