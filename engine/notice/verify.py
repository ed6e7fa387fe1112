"""Verifying the register of holds: by itself, and against what the register of runs and the plans know of it."""

from dataclasses import dataclass, field
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.files import read_file
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import is_erased
from seatwarden.engine.log.growing import whole_lines
from seatwarden.engine.log.heads import ChainHead
from seatwarden.engine.log.register import REGISTER_FILE, RegisterState, read_register
from seatwarden.engine.log.run_folder import is_named
from seatwarden.engine.log.verified_run import UNEXPLAINED, Pages, RecordFault, faults_of
from seatwarden.engine.log.verify import VerifiedRecord, verify_record
from seatwarden.engine.notice.holds import HOLDS_FILE, HoldsState, parse_holds
from seatwarden.engine.notice.trust import heads_fault, unexplained_stubs


@dataclass(slots=True)
class VerifiedHolds:
    """A register of holds as far as it verifies; `state` None: it does not. `asked`: the register of runs was, too."""

    path: Path
    state: HoldsState | None = None
    asked: bool = False
    erased: int = 0
    """Lines whose personal parts were erased, as the register of runs says."""
    faults: list[RecordFault] = field(default_factory=list)


_BEGINS = b'{"n":1,"kind":"holds",'


def is_register_of_holds(place: Path) -> bool:
    """Whether a file is a register of holds, by its name or by how it begins."""
    if is_named(place, HOLDS_FILE):
        return True
    try:
        with place.open("rb") as file:
            return file.read(len(_BEGINS)) == _BEGINS
    except OSError:
        return False


def verify_all(place: Path, pages: Pages, register: Path | None = None, *, elsewhere: bool = False) -> VerifiedRecord:
    """`verify_record`, and of a whole state folder its register of holds, too; its faults are among the record's.

    Raises InputError.
    """
    found = verify_record(place, pages, register, elsewhere=elsewhere)
    holds = holds_beside(found)
    if holds is not None:
        found.others += holds.faults
    return found


def holds_beside(found: VerifiedRecord) -> VerifiedHolds | None:
    """The register of holds beside the register of runs, where all of that was asked for and knows of holds, or there
    is such a file; else None."""
    if not found.whole or found.register is None or found.register_path is None:
        return None
    path = found.register_path.parent / HOLDS_FILE
    headers = [run.plan.header for run in found.runs if run.plan is not None]
    heads = [header.heads.holds for header in headers if header.heads is not UNSET]
    known = [head for head in (found.register.heads.holds, *heads) if head is not None]
    return _verified(path, found.register, known) if known or path.exists() else None


def verify_holds(path: Path) -> VerifiedHolds:
    """A register of holds, and what the register of runs beside it says of it, where there is one. Raises OSError."""
    try:
        register = read_register(path.with_name(REGISTER_FILE))
    except DamagedLog as damaged:
        found = _verified(path, None, [])
        found.faults += faults_of(damaged)
        return found
    head = register.heads.holds if register is not None else None
    return _verified(path, register, [head] if head is not None else [])


def _verified(path: Path, register: RegisterState | None, known: list[ChainHead]) -> VerifiedHolds:
    found = VerifiedHolds(path, asked=register is not None)
    try:
        data = read_file(path) if path.exists() else b""
        whole = whole_lines(data)
        if whole != data:
            torn = "is torn: by a crash, and the next hold cuts it off; or somebody did"
            found.faults.append(RecordFault(path, whole.count(b"\n") + 1, torn))
        state = parse_holds(path, whole) if whole else HoldsState()
    except DamagedLog as damaged:
        found.faults += faults_of(damaged)
        return found
    found.state = state
    if problem := heads_fault(state.leaves, known):
        found.faults.append(RecordFault(path, None, problem))
    stubs = unexplained_stubs(HOLDS_FILE, state.lines, register)
    found.faults += [RecordFault(path, n, UNEXPLAINED) for n in sorted(stubs)]
    found.erased = sum(map(is_erased, state.lines)) - len(stubs)
    return found
