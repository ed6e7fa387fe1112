"""Deciding the licenses of a plan again, from what its log recorded and nothing else."""

from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import user_of
from seatwarden.engine.facts.guards import guard_for
from seatwarden.engine.log.reader import OpenedLog, open_log
from seatwarden.engine.plan.records import RecordedDecision


def replay(place: Path) -> tuple[int, list[str]]:
    """Decides every license of a plan again, from the recorded facts and policy alone, by the reference evaluator.

    How many there are, and what does not agree, line by line; nothing when every decision stands. Raises as `read_log`.
    """
    opened = open_log(place)
    decisions = opened.log.decisions
    with collector_off():
        differences = [found for n, line in enumerate(decisions, 2) if (found := _difference(opened, n, line))]
    return len(decisions), differences


def _difference(opened: OpenedLog, n: int, line: RecordedDecision) -> str | None:
    """The difference from the record when the license of that line is decided again; None where there is none."""
    ruling, reason = conclude(line.license_type, opened.outcomes(n, line), guard_for(line.row))
    verdict, rule = ruling.verdict, ruling.rule
    now = (verdict, ruling.because, ruling.guard or (rule.name if rule else None), reason)
    recorded = (line.verdict, line.because, line.rule, line.reason)
    # The words of a reason hang on the parts of a condition, which pseudonyms hide.
    compared = 4 if line.truths is UNSET else 3
    if now[:compared] == recorded[:compared]:
        return None
    user, was = user_of(line.user_directory, line.user_id), f"{line.verdict} ({line.reason})"
    return f"line {n}: {user} was {was}, decided again {verdict} ({reason})"
