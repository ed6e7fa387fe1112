"""Recovery: licenses that earlier runs left in the middle, and outcomes that they have not published.

A run tells what it did (to InfluxDB, to people) when it has ended, and then notes in the state folder, under
`published`, up to which line of the journal. A process that is killed before that leaves lines that the next run tells.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.common.files import make_private_folder, read_file, write_atomically
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.journal import read_journal
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.register import RUNS_FOLDER, Planned, RegisterState
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.policy.errors import InputError

PUBLISHED_FOLDER = "published"
_FORMER_NAMES = ("published", "told")
_LOOKED_AT = timedelta(days=31)
"""The age up to which runs are looked at; what is older has been seen by many runs since."""
RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{12}")
"""Folders that runs have made; a copy that somebody put beside them is not one."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcomes of a plan that are not published yet, in the journal's order."""

    plan: RecordedPlan
    folder: Path
    state: Path
    outcomes: tuple[Outcome, ...]
    upto: int
    """The last line of the journal that these are from."""

    def mark_published(self) -> None:
        """Notes that these outcomes are published. Raises OSError."""
        path = _mark(self.state, self.folder)
        make_private_folder(path.parent)
        write_atomically(path, str(self.upto).encode())


def unpublished(plan: RecordedPlan, journal: Path, state_folder: Path) -> Applied:
    """The outcomes in a journal that are not published yet; none where it cannot be read."""
    try:
        state = read_journal(journal, plan.line_of)
    except (DamagedLog, OSError):
        state = None
    published = _published(state_folder, journal.parent)
    lines = [line for line in state.outcomes.values() if line.n > published] if state else []
    outcomes = [
        Outcome((line.license_type, line.person.license_id), line.person.user, line.result, line.detail)
        for line in sorted(lines, key=lambda line: line.n)
        if line.person is not UNSET
    ]
    return Applied(
        plan, journal.parent, state_folder, tuple(outcomes), max((line.n for line in lines), default=published)
    )


def unfinished_runs(state_folder: Path, now: datetime) -> list[Path]:
    """The folders of runs, oldest first, with a license whose outcome is open or an outcome that is not published.

    What failed is not open: the next plan decides on it anew. Raises InputError when the folder cannot be read.
    """
    runs = state_folder / RUNS_FOLDER
    oldest = f"{now - _LOOKED_AT:%Y%m%dT%H%M%SZ}"
    try:
        names = sorted(entry.name for entry in runs.iterdir()) if runs.is_dir() else []
    except OSError as error:
        raise InputError(f"the folder of runs `{runs}` cannot be read: {error.strerror}") from None
    young = [runs / name for name in names if RUN_ID.fullmatch(name) and name >= oldest]
    return [folder for folder in young if _is_unfinished(folder, state_folder)]


def begun_without_journal(register: RegisterState, state_folder: Path) -> Iterator[Path]:
    """The folders of plans whose apply was begun and killed before its journal: nothing was sent."""
    for number in register.open_runs():
        for line in register.of_kind(Planned):
            folder = state_folder / line.folder
            if line.run == number and (folder / PLAN_FILE).exists() and not _has_begun(folder / JOURNAL_FILE):
                yield folder


def _has_begun(journal: Path) -> bool:
    """Whether a journal has its first line: a kill may come right before that, and nothing was sent then."""
    try:
        return journal.exists() and read_journal(journal) is not None
    except (DamagedLog, OSError):
        return True  # whoever reads it next will say what is wrong with it


def why_withdrawn(
    plan: RecordedPlan, policy_digest: str, pseudonyms: Pseudonyms | None, max_age: timedelta, now: datetime
) -> str | None:
    """The reason not to carry on with an earlier plan; None when it is carried on with.

    A policy that has changed since then may protect somebody, or be the brake that somebody pulled.
    """
    if plan.header.policy.canonical_sha256 != policy_digest:
        return "the policy has changed since the plan was made"
    if plan.header.pseudonyms != (pseudonyms.key_id if pseudonyms else None):
        return "the pseudonyms have changed since the plan was made"
    # Five minutes of the future are granted: clocks are set back. A plan from further ahead says nothing of its age.
    if not -timedelta(minutes=5) <= now - plan.day.now <= max_age:
        return f"the plan is not of the last {max_age.total_seconds() / 3600:g} hours"
    return None


def describe(problem: Exception) -> str:
    """The words for a problem with the files of a run."""
    return problem.strerror or "it cannot be read" if isinstance(problem, OSError) else str(problem)


def _is_unfinished(folder: Path, state_folder: Path) -> bool:
    path = folder / JOURNAL_FILE
    if not path.exists() or not (folder / PLAN_FILE).exists():
        return False
    try:
        state = read_journal(path)
    except (DamagedLog, OSError):
        return True  # whoever reads it next will say what is wrong with it
    if state is None:
        return False
    return bool(state.unsettled) or any(line.n > _published(state_folder, folder) for line in state.outcomes.values())


def _published(state_folder: Path, folder: Path) -> int:
    """The last line of its journal that a run has published; 0 where unknown: better told twice than never."""
    for path in (_mark(state_folder, folder), *(folder / name for name in _FORMER_NAMES)):
        with suppress(OSError, ValueError):
            return int(read_file(path))
    return 0


def _mark(state_folder: Path, folder: Path) -> Path:
    return state_folder / PUBLISHED_FOLDER / folder.resolve().name


def only_read(plan: RecordedPlan) -> str | None:
    """Why a plan of format 1 is not carried on with; None for others."""
    return "an older seatwarden has written it, whose runs this one only reads" if plan.log.former else None
