"""The content of the page, as plain data: everything is counted and said here, the template only places it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, structs

from seatwarden.engine.decide.decision import STANDING, Decision, listing_order, reason_label
from seatwarden.engine.decide.states import LicenseState
from seatwarden.engine.decide.withheld import is_withheld
from seatwarden.engine.log.approval import approval_lines
from seatwarden.engine.log.journal_lines import ApplyHeader
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.states import states_in
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.given_back import take_back_cell, take_back_lines
from seatwarden.engine.plan.limits import Excess
from seatwarden.engine.plan.listing import license_cell, why
from seatwarden.engine.report.band import (
    Band,
    Breach,
    StateCount,
    TypeCounts,
    band_of,
    breaches_of,
    counts_of,
    due_against_limits,
    shown_states,
)
from seatwarden.engine.report.comparison import CHANGES, Changes, ChangeSince, changes_since
from seatwarden.engine.report.histogram import Histogram, histogram_of
from seatwarden.engine.report.listing import ListedFile, listing_of
from seatwarden.engine.report.pool import Pool, pool_of
from seatwarden.engine.report.sentences import (
    headline,
    histogram_words,
    limit_words,
    others_words,
    pool_words,
    regret_words,
    seats_words,
    sentences,
)
from seatwarden.engine.report.sources import Sources
from seatwarden.engine.report.table import table_of
from seatwarden.engine.report.visible import shown
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType


@dataclass(frozen=True, slots=True)
class TypePicture:
    """Both pictures of a license type, each with its words."""

    license_type: LicenseType
    pool: Pool
    pool_words: str
    limit_words: str
    seats_words: str
    histogram: Histogram
    histogram_words: str
    others_words: str
    forecast_words: tuple[str, ...] = ()
    """When none is left, where a history was given."""


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule, a guard or the lack of a rule decided, and how often the rule matched (None: no rule, or lines
    withhold it).

    `reason` is its index among the table's reasons, None when it decided nothing; `anchor` the name of its line on the
    page, `index` its place among the rules.
    """

    title: str
    verdict: str
    decided: int
    matched: int | None
    at: str | None
    anchor: str | None
    reason: int | None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeCount:
    """How many licenses changed in one way since the run before; `index` is the way's place among all ways."""

    change: ChangeSince
    count: int
    index: int


@dataclass(frozen=True, slots=True)
class SincePrevious:
    """The run before: which it was, and what has changed since."""

    run_id: str
    now: str
    folder: str
    changes: Changes
    counts: tuple[ChangeCount, ...]


@dataclass(frozen=True, slots=True)
class TakenLicense:
    """A license that this run takes, as paper lists it; also who has no JavaScript sees it."""

    user: str
    name: str
    license: str
    state: LicenseState
    days: int | None
    why: str
    given_back: str = ""
    """By which rules it is given back, in few words; empty where nothing is said."""


@dataclass(frozen=True, slots=True)
class ToldLicense:
    """A license whose holder was told: when, and the first day on which it may be released."""

    user: str
    name: str
    license_type: LicenseType
    days: int | None
    told: str
    reminded: str
    release_day: str


@dataclass(frozen=True, slots=True)
class Page:
    """The page. `table` is the data block described in `engine.report.table`; `withheld` counts decisions that do not
    say their facts, behind pseudonyms."""

    header: PlanHeader
    band: Band
    headline: str
    states: tuple[StateCount, ...]
    totals: tuple[TypeCounts, ...]
    breaches: tuple[Breach, ...]
    sentences: tuple[str, ...]
    taken_back: tuple[str, ...]
    """How many of those that are due Qlik gives back by itself, and why nobody can say; empty without license rules."""
    day: str
    types: tuple[TypePicture, ...]
    rules: tuple[RuleCount, ...]
    withheld: int
    comparison: SincePrevious | None
    not_compared: str | None
    taken: tuple[TakenLicense, ...]
    told: tuple[ToldLicense, ...]
    policy_files: tuple[ListedFile, ...]
    seal: str
    journal: ApplyHeader | None
    journal_sealed: bool
    table: dict[str, Any]
    findings: tuple[Finding, ...] = ()
    approvals: tuple[str, ...] = ()
    """Who has approved the plan, or that it waits."""

    @property
    def licenses(self) -> int:
        """How many decisions there are."""
        return len(self.table["columns"]["id"])


