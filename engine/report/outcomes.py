"""The outcome of each license in a run: planned while the plan is not applied, then what the journal says."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from seatwarden.engine.errors import OverTheLimit
from seatwarden.engine.log.journal import JournalState
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.plan.limits import choose

LicenseOutcome: TypeAlias = Literal[
    "to release", "waits", "over the limit", "released", "gone", "skipped", "failed", "unknown", "kept"
]
"""`waits`: due, but a limit leaves it to a later run. `over the limit`: the whole plan is, so nothing is released.
`gone`: QRS had no such license any more. `skipped`: a fact had changed since the plan. `unknown`: not found out."""

OUTCOMES: tuple[LicenseOutcome, ...] = get_args(LicenseOutcome)

FREED: tuple[LicenseOutcome, ...] = ("released", "gone")
TO_FREE: tuple[LicenseOutcome, ...] = ("to release",)
"""Outcomes after which a license is free, in a run that was applied and in a plan."""


def outcomes_by_license(plan: RecordedPlan, journal: JournalState | None) -> tuple[LicenseOutcome, ...]:
    """The outcome of each decision, in the plan's order."""
    if journal is None:
        try:
            chosen = frozenset(plan.line_of[decision.key] for decision in choose(plan.decisions, plan.limits))
        except OverTheLimit:
            return tuple("over the limit" if d.verdict == "release" else "kept" for d in plan.decisions)
        results: Mapping[int, LicenseOutcome] = {}
    else:
        chosen = frozenset(journal.chosen)
        results = {line: outcome.result for line, outcome in journal.outcomes.items()}
        results = {**results, **dict.fromkeys(journal.open_intents, "unknown")}
    return tuple(
        _outcome(d.verdict == "release", n, chosen, results) for n, d in zip(plan.lines, plan.decisions, strict=True)
    )


def _outcome(release: bool, n: int, chosen: frozenset[int], results: Mapping[int, LicenseOutcome]) -> LicenseOutcome:
    if not release:
        return "kept"
    return results.get(n) or ("to release" if n in chosen else "waits")
