"""The limit: how many licenses a run may release. On by default, so that an accident stays small."""

from collections.abc import Mapping
from dataclasses import dataclass

from grammar.ast import LICENSE_TYPES, LicenseType, Limit
from grammar.printer import print_limit

DEFAULT_PERCENT = 10
DEFAULT_COUNT = 100


@dataclass(frozen=True, slots=True)
class Excess:
    """A limit that a plan is over: what it allows, and what the plan would release."""

    limit: Limit
    license_type: LicenseType | None
    allowed: int
    planned: int


def limits_in_force(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    """The policy's limits, and the defaults where it says nothing.

    A type that no limit of the policy speaks of has 10 % of its allocated licenses; without any count in the
    policy a run releases at most 100.
    """
    in_force = list(limits)
    for license_type in LICENSE_TYPES:
        if not any(limit.license_type in (None, license_type) for limit in limits):
            in_force.append(Limit(None, DEFAULT_PERCENT, license_type))
    if not any(limit.count is not None for limit in limits):
        in_force.append(Limit(DEFAULT_COUNT, None))
    return tuple(in_force)


def excesses(
    limits: tuple[Limit, ...], allocated: Mapping[LicenseType, int], planned: Mapping[LicenseType, int]
) -> list[Excess]:
    """The limits that a plan is over; `allocated` and `planned` count licenses by type. Parts of a license are cut."""
    found = []
    for limit in limits:
        if limit.percent is not None:
            types = (limit.license_type,) if limit.license_type else LICENSE_TYPES
            checks = [(t, allocated.get(t, 0) * limit.percent // 100, planned.get(t, 0)) for t in types]
        else:
            count = planned.get(limit.license_type, 0) if limit.license_type else sum(planned.values())
            checks = [(limit.license_type, limit.count or 0, count)]  # type: ignore[list-item]
        found += [Excess(limit, t, allowed, count) for t, allowed, count in checks if count > allowed]
    return found


def describe_limits(limits: tuple[Limit, ...]) -> list[str]:
    """The limits as the language writes them."""
    return [print_limit(limit) for limit in limits]
