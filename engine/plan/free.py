"""How many licenses are free, and how many once a plan is carried out."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct, structs

from seatwarden.engine.decide.decision import Decision, that_take
from seatwarden.engine.plan.limits import frees_at_once
from seatwarden.engine.snapshot.model import Seats
from seatwarden.grammar.ast import DOWNGRADED, DOWNGRADED_TO, LICENSE_TYPES, LicenseType


def free_after(seats: Seats, count: int) -> int:
    """The licenses that are free when so many more were taken back, of seats whose `available` is known: those that
    are allocated beyond what the site's license covers free nothing."""
    return (seats.available or 0) + max(0, count - (seats.excess or 0))


def freed(
    seats: Mapping[LicenseType, Seats], decisions: Iterable[Decision], released: Collection[tuple[LicenseType, str]]
) -> dict[LicenseType, Seats]:
    """The seats after some licenses were released, by type and id, as far as they are free at once."""
    count = Counter(one.license_type for one in decisions if one.key in released and frees_at_once(one))
    return {
        kind: structs.replace(one, available=free_after(one, count[kind])) if one.available is not None else one
        for kind, one in seats.items()
    }


def available_in(overview: Mapping[LicenseType, Seats]) -> dict[LicenseType, int]:
    """The free licenses by type, as far as QRS says how many there are."""
    return {kind: one.available for kind, one in overview.items() if one.available is not None}


class FreeSeats(Struct, frozen=True, rename="camel"):
    """The licenses of a type that are free `now`, and after this run; `in_quarantine` more follow a week later, since
    they were used lately. `total` is None where QRS does not say it."""

    license_type: LicenseType
    total: int | None
    now: int
    after_this_run: int
    in_quarantine: int

    @property
    def words(self) -> str:
        """`58 of 100 free, 60 after this run`."""
        of = f" of {self.total:,}" if self.total is not None else ""
        after = f", {self.after_this_run:,} after this run" if self.after_this_run != self.now else ""
        later = f", {self.in_quarantine:,} more after their quarantine" if self.in_quarantine else ""
        return f"{self.now:,}{of} free{after}{later}"


def free_seats(
    overview: Mapping[str, Mapping[str, Any]], by_type: Mapping[str, Mapping[str, Any]], decisions: Sequence[Decision]
) -> list[FreeSeats]:
    """The free licenses of each type of which QRS says how many are: `overview` is that of the plan's header, `by_type`
    that of its summary."""
    taken = that_take(decisions)
    lately = Counter(one.license_type for one in taken if not frees_at_once(one))
    found, given = [], _given(taken, decisions)
    for kind in LICENSE_TYPES:
        seats, counts = Seats(**overview.get(kind, {})), by_type[kind]
        if seats.available is None:
            continue
        # A limit takes the longest unused first: those that were used lately come last.
        at_once = min(counts["thisRun"], counts["release"] - lately[kind])
        gone = min(given, by_type[DOWNGRADED]["thisRun"]) if kind == DOWNGRADED_TO else 0
        after, in_the_end = free_after(seats, at_once) - gone, free_after(seats, counts["thisRun"]) - gone
        found.append(FreeSeats(kind, seats.total, seats.available, after, in_the_end - after))
    return found


def _given(taken: Sequence[Decision], decisions: Sequence[Decision]) -> int:
    """How many of those that are downgraded hold no license yet of the type that they get."""
    downgraded = {(one.user_directory, one.user_id) for one in taken if one.verdict == "downgrade"}
    if not downgraded:
        return 0
    return len(downgraded - {(d.user_directory, d.user_id) for d in decisions if d.license_type == DOWNGRADED_TO})
