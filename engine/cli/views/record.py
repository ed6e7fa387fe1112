"""What `log verify` says of a record: run by run, then the register."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.log.register import Planned, PlannedRestore
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.log.verified_restore import VerifiedRestore
from seatwarden.engine.log.verified_run import VerifiedFolder, VerifiedRun
from seatwarden.engine.log.verify import VerifiedRecord

if TYPE_CHECKING:  # of most runs that are asked about there is no register at hand
    from seatwarden.engine.notice.verify import VerifiedBeside


def record_lines(found: VerifiedRecord, beside: "Sequence[VerifiedBeside]") -> Iterator[str]:
    """What is in order, in words; the faults are said elsewhere."""
    for run in found.runs:
        yield from _run_lines(run, asked=found.register is not None)
    for restore in found.restores:
        yield from _restore_lines(restore, asked=found.register is not None)
    if found.register is not None and len(found.runs) + len(found.restores) != 1:  # of one run its entry is said
        runs = sum(1 for _ in found.register.of_kind(Planned, PlannedRestore))
        yield f"{found.register_path}: {'verified' if not found.others else 'read, with faults'}"
        yield f"  register  {found.register.id}, {plural(runs, 'run')}, line {len(found.register.lines)}"
        yield f"  head      {found.register.head}"
    for one in beside:
        yield from _beside_lines(one)


def _beside_lines(beside: "VerifiedBeside") -> Iterator[str]:
    state = beside.state
    if state is not None and state.head is not None:
        yield f"{beside.path}: {'verified' if not beside.faults else 'read, with faults'}"
        how = "as the register of runs has it" if beside.asked else "the register of runs was not asked"
        yield f"  {beside.kind.name:<9} {beside.id}, {beside.extent}, line {state.head.lines}, {how}"
        yield f"  head      {state.head.leaf}"
    if beside.erased:
        yield f"  gone      {plural(beside.erased, 'line')} erased, as the register of runs says"
    for path in beside.aside:
        yield f"{path}: set aside when its damage was accepted, not verified; delete it when nobody needs it any more"


def _run_lines(run: VerifiedRun, *, asked: bool) -> Iterator[str]:
    if run.plan is None:
        return
    plan, header = run.plan, run.plan.header
    yield f"{plan.path}: {'verified' if not run.faults else 'read, with faults'}"
    erased = f", {len(plan.erased):,} erased" if plan.erased else ""
    mode = "" if plan.former else f", {header.mode}"
    yield printable(f"  run   {header.run_id}{mode}, {plural(len(plan.decisions), 'decision')}{erased}")
    yield f"  seal  {plan.root}"
    if header.register is not None:
        how = "as the register has it" if asked and not run.faults else "the register was not asked"
        yield f"  entry run {header.register.run} of register {header.register.id}, {how}"
    if run.signed_by:
        yield printable(f"  by    signed by {join_words(run.signed_by)}")
    yield from (printable(f"  by    {answer}") for answer in run.answers)
    if run.erased:
        yield f"  gone  {plural(run.erased, 'line')} of plan and journal erased, as the register says"
    if plan.former:
        yield "  form  1, whose lines have no salt: what is erased from it can be guessed"
    if (state := journal_words(run)) is not None:
        yield f"{run.folder / JOURNAL_FILE}: {state}"


def _restore_lines(found: VerifiedRestore, *, asked: bool) -> Iterator[str]:
    if found.log is None:
        return
    log, header = found.log, found.log.header
    yield f"{log.path}: {'verified' if not found.faults else 'read, with faults'}"
    yield f"  run   {header.run_id}, restore of {header.of_run}, {plural(len(log.lines) + len(log.erased), 'license')}"
    yield f"  seal  {log.root}"
    how = "as the register has it" if asked and not found.faults else "the register was not asked"
    yield f"  entry run {header.register.run} of register {header.register.id}, {how}"
    if found.erased:
        yield f"  gone  {plural(found.erased, 'line')} of restore and journal erased, as the register says"
    if (state := journal_words(found, "restore")) is not None:
        yield f"{found.folder / JOURNAL_FILE}: {state}"


def journal_words(run: VerifiedFolder, command: str = "apply") -> str | None:
    """The words for a journal that verifies; None where there is none, or nothing of it."""
    if run.journal is None:
        return f"verified, not ended yet, the last line torn; {command} again to go on" if run.torn else None
    if run.journal.sealed:
        return "verified"
    torn = ", the last line torn" if run.torn else ""
    return f"verified, not ended yet{torn}; {command} again to go on"


def record_to_json(found: VerifiedRecord, beside: "Sequence[VerifiedBeside]") -> dict[str, Any]:
    """The same for programs; of a single run also its findings, as ever."""
    runs = [_run_to_json(run) for run in found.runs]
    register = None
    if found.register is not None:
        head = {"lines": len(found.register.lines), "leaf": found.register.head}
        register = {"path": str(found.register_path), "id": found.register.id, "head": head}
    faults = [{"path": str(f.path), "line": f.line, "problem": f.problem} for f in found.faults]
    notes = [{"path": str(n.path), "problem": n.problem} for n in found.notes]
    first = runs[0] if len(runs) == 1 else {}
    named = {one.kind.name: _beside_to_json(one) for one in beside}
    aside = [str(path) for one in beside for path in one.aside]
    restores = [_restore_to_json(restore) for restore in found.restores]
    others = {"holds": named.get("holds"), "notices": named.get("notices"), "setAside": aside}
    told = {"register": register, **others, "faults": faults, "notes": notes}
    return {**first, "runs": runs, "restores": restores, **told}


def _beside_to_json(beside: "VerifiedBeside") -> dict[str, Any]:
    head = beside.state.head if beside.state is not None else None
    return {
        "path": str(beside.path),
        "id": beside.id,
        "head": {"lines": head.lines, "leaf": head.leaf} if head is not None else None,
        "erasedLines": beside.erased,
    }


def _run_to_json(run: VerifiedRun) -> dict[str, Any]:
    plan = run.plan
    return {
        "folder": str(run.folder),
        "run": plan.header.run_id if plan else None,
        "mode": plan.header.mode if plan else None,
        "decisions": len(plan.decisions) if plan else None,
        "erased": len(plan.erased) if plan else None,
        "erasedLines": run.erased,
        "seal": plan.root if plan else None,
        "signedBy": run.signed_by,
        "answers": run.answers,
        "journal": journal_words(run),
        "findings": to_builtins(plan.findings) if plan else [],
    }


def _restore_to_json(found: VerifiedRestore) -> dict[str, Any]:
    log = found.log
    return {
        "folder": str(found.folder),
        "run": log.header.run_id if log else None,
        "ofRun": log.header.of_run if log else None,
        "licenses": len(log.lines) + len(log.erased) if log else None,
        "erasedLines": found.erased,
        "seal": log.root if log else None,
        "journal": journal_words(found, "restore"),
    }