def report_of(sources: Sources) -> Page:
    """The report of a run. The same sources give the same report."""
    plan, journal = sources.plan, sources.journal
    states = states_in(plan, journal)
    changes = changes_since(sources.previous, plan) if sources.previous else None
    listing = listing_of(plan.policy.rules, plan.log.policy.text, sources.policy_files)
    table = table_of(plan, states, changes.of_decisions if changes else (), listing.anchors)
    excesses = due_against_limits(plan)
    types = tuple(_pictures(t, sources, states, excesses) for t in LICENSE_TYPES)
    shown = shown_states(states, applied=journal is not None)
    return Page(
        header=plan.header,
        band=band_of(plan, journal, states),
        headline=headline(plan, journal, states),
        states=shown,
        totals=counts_of(plan, states, shown, [one.pool for one in types]),
        breaches=breaches_of(plan) if journal is None else (),
        sentences=(*sentences(plan, journal, states), *regret_words(sources.given_back.values())),
        taken_back=tuple(_taken_back(plan)),
        day=plan.day.today.isoformat(),
        types=types,
        rules=tuple(_rule_counts(plan, listing.anchors, table["reasons"])),
        withheld=sum(map(is_withheld, plan.decisions)),
        comparison=_comparison(changes) if changes else None,
        not_compared=sources.not_compared,
        taken=tuple(_taken(plan, states)),
        told=tuple(sorted(_told(plan), key=lambda one: (one.release_day, one.user, one.license_type))),
        policy_files=listing.files,
        seal=plan.log.root,
        journal=journal.header if journal else None,
        journal_sealed=journal is not None and journal.sealed,
        table=table,
        findings=tuple(_shown_finding(finding) for finding in plan.findings),
        approvals=tuple(approval_lines(plan.log, sources.answers, applied=journal is not None)),
    )


def _shown_finding(finding: Finding) -> Finding:
    """A finding fit to be shown: names come from outside."""
    help_ = shown(finding.help) if finding.help else None
    at = shown(finding.at) if finding.at else None
    return structs.replace(finding, message=shown(finding.message), help=help_, at=at)


def _pictures(
    license_type: LicenseType, sources: Sources, states: Sequence[LicenseState], excesses: Sequence[Excess]
) -> TypePicture:
    plan, applied = sources.plan, sources.journal is not None
    decided = zip(plan.decisions, states, strict=True)
    pool = pool_of(license_type, decided, plan.header.overview.get(license_type), excesses, applied=applied)
    histogram = histogram_of(license_type, plan)
    words = histogram_words(histogram), others_words(histogram), _forecast(pool, sources)
    return TypePicture(license_type, pool, pool_words(pool), limit_words(pool), seats_words(pool), histogram, *words)


def _forecast(pool: Pool, sources: Sources) -> tuple[str, ...]:
    """When none is left, from what is free after a run that was applied, else from what was free before it."""
    if sources.flows is None or pool.free is None:
        return ()
    from seatwarden.engine.history.chance import YEAR
    from seatwarden.engine.history.forecast import forecast, forecast_words

    flows, free = sources.flows.get(pool.license_type), pool.free[1 if sources.journal else 0]
    return tuple(forecast_words(forecast(flows, free, sources.plan.day.today, YEAR, seed=pool.license_type)))


def _taken_back(plan: RecordedPlan) -> Iterator[str]:
    counts = plan.log.summary.take_back
    return map(shown, take_back_lines(counts, plan.decisions) if counts is not UNSET else ())


