"""Sites whose truth is known: people with habits, and how far what the history says of them is from that.

The truth is what becomes of 35,000 people with the same habits, seen for as long as it takes; a site is some of them,
seen once a day or once a week for some time, and no further.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from seatwarden.engine.demo.habits import OFFICE, Life, Mix, life
from seatwarden.engine.history.chance import Chance, ChanceTable
from seatwarden.engine.history.spells import SpellBook, SpellRecord

AGES = (14, 21, 30, 45, 60, 90, 120, 180)
WITHIN = 30
PEOPLE = 35_000
MIXES = (
    OFFICE,
    Mix("reporting", 0.10, 0.15, 0.30, 0.20, 0.05, 0.10, 0.10),
    Mix("neglected", 0.15, 0.10, 0.10, 0.15, 0.15, 0.15, 0.20),
)


def record_of(lives: Sequence[Life], days: int, gap: int, release: tuple[int, int, bool] | None = None) -> SpellRecord:
    """What a history of so many days tells, with a snapshot every `gap` days in the night before.

    `release`: from which day on we release who lies unused for so many days, and whether the site gives it back.
    """
    snapshots = list(range(0, days + 1, gap))
    book = SpellBook(snapshots)
    for person, one in enumerate(lives):
        seen = None
        at = 0
        for place, day in enumerate(snapshots):
            while at < len(one.uses) and one.uses[at] < day:
                at += 1
            used = one.uses[at - 1] if at else None
            if one.allocated >= day or (one.deleted is not None and one.deleted < day):
                continue
            if release is not None and not release[2] and _is_gone(one, day, release):
                break
            if used != seen or seen is None:
                book.seen(person, place, used, one.allocated)
                seen = used
    return SpellRecord(book.ended(), 0, snapshots[-1] - 1, gap, release[0] if release else None)


def _is_gone(one: Life, day: int, release: tuple[int, int, bool]) -> bool:
    since, threshold, _ = release
    before = [use for use in one.uses if use < day]
    start = since - threshold
    return any(
        max(since, a + threshold) < b and max(since, a + threshold) < day
        for a, b in zip(before or [one.allocated], [*before[1:], day], strict=False)
        if b > start
    )


def truth(lives: Sequence[Life], days: int, age: int, within: int = WITHIN) -> float:
    """The share of those who reach an age in the last year, and come back within so many days."""
    first, reached, back = days - min(days, 365), 0, 0
    for one in lives:
        starts = one.uses if one.uses and one.uses[0] <= one.allocated else [one.allocated, *one.uses]
        for start, following in zip(starts, [*starts[1:], 10**9], strict=True):
            day = start + age
            if following >= day and first <= day < days and following > start:
                reached += 1
                back += following < day + within
    return back / reached


@dataclass(frozen=True, slots=True)
class Judged:
    """How far the estimates of one site are off, by age in points (None: nothing is said); how many intervals hold."""

    off: tuple[float | None, ...]
    held: int
    said: int


def judge(lives: Sequence[Life], truths: Sequence[float], days: int, gap: int, **given: object) -> Judged:
    """Holds what a site's history says against the truth."""
    release = given.get("release")
    record = record_of(lives, days, gap, release)  # type: ignore[arg-type]
    table = ChanceTable(record, reallocates=bool(given.get("reallocates")))
    found = [table.of(age, WITHIN) for age in AGES]
    off = tuple(
        100 * (one.share - true) if isinstance(one, Chance) else None for one, true in zip(found, truths, strict=True)
    )
    held = sum(isinstance(one, Chance) and one.low <= true <= one.high for one, true in zip(found, truths, strict=True))
    return Judged(off, held, sum(isinstance(one, Chance) for one in found))


def calibration(sites: int, sizes: Sequence[tuple[int, int, int]], seed: int = 7) -> Iterator[dict[str, object]]:
    """For each size, days and gap: how many of the sites keep the promise, and how many intervals hold."""
    for mix in MIXES:
        for days in sorted({days for _, days, _ in sizes}):
            draw = random.Random(f"{seed} {mix.name} {days}")  # noqa: S311 - repeatable on purpose
            everybody = [life(draw, mix, days) for _ in range(PEOPLE)]
            truths = [truth(everybody, days, age) for age in AGES]
            for licenses, _, gap in (size for size in sizes if size[1] == days):
                judged = [judge(draw.sample(everybody, licenses), truths, days, gap) for _ in range(sites)]
                yield {"mix": mix.name, "licenses": licenses, "days": days, "gap": gap, **_promise(judged)}


def _within(one: Judged, limit: int) -> int:
    """How many ages are that near to the truth."""
    return sum(off is not None and abs(off) <= limit for off in one.off)


def _promise(judged: Sequence[Judged]) -> dict[str, object]:
    offs = [abs(off) for one in judged for off in one.off if off is not None]
    near = {limit: [_within(one, limit) for one in judged] for limit in (2, 3, 5)}
    return {
        **{f"7 of 8 within {limit}": sum(n >= 7 for n in found) / len(judged) for limit, found in near.items()},
        "none beyond 8": sum(all(off is None or abs(off) <= 8 for off in one.off) for one in judged) / len(judged),
        "median off": median(offs) if offs else None,
        "said": sum(one.said for one in judged) / (len(AGES) * len(judged)),
        "held": sum(one.held for one in judged) / max(1, sum(one.said for one in judged)),
    }
