"""The rows of `log list`: runs, and the restores that gave back what they had released."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import UNSET

from seatwarden.engine.log.approval import GivenApproval, answers_beside, approval_lines
from seatwarden.engine.log.history import PastRun, UnreadableRun
from seatwarden.engine.log.restored import GivenBack, PastRestore
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.plan.modes import LIVE


def run_row(run: PastRun | UnreadableRun) -> dict[str, Any]:
    """The row of a run, or of one that cannot be read."""
    if isinstance(run, UnreadableRun):
        return {"run": "?", "folder": str(run.folder), "state": "damaged", "problem": run.problem}
    results = Counter(line.result for line in run.journal.outcomes.values()) if run.journal else Counter()
    summary, header, erased = run.log.summary, run.header, len(run.log.erased)
    restored = sum(one.result == "restored" for one in run.given_back.values())
    planned = "planned" if header.mode == LIVE else header.mode
    state: str = planned if run.journal is None else "applied" if run.journal.sealed else "not ended"
    answers = answers_beside(run.log)
    if run.journal is None and header.mode == LIVE and header.terms is not UNSET and header.terms.approvals:
        state = _approval_state(answers, header.terms.approvals)
    return {
        "run": header.run_id,
        "folder": str(run.folder),
        "now": header.now,
        "made": header.clocks.ours or None,
        "mode": header.mode,
        "site": header.site,
        "licenses": summary.licenses,
        "release": summary.release,
        "released": sum(results[one] for one in (*TAKEN, "gone")),
        "givenBack": restored,
        "state": ", ".join(
            [state, *([f"{restored:,} given back"] if restored else []), *([f"{erased:,} erased"] if erased else [])]
        ),
        "erased": erased,
    }


def _approval_state(answers: Sequence[GivenApproval], needed: int) -> str:
    if any(one.approval.answer == "reject" for one in answers):
        return "rejected"
    return f"planned, {len(answers)} of {needed} approvals"


def answer_to_json(one: GivenApproval) -> dict[str, Any]:
    """Who has approved a plan, or rejected it, for programs."""
    about = one.approval
    return {
        "answer": about.answer,
        "key": str(one.key),
        "at": about.at,
        "expires": about.expires,
        "comment": one.comment,
        "excluded": list(about.excluded),
        "limits": list(about.limits),
    }


def answer_lines(runs: Iterable[PastRun]) -> Iterator[str]:
    """Who has approved runs, a line each."""
    for run in runs:
        for line in approval_lines(run.log, answers_beside(run.log), applied=run.journal is not None):
            yield f"{run.header.run_id}: {line}"


def restore_row(past: PastRestore) -> dict[str, Any]:
    """The row of a restore: it has no decisions, and releases nothing."""
    header, erased = past.log.header, len(past.log.erased)
    results = Counter(line.result for line in past.journal.outcomes.values()) if past.journal else Counter()
    state = "restore, not ended" if past.is_open else "restore"
    return {
        "run": header.run_id,
        "folder": str(past.log.folder),
        "now": header.clocks.ours,
        "made": header.clocks.ours,
        "mode": "restore",
        "site": header.site,
        "licenses": len(past.log.lines) + erased,
        "release": 0,
        "released": 0,
        "givenBack": results["restored"],
        "state": f"{state}, {results['restored']:,} given back" + (f", {erased:,} erased" if erased else ""),
        "erased": erased,
        "ofRun": header.of_run,
    }


def given_back_to_json(found: GivenBack) -> dict[str, Any]:
    """That a release was undone, for programs."""
    return {"result": found.result, "released": found.released, "at": found.at, "run": found.run_id}
