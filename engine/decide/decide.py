"""Deciding: the verdict for each license of a snapshot, with its reasons.

The order is the policy's meaning: guards, keep rules, release rules, keep. Keep beats release whatever the order
of rules, and a license is released only when every keep rule is certainly false and a release rule certainly true.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby, islice
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct, structs

from seatwarden.engine.decide.compiled import CompiledRules, Values
from seatwarden.engine.decide.phrases import join_words, phrase
from seatwarden.engine.decide.reference import RuleOutcome, Trace, Truth, evaluate_rule
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Fact, Facts, SnapshotFacts, Subject, Unknown, subject_of
from seatwarden.engine.facts.guards import Guard, Standing, obstacle, standing_of
from seatwarden.engine.snapshot.model import License, Snapshot, UserReference
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Not, Rule, UnusedFor
from seatwarden.policy.loading import CheckedPolicy

Verdict: TypeAlias = Literal["keep", "release"]
Because: TypeAlias = Literal["guard", "keep", "release", "default"]

BATCH = 500
"""Licenses that are decided together: enough for the calls not to count, few enough to need no memory."""
MAX_REMEMBERED = 100_000
"""How many reasons are remembered, so that a million licenses with words of their own do not fill the memory."""


class Ruling(Struct, frozen=True, eq=False):
    """What guards and rules make of one license; licenses with the same truths share it.

    `guard` is the guard that decided (`because` is guard), `rule` the rule that did (keep or release); both are
    None when nothing matched. `matched` has all rules that matched, in file order.
    """

    verdict: Verdict
    because: Because
    guard: Guard | None
    rule: Rule | None
    matched: tuple[Rule, ...]


class Evaluation(Protocol):
    """What the rules read, and what became of every rule that speaks of the license type, in file order."""

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts by their names in the language."""
        ...

    @property
    def outcomes(self) -> tuple[RuleOutcome, ...]:
        """The rules, explained."""
        ...


class Evaluated(Struct, frozen=True, gc=False):
    """An evaluation that has all its outcomes."""

    facts: Mapping[str, Fact]
    outcomes: tuple[RuleOutcome, ...]


class Compact(Struct, frozen=True, gc=False):
    """An evaluation by compiled rules: only what was read is kept, the rest is found again when asked for."""

    rules: CompiledRules
    values: Values

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts by their names in the language."""
        return self.rules.facts(self.values)

    @property
    def outcomes(self) -> tuple[RuleOutcome, ...]:
        """The rules, explained."""
        return self.rules.outcomes(self.values)


class Decision(Struct, frozen=True, gc=False):
    """The verdict for one license.

    `unused_days` counts calendar days, None when unknown; `last_used` is QRS's timestamp, None when never or
    unreadable.
    """

    license_id: str
    license_type: LicenseType
    user_directory: str | None
    user_id: str | None
    user_name: str | None
    ruling: Ruling
    reason: str
    standing: Standing
    unused_days: int | None
    last_used: str | None
    evaluation: Evaluation

    @property
    def verdict(self) -> Verdict:
        """Keep or release."""
        return self.ruling.verdict

    @property
    def because(self) -> Because:
        """What kind of reason decided."""
        return self.ruling.because

    @property
    def guard(self) -> Guard | None:
        """The guard that decided, if one did."""
        return self.ruling.guard

    @property
    def rule(self) -> Rule | None:
        """The rule that decided, if one did."""
        return self.ruling.rule

    @property
    def matched(self) -> tuple[Rule, ...]:
        """All rules that matched, in file order."""
        return self.ruling.matched

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts that the rules read, by their names in the language."""
        return self.evaluation.facts

    @property
    def outcomes(self) -> tuple[RuleOutcome, ...]:
        """Every rule that speaks of this license type, in file order, with what became of it."""
        return self.evaluation.outcomes

    def worked_out(self) -> "Decision":
        """The same with every rule explained once: for who looks at the outcomes several times."""
        if isinstance(self.evaluation, Evaluated):
            return self
        return structs.replace(self, evaluation=Evaluated(self.facts, self.outcomes))

    @property
    def key(self) -> tuple[LicenseType, str]:
        """Type and id of the license."""
        return self.license_type, self.license_id

    @property
    def rule_name(self) -> str | None:
        """The guard's name, or the deciding rule's (None when the rule has none, or nothing matched)."""
        return self.guard or (self.rule.name if self.rule else None)

    @property
    def decided_by(self) -> str | None:
        """What decided, as people call it: the guard, or the rule's label; None when nothing matched."""
        return self.guard or (self.rule.label if self.rule else None)

    @property
    def user(self) -> str:
        """The user as `DIRECTORY\\id`, as far as it is known."""
        return user_of(self.user_directory, self.user_id)


def user_of(directory: str | None, user_id: str | None) -> str:
    """A user as `DIRECTORY\\id`, as far as it is known."""
    return "(no user)" if user_id is None else f"{directory or '?'}\\{user_id}"


