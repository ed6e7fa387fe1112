"""The plan: every decision of one run, counted, and sealed on disk before anything is released."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from functools import cached_property, partial
from typing import Any, ClassVar, TypeAlias

import msgspec

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.class_counts import ClassCounts
from seatwarden.engine.decide.decision import Because, Decision, Ruling, Verdict, ruling_label, that_take
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.day import Day
from seatwarden.engine.plan.circumstances import Origin
from seatwarden.engine.plan.decide_site import Stand, decide_site
from seatwarden.engine.plan.findings import MASS_CHANGE, Finding, PlanFindings, clocks_finding, find_in_plan
from seatwarden.engine.plan.given_back import TakeBackCounts, count_take_backs, with_take_backs
from seatwarden.engine.plan.guarantees import GuaranteeJudged, judged
from seatwarden.engine.plan.limits import (
    Excess,
    SiteNumbers,
    chooses,
    days_asked,
    describe_excess,
    describe_limits,
    describe_remedy,
    describe_reserve,
    excesses,
    fitting,
    for_reserves,
    is_announced,
    is_given_back,
    limits_in_force,
    longest_unused_first,
    remedy,
)
from seatwarden.engine.plan.waiting import NoticeCounts, notice_counts
from seatwarden.engine.snapshot.model import RELEASES_HIDDEN, Snapshot
from seatwarden.engine.version import FORMAT, VERSION
from seatwarden.grammar.ast import LICENSE_TYPES, AnyLimit, LicenseType, Reserve
from seatwarden.policy.lint.findings import is_yaml
from seatwarden.policy.loading import CheckedPolicy

_User: TypeAlias = tuple[str | None, str]


@dataclass(frozen=True)
class Plan:
    """All decisions for a snapshot under a policy, at one moment, and what is found about them."""

    policy: CheckedPolicy
    snapshot: Snapshot
    day: Day
    source: str
    decisions: tuple[Decision, ...]
    pseudonyms: Pseudonyms | None = None
    found: PlanFindings = PlanFindings()
    compared: str = ""
    """With which run it was compared for changes that touch everybody; empty where none was looked for."""
    lately: Mapping[int, Mapping[LicenseType, int] | None] = field(default_factory=dict)
    """What earlier runs have released within the days that a limit asks for: see `SiteNumbers`."""
    accepted: bool = False
    """Whether a change that touches everybody was approved when the plan was made."""
    erased_words: ClassVar[str] = ""
    """Nothing is erased from a plan just made: see `RecordedPlan`."""
    origin: Origin = Origin()
    exact: tuple[Decision, ...] = ()
    """The decisions behind pseudonyms, which are counted and compared, and never written; empty without any."""
    classes: ClassCounts | None = None
    """How the decisions behind pseudonyms hide in each other."""
    guarantees: tuple[GuaranteeJudged, ...] = ()
    """What the policy guarantees, and what became of each when the plan was made."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is to be known before the plan is approved."""
        return self.found.findings

    @property
    def is_stopped(self) -> bool:
        """Whether a change that touches everybody keeps the plan from being carried out."""
        return not self.accepted and any(finding.code == MASS_CHANGE for finding in self.findings)

    def with_findings(self, *more: Finding) -> "Plan":
        """The plan with further findings."""
        found = PlanFindings((*self.found.findings, *more), self.found.allowed)
        return replace(self, found=found) if more else self

    @cached_property
    def run_id(self) -> str:
        """The moment and a digest of all inputs: same inputs, same id."""
        inputs = (
            VERSION,
            self.policy.digest,
            self.snapshot.digest,
            format_instant(self.day.now),
            self.day.zone.key,
            self.source,
        )
        digest = hashlib.sha256("\n".join(inputs).encode()).hexdigest()
        return f"{self.day.now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest[:12]}"

    @cached_property
    def limits(self) -> tuple[AnyLimit, ...]:
        """The limits in force."""
        return limits_in_force(self.policy.limits)

    @cached_property
    def numbers(self) -> SiteNumbers:
        """What the limits ask of the site. Of a what-if without a register nothing was released before."""
        lately = {within: self.lately.get(within, {}) for within in sorted(days_asked(self.limits))}
        return SiteNumbers(self.snapshot.overview, lately)

    @cached_property
    def over(self) -> list[Excess]:
        """The limits that the plan is over."""
        return excesses(self.limits, self.allocated, self.planned, self.numbers)

    @cached_property
    def rulings(self) -> Counter[tuple[LicenseType, Ruling]]:
        """The number of licenses by type and ruling."""
        return Counter({alike: len(decisions) for alike, decisions in self._alike.items()})

    @cached_property
    def _alike(self) -> Mapping[tuple[LicenseType, Ruling], Sequence[Decision]]:
        """The decisions by type and ruling. There are few rulings: all counts come from here, in one walk."""
        found: defaultdict[tuple[LicenseType, Ruling], list[Decision]] = defaultdict(list)
        for decision in self.exact or self.decisions:
            found[decision.license_type, decision.ruling].append(decision)
        return found

    @cached_property
    def planned(self) -> Counter[LicenseType]:
        """The number of releases of each type that this run sets out to make: all, or those that a limit chooses."""
        if not chooses(self.limits) and not any(map(is_announced, self._releases)):
            return self.released
        return Counter(decision.license_type for decision in self.chosen)

    @cached_property
    def chosen(self) -> list[Decision]:
        """The releases that reserves need, and that fit into the limits which say `longest unused first`, in order."""
        found = longest_unused_first(self.limits, self.allocated, self._releases, self.numbers)
        if self.pseudonyms is None:
            return found
        said = {decision.key: decision for decision in self.decisions}
        return [said[one.license_type, self.pseudonyms.of_license(*one.key)] for one in found]

    @cached_property
    def _releases(self) -> list[Decision]:
        return that_take(self.exact or self.decisions)

    @property
    def unused_days(self) -> dict[tuple[LicenseType, str], int]:
        """The days without use behind pseudonyms, by type and pseudonym of each license: the log does not say them."""
        if self.pseudonyms is None:
            return {}
        counted = [(one, one.unused_days) for one in self.exact]
        of = self.pseudonyms.of_license
        return {(one.license_type, of(*one.key)): days for one, days in counted if days is not None}

    @property
    def announced(self) -> dict[tuple[LicenseType, str], str]:
        """The days for which releases were announced behind pseudonyms, in the same way."""
        if self.pseudonyms is None:
            return {}
        told = [(one, one.standing.notice.announced) for one in self.exact if one.standing.notice is not None]
        return {(one.license_type, self.pseudonyms.of_license(*one.key)): day for one, day in told}

    @cached_property
    def remedy(self) -> str:
        """What to do about a limit that the plan is over; empty when it is over none."""
        if not self.over:
            return ""
        own, release, wanted = self.policy.limits, sum(self.released.values()), self.released
        if any(isinstance(one, Reserve) for one in self.limits):
            wanted = Counter(one.license_type for one in for_reserves(self.limits, self._releases, self.numbers))
        found = remedy(self.limits, self.allocated, wanted, self.numbers)
        return describe_remedy(found, own, release, yaml=is_yaml(self.policy))

    @cached_property
    def allocated(self) -> Counter[LicenseType]:
        """The number of licenses of each type that are allocated, quarantined ones included."""
        return self._count(lambda ruling: True)

    @cached_property
    def released(self) -> Counter[LicenseType]:
        """The number of licenses of each type that the plan takes: releases, downgrades among them."""
        return self._count(lambda ruling: ruling.takes)

    @cached_property
    def waiting(self) -> NoticeCounts | None:
        """The licenses that wait for a notice, counted; None where no rule gives notice and none waits."""
        if not self.policy.gives_notice and not any(ruling.because == "notice" for _, ruling in self.rulings):
            return None
        return notice_counts(self.exact or self.decisions, self._may_be_told)

    @cached_property
    def _taken_back(self) -> TakeBackCounts | None:
        return count_take_backs(self.decisions)

    def _may_be_told(self, some: Sequence[Decision]) -> Sequence[Decision]:
        """Of those that nobody has told, as many as one run may release; a run that is over its limit tells none."""
        return () if self.over else fitting(self.limits, self.allocated, some, self.numbers)

    def _count(self, counted: Callable[[Ruling], bool]) -> Counter[LicenseType]:
        found: Counter[LicenseType] = Counter()
        for (license_type, ruling), count in self.rulings.items():
            found[license_type] += count if counted(ruling) else 0
        return found

    def _users(self) -> tuple[int, int]:
        """The numbers of users who hold both types, and who lose all they hold; quarantined licenses do not count."""
        kept, released = (
            [self._holders(license_type, verdicts) for license_type in LICENSE_TYPES]
            for verdicts in (("keep", "downgrade"), ("release",))
        )
        both = (kept[0] | released[0]) & (kept[1] | released[1])
        return len(both), len((released[0] | released[1]) - kept[0] - kept[1])

    def _holders(self, license_type: LicenseType, verdicts: tuple[Verdict, ...]) -> set[_User]:
        return {
            (decision.user_directory, decision.user_id)
            for (kind, ruling), decisions in self._alike.items()
            if kind == license_type and ruling.verdict in verdicts and ruling.guard != "quarantined"
            for decision in decisions
            if decision.user_id is not None
        }

    def run(self) -> dict[str, Any]:
        """The run's inputs and identity: the first line of the log, without who made it."""
        kept, lately = self.policy.kept_files, self.numbers.lately
        return {
            "runId": self.run_id,
            "tool": f"seatwarden {VERSION}",
            "format": FORMAT,
            "mode": self.origin.mode,
            "now": format_instant(self.day.now),
            "timezone": self.day.zone.key,
            "clocks": msgspec.to_builtins(self.origin.clocks),
            "site": self.source,
            "policy": {
                "file": kept[0].name,
                "sha256": kept[0].digest,
                "canonicalSha256": self.policy.digest,
                "sources": {file.name: file.digest for file in kept},
                "concealed": self.policy.is_concealed,
            },
            "snapshot": {"takenAt": self.snapshot.taken_at, "sha256": self.snapshot.digest},
            "overview": msgspec.to_builtins(self.snapshot.overview),
            "limits": describe_limits(self.limits),
            **({"guarantees": msgspec.to_builtins(self.guarantees)} if self.guarantees else {}),
            **({"releasedBefore": {str(days): found for days, found in lately.items()}} if lately else {}),
            **({"licenseRules": self._license_rules} if self._license_rules else {}),
            "siteFacts": msgspec.to_builtins(self.snapshot.site_facts) if self._asks_of_site else None,
            "pseudonyms": self.pseudonyms.key_id if self.pseudonyms else None,
            "period": self.pseudonyms.period if self.pseudonyms else None,
        }

    @property
    def _license_rules(self) -> str:
        """The SHA-256 of the license rules, where they were asked what Qlik gives back."""
        rules = self.snapshot.license_rules
        if not isinstance(rules, msgspec.Raw):
            return ""
        asked = self.policy.reads("license.takenBackBy") or any(one.take_back for one in self.decisions)
        return hashlib.sha256(bytes(rules)).hexdigest() if asked else ""

    @property
    def _asks_of_site(self) -> bool:
        """Whether it matters who else has a property or an attribute."""
        return bool(self.policy.asked_of_site) or self.policy.reads("license.takenBackBy")

    def summary(self) -> dict[str, Any]:
        """Counts: by type, by the rule or guard that decided, and the limits the plan is over."""
        return self._summary

    @cached_property
    def _summary(self) -> dict[str, Any]:
        guarded = {guard: self._count(partial(_is_guarded, guard)) for guard in ("quarantined", "undetermined")}
        beside = {name: self._count(counted) for name, counted in _COUNTED_WHERE_ANY.items()}
        types = {
            license_type: {
                "allocated": self.allocated[license_type],
                "release": self.released[license_type],
                "keep": self.allocated[license_type] - self.released[license_type],
                "quarantined": guarded["quarantined"][license_type],
                "undetermined": guarded["undetermined"][license_type],
                "thisRun": 0 if self.over else self.planned[license_type],
                **{name: count[license_type] for name, count in beside.items() if count[license_type]},
            }
            for license_type in LICENSE_TYPES
        }
        reasons: Counter[str] = Counter()
        for (_, ruling), count in self.rulings.items():
            reasons[ruling_label(ruling)] += count
        for rule in self.policy.rules:
            reasons[rule.title] += 0  # also a rule that decides nothing is shown: it may be a mistake
        hold_both, lose_every = self._users()
        wanted = [one for one in self.limits if isinstance(one, Reserve)]
        useless = Counter(one.license_type for one in self._releases if is_given_back(one)) if wanted else Counter()
        reserves = [
            describe_reserve(
                one, self.numbers, 0 if self.over else self.planned[one.license_type], useless[one.license_type]
            )
            for one in wanted
        ]
        return {
            "licenses": len(self.decisions),
            "release": sum(self.released.values()),
            "thisRun": 0 if self.over else sum(self.planned.values()),
            "keep": len(self.decisions) - sum(self.released.values()),
            "undetermined": sum(guarded["undetermined"].values()),
            "byType": types,
            # In one order whatever that of the licenses is: the log has them in another.
            "byReason": dict(sorted(reasons.items(), key=lambda one: (-one[1], one[0]))),
            "holdBothTypes": hold_both,
            "loseEveryLicense": lose_every,
            "heldByNobody": self.snapshot.held_by_nobody,
            "signedKey": self.snapshot.signed_key,
            "overLimit": [describe_excess(excess) for excess in self.over],
            "remedy": self.remedy,
            "pseudonyms": msgspec.to_builtins(self.classes),
            **({"downgrade": downgraded} if (downgraded := sum(beside["downgrade"].values())) else {}),
            **({"reserves": reserves} if reserves else {}),
            **({"notice": msgspec.to_builtins(self.waiting)} if self.waiting is not None else {}),
            **({"takeBack": msgspec.to_builtins(self._taken_back)} if self._taken_back is not None else {}),
        }


