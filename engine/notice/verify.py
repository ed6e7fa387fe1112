"""Verifying the registers beside that of runs, those of holds and of notices: each by itself, and against what the
register of runs and the plans know of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.signed_note import PublicKey
from seatwarden.engine.common.text import plural
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import is_erased
from seatwarden.engine.log.growing import whole_lines
from seatwarden.engine.log.heads import ChainHead, Heads
from seatwarden.engine.log.register import REGISTER_FILE, RegisterState, read_register
from seatwarden.engine.log.run_folder import is_named
from seatwarden.engine.log.verified_run import UNEXPLAINED, Pages, RecordFault, faults_of
from seatwarden.engine.log.verify import VerifiedRecord, verify_record
from seatwarden.engine.notice.holds import HOLDS_FILE, HoldsState, parse_holds
from seatwarden.engine.notice.register import ASIDE, NO_NOTICES, NOTICES_FILE, NoticeRecord, parse_notices
from seatwarden.engine.notice.trust import heads_fault, unexplained_stubs

BesideState: TypeAlias = HoldsState | NoticeRecord


@dataclass(frozen=True, slots=True)
class BesideKind:
    """One of the two: its name, its file, how that begins, and what reads it. `next` is what cuts a torn line off."""

    name: Literal["holds", "notices"]
    file: str
    parse: Callable[[Path, bytes], BesideState]
    empty: Callable[[], BesideState]
    next: str

    @property
    def begins(self) -> bytes:
        """How its file begins."""
        return b'{"n":1,"kind":"%b",' % self.name.encode()

    def head_in(self, heads: Heads) -> ChainHead | None:
        """What is known of it."""
        return heads.holds if self.name == "holds" else heads.notices


HOLDS = BesideKind("holds", HOLDS_FILE, parse_holds, HoldsState, "the next hold")
NOTICES = BesideKind("notices", NOTICES_FILE, parse_notices, lambda: NO_NOTICES, "the next run")
KINDS = (HOLDS, NOTICES)


@dataclass(slots=True)
class VerifiedBeside:
    """Such a register as far as it verifies; `state` None: it does not. `asked`: the register of runs was, too."""

    kind: BesideKind
    path: Path
    state: BesideState | None = None
    asked: bool = False
    erased: int = 0
    """Lines whose personal parts were erased, as the register of runs says."""
    faults: list[RecordFault] = field(default_factory=list)
    aside: list[Path] = field(default_factory=list)
    """Registers of notices whose damage was accepted, kept beside it."""

    @property
    def id(self) -> str | None:
        """The id of a register of holds; of one of notices that of the register of runs beside which it was begun."""
        match self.state:
            case HoldsState(opened=opened) if opened is not None:
                return opened.id
            case NoticeRecord(opened=opened) if opened is not None:
                return opened.register
        return None

    @property
    def extent(self) -> str:
        """How much it says, in words."""
        match self.state:
            case HoldsState() as holds:
                return plural(len(list(holds.holds())), "hold")
            case NoticeRecord() as record:
                return plural(len(record.notices.by_number), "notice")
        return "nothing"


def kind_of_register(place: Path) -> BesideKind | None:
    """Which of the two a file is, by its name or by how it begins; None for none."""
    for kind in KINDS:
        if is_named(place, kind.file):
            return kind
    try:
        with place.open("rb") as file:
            begins = file.read(max(len(kind.begins) for kind in KINDS))
    except OSError:
        return None
    return next((kind for kind in KINDS if begins.startswith(kind.begins)), None)


def verify_all(
    place: Path,
    pages: Pages,
    register: Path | None = None,
    *,
    elsewhere: bool = False,
    keys: Sequence[PublicKey] = (),
) -> VerifiedRecord:
    """`verify_record`, and of a whole state folder the registers beside, too; their faults are among the record's.

    Raises InputError.
    """
    found = verify_record(place, pages, register, elsewhere=elsewhere, keys=keys)
    verify_registers_beside(found)
    return found


def verify_registers_beside(found: VerifiedRecord) -> list[VerifiedBeside]:
    """The registers beside that of runs, where all of that was asked for: those that it or a plan knows of, and those
    that there are. Their faults become the record's."""
    if not found.whole or found.register is None or found.register_path is None:
        return []
    folder, register = found.register_path.parent, found.register
    seen = [register.heads, *(register.heads_seen(run.plan.header) for run in found.runs if run.plan is not None)]
    verified = []
    for kind in KINDS:
        path = folder / kind.file
        known = [head for heads in seen if (head := kind.head_in(heads)) is not None]
        if known or path.exists():
            verified.append(_verified(kind, path, register, known))
    found.others += (fault for beside in verified for fault in beside.faults)
    return verified


def verify_beside(kind: BesideKind, path: Path) -> VerifiedBeside:
    """One such register, and what the register of runs beside it says of it, where there is one. Raises OSError."""
    if path.name.startswith(ASIDE):  # the register of runs knows another one by now
        return _verified(kind, path, None, [])
    try:
        register = read_register(path.with_name(REGISTER_FILE))
    except DamagedLog as damaged:
        found = _verified(kind, path, None, [])
        found.faults += faults_of(damaged)
        return found
    head = kind.head_in(register.heads) if register is not None else None
    return _verified(kind, path, register, [head] if head is not None else [])


def _verified(
    kind: BesideKind, path: Path, register: RegisterState | None, known: Sequence[ChainHead]
) -> VerifiedBeside:
    found = VerifiedBeside(kind, path, asked=register is not None)
    if kind is NOTICES and register is not None:
        found.aside = sorted(path.parent.glob(f"{ASIDE}*"))
    try:
        data = read_file(path) if path.exists() else b""
        whole = whole_lines(data)
        if whole != data:
            torn = f"is torn: by a crash, and {kind.next} cuts it off; or somebody did"
            found.faults.append(RecordFault(path, whole.count(b"\n") + 1, torn))
        state = kind.parse(path, whole) if whole else kind.empty()
    except DamagedLog as damaged:
        found.faults += faults_of(damaged)
        return found
    found.state = state
    if problem := heads_fault(state.leaves, known):
        found.faults.append(RecordFault(path, None, problem))
    stubs = unexplained_stubs(kind.file, state.lines, register)
    found.faults += [RecordFault(path, n, UNEXPLAINED) for n in sorted(stubs)]
    found.erased = sum(map(is_erased, state.lines)) - len(stubs)
    return found
