"""A fleet at work: each site by itself, and the fleet's limit held once in between.

Nothing that happens at one site changes what is done at another, but for that limit: it is held over what all sites
have left, when the last of them has been planned.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec import structs

from seatwarden.engine.fleet.crew import PLACES, Crew, SiteStep
from seatwarden.engine.fleet.limit import FleetChoice, hold_fleet_limits
from seatwarden.engine.fleet.pool_steps import look, release_in_pool
from seatwarden.engine.fleet.pools import FleetPools, met, pools_in, with_right_pools
from seatwarden.engine.fleet.result import SiteAnswer, SiteResult
from seatwarden.engine.fleet.settings import Fleet, FleetSite
from seatwarden.engine.fleet.steps import SiteMeans, SiteWork


@dataclass(frozen=True, slots=True)
class FleetMeans:
    """What the roof gives for work on a fleet: the means for each site, what each process begins with, what asks to
    stop, and who is told of each site that has ended. `processes`: None is as many as so many sites need; `places`: so
    many sites wait at once."""

    site: SiteMeans
    begin: Callable[[], None] = lambda: None
    stop: threading.Event = field(default_factory=threading.Event)
    tell: Callable[[SiteResult], None] = lambda result: None
    processes: int | None = None
    places: int = PLACES
    salt: bytes = b""
    """Random bytes, under which signed keys are compared."""


@dataclass(frozen=True, slots=True)
class FleetReport:
    """How a fleet ended: each site, by name, and in sentences the limits that all sites together are over."""

    fleet: Fleet
    started: datetime
    ended: datetime
    results: tuple[SiteResult, ...]
    over: tuple[str, ...] = ()


def check_fleet(fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans) -> FleetReport:
    """Reads all that is said of each site, and tries the way there. Changes nothing."""
    started = means.site.clock()
    with each_site(fleet, sites, means) as do:
        steps: dict[str, SiteStep[SiteAnswer]] = {
            name: partial(work.check, salt=means.salt) for name, work in _works(sites, means).items()
        }
        answers = with_right_pools(do(steps, means.tell))
    results = _without_doubles([answers[site.name].result for site in sites])
    return FleetReport(fleet, started, means.site.clock(), results)


def plan_fleet(fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans, folder: Path | None = None) -> FleetReport:
    """Plans all sites; releases nothing. With a `folder` each plan is sealed in it, under the name of its site."""
    started = means.site.clock()
    with each_site(fleet, sites, means) as do:
        pools, refused = _looked_at_pools(fleet, sites, means, do)
        steps = {
            name: partial(work.plan, folder=folder, pool=pools.view_of(name))
            for name, work in _works(sites, means).items()
            if name not in refused
        }
        answers = met(pools, do(steps, means.tell)) | refused
    choice = _choice(fleet, answers)
    results = [_allowed(answers[site.name].result, choice) for site in sites]
    return FleetReport(fleet, started, means.site.clock(), tuple(results), choice.over)


def report_fleet(
    fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans, folder: Path, *, force: bool = False
) -> FleetReport:
    """Writes the page of each site's newest run into a folder. Asks no site, and changes nothing of its record."""
    started = means.site.clock()
    with each_site(fleet, sites, means) as do:
        steps = {name: partial(work.report, folder=folder, force=force) for name, work in _works(sites, means).items()}
        answers = do(steps, means.tell)
    results = tuple(answers[site.name].result for site in sites)
    return FleetReport(fleet, started, means.site.clock(), results)


def run_fleet(
    fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans, *, dry_run: bool, scheduled: bool = False
) -> FleetReport:
    """Plans all sites, holds the fleet's limit, and releases what it allows; where `dry_run`, or what a site file says,
    does not keep it from that. `scheduled`: only at sites where releasing is enabled."""
    started, works = means.site.clock(), _works(sites, means)
    with each_site(fleet, sites, means) as do:
        pools, refused = _looked_at_pools(fleet, sites, means, do)
        steps: dict[str, SiteStep[SiteAnswer]] = {
            name: partial(work.run, dry_run=dry_run, scheduled=scheduled, pool=pools.view_of(name))
            for name, work in works.items()
            if name not in refused
        }
        answers = met(pools, do(steps, means.tell)) | refused
        live = {name: answer for name, answer in answers.items() if not answer.result.dry_run}
        choice = _choice(fleet, live)
        second = _second(do(_second_steps(works, answers, choice, pools), means.tell), choice, pools)
    would = _choice(fleet, answers)
    results = []
    for name, first in sorted(answers.items()):
        result = _allowed(first.result, choice if name in live else would)
        if name in second:
            result = _of_both(result, second[name])
        elif result.outcome == "planned":  # the fleet's limit has left nothing for this one
            result = structs.replace(result, outcome="done")
        results.append(result)
    return FleetReport(
        fleet, started, means.site.clock(), tuple(results), choice.over or (would.over if not live else ())
    )


class DoEach(Protocol):
    """Does one step of each site, and has the answers by name."""

    def __call__(
        self, steps: Mapping[str, SiteStep[SiteAnswer]], tell: Callable[[SiteResult], None] | None = None
    ) -> dict[str, SiteAnswer]:
        """The answers; `tell` hears of each as it comes."""
        ...


