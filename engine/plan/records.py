"""A decision as the log has it, written and read, and as `plan --format json` prints it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Generic, NamedTuple, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from seatwarden.engine.decide.decision import Because, Decision, Ruling, Verdict, facts_of
from seatwarden.engine.decide.reference import Truth
from seatwarden.engine.facts.facts import MAX_NUMBER, OF_SITE, Fact, RecordedFact
from seatwarden.engine.facts.guards import RowState
from seatwarden.grammar.ast import LicenseType


class DecisionJson(Struct, rename="camel", gc=False):
    """A decision as `plan --format json` prints it."""

    license_id: str
    license_type: LicenseType
    user_directory: str | None
    user_id: str | None
    user_name: str | None
    verdict: Verdict
    because: Because
    rule: str | None
    rules: list[str]
    reason: str
    unused_days: Annotated[int, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)] | None
    last_used: str | None
    at: str | None


_FactT = TypeVar("_FactT", bound=Fact | RecordedFact)


class DecisionLine(DecisionJson, Generic[_FactT], tag_field="kind", tag="decision", gc=False):
    """A decision as the log has it; `truths` are those of all rules, where they cannot be found again."""

    row: RowState
    facts: Mapping[str, _FactT]
    truths: list[Truth] | UnsetType = UNSET

    @property
    def key(self) -> tuple[LicenseType, str]:
        """Type and id of the license."""
        return self.license_type, self.license_id


RecordedDecision: TypeAlias = DecisionLine[RecordedFact]
"""A decision as it is read from a log."""


PRINTED = tuple(field.encode_name for field in msgspec.structs.fields(DecisionJson))
"""The names that `plan --format json` prints."""


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """A decision as `plan --format json` prints it."""
    line = msgspec.to_builtins(_line(decision, {}, _ruling_words(decision.ruling)))
    return {name: line[name] for name in PRINTED}


def decision_lines(decisions: Sequence[Decision], *, with_truths: bool = False) -> Iterator[DecisionLine[Fact]]:
    """The decisions as the log has them."""
    words: dict[Ruling, _RulingWords] = {}
    for decision, facts in zip(decisions, facts_of(decisions), strict=True):
        if not OF_SITE.keys().isdisjoint(facts):  # the header has them, once
            facts = {name: fact for name, fact in facts.items() if name not in OF_SITE}
        ruling = decision.ruling
        if ruling not in words:
            words[ruling] = _ruling_words(ruling)
        truths = [outcome.truth for outcome in decision.outcomes] if with_truths else UNSET
        yield _line(decision, facts, words[ruling], truths)


class _RulingWords(NamedTuple):
    """A ruling as the log has it: the names of the deciding rule or guard and of all that matched, the place."""

    verdict: Verdict
    because: Because
    rule: str | None
    rules: list[str]
    at: str | None


def _ruling_words(ruling: Ruling) -> _RulingWords:
    rule = ruling.rule
    name = ruling.guard or (rule.name if rule else None)
    matched = [rule.label for rule in ruling.matched]
    return _RulingWords(ruling.verdict, ruling.because, name, matched, rule.place if rule else None)


def _line(
    decision: Decision, facts: Mapping[str, Fact], words: _RulingWords, truths: list[Truth] | UnsetType = UNSET
) -> DecisionLine[Fact]:
    verdict, because, rule, rules, at = words
    return DecisionLine(
        decision.license_id,
        decision.license_type,
        decision.user_directory,
        decision.user_id,
        decision.user_name,
        verdict,
        because,
        rule,
        rules,
        decision.reason,
        decision.unused_days,
        decision.last_used,
        at,
        decision.row_state,
        facts,
        truths,
    )
