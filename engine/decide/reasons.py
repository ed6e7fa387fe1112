"""The reason of a verdict: one sentence, from the rules that decided it."""

from collections.abc import Iterator, Sequence

from seatwarden.engine.common.text import join_words
from seatwarden.engine.decide.decision import Ruling
from seatwarden.engine.decide.phrases import phrase
from seatwarden.engine.decide.reference import RuleOutcome, Trace
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LicenseType, Not, UnusedFor


def sentence(license_type: LicenseType, ruling: Ruling, telling_outcomes: Sequence[RuleOutcome]) -> str:
    """The reason of a ruling, from the outcomes of the rules that it tells of."""
    if ruling.because == "default":
        return _no_release(license_type, telling_outcomes)
    (outcome,) = telling_outcomes
    if ruling.because == "guard":
        return f"undetermined: {_unknown(outcome.trace)}, needed by {outcome.rule.title}"
    return f"{outcome.rule.title}: {_words(outcome.trace)}"


def deciding_part(trace: Trace) -> Trace:
    """The part of a condition that decided its truth: of an `or` the true part, of a failed `and` the false one."""
    if not trace.parts or isinstance(trace.condition, Not):
        return trace
    return deciding_part(next((part for part in trace.parts if part.truth == trace.truth), trace.parts[0]))


def _words(trace: Trace) -> str:
    """The telling facts of a condition: all parts of a true `and`, else the one part that tells most."""
    if trace.parts and not isinstance(trace.condition, Not) and all(part.truth == trace.truth for part in trace.parts):
        return join_words([phrase(deciding_part(part)) for part in trace.parts][:3])
    return phrase(deciding_part(trace))


def _unknown(trace: Trace) -> str:
    if trace.parts:
        return next((_unknown(part) for part in trace.parts if part.truth is None), "a fact is unknown")
    return next((fact.reason for _, fact in trace.facts if isinstance(fact, Unknown)), "a fact is unknown")


def _no_release(license_type: LicenseType, releases: Sequence[RuleOutcome]) -> str:
    if not releases:
        return f"no release rule speaks of {license_type} licenses"
    kinds = dict.fromkeys(outcome.rule.kind for outcome in releases)
    none = f"no {' or '.join(kinds)} rule matches"
    if len(releases) == 1:
        return f"{none}: {_words(releases[0].trace)}"
    waiting = _shortest_wait([outcome.trace for outcome in releases])
    return f"{none}{f': {waiting}' if waiting else ''}"


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
