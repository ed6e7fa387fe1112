"""Reading a plan back from its sealed log, verified line by line, ready to be explained or decided again.

A log may verify and still say what no plan of ours says. All that is found on the way is damage to a line, as if it
had been changed: who reads a plan meets no other error but of a file that cannot be read.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby, islice, takewhile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, Struct, structs, to_builtins

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.class_counts import ClassCounts
from seatwarden.engine.decide.coarse import Coarsening
from seatwarden.engine.decide.column_tests import FactBatch
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import outcomes_of
from seatwarden.engine.decide.decision import (
    BATCH,
    STANDING,
    Compact,
    Decision,
    Evaluated,
    Ruling,
    is_pseudonym,
)
from seatwarden.engine.decide.pseudonyms import is_personal
from seatwarden.engine.decide.reasons import leaves
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.decide.withheld import says_nothing
from seatwarden.engine.errors import Damage, DamagedLog
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.facts.facts import OF_SITE, Fact, RecordedFacts, facts_from_json
from seatwarden.engine.facts.recorded import IrregularRecord
from seatwarden.engine.log.chain import FOREIGN, ChainLine, ReadChain, SealLine, SkimmedLine, is_erased
from seatwarden.engine.log.decision_lines import RecordedDecision, decision_of
from seatwarden.engine.log.lines import PLAN_READER, FindingLine, Key, PlanHeader, PlanLog
from seatwarden.engine.log.places import span_at
from seatwarden.engine.log.rulings import matched_rules, must_follow, recorded_ruling
from seatwarden.engine.log.run_folder import CANONICAL_FILE, PLAN_FILE, log_path, which_run
from seatwarden.engine.log.start import start_of
from seatwarden.engine.plan.findings import MASS_CHANGE, Finding
from seatwarden.engine.plan.guarantees import GuaranteeJudged
from seatwarden.engine.plan.limits import SiteNumbers
from seatwarden.grammar.ast import LICENSE_TYPES, AnyLimit, LicenseType, Rule
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import in_file, parse_limit
from seatwarden.grammar.printer import print_field
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.file_kinds import refuse_foreign
from seatwarden.policy.files import near_file
from seatwarden.policy.loading import CheckedPolicy, check_text
from seatwarden.policy.operators import Truth


@dataclass(frozen=True)
class RecordedPlan:
    """A plan as its log tells it: the policy and limits in force then, the day, every decision that is not erased.

    `lines` has the number of the line of each decision.
    """

    log: PlanLog
    policy: CheckedPolicy
    limits: tuple[AnyLimit, ...]
    day: Day
    decisions: tuple[Decision, ...]
    lines: tuple[int, ...]

    @property
    def header(self) -> PlanHeader:
        """Its first line."""
        return self.log.header

    @property
    def numbers(self) -> SiteNumbers:
        """What its limits asked of the site when it was made."""
        said = self.header.released_before
        lately = {int(days): found for days, found in said.items() if _DAYS.fullmatch(days)} if said else {}
        return SiteNumbers(self.header.overview, lately)

    @property
    def guarantees(self) -> Sequence[GuaranteeJudged]:
        """What its policy guarantees, and what had become of each when it was made."""
        return self.header.guarantees or ()

    @property
    def findings(self) -> Sequence[Finding]:
        """What was found when it was made, as far as it is not erased."""
        return self.log.findings

    @property
    def erased_words(self) -> str:
        """How much of it is erased, in words; empty for nothing."""
        return self.log.erased_words

    @property
    def compared(self) -> str:
        """With which run it was compared."""
        return self.header.compared

    @property
    def classes(self) -> ClassCounts | None:
        """How its decisions hid in each other when it was made, behind pseudonyms."""
        return self.log.summary.pseudonyms

    @property
    def source(self) -> str:
        """The site that it was made for."""
        return self.header.site

    @property
    def is_stopped(self) -> bool:
        """Whether a change that touches everybody keeps the plan from being carried out."""
        return MASS_CHANGE in self.header.found and not self.header.accepted

    @cached_property
    def key_of(self) -> Mapping[int, Key]:
        """The license that each line decides on."""
        return {n: decision.key for n, decision in zip(self.lines, self.decisions, strict=True)}

    @cached_property
    def line_of(self) -> Mapping[Key, int]:
        """The line that decides on each license."""
        return {key: n for n, key in self.key_of.items()}

    def run(self) -> Mapping[str, Any]:
        """The run's inputs and identity, as `Plan.run` has them."""
        found: Mapping[str, Any] = to_builtins(self.header)
        return found

    def summary(self) -> Mapping[str, Any]:
        """The counts, as `Plan.summary` has them."""
        found: Mapping[str, Any] = to_builtins(self.log.summary)
        return found


