"""Past runs: which plans a folder holds, and what became of each license in them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.journal import JournalState, check_journal, read_journal
from seatwarden.engine.log.lines import OutcomeLine, PlanHeader, PlanSeal
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.run_folder import JOURNAL_FILE, no_runs, run_folders
from seatwarden.engine.plan.records import RecordedDecision
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run folder. `journal` is None while the plan has not been applied."""

    folder: Path
    header: PlanHeader
    decisions: list[RecordedDecision]
    seal: PlanSeal
    journal: JournalState | None

    def outcome_of(self, decision: RecordedDecision) -> OutcomeLine | None:
        """The outcome of a decision's license, or None when nothing was done with it."""
        return self.journal.outcomes.get(decision.key) if self.journal else None

    def revealed(self, people: Mapping[str, tuple[str, str | None]]) -> "PastRun":
        """The run with people behind pseudonyms named again, as far as they are known."""
        return replace(self, decisions=[_revealed(decision, people) for decision in self.decisions])


@dataclass(frozen=True, slots=True)
class UnreadableRun:
    """A run folder whose plan or journal cannot be read, and why."""

    folder: Path
    problem: str


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A decision of a past run, with what became of it."""

    run: PastRun
    decision: RecordedDecision

    @property
    def user(self) -> str:
        """`DIRECTORY\\id`."""
        return f"{self.decision.user_directory or '?'}\\{self.decision.user_id or '?'}"

    @property
    def outcome(self) -> OutcomeLine | None:
        """The outcome of the license in words, or None."""
        return self.run.outcome_of(self.decision)


def runs_in(place: Path) -> list[PastRun | UnreadableRun]:
    """The runs in a folder and below it, oldest first; a run folder is its own only run.

    A damaged run is listed with its problem, never passed over. Raises InputError when there is none.
    """
    folders = run_folders(place)
    if not folders:
        raise no_runs(place)
    return sorted(map(_read_run, folders), key=_age)


def select(
    runs: Iterable[PastRun], *, user: str | None = None, verdict: str | None = None, rule: str | None = None
) -> Iterator[PastDecision]:
    """The decisions of runs that fit; `user` is `DIRECTORY\\id`, an id or a name, in any case."""
    for run in runs:
        for decision in run.decisions:
            past = PastDecision(run, decision)
            names = (past.user, decision.user_id, decision.user_name)
            if user is not None and user.casefold() not in [name.casefold() for name in names if name]:
                continue
            if verdict is not None and decision.verdict != verdict:
                continue
            if rule is not None and rule not in (decision.rule, *decision.rules):
                continue
            yield past


def _read_run(folder: Path) -> PastRun | UnreadableRun:
    try:
        log = read_log(folder)
        path = folder / JOURNAL_FILE
        journal = read_journal(path) if path.exists() else None
        if journal is not None:
            check_journal(path, journal, log.seal, log.releases)
    except (DamagedLog, InputError) as error:
        return UnreadableRun(folder, str(error))
    except OSError as error:
        return UnreadableRun(folder, f"{folder}: {error.strerror}")
    return PastRun(folder, log.header, log.decisions, log.seal, journal)


def _age(run: PastRun | UnreadableRun) -> tuple[str, str]:
    return run.header.now if isinstance(run, PastRun) else "", str(run.folder)


def _revealed(decision: RecordedDecision, people: Mapping[str, tuple[str, str | None]]) -> RecordedDecision:
    if decision.user_id is None or decision.user_id not in people:
        return decision
    user_id, name = people[decision.user_id]
    reason = decision.reason.replace(decision.user_id, user_id)
    return structs.replace(decision, user_id=user_id, user_name=name, reason=reason)
