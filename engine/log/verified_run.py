"""Verifying one run: every file of its folder."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from seatwarden.engine.common.files import read_file
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.erasures import ErasedParts, Erasures, stubs_in
from seatwarden.engine.log.growing import whole_lines
from seatwarden.engine.log.journal import JournalState, check_journal, parse_journal
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.restore import RestoreLog
from seatwarden.engine.log.run_folder import (
    CANONICAL_FILE,
    JOURNAL_FILE,
    PLAN_FILE,
    REPORT_FILE,
    SUMMARY_FILE,
    proves_itself,
)
from seatwarden.engine.log.told import told_plan
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.version import VERSION


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
class VerifiedFolder:
    """A run folder as far as it verifies. `notes` are on files that may well be in order, which cannot be told."""

    folder: Path
    journal: JournalState | None = None
    torn: bool = False
    erased: int = 0
    """Lines whose personal parts were erased, as the register says."""
    faults: list[RecordFault] = field(default_factory=list)
    notes: list[RecordFault] = field(default_factory=list)
    signed_by: list[str] = field(default_factory=list)
    """The names of the known keys that have signed its plan."""
    answers: list[str] = field(default_factory=list)
    """Who has approved or rejected it, in words."""


@dataclass(slots=True)
class VerifiedRun(VerifiedFolder):
    """A run as far as it verifies."""

    plan: PlanLog | None = None


Pages: TypeAlias = Callable[[Path], Iterable[bytes]]
"""Makes the pages that `seatwarden report` could have written for a run folder; it lives above this room."""


def read_run(folder: Path) -> VerifiedRun:
    """A run as far as its plan and journal verify. Raises InputError where there is no plan that we can read."""
    run = VerifiedRun(folder)
    try:
        run.plan = read_log(folder)
    except DamagedLog as damaged:
        run.faults += faults_of(damaged)
    path = folder / JOURNAL_FILE
    if run.plan is not None and path.exists():
        verify_journal(path, run, run.plan)
    return run


def verify_files(run: VerifiedRun, erasures: Erasures, pages: Pages) -> None:
    """Verifies what is beside plan and journal, and what is missing in them."""
    if run.plan is not None and not run.plan.former:
        parts = erasures.of_run(run.plan.root)
        run.faults += _file_faults(run.folder, run.plan, parts)
        run.faults += stub_faults(run, run.plan.path, run.plan.stubs, parts)
        _verify_derived(run, run.plan, pages)


def stub_faults(run: VerifiedFolder, sealed: Path, stubs: frozenset[int], parts: ErasedParts) -> Iterator[RecordFault]:
    """The stubs that no erasure accounts for; those that one does are counted. `stubs` are those of the sealed file."""
    in_journal = stubs_in(run.journal.events) if run.journal else frozenset()
    for path, found, named in (
        (sealed, stubs, parts.sealed),
        (run.folder / JOURNAL_FILE, in_journal, parts.journal),
    ):
        run.erased += len(found & named)
        for n in sorted(found - named):
            yield RecordFault(path, n, UNEXPLAINED)


def verify_journal(path: Path, run: VerifiedFolder, plan: PlanLog | RestoreLog) -> None:
    """Notes the journal of what was sealed, as far as it verifies."""
    try:
        data = read_file(path)
        run.journal, run.torn = parse_journal(path, data, plan.line_of), whole_lines(data) != data
        if run.journal is not None:
            check_journal(path, run.journal, plan)
    except DamagedLog as damaged:
        run.faults += faults_of(damaged)
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
        if path.is_file() and name not in known and not proves_itself(name):
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
        return plan_text(told_plan(plan)).encode()
    except DamagedLog as damaged:
        run.faults += faults_of(damaged)
        return b""


def faults_of(damaged: DamagedLog) -> list[RecordFault]:
    """The damage of a file, line by line."""
    return [RecordFault(damaged.path, damage.line, f"this line {damage.problem}") for damage in damaged.damage]
