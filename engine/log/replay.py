"""Deciding the licenses of a plan again, from what its log recorded and nothing else."""

from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import user_of
from seatwarden.engine.facts.guards import guard_for
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.reader import OpenedLog, open_log


def replay(place: Path) -> tuple[int, list[str]]:
    """Decides every license of a plan again, from the recorded facts and policy alone, by the reference evaluator.

    How many there are, and what does not agree, line by line; nothing when every decision stands. Raises as `read_log`.
    """
    return replay_log(open_log(place))


def replay_log(opened: OpenedLog) -> tuple[int, list[str]]:
    """The same of a log that is opened. Raises DamagedLog."""
    decisions = opened.log.decisions
    with collector_off():
        differences = [found for line in decisions if (found := _difference(opened, line))]
    return len(decisions), differences


def _difference(opened: OpenedLog, line: RecordedDecision) -> str | None:
    """The difference from the record when the license of that line is decided again; None where there is none."""
    about = line.about
    ruling, reason = conclude(line.license_type, opened.outcomes(line), guard_for(about.row))
    verdict, rule = ruling.verdict, ruling.rule
    now = (verdict, ruling.because, ruling.guard or (rule.name if rule else None), reason)
    recorded = (line.verdict, line.because, about.rule, about.reason)
    # The words of a reason hang on the parts of a condition, which pseudonyms hide.
    compared = 4 if about.truths is UNSET else 3
    if now[:compared] == recorded[:compared]:
        return None
    user, was = user_of(about.user_directory, about.user_id), f"{line.verdict} ({about.reason})"
    return f"line {line.n}: {user} was {was}, decided again {verdict} ({reason})"
