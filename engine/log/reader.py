"""Reading a plan back from its sealed log, verified line by line, ready to be explained or decided again.

A log may verify and still say what no plan of ours says. All that is found on the way is damage to a line, as if it
had been changed: who reads a plan meets no other error but of a file that cannot be read.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice
from pathlib import Path

from msgspec import UNSET, structs

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.coarse import Coarsening
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import outcomes_of
from seatwarden.engine.decide.decision import BATCH, Compact, Decision, Evaluated, Evaluation, Ruling, is_pseudonym
from seatwarden.engine.decide.disguise import says_nothing
from seatwarden.engine.decide.pseudonyms import is_personal
from seatwarden.engine.decide.reasons import leaves
from seatwarden.engine.decide.reference import RuleOutcome, Truth
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.day import Day, make_day
from seatwarden.engine.facts.facts import OF_SITE, Fact, RecordedFacts, facts_from_json
from seatwarden.engine.facts.guards import GUARDS
from seatwarden.engine.log.chain import read_chain
from seatwarden.engine.log.lines import Key, PlanHeader, PlanLog, PlanSeal, read_plan_lines
from seatwarden.engine.log.run_folder import PLAN_FILE, POLICY_FILE, log_path, which_run
from seatwarden.engine.plan.records import RecordedDecision
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Limit, Rule
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import in_file, parse_limit
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.spans import NOWHERE, Span
from seatwarden.policy.errors import InputError, PolicyError
from seatwarden.policy.file_kinds import refuse_foreign
from seatwarden.policy.files import near_file
from seatwarden.policy.loading import CheckedPolicy, check_text


@dataclass(frozen=True, slots=True)
class RecordedPlan:
    """A plan as its log tells it: the header, the policy and limits in force then, the day, and every decision."""

    header: PlanHeader
    seal: PlanSeal
    policy: CheckedPolicy
    limits: tuple[Limit, ...]
    day: Day
    decisions: tuple[Decision, ...]

    @property
    def releases(self) -> frozenset[Key]:
        """The licenses that the plan releases."""
        return frozenset(decision.key for decision in self.decisions if decision.verdict == "release")


@dataclass(frozen=True, slots=True)
class OpenedLog:
    """A verified log with what its header speaks of: the policy and limits in force, the day, the site's facts."""

    log: PlanLog
    policy: CheckedPolicy
    limits: tuple[Limit, ...]
    day: Day
    of_site: Mapping[str, Fact]
    coarsenings: Mapping[LicenseType, Coarsening]
    """Those that say what coarse facts stand for, by license type."""

    def facts(self, n: int, line: RecordedDecision) -> dict[str, Fact]:
        """The facts of a decision, those of the site too. Raises DamagedLog."""
        try:
            return {**facts_from_json(line.facts), **self.of_site}
        except ValueError as error:
            self.log.refuse(n, str(error))

    def outcomes(self, n: int, line: RecordedDecision) -> tuple[RuleOutcome, ...]:
        """The outcome of every rule on the recorded facts, by the reference evaluator; none where a line says no facts.

        Raises DamagedLog.
        """
        if says_nothing(line.facts):
            return ()
        facts, is_coarse = self.facts(n, line), is_pseudonym(line.license_id)
        outcomes = (
            self.coarsenings[line.license_type].outcomes(facts)
            if is_coarse
            else outcomes_of(self.policy, line.license_type, RecordedFacts(facts), self.day)
        )
        if line.truths is UNSET:
            return outcomes
        if len(line.truths) != len(outcomes):
            self.log.refuse(n, "it has not one truth for each rule")
        if is_coarse:
            return outcomes
        return tuple(_as_recorded(o, truth) for o, truth in zip(outcomes, line.truths, strict=True))


def read_log(place: Path) -> PlanLog:
    """The verified lines of a log. Raises InputError (unreadable) or DamagedLog."""
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
    lines, damage = read_chain(data)
    if damage:
        raise DamagedLog(path, damage)
    return read_plan_lines(path, lines)


def open_log(place: Path) -> OpenedLog:
    """The log with its policy, limits and day. Raises as `read_log`."""
    log = read_log(place)
    policy, day = _policy(log), _day(log)
    coarsenings = {license_type: Coarsening(policy, license_type, day) for license_type in LICENSE_TYPES}
    return OpenedLog(log, policy, _limits(log), day, _of_site(log), coarsenings)


def read_plan(place: Path) -> RecordedPlan:
    """The plan in a run folder, every rule evaluated again on the recorded facts. Raises as `read_log`."""
    opened = open_log(place)
    log = opened.log
    with collector_off():
        decisions = tuple(_decisions(opened))
    return RecordedPlan(log.header, log.seal, opened.policy, opened.limits, opened.day, decisions)


# The header ----------------------------------------------------------------------------------------------


