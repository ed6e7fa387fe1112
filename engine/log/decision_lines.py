"""A decision as the log has it, written and read."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType

from seatwarden.engine.decide.decision import Because, Decision, Evaluation, Ruling, Verdict, facts_of
from seatwarden.engine.facts.facts import OF_SITE, Fact, RecordedFact
from seatwarden.engine.facts.guards import RowState
from seatwarden.engine.facts.standing import NO_STANDING, Standing
from seatwarden.engine.log.chain import ChainEnd, ChainLine, shuffled
from seatwarden.engine.plan.records import Days, RulingWords, ruling_words
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.operators import Truth

FactT = TypeVar("FactT", bound=Fact | RecordedFact)


class DecisionPart(Struct, Generic[FactT], rename="camel", gc=False):
    """What a decision says about a person; `truths` are those of all rules, where they cannot be found again.

    `standing` is what the registers beside the site said of the license, where they said anything; `take_back` whether
    Qlik gives it back by itself, where it is due and the site has license rules.
    """

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
    standing: Standing | UnsetType = UNSET
    take_back: TakeBack | UnsetType = UNSET


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

    @property
    def standing(self) -> Standing:
        """What the registers said of the license when it was decided on; the line must not be erased."""
        return NO_STANDING if (found := self.about.standing) is UNSET else found


def decision_of(line: RecordedDecision, ruling: Ruling, reason: str, evaluation: Evaluation) -> Decision:
    """The decision on the license that a line is about; the line must not be erased."""
    about = line.about
    return Decision(  # in the order of its fields: by names it takes half as long again
        about.license_id,
        line.license_type,
        about.user_directory,
        about.user_id,
        about.user_name,
        ruling,
        reason,
        about.row,
        about.unused_days,
        about.last_used,
        evaluation,
        line.standing,
        None if about.take_back is UNSET else about.take_back,
    )


def linked_decisions(
    end: ChainEnd, decisions: Sequence[Decision], seed: bytes, drawn: Iterator[bytes], *, with_truths: bool = False
) -> Iterator[bytes]:
    """The decisions as lines behind the end of a chain, each with one of the salts: by type, and within a type in an
    order drawn from the seed.

    The order of a snapshot, or of disuse, would tell who is who where names are erased or hidden. The lines are what
    `end.link` makes of their `DecisionLine`s. Those of a block are encoded in the order in which the decisions lie in
    memory: to look all of them up in another takes a third longer than all of this, and to hold them all a sixth of
    the memory of a plan.
    """
    for license_type in LICENSE_TYPES:
        alike = [decision for decision in decisions if decision.license_type == license_type]
        salts, order = list(islice(drawn, len(alike))), shuffled(len(alike), seed, license_type)
        for start in range(0, len(order), BLOCK):
            block = order[start : start + BLOCK]
            as_they_lie = sorted(range(len(block)), key=block.__getitem__)
            held = [block[at] for at in as_they_lie]
            encoded = _parts([alike[i] for i in held], [salts[i] for i in held], with_truths)
            for _, part in sorted(zip(as_they_lie, encoded, strict=True), key=itemgetter(0)):
                yield end.link_parts(*part)


BLOCK = 10_000
"""Lines that are encoded before the first of them is written."""


def _parts(decisions: Sequence[Decision], salts: Sequence[bytes], with_truths: bool) -> Iterator[tuple[bytes, bytes]]:
    """The fields and the personal part of each line, encoded."""
    words: dict[Ruling, tuple[bytes, RulingWords]] = {}
    for decision, facts, salt in zip(decisions, facts_of(decisions), salts, strict=True):
        if not OF_SITE.keys().isdisjoint(facts):  # the header has them, once
            facts = {name: fact for name, fact in facts.items() if name not in OF_SITE}
        ruling = decision.ruling
        if ruling not in words:
            words[ruling] = _fields(decision.license_type, ruling), ruling_words(ruling)
        fields, said = words[ruling]
        truths = [outcome.truth for outcome in decision.outcomes] if with_truths else UNSET
        yield fields, _encode(_part(decision, facts, said, salt, truths))


_encode = msgspec.json.Encoder().encode


def _fields(license_type: LicenseType, ruling: Ruling) -> bytes:
    """The fields of such a line between `n` and `prev`."""
    line: DecisionLine[Fact] = DecisionLine(license_type=license_type, verdict=ruling.verdict, because=ruling.because)
    return _encode(line).removeprefix(b'{"n":0,').removesuffix(b',"prev":""}')


def _part(
    decision: Decision, facts: Mapping[str, Fact], words: RulingWords, salt: bytes, truths: list[Truth] | UnsetType
) -> DecisionPart[Fact]:
    return DecisionPart(
        salt,
        decision.license_id,
        decision.user_directory,
        decision.user_id,
        decision.user_name,
        words.rule,
        words.rules,
        decision.reason,
        decision.unused_days,
        decision.last_used,
        words.at,
        decision.row_state,
        facts,
        truths,
        decision.standing if decision.standing != NO_STANDING else UNSET,
        UNSET if decision.take_back is None else decision.take_back,
    )
