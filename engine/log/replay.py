"""Deciding the licenses of a plan again, from what its log recorded and nothing else.

The fast evaluator does it, many licenses at once; on request the reference evaluator, one by one, which is the proof:
it is what a policy means.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

from msgspec import UNSET

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import Conclusions, conclude
from seatwarden.engine.decide.decision import BATCH, Ruling, is_pseudonym, user_of
from seatwarden.engine.decide.standing import ruled
from seatwarden.engine.decide.withheld import says_nothing
from seatwarden.engine.facts.guards import guard_for
from seatwarden.engine.facts.recorded import IrregularRecord
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.reader import OpenedLog, open_log
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.operators import Truth


class Replayed(NamedTuple):
    """What came of deciding a plan again: how many decisions it has, what does not agree, line by line, and the lines
    that cannot be decided again because their facts are withheld."""

    decisions: int
    differences: list[str]
    withheld: list[int]


class _Again(NamedTuple):
    """A license decided again; `truths` are those of all rules."""

    ruling: Ruling
    reason: str
    truths: Sequence[Truth]


def replay(place: Path, *, reference: bool = False) -> Replayed:
    """Decides every license of a plan again, from the recorded facts and policy alone: by the fast evaluator, or by the
    reference. Raises as `read_log`.
    """
    return replay_opened(open_log(place), reference=reference)


def replay_opened(opened: OpenedLog, *, reference: bool = False) -> Replayed:
    """The same of a log that is open; what is erased from it cannot be decided again."""
    decisions = opened.log.decisions
    withheld = [line.n for line in decisions if says_nothing(line.about.facts)]
    without = set(withheld)
    again = (line for line in decisions if line.n not in without)
    with collector_off():
        made = _decided_again(opened, again, reference)
        differences = [found for line, decided in made if (found := _difference(line, decided))]
    return Replayed(len(decisions), differences, withheld)


_Decided: TypeAlias = Iterator[tuple[RecordedDecision, _Again]]


def _decided_again(opened: OpenedLog, lines: Iterable[RecordedDecision], reference: bool) -> _Decided:
    for (license_type, hidden), alike in groupby(lines, _sort):
        # Behind pseudonyms facts are coarse, and names are hidden: that only the reference can evaluate.
        if hidden or reference:
            yield from _one_by_one(opened, alike)
        else:
            yield from _batches(opened, license_type, alike)


def _sort(line: RecordedDecision) -> tuple[LicenseType, bool]:
    return line.license_type, line.about.truths is not UNSET or is_pseudonym(line.about.license_id)


def _batches(opened: OpenedLog, license_type: LicenseType, lines: Iterable[RecordedDecision]) -> _Decided:
    """Lines of one license type with what the fast evaluator makes of them."""
    rules, waiting = CompiledRules(opened.policy, license_type, opened.day), iter(lines)
    conclusions = Conclusions(license_type, rules)
    while batch := list(islice(waiting, BATCH)):
        try:
            read = opened.read(rules, batch)
        except IrregularRecord:
            yield from _one_by_one(opened, batch)
            continue
        for line, values, truths in zip(batch, read.rows(), rules.truths(read), strict=True):
            concluded = conclusions.of(truths, guard_for(line.about.row), values)
            yield line, _Again(*ruled(*concluded, line.standing, opened.day), truths)


def _one_by_one(opened: OpenedLog, lines: Iterable[RecordedDecision]) -> _Decided:
    """Lines with what the reference evaluator makes of them."""
    for line in lines:
        outcomes = opened.outcomes(line)
        concluded = conclude(line.license_type, outcomes, guard_for(line.about.row))
        yield line, _Again(*ruled(*concluded, line.standing, opened.day), [outcome.truth for outcome in outcomes])


def _difference(line: RecordedDecision, again: _Again) -> str | None:
    """The difference from the record when the license of that line is decided again; None where there is none."""
    about, ruling = line.about, again.ruling
    now = (ruling.verdict, ruling.because, ruling.guard or (ruling.rule.name if ruling.rule else None), again.reason)
    recorded = (line.verdict, line.because, about.rule, about.reason)
    if about.truths is UNSET and now == recorded:
        return None
    is_coarse = is_pseudonym(about.license_id)
    # In plans of format 1 the words of a reason hang on the parts of a condition, which pseudonyms hide.
    compared = 4 if about.truths is UNSET or is_coarse else 3
    same = not is_coarse or about.truths is UNSET or about.truths == again.truths
    if same and now[:compared] == recorded[:compared]:
        return None
    user, was = user_of(about.user_directory, about.user_id), f"{line.verdict} ({about.reason})"
    return f"line {line.n}: {user} was {was}, decided again {ruling.verdict} ({again.reason})"
