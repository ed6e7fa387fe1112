"""The sources of a report: a run folder that verifies, its journal, and the run before it."""

from dataclasses import dataclass
from pathlib import Path

from seatwarden.engine.log.first_line import first_line
from seatwarden.engine.log.history import PastRun, UnreadableRun, runs_in
from seatwarden.engine.log.journal import JournalState, check_journal, read_journal
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.reader import RecordedPlan, read_plan
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE, log_path
from seatwarden.engine.plan.modes import WHAT_IF
from seatwarden.engine.report.comparison import is_comparable
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class Sources:
    """A verified plan, its journal (None: not applied yet) and the run before it.

    Where there is no earlier run to compare with, `previous` is None and `not_compared` says why.
    """

    plan: RecordedPlan
    journal: JournalState | None
    previous: PastRun | None
    not_compared: str | None


def read_sources(place: Path, previous: Path | None = None) -> Sources:
    """Everything about the run in a folder (or a log file). `previous` names the run before it.

    Without `previous` the newest older run of the same site is looked for in the folders beside this one. Raises
    InputError for what cannot be read, DamagedLog for a plan, a journal or a named previous run that does not verify.
    """
    log = log_path(place)
    plan = read_plan(place)
    journal = _journal_of(log, plan)
    if previous is not None:
        return _compared(plan, journal, _named(previous))
    earlier, unreadable = _runs_beside(log, plan.header)
    if not earlier:
        odd = f"; {', '.join(unreadable)} cannot be read" if unreadable else ""
        return Sources(plan, journal, None, f"there is no earlier run of this site beside this one{odd}")
    run = runs_in(earlier[-1])[0]
    if isinstance(run, UnreadableRun):
        return Sources(plan, journal, None, f"the run before, in {run.folder.name}, does not verify")
    return _compared(plan, journal, run)


def _compared(plan: RecordedPlan, journal: JournalState | None, previous: PastRun) -> Sources:
    if is_comparable(previous, plan):
        return Sources(plan, journal, previous, None)
    why = f"the run before, in {previous.folder.name}, has other pseudonyms for the same licenses"
    return Sources(plan, journal, None, why)


def _journal_of(log: Path, plan: RecordedPlan) -> JournalState | None:
    path = log.with_name(JOURNAL_FILE)
    if not path.exists():
        return None
    try:
        state = read_journal(path, plan.line_of)
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {error.strerror}") from None
    if state is not None:
        check_journal(path, state, plan.log)
    return state


def _named(place: Path) -> PastRun:
    runs = runs_in(place)
    if len(runs) > 1:
        raise InputError(f"`{place}` holds {len(runs)} runs", "name the folder of one with --previous")
    (run,) = runs
    if isinstance(run, UnreadableRun):
        read_plan(place)  # says line by line what is wrong with it
        raise InputError(f"the run in `{place}` cannot be read: {run.problem}")
    return run


def _runs_beside(log: Path, header: PlanHeader) -> tuple[list[Path], list[str]]:
    """Folders beside this run with an older run of the same site, oldest first, and names of those not readable."""
    found: list[tuple[str, Path]] = []
    unreadable = []
    here = log.resolve().parent
    try:
        beside = sorted(here.parent.iterdir())
    except OSError:
        return [], [here.parent.name]
    for folder in beside:
        if folder == here or not _may_be_file(folder / PLAN_FILE):
            continue
        first = first_line(folder)
        if first is None:
            unreadable.append(folder.name)
        elif first.site == header.site and first.now < header.now and WHAT_IF not in {first.mode} - {header.mode}:
            found.append((first.now, folder))
    return [folder for _, folder in sorted(found)], unreadable


def _may_be_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a folder that may not be looked into: whether it has one cannot be known
        return True
