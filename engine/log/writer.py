"""Writing a plan as its sealed log, in a run folder."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from seatwarden.engine.common.files import make_private_folder, read_file, write_atomically
from seatwarden.engine.log.chain import chain_lines
from seatwarden.engine.log.lines import PlanHeader, PlanSeal
from seatwarden.engine.log.run_folder import PLAN_FILE, POLICY_FILE, SUMMARY_FILE
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.plan.records import decision_lines
from seatwarden.grammar.printer import print_statement
from seatwarden.policy.errors import InputError


def plan_lines(plan: Plan) -> Iterator[bytes]:
    """The sealed decision log, line by line."""
    return chain_lines(_records(plan), msgspec.convert({"kind": "seal", "summary": plan.summary()}, PlanSeal))


def _records(plan: Plan) -> Iterator[msgspec.Struct]:
    rules = [{"label": rule.label, "text": print_statement(rule), "at": rule.place} for rule in plan.policy.rules]
    findings = [msgspec.to_builtins(finding) for finding in plan.findings]
    found = {"findings": findings, "compared": plan.compared, "accepted": plan.accepted}
    header = {"kind": "plan", **plan.run(), **found, "policyText": plan.policy.text, "rules": rules}
    # What cannot be read back is not written: both lines are held against their types here.
    yield msgspec.convert(header, PlanHeader)
    # Without the names a rule on names cannot be evaluated again: what became of it is recorded instead.
    yield from decision_lines(plan.decisions, with_truths=plan.pseudonyms is not None)


def write_plan(plan: Plan, folder: Path, summary: str) -> Path:
    """Writes the run folder: the policy's canonical text, the summary, and last the sealed log, whole or not at all.

    Writing the same plan again changes nothing. Raises InputError when the folder holds another plan.
    """
    path = folder / PLAN_FILE
    try:
        if path.exists():
            if read_file(path) == b"".join(plan_lines(plan)):
                return path
            raise InputError(
                f"`{folder}` holds another plan already", "choose another folder; plans are never overwritten"
            )
        if folder.is_file():
            raise InputError(f"`{folder}` is a file, not a folder", "a plan is a folder of its own")
        for name, data in ((POLICY_FILE, plan.policy.text), (SUMMARY_FILE, summary)):
            if (folder / name).exists() and read_file(folder / name) != data.encode():
                message = f"`{folder}` holds another `{name}`, which is not overwritten"
                raise InputError(message, "choose another folder: a plan is a folder of its own")
        make_private_folder(folder)
        write_atomically(folder / POLICY_FILE, plan.policy.text.encode())
        write_atomically(folder / SUMMARY_FILE, summary.encode())
        write_atomically(path, plan_lines(plan))
    except OSError as error:
        raise InputError(f"the plan cannot be written to `{folder}`: {error.strerror}") from None
    return path
