"""Deciding: the verdict for each license of a snapshot, with its reasons.

The order is the policy's meaning: guards, keep rules, release rules, keep. Keep beats release whatever the order
of rules, and a license is released only when every keep rule is certainly false and a release rule certainly true.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from engine.days import Day
from engine.evaluate import RuleOutcome, Trace, evaluate_rule
from engine.facts import Fact, Facts, SnapshotFacts, Subject, Unknown, last_use, unused_days, user_of
from engine.guards import Guard, Standing, obstacle, standing_of
from engine.phrases import join_words, phrase
from engine.snapshot import License, Snapshot, UserReference
from grammar.ast import LICENSE_TYPES, LicenseType, Not, Rule, UnusedFor
from policy.loading import CheckedPolicy

Verdict: TypeAlias = Literal["keep", "release"]
Because: TypeAlias = Literal["guard", "keep", "release", "default"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict for one license.

    `guard` is the guard that decided (`because` is guard), `rule` the rule that did (keep or release); both are
    None when nothing matched. `outcomes` has every rule that speaks of this license type, in file order.
    `unused_days` counts calendar days, None when unknown; `last_used` is QRS's timestamp, None when never.
    """

    license_id: str
    license_type: LicenseType
    user_directory: str | None
    user_id: str | None
    user_name: str | None
    verdict: Verdict
    because: Because
    guard: Guard | None
    rule: Rule | None
    reason: str
    outcomes: tuple[RuleOutcome, ...]
    facts: Mapping[str, Fact]
    standing: Standing
    unused_days: int | None
    last_used: str | None

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
    def matched(self) -> tuple[Rule, ...]:
        """All rules that matched, in file order."""
        return tuple(outcome.rule for outcome in self.outcomes if outcome.truth is True)

    @property
    def user(self) -> str:
        """The user as `DIRECTORY\\id`, as far as it is known."""
        if self.user_id is None:
            return "(no user)"
        return f"{self.user_directory or '?'}\\{self.user_id}"


def decide_all(policy: CheckedPolicy, snapshot: Snapshot, day: Day) -> Iterator[Decision]:
    """A decision for every license of the snapshot: professional, then analyzer, in QRS's order."""
    for license_type in LICENSE_TYPES:
        for license_ in snapshot.licenses.get(license_type, ()):
            yield decide(policy, snapshot, license_type, license_, day)


def decide(
    policy: CheckedPolicy, snapshot: Snapshot, license_type: LicenseType, license_: License, day: Day
) -> Decision:
    """The decision for one license."""
    user = user_of(snapshot, license_)
    reference = license_.user if isinstance(license_.user, UserReference) else None
    facts = SnapshotFacts(Subject(snapshot, license_type, license_, user, day))
    standing = standing_of(snapshot, license_type, license_)
    outcomes = outcomes_of(policy, license_type, facts, day)
    verdict, because, guard, rule, reason = conclude(license_type, outcomes, obstacle(standing))
    unused = unused_days(license_, day)
    return Decision(
        license_id=license_.id,
        license_type=license_type,
        user_directory=user.user_directory
        if user
        else reference.user_directory
        if reference
        else license_.deleted_user_directory or None,
        user_id=user.user_id if user else reference.user_id if reference else license_.deleted_user_id or None,
        user_name=(user.name or None) if user else reference.name if reference else None,
        verdict=verdict,
        because=because,
        guard=guard,
        rule=rule,
        reason=reason,
        outcomes=outcomes,
        facts=facts.seen,
        standing=standing,
        unused_days=None if isinstance(unused, Unknown) else unused,
        last_used=license_.last_used
        if last_use(license_, day) is not None and isinstance(license_.last_used, str)
        else None,
    )


def outcomes_of(policy: CheckedPolicy, license_type: LicenseType, facts: Facts, day: Day) -> tuple[RuleOutcome, ...]:
    """The outcome of every rule that speaks of this license type; all are evaluated."""
    return tuple(
        evaluate_rule(rule, facts, policy.names, day.today) for rule in policy.rules if rule.applies_to(license_type)
    )


def conclude(
    license_type: LicenseType, outcomes: tuple[RuleOutcome, ...], guard: tuple[Guard, str] | None
) -> tuple[Verdict, Because, Guard | None, Rule | None, str]:
    """Verdict, its kind, the guard or rule that decided, and a sentence.

    `guard` holds whatever the rules say. A fact is *needed* when the verdict hangs on it: an
    unknown keep rule matters only while a release rule may match, and never when another keep rule matches.
    """
    if guard is not None:
        return "keep", "guard", guard[0], None, guard[1]
    keeps = [outcome for outcome in outcomes if outcome.rule.kind == "keep"]
    releases = [outcome for outcome in outcomes if outcome.rule.kind == "release"]
    for outcome in keeps:
        if outcome.truth is True:
            return "keep", "keep", None, outcome.rule, _because_of(outcome)
    release = next((outcome for outcome in releases if outcome.truth is True), None)
    unknown_release = next((outcome for outcome in releases if outcome.truth is None), None)
    if release is None and unknown_release is None:
        return "keep", "default", None, None, _no_release(license_type, releases)
    unknown = next((outcome for outcome in keeps if outcome.truth is None), None) or (
        None if release else unknown_release
    )
    if unknown is not None:
        return (
            "keep",
            "guard",
            "undetermined",
            None,
            f"undetermined: {_unknown(unknown.trace)}, needed by {unknown.rule.title}",
        )
    assert release is not None  # noqa: S101 - for the type checker: releases are true here or undetermined above
    return "release", "release", None, release.rule, _because_of(release)


def telling(trace: Trace) -> Trace:
    """The part of a condition that decided its truth: of an `or` the true part, of a failed `and` the false one."""
    if not trace.parts or isinstance(trace.condition, Not):
        return trace
    return telling(next((part for part in trace.parts if part.truth == trace.truth), trace.parts[0]))


def _because_of(outcome: RuleOutcome) -> str:
    return f"{outcome.rule.title}: {_words(outcome.trace)}"


def _words(trace: Trace) -> str:
    """The telling facts of a condition: all parts of a true `and`, else the one part that tells most."""
    if trace.parts and not isinstance(trace.condition, Not) and all(part.truth == trace.truth for part in trace.parts):
        return join_words([phrase(telling(part)) for part in trace.parts][:3])
    return phrase(telling(trace))


def _unknown(trace: Trace) -> str:
    if trace.parts:
        return next((_unknown(part) for part in trace.parts if part.truth is None), "a fact is unknown")
    return next((fact.reason for _, fact in trace.facts if isinstance(fact, Unknown)), "a fact is unknown")


def _no_release(license_type: LicenseType, releases: list[RuleOutcome]) -> str:
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