_DAYS = re.compile(r"\d{1,9}", re.ASCII)


class OpenedLog(Struct, frozen=True):
    """A verified log with what its header speaks of: the policy and limits in force, the day, the site's facts."""

    log: PlanLog
    policy: CheckedPolicy
    limits: tuple[AnyLimit, ...]
    day: Day
    of_site: Mapping[str, Fact]
    coarsenings: Mapping[LicenseType, Coarsening]
    """Those that say what coarse facts stand for, by license type."""

    def facts(self, line: RecordedDecision) -> dict[str, Fact]:
        """The facts of a decision, those of the site too. Raises DamagedLog."""
        try:
            return {**facts_from_json(line.about.facts), **self.of_site}
        except ValueError as error:
            self.log.refuse(line.n, str(error))

    def decided(self) -> tuple[Decision, ...]:
        """The decisions, every rule evaluated again on the recorded facts. Raises DamagedLog."""
        with collector_off():
            return tuple(_decisions(self))

    def plan_of(self, decisions: tuple[Decision, ...]) -> RecordedPlan:
        """The plan of this log with its decisions, one for each line."""
        lines = tuple(line.n for line in self.log.decisions)
        return RecordedPlan(self.log, self.policy, self.limits, self.day, decisions, lines)

    def read(self, rules: CompiledRules, lines: Sequence[RecordedDecision]) -> FactBatch:
        """The facts that rules read of some decisions. Raises IrregularRecord."""
        return rules.read_recorded([line.about.facts for line in lines], self.of_site)

    def outcomes(self, line: RecordedDecision) -> tuple[RuleOutcome, ...]:
        """The outcome of every rule on the recorded facts, by the reference evaluator; none where a line says no facts.

        Raises DamagedLog.
        """
        about = line.about
        if says_nothing(about.facts):
            return ()
        facts, is_coarse = self.facts(line), is_pseudonym(about.license_id)
        outcomes = (
            self.coarsenings[line.license_type].outcomes(facts)
            if is_coarse
            else outcomes_of(self.policy, line.license_type, RecordedFacts(facts), self.day)
        )
        if about.truths is UNSET:
            return outcomes
        if len(about.truths) != len(outcomes):
            self.log.refuse(line.n, "it has not one truth for each rule")
        if is_coarse:
            return outcomes
        return tuple(_as_recorded(o, truth) for o, truth in zip(outcomes, about.truths, strict=True))


def read_log(place: Path) -> PlanLog:
    """The verified lines of a log. Raises InputError (unreadable) or DamagedLog."""
    return parse_plan(*plan_bytes(place))


def plan_bytes(place: Path) -> tuple[Path, bytes]:
    """The path of a log and its content, unverified. Raises InputError."""
    path = log_path(place)
    try:
        data = read_file(path)
    except FileNotFoundError:
        if not place.is_dir():
            help_ = near_file(path) or "plans are written by `seatwarden plan -o DIR`"
            raise InputError(f"there is no plan: `{path}` does not exist", help_) from None
        raise InputError(f"`{place}` holds no plan: there is no {PLAN_FILE}", which_run(place)) from None
    except OSError as error:
        raise InputError(f"log `{path}` cannot be read: {error.strerror}") from None
    refuse_foreign(path, data, "plan")
    return path, data