def _policy(log: PlanLog) -> CheckedPolicy:
    """The policy, its rules at the places where they were written then and not where they are in the canonical text."""
    header = log.header
    if hashlib.sha256(header.policy_text.encode()).hexdigest() != header.policy.sha256:
        log.refuse(1, "`policyText` is not the policy that has this digest")
    try:
        policy = check_text(header.policy_text, POLICY_FILE)
    except (PolicyError, InputError) as error:
        log.refuse(1, f"`policyText` is no policy: {error}")
    if len(header.rules) != len(policy.rules):
        log.refuse(1, "`rules` are not those of the policy")
    spans = iter([_span(log, rule.at) for rule in header.rules])
    statements = tuple(replace(s, span=next(spans)) if isinstance(s, Rule) else s for s in policy.tree.statements)
    return replace(policy, tree=replace(policy.tree, statements=statements))


_PLACE = re.compile(r"(.*):(\d{1,9}):(\d{1,9})", re.ASCII | re.DOTALL)


def _span(log: PlanLog, place: str) -> Span:
    found = _PLACE.fullmatch(place)
    if found is None:
        log.refuse(1, "a place of a rule is not written as FILE:LINE:COLUMN")
    file, line, column = found[1], int(found[2]), int(found[3])
    return replace(NOWHERE, file=file, line=line, column=column, end_line=line, end_column=column)


def _limits(log: PlanLog) -> tuple[Limit, ...]:
    try:
        return tuple(parse_limit(text, in_file("limits")) for text in log.header.limits)
    except PolicySyntaxError:
        log.refuse(1, "`limits` has what is no limit")


def _day(log: PlanLog) -> Day:
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
    numbered = enumerate(opened.log.decisions, 2)
    for (license_type, hidden), alike in groupby(numbered, lambda it: (it[1].license_type, it[1].truths is not UNSET)):
        rules = CompiledRules(opened.policy, license_type, opened.day)
        if hidden:
            yield from (_hidden_decision(opened, n, line, rules.rules) for n, line in alike)
            continue
        rulings: dict[tuple[object, ...], Ruling] = {}
        while batch := list(islice(alike, BATCH)):
            read = rules.read_again([RecordedFacts(opened.facts(n, line)) for n, line in batch])
            for (n, line), values, truths in zip(batch, read.rows(), rules.truths(read), strict=True):
                key = (line.verdict, line.because, line.rule, truths)
                if key not in rulings:
                    rulings[key] = _ruling(opened.log, n, line, rules.rules, truths)
                yield _decision(line, rulings[key], Compact(rules, values))


def _hidden_decision(opened: OpenedLog, n: int, line: RecordedDecision, rules: Sequence[Rule]) -> Decision:
    outcomes = opened.outcomes(n, line)
    ruling = _ruling(opened.log, n, line, rules, [outcome.truth for outcome in outcomes])
    return _decision(line, ruling, Evaluated(opened.facts(n, line), outcomes))


def _ruling(log: PlanLog, n: int, line: RecordedDecision, rules: Sequence[Rule], truths: Sequence[Truth]) -> Ruling:
    """The recorded ruling, with the rules it speaks of. Raises DamagedLog where none of them is such a rule."""
    if (line.verdict == "release") is not (line.because == "release"):
        log.refuse(n, f"{line.verdict} because of {line.because}")
    withheld = says_nothing(line.facts)
    matched = () if withheld else tuple(rule for rule, truth in zip(rules, truths, strict=True) if truth is True)
    if line.because == "guard":
        guard = next((guard for guard in GUARDS if guard == line.rule), None)
        if guard is None:
            log.refuse(n, "`rule` is no guard")
        return Ruling(line.verdict, line.because, guard, None, matched)
    if withheld:
        return Ruling(line.verdict, line.because, None, None, matched)
    rule = next((rule for rule in matched if rule.kind == line.because), None)
    if (rule is None) is not (line.because == "default") or line.rule != (rule.name if rule else None):
        log.refuse(n, "on these facts `rule` does not decide")
    return Ruling(line.verdict, line.because, None, rule, matched)


def _decision(line: RecordedDecision, ruling: Ruling, evaluation: Evaluation) -> Decision:
    return Decision(
        license_id=line.license_id,
        license_type=line.license_type,
        user_directory=line.user_directory,
        user_id=line.user_id,
        user_name=line.user_name,
        ruling=ruling,
        reason=line.reason,
        row_state=line.row,
        unused_days=line.unused_days,
        last_used=line.last_used,
        evaluation=evaluation,
    )


def _as_recorded(outcome: RuleOutcome, truth: Truth) -> RuleOutcome:
    """Of a rule on names, in a plan with pseudonyms: the truth that was recorded, since it cannot be found again."""
    personal = any(is_personal(print_field(field)) for trace in leaves(outcome.trace) for field, _ in trace.facts)
    if not personal:
        return outcome
    return structs.replace(outcome, truth=truth, trace=structs.replace(outcome.trace, truth=truth, parts=()))
