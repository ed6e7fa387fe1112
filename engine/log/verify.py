"""Verifying runs: every file of a run, every run of a folder, and the register that knows them.

What a plan or journal says of itself can be forged whole by who can write it. The register knows each run's number and
roots, so a forger has to forge both; and what left the machine, `--seals`, neither of them reaches.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.seals import Seals
from seatwarden.engine.common.text import plural
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.erasures import ErasedParts, Erasures, open_erasure, open_pruning, stubs_in
from seatwarden.engine.log.growing import whole_lines
from seatwarden.engine.log.journal import JournalState, check_journal, parse_journal
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import read_log, recorded_plan
from seatwarden.engine.log.register import (
    LOCK_FILE,
    REGISTER_FILE,
    Begun,
    ClosedRun,
    Planned,
    PrunedRuns,
    RegisterState,
    parse_register,
)
from seatwarden.engine.log.run_folder import (
    CANONICAL_FILE,
    JOURNAL_FILE,
    PLAN_FILE,
    REPORT_FILE,
    SUMMARY_FILE,
    run_folders,
)
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.version import VERSION
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class RecordFault:
    """Something that is not as it was written: which file or folder, the line where there is one, what is wrong."""

    path: Path
    line: int | None
    problem: str

    def __str__(self) -> str:
        """As people read it."""
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return f"{place}: {self.problem}"


@dataclass(slots=True)
class VerifiedRun:
    """A run as far as it verifies. `notes` are on files that may well be in order, which cannot be told."""

    folder: Path
    plan: PlanLog | None = None
    journal: JournalState | None = None
    torn: bool = False
    erased: int = 0
    """Lines of plan and journal whose personal parts were erased, as the register says."""
    faults: list[RecordFault] = field(default_factory=list)
    notes: list[RecordFault] = field(default_factory=list)


@dataclass(slots=True)
class VerifiedRecord:
    """All that was verified: the runs, and the register if there is one."""

    runs: list[VerifiedRun] = field(default_factory=list)
    register_path: Path | None = None
    register: RegisterState | None = None
    others: list[RecordFault] = field(default_factory=list)
    """Faults of no single run: the register's own, and what runs and register say of each other."""

    @property
    def faults(self) -> list[RecordFault]:
        """All of them."""
        return [*(fault for run in self.runs for fault in run.faults), *self.others]

    @property
    def notes(self) -> list[RecordFault]:
        """What may well be in order, and cannot be told."""
        return [note for run in self.runs for note in run.notes]


Pages: TypeAlias = Callable[[Path], Iterable[bytes]]
"""Makes the pages that `seatwarden report` could have written for a run folder; it lives above this room."""


def verify_record(
    place: Path, pages: Pages, register: Path | None = None, *, elsewhere: bool = False
) -> VerifiedRecord:
    """Verifies a run, a folder of runs or a register. Raises InputError where there is none of these.

    `register` is the one that knows the runs, where it stands where they do not say; `elsewhere`: of a register, the
    runs in folders far from its own are verified, too, as far as they are still there.
    """
    found = VerifiedRecord()
    of_register = place.name == REGISTER_FILE or (place.is_dir() and (place / REGISTER_FILE).is_file())
    if of_register:
        found.register_path = place if place.name == REGISTER_FILE else place / REGISTER_FILE
        folders = run_folders(found.register_path.parent)
    else:
        folders = run_folders(place) if place.is_dir() else [place.parent]
        if not folders or (place.name != PLAN_FILE and not place.is_dir()):
            found.runs = [VerifiedRun(place, read_log(place))]  # one file alone, or words on what is not there
            return found
        found.register_path = register or _register_near(place, folders)
    found.runs = [_read_run(folder) for folder in folders]
    found.register_path = found.register_path or _register_named(found.runs)
    if found.register_path is not None:
        found.register = _read_register(found.register_path, found.others)
    if elsewhere and of_register and found.register is not None:
        found.runs += [_read_run(folder) for folder in _kept_elsewhere(found.register, folders)]
    erasures = Erasures(found.register)
    for run in found.runs:
        _verify_files(run, erasures, pages)
    whole = found.register_path is not None and place.resolve() in (
        found.register_path.resolve(),
        found.register_path.resolve().parent,
        found.register_path.resolve().parent / "runs",
    )
    if found.register_path is None:
        _without_register(found)
    if found.register is not None and found.register_path is not None:
        found.others += _against_register(found, found.register_path, found.register, whole=whole)
    found.others += _doubled(found.runs)
    return found