def parse_plan(path: Path, data: bytes) -> PlanLog:
    """The verified lines of a log's content; `path` names it. Raises InputError (another log, or newer), DamagedLog."""
    log, _ = skimmed_lines(path, data, skim=None)
    return log


def skimmed_lines(path: Path, data: bytes, *, skim: str | None = "decision") -> tuple[PlanLog, list[SkimmedLine]]:
    """The same with decisions that are not decoded, but come behind the rest as they were written; those of a plan of
    format 1 are decoded all the same."""
    start = start_of(path, data)
    if start == FORMER:
        from seatwarden.engine.log.former import read_former_plan  # takes a while to import, and is rare

        return read_former_plan(path, data), []
    with collector_off():
        read = PLAN_READER.read(data, skim)
        damage = read.damage or _misplaced(read.lines)
        if damage:
            raise DamagedLog(path, damage)
        return _plan_log(path, read), [line for line in read.lines if isinstance(line, SkimmedLine)]


FORMER = 1
"""The format before this one."""


def _misplaced(lines: Sequence[ChainLine]) -> list[Damage]:
    """Lines that stand where none of their kind can: header, policy, findings, decisions, summary is the order."""
    kinds = [line.kind for line in lines]
    middle = Counter(kinds[2:-1])
    wanted = ["plan", "policy", *(kind for kind in _ORDER for _ in range(middle[kind])), "summary"]
    if kinds == wanted:
        return []
    found = next((n for n, (one, other) in enumerate(zip(kinds, wanted, strict=False), 1) if one != other), len(kinds))
    return [Damage(found, f"{FOREIGN}: it does not belong here")]


_ORDER = ("finding", "decision", "plan", "policy", "summary")


def _plan_log(path: Path, read: ReadChain[Any]) -> PlanLog:
    header, policy, *middle, summary = read.lines
    finding_lines = tuple(takewhile(lambda line: isinstance(line, FindingLine), middle))
    findings = [line.finding for line in finding_lines]
    decisions = [line for line in middle[len(finding_lines) :] if isinstance(line, RecordedDecision)]
    erased = [line for line in decisions if line.person is UNSET]
    return PlanLog(
        path,
        header,
        policy,
        [finding for finding in findings if finding is not None],
        [line for line in decisions if line.person is not UNSET] if erased else decisions,
        summary.summary,
        read.root,
        erased,
        finding_lines,
        frozenset(line.n for line in (header, policy, *finding_lines, *erased, summary) if is_erased(line)),
    )


def root_of(path: Path) -> str:
    """The root that the seal of a log just written says; nothing of it is verified."""
    seal = msgspec.json.decode(read_file(path).rstrip(b"\n").rpartition(b"\n")[2], type=SealLine)
    return seal.root


def open_log(place: Path) -> OpenedLog:
    """The log with its policy, limits and day. Raises as `read_log`."""
    return opened(read_log(place))


def opened(log: PlanLog) -> OpenedLog:
    """A verified log with its policy, limits and day. Raises DamagedLog."""
    policy, day = _policy(log), day_of_log(log)
    coarsenings = {license_type: Coarsening(policy, license_type, day) for license_type in LICENSE_TYPES}
    return OpenedLog(log, policy, _limits(log), day, _of_site(log), coarsenings)


def read_plan(place: Path) -> RecordedPlan:
    """The plan in a run folder, every rule evaluated again on the recorded facts. Raises as `read_log`."""
    return recorded_plan(read_log(place))


def recorded_plan(log: PlanLog) -> RecordedPlan:
    """The plan of a verified log, every rule evaluated again on the recorded facts. Raises DamagedLog."""
    it = opened(log)
    return it.plan_of(it.decided())


# The header ----------------------------------------------------------------------------------------------


