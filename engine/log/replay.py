"""Deciding the licenses of a plan again, from what its log recorded and nothing else."""

from pathlib import Path
from typing import NamedTuple

from msgspec import UNSET

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import is_pseudonym, user_of
from seatwarden.engine.decide.disguise import says_nothing
from seatwarden.engine.facts.guards import guard_for
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.reader import OpenedLog, open_log


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
    return replay_opened(open_log(place))


def replay_opened(opened: OpenedLog) -> Replayed:
    """The same of a log that is open; what is erased from it cannot be decided again."""
    decisions = opened.log.decisions
    withheld = [line.n for line in decisions if says_nothing(line.about.facts)]
    without = set(withheld)
    with collector_off():
        again = (line for line in decisions if line.n not in without)
        differences = [found for line in again if (found := _difference(opened, line))]
    return Replayed(len(decisions), differences, withheld)


def _difference(opened: OpenedLog, line: RecordedDecision) -> str | None:
    """The difference from the record when the license of that line is decided again; None where there is none."""
    about, outcomes = line.about, opened.outcomes(line)
    ruling, reason = conclude(line.license_type, outcomes, guard_for(about.row))
    verdict, rule = ruling.verdict, ruling.rule
    now = (verdict, ruling.because, ruling.guard or (rule.name if rule else None), reason)
    recorded = (line.verdict, line.because, about.rule, about.reason)
    is_coarse = is_pseudonym(about.license_id)
    # In plans of format 1 the words of a reason hang on the parts of a condition, which pseudonyms hide.
    compared = 4 if about.truths is UNSET or is_coarse else 3
    same = not is_coarse or about.truths is UNSET or about.truths == [outcome.truth for outcome in outcomes]
    if same and now[:compared] == recorded[:compared]:
        return None
    user, was = user_of(about.user_directory, about.user_id), f"{line.verdict} ({about.reason})"
    return f"line {line.n}: {user} was {was}, decided again {verdict} ({reason})"
