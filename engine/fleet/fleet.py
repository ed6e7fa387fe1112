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

from msgspec import structs

from seatwarden.engine.fleet.crew import PLACES, Crew, SiteStep
from seatwarden.engine.fleet.limit import FleetChoice, hold_fleet_limits
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
        answers = do({name: work.check for name, work in _works(sites, means).items()})
    results = _without_doubles([answers[site.name].result for site in sites])
    return FleetReport(fleet, started, means.site.clock(), results)


def plan_fleet(fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans, folder: Path | None = None) -> FleetReport:
    """Plans all sites; releases nothing. With a `folder` each plan is sealed in it, under the name of its site."""
    started = means.site.clock()
    with each_site(fleet, sites, means) as do:
        steps = {name: partial(work.plan, folder=folder) for name, work in _works(sites, means).items()}
        answers = do(steps)
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
        answers = do(steps)
    results = tuple(answers[site.name].result for site in sites)
    return FleetReport(fleet, started, means.site.clock(), results)


def run_fleet(
    fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans, *, dry_run: bool, scheduled: bool = False
) -> FleetReport:
    """Plans all sites, holds the fleet's limit, and releases what it allows; where `dry_run`, or what a site file says,
    does not keep it from that. `scheduled`: only at sites where releasing is enabled."""
    started, works = means.site.clock(), _works(sites, means)
    with each_site(fleet, sites, means) as do:
        answers = do({name: partial(work.run, dry_run=dry_run, scheduled=scheduled) for name, work in works.items()})
        live = {name: answer for name, answer in answers.items() if not answer.result.dry_run}
        choice = _choice(fleet, live)
        steps = {
            name: partial(works[name].release, first=answers[name], allowed=keys, over=choice.over)
            for name, keys in choice.allowed.items()
            if keys or choice.over
        }
        second = do(steps)
    would = _choice(fleet, answers)
    results = []
    for name, first in sorted(answers.items()):
        result = _allowed(first.result, choice if name in live else would)
        if name in second:
            result = _of_both(result, second[name].result)
        elif result.outcome == "planned":  # the fleet's limit has left nothing for this one
            result = structs.replace(result, outcome="done")
        results.append(result)
    return FleetReport(
        fleet, started, means.site.clock(), tuple(results), choice.over or (would.over if not live else ())
    )


DoEach = Callable[[Mapping[str, SiteStep[SiteAnswer]]], dict[str, SiteAnswer]]


@contextmanager
def each_site(fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans) -> Iterator[DoEach]:
    """A way to do one step of each site, as long as the block lasts."""
    works = _works(sites, means)

    def lost(name: str, why: str) -> SiteAnswer:
        return works[name].lost(why)

    with Crew(len(sites), means.begin, lost, processes=means.processes, places=means.places) as crew:

        def do(steps: Mapping[str, SiteStep[SiteAnswer]]) -> dict[str, SiteAnswer]:
            found = {}
            for name, answer in crew.do(steps, fleet.deadline, means.stop):
                found[name] = answer
                means.tell(answer.result)
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
    """The result of both steps. A second step that gave no answer may have released; the first one's plan stands."""
    if second.is_planned:
        return second
    ended = structs.replace(second, seconds=first.seconds + second.seconds, warnings=first.warnings + second.warnings)
    counted = {name: getattr(first, name) for name in ("url", "licenses", "due", "this_run", "undetermined", "run_id")}
    outcome = "incomplete" if not second.bad_input else "failed"
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
