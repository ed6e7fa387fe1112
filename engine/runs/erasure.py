"""Erasing a person from the record of a site, so that roots, links and counts stay and still verify.

First a line in the register says which lines of which files are to be erased, then each file is replaced by a rename,
then a second line says that it is done. Whoever opens the register after a kill finds the first line without the
second, and brings it to its end: the numbers of the lines are enough, and no name is needed.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seatwarden.engine.common.files import (
    move_file,
    read_file,
    remove_file,
    remove_folder,
    replace_file,
    sync_folder,
    write_atomically,
)
from seatwarden.engine.common.rights import give_rights, rights_of, take_off_read_only
from seatwarden.engine.common.way_out import PAGE_OF_RUN
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.log.erasures import erase_lines, open_erasure, root_over
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.register import (
    REGISTER_FILE,
    RUNS_FOLDER,
    ErasedLines,
    ErasureReason,
    Planned,
    PlannedRestore,
    Register,
)
from seatwarden.engine.log.run_folder import (
    COMMENT,
    JOURNAL_FILE,
    PLAN_FILE,
    REPORT_FILE,
    RESTORE_FILE,
    SNAPSHOT_FILE,
    SUMMARY_FILE,
)
from seatwarden.engine.log.told import told_plan
from seatwarden.engine.metrics.spool import SPOOL_FOLDER, Spool
from seatwarden.engine.notice.holds import HOLDS_FILE
from seatwarden.engine.notice.register import NOTICES_FILE
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.runs.recovery import RUN_ID, describe
from seatwarden.engine.runs.traces import Traces
from seatwarden.engine.snapshot.without import without_rows
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class FinishedErasure:
    """How far an erasure came: what is in the way (then the next command goes on), and files that had been changed by
    somebody since it was begun, whose numbers of lines mean nothing any more."""

    in_the_way: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def erase(
    register: Register, state: Path, traces: Traces, reason: ErasureReason, now: Callable[[], str]
) -> FinishedErasure:
    """Erases what was found. The site's lock must be held. Raises OSError where the register, or a kept snapshot beside
    the old one, cannot be written: then nothing is changed."""
    for name, rows in traces.rows.items():
        path = state / name
        write_atomically(_prepared(path), without_rows(read_file(path), rows))
        give_rights(_prepared(path), rights_of(path))
    if traces.history.extent:
        _mark_in_history(state, traces)
    register.add(ErasedLines(reason=reason, files=traces.files, roots=traces.roots, digests={}, done=False, at=now()))
    return finish_erasure(register, state, now)


def finish_erasure(register: Register, state: Path, now: Callable[[], str]) -> FinishedErasure:
    """Brings an erasure to its end that was begun, if there is one. Raises OSError as `erase`."""
    begun = open_erasure(register.state)
    if begun is None:
        return FinishedErasure()
    work = _Erasing(register, state, begun)
    for name in sorted(begun.files, key=_derived_last):
        work.erase(name)
    if not work.in_the_way:
        files = {name: numbers for name, numbers in begun.files.items() if name not in work.changed}
        done = ErasedLines(
            reason=begun.reason, files=files, roots=begun.roots, digests=work.digests, done=True, at=now()
        )
        register.add(done)
    changed = tuple(f"`{state / name}` was changed since the erasure was begun" for name in work.changed)
    return FinishedErasure(tuple(work.in_the_way), changed)


def _prepared(path: Path) -> Path:
    """A kept snapshot without somebody, before it takes the place of the one with everybody."""
    return path.with_name(".snapshot.new")  # short: its path must not be longer than what a run itself has needed


def remove_prepared(state: Path) -> None:
    """Removes what was prepared for an erasure that was never begun, or half of it. Raises OSError."""
    prepared = _prepared(Path(SNAPSHOT_FILE)).name
    for name in (prepared, f".{prepared}.part"):
        for path in (state / RUNS_FOLDER).glob(f"*/{name}"):
            remove_file(path)
    if (state / HISTORY_FILE).is_file():
        from seatwarden.engine.history.erasing import unmark  # SQLite and zstandard take a while to import
        from seatwarden.engine.history.store import History

        # One that is damaged stays in nobody's way.
        with suppress(InputError), History(state / HISTORY_FILE, write=True) as history:
            unmark(history)


def _mark_in_history(state: Path, traces: Traces) -> None:
    from seatwarden.engine.history.erasing import mark  # as below
    from seatwarden.engine.history.store import History

    with History(state / HISTORY_FILE, write=True) as history:
        mark(history, traces.person.user, traces.history)


def _derived_last(name: str) -> tuple[bool, str]:
    return name.endswith((SUMMARY_FILE, REPORT_FILE)), name


class _Erasing:
    def __init__(self, register: Register, state: Path, begun: ErasedLines) -> None:
        self._register = register
        self._state = state
        self._begun = begun
        self.in_the_way: list[str] = []
        self.changed: list[str] = []
        self.digests: dict[str, str] = {}

    def erase(self, name: str) -> None:
        """Erases the lines of one file; one that is gone has nothing any more."""
        path = self._state / name
        try:
            if name.startswith(f"{SPOOL_FOLDER}/"):
                Spool(self._state / SPOOL_FOLDER).forget(name.removeprefix(f"{SPOOL_FOLDER}/"), self._begun.files[name])
            elif name == HISTORY_FILE and path.is_file():
                _erase_from_history(path)
            elif path.is_file():
                take_off_read_only(path)
                self._erase(name, path)
        except (InputError, OSError) as problem:
            self.in_the_way.append(f"`{path}`: {describe(problem)}")

    def _erase(self, name: str, path: Path) -> None:
        numbers = self._begun.files[name]
        match path.name:
            case str(own) if name == REGISTER_FILE and own == REGISTER_FILE:
                self._register.rewrite(lambda data: erase_lines(data, numbers))
            case str(own) if own in (PLAN_FILE, RESTORE_FILE, JOURNAL_FILE) or name in (HOLDS_FILE, NOTICES_FILE):
                self._erase_lines(name, path, numbers)
            case str(own) if own == SNAPSHOT_FILE:
                self._replace_snapshot(name, path)
            case str(own) if own.endswith(COMMENT):
                remove_file(path)  # the approval has only its digest, and holds without it
            case str(own) if own == SUMMARY_FILE:
                self._make_anew(path, _write_summary)
            case str(own) if own == REPORT_FILE:
                self._make_anew(path, _write_report)

    def _erase_lines(self, name: str, path: Path, numbers: Sequence[int]) -> None:
        data = read_file(path)
        if root_over(data) != self._begun.roots.get(name):
            self.changed.append(name)
        elif (left := erase_lines(data, numbers)) != data:
            replace_file(path, left)

    def _replace_snapshot(self, name: str, path: Path) -> None:
        if _prepared(path).exists():
            move_file(_prepared(path), path)
            sync_folder(path.parent)
        self.digests[name] = hashlib.sha256(read_file(path)).hexdigest()

    def _make_anew(self, path: Path, write: Callable[[Path], None]) -> None:
        """Makes what is derived from a run anew; where the run cannot be read, it goes."""
        try:
            write(path.parent)
        except (SeatwardenError, DamagedLog):
            remove_file(path)


def _erase_from_history(path: Path) -> None:
    from seatwarden.engine.history.erasing import erase_marked  # as above
    from seatwarden.engine.history.store import History

    with History(path, write=True) as history:
        erase_marked(history)


def _write_summary(folder: Path) -> None:
    replace_file(folder / SUMMARY_FILE, plan_text(told_plan(read_log(folder))).encode())


def _write_report(folder: Path) -> None:
    from seatwarden.engine.report.write import write_report  # jinja2 takes a while to import

    write_report(folder, folder / REPORT_FILE, None, PAGE_OF_RUN)


# What killed processes leave ---------------------------------------------------------------------------------


def sweep(register: Register, state: Path) -> None:
    """Removes what killed processes have left behind and no run knows: halves of files, folders whose plan was never
    written, restores that were never entered. They may name anybody. The site's lock must be held. Raises OSError."""
    runs = state / RUNS_FOLDER
    for path in sorted(runs.rglob(".*.part")):
        remove_file(path)
    known = {(state / line.folder).resolve() for line in register.state.of_kind(Planned, PlannedRestore)}
    for folder in sorted(runs.iterdir()) if runs.is_dir() else ():
        if not RUN_ID.fullmatch(folder.name) or (folder / PLAN_FILE).exists() or folder.resolve() in known:
            continue
        take_off_read_only(folder)
        remove_folder(folder)
