"""What was given back: the restores of a site, and which releases of a run they have undone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.journal import JournalState, check_journal, read_journal
from seatwarden.engine.log.lines import OutcomeKind
from seatwarden.engine.log.restore import RestoreLog, read_restore
from seatwarden.engine.log.run_folder import JOURNAL_FILE, RESTORE_FILE

REGRETTED_WITHIN = timedelta(days=30)
"""A release that is given back so soon counts as regretted."""


@dataclass(frozen=True, slots=True)
class PastRestore:
    """A restore with its journal; None where nothing had begun."""

    log: RestoreLog
    journal: JournalState | None

    @property
    def is_open(self) -> bool:
        """Whether some license is not settled."""
        return self.journal is None or not self.journal.sealed


@dataclass(frozen=True, slots=True)
class GivenBack:
    """That a release was undone: when it had been made, when the person had a license again, and by which run.

    `result`: `restored`, or `held` where the person had got one before we came.
    """

    released: str
    at: str
    run_id: str
    result: OutcomeKind

    @property
    def is_regretted(self) -> bool:
        """Whether we gave it back within 30 days of its release."""
        released, at = parse_timestamp(self.released), parse_timestamp(self.at)
        soon = released is not None and at is not None and at - released <= REGRETTED_WITHIN
        return self.result == "restored" and soon


def read_past_restore(folder: Path) -> PastRestore:
    """The restore in a run folder, with its journal. Raises DamagedLog, OSError."""
    log = read_restore(folder)
    path = folder / JOURNAL_FILE
    journal = read_journal(path) if path.exists() else None
    if journal is not None:
        check_journal(path, journal, log)
    return PastRestore(log, journal)


def restores_of(runs: Path, root: str, *, strictly: bool) -> Iterator[PastRestore]:
    """The restores of the run whose plan has that root, oldest first, of those in a folder of runs.

    One that cannot be read is passed by, unless `strictly`: then it raises DamagedLog or OSError.
    """
    for path in sorted(runs.glob(f"*/{RESTORE_FILE}")):
        if path.parent.name.startswith("."):
            continue
        try:
            found = read_past_restore(path.parent)
        except (DamagedLog, OSError):
            if strictly:
                raise
            continue
        if found.log.header.of_root == root:
            yield found


def given_back(runs: Path, root: str, *, strictly: bool = False) -> dict[int, GivenBack]:
    """The releases of the run whose plan has that root that were undone, by the lines of the plan."""
    found = {}
    for past in restores_of(runs, root, strictly=strictly):
        journal, header = past.journal, past.log.header
        for line in (*past.log.lines, *past.log.erased) if journal is not None else ():
            outcome = journal.outcomes.get(line.n) if journal is not None else None
            if outcome is not None and outcome.result in ("restored", "held"):
                found[line.line] = GivenBack(line.released, outcome.at, header.run_id, outcome.result)
    return found
