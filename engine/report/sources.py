"""The sources of a report: a run folder that verifies, its journal, and the run before it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seatwarden.engine.log.approval import GivenApproval, answers_beside
from seatwarden.engine.log.first_line import first_line
from seatwarden.engine.log.history import PastRun, UnreadableRun, runs_in
from seatwarden.engine.log.journal import JournalState, journal_beside
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.reader import RecordedPlan, read_plan
from seatwarden.engine.log.restored import GivenBack, given_back
from seatwarden.engine.log.run_folder import PLAN_FILE, POLICY_FOLDER, log_path
from seatwarden.engine.plan.modes import WHAT_IF
from seatwarden.engine.report.comparison import is_comparable
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.history.flows import Flows

_OTHER_HISTORY = (
    "name the history of that site; where it has another name now, `history add --other-source` adds a snapshot of it"
)


@dataclass(frozen=True, slots=True)
class Sources:
    """A verified plan, its journal (None: not applied yet), the run before it, and the policy's files by their names.

    Where there is no earlier run to compare with, `previous` is None and `not_compared` says why.
    """

    plan: RecordedPlan
    journal: JournalState | None
    previous: PastRun | None
    not_compared: str | None
    policy_files: Mapping[str, str] = field(default_factory=dict)
    flows: "Mapping[LicenseType, Flows] | None" = None
    """What the history of the site knew when the plan was made, where one is given."""
    given_back: Mapping[int, GivenBack] = field(default_factory=dict)
    """The releases that were undone since, by the lines of the plan."""
    answers: tuple[GivenApproval, ...] = ()
    """Who has approved it, or rejected it."""


def read_sources(place: Path, previous: Path | None = None, history: Path | None = None) -> Sources:
    """Everything about the run in a folder (or a log file). `previous` names the run before it, `history` the file from
    which it is said when licenses run out.

    Without `previous` the newest older run of the same site is looked for in the folders beside this one. Raises
    InputError for what cannot be read, DamagedLog for a plan, a journal or a named previous run that does not verify.
    """
    log = log_path(place)
    plan = read_plan(place)
    journal = journal_beside(plan.log)
    before, why_not = _before(log, plan, previous)
    flows = _flows(history, plan) if history is not None else None
    files, undone, answers = _policy_files(log, plan.header), given_back(plan.log), tuple(answers_beside(plan.log))
    return Sources(plan, journal, before, why_not, files, flows, undone, answers)


def _flows(path: Path, plan: RecordedPlan) -> "dict[LicenseType, Flows]":
    from seatwarden.engine.history.flows import flows_of  # SQLite and zstandard take a while to import
    from seatwarden.engine.history.store import History

    with History(path) as history:
        # Of a snapshot that does not say where it comes from, a plan has the name of the file.
        if "://" in plan.header.site:
            history.check_source(plan.header.site, f"the run {plan.header.run_id}", _OTHER_HISTORY)
        return flows_of(history, plan.day.now)


def _before(log: Path, plan: RecordedPlan, previous: Path | None) -> tuple[PastRun | None, str | None]:
    """The run to compare with, or why there is none."""
    if previous is not None:
        return _compared(plan, _named(previous))
    earlier, unreadable = _runs_beside(log, plan.header)
    if not earlier:
        odd = f"; {', '.join(unreadable)} cannot be read" if unreadable else ""
        return None, f"there is no earlier run of this site beside this one{odd}"
    run = runs_in(earlier[-1])[0]
    if isinstance(run, UnreadableRun):
        return None, f"the run before, in {run.folder.name}, does not verify"
    return _compared(plan, run)


def _compared(plan: RecordedPlan, previous: PastRun) -> tuple[PastRun | None, str | None]:
    if is_comparable(previous, plan):
        return previous, None
    return None, f"the run before, in {previous.folder.name}, has other pseudonyms for the same licenses"


def _policy_files(log: Path, header: PlanHeader) -> dict[str, str]:
    """The policy's files as they lie in the run folder; of those that are not as they were written there is none."""
    found = {}
    for name, digest in header.policy.sources.items():
        try:
            data = (log.parent / POLICY_FOLDER / name).read_bytes()
            if hashlib.sha256(data).hexdigest() == digest:
                found[name] = data.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue
    return found


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
