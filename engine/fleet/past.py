"""What the sites of a fleet have kept of their past, and what policies would have released since, site by site and in
all. Asks no site."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from msgspec import Struct, structs

from seatwarden.engine.analysis.hindsight import Hindsight, Spread, here, look_back
from seatwarden.engine.analysis.regret import BacktestRow, BackWithin, ReleasedCounts
from seatwarden.engine.fleet.fleet import FleetMeans, FleetReport, each_site
from seatwarden.engine.fleet.result import SiteAnswer, SiteResult
from seatwarden.engine.fleet.settings import Fleet, FleetSite
from seatwarden.engine.fleet.steps import SiteSaid, SiteWork
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.history.store import History
from seatwarden.engine.site.settings import Settings
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.loading import CheckedPolicy

IN_FORCE = "in force"
"""The name of each site's own policy, where no other is asked about."""


class KeptPast(Struct, frozen=True, rename="camel"):
    """The snapshots that a site's history has: how many, the first and the last as QRS writes moments, and its size."""

    snapshots: int
    since: str | None
    until: str | None
    bytes: int


@dataclass(frozen=True, slots=True)
class FleetHistory:
    """How a fleet ended, and the history of each site that has one, by name."""

    report: FleetReport
    kept: Mapping[str, KeptPast]


@dataclass(frozen=True, slots=True)
class FleetHindsight:
    """How a fleet ended, what would have been at each site, by name, and the sum of all: intervals, which count people
    of one site, are not in it."""

    report: FleetReport
    sites: Mapping[str, Hindsight]
    total: tuple[BacktestRow, ...]


@dataclass(frozen=True, slots=True)
class PastQuestion:
    """What is asked of each site's history: about these policies, by name (none: the one in force there), with these
    days without use by type. `reallocates`: who logs in is given a license again; else as the site file says."""

    policies: Mapping[str, CheckedPolicy]
    thresholds: Mapping[LicenseType, tuple[int, ...]]
    reallocates: bool = False


def fleet_history(fleet: Fleet, sites: Sequence[FleetSite], means: FleetMeans) -> FleetHistory:
    """Looks at what each site has kept."""
    started = means.site.clock()
    with each_site(fleet, sites, means) as do:
        answers = do({site.name: partial(_kept, SiteWork(site, means.site)) for site in sites}, means.tell)
    found = {name: one.past for name, one in sorted(answers.items()) if isinstance(one.past, KeptPast)}
    return FleetHistory(_report(fleet, started, means, answers), found)


def fleet_hindsight(
    fleet: Fleet,
    sites: Sequence[FleetSite],
    means: FleetMeans,
    question: PastQuestion,
    spread: AbstractContextManager[Spread] | None = None,
) -> FleetHindsight:
    """Goes through the history of each site: by the fleet's crew, or one after the other where the people of each are
    `spread` over a cluster."""
    started = means.site.clock()
    works = {site.name: SiteWork(site, means.site) for site in sites}
    answers: dict[str, SiteAnswer] = {}
    if spread is None:
        with each_site(fleet, sites, means) as do:
            answers = do(
                {name: partial(_looked_back, work, question=question) for name, work in works.items()}, means.tell
            )
    else:
        with spread as spreading:
            for name, work in works.items():
                answers[name] = _looked_back(work, means.stop, question, spreading)
                means.tell(answers[name].result)
    found = {name: one.past for name, one in sorted(answers.items()) if isinstance(one.past, Hindsight)}
    rows = [row for one in found.values() for row in one.rows]
    return FleetHindsight(_report(fleet, started, means, answers), found, tuple(_sums(rows)))


def _kept(work: SiteWork, stop: threading.Event) -> SiteAnswer:
    def looked(settings: Settings, said: SiteSaid) -> SiteAnswer:
        path = settings.folder / HISTORY_FILE
        if not path.exists():
            return _without_history(settings, said)
        with History(path) as history:
            moments = history.moments()
        first, last = (moments[0].taken_at, moments[-1].taken_at) if moments else (None, None)
        past = KeptPast(len(moments), first, last, path.stat().st_size)
        return SiteAnswer(said.result(settings, outcome="done"), past=past)

    return work.answered(looked)


def _looked_back(work: SiteWork, stop: threading.Event, question: PastQuestion, spread: Spread = here) -> SiteAnswer:
    def looked(settings: Settings, said: SiteSaid) -> SiteAnswer:
        path = settings.folder / HISTORY_FILE
        if not path.exists():
            return _without_history(settings, said)
        policies = question.policies or {IN_FORCE: settings.policy}
        reallocates = question.reallocates or settings.history.reallocates
        with History(path) as history:
            found = look_back(
                history, policies, question.thresholds, reallocates=reallocates, spread=spread, tell=said.warn
            )
        return SiteAnswer(said.result(settings, outcome="done"), past=found)

    return work.answered(looked)


def _without_history(settings: Settings, said: SiteSaid) -> SiteAnswer:
    return SiteAnswer(said.result(settings, outcome="done", state="no history"))


def _report(fleet: Fleet, started: datetime, means: FleetMeans, answers: Mapping[str, SiteAnswer]) -> FleetReport:
    results: Iterable[SiteResult] = (one.result for _, one in sorted(answers.items()))
    return FleetReport(fleet, started, means.site.clock(), tuple(results))


def _sums(rows: Iterable[BacktestRow]) -> list[BacktestRow]:
    """One row for each policy and type, in the order of the rows."""
    by_key: dict[tuple[str, LicenseType], list[BacktestRow]] = defaultdict(list)
    for row in rows:
        by_key[row.policy, row.license_type].append(row)
    return [
        structs.replace(
            some[0],
            file=some[0].file if len({row.file for row in some}) == 1 else "",
            all=_sum([row.all for row in some]),
            backlog=_sum([row.backlog for row in some]),
            later=_sum([row.later for row in some]),
        )
        for some in by_key.values()
    ]


def _sum(some: Sequence[ReleasedCounts]) -> ReleasedCounts:
    return ReleasedCounts(
        sum(one.releases for one in some),
        sum(one.people for one in some),
        sum(one.repeats for one in some),
        sum(one.seat_days for one in some),
        [_sum_back(backs) for backs in zip(*(one.back for one in some), strict=True)],
    )


def _sum_back(some: Sequence[BackWithin]) -> BackWithin:
    followed, back = sum(one.followed for one in some), sum(one.back for one in some)
    return BackWithin(some[0].days, followed, back, back / followed if followed else None, None, None)