def make_plan(
    policy: CheckedPolicy,
    snapshot: Snapshot,
    day: Day,
    source: str,
    pseudonyms: Pseudonyms | None = None,
    stand: Stand = tuple,
) -> Plan:
    """Decides every license of the snapshot; `source` names the site or the file the snapshot came from.

    `stand` hears on all decisions what the site's register of notices says; without it nobody has been told.

    With `pseudonyms` people are decided on as ever, but in all that the plan says ids are keyed for the period that it
    lies in, and facts are coarse. When a license of somebody was released is unknown then: the journals of such runs do
    not say whose it was, and a line without facts could not be compared when the plan is applied.
    """
    with collector_off():
        if pseudonyms is not None:
            snapshot = snapshot.with_releases(RELEASES_HIDDEN)
        decisions = decide_site(policy, snapshot, day, stand, hidden=pseudonyms is not None)
        ours = pseudonyms.at(day) if pseudonyms is not None else None
        if ours is None:  # behind pseudonyms it would tell who has which attributes
            decisions = with_take_backs(decisions, snapshot)
        found = find_in_plan(policy, snapshot, day, decisions, ours)
        return _plan(policy, snapshot, day, source, decisions, ours, found)


def plan_of_record(
    policy: CheckedPolicy,
    snapshot: Snapshot,
    day: Day,
    source: str,
    decisions: Iterable[Decision],
    pseudonyms: Pseudonyms | None = None,
) -> Plan:
    """The plan of decisions that were made of a past run's record: nothing is found in it that takes a whole site."""
    with collector_off():
        ours = pseudonyms.at(day) if pseudonyms is not None else None
        return _plan(policy, snapshot, day, source, tuple(decisions), ours, PlanFindings())


