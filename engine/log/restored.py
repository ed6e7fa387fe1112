"""What was given back: the restores of a site, and which releases of a run they have undone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.journal import JournalState, check_journal, read_journal
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.register import RUNS_FOLDER
from seatwarden.engine.log.restore import RestoreLog, read_restore
from seatwarden.engine.log.results import OutcomeKind
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


def restores_in(places: Iterable[Path], *, strictly: bool = False) -> list[PastRestore]:
    """The restores in some folders of runs, oldest first.

    One that cannot be read is passed by, unless `strictly`: then it raises DamagedLog or OSError.
    """
    found = {}
    for path in sorted(path for place in places for path in place.glob(f"*/{RESTORE_FILE}")):
        if path.parent.name.startswith("."):
            continue
        try:
            found[path.parent.name] = read_past_restore(path.parent)
        except (DamagedLog, OSError):
            if strictly:
                raise
    return [found[name] for name in sorted(found)]


def places_of(logs: Iterable[PlanLog]) -> list[Path]:
    """The folders in which restores of these runs lie: among the runs of their site, where its register stands by what
    they say, or beside them."""
    heads = {log.header.register.path for log in logs if log.header.register is not None}
    named = [Path(path).parent / RUNS_FOLDER for path in heads]
    return [*dict.fromkeys(place.resolve() for place in (*named, *(log.path.parent.parent for log in logs)))]


def undone_by(restores: Iterable[PastRestore]) -> dict[str, dict[int, GivenBack]]:
    """The releases that restores have undone: by the root of the plan, and its line."""
    found: dict[str, dict[int, GivenBack]] = {}
    for past in restores:
        outcomes, header = past.journal.outcomes if past.journal is not None else {}, past.log.header
        undone = found.setdefault(header.of_root, {})
        for line in (*past.log.lines, *past.log.erased):
            outcome = outcomes.get(line.n)
            if outcome is not None and outcome.result in ("restored", "held"):
                undone[line.line] = GivenBack(line.released, outcome.at, header.run_id, outcome.result)
    return found


def given_back(log: PlanLog) -> Mapping[int, GivenBack]:
    """The releases of a run that were undone, as far as that can be read, by the lines of its plan."""
    return undone_by(restores_in(places_of([log]))).get(log.root, {})


def given_back_words(found: GivenBack) -> str:
    """That somebody has a license again: when, and by which run."""
    if found.result == "held":
        return f"held again by the same person when run {found.run_id} came to give it back, on {found.at[:10]}"
    return f"given back on {found.at[:10]} by run {found.run_id}"
