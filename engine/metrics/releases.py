"""Released licenses as `qlik_sense_license_release` points: one a license, with Butler's tags and field."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.metrics.point import Point, merge_tags
from seatwarden.policy.butler.jobs import Tags

MEASUREMENT = "qlik_sense_license_release"

UNKNOWN_USE = -1.0
"""The `days_since_last_use` when QRS told neither a last use nor an allocation that can be read."""


def release_points(decisions: Iterable[Decision], outcomes: Iterable[Outcome], tags: Tags, at: datetime) -> list[Point]:
    """A point for every outcome that is `released`; `at` is the moment of the run, and is the points' time.

    `tags` are the static ones: the global, then the feature's. The tag `user` is `DIRECTORY\\id` as the plan has it,
    so with pseudonyms it is the pseudonym. A user who loses two licenses of one type in one run has two points of
    the same tags: the second is a millisecond later, or the database would keep only one.
    """
    decided = {decision.key: decision for decision in decisions}
    seen: Counter[tuple[str, str]] = Counter()
    points = []
    for outcome in outcomes:
        if outcome.result not in TAKEN:
            continue
        decision = decided[outcome.key]
        series = (decision.license_type, decision.user)
        ours = (("license_type", decision.license_type), ("user", decision.user))
        fields = {"days_since_last_use": days_since_last_use(decision, at)}
        points.append(Point(MEASUREMENT, merge_tags(tags, ours), fields, at + timedelta(milliseconds=seen[series])))
        seen[series] += 1
    return points


def days_since_last_use(decision: Decision, now: datetime) -> float:
    """Whole spans of 24 hours since the last use, as Butler counts them.

    For a license that was never used these are the calendar days since it was allocated, which is what the policy
    counts; Butler writes the days since 1753 there, some 99,000.
    """
    last_used = parse_timestamp(decision.last_used) if decision.last_used else None
    if last_used is not None:
        return float((now - last_used) // timedelta(days=1))
    return UNKNOWN_USE if decision.unused_days is None else float(decision.unused_days)