def _read_run(folder: Path) -> VerifiedRun:
    """A run as far as its plan and journal verify. Raises InputError where there is no plan that we can read."""
    run = VerifiedRun(folder)
    try:
        run.plan = read_log(folder)
    except DamagedLog as damaged:
        run.faults += _faults(damaged)
    path = folder / JOURNAL_FILE
    if run.plan is not None and path.exists():
        _verify_journal(path, run, run.plan)
    return run


def _verify_files(run: VerifiedRun, erasures: Erasures, pages: Pages) -> None:
    """Verifies what is beside plan and journal, and what is missing in them."""
    if run.plan is not None and not run.plan.former:
        parts = erasures.of_run(run.plan.root)
        run.faults += _file_faults(run.folder, run.plan, parts)
        run.faults += _stub_faults(run, run.plan, parts)
        _verify_derived(run, run.plan, pages)


def _stub_faults(run: VerifiedRun, plan: PlanLog, parts: ErasedParts) -> Iterator[RecordFault]:
    """The stubs that no erasure accounts for; those that one does are counted."""
    in_journal = stubs_in(run.journal.events) if run.journal else frozenset()
    for path, stubs, named in (
        (plan.path, plan.stubs, parts.plan),
        (run.folder / JOURNAL_FILE, in_journal, parts.journal),
    ):
        run.erased += len(stubs & named)
        for n in sorted(stubs - named):
            yield RecordFault(path, n, UNEXPLAINED)


def _verify_journal(path: Path, run: VerifiedRun, plan: PlanLog) -> None:
    try:
        data = read_file(path)
        run.journal, run.torn = parse_journal(path, data, plan.line_of), whole_lines(data) != data
        if run.journal is not None:
            check_journal(path, run.journal, plan)
    except DamagedLog as damaged:
        run.faults += _faults(damaged)
    except OSError as error:
        run.faults.append(RecordFault(path, None, f"cannot be read: {error.strerror}"))


UNEXPLAINED = "was erased, and no line of the register says so"


def _file_faults(folder: Path, plan: PlanLog, parts: ErasedParts) -> Iterator[RecordFault]:
    """The files beside the plan: those that it lists, those that are derived from it, and others."""
    listed = {**plan.header.files, **parts.digests}
    for name, digest in listed.items():
        path = folder / name
        if not path.is_file():
            yield RecordFault(path, None, "is missing: the plan lists it")
        elif hashlib.sha256(read_file(path)).hexdigest() != digest:
            lists = "register" if name in parts.digests else "plan"
            yield RecordFault(path, None, f"was changed: it is not the file that the {lists} lists")
    path = folder / CANONICAL_FILE
    if path.is_file() and read_file(path) != plan.policy.text.encode():
        yield RecordFault(path, None, "was changed: it is not the policy of the plan")
    known = {PLAN_FILE, JOURNAL_FILE, CANONICAL_FILE, SUMMARY_FILE, REPORT_FILE, *listed}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in known:
            yield RecordFault(path, None, "is no file of this run")


def _verify_derived(run: VerifiedRun, plan: PlanLog, pages: Pages) -> None:
    """What is made of the record for people: it is made again and compared."""
    path = run.folder / SUMMARY_FILE
    if path.is_file() and read_file(path) != _summary(run, plan):
        if plan.header.tool == f"seatwarden {VERSION}":
            run.faults.append(RecordFault(path, None, "was changed: it is not what the plan makes of it"))
        else:
            problem = f"is not what this seatwarden makes of the plan; {plan.header.tool} may have said it otherwise"
            run.notes.append(RecordFault(path, None, problem))
    page = run.folder / REPORT_FILE
    if page.is_file() and not run.faults and read_file(page) not in pages(run.folder):
        problem = "is not the page that the record makes now; `seatwarden report` makes it anew"
        run.notes.append(RecordFault(page, None, problem))


def _summary(run: VerifiedRun, plan: PlanLog) -> bytes:
    try:
        return plan_text(recorded_plan(plan)).encode()
    except DamagedLog as damaged:
        run.faults += _faults(damaged)
        return b""


