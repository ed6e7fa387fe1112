"""The pools in a fleet: which sites are in which, what all of them say, and what is left for each when they agree."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from msgspec import structs

from seatwarden.engine.common.text import join_words
from seatwarden.engine.fleet.pool import PoolLook, PoolVerdicts, PoolView, Seat, seats_to_release
from seatwarden.engine.fleet.pool_steps import double_seat_words
from seatwarden.engine.fleet.result import SiteAnswer, SiteWarning
from seatwarden.engine.fleet.settings import Fleet, FleetSite
from seatwarden.engine.site.pool import NO_POOL


@dataclass(frozen=True, slots=True)
class FleetPools:
    """The pools of a fleet by name, and why nothing is released in some of them."""

    views: Mapping[str, PoolView] = field(default_factory=dict)
    problems: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def name_of(self, site: str) -> str | None:
        """The pool that a site is in."""
        return next((name for name, view in self.views.items() if site in view.looks), None)

    def view_of(self, site: str) -> PoolView | None:
        """What all sites of the pool of a site say."""
        name = self.name_of(site)
        return self.views[name] if name is not None else None

    def refused(self, site: FleetSite, looked: SiteAnswer) -> SiteAnswer | None:
        """The answer of a site in whose pool nothing is released; None for any other."""
        name = self.name_of(site.name)
        problems = self.problems.get(name) if name is not None else None
        if not problems:
            return None
        why = [f"nothing is released in the pool `{name}`: {problem}" for problem in problems]
        return SiteAnswer(structs.replace(looked.result, outcome="refused", why=why))


def pools_in(fleet: Fleet, chosen: Sequence[FleetSite], looked: Mapping[str, SiteAnswer]) -> FleetPools:
    """The pools by what each site of the whole fleet has answered; `chosen` are the sites that are run."""
    looks = [one.past for _, one in sorted(looked.items()) if isinstance(one.past, PoolLook)]
    views = {
        name: PoolView(look for look in looks if look.pool == name) for name in sorted({one.pool for one in looks})
    }
    unknown = [name for name, one in sorted(looked.items()) if one.result.outcome != "done"]
    names = {site.name for site in chosen}
    problems = {}
    for name, view in views.items():
        found = view.problems
        if unknown:
            found.append(f"whether {_sites(unknown)} in it is not known: {looked[unknown[0]].result.why[0]}")
        if left_out := sorted(view.looks.keys() - names):
            found.append(f"`--only` leaves out {join_words([f'`{one}`' for one in left_out])}")
        if all(look.use_only for look in view.looks.values()):
            found.append("every site of it says `useOnly`")
        problems[name] = tuple(found)
    return FleetPools(views, problems)


def _sites(names: Sequence[str]) -> str:
    return f"{_named(names)} {'is' if len(names) == 1 else 'are'}"


def with_right_pools(answers: Mapping[str, SiteAnswer]) -> dict[str, SiteAnswer]:
    """The answers of a check, in which `past` is the pool of each site and its key: sites with one key must be in one
    pool, and those in one pool must have one key. A key that is not known is compared with none."""
    found = dict(answers)
    known = {name: one.past for name, one in sorted(answers.items()) if isinstance(one.past, tuple)}
    for name, (pool, key) in known.items():
        mine = pool if pool != NO_POOL else None
        url = answers[name].result.url  # one site under two names is another fault
        others = {other: past for other, past in known.items() if answers[other].result.url != url}
        with_keys = {other: past for other, past in others.items() if None not in (key, past[1])}
        strangers = [other for other, past in with_keys.items() if past[1] == key and (mine is None or past[0] != mine)]
        apart = [other for other, past in with_keys.items() if mine is not None and past[0] == mine and past[1] != key]
        if strangers:
            why = f"it has the signed key of {_named(strangers)}, and is not in one pool with it"
            found[name] = _wrong(found[name], why, "write the same `licensePool: NAME` into the site files of both")
        elif apart:
            why = f"it is in the pool `{pool}` with {_named(apart)}, and has another signed key"
            found[name] = _wrong(found[name], why, "only sites on one signed key are a pool")
    return found


def _named(names: Sequence[str]) -> str:
    return join_words([f"`{name}`" for name in names[:3]]) + (" and others" if len(names) > 3 else "")


def _wrong(answer: SiteAnswer, why: str, help_: str) -> SiteAnswer:
    result = structs.replace(answer.result, outcome="failed", bad_input=True, why=[why], help=help_)
    return replace(answer, result=result)


def met(pools: FleetPools, answers: Mapping[str, SiteAnswer]) -> dict[str, SiteAnswer]:
    """The answers with what is left where all sites of a pool agree: each seat at one site, so that limits count
    people."""
    found = dict(answers)
    for view in pools.views.values():
        verdicts = {name: one.past for name, one in answers.items() if name in view.looks}
        seats = seats_to_release(view, {name: one for name, one in verdicts.items() if isinstance(one, PoolVerdicts)})
        said = double_seat_words(view)
        for name in view.looks:
            if name in found:
                found[name] = _with_seats(found[name], {seat for seat, site in seats.items() if site == name}, said)
    return found


def _with_seats(answer: SiteAnswer, seats: Iterable[Seat], said: str | None) -> SiteAnswer:
    """The answer of a site with what is left of these seats alone."""
    if said is not None:
        warnings = [*answer.result.warnings, SiteWarning(said)]
        answer = replace(answer, result=structs.replace(answer.result, warnings=warnings))
    if answer.left is None or not isinstance(answer.past, PoolVerdicts):
        return replace(answer, left=None)
    by_seat, mine = answer.past.by_seat, set(seats)
    keys = {(seat[1], license_id) for seat in mine for license_id in by_seat.get(seat, ())}
    chosen = tuple(one for one in answer.left.chosen if one.key in keys)
    return replace(answer, left=replace(answer.left, chosen=chosen))
