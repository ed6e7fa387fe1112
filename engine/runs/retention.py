"""Pruning: whole runs are deleted when their time is over. The register keeps the number and the roots of each.

A wrong clock alone deletes nothing: the age of a run is counted up to the last line of the register, and never beyond
what QRS's clock said to the newest run. What is open, does not verify, or is needed by the next run stays.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.files import (
    make_private_folder,
    move_folder,
    read_file,
    remove_file,
    remove_folder,
    sync_folder,
    write_atomically,
)
from seatwarden.engine.common.rights import take_off_read_only
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.log.erasures import Erasures, open_pruning
from seatwarden.engine.log.first_line import FirstLine, first_line
from seatwarden.engine.log.register import (
    RUNS_FOLDER,
    ClosedRun,
    Planned,
    PlannedRestore,
    PrunedRuns,
    Register,
    RegisterState,
)
from seatwarden.engine.log.run_folder import APPROVALS_FOLDER, NOTES, NOTES_FOLDER, PLAN_FILE, RESTORE_FILE
from seatwarden.engine.log.verified_restore import verify_restore
from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.runs.baseline import newest_measure
from seatwarden.engine.runs.recovery import PUBLISHED_FOLDER, describe
from seatwarden.engine.runs.traces import LeftRun, restore_folders_of, run_folders_of
from seatwarden.engine.site.retention import keep_words
from seatwarden.policy.errors import InputError


@dataclass
class OldRuns:
    """The runs whose time is over: those that are `due`, with the roots of their plans by folder, and those that are
    kept all the same, and why. `upto` is the moment up to which ages are counted; None where no clock can be relied on.
    """

    upto: datetime | None
    due: dict[str, str] = field(default_factory=dict)
    kept: list[LeftRun] = field(default_factory=list)


def find_old(state: Path, register: RegisterState, keep: timedelta) -> OldRuns:
    """The runs in a state folder that are older than `keep`. Nothing is changed. Raises OSError, InputError."""
    folders = run_folders_of(state)
    begun = {folder: first for folder in folders if (first := first_line(folder)) is not None}
    planned = {(state / line.folder).resolve(): line for line in register.of_kind(Planned)}
    found = OldRuns(_upto(state, register, begun))
    if found.upto is None:
        return found
    needed = _needed(begun)
    for folder, first in begun.items():
        line = planned.get(folder.resolve())
        ended = _ended(first, line, register)
        if ended is None or found.upto - ended <= keep:
            continue
        root, why = (None, needed[folder]) if folder in needed else _judged(folder, line, register)
        if root is not None:
            found.due[folder.relative_to(state).as_posix()] = root
        else:
            found.kept.append(LeftRun(folder, why))
    _find_old_restores(found, found.upto - keep, state, register)
    return found


def _find_old_restores(found: OldRuns, before: datetime, state: Path, register: RegisterState) -> None:
    """The same of restores, whose age only the register tells."""
    entered = {(state / line.folder).resolve(): line for line in register.of_kind(PlannedRestore)}
    for folder in restore_folders_of(state):
        line: PlannedRestore | None = entered.get(folder.resolve())
        said = [parse_timestamp(getattr(one, "at", "")) for one in _lines_of(line, register)]
        if line is None or max(moment for moment in said if moment is not None) >= before:
            continue
        verified = verify_restore(folder, Erasures(register))
        unanswered = line.run in register.open_runs() or _is_unanswered(line, register)
        if unanswered or verified.journal is None or not verified.journal.sealed:
            found.kept.append(LeftRun(folder, "it is open: what became of some license is not known"))
        elif verified.faults or verified.log is None:
            found.kept.append(LeftRun(folder, f"it is disputed: {verified.faults[0]}"))
        else:
            found.due[folder.relative_to(state).as_posix()] = verified.log.root


def _is_unanswered(line: Planned | PlannedRestore | None, register: RegisterState) -> bool:
    """Whether a run has taken leave of a DELETE whose answer nobody knows: the next ones look whether it arrives."""
    closed = [one for one in register.of_kind(ClosedRun) if line is not None and one.run == line.run]
    return bool(closed) and closed[-1].open is not UNSET and closed[-1].open > 0


def _upto(state: Path, register: RegisterState, begun: dict[Path, FirstLine]) -> datetime | None:
    """The moment up to which ages are counted: that of the register's last line, or what QRS's clock said to the
    newest run that knows it, whichever is earlier."""
    last = parse_timestamp(getattr(register.lines[-1], "at", ""))
    by_place = {folder.resolve(): first for folder, first in begun.items()}
    for line in reversed(list(register.of_kind(Planned))):
        first = by_place.get((state / line.folder).resolve())
        said = parse_timestamp(first.clocks.qrs or "") if first is not None else None
        if said is not None:
            return min(last, said) if last is not None else None
    return None


def _ended(first: FirstLine, planned: Planned | None, register: RegisterState) -> datetime | None:
    """The last moment of a run by any clock: too late rather than too early."""
    said = [first.now, first.clocks.qrs or "", *(getattr(line, "at", "") for line in _lines_of(planned, register))]
    return max((moment for text in said if (moment := parse_timestamp(text)) is not None), default=None)


def _lines_of(planned: Planned | PlannedRestore | None, register: RegisterState) -> Iterator[object]:
    if planned is not None:
        yield from (line for line in register.lines if getattr(line, "run", None) == planned.run)


def _needed(begun: dict[Path, FirstLine]) -> dict[Path, str]:
    """The runs that the next one looks at, however old they are."""
    newest = max(begun, key=lambda folder: (begun[folder].now, folder.name), default=None)
    measure = newest_measure(begun)
    found = {measure: "it is the run that the next one is compared with"} if measure else {}
    return found | ({newest: "it is the newest run"} if newest else {})


def _judged(folder: Path, planned: Planned | None, register: RegisterState) -> tuple[str | None, str]:
    """The root of a run that may go; else why it is kept although its time is over: it is open, or disputed."""
    if planned is not None and planned.run in register.open_runs():
        return None, "it is open: it was begun and never closed"
    if _is_unanswered(planned, register):
        return None, "it is open: a DELETE has no known answer"
    try:
        verified = verify_record(folder, _no_pages)
        faults = [fault for fault in verified.faults if fault.path.resolve().is_relative_to(folder.resolve())]
        run = verified.runs[0]
    except (InputError, OSError) as problem:
        return None, f"it is disputed: {describe(problem)}"
    if faults or run.plan is None:
        return None, f"it is disputed: {faults[0]}"
    if run.torn or (run.journal is not None and run.journal.unsettled):
        return None, "it is open: what became of some license is not known"
    return run.plan.root, ""


def _no_pages(folder: Path) -> tuple[bytes, ...]:
    """A page that is another than would be made now disputes nothing: making it anew for that would cost too much."""
    return ()


# Deleting ------------------------------------------------------------------------------------------------


def prune(register: Register, state: Path, due: dict[str, str], keep: timedelta, now: Callable[[], str]) -> list[str]:
    """Deletes runs whose time is over; returns what is in the way, which the next command goes on with.

    The site's lock must be held. Raises OSError where the register cannot be written.
    """
    register.add(PrunedRuns(runs=due, keep=keep_words(keep), done=False, at=now()))
    return finish_pruning(register, state, now)


def finish_pruning(register: Register, state: Path, now: Callable[[], str]) -> list[str]:
    """Brings a pruning to its end that was begun, if there is one. Raises OSError as `prune`."""
    begun = open_pruning(register.state)
    if begun is None:
        return list(_remove_forgotten(state))
    in_the_way = []
    for name in begun.runs:
        try:
            _keep_notes(state / name, state / NOTES_FOLDER / Path(name).name)
            _delete(state / name)
            remove_file(state / PUBLISHED_FOLDER / Path(name).name)
        except OSError as problem:
            in_the_way.append(f"`{state / name}`: {describe(problem)}")
    if not in_the_way:
        register.add(PrunedRuns(runs=begun.runs, keep=begun.keep, done=True, at=now()))
    return in_the_way


def _keep_notes(folder: Path, place: Path) -> None:
    """Keeps the signatures and approvals of a run that is deleted: they name nobody, and prove its root."""
    for path in (*(folder / name for name in NOTES), *sorted((folder / APPROVALS_FOLDER).glob("*.note"))):
        target = place / path.relative_to(folder)
        if path.is_file() and not target.exists():
            make_private_folder(target.parent)
            write_atomically(target, read_file(path))


def _remove_forgotten(state: Path) -> Iterator[str]:
    """Removes what is aside although its pruning is done: a loss of power may bring back what was deleted."""
    for aside in (state / RUNS_FOLDER).glob(f".*{_ASIDE}"):
        try:
            _remove_whole(aside)
        except OSError as problem:
            yield f"`{aside}`: {describe(problem)}"


def _delete(folder: Path) -> None:
    """Deletes a run: it is moved aside first, so that half of one is never where runs are looked for."""
    aside = folder.with_name(f".{folder.name}{_ASIDE}")
    _remove_whole(aside)
    if folder.exists():
        move_folder(folder, aside)
        sync_folder(folder.parent)
        _remove_whole(aside)


_ASIDE = ".gone"
"""Not longer than what a file has at its end while it is written: where paths are at most 260 characters, what could be
written can be moved aside."""


def _remove_whole(folder: Path) -> None:
    if folder.exists():
        take_off_read_only(folder)
        for name in (PLAN_FILE, RESTORE_FILE):
            remove_file(folder / name)  # without it, it is no run any more
        remove_folder(folder)
        sync_folder(folder.parent)