def _faults(damaged: DamagedLog) -> list[RecordFault]:
    return [RecordFault(damaged.path, damage.line, f"this line {damage.problem}") for damage in damaged.damage]


# The register --------------------------------------------------------------------------------------------


def _register_near(place: Path, folders: Sequence[Path]) -> Path | None:
    """The register that runs stand beside: in their folder, or one or two levels above."""
    beside = (place.resolve(), *(folder.resolve().parent for folder in folders[:1]))
    for start in beside:
        for folder in (start, *start.parents[:2]):
            if (folder / REGISTER_FILE).is_file():
                return folder / REGISTER_FILE
    return None


def _register_named(runs: Sequence[VerifiedRun]) -> Path | None:
    """The register at the place that runs name, where they name one and it is there."""
    heads = [run.plan.header.register for run in runs if run.plan is not None]
    named = {Path(head.path) for head in heads if head is not None}
    path = named.pop() if len(named) == 1 else None
    return path if path is not None and path.is_file() else None


def _without_register(found: VerifiedRecord) -> None:
    """Runs whose register is not at hand: in a state folder it must be, elsewhere it may be in another place."""
    for run in found.runs:
        if run.plan is None or run.plan.header.register is None:
            continue
        state = run.folder.resolve().parent.parent
        place, problem = run.folder / PLAN_FILE, f"its register of runs ({run.plan.header.register.id}) is not at hand"
        if (state / LOCK_FILE).exists():
            found.others.append(
                RecordFault(state / REGISTER_FILE, None, "is missing: runs beside it were entered there")
            )
        else:
            run.notes.append(RecordFault(place, None, f"{problem}: it was not asked whether runs are missing"))
    found.others = list(dict.fromkeys(found.others))


def _kept_elsewhere(register: RegisterState, folders: Sequence[Path]) -> list[Path]:
    known = {folder.resolve() for folder in folders}
    named = dict.fromkeys(Path(line.folder) for line in register.of_kind(Planned))
    return [p for p in named if p.is_absolute() and p.resolve() not in known and (p / PLAN_FILE).is_file()]


def _read_register(path: Path, faults: list[RecordFault]) -> RegisterState | None:
    try:
        data = read_file(path)
        whole = whole_lines(data) or data
        if whole != data:
            torn = "is torn: by a crash, and the next run cuts it off; or somebody did"
            faults.append(RecordFault(path, whole.count(b"\n") + 1, torn))
        return parse_register(path, whole)
    except DamagedLog as damaged:
        faults += _faults(damaged)
    except OSError as error:
        faults.append(RecordFault(path, None, f"cannot be read: {error.strerror}"))
    return None


