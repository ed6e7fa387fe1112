"""Past runs: which plans a folder holds, and what became of each license in them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from msgspec import structs

from seatwarden.engine.decide.decision import STANDING, user_of
from seatwarden.engine.decide.pseudonyms import Pseudonyms, Revealed
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.day import DaySpan
from seatwarden.engine.facts.guards import GUARDS
from seatwarden.engine.log.decision_lines import RecordedDecision
from seatwarden.engine.log.journal import JournalState, check_journal, read_journal
from seatwarden.engine.log.journal_lines import OutcomeLine
from seatwarden.engine.log.lines import PlanHeader, PlanLog
from seatwarden.engine.log.reader import day_of_log, read_log
from seatwarden.engine.log.restored import GivenBack, places_of, restores_in, undone_by
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.log.run_folder import JOURNAL_FILE, no_runs, run_folders
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class PastRun:
    """One run folder. `journal` is None while the plan has not been applied."""

    folder: Path
    log: PlanLog
    journal: JournalState | None
    given_back: Mapping[int, GivenBack] = field(default_factory=dict)
    """The releases that were undone since, by the lines of the plan."""

    @property
    def header(self) -> PlanHeader:
        """The first line of its plan."""
        return self.log.header

    @property
    def decisions(self) -> list[RecordedDecision]:
        """Its decisions, but for erased ones."""
        return self.log.decisions

    @property
    def day(self) -> date:
        """The day that was decided for, in the policy's time zone."""
        return day_of_log(self.log).today

    def rule_of(self, decision: RecordedDecision) -> str | None:
        """The name of the rule, guard or register that decided; of a rule without a name how it starts. None for no
        rule."""
        about = decision.about
        if decision.because in STANDING:
            return decision.because
        if about.rule is not None or about.at is None:
            return about.rule
        return next((rule.label for rule in self.log.policy.rules if rule.at == about.at), None)

    def outcome_of(self, decision: RecordedDecision) -> OutcomeLine | None:
        """The outcome of a decision's license, or None when nothing was done with it."""
        return self.journal.outcomes.get(decision.n) if self.journal else None

    def revealed(self, people: Mapping[str, Revealed]) -> "PastRun":
        """The run with people behind pseudonyms named again, as far as they are known."""
        return replace(self, log=replace(self.log, decisions=[_revealed(line, people) for line in self.decisions]))


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
        about = self.decision.about
        return user_of(about.user_directory, about.user_id or "?")

    @property
    def outcome(self) -> OutcomeLine | None:
        """The outcome of the license in words, or None."""
        return self.run.outcome_of(self.decision)

    @property
    def given_back(self) -> GivenBack | None:
        """That the license was given back since."""
        return self.run.given_back.get(self.decision.n)


def runs_in(place: Path) -> list[PastRun | UnreadableRun]:
    """The runs in a folder and below it, oldest first; a run folder is its own only run.

    A damaged run is listed with its problem, never passed over. Raises InputError when there is none.
    """
    folders = run_folders(place)
    if not folders:
        raise no_runs(place)
    found = list(map(_read_run, folders))
    undone = undone_by(restores_in(places_of([run.log for run in found if isinstance(run, PastRun)])))
    return sorted((_with_restores(run, undone) for run in found), key=_age)


def _with_restores(
    run: PastRun | UnreadableRun, undone: Mapping[str, Mapping[int, GivenBack]]
) -> PastRun | UnreadableRun:
    if isinstance(run, UnreadableRun) or run.log.root not in undone:
        return run
    return replace(run, given_back=undone[run.log.root])


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of past runs; None asks for all.

    `user` is a user directory and id, as the runs have them; `rule` the name of a rule or guard that decided or
    matched; the days of `span` are those of the policy's time zone.
    """

    user: tuple[str | None, str | None] | None = None
    verdict: str | None = None
    rule: str | None = None
    outcome: OutcomeKind | None = None
    span: DaySpan = DaySpan()

    def fits(self, run: PastRun) -> bool:
        """Whether a run is of the days that are asked for."""
        return self.span.is_all or self.span.has(run.day)


def select(runs: Iterable[PastRun], asked: Question) -> Iterator[PastDecision]:
    """The decisions of runs that answer a question."""
    for run in filter(asked.fits, runs):
        for decision in sorted(run.decisions, key=_by_user):  # their order in the log is one by chance
            about = decision.about
            if asked.user not in (None, (about.user_directory, about.user_id)):
                continue
            if asked.verdict not in (None, decision.verdict):
                continue
            if asked.rule is not None and asked.rule not in (run.rule_of(decision), about.rule, *about.rules):
                continue
            past = PastDecision(run, decision)
            if asked.outcome is not None and (past.outcome is None or past.outcome.result != asked.outcome):
                continue
            yield past


def _by_user(decision: RecordedDecision) -> tuple[str, str, str]:
    about = decision.about
    return (about.user_directory or "").casefold(), (about.user_id or "").casefold(), decision.license_type


def rules_in(runs: Iterable[PastRun]) -> set[str]:
    """The names of all rules, guards and registers that runs were decided by."""
    return {*GUARDS, *STANDING, *(rule.label for run in runs for rule in run.log.policy.rules)}


def _read_run(folder: Path) -> PastRun | UnreadableRun:
    try:
        log = read_log(folder)
        day_of_log(log)
        path = folder / JOURNAL_FILE
        journal = read_journal(path, log.line_of) if path.exists() else None
        if journal is not None:
            check_journal(path, journal, log)
    except (DamagedLog, InputError) as error:
        return UnreadableRun(folder, str(error))
    except OSError as error:
        return UnreadableRun(folder, f"{folder}: {error.strerror}")
    return PastRun(folder, log, journal)


def _age(run: PastRun | UnreadableRun) -> tuple[str, str]:
    return run.header.now if isinstance(run, PastRun) else "", str(run.folder)


def revealed(runs: Iterable[PastRun], pseudonyms: Pseudonyms, snapshot: Snapshot) -> list[PastRun]:
    """Runs with the people named again whom the snapshot speaks of; each run by the pseudonyms of its period."""
    people: dict[str | None, Mapping[str, Revealed]] = {}
    found = []
    for run in runs:
        period = run.header.period
        if period not in people:
            people[period] = pseudonyms.of_period(period).people(snapshot)
        found.append(run.revealed(people[period]) if run.header.pseudonyms == pseudonyms.key_id else run)
    return found


def _revealed(decision: RecordedDecision, people: Mapping[str, Revealed]) -> RecordedDecision:
    about = decision.about
    if about.user_id is None or about.user_id not in people:
        return decision
    directory, user_id, name = people[about.user_id]
    reason = about.reason.replace(about.user_id, user_id)
    part = structs.replace(about, user_directory=directory, user_id=user_id, user_name=name, reason=reason)
    return structs.replace(decision, person=part)