def _taken(plan: RecordedPlan, states: Sequence[LicenseState]) -> Iterator[TakenLicense]:
    """Those that this run takes, or has tried to: longest unused first."""
    found = [(d, state) for d, state in zip(plan.decisions, states, strict=True) if state not in ("kept", "due")]
    for decision, state in sorted(found, key=lambda one: listing_order(one[0])):
        yield _taken_license(decision, state)


def _taken_license(decision: Decision, state: LicenseState) -> TakenLicense:
    user, name, told = decision.user, decision.user_name or "", (why(decision), take_back_cell(decision))
    return TakenLicense(user, name, license_cell(decision), state, decision.unused_days, *told)


def _told(plan: RecordedPlan) -> Iterator[ToldLicense]:
    """Those whose holders were told, and wait; behind pseudonyms no day is known."""
    for decision in plan.decisions:
        notice, clause = decision.standing.notice, decision.rule.notice if decision.rule is not None else None
        if decision.because != "notice" or notice is None or clause is None or notice.state != "told":
            continue
        yield ToldLicense(
            decision.user,
            decision.user_name or "",
            decision.license_type,
            decision.unused_days,
            notice.told,
            notice.reminded,
            str(notice.release_day(clause, plan.day.today)),
        )


def _rule_counts(plan: RecordedPlan, anchors: tuple[str, ...], reasons: list[str]) -> list[RuleCount]:
    """Guards first, then all rules in file order, those that decided nothing too, then the lack of a rule."""
    decided = _decided(plan)
    matched = Counter(id(rule) for d in plan.decisions for rule in d.matched)
    other = Counter(reason_label(d) for d in plan.decisions if not _by_rule(d))
    withheld = any(map(is_withheld, plan.decisions))
    places = {reason: index for index, reason in enumerate(reasons)}

    def of_label(label: str) -> RuleCount:
        return RuleCount(label, "keep", other[label], None, None, None, places.get(label))

    rules = [
        RuleCount(
            rule.title,
            rule.kind,
            decided[id(rule)],
            None if withheld else matched[id(rule)],
            rule.place.rpartition(":")[0],
            anchor,
            places.get(shown(rule.title)) if decided[id(rule)] else None,
            index,
        )
        for index, (rule, anchor) in enumerate(zip(plan.policy.rules, anchors, strict=True))
    ]
    # What is not counted with a rule: those that share a name.
    other["withheld"] -= sum(decided.values()) - sum(map(_by_rule, plan.decisions))
    beside = ("quarantined", "undetermined", *STANDING, "withheld")
    guards = [of_label(label) for label in beside if other[label] > 0]
    return [*guards, *rules, of_label("no release rule matched")]


def _by_rule(decision: Decision) -> bool:
    """Whether a rule decided: what a register keeps has the rule by which it is due."""
    return decision.rule is not None and decision.because not in STANDING


def _decided(plan: RecordedPlan) -> Counter[int]:
    """How often each rule decided, by its `id`: two may be called the same.

    Where lines withhold which rule it was, the plan's summary has counted them all, by the rules' names; of those that
    share a name it has the sum only, and what the lines say counts.
    """
    decided = Counter(id(d.rule) for d in plan.decisions if _by_rule(d))
    if not any(is_withheld(d) for d in plan.decisions):
        return decided
    rules, named = plan.policy.rules, Counter(rule.title for rule in plan.policy.rules)
    counted = plan.log.summary.by_reason
    decided.update(
        {id(rule): counted.get(rule.title, 0) - decided[id(rule)] for rule in rules if named[rule.title] == 1}
    )
    return decided


def _comparison(changes: Changes) -> SincePrevious:
    counts = Counter(change for change in changes.of_decisions if change)
    run = changes.previous
    return SincePrevious(
        run.header.run_id,
        run.header.now,
        run.folder.name,
        changes,
        tuple(ChangeCount(change, counts[change], index) for index, change in enumerate(CHANGES)),
    )