def _against_register(
    found: VerifiedRecord, path: Path, register: RegisterState, *, whole: bool
) -> Iterator[RecordFault]:
    """What runs and register say of each other. Only where all runs of the register are at hand can one be missing."""
    by_root = {line.root: line for line in register.of_kind(Planned)}
    for run in found.runs:
        if run.plan is not None and not run.plan.former:
            yield from _run_against(run, run.plan, register, by_root)
    numbers = [line.run for line in register.of_kind(Planned)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield RecordFault(path, None, "numbers of runs are missing, or not in their order")
    mine = {run.plan.header.register.run for run in found.runs if run.plan and run.plan.header.register}
    yield from (fault for number, fault in _not_closed(path, register) if whole or number in mine)
    yield from _own_faults(path, register)
    if whole:
        yield from _missing(found, path, register)


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
    counted = (plan.header.mode, plan.summary.licenses, plan.summary.release)
    if (planned.mode, planned.licenses, planned.release) != counted:
        yield RecordFault(run.folder / PLAN_FILE, None, "has other numbers than the register has of it")
    yield from _journal_against(run, planned.run, register)


def _journal_against(run: VerifiedRun, number: int, register: RegisterState) -> Iterator[RecordFault]:
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
    leaves = _leaves_of(run.journal)
    if len(leaves) < last.journal_lines or leaves[last.journal_lines - 1] != last.journal_leaf:
        yield RecordFault(path, None, "is not the journal that the register knows")
    elif last.journal_root and run.journal.root != last.journal_root:
        yield RecordFault(path, None, "has not the seal that the register knows")
    elif len(begun) == len(closed) and len(leaves) > last.journal_lines:
        yield RecordFault(path, last.journal_lines + 1, "has lines that the register does not know")
    elif len(leaves) == last.journal_lines and not _counts_agree(run.journal, begun, last):
        yield RecordFault(path, None, "has other numbers than the register has of it")


def _counts_agree(journal: JournalState, begun: Sequence[Begun], closed: ClosedRun) -> bool:
    """Whether the register counts what the journal says: who reads its numbers alone must be able to trust them."""
    outcomes = journal.outcomes.values()
    released = Counter(line.license_type for line in outcomes if line.result == "released")
    return (
        {line.chosen for line in begun} == {len(journal.chosen)}
        and Counter(closed.released) == released
        and Counter(closed.results) == Counter(line.result for line in outcomes)
        and closed.settled is journal.sealed
    )


def _leaves_of(journal: JournalState) -> list[str]:
    following = [line.prev for line in journal.events[1:]]  # type: ignore[attr-defined]
    return [*following, journal.leaf]


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
    begun: dict[int, int] = defaultdict(int)
    for n, line in enumerate(register.lines, 1):
        if isinstance(line, Begun):
            begun[line.run] = n
        elif isinstance(line, ClosedRun):
            begun.pop(line.run, None)
    for number, n in begun.items():
        problem = f"run {number} was begun and never closed: it is under way, or was interrupted"
        yield number, RecordFault(path, n, problem)


def _missing(found: VerifiedRecord, path: Path, register: RegisterState) -> Iterator[RecordFault]:
    """Runs that the register has and nobody finds; those kept elsewhere are not looked for."""
    roots = {run.plan.root for run in found.runs if run.plan is not None}
    pruned = {root for line in register.of_kind(PrunedRuns) for root in line.runs.values()}
    damaged = {run.folder.resolve() for run in found.runs if run.plan is None}
    for line in register.of_kind(Planned):
        folder = path.parent / line.folder
        if line.root in roots or line.root in pruned or folder.resolve() in damaged or Path(line.folder).is_absolute():
            continue
        yield RecordFault(folder, None, f"run {line.run} is missing: the register has it, and nobody has pruned it")


def _doubled(runs: Iterable[VerifiedRun]) -> Iterator[RecordFault]:
    by_id: dict[str, list[Path]] = defaultdict(list)
    for run in runs:
        if run.plan is not None:
            by_id[run.plan.header.run_id].append(run.folder)
    for run_id, folders in by_id.items():
        if len(folders) > 1:
            others = ", ".join(str(folder) for folder in folders[:-1])
            yield RecordFault(folders[-1], None, f"has the run id {run_id} of another folder: {others}")


# Seals that left the machine -----------------------------------------------------------------------------


def against_seals(found: VerifiedRecord, seals: Sequence[Seals]) -> list[RecordFault]:
    """What seals kept elsewhere say against the record. Raises InputError where none of them is of its register."""
    register, path = found.register, found.register_path
    if register is None or path is None:
        raise InputError("there is no register of runs to hold the seals against", "name the state folder of the site")
    own = [seal for seal in seals if seal.register == register.id]
    if not own:
        help_ = f"found are {plural(len(seals), 'seal')} of others"
        raise InputError(f"no seal of register {register.id} stands there", help_)
    faults = [fault for seal in own if (fault := _seal_fault(seal, register, path))]
    numbers = {seal.run for seal in own}
    missing = [n for n in range(min(numbers), register.last_run + 1) if n not in numbers]
    if missing:
        listed = ", ".join(map(str, missing[:10]))
        faults.append(RecordFault(path, None, f"no seal stands there of {plural(len(missing), 'run')}: {listed}"))
    return faults


def _seal_fault(seal: Seals, register: RegisterState, path: Path) -> RecordFault | None:
    number = register.number_of(seal.plan)
    if number != seal.run:
        return RecordFault(path, None, f"run {seal.run} was sealed with another plan than the register has")
    if seal.lines > len(register.leaves) or register.leaves[seal.lines - 1] != seal.head:
        return RecordFault(path, None, f"line {seal.lines} was another when run {seal.run} was sealed")
    roots = {line.journal_root for line in register.of_kind(ClosedRun) if line.run == seal.run}
    if seal.journal and seal.journal not in roots:
        return RecordFault(path, None, f"run {seal.run} was sealed with another journal than the register has")
    return None
