"""Verifying runs: every file of a run, every run of a folder, and the register that knows them.

What a plan or journal says of itself can be forged whole by who can write it. The register knows each run's number and
roots, so a forger has to forge both; and what left the machine, `--seals`, neither of them reaches.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.seals import Seals
from seatwarden.engine.common.signed_note import NotSigned, PublicKey
from seatwarden.engine.common.text import plural
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.against_register import against_register, seal_fault
from seatwarden.engine.log.erasures import Erasures
from seatwarden.engine.log.growing import whole_lines
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.register import (
    LOCK_FILE,
    REGISTER_FILE,
    RUNS_FOLDER,
    Planned,
    PrunedRuns,
    RegisterState,
    parse_register,
)
from seatwarden.engine.log.run_folder import (
    NOTES_FOLDER,
    PLAN_FILE,
    RESTORE_FILE,
    is_named,
    restore_folders,
    run_folders,
)
from seatwarden.engine.log.signature import PLAN_NOTE, noted_root, read_note
from seatwarden.engine.log.verified_notes import verify_notes
from seatwarden.engine.log.verified_restore import VerifiedRestore, verify_restore
from seatwarden.engine.log.verified_run import Pages, RecordFault, VerifiedRun, faults_of, read_run, verify_files
from seatwarden.policy.errors import InputError


@dataclass(slots=True)
class VerifiedRecord:
    """All that was verified: the runs, the restores, and the register if there is one."""

    runs: list[VerifiedRun] = field(default_factory=list)
    restores: list[VerifiedRestore] = field(default_factory=list)
    register_path: Path | None = None
    register: RegisterState | None = None
    others: list[RecordFault] = field(default_factory=list)
    """Faults of no single run: the register's own, and what runs and register say of each other."""
    whole: bool = False
    """Whether all runs of the register were asked for, and not some folder of them."""

    @property
    def faults(self) -> list[RecordFault]:
        """All of them."""
        return [*(fault for run in (*self.runs, *self.restores) for fault in run.faults), *self.others]

    @property
    def notes(self) -> list[RecordFault]:
        """What may well be in order, and cannot be told."""
        return [note for run in (*self.runs, *self.restores) for note in run.notes]


def verify_record(
    place: Path,
    pages: Pages,
    register: Path | None = None,
    *,
    elsewhere: bool = False,
    keys: Sequence[PublicKey] = (),
) -> VerifiedRecord:
    """Verifies a run, a folder of runs or a register. Raises InputError where there is none of these.

    `register` is the one that knows the runs, where it stands where they do not say; `elsewhere`: where
    all of a register is asked for, its runs in folders far from it are verified, too, as far as they are still there.
    Each of some `keys` must have signed every plan.
    """
    found = VerifiedRecord()
    itself = is_named(place, REGISTER_FILE)
    of_register = itself or (place.is_dir() and (place / REGISTER_FILE).is_file())
    if of_register:
        found.register_path = place if itself else place / REGISTER_FILE
        folders, restores = run_folders(found.register_path.parent), restore_folders(found.register_path.parent)
    else:
        folders, restores = _folders_at(place)
        if not folders and not restores:
            found.runs = [VerifiedRun(place, plan=read_log(place))]  # one file alone, or words on what is not there
            return found
        found.register_path = register or _register_near(place, [*folders, *restores])
    found.runs = [read_run(folder) for folder in folders]
    found.register_path = found.register_path or _register_named(found.runs)
    if found.register_path is not None:
        found.register = _read_register(found.register_path, found.others)
        found.whole = _is_whole(place.resolve(), found.register_path.resolve())
    if elsewhere and found.whole and found.register is not None:
        found.runs += [read_run(folder) for folder in _kept_elsewhere(found.register, folders)]
    erasures = Erasures(found.register)
    for run in found.runs:
        verify_files(run, erasures, pages)
    found.restores = [verify_restore(folder, erasures) for folder in restores]
    _verify_signatures(found, keys)
    if found.register_path is None:
        _without_register(found)
    if found.register is not None and found.register_path is not None:
        found.others += against_register(
            found.runs, found.restores, found.register_path, found.register, whole=found.whole
        )
    if found.whole and found.register is not None and found.register_path is not None:
        found.others += _verify_pruned(found.register_path, found.register)
    found.others += _doubled(found.runs)
    return found


def _verify_signatures(found: VerifiedRecord, keys: Sequence[PublicKey]) -> None:
    for run in found.runs:
        if run.plan is not None and not run.plan.former:
            verify_notes(run, run.plan.header, (run.plan.size, run.plan.root), found.register, keys)
    for restore in found.restores:
        if restore.log is not None:
            verify_notes(restore, restore.log.header, (restore.log.size, restore.log.root), found.register, keys)


def _verify_pruned(path: Path, register: RegisterState) -> Iterator[RecordFault]:
    """The signatures that are kept of runs that were deleted: each is on the root that the register has of its run."""
    pruned = {Path(name).name: root for line in register.of_kind(PrunedRuns) for name, root in line.runs.items()}
    for note_file in sorted((path.parent / NOTES_FOLDER).glob(f"*/{PLAN_NOTE}")):
        name = note_file.parent.name
        try:
            note = read_note(note_file)
        except NotSigned as fault:
            yield RecordFault(note_file, None, str(fault))
            continue
        if note is None or name not in pruned or noted_root(note) != pruned[name]:
            yield RecordFault(note_file, None, "is no note on a run that was pruned, as the register has it")


def _folders_at(place: Path) -> tuple[list[Path], list[Path]]:
    """The folders of runs and of restores at a place that is no register; none of a file of another name."""
    if place.is_dir():
        return run_folders(place), restore_folders(place)
    if is_named(place, RESTORE_FILE):
        return [], [place.parent]
    return ([place.parent], []) if is_named(place, PLAN_FILE) else ([], [])


# The register --------------------------------------------------------------------------------------------


def _is_whole(place: Path, register: Path) -> bool:
    """Whether a place stands for all runs of a register: itself, its state folder, or the folder of runs in there."""
    return place in (register, register.parent, register.parent / RUNS_FOLDER)


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
        path = run.folder.resolve().parent.parent / REGISTER_FILE
        place, problem = run.folder / PLAN_FILE, f"its register of runs ({run.plan.header.register.id}) is not at hand"
        # Windows has no lock while nobody holds it: there it is the plan that says where its register was.
        if path == Path(run.plan.header.register.path) or path.with_name(LOCK_FILE).exists():
            found.others.append(RecordFault(path, None, "is missing: runs beside it were entered there"))
        else:
            run.notes.append(RecordFault(place, None, f"{problem}: it was not asked whether runs are missing"))
    found.others = list(dict.fromkeys(found.others))


def _kept_elsewhere(register: RegisterState, folders: Sequence[Path]) -> list[Path]:
    known = {folder.resolve() for folder in folders}
    named = dict.fromkeys(Path(line.folder) for line in register.of_kind(Planned) if line.is_elsewhere)
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
        faults += faults_of(damaged)
    except OSError as error:
        faults.append(RecordFault(path, None, f"cannot be read: {error.strerror}"))
    return None


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
    faults = [fault for seal in own if (fault := seal_fault(seal, register, path))]
    numbers = {seal.run for seal in own}
    missing = [n for n in range(min(numbers), register.last_run + 1) if n not in numbers]
    if missing:
        listed = ", ".join(map(str, missing[:10]))
        faults.append(RecordFault(path, None, f"no seal stands there of {plural(len(missing), 'run')}: {listed}"))
    return faults
