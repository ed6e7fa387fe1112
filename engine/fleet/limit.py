"""The limit of a fleet: the most licenses that one run may release at all its sites together.

It is held once, when all sites are planned, over the sum of what each site's own limits let through. So it gives the
same whichever site answers first, and no counter is shared. As at a site: over a limit nothing at all is released,
unless it says `longest unused first`; and releases whose day was announced go up to the limit, never all or nothing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from seatwarden.engine.log.lines import Key
from seatwarden.engine.plan.limits import Rooms, describe_excess, excesses
from seatwarden.engine.runs.run_report import LeftPlan, LeftRelease
from seatwarden.grammar.ast import LicenseType, Limit


@dataclass(frozen=True, slots=True)
class FleetChoice:
    """What a fleet's limits allow: the licenses of each site by its name, and in sentences the limits that all of them
    together are over; then none are allowed."""

    allowed: Mapping[str, tuple[Key, ...]]
    over: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Due:
    """A license that a site may release."""

    site: str
    release: LeftRelease

    @property
    def longest_unused(self) -> tuple[int, str, LicenseType, str]:
        return -self.release.unused_days, self.site, *self.release.key

    @property
    def earliest_announced(self) -> tuple[str, int, str, LicenseType, str]:
        return self.release.announced, *self.longest_unused


def hold_fleet_limits(
    limits: tuple[Limit, ...], left: Mapping[str, LeftPlan], beside: Iterable[Mapping[LicenseType, int]] = ()
) -> FleetChoice:
    """The licenses that may be released at the sites of a fleet, which is left by each site's own limits.

    Percentages are of the licenses that are allocated at all sites that were planned: `beside` counts those of the
    sites where nothing is left to release. A site that did not answer counts nothing.
    """
    allocated: Counter[LicenseType] = Counter()
    for counted in (*(one.allocated for one in left.values()), *beside):
        allocated.update(counted)
    due = [_Due(site, release) for site, plan in left.items() for release in plan.chosen]
    others = sorted((one for one in due if not one.release.announced), key=lambda one: one.longest_unused)
    choosing = Rooms(limits, allocated, only_choosing=True)
    chosen = [one for one in others if choosing.take(one.release.license_type)]
    all_rooms = Rooms(limits, allocated)
    for one in chosen:
        all_rooms.take(one.release.license_type, always=True)
    announced = sorted((one for one in due if one.release.announced), key=lambda one: one.earliest_announced)
    chosen += [one for one in announced if all_rooms.take(one.release.license_type)]
    over = excesses(limits, allocated, Counter(one.release.license_type for one in chosen))
    if over:
        return FleetChoice(dict.fromkeys(left, ()), tuple(f"at all sites, {describe_excess(one)}" for one in over))
    return FleetChoice(_by_site(left, chosen))


def _by_site(sites: Iterable[str], chosen: Sequence[_Due]) -> dict[str, tuple[Key, ...]]:
    found: dict[str, list[Key]] = {site: [] for site in sites}
    for one in chosen:
        found[one.site].append(one.release.key)
    return {site: tuple(keys) for site, keys in found.items()}
