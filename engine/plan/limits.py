"""The limit: the most licenses that a run may release. On by default, so that an accident stays small."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from seatwarden.engine.common.text import join_words, plural, quoted
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import OverTheLimit
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Limit
from seatwarden.grammar.printer import print_limit

DEFAULT_PERCENT = 10
DEFAULT_COUNT = 100
_FIRST_STEP = 10
"""Licenses that a first run of a small site may well release."""


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
    """The limits that a plan is over; `allocated` and `planned` count licenses by type. Shares are rounded down."""
    found = []
    for limit in limits:
        for types, allowed in _allowances(limit, allocated):
            count = sum(planned.get(license_type, 0) for license_type in types)
            if count > allowed:
                found.append(Excess(limit, types[0] if len(types) == 1 else None, allowed, count))
    return found


def longest_unused_first(
    limits: tuple[Limit, ...], allocated: Mapping[LicenseType, int], releases: Iterable[Decision]
) -> list[Decision]:
    """The releases that fit into the limits which say `longest unused first`.

    Other limits choose nothing: a plan over one of them is refused as a whole.
    """
    rooms = [
        (types, [allowed])
        for limit in limits
        if limit.longest_unused_first
        for types, allowed in _allowances(limit, allocated)
    ]
    chosen = []
    # To the last in a fixed order: `apply` chooses again from the log, and must choose what the plan has promised.
    for decision in sorted(releases, key=lambda d: (-(d.unused_days or 0), d.license_type, d.license_id)):
        mine = [room for types, room in rooms if decision.license_type in types]
        if all(room[0] > 0 for room in mine):
            chosen.append(decision)
            for room in mine:
                room[0] -= 1
    return chosen


def _allowances(limit: Limit, allocated: Mapping[LicenseType, int]) -> list[tuple[tuple[LicenseType, ...], int]]:
    """The groups of types that a limit bounds, each with the number of licenses that may be released."""
    types = (limit.license_type,) if limit.license_type else LICENSE_TYPES
    if limit.percent is None:
        return [(types, limit.count or 0)]
    return [((license_type,), allocated.get(license_type, 0) * limit.percent // 100) for license_type in types]


@dataclass(frozen=True, slots=True)
class Remedy:
    """The limits that would choose, if they said `longest unused first`, and how many licenses a run would release."""

    limits: tuple[Limit, ...]
    released: int


def remedy(
    limits: tuple[Limit, ...], allocated: Mapping[LicenseType, int], released: Mapping[LicenseType, int]
) -> Remedy | None:
    """What to do about a plan that is over a limit; None where a limit leaves no room for a single license.

    `released` counts the licenses by type that are due. The limits which all of them fit into need no change: fewer
    fit, too.
    """
    over = dict.fromkeys(excess.limit for excess in excesses(limits, allocated, released))
    changed = tuple(limit for limit in over if not limit.longest_unused_first)
    choosing = (limit for limit in limits if limit in changed or limit.longest_unused_first)
    allowances = [allowance for limit in choosing for allowance in _allowances(limit, allocated)]
    fitting = sum(
        min([released.get(own, 0), *(allowed for types, allowed in allowances if types == (own,))])
        for own in LICENSE_TYPES
    )
    fitting = min([fitting, *(allowed for types, allowed in allowances if types == LICENSE_TYPES)])
    return Remedy(changed, fitting) if fitting else None


def describe_remedy(found: Remedy | None, policy: tuple[Limit, ...], release: int, *, yaml: bool) -> str:
    """The remedy in words; `policy` are the limits that the policy sets itself, as `yaml` or as text."""
    if found is None:
        text = print_limit(Limit(min(release, _FIRST_STEP), None, longest_unused_first=True))
        like = f"`limit: {text}`" if yaml else f"`limit release to {text}`"
        return f"not a single license fits into it; raise the limit in the policy, like {like}"
    steps = " and ".join(_steps(found, policy, yaml))
    return f"{steps} to release {found.released:,} and leave {release - found.released:,}"


def _steps(found: Remedy, policy: tuple[Limit, ...], yaml: bool) -> list[str]:
    in_force = limits_in_force(policy)
    defaults = [limit for limit in found.limits if limit not in policy]
    if any(limit.license_type is None for limit in defaults):
        # A limit of all types in the policy replaces all defaults: those that are to stay are written too.
        defaults = [limit for limit in in_force if limit not in policy]
    if defaults and yaml:
        whole = [quoted(_choosing(limit, found)) for limit in (*policy, *defaults)]
        return [f"set `limit: {whole[0] if len(whole) == 1 else '[' + ', '.join(whole) + ']'}` in the policy"]
    added = [f"`{print_limit(limit)}`" for limit in found.limits if limit in policy]
    steps = [f'add ", longest unused first" to {join_words(added)}'] if added else []
    if defaults:
        lines = [f"`limit release to {_choosing(limit, found)}`" for limit in defaults]
        steps.append(f"write {join_words(lines)} into the policy")
    return steps


def _choosing(limit: Limit, found: Remedy) -> str:
    return print_limit(replace(limit, longest_unused_first=limit.longest_unused_first or limit in found.limits))


def describe_excess(excess: Excess) -> str:
    """A sentence for a limit that the plan is over."""
    which = plural(excess.planned, f"{excess.license_type} license" if excess.license_type else "license")
    return f"{which} to release; the limit of {print_limit(excess.limit)} allows {excess.allowed:,}"


def describe_limits(limits: tuple[Limit, ...]) -> list[str]:
    """The limits as the language writes them."""
    return [print_limit(limit) for limit in limits]


def allocated_in(decisions: Sequence[Decision]) -> dict[LicenseType, int]:
    """The number of licenses of each type that have been decided on."""
    return {t: sum(d.license_type == t for d in decisions) for t in LICENSE_TYPES}


def choose(decisions: Sequence[Decision], limits: tuple[Limit, ...]) -> list[Decision]:
    """The licenses to release: all that are decided to be, or the longest unused where a limit says so.

    Raises OverTheLimit when another limit is exceeded.
    """
    allocated = allocated_in(decisions)
    releases = [d for d in decisions if d.verdict == "release"]
    chosen = longest_unused_first(limits, allocated, releases)
    planned = {t: sum(d.license_type == t for d in chosen) for t in LICENSE_TYPES}
    hold_limits(limits, allocated, planned)
    return chosen


def hold_limits(
    limits: tuple[Limit, ...], allocated: Mapping[LicenseType, int], planned: Mapping[LicenseType, int]
) -> None:
    """Raises OverTheLimit when more is planned of any type than a limit allows."""
    over = excesses(limits, allocated, planned)
    if over:
        raise OverTheLimit([describe_excess(excess) for excess in over])
