"""The state of each license in a run: as the limits choose while the plan is not applied, then as the journal says."""

from collections.abc import Mapping
from typing import cast

from seatwarden.engine.decide.states import LicenseState
from seatwarden.engine.errors import OverTheLimit
from seatwarden.engine.log.journal import JournalState
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.plan.limits import choose


def states_in(plan: RecordedPlan, journal: JournalState | None) -> tuple[LicenseState, ...]:
    """The state of the license of each decision, in the plan's order.

    Of a plan that is over its limit no license is in the run.
    """
    results: Mapping[int, LicenseState] = {}
    if journal is None:
        try:
            in_run = choose(plan.decisions, plan.limits, plan.numbers)
            chosen = frozenset(plan.line_of[decision.key] for decision in in_run)
        except OverTheLimit:
            chosen = frozenset()
    else:
        chosen = frozenset(journal.chosen)
        results = {line: cast("LicenseState", outcome.result) for line, outcome in journal.outcomes.items()}
        results = {**results, **dict.fromkeys(journal.open_intents, "unknown")}
    return tuple(_state(d.takes, n, chosen, results) for n, d in zip(plan.lines, plan.decisions, strict=True))


def _state(release: bool, n: int, chosen: frozenset[int], results: Mapping[int, LicenseState]) -> LicenseState:
    if not release:
        return "kept"
    return results.get(n) or ("in this run" if n in chosen else "due")
