"""Verifying one restore: its sealed record and its journal, and that nothing else lies beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.erasures import Erasures
from seatwarden.engine.log.register import PlannedRestore, RegisterState
from seatwarden.engine.log.restore import RestoreLog, read_restore
from seatwarden.engine.log.run_folder import JOURNAL_FILE, RESTORE_FILE, proves_itself
from seatwarden.engine.log.verified_run import RecordFault, VerifiedFolder, faults_of, stub_faults, verify_journal


@dataclass(slots=True)
class VerifiedRestore(VerifiedFolder):
    """A restore as far as it verifies."""

    log: RestoreLog | None = None


def verify_restore(folder: Path, erasures: Erasures) -> VerifiedRestore:
    """A restore, with its journal and all files beside it."""
    found = VerifiedRestore(folder)
    path = folder / JOURNAL_FILE
    try:
        found.log = read_restore(folder)
    except DamagedLog as damaged:
        found.faults += faults_of(damaged)
    except OSError as error:
        found.faults.append(RecordFault(folder / RESTORE_FILE, None, f"cannot be read: {error.strerror}"))
    if found.log is not None and path.exists():
        verify_journal(path, found, found.log)
    if found.log is not None:
        found.faults += stub_faults(found, found.log.path, found.log.stubs, erasures.of_run(found.log.root))
    for other in sorted(folder.rglob("*")):
        name = other.relative_to(folder).as_posix()
        if other.is_file() and name not in (RESTORE_FILE, JOURNAL_FILE) and not proves_itself(name):
            found.faults.append(RecordFault(other, None, "is no file of this run"))
    return found


def restore_against(found: VerifiedRestore, register: RegisterState) -> Iterator[RecordFault]:
    """What a restore and the register say of each other, but for its journal."""
    if found.log is None:
        return
    head, path = found.log.header.register, found.folder / RESTORE_FILE
    if head.id != register.id:
        yield RecordFault(path, None, "is no run of the register beside it")
        return
    line: PlannedRestore | None = next(
        (line for line in register.of_kind(PlannedRestore) if line.root == found.log.root), None
    )
    if line is None or (line.run, line.run_id) != (head.run, found.log.header.run_id):
        yield RecordFault(path, None, f"is not the restore that the register has as run {head.run}")
        return
    if head.lines > len(register.leaves) or register.leaves[head.lines - 1] != head.leaf:
        yield RecordFault(path, 1, "knows another register: lines of that were cut off or changed")
    size = len(found.log.lines) + len(found.log.erased)
    if (line.of_root, line.licenses) != (found.log.header.of_root, size):
        yield RecordFault(path, None, "has other numbers than the register has of it")
