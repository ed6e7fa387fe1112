"""Deciding: the verdict for each license of a snapshot, with its reasons.

The order is the policy's meaning: guards, keep rules, downgrade rules, release rules, keep, whatever the order of
rules. A license is taken only when every keep rule is certainly false and a rule that takes certainly true.
Behind them stands what the registers beside the site say of a license: that can only keep it.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import TypeAlias

from seatwarden.engine.decide.column_tests import ReadValues
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decision import BATCH, Compact, Decision, Evaluated, Evaluation, Ruling
from seatwarden.engine.decide.reasons import sentence
from seatwarden.engine.decide.reference import RuleOutcome, evaluate_rule
from seatwarden.engine.decide.standing import ruled
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.facts import Facts, SnapshotFacts, Subject, subject_of, subjects_of
from seatwarden.engine.facts.guards import Guard, RowState, guard_for, row_state_of, row_states_of
from seatwarden.engine.facts.standing import NO_STANDING, Standing
from seatwarden.engine.snapshot.model import License, Snapshot, UserReference
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType, Rule
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.operators import Truth

MAX_REMEMBERED = 100_000
"""Most reasons that are remembered: a million licenses with words of their own must not fill the memory."""


DecideOne: TypeAlias = Callable[[CheckedPolicy, Snapshot, LicenseType, License, Day], Decision]
"""Decides one license, as `decide` does."""


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
    row_state = row_state_of(subject)
    outcomes = outcomes_of(policy, license_type, facts, day)
    concluded = conclude(license_type, outcomes, guard_for(row_state))
    standing = snapshot.standings.get((license_type, license_.id), NO_STANDING)
    decided = ruled(*concluded, standing, day)
    return _decision(subject, row_state, *decided, Evaluated(facts.seen, outcomes), standing)


class _Decider:
    """Decides the licenses of one type, and remembers what was worked out for the licenses before."""

    def __init__(self, policy: CheckedPolicy, snapshot: Snapshot, license_type: LicenseType, day: Day) -> None:
        self._snapshot = snapshot
        self._license_type = license_type
        self._day = day
        self._rules = CompiledRules(policy, license_type, day)
        self._conclusions = Conclusions(license_type, self._rules)

    def decide(self, licenses: Sequence[License]) -> Iterator[Decision]:
        """The decisions for a batch of licenses."""
        snapshot, license_type, rules = self._snapshot, self._license_type, self._rules
        subjects = subjects_of(snapshot, license_type, licenses, self._day)
        batch, standings = rules.read(subjects), snapshot.standings
        columns = subjects, row_states_of(subjects), batch.rows(), rules.truths(batch)
        for subject, row_state, values, truths in zip(*columns, strict=True):
            concluded, standing = self._conclusions.of(truths, guard_for(row_state), values), NO_STANDING
            if standings:  # of most sites no register speaks, and of a site that has one few licenses
                standing = standings.get((license_type, subject.license.id), NO_STANDING)
            if concluded[0].takes:
                concluded = ruled(*concluded, standing, self._day)
            yield _decision(subject, row_state, *concluded, Compact(rules, values), standing)


class Conclusions:
    """The rulings on licenses of one type, with their reasons, by the fast evaluator; see `conclude`.

    Most licenses share their truths with many others, and their reason with some: a site has far fewer last uses
    (in days) than licenses. Finding the words anew for each would take most of a plan's time.
    """

    def __init__(self, license_type: LicenseType, rules: CompiledRules) -> None:
        self._license_type = license_type
        self._rules = rules
        self._rulings: dict[tuple[Guard | None, tuple[Truth, ...]], tuple[Ruling, Callable[[ReadValues], str]]] = {}

    def of(self, truths: tuple[Truth, ...], guard: tuple[Guard, str] | None, values: ReadValues) -> tuple[Ruling, str]:
        """The ruling for these truths of all rules and its reason; `values` are the facts that they were found on."""
        key = (guard[0] if guard else None, truths)
        found = self._rulings.get(key)
        if found is None:
            found = self._rulings[key] = self._ruling(truths, key[0])
        ruling, reason_of = found
        return ruling, guard[1] if guard else reason_of(values)

    def _ruling(self, truths: tuple[Truth, ...], guard: Guard | None) -> tuple[Ruling, Callable[[ReadValues], str]]:
        """The ruling for these truths, and a function that finds its reason."""
        # Not `self`, which would hold the whole snapshot in a cycle that only the garbage collector frees.
        rules, license_type = self._rules, self._license_type
        ruling, telling_rules = rule_on(rules.rules, truths, guard)
        dependence = rules.words_depend_on(telling_rules)
        remembered: dict[object, str] = {}

        def reason_of(values: ReadValues) -> str:
            key = dependence(values)
            reason = remembered.get(key)
            if reason is None:
                outcomes = [rules.outcome(index, values) for index in telling_rules]
                reason = sentence(license_type, ruling, outcomes)
                if len(remembered) < MAX_REMEMBERED:
                    remembered[key] = reason
            return reason

        return ruling, reason_of


def _decision(
    subject: Subject, row_state: RowState, ruling: Ruling, reason: str, evaluation: Evaluation, standing: Standing
) -> Decision:
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
        row_state,
        None if isinstance(unused, Unknown) else unused,
        license_.last_used if isinstance(subject.last_used, date) else None,
        evaluation,
        standing,
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


def notice_order(rule: Rule) -> tuple[bool, int, int]:
    """A sort key of rules that take: first those that tell nobody before, then by the length of the notice."""
    notice = rule.notice
    return (False, 0, 0) if notice is None else (True, notice.days, notice.reminder_days or 0)


def rule_on(rules: Sequence[Rule], truths: Sequence[Truth], guard: Guard | None) -> tuple[Ruling, tuple[int, ...]]:
    """The ruling for the truths of rules, and the numbers of the rules that its reason tells of.

    A fact is *needed* when the verdict hangs on it: an unknown keep rule matters only while one that takes may match,
    and never when another keep rule matches.
    """
    matched = tuple(rule for rule, truth in zip(rules, truths, strict=True) if truth is True)
    if guard is not None:
        return Ruling("keep", "guard", guard, None, matched), ()
    open_ = tuple(rule for rule, truth in zip(rules, truths, strict=True) if truth is None)
    # A keep rule that certainly matches ends it, whatever else is unknown: nothing could be taken then.
    keeps = [index for index, rule in enumerate(rules) if rule.kind == "keep"]
    for index in keeps:
        if truths[index] is True:
            return Ruling("keep", "keep", None, rules[index], matched, open_), (index,)
    downgrades = [index for index, rule in enumerate(rules) if rule.kind == "downgrade"]
    releases = [index for index, rule in enumerate(rules) if rule.kind == "release"]
    takes = (*downgrades, *releases)
    # Nor does an unknown keep rule matter where nothing would be taken anyway. To call such a license undetermined
    # would send an administrator after a fact that changes nothing.
    if all(truths[index] is False for index in takes):
        return Ruling("keep", "default", None, None, matched, open_), takes
    # Whatever the order of rules: the one that takes at once, or else the one with the shortest notice.
    taking = min((i for i in downgrades if truths[i] is True), key=lambda i: notice_order(rules[i]), default=None)
    # Unknown never takes: first a keep rule that may protect, then a downgrade that may have to come first, else the
    # release rule that may not match.
    doubtful = keeps if taking is not None else (*keeps, *downgrades)
    if taking is None:
        taking = min((i for i in releases if truths[i] is True), key=lambda i: notice_order(rules[i]), default=None)
    unknown = next((i for i in (*doubtful, *(takes if taking is None else ())) if truths[i] is None), None)
    if unknown is not None:
        return Ruling("keep", "guard", "undetermined", None, matched, open_), (unknown,)
    assert taking is not None  # noqa: S101 - for the type checker: one is true here, or undetermined above
    kind = rules[taking].kind
    return Ruling(kind, kind, None, rules[taking], matched, open_), (taking,)
