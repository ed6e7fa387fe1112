"""Running policy tests: every case is decided as a plan decides, and held against what is expected of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decide import decide, decide_all
from seatwarden.engine.decide.decision import STANDING, Decision, reason_label
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.explain.explanation import found, part_text, tree_parts
from seatwarden.engine.facts.day import Day
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.engine.testing.case_snapshot import case_site, moment_of, told_snapshot
from seatwarden.grammar.ast import Rule
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean
from seatwarden.policy.errors import InputError
from seatwarden.policy.guarantees.judges import judge
from seatwarden.policy.guarantees.outcomes import by
from seatwarden.policy.guarantees.words import example_words
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.testing.test_file import Expectation, ExpectedOf, PolicyTest

RuleId: TypeAlias = tuple[str, int, int]
"""A rule's label, line and column: two rules that say the same are told apart by their place."""

MAX_SUGGESTIONS = 5
"""Most users missing from a snapshot for whom a similar one is looked for; that takes long in a large site."""
_MARKS = {True: "✓", False: "✗", None: "?"}


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of one case or expectation. `problems` are the lines that say why it failed; none when it passed."""

    name: str
    place: str
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class TestReport:
    """The results of one test file, and which rules of its policy were true in any of its cases."""

    file: str
    policy: CheckedPolicy
    results: tuple[CaseResult, ...]
    reached: frozenset[RuleId]

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        """The results that did not pass."""
        return tuple(result for result in self.results if not result.passed)


def run_policy_test(test: PolicyTest) -> TestReport:
    """The report on a policy test. Raises InputError when its snapshot cannot be read."""
    decided: list[Decision] = []
    run = _run_snapshot(test, test.snapshot, decided) if test.snapshot else _run_cases(test, decided)
    results = tuple(run) or (CaseResult("(no case)", _place(Span(test.file, 1, 1, 1, 1)), ("no case ran",)),)
    results += tuple(_guarantees(test.policy))
    reached = frozenset(_identity(rule) for decision in decided for rule in decision.matched)
    return TestReport(test.file, test.policy, results, reached)


def _guarantees(policy: CheckedPolicy) -> Iterator[CaseResult]:
    """Each guarantee as a case: it passes when it is proved."""
    for proof in judge(policy):
        example = example_words(policy, proof)
        said = f"{proof.outcome}{by(proof.judge)}"
        problems = () if proof.outcome == "proved" else (f"{said}{f': {example}' if example else ''}",)
        name = proof.guarantee.title if problems or proof.judge is None else f"{proof.guarantee.title} {said}"
        yield CaseResult(name, _place(proof.guarantee.span), problems)


def unreached(reports: Iterable[TestReport]) -> list[tuple[CheckedPolicy, list[Rule]]]:
    """For each policy under test, the rules that were true in no case of any report."""
    policies: dict[Path, CheckedPolicy] = {}
    true: dict[Path, set[RuleId]] = {}
    for report in reports:
        path = Path(report.policy.file).resolve()
        policies.setdefault(path, report.policy)
        true.setdefault(path, set()).update(report.reached)
    missing = [(p, [r for r in p.rules if _identity(r) not in true[path]]) for path, p in policies.items()]
    return [(policy, rules) for policy, rules in missing if rules]


def _identity(rule: Rule) -> RuleId:
    return rule.label, rule.span.line, rule.span.column


# Cases ---------------------------------------------------------------------------------------------------


def _run_cases(test: PolicyTest, decided: list[Decision]) -> Iterator[CaseResult]:
    for case in test.cases:
        now = case.now or test.now
        assert now is not None  # noqa: S101 - for the type checker: reading demands one of the two
        day = moment_of(now, test.timezone or test.policy.timezone)
        snapshot, license_ = case_site(case.user, case.license, day, test.policy.asked_of_site)
        decision = decide(test.policy, snapshot, case.license.type, license_, day)
        if case.told is not None:
            told = told_snapshot(snapshot, decision, case.told, case.reminded, day)
            decision = decide(test.policy, told, case.license.type, license_, day)
        decided.append(decision)
        yield CaseResult(case.name, _place(case.span), tuple(_problems(case.expectation, decision)))


# Snapshots -----------------------------------------------------------------------------------------------


def _run_snapshot(test: PolicyTest, path: Path, decided: list[Decision]) -> Iterator[CaseResult]:
    snapshot = load_snapshot(path)
    decisions = list(decide_all(test.policy, snapshot, _day(test, snapshot)))
    by_user: dict[str, list[Decision]] = {}
    by_id: dict[str, list[Decision]] = {}
    for decision in decisions:
        by_user.setdefault(decision.user, []).append(decision)
        by_id.setdefault(decision.license_id, []).append(decision)
    covered: set[int] = set()
    missing = 0
    for expected in test.expected:
        meant = (
            by_user.get(expected.user, []) if expected.user is not None else by_id.get(expected.license_id or "", [])
        )
        meant = [d for d in meant if expected.license_type in (None, d.license_type)]
        covered.update(id(decision) for decision in meant)
        decided += meant
        problems = [line for d in meant for line in _problems(expected.expectation, d)]
        if not meant:
            missing += 1
            problems = [_nobody(expected, by_user if missing <= MAX_SUGGESTIONS else {}, path)]
        yield CaseResult(_name(expected), _place(expected.span), tuple(problems))
    for decision in decisions if test.exhaustive else ():
        if id(decision) not in covered:
            name = f"{decision.user} · {decision.license_type} · {decision.license_id}"
            got = f"got       {_got(decision)}"
            yield CaseResult(name, _place(Span(test.file, 1, 1, 1, 1)), ("no expectation covers this license", got))


def _day(test: PolicyTest, snapshot: Snapshot) -> Day:
    """The test's `now`, or the moment the snapshot was taken. Raises InputError when there is neither."""
    taken = parse_timestamp(snapshot.taken_at) if snapshot.taken_at else None
    now = test.now or taken
    if now is None:
        raise InputError(
            f"`{test.file}` has no `now`, and its snapshot does not say when it was taken",
            "write `now: 2026-11-21` at the top of the file",
        )
    return moment_of(now, test.timezone or test.policy.timezone)