def _looked_at_pools(
    fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans, do: DoEach
) -> tuple[FleetPools, dict[str, SiteAnswer]]:
    """The pools of the fleet, and the answers of the sites in those in which nothing is released."""
    looked = do({name: partial(look, work) for name, work in _works(fleet.sites, means).items()})
    pools = pools_in(fleet, sites, looked)
    refused = {one.name: said for one in sites if (said := pools.refused(one, looked[one.name])) is not None}
    return pools, refused


_OF_POOL = "pool:"
"""What the step of a pool begins with among those of sites; no site is called so."""


def _second_steps(
    works: Mapping[str, SiteWork], answers: Mapping[str, SiteAnswer], choice: FleetChoice, pools: FleetPools
) -> dict[str, SiteStep[SiteAnswer]]:
    """The second step of each site that has something to release, or is told why not; of a pool one for all of it."""
    steps: dict[str, SiteStep[SiteAnswer]] = {}
    for name, keys in choice.allowed.items():
        pool = pools.name_of(name) if keys else None
        if pool is not None:
            mine = [works[one] for one in sorted(pools.views[pool].looks)]
            steps[f"{_OF_POOL}{pool}"] = partial(release_in_pool, works=mine, firsts=answers, allowed=choice.allowed)
        elif keys or choice.over:
            steps[name] = partial(works[name].release, first=answers[name], allowed=keys, over=choice.over)
    return steps


def _second(answers: Mapping[str, SiteAnswer], choice: FleetChoice, pools: FleetPools) -> dict[str, SiteResult]:
    """The results of second steps by site; that of a pool which gave no answer is that of all its sites."""
    found: dict[str, SiteResult] = {}
    for name, answer in answers.items():
        pool = name.removeprefix(_OF_POOL)
        if isinstance(answer.past, dict):
            found |= answer.past
        elif pool != name:
            mine = (site for site in pools.views[pool].looks if choice.allowed.get(site))
            found |= {site: structs.replace(answer.result, site=site) for site in mine}
        else:
            found[name] = answer.result
    return found


@contextmanager
def each_site(fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans) -> Iterator[DoEach]:
    """A way to do one step of each site, as long as the block lasts."""
    works = _works(fleet.sites, means)

    def lost(name: str, why: str) -> SiteAnswer:
        work = works.get(name)
        return work.lost(why) if work is not None else SiteAnswer(SiteResult(site=name, site_file="", why=[why]))

    with Crew(len(sites), means.begin, lost, processes=means.processes, places=means.places) as crew:

        def do(
            steps: Mapping[str, SiteStep[SiteAnswer]], tell: Callable[[SiteResult], None] | None = None
        ) -> dict[str, SiteAnswer]:
            found = {}
            for name, answer in crew.do(steps, fleet.deadline, means.stop):
                found[name] = answer
                if tell is not None:
                    tell(answer.result)
            return found

        yield do


def _works(sites: Sequence[FleetSite], means: FleetMeans) -> dict[str, SiteWork]:
    return {site.name: SiteWork(site, means.site) for site in sites}


def _choice(fleet: Fleet, answers: Mapping[str, SiteAnswer]) -> FleetChoice:
    left = {name: answer.left for name, answer in sorted(answers.items()) if answer.left is not None}
    beside = (answer.allocated for answer in answers.values() if answer.left is None)
    return hold_fleet_limits(fleet.limits, left, beside)


def _allowed(result: SiteResult, choice: FleetChoice) -> SiteResult:
    """The result of a site that was planned, with what the fleet's limit leaves of it."""
    keys = choice.allowed.get(result.site)
    if keys is None:
        return result
    if choice.over and not result.dry_run:
        return structs.replace(result, outcome="over-limit", allowed=0, why=list(choice.over))
    return structs.replace(result, allowed=len(keys))


def _of_both(first: SiteResult, second: SiteResult) -> SiteResult:
    """The result of both steps. The first one's plan stands also where the second came to nothing; one that gave no
    answer at all may have released."""
    if second.is_planned:
        return second
    ended = structs.replace(second, seconds=first.seconds + second.seconds, warnings=first.warnings + second.warnings)
    counted = {name: getattr(first, name) for name in ("url", "licenses", "due", "this_run", "undetermined", "run_id")}
    gave_none = second.url is None and not second.bad_input
    outcome = "incomplete" if gave_none else second.outcome
    return structs.replace(ended, outcome=outcome, dry_run=False, folder=first.folder, **counted)


def _without_doubles(results: Sequence[SiteResult]) -> tuple[SiteResult, ...]:
    """The results; where two sites are one and the same, the second one says so."""
    seen: dict[str, str] = {}
    found = []
    for result in results:
        other = seen.setdefault(result.url, result.site) if result.url is not None else result.site
        if other != result.site:
            why, help_ = [f"it is the same site as `{other}`: {result.url}"], "leave one of them out of the fleet"
            result = structs.replace(result, outcome="failed", bad_input=True, why=why, help=help_)
        found.append(result)
    return tuple(found)
