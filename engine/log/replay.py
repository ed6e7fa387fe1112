"""Deciding the licenses of a plan again, from what its log recorded and nothing else."""

from pathlib import Path
from typing import NamedTuple

from msgspec import UNSET

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import is_pseudonym, user_of
from seatwarden.engine.decide.disguise import says_nothing
from seatwarden.engine.facts.guards import guard_for
from seatwarden.engine.log.reader import OpenedLog, open_log
from seatwarden.engine.plan.records import RecordedDecision


class Replayed(NamedTuple):
    """What came of deciding a plan again: how many decisions it has, what does not agree, line by line, and the lines
    that cannot be decided again because their facts are withheld."""

    decisions: int
    differences: list[str]
    withheld: list[int]


def replay(place: Path) -> Replayed:
    """Decides every license of a plan again, from the recorded facts and policy alone, by the reference evaluator.

    Raises as `read_log`.
    """
    opened = open_log(place)
    decisions = opened.log.decisions
    withheld = [n for n, line in enumerate(decisions, 2) if says_nothing(line.facts)]
    without = set(withheld)
    with collector_off():
        numbered = ((n, line) for n, line in enumerate(decisions, 2) if n not in without)
        differences = [found for n, line in numbered if (found := _difference(opened, n, line))]
    return Replayed(len(decisions), differences, withheld)


def _difference(opened: OpenedLog, n: int, line: RecordedDecision) -> str | None:
    """The difference from the record when the license of that line is decided again; None where there is none."""
    outcomes = opened.outcomes(n, line)
    ruling, reason = conclude(line.license_type, outcomes, guard_for(line.row))
    verdict, rule = ruling.verdict, ruling.rule
    now = (verdict, ruling.because, ruling.guard or (rule.name if rule else None), reason)
    recorded = (line.verdict, line.because, line.rule, line.reason)
    is_coarse = is_pseudonym(line.license_id)
    # In plans of format 1 the words of a reason hang on the parts of a condition, which pseudonyms hide.
    compared = 4 if line.truths is UNSET or is_coarse else 3
    same = not is_coarse or line.truths is UNSET or line.truths == [outcome.truth for outcome in outcomes]
    if same and now[:compared] == recorded[:compared]:
        return None
    user, was = user_of(line.user_directory, line.user_id), f"{line.verdict} ({line.reason})"
    return f"line {n}: {user} was {was}, decided again {verdict} ({reason})"
