"""The evidence of an audit: the runs of a span of days as far as they can be read, and the register's lines on them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from seatwarden.engine.common.files import read_file
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.day import Day, DaySpan
from seatwarden.engine.log.journal import JournalState
from seatwarden.engine.log.journal_lines import OutcomeLine
from seatwarden.engine.log.lines import PlanHeader, PlanLog
from seatwarden.engine.log.reader import RecordedPlan, recorded_plan
from seatwarden.engine.log.register import REGISTER_FILE
from seatwarden.engine.log.register_line import RegisterLine
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE, is_named
from seatwarden.engine.log.verified_run import VerifiedRun
from seatwarden.engine.log.verify import VerifiedRecord
from seatwarden.engine.notice.verify import verify_all
from seatwarden.engine.report.write import possible_pages
from seatwarden.policy.errors import InputError


@dataclass(frozen=True)
class RunEvidence:
    """One run: what of it verifies, and its plan with all rules evaluated again (None: it cannot be read)."""

    verified: VerifiedRun
    name: str
    plan: RecordedPlan | None
    journal_lost: bool = False
    """Whether there was a journal that cannot be read, or is missing: then it is not known what the run did."""

    @property
    def folder(self) -> Path:
        """Its folder."""
        return self.verified.folder

    @property
    def log(self) -> PlanLog:
        """Its plan, line by line; the run must be readable."""
        assert self.plan is not None  # noqa: S101 - for the type checker: see Evidence.readable
        return self.plan.log

    @property
    def header(self) -> PlanHeader:
        """The first line of its plan; the run must be readable."""
        return self.log.header

    @property
    def day(self) -> Day:
        """The day that was decided for; the run must be readable."""
        assert self.plan is not None  # noqa: S101 - for the type checker: see Evidence.readable
        return self.plan.day

    @property
    def journal(self) -> JournalState | None:
        """What became of it."""
        return self.verified.journal

    @cached_property
    def by_line(self) -> Mapping[int, Decision]:
        """The decisions by the numbers of their lines."""
        assert self.plan is not None  # noqa: S101 - for the type checker: see Evidence.readable
        return dict(zip(self.plan.lines, self.plan.decisions, strict=True))

    @property
    def outcomes(self) -> list[OutcomeLine]:
        """The last outcome of each license, in the order of the journal."""
        return sorted(self.journal.outcomes.values(), key=lambda line: line.n) if self.journal else []

    @property
    def made(self) -> str | None:
        """When it was made, by our clock; None where the record does not say."""
        return self.header.clocks.ours or None

    @cached_property
    def last_line(self) -> int:
        """The line of the plan's summary; behind it stands the seal."""
        findings = 2 + len(self.log.findings)
        return max([findings, *(line.n for line in (*self.log.decisions, *self.log.erased))]) + 1

    def at_plan(self, line: int) -> str:
        """A line of the plan, as a place."""
        return f"{self.name}{PLAN_FILE}:{line}"

    def at_journal(self, line: int) -> str:
        """A line of the journal, as a place."""
        return f"{self.name}{JOURNAL_FILE}:{line}"

    def at_note(self, name: str) -> str:
        """A signed note beside them, as a place; its fields are its lines."""
        return f"{self.name}{name}:1"

    def day_of(self, at: str) -> date | None:
        """The day of an instant in the zone in which the run counts days."""
        instant = parse_timestamp(at)
        return self.day.day_of(instant) if instant is not None else None


@dataclass(frozen=True)
class Evidence:
    """All that an audit reads. `runs` are those of the span, the oldest first."""

    place: Path
    base: Path
    span: DaySpan
    record: VerifiedRecord
    runs: tuple[RunEvidence, ...]
    left_out: int

    @property
    def whole(self) -> bool:
        """Whether all runs of the register were asked for.

        Else only those of its lines count that are about some here.
        """
        return self.record.whole

    @cached_property
    def readable(self) -> tuple[RunEvidence, ...]:
        """The runs that can be read."""
        return tuple(run for run in self.runs if run.plan is not None)

    @property
    def why_unread(self) -> str:
        """Why there is nothing to answer from, where no run is readable."""
        return (
            "The record has no run of these days." if not self.runs else "The record cannot say: no plan can be read."
        )

    def register_lines(self, *kinds: type[RegisterLine]) -> Iterator[tuple[int, Any]]:
        """The register's lines of some kinds with their numbers, of the span and of the runs in question."""
        state = self.record.register
        numbers = {number for run in self.readable if (number := number_of(run)) is not None}
        for n, line in enumerate(state.lines, 1) if state is not None else ():
            if not isinstance(line, kinds) or not self.span.has(_utc_day(line.at)):  # type: ignore[attr-defined]
                continue
            if self.whole or getattr(line, "run", None) in numbers:
                yield n, line

    def at_register(self, line: int) -> str:
        """A line of the register, as a place."""
        assert self.record.register_path is not None  # noqa: S101 - for the type checker: it has lines
        return f"{self.named(self.record.register_path)}:{line}"

    def named(self, path: Path) -> str:
        """A path as places have it."""
        return _path(path.absolute(), self.base.absolute())