def _plan(
    policy: CheckedPolicy,
    snapshot: Snapshot,
    day: Day,
    source: str,
    decisions: tuple[Decision, ...],
    pseudonyms: Pseudonyms | None,
    found: PlanFindings,
) -> Plan:
    """A plan of exact decisions, by the pseudonyms of its period."""
    proved = judged(policy)
    if pseudonyms is None:
        return Plan(policy, snapshot, day, source, decisions, None, found, guarantees=proved)
    from seatwarden.engine.decide.disguise import Disguise  # few plans have pseudonyms

    said, classes = Disguise(pseudonyms, policy, day).of_all(decisions)
    hidden = Plan(policy, snapshot, day, source, said, pseudonyms, found, exact=decisions, classes=classes)
    return replace(hidden, guarantees=proved)


def with_origin(plan: Plan, origin: Origin) -> Plan:
    """The plan, with how it came about; clocks that are far apart are a finding."""
    found = clocks_finding(origin.clocks)
    plan = replace(plan, origin=origin)
    return plan.with_findings(found) if found else plan


def _is_guarded(guard: str, ruling: Ruling) -> bool:
    return ruling.guard == guard


def _is_kept(because: Because, ruling: Ruling) -> bool:
    return ruling.because == because and not ruling.takes


_COUNTED_WHERE_ANY: Mapping[str, Callable[[Ruling], bool]] = {
    "downgrade": lambda ruling: ruling.verdict == "downgrade",
    "held": partial(_is_kept, "hold"),
    "notNow": partial(_is_kept, "downgrade"),
    "waiting": partial(_is_kept, "notice"),
}
"""The names in a summary of what few plans have: those that are downgraded, of what is taken; and by what keeps them
those that are due and kept."""