def _policy(log: PlanLog) -> CheckedPolicy:
    """The policy, its rules at the places where they were written then and not where they are in the canonical text."""
    text, used = log.policy.text, log.policy.rules
    if hashlib.sha256(text.encode()).hexdigest() != log.header.policy.canonical_sha256:
        log.refuse(2, "`text` is not the policy that has this digest")
    try:
        policy = check_text(text, CANONICAL_FILE)
    except (PolicyError, InputError) as error:
        log.refuse(2, f"`text` is no policy: {error}")
    if len(used) != len(policy.rules):
        log.refuse(2, "`rules` are not those of the policy")
    spans = iter([span_at(log, rule.at) for rule in used])
    statements = tuple(s.but(span=next(spans)) if isinstance(s, Rule) else s for s in policy.tree.statements)
    return replace(policy, tree=policy.tree.but(statements=statements))


def _limits(log: PlanLog) -> tuple[AnyLimit, ...]:
    try:
        return tuple(parse_limit(text, in_file("limits")) for text in log.header.limits)
    except PolicySyntaxError:
        log.refuse(1, "`limits` has what is no limit")


def day_of_log(log: PlanLog) -> Day:
    """The moment and zone that a log was decided for. Raises DamagedLog."""
    now = parse_timestamp(log.header.now)
    if now is None:
        log.refuse(1, "`now` is no instant")
    try:
        return make_day(now, log.header.timezone)
    except InputError as error:
        log.refuse(1, error.message)
    except OverflowError:
        log.refuse(1, "`now` is in no year of the calendar")


def _of_site(log: PlanLog) -> Mapping[str, Fact]:
    """The facts of the site, which hold for every license; where none are recorded they are unknown."""
    site = log.header.site_facts
    return {name: read(site) for name, read in OF_SITE.items()} if site is not None else {}


# The decisions -------------------------------------------------------------------------------------------


def _decisions(opened: OpenedLog) -> Iterator[Decision]:
    """The decisions of a log, by the fast evaluator; those with pseudonyms, whose facts are hidden, one by one."""
    for (license_type, hidden), alike in groupby(opened.log.decisions, _sort):
        rules = CompiledRules(opened.policy, license_type, opened.day)
        if hidden:
            yield from (_hidden_decision(opened, line, rules.rules) for line in alike)
            continue
        rulings: dict[tuple[object, ...], Ruling] = {}
        while batch := list(islice(alike, BATCH)):
            try:
                read = opened.read(rules, batch)
            except IrregularRecord:
                read = rules.read_again([RecordedFacts(opened.facts(line)) for line in batch])
            for line, values, truths in zip(batch, read.rows(), rules.truths(read), strict=True):
                row = line.about.row if line.verdict != "keep" or line.because in STANDING else None
                key = (line.verdict, line.because, line.about.rule, row, truths)
                is_new = key not in rulings
                if is_new:
                    rulings[key] = recorded_ruling(opened.log, line, matched_rules(rules.rules, truths))
                # What the registers say is said of one license; all else the lines of one key share.
                if is_new or line.because in STANDING or line.about.standing is not UNSET:
                    must_follow(opened.log, opened.day, line, rules.rules, truths)
                yield decision_of(line, rulings[key], line.about.reason, Compact(rules, values))


def _sort(line: RecordedDecision) -> tuple[LicenseType, bool]:
    return line.license_type, line.about.truths is not UNSET


def _hidden_decision(opened: OpenedLog, line: RecordedDecision, rules: Sequence[Rule]) -> Decision:
    outcomes = opened.outcomes(line)
    truths = [outcome.truth for outcome in outcomes]
    says_facts = not says_nothing(line.about.facts)
    ruling = recorded_ruling(opened.log, line, matched_rules(rules, truths) if says_facts else ())
    if says_facts:
        must_follow(opened.log, opened.day, line, rules, truths)
    return decision_of(line, ruling, line.about.reason, Evaluated(opened.facts(line), outcomes))


def _as_recorded(outcome: RuleOutcome, truth: Truth) -> RuleOutcome:
    """Of a rule on names, in a plan with pseudonyms: the truth that was recorded, since it cannot be found again."""
    personal = any(is_personal(print_field(field)) for trace in leaves(outcome.trace) for field, _ in trace.facts)
    if not personal:
        return outcome
    return structs.replace(outcome, truth=truth, trace=structs.replace(outcome.trace, truth=truth, parts=()))
