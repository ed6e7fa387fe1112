"""The limit: the most licenses that a run may release. On by default, so that an accident stays small.

A reserve (`reach 20 free analyzer`) chooses first, all other limits are held against what it chose. A limit over time
counts what earlier runs released. What is not known of the site releases nothing.
Releases whose day was announced are not refused as a whole: what does not fit waits for the next run. Only where the
others, that nobody was told of, are over a limit, nothing at all is released.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from seatwarden.engine.common.text import join_words, plural, quoted
from seatwarden.engine.decide.decision import Decision, that_take
from seatwarden.engine.errors import OverTheLimit
from seatwarden.engine.snapshot.model import Seats
from seatwarden.grammar.ast import LICENSE_TYPES, AnyLimit, LicenseType, Limit, Reserve
from seatwarden.grammar.printer import print_limit
from seatwarden.policy.lint.disuse import QUARANTINE_DAYS

DEFAULT_PERCENT = 10
DEFAULT_COUNT = 100
_FIRST_STEP = 10
"""Licenses that a first run of a small site may well release."""


class SiteNumbers(Struct, frozen=True):
    """What limits ask of the site: its `seats`, as QRS's overview counts them, and the releases of earlier runs.

    `lately` has the licenses released by type within so many days before the run; None where that cannot be read.
    """

    seats: Mapping[LicenseType, Seats] = field(default_factory=dict)
    lately: Mapping[int, Mapping[LicenseType, int] | None] = field(default_factory=dict)

    def released(self, within: int, types: Sequence[LicenseType]) -> int | None:
        """The number of licenses of these types released within so many days."""
        found = self.lately.get(within)
        return None if found is None else sum(found.get(license_type, 0) for license_type in types)


NO_NUMBERS = SiteNumbers()


class Excess(Struct, frozen=True):
    """A limit that a plan is over: what it allows, and what the plan would release.

    `before` is what earlier runs have released of a limit over time; None where that is not known, or not asked.
    """

    limit: Limit
    license_type: LicenseType | None
    allowed: int
    planned: int
    before: int | None = None


def limits_in_force(limits: tuple[AnyLimit, ...]) -> tuple[AnyLimit, ...]:
    """The policy's limits, and the defaults where it says nothing.

    A type that no limit of the policy speaks of has 10 % of its allocated licenses; without any count in the
    policy a run releases at most 100. A reserve is no such limit: it says how many are needed, not how many may be.
    """
    in_force, own = list(limits), _bounds(limits)
    for license_type in LICENSE_TYPES:
        if not any(limit.license_type in (None, license_type) for limit in own):
            in_force.append(Limit(None, DEFAULT_PERCENT, license_type))
    if not any(limit.count is not None for limit in own):
        in_force.append(Limit(DEFAULT_COUNT, None))
    return tuple(in_force)


def _bounds(limits: Iterable[AnyLimit]) -> list[Limit]:
    return [limit for limit in limits if isinstance(limit, Limit)]


def days_asked(limits: Iterable[AnyLimit]) -> set[int]:
    """The days within which limits count the releases of earlier runs."""
    return {limit.over.days for limit in _bounds(limits) if limit.over is not None}


def chooses(limits: Iterable[AnyLimit]) -> bool:
    """Whether a limit chooses among the licenses that are due."""
    return any(isinstance(limit, Reserve) or limit.longest_unused_first for limit in limits)


def excesses(
    limits: tuple[AnyLimit, ...],
    allocated: Mapping[LicenseType, int],
    planned: Mapping[LicenseType, int],
    site: SiteNumbers = NO_NUMBERS,
) -> list[Excess]:
    """The limits that a plan is over; `allocated` and `planned` count licenses by type. Shares are rounded down."""
    found = []
    for limit in _bounds(limits):
        for types, allowed in _allowances(limit, allocated, site):
            count = sum(planned.get(license_type, 0) for license_type in types)
            if count > allowed:
                before = site.released(limit.over.days, types) if limit.over else None
                found.append(Excess(limit, types[0] if len(types) == 1 else None, allowed, count, before))
    return found


def longest_unused_first(
    limits: tuple[AnyLimit, ...],
    allocated: Mapping[LicenseType, int],
    releases: Iterable[Decision],
    site: SiteNumbers = NO_NUMBERS,
) -> list[Decision]:
    """The releases that reserves need, and that fit into the limits which say `longest unused first`.

    Other limits choose nothing: a plan over one of them is refused as a whole. Behind those that nobody was told of
    come the announced ones, as many as still fit into all limits, earliest announced first.
    """
    every = list(releases)
    announced = [decision for decision in every if is_announced(decision)]
    others = [decision for decision in every if not is_announced(decision)]
    rooms = Rooms(limits, allocated, site, only_choosing=True)
    chosen = [one for one in for_reserves(limits, others, site) if rooms.take(one.license_type)]
    return [*chosen, *fitting(limits, allocated, announced, site, beside=chosen)]


def is_announced(decision: Decision) -> bool:
    """Whether a release is by a rule that tells its users before."""
    return decision.rule is not None and decision.rule.notice is not None


def fitting(
    limits: tuple[AnyLimit, ...],
    allocated: Mapping[LicenseType, int],
    decisions: Iterable[Decision],
    site: SiteNumbers = NO_NUMBERS,
    beside: Sequence[Decision] = (),
) -> list[Decision]:
    """The licenses that fit into all limits and that reserves need, earliest announced first, then longest unused.

    `beside` are those that have been chosen already.
    """
    rooms = Rooms(limits, allocated, site)
    needed = _needed(limits, site)
    for decision in beside:
        rooms.take(decision.license_type, always=True)
        _take_needed(needed, decision)
    found = []
    for decision in sorted(decisions, key=_announced_order):
        if rooms.has(decision.license_type) and _take_needed(needed, decision):
            rooms.take(decision.license_type)
            found.append(decision)
    return found


def _announced_order(decision: Decision) -> tuple[str, int, LicenseType, str]:
    notice = decision.standing.notice
    return notice.announced if notice else "", -(decision.unused_days or 0), decision.license_type, decision.license_id


class Rooms:
    """What limits leave room for, license by license; with `only_choosing` those that say `longest unused first`."""

    def __init__(
        self,
        limits: tuple[AnyLimit, ...],
        allocated: Mapping[LicenseType, int],
        site: SiteNumbers = NO_NUMBERS,
        *,
        only_choosing: bool = False,
    ) -> None:
        self._rooms = [
            (types, [allowed])
            for limit in _bounds(limits)
            if limit.longest_unused_first or not only_choosing
            for types, allowed in _allowances(limit, allocated, site)
        ]

    def _mine(self, license_type: LicenseType) -> list[list[int]]:
        return [room for types, room in self._rooms if license_type in types]

    def has(self, license_type: LicenseType) -> bool:
        """Whether there is room for one more license of this type."""
        return all(room[0] > 0 for room in self._mine(license_type))

    def take(self, license_type: LicenseType, *, always: bool = False) -> bool:
        """Takes room for a license of this type, where there is any, or `always`; says whether."""
        if not always and not self.has(license_type):
            return False
        for room in self._mine(license_type):
            room[0] -= 1
        return True


def for_reserves(limits: Iterable[AnyLimit], releases: Iterable[Decision], site: SiteNumbers) -> Iterator[Decision]:
    """The releases, longest unused first; of a type with a reserve as many as it takes until that is reached."""
    needed = _needed(limits, site)
    # To the last in a fixed order: `apply` chooses again from the log, and must choose what the plan has promised.
    for decision in sorted(releases, key=lambda d: (-(d.unused_days or 0), d.license_type, d.license_id)):
        if _take_needed(needed, decision):
            yield decision


def _needed(limits: Iterable[AnyLimit], site: SiteNumbers) -> dict[LicenseType, int]:
    """How many licenses reserves need, by type; a type without one is not in it."""
    return {one.license_type: needed_for(one, site) or 0 for one in limits if isinstance(one, Reserve)}


def _take_needed(needed: dict[LicenseType, int], decision: Decision) -> bool:
    """Whether reserves leave a license to be released; then it is counted."""
    left = needed.get(decision.license_type)
    if left is not None and (left <= 0 or not frees_at_once(decision) or is_given_back(decision)):
        return False
    if left is not None:
        needed[decision.license_type] = left - 1
    return True


def needed_for(reserve: Reserve, site: SiteNumbers) -> int | None:
    """How many licenses have to be released until so many are free; None where the site does not say what is free.

    Those that are allocated beyond what the site's license covers free nothing.
    """
    seats = site.seats.get(reserve.license_type)
    if seats is None or seats.available is None:
        return None
    return max(0, reserve.free - seats.available + (seats.excess or 0))


def frees_at_once(decision: Decision) -> bool:
    """Whether somebody else can have the license at once: Qlik puts one that was used lately in quarantine."""
    return decision.unused_days is not None and decision.unused_days >= QUARANTINE_DAYS


def is_given_back(decision: Decision) -> bool:
    """Whether a license rule certainly gives the license back at the next log-in: then it does not stay free."""
    return decision.take_back is not None and decision.take_back.is_certain


def describe_reserve(reserve: Reserve, site: SiteNumbers, chosen: int, given_back: int = 0) -> str:
    """A sentence on a reserve: what is free, what is needed, what is released for it. `given_back` are due, and do not
    help: license rules give them back."""
    license_ = f"free {reserve.license_type} license"
    wanted = f"{plural(reserve.free, license_)} {_be(reserve.free)} to be reached"
    needed, seats = needed_for(reserve, site), site.seats.get(reserve.license_type)
    if needed is None or seats is None:
        return f"{wanted}; how many are free is not known, so none is released"
    free, excess = seats.available or 0, seats.excess or 0
    beyond = f", {excess:,} too many {_be(excess)} allocated" if excess else ""
    there = f"{wanted}: {free:,} {_be(free)} free{beyond}"
    if not needed:
        return f"{there}, so none is released"
    rules = f"; {given_back:,} due {_be(given_back)} left, since license rules give them back" if given_back else ""
    return f"{there}, {needed:,} {_be(needed)} needed, {chosen:,} in this run{rules}"


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _allowances(
    limit: Limit, allocated: Mapping[LicenseType, int], site: SiteNumbers
) -> list[tuple[tuple[LicenseType, ...], int]]:
    """The groups of types that a limit bounds, each with the number of licenses that may be released."""
    types = (limit.license_type,) if limit.license_type else LICENSE_TYPES
    if limit.percent is None:
        return [(types, _left(limit, limit.count or 0, types, site))]
    shares = {(one,): allocated.get(one, 0) * limit.percent // 100 for one in types}
    return [(group, _left(limit, share, group, site)) for group, share in shares.items()]


def _left(limit: Limit, allowed: int, types: Sequence[LicenseType], site: SiteNumbers) -> int:
    """What earlier runs have left of a limit over time: nothing, where it is not known."""
    if limit.over is None:
        return allowed
    before = site.released(limit.over.days, types)
    return 0 if before is None else max(0, allowed - before)


class Remedy(Struct, frozen=True):
    """The limits that would choose, if they said `longest unused first`, and how many licenses a run would release."""

    limits: tuple[Limit, ...]
    released: int


def remedy(
    limits: tuple[AnyLimit, ...],
    allocated: Mapping[LicenseType, int],
    released: Mapping[LicenseType, int],
    site: SiteNumbers = NO_NUMBERS,
) -> Remedy | None:
    """What to do about a plan that is over a limit; None where a limit leaves no room for a single license.

    `released` counts the licenses by type that are due. The limits which all of them fit into need no change: fewer
    fit, too.
    """
    over = dict.fromkeys(excess.limit for excess in excesses(limits, allocated, released, site))
    changed = tuple(limit for limit in over if not limit.longest_unused_first)
    choosing = (limit for limit in _bounds(limits) if limit in changed or limit.longest_unused_first)
    allowances = [allowance for limit in choosing for allowance in _allowances(limit, allocated, site)]
    fitting = sum(
        min([released.get(own, 0), *(allowed for types, allowed in allowances if types == (own,))])
        for own in LICENSE_TYPES
    )
    fitting = min([fitting, *(allowed for types, allowed in allowances if types == LICENSE_TYPES)])
    return Remedy(changed, fitting) if fitting else None


def describe_remedy(found: Remedy | None, policy: tuple[AnyLimit, ...], release: int, *, yaml: bool) -> str:
    """The remedy in words; `policy` are the limits that the policy sets itself, as `yaml` or as text."""
    if found is None:
        text = print_limit(Limit(min(release, _FIRST_STEP), None, longest_unused_first=True))
        like = f"`limit: {text}`" if yaml else f"`limit release to {text}`"
        return f"not a single license fits into it; raise the limit in the policy, like {like}"
    steps = " and ".join(_steps(found, policy, yaml))
    return f"{steps} to release {found.released:,} and leave {release - found.released:,}"


def _steps(found: Remedy, policy: tuple[AnyLimit, ...], yaml: bool) -> list[str]:
    in_force = _bounds(limits_in_force(policy))
    defaults = [limit for limit in found.limits if limit not in policy]
    if any(limit.license_type is None for limit in defaults):
        # A limit of all types in the policy replaces all defaults: those that are to stay are written too.
        defaults = [limit for limit in in_force if limit not in policy]
    if defaults and yaml:
        reserves = [quoted(print_limit(one)) for one in policy if isinstance(one, Reserve)]
        whole = [*reserves, *(quoted(_choosing(limit, found)) for limit in (*_bounds(policy), *defaults))]
        return [f"set `limit: {whole[0] if len(whole) == 1 else '[' + ', '.join(whole) + ']'}` in the policy"]
    added = [f"`{print_limit(limit)}`" for limit in found.limits if limit in policy]
    steps = [f'add ", longest unused first" to {join_words(added)}'] if added else []
    if defaults:
        lines = [f"`limit release to {_choosing(limit, found)}`" for limit in defaults]
        steps.append(f"write {join_words(lines)} into the policy")
    return steps


def _choosing(limit: Limit, found: Remedy) -> str:
    return print_limit(limit.but(longest_unused_first=limit.longest_unused_first or limit in found.limits))


def describe_excess(excess: Excess) -> str:
    """A sentence for a limit that the plan is over."""
    which = plural(excess.planned, f"{excess.license_type} license" if excess.license_type else "license")
    over, before = excess.limit.over, excess.before
    lately = "" if over is None else f", how many were released in the last {plural(over.days, 'day')} is not known"
    if over is not None and before is not None:
        lately = f", {before:,} {'was' if before == 1 else 'were'} released in the last {plural(over.days, 'day')}"
    return f"{which} due; the limit of {print_limit(excess.limit)} allows {excess.allowed:,}{lately}"


def describe_limits(limits: tuple[AnyLimit, ...]) -> list[str]:
    """The limits as the language writes them."""
    return [print_limit(limit) for limit in limits]


def allocated_in(decisions: Sequence[Decision]) -> dict[LicenseType, int]:
    """The number of licenses of each type that have been decided on."""
    return {t: sum(d.license_type == t for d in decisions) for t in LICENSE_TYPES}


def choose(
    decisions: Sequence[Decision],
    limits: tuple[AnyLimit, ...],
    site: SiteNumbers = NO_NUMBERS,
    without: Collection[tuple[LicenseType, str]] = (),
) -> list[Decision]:
    """The licenses to release: all that are decided to be, or the longest unused where a limit says so.

    Those `without` are taken out of what is chosen, and nobody comes in their place. Raises OverTheLimit when another
    limit is exceeded.
    """
    allocated = allocated_in(decisions)
    chosen = [d for d in longest_unused_first(limits, allocated, that_take(decisions), site) if d.key not in without]
    planned = {t: sum(d.license_type == t for d in chosen) for t in LICENSE_TYPES}
    hold_limits(limits, allocated, planned, site)
    return chosen


def hold_limits(
    limits: tuple[AnyLimit, ...],
    allocated: Mapping[LicenseType, int],
    planned: Mapping[LicenseType, int],
    site: SiteNumbers = NO_NUMBERS,
) -> None:
    """Raises OverTheLimit when more is planned of any type than a limit allows."""
    over = excesses(limits, allocated, planned, site)
    if over:
        raise OverTheLimit([describe_excess(excess) for excess in over])