def facts_of(decisions: Iterable[Decision]) -> Iterator[Mapping[str, Fact]]:
    """The facts of each decision; those of many are found together, in half the time."""
    for rules, alike in groupby(decisions, _compiled_rules):
        if rules is None:
            yield from (decision.facts for decision in alike)
            continue
        while batch := [decision.evaluation.values for decision in islice(alike, BATCH)]:  # type: ignore[attr-defined]
            yield from rules.facts_of(batch)


def _compiled_rules(decision: Decision) -> CompiledRules | None:
    return decision.evaluation.rules if isinstance(decision.evaluation, Compact) else None


def decide_all(policy: CheckedPolicy, snapshot: Snapshot, day: Day) -> Iterator[Decision]:
    """A decision for every license, by the fast evaluator: professional, then analyzer, in QRS's order."""
    for license_type in LICENSE_TYPES:
        decider = _Decider(policy, snapshot, license_type, day)
        rows = snapshot.licenses.get(license_type, ())
        for start in range(0, len(rows), BATCH):
            yield from decider.decide(rows[start : start + BATCH])


def decide(
    policy: CheckedPolicy, snapshot: Snapshot, license_type: LicenseType, license_: License, day: Day
) -> Decision:
    """The decision for one license, by the reference evaluator."""
    subject = subject_of(snapshot, license_type, license_, day)
    facts = SnapshotFacts(subject)
    standing = standing_of(subject)
    outcomes = outcomes_of(policy, license_type, facts, day)
    ruling, reason = conclude(license_type, outcomes, obstacle(standing))
    return _decision(subject, standing, ruling, reason, Evaluated(facts.seen, outcomes))


class _Decider:
    """Decides the licenses of one type, and remembers what was worked out for the licenses before.

    Most licenses share their truths with many others, and their reason with some: a site has far fewer last uses
    (in days) than licenses. Finding the words anew for each would take most of a plan's time.
    """

    def __init__(self, policy: CheckedPolicy, snapshot: Snapshot, license_type: LicenseType, day: Day) -> None:
        self._snapshot = snapshot
        self._license_type = license_type
        self._day = day
        self._rules = CompiledRules(policy, license_type, day)
        self._rulings: dict[tuple[Guard | None, tuple[Truth, ...]], tuple[Ruling, Callable[[Values], str]]] = {}

    def decide(self, licenses: Sequence[License]) -> Iterator[Decision]:
        """The decisions for a batch of licenses."""
        snapshot, license_type, rules = self._snapshot, self._license_type, self._rules
        subjects = [subject_of(snapshot, license_type, license_, self._day) for license_ in licenses]
        batch = rules.read(subjects)
        for subject, values, truths in zip(subjects, batch.rows(), rules.truths(batch), strict=True):
            standing = standing_of(subject)
            guard = obstacle(standing)
            key = (guard[0] if guard else None, truths)
            found = self._rulings.get(key)
            if found is None:
                found = self._rulings[key] = self._ruling(truths, key[0])
            ruling, reason_of = found
            reason = guard[1] if guard else reason_of(values)
            yield _decision(subject, standing, ruling, reason, Compact(rules, values))

    def _ruling(self, truths: tuple[Truth, ...], guard: Guard | None) -> tuple[Ruling, Callable[[Values], str]]:
        """The ruling for these truths, and what finds its reason."""
        # Not `self`, which would hold the whole snapshot in a cycle that only the garbage collector frees.
        rules, license_type = self._rules, self._license_type
        ruling, telling_rules = rule_on(rules.rules, truths, guard)
        dependence = rules.words_depend_on(telling_rules)
        remembered: dict[object, str] = {}

        def reason_of(values: Values) -> str:
            key = dependence(values)
            reason = remembered.get(key)
            if reason is None:
                outcomes = [rules.outcome(index, values) for index in telling_rules]
                reason = sentence(license_type, ruling, outcomes)
                if len(remembered) < MAX_REMEMBERED:
                    remembered[key] = reason
            return reason

        return ruling, reason_of


def _decision(subject: Subject, standing: Standing, ruling: Ruling, reason: str, evaluation: Evaluation) -> Decision:
    license_, user = subject.license, subject.user
    directory: str | None
    user_id: str | None
    if user is not None:
        directory, user_id, name = user.user_directory, user.user_id, user.name or None
    elif isinstance(license_.user, UserReference):
        directory, user_id, name = license_.user.user_directory, license_.user.user_id, license_.user.name
    else:
        directory, user_id, name = license_.deleted_user_directory or None, license_.deleted_user_id or None, None
    unused = subject.unused_days
    return Decision(
        license_.id,
        subject.license_type,
        directory,
        user_id,
        name,
        ruling,
        reason,
        standing,
        None if isinstance(unused, Unknown) else unused,
        license_.last_used if isinstance(subject.last_used, date) else None,
        evaluation,
    )


