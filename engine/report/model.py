"""The content of the page, as plain data: everything is counted and said here, the template only places it."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from seatwarden.engine.decide.decision import reason_label
from seatwarden.engine.log.lines import ApplyHeader, PlanHeader
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.run_folder import CANONICAL_FILE
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.report.charts import Histogram, Pool, histogram_of, pool_of
from seatwarden.engine.report.comparison import CHANGES, Changes, ChangeSince, changes_since
from seatwarden.engine.report.outcomes import OUTCOMES, LicenseOutcome, outcomes_by_license
from seatwarden.engine.report.sentences import headline, histogram_words, pool_words, sentences
from seatwarden.engine.report.sources import Sources
from seatwarden.engine.report.table import table_of
from seatwarden.engine.report.visible import shown
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.loading import check_text


@dataclass(frozen=True, slots=True)
class TypePicture:
    """Both pictures of a license type, each with its words."""

    license_type: LicenseType
    pool: Pool
    pool_words: str
    histogram: Histogram
    histogram_words: str


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often a rule, a guard or the lack of a rule decided, and how often the rule matched (None: no rule).

    `reason` is its index among the table's reasons, None when it decided nothing; `line` its line in the policy.
    """

    title: str
    verdict: str
    decided: int
    matched: int | None
    at: str | None
    line: int | None
    reason: int | None


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
class Page:
    """The page. `table` is the data block described in `engine.report.table`."""

    header: PlanHeader
    headline: str
    sentences: tuple[str, ...]
    day: str
    types: tuple[TypePicture, ...]
    rules: tuple[RuleCount, ...]
    comparison: SincePrevious | None
    not_compared: str | None
    outcomes: tuple[tuple[LicenseOutcome, int, int], ...]
    policy_lines: tuple[str, ...]
    seal: str
    journal: ApplyHeader | None
    journal_sealed: bool
    table: dict[str, Any]
    findings: tuple[Finding, ...] = ()

    @property
    def licenses(self) -> int:
        """How many decisions there are."""
        return len(self.table["columns"]["user"])


def report_of(sources: Sources) -> Page:
    """The report of a run. The same sources give the same report."""
    plan, journal = sources.plan, sources.journal
    outcomes = outcomes_by_license(plan, journal)
    changes = changes_since(sources.previous, plan) if sources.previous else None
    lines = tuple(rule.span.line for rule in check_text(plan.log.policy.text, CANONICAL_FILE).rules)
    table = table_of(plan, outcomes, changes.of_decisions if changes else (), lines)
    counts = Counter(outcomes)
    return Page(
        header=plan.header,
        headline=headline(journal, outcomes),
        sentences=tuple(sentences(plan, journal, outcomes)),
        day=plan.day.today.isoformat(),
        types=tuple(_pictures(license_type, plan, outcomes, journal is not None) for license_type in LICENSE_TYPES),
        rules=tuple(_rule_counts(plan, lines, table["reasons"])),
        comparison=_comparison(changes) if changes else None,
        not_compared=sources.not_compared,
        outcomes=tuple((outcome, counts[outcome], index) for index, outcome in enumerate(OUTCOMES) if counts[outcome]),
        policy_lines=tuple(plan.log.policy.text.rstrip("\n").split("\n")),
        seal=plan.log.root,
        journal=journal.header if journal else None,
        journal_sealed=journal is not None and journal.sealed,
        table=table,
        findings=tuple(_shown_finding(finding) for finding in plan.findings),
    )


def _shown_finding(finding: Finding) -> Finding:
    """A finding fit to be shown: names come from outside."""
    help_ = shown(finding.help) if finding.help else None
    at = shown(finding.at) if finding.at else None
    return structs.replace(finding, message=shown(finding.message), help=help_, at=at)


def _pictures(
    license_type: LicenseType, plan: RecordedPlan, outcomes: tuple[LicenseOutcome, ...], applied: bool
) -> TypePicture:
    pool = pool_of(license_type, zip(plan.decisions, outcomes, strict=True), applied=applied)
    histogram = histogram_of(license_type, plan)
    return TypePicture(license_type, pool, pool_words(pool), histogram, histogram_words(histogram))


def _rule_counts(plan: RecordedPlan, lines: tuple[int, ...], reasons: list[str]) -> list[RuleCount]:
    """Guards first, then all rules in file order, those that decided nothing too, then the lack of a rule."""
    # Two rules may be called the same: counts go by the rule itself.
    decided = Counter(id(d.rule) for d in plan.decisions if d.rule)
    matched = Counter(id(rule) for d in plan.decisions for rule in d.matched)
    other = Counter(reason_label(d) for d in plan.decisions if d.rule is None)
    places = {reason: index for index, reason in enumerate(reasons)}

    def of_label(label: str) -> RuleCount:
        return RuleCount(label, "keep", other[label], None, None, None, places.get(label))

    rules = [
        RuleCount(
            rule.title,
            rule.kind,
            decided[id(rule)],
            matched[id(rule)],
            rule.place.rpartition(":")[0],
            line,
            places.get(shown(rule.title)) if decided[id(rule)] else None,
        )
        for rule, line in zip(plan.policy.rules, lines, strict=True)
    ]
    guards = [of_label(label) for label in ("quarantined", "undetermined", "withheld") if other[label]]
    return [*guards, *rules, of_label("no release rule matched")]


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
