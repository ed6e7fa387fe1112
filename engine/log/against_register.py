"""Holding runs against the register that knows them, and the register against seals that left the machine."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.seals import Seals
from seatwarden.engine.log.erasures import Erasures, open_erasure, open_pruning, stubs_in
from seatwarden.engine.log.journal import JournalState
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.register import Begun, ClosedRun, Planned, PlannedRestore, PrunedRuns, RegisterState
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.log.run_folder import (
    JOURNAL_FILE,
    PLAN_FILE,
)
from seatwarden.engine.log.verified_restore import VerifiedRestore, restore_against
from seatwarden.engine.log.verified_run import UNEXPLAINED, RecordFault, VerifiedFolder, VerifiedRun


def against_register(
    runs: Sequence[VerifiedRun],
    restores: Sequence[VerifiedRestore],
    path: Path,
    register: RegisterState,
    *,
    whole: bool,
) -> Iterator[RecordFault]:
    """What runs and register say of each other. Only where all runs of the register are at hand can one be missing."""
    by_root = {line.root: line for line in register.of_kind(Planned)}
    for run in runs:
        if run.plan is not None and not run.plan.former:
            yield from _run_against(run, run.plan, register, by_root)
    for restore in restores:
        yield from restore_against(restore, register)
        if restore.log is not None and (number := register.number_of(restore.log.root)) is not None:
            yield from _journal_against(restore, number, register)
    numbers = [line.run for line in register.of_kind(Planned, PlannedRestore)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield RecordFault(path, None, "numbers of runs are missing, or not in their order")
    mine = {run.plan.header.register.run for run in runs if run.plan and run.plan.header.register}
    mine |= {restore.log.header.register.run for restore in restores if restore.log}
    yield from (fault for number, fault in _not_closed(path, register) if whole or number in mine)
    yield from _own_faults(path, register)
    if whole:
        yield from _missing(runs, restores, path, register)


def _run_against(
    run: VerifiedRun, plan: PlanLog, register: RegisterState, by_root: dict[str, Planned]
) -> Iterator[RecordFault]:
    header = plan.header.register
    if header is None or header.id != register.id:
        if plan.header.mode != "what-if":
            yield RecordFault(run.folder / PLAN_FILE, None, "is no run of the register beside it")
        return
    planned = by_root.get(plan.root)
    if planned is None or (planned.run, planned.run_id) != (header.run, plan.header.run_id):
        problem = f"is not the plan that the register has as run {header.run}"
        yield RecordFault(run.folder / PLAN_FILE, None, problem)
        return
    if header.lines > len(register.leaves) or register.leaves[header.lines - 1] != header.leaf:
        yield RecordFault(run.folder / PLAN_FILE, 1, "knows another register: lines of that were cut off or changed")
    counted = (plan.header.mode, plan.summary.licenses, plan.summary.release, plan.summary.downgrade)
    if (planned.mode, planned.licenses, planned.release, planned.downgrade) != counted:
        yield RecordFault(run.folder / PLAN_FILE, None, "has other numbers than the register has of it")
    yield from _journal_against(run, planned.run, register)


def _journal_against(run: VerifiedFolder, number: int, register: RegisterState) -> Iterator[RecordFault]:
    path = run.folder / JOURNAL_FILE
    closed = [line for line in register.of_kind(ClosedRun) if line.run == number]
    begun = [line for line in register.of_kind(Begun) if line.run == number]
    if run.journal is None:
        if closed and not any(fault.path == path for fault in run.faults):
            yield RecordFault(path, None, "is missing: the register knows it, with its results")
        return
    if not begun:
        yield RecordFault(path, None, "is unknown to the register: no release of this run was begun")
        return
    if not closed:
        return
    last: ClosedRun = closed[-1]
    if not run.journal.has(last.journal_lines, last.journal_leaf):
        yield RecordFault(path, None, "is not the journal that the register knows")
    elif last.journal_root and run.journal.root != last.journal_root:
        yield RecordFault(path, None, "has not the seal that the register knows")
    elif number not in register.open_runs() and run.journal.lines > last.journal_lines:
        yield RecordFault(path, last.journal_lines + 1, "has lines that the register does not know")
    elif run.journal.lines == last.journal_lines and not _counts_agree(run.journal, begun, last):
        yield RecordFault(path, None, "has other numbers than the register has of it")


def _counts_agree(journal: JournalState, begun: Sequence[Begun], closed: ClosedRun) -> bool:
    """Whether the register counts what the journal says: who reads its numbers alone must be able to trust them."""
    outcomes = journal.outcomes.values()
    released = Counter(line.license_type for line in outcomes if line.result in TAKEN)
    return (
        {line.chosen for line in begun} == {len(journal.chosen)}
        and Counter(closed.released) == released
        and Counter(closed.results) == Counter(line.result for line in outcomes)
        and closed.open in (UNSET, len(journal.unanswered & journal.gifts.keys()))
        and closed.settled is journal.sealed
    )


def _own_faults(path: Path, register: RegisterState) -> Iterator[RecordFault]:
    """Stubs of the register itself that it does not name, and what was begun and not finished."""
    for n in sorted(stubs_in(register.lines) - Erasures(register).of_register):
        yield RecordFault(path, n, UNEXPLAINED)
    for begun, what in ((open_erasure(register), "an erasure"), (open_pruning(register), "a pruning")):
        if begun is not None:
            problem = f"{what} was begun and not finished; the next run, `log forget` or `log prune` finishes it"
            yield RecordFault(path, begun.n, problem)


def _not_closed(path: Path, register: RegisterState) -> Iterator[tuple[int, RecordFault]]:
    """Runs that were begun and never closed, by their numbers."""
    for number, n in register.open_runs().items():
        problem = f"run {number} was begun and never closed: it is under way, or was interrupted"
        yield number, RecordFault(path, n, problem)


def _missing(
    runs: Sequence[VerifiedRun], restores: Sequence[VerifiedRestore], path: Path, register: RegisterState
) -> Iterator[RecordFault]:
    """Runs that the register has and nobody finds; those kept elsewhere are not looked for."""
    roots = {run.plan.root for run in runs if run.plan is not None}
    roots |= {restore.log.root for restore in restores if restore.log is not None}
    pruned = {root for line in register.of_kind(PrunedRuns) for root in line.runs.values()}
    damaged = {run.folder.resolve() for run in runs if run.plan is None}
    damaged |= {restore.folder.resolve() for restore in restores if restore.log is None}
    for line in register.of_kind(Planned, PlannedRestore):
        folder = path.parent / line.folder
        elsewhere = isinstance(line, Planned) and line.is_elsewhere
        if line.root in roots or line.root in pruned or folder.resolve() in damaged or elsewhere:
            continue
        yield RecordFault(folder, None, f"run {line.run} is missing: the register has it, and nobody has pruned it")


def seal_fault(seal: Seals, register: RegisterState, path: Path) -> RecordFault | None:
    """What a seal that was kept elsewhere says against the register."""
    number = register.number_of(seal.plan)
    if number != seal.run:
        return RecordFault(path, None, f"run {seal.run} was sealed with another plan than the register has")
    if seal.lines > len(register.leaves) or register.leaves[seal.lines - 1] != seal.head:
        return RecordFault(path, None, f"line {seal.lines} was another when run {seal.run} was sealed")
    roots = {line.journal_root for line in register.of_kind(ClosedRun) if line.run == seal.run}
    if seal.journal and seal.journal not in roots:
        return RecordFault(path, None, f"run {seal.run} was sealed with another journal than the register has")
    return None
