"""A decision: the verdict for one license, what decided it, and what the rules read."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby, islice
from typing import Any, Literal, Protocol, TypeAlias

from msgspec import Struct, structs

from seatwarden.engine.decide.column_tests import ReadValues
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.facts.facts import Fact
from seatwarden.engine.facts.guards import Guard, RowState
from seatwarden.engine.facts.standing import NO_STANDING, HoldInForce, Standing
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.grammar.ast import LicenseType, Rule, RuleKind

Verdict: TypeAlias = RuleKind
Because: TypeAlias = Literal["guard", "keep", "downgrade", "release", "default", "hold", "notice"]
"""What decided: a guard, a rule, no rule, or what stands behind the rules of a license that is due."""
STANDING: tuple[Because, ...] = ("hold", "downgrade", "notice")
"""Of a license that is due by a rule, and kept by what stands behind the rules; `downgrade` is of one taken, too."""
TAKING: tuple[Literal["downgrade", "release"], ...] = ("downgrade", "release")
"""Those by which a license is taken from its user."""


def deciding_kinds(verdict: Verdict, because: Because) -> tuple[RuleKind, ...]:
    """The kinds that the rule of a ruling can have: for a license that is due and kept, any that takes."""
    if verdict == "keep":
        return ("keep",) if because == "keep" else TAKING if because in STANDING else ()
    return (verdict,)


BATCH = 500
"""Licenses that are decided together: enough for the calls not to count, few enough to need no memory."""

LISTED_FIRST: tuple[Because, ...] = ("release", "downgrade", "hold", "notice", "guard", "default", "keep")
"""The order in which readers want to see decisions, by what decided."""


class Ruling(Struct, frozen=True, eq=False):
    """The conclusion of guards and rules on one license; licenses with the same truths share it.

    `guard` is the guard that decided (`because` is guard), `rule` the rule that did, or for one of STANDING the rule by
    which the license is due; both are None when nothing matched. `matched` has all rules
    that matched, in file order, `unknown` those of which that is not known, where it is the rules that decide.
    """

    verdict: Verdict
    because: Because
    guard: Guard | None
    rule: Rule | None
    matched: tuple[Rule, ...]
    unknown: tuple[Rule, ...] = ()

    @property
    def takes(self) -> bool:
        """Whether the license is taken from its user: released, or downgraded."""
        return self.verdict != "keep"


class Evaluation(Protocol):
    """The facts that the rules read, and the outcome of every rule that speaks of the license type, in file order."""

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
    values: ReadValues

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
    unreadable. `standing` is what the registers beside the site say of the license, whatever decided; `take_back`
    whether Qlik gives it back by itself, where it is due and the site has license rules.
    """

    license_id: str
    license_type: LicenseType
    user_directory: str | None
    user_id: str | None
    user_name: str | None
    ruling: Ruling
    reason: str
    row_state: RowState
    unused_days: int | None
    last_used: str | None
    evaluation: Evaluation
    standing: Standing = NO_STANDING
    take_back: TakeBack | None = None

    @property
    def verdict(self) -> Verdict:
        """Keep, downgrade or release."""
        return self.ruling.verdict

    @property
    def takes(self) -> bool:
        """Whether the license is taken from its user: released, or downgraded."""
        return self.ruling.takes

    @property
    def because(self) -> Because:
        """The kind of reason that decided."""
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
        """The outcome of every rule that speaks of this license type, in file order."""
        return self.evaluation.outcomes

    def worked_out(self) -> "Decision":
        """The decision with every rule explained once, for readers that look at the outcomes several times."""
        if isinstance(self.evaluation, Evaluated):
            return self
        return structs.replace(self, evaluation=Evaluated(self.facts, self.outcomes))

    @property
    def key(self) -> tuple[LicenseType, str]:
        """Type and id of the license."""
        return self.license_type, self.license_id

    def hold_on(self, day: date) -> HoldInForce | None:
        """The hold on the license, if one is in force on that day; it may not be what decided."""
        hold = self.standing.hold
        return hold if hold is not None and hold.holds_on(day.isoformat()) else None

    @property
    def rule_name(self) -> str | None:
        """The guard's name, or the deciding rule's (None when the rule has none, or nothing matched)."""
        return self.guard or (self.rule.name if self.rule else None)

    @property
    def decided_by(self) -> str | None:
        """The guard that decided, or else the deciding rule's label; None when nothing matched."""
        return self.guard or (self.rule.label if self.rule else None)

    @property
    def user(self) -> str:
        """The user as `DIRECTORY\\id`, as far as it is known."""
        return user_of(self.user_directory, self.user_id)

    @property
    def label(self) -> str:
        """The user as people read it: with the name, where it is known."""
        return f"{self.user} ({self.user_name})" if self.user_name else self.user


def user_of(directory: str | None, user_id: str | None) -> str:
    """A user as `DIRECTORY\\id`, as far as it is known; a pseudonym alone."""
    if user_id is None:
        return "(no user)"
    return user_id if directory is None and is_pseudonym(user_id) else f"{directory or '?'}\\{user_id}"


def that_take(decisions: Sequence[Decision]) -> list[Decision]:
    """Those by which a license is taken from its user, in their order."""
    taking = {ruling for ruling in {decision.ruling for decision in decisions} if ruling.takes}  # few: many share one
    return [decision for decision in decisions if decision.ruling in taking]


_PSEUDONYM = re.compile(r"p-[0-9a-f]{20}", re.ASCII)


def is_pseudonym(text: str | None) -> bool:
    """Whether an id is a pseudonym."""
    return text is not None and _PSEUDONYM.fullmatch(text) is not None


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


def reason_label(decision: Decision) -> str:
    """The guard or rule that decided, as the summary counts it: `keep "tag"`, `release analyzer`, `quarantined`; or
    the register: `hold`."""
    return ruling_label(decision.ruling)


def ruling_label(ruling: Ruling) -> str:
    """The `reason_label` of a ruling."""
    if ruling.guard:
        return ruling.guard
    if ruling.because in STANDING and not ruling.takes:
        return ruling.because
    if ruling.rule is None and ruling.because != "default":
        return "withheld"  # in a plan with pseudonyms that does not say which rule it was
    return ruling.rule.title if ruling.rule else "no release rule matched"


def listing_order(decision: Decision) -> tuple[Any, ...]:
    """A sort key for readers: what is taken, longest unused first; then what the guards kept, then the rest."""
    return (
        not decision.takes,
        LISTED_FIRST.index(decision.because),
        -(decision.unused_days or 0),
        decision.user,
        decision.license_type,
    )
