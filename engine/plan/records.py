"""A decision as `plan --format json` prints it."""

from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from seatwarden.engine.decide.decision import Because, Decision, Ruling, Verdict
from seatwarden.engine.facts.facts import MAX_NUMBER
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.grammar.ast import LicenseType

Days: TypeAlias = Annotated[int, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]


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
    unused_days: Days | None
    last_used: str | None
    at: str | None
    take_back: TakeBack | UnsetType = UNSET


PRINTED = tuple(field.encode_name for field in msgspec.structs.fields(DecisionJson) if field.required)
"""The names that `plan --format json` prints of every decision."""


def decision_to_json(decision: Decision) -> dict[str, Any]:
    """A decision as `plan --format json` prints it."""
    verdict, because, rule, rules, at = ruling_words(decision.ruling)
    printed = DecisionJson(
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
        decision.take_back or UNSET,
    )
    found: dict[str, Any] = msgspec.to_builtins(printed)
    return found


class RulingWords(NamedTuple):
    """A ruling as the log has it: the names of the deciding rule or guard and of all that matched, the place."""

    verdict: Verdict
    because: Because
    rule: str | None
    rules: list[str]
    at: str | None


def ruling_words(ruling: Ruling) -> RulingWords:
    """A ruling as the log and JSON have it."""
    rule = ruling.rule
    name = ruling.guard or (rule.name if rule else None)
    matched = [rule.label for rule in ruling.matched]
    return RulingWords(ruling.verdict, ruling.because, name, matched, rule.place if rule else None)