def number_of(run: RunEvidence) -> int | None:
    """The run's number in the register, as its plan says it."""
    return run.header.register.run if run.header.register else None


def gather_evidence(place: Path, span: DaySpan, register: Path | None = None) -> Evidence:
    """Reads and verifies a run, a folder of runs, or a state folder with its register. Raises InputError."""
    if register is not None:
        _check_register(register)
    record = verify_all(place, possible_pages, register, elsewhere=True)
    base = place if place.is_dir() else place.parent
    faulty = {fault.path for fault in record.faults}
    alone = (place.is_file() and not is_named(place, REGISTER_FILE)) or (place / PLAN_FILE).is_file()
    names = [""] if alone else _names(record.runs, base)
    runs = sorted((_run(run, name, faulty) for run, name in zip(record.runs, names, strict=True)), key=_age)
    within = tuple(run for run in runs if _is_within(run, span))
    return Evidence(place, base, span, record, within, len(runs) - len(within))


def _check_register(path: Path) -> None:
    """Raises InputError for what is no register at all; one that is damaged is a finding, not an error."""
    try:
        start = read_file(path)[: len(_REGISTER_BEGINS)]
    except OSError as error:
        raise InputError(f"the register `{path}` cannot be read: {error.strerror}") from None
    if start != _REGISTER_BEGINS:
        raise InputError(
            f"`{path}` is no register of runs", f"it is called {REGISTER_FILE}, in the site's state folder"
        )


_REGISTER_BEGINS = b'{"n":1,"kind":"register",'


def _run(verified: VerifiedRun, name: str, faulty: Set[Path]) -> RunEvidence:
    try:
        plan = recorded_plan(verified.plan) if verified.plan is not None else None
    except DamagedLog:  # said among the faults
        plan = None
    lost = verified.journal is None and verified.folder / JOURNAL_FILE in faulty
    return RunEvidence(verified, name, plan, lost)


def _names(runs: Sequence[VerifiedRun], base: Path) -> list[str]:
    """The names of runs in places: their numbers in the register, since folders would make those long.

    A folder that is the copy of another has its path.
    """
    heads = [run.plan.header.register if run.plan is not None else None for run in runs]
    short = [f"run-{head.run}" if head is not None else "" for head in heads]
    paths = [_path(run.folder.absolute(), base.absolute()) for run in runs]
    return [f"{one if one and short.count(one) == 1 else path}/" for one, path in zip(short, paths, strict=True)]


def _path(folder: Path, base: Path) -> str:
    return folder.relative_to(base).as_posix() if folder.is_relative_to(base) else str(folder)


def _age(run: RunEvidence) -> tuple[str, int, str]:
    if run.plan is None:
        return "", 0, run.name
    return run.made or run.header.now, number_of(run) or 0, run.name


def _is_within(run: RunEvidence, span: DaySpan) -> bool:
    """Whether something of it lies in the span: the day decided for, its making, a line of its journal.

    Of a run that cannot be read it is not known when it was: it counts.
    """
    if run.plan is None or span.is_all:
        return True
    instants = [run.made, *(getattr(line, "at", None) for line in _events(run.journal))]
    days = [run.day.today, *(run.day_of(at) for at in instants if at)]
    return any(day is not None and span.has(day) for day in days)


def _events(journal: JournalState | None) -> Sequence[object]:
    return journal.events if journal is not None else ()


def _utc_day(at: str) -> date:
    instant = parse_timestamp(at)
    return instant.date() if instant is not None else date.min