def _name(expected: ExpectedOf) -> str:
    who = expected.user if expected.user is not None else f"license {expected.license_id}"
    return f"{who} · {expected.license_type}" if expected.license_type else who


def _nobody(expected: ExpectedOf, by_user: dict[str, list[Decision]], path: Path) -> str:
    which = f"{expected.license_type} license" if expected.license_type else "license"
    if expected.user is None:
        return f"{path.name} has no {which} `{expected.license_id}`"
    near = did_you_mean(expected.user, by_user) if expected.user not in by_user else None
    return f"`{expected.user}` has no {which} in {path.name}" + (f"; {near}" if near else "")


# Expectations --------------------------------------------------------------------------------------------


def _problems(expectation: Expectation, decision: Decision) -> list[str]:
    """The lines that say what was expected, what came out, and why; none when all is met."""
    matched = {rule.label for rule in decision.matched}
    expected_rules = {rule.value for rule in expectation.rules} if expectation.rules is not None else None
    lines = []
    if (
        decision.verdict != expectation.verdict
        or expectation.because not in (None, decision.because)
        or (expectation.rule is not None and expectation.rule.value != decision.decided_by)
    ):
        lines += [f"expected  {_wanted(expectation)}", f"got       {_got(decision)}", f"why       {decision.reason}"]
    if expected_rules not in (None, matched):
        lines += [
            f"expected  matching rules: {_listed(expected_rules)}",
            f"got       matching rules: {_listed(matched)}",
        ]
    if lines:
        named = {*([expectation.rule.value] if expectation.rule else []), *(expected_rules or [])}
        lines += [line for o in decision.outcomes if o.rule.label in named - matched for line in _unmatched(o)]
    return lines


def _unmatched(outcome: RuleOutcome) -> Iterator[str]:
    """A rule that should have matched, with the values that were found."""
    title = outcome.rule.title
    yield f"          {title} {_MARKS[outcome.truth]} {found(outcome)}  ({outcome.rule.place})"
    for part in () if outcome.expired else tree_parts(outcome.trace):
        yield f"            {_MARKS[part.truth]} {part_text(part)}"


def _wanted(expectation: Expectation) -> str:
    by = f" by {expectation.rule.value}" if expectation.rule else ""
    because = f", because {expectation.because}" if expectation.because else ""
    return f"{expectation.verdict}{by}{because}"


def _got(decision: Decision) -> str:
    if decision.rule and decision.because in STANDING:
        because = f"{decision.verdict}, because {decision.because}"
        return f"{because}: due by {decision.rule.title} ({decision.rule.place})"
    if decision.rule:
        return f"{decision.verdict} by {decision.rule.title} ({decision.rule.place})"
    return f"{decision.verdict}, because {decision.because}: {reason_label(decision)}"


def _listed(labels: Iterable[str] | None) -> str:
    return ", ".join(sorted(labels or ())) or "none"


def _place(span: Span) -> str:
    """`file:line`: the line is what a reader looks for."""
    return f"{span.file}:{span.line}"
