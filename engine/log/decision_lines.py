"""A decision as the log has it, written and read."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, Literal, TypeVar

from msgspec import UNSET, Struct, UnsetType

from seatwarden.engine.decide.decision import Because, Decision, Ruling, Verdict, facts_of
from seatwarden.engine.decide.reference import Truth
from seatwarden.engine.facts.facts import OF_SITE, Fact, RecordedFact
from seatwarden.engine.facts.guards import RowState
from seatwarden.engine.log.chain import ChainLine, shuffled
from seatwarden.engine.plan.records import Days, RulingWords, ruling_words
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType

FactT = TypeVar("FactT", bound=Fact | RecordedFact)


class DecisionPart(Struct, Generic[FactT], kw_only=True, rename="camel", gc=False):
    """What a decision says about a person; `truths` are those of all rules, where they cannot be found again."""

    salt: bytes
    license_id: str
    user_directory: str | None
    user_id: str | None
    user_name: str | None
    rule: str | None
    rules: list[str]
    reason: str
    unused_days: Days | None
    last_used: str | None
    at: str | None
    row: RowState
    facts: Mapping[str, FactT]
    truths: list[Truth] | UnsetType = UNSET


class DecisionLine(ChainLine, Generic[FactT], kw_only=True, rename="camel", gc=False):
    """A decision as the log has it; an erased one has `of` in place of `person`."""

    kind: Literal["decision"] = "decision"
    license_type: LicenseType
    verdict: Verdict
    because: Because
    prev: str = ""
    person: DecisionPart[FactT] | UnsetType = UNSET
    of: str | UnsetType = UNSET


class RecordedDecision(DecisionLine[RecordedFact], kw_only=True, rename="camel", gc=False):
    """A decision as it is read from a log."""

    @property
    def about(self) -> DecisionPart[RecordedFact]:
        """What it says about a person; the line must not be erased."""
        assert self.person is not UNSET  # noqa: S101 - erased lines are kept apart, see PlanLog
        return self.person

    @property
    def key(self) -> tuple[LicenseType, str]:
        """Type and id of the license."""
        return self.license_type, self.about.license_id


def in_drawn_order(decisions: Sequence[Decision], seed: bytes) -> list[Decision]:
    """The decisions by type, and within a type in an order drawn from the seed.

    The order of a snapshot, or of disuse, would tell who is who where names are erased or hidden.
    """
    found = []
    for license_type in LICENSE_TYPES:
        alike = [decision for decision in decisions if decision.license_type == license_type]
        found += [alike[i] for i in shuffled(len(alike), seed, license_type)]
    return found


def decision_lines(
    decisions: Sequence[Decision], drawn: Iterator[bytes], *, with_truths: bool = False
) -> Iterator[DecisionLine[Fact]]:
    """The decisions as the log has them, each with the next of the salts."""
    words: dict[Ruling, RulingWords] = {}
    for decision, facts, salt in zip(decisions, facts_of(decisions), drawn, strict=False):
        if not OF_SITE.keys().isdisjoint(facts):  # the header has them, once
            facts = {name: fact for name, fact in facts.items() if name not in OF_SITE}
        ruling = decision.ruling
        if ruling not in words:
            words[ruling] = ruling_words(ruling)
        truths = [outcome.truth for outcome in decision.outcomes] if with_truths else UNSET
        yield _line(decision, facts, words[ruling], salt, truths)


def _line(
    decision: Decision, facts: Mapping[str, Fact], words: RulingWords, salt: bytes, truths: list[Truth] | UnsetType
) -> DecisionLine[Fact]:
    verdict, because, rule, rules, at = words
    part = DecisionPart(
        salt=salt,
        license_id=decision.license_id,
        user_directory=decision.user_directory,
        user_id=decision.user_id,
        user_name=decision.user_name,
        rule=rule,
        rules=rules,
        reason=decision.reason,
        unused_days=decision.unused_days,
        last_used=decision.last_used,
        at=at,
        row=decision.row_state,
        facts=facts,
        truths=truths,
    )
    return DecisionLine(license_type=decision.license_type, verdict=verdict, because=because, person=part)
