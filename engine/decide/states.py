"""The states of a license in a run: one wording for `explain`, `plan`, `report`, `diff`, the log and notifications.

A decision says whether a license is kept or due. A run chooses, among those that are due, the ones that it takes, and
then each of these has an end of its own.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, get_args

LicenseState: TypeAlias = Literal[
    "in this run", "due", "released", "downgraded", "left", "gone", "skipped", "failed", "unknown", "kept"
]
"""The states, those first that somebody has to look at."""

STATES: tuple[LicenseState, ...] = get_args(LicenseState)

MEANINGS: Mapping[LicenseState, str] = {
    "in this run": "due, and released when this run is applied",
    "due": "the policy says release; this run does not",
    "released": "taken back by Qlik Sense",
    "downgraded": "taken back by Qlik Sense, and an Analyzer license given in its place",
    "left": "still there beside the Analyzer license that was given: somebody has to look at it",
    "gone": "no longer there when this run came to release it",
    "skipped": "not released, because a fact had changed since the plan",
    "failed": "Qlik Sense did not release it",
    "unknown": "Qlik Sense has not told whether it is released",
    "kept": "stays with its user",
}
"""What each state means, as a help beside the word."""

DECIDED: Mapping[str, LicenseState] = {"release": "due", "downgrade": "due", "keep": "kept"}
"""The state of a license by its verdict, while it is in no run."""


def heading(state: str, sentence: str) -> str:
    """A sentence on one license with its state in front: `DUE — release analyzer: last used 2026-03-03`."""
    return f"{state.upper()} — {sentence}"


def counts_by_type(counts: Mapping[str, Any]) -> str:
    """The states of the licenses of one type, as a summary counts them: `8 allocated, 3 due, 2 in this run, 5 kept`."""
    due, now = f"{counts['release']:,} due", f"{counts['thisRun']:,} in this run"
    downgraded, not_now = counts.get("downgrade", 0), counts.get("notNow", 0)
    due += f" ({downgraded:,} of them to become Analyzer)" if downgraded else ""
    held, waiting = counts.get("held", 0), counts.get("waiting", 0)
    but = [f"{held:,} due but held"] if held else []
    but += [f"{not_now:,} due but not now"] if not_now else []
    but += [f"{waiting:,} due and waiting for notice"] if waiting else []
    which = f" ({', '.join(but)})" if but else ""
    return f"{counts['allocated']:,} allocated, {due}, {now}, {counts['keep']:,} kept{which}"
