"""An answer about a plan, as `approve` and `review` show it."""

from pathlib import Path
from typing import Any

from msgspec import to_builtins

from seatwarden.engine.apply.approving import AnswerGiven, Approvable
from seatwarden.engine.cli.terminal.output import print_result, say
from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.common.text import join_words, printable
from seatwarden.engine.common.timestamps import format_instant


def say_answer(it: Approvable, given: AnswerGiven, key: PublicKey, path: Path, format_: str = "text") -> None:
    """Prints who has answered what, and how many approvals the plan has by that."""
    no = {one.key.key: one.key.name for one in it.answers if one.approval.answer == "reject"}
    if given.answer == "reject":
        no[key.key] = key.name
    yes = {one.key.key for one in it.answers if one.approval.answer == "approve"} | {key.key}
    approvals = len(yes - no.keys())
    if format_ == "json":
        run = {"runId": it.plan.header.run_id, "root": it.plan.log.root, "needs": it.terms.approvals}
        told: dict[str, Any] = {"answer": given.answer, "excluded": sorted(set(given.excluded))}
        told |= {"limits": list(given.limits), "comment": given.comment}
        told["expires"] = format_instant(given.expires) if given.expires else None
        told["rejectedBy"] = list(no.values())
        found = {"findings": [to_builtins(finding) for finding in it.plan.findings]}
        print_result({**run, "has": approvals, "note": str(path), "key": str(key), **told, **found})
        return
    said = "Approved" if given.answer == "approve" else "Rejected"
    say(printable(f"{said} by {key.name}: {path}"))
    if given.answer == "approve" and no:
        say(printable(f"The plan is not applied all the same: rejected by {join_words(list(no.values()))}"))
    elif given.answer == "approve":
        say(f"The plan has {approvals} of {it.terms.approvals} approvals")