def outcomes_of(policy: CheckedPolicy, license_type: LicenseType, facts: Facts, day: Day) -> tuple[RuleOutcome, ...]:
    """The outcome of every rule that speaks of this license type; all are evaluated."""
    return tuple(
        evaluate_rule(rule, facts, policy.names, day.today) for rule in policy.rules if rule.applies_to(license_type)
    )


def conclude(
    license_type: LicenseType, outcomes: Sequence[RuleOutcome], guard: tuple[Guard, str] | None
) -> tuple[Ruling, str]:
    """The ruling and its reason, a sentence; `guard` holds whatever the rules say."""
    ruling, telling_rules = rule_on(
        [outcome.rule for outcome in outcomes], [outcome.truth for outcome in outcomes], guard[0] if guard else None
    )
    if guard is not None:
        return ruling, guard[1]
    return ruling, sentence(license_type, ruling, [outcomes[index] for index in telling_rules])


def rule_on(rules: Sequence[Rule], truths: Sequence[Truth], guard: Guard | None) -> tuple[Ruling, tuple[int, ...]]:
    """The ruling for the truths of these rules, and which of them its reason tells of.

    A fact is *needed* when the verdict hangs on it: an unknown keep rule matters only while a release rule may match,
    and never when another keep rule matches.
    """
    matched = tuple(rule for rule, truth in zip(rules, truths, strict=True) if truth is True)
    if guard is not None:
        return Ruling("keep", "guard", guard, None, matched), ()
    keeps = [index for index, rule in enumerate(rules) if rule.kind == "keep"]
    releases = [index for index, rule in enumerate(rules) if rule.kind == "release"]
    for index in keeps:
        if truths[index] is True:
            return Ruling("keep", "keep", None, rules[index], matched), (index,)
    release = next((index for index in releases if truths[index] is True), None)
    unknown_release = next((index for index in releases if truths[index] is None), None)
    if release is None and unknown_release is None:
        return Ruling("keep", "default", None, None, matched), tuple(releases)
    unknown = next((index for index in keeps if truths[index] is None), None)
    if unknown is None and release is None:
        unknown = unknown_release
    if unknown is not None:
        return Ruling("keep", "guard", "undetermined", None, matched), (unknown,)
    assert release is not None  # noqa: S101 - for the type checker: releases are true here or undetermined above
    return Ruling("release", "release", None, rules[release], matched), (release,)


def sentence(license_type: LicenseType, ruling: Ruling, telling_outcomes: Sequence[RuleOutcome]) -> str:
    """The reason of a ruling, from the outcomes of the rules that it tells of."""
    if ruling.because == "default":
        return _no_release(license_type, telling_outcomes)
    (outcome,) = telling_outcomes
    if ruling.because == "guard":
        return f"undetermined: {_unknown(outcome.trace)}, needed by {outcome.rule.title}"
    return f"{outcome.rule.title}: {_words(outcome.trace)}"


def telling(trace: Trace) -> Trace:
    """The part of a condition that decided its truth: of an `or` the true part, of a failed `and` the false one."""
    if not trace.parts or isinstance(trace.condition, Not):
        return trace
    return telling(next((part for part in trace.parts if part.truth == trace.truth), trace.parts[0]))


def _words(trace: Trace) -> str:
    """The telling facts of a condition: all parts of a true `and`, else the one part that tells most."""
    if trace.parts and not isinstance(trace.condition, Not) and all(part.truth == trace.truth for part in trace.parts):
        return join_words([phrase(telling(part)) for part in trace.parts][:3])
    return phrase(telling(trace))


def _unknown(trace: Trace) -> str:
    if trace.parts:
        return next((_unknown(part) for part in trace.parts if part.truth is None), "a fact is unknown")
    return next((fact.reason for _, fact in trace.facts if isinstance(fact, Unknown)), "a fact is unknown")


def _no_release(license_type: LicenseType, releases: Sequence[RuleOutcome]) -> str:
    if not releases:
        return f"no release rule speaks of {license_type} licenses"
    if len(releases) == 1:
        return f"no release rule matches: {_words(releases[0].trace)}"
    waiting = _shortest_wait([outcome.trace for outcome in releases])
    return f"no release rule matches{f': {waiting}' if waiting else ''}"


def _shortest_wait(traces: list[Trace]) -> str | None:
    """The smallest threshold of disuse among several rules, in words."""
    found = [trace for root in traces for trace in leaves(root) if isinstance(trace.condition, UnusedFor)]
    nearest = min(found, key=lambda trace: trace.condition.days, default=None)  # type: ignore[union-attr]
    return phrase(nearest) if nearest else None


def leaves(trace: Trace) -> Iterator[Trace]:
    """The parts of a condition that have no parts themselves."""
    if not trace.parts:
        yield trace
    for part in trace.parts:
        yield from leaves(part)
