"""The decision first: how a run stands, in a word, what to do next, and what happens to how many licenses."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypeAlias

from seatwarden.engine.decide.decision import that_take
from seatwarden.engine.decide.states import MEANINGS, STATES, LicenseState
from seatwarden.engine.log.journal import JournalState
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.plan.limits import Excess, allocated_in, excesses, longest_unused_first
from seatwarden.engine.plan.modes import DRY_RUN, MAX_AGE_HOURS, WHAT_IF
from seatwarden.engine.report.pool import Pool
from seatwarden.engine.report.sentences import waiting_in
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.grammar.printer import print_limit

RunWord: TypeAlias = Literal[
    "To be approved",
    "Over the limit",
    "Stopped",
    "Nothing is due",
    "Waiting for notice",
    "What-if",
    "Applied",
    "Applied in part",
    "Damaged",
]
"""How a run stands. `Stopped`: by a change that touches everybody."""

_LOOKS: dict[RunWord, tuple[str, str]] = {
    "To be approved": ("approve", "?"),
    "Over the limit": ("wrong", "✗"),
    "Stopped": ("wrong", "✗"),
    "Nothing is due": ("well", "✓"),
    "Waiting for notice": ("well", "✓"),
    "What-if": ("stopping", "≈"),
    "Applied": ("well", "✓"),
    "Applied in part": ("attention", "!"),
    "Damaged": ("wrong", "✗"),
}
"""The class that each is drawn with, and a sign, for who does not see colours."""

_APPLY = "seatwarden apply . --site SITE"
_RUN = "seatwarden run --site SITE"


@dataclass(frozen=True, slots=True)
class NextStep:
    """Something to do next: why, and the command, as it is typed in the run's folder."""

    why: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """How a run stands, and the next steps: each is another way."""

    word: RunWord
    steps: tuple[NextStep, ...]

    @property
    def look(self) -> str:
        """The class that it is drawn with."""
        return _LOOKS[self.word][0]

    @property
    def has_commands(self) -> bool:
        """Whether a step is a command."""
        return any(step.command for step in self.steps)

    @property
    def sign(self) -> str:
        """A sign beside the word."""
        return _LOOKS[self.word][1]


@dataclass(frozen=True, slots=True)
class StateCount:
    """A state that licenses of the run are in: its number among all states, its word and what it means."""

    index: int
    state: LicenseState
    meaning: str


@dataclass(frozen=True, slots=True)
class TypeCounts:
    """The licenses of one type by the states shown, and those that are free before and after, where that is known."""

    license_type: LicenseType
    counts: tuple[int, ...]
    free: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that the plan is over: how it is written, for which licenses, how many are due and how many it allows."""

    limit: str
    license_type: str
    due: int
    allowed: int


def run_word(plan: RecordedPlan, journal: JournalState | None, states: Sequence[LicenseState]) -> RunWord:
    """How the run stands."""
    count = Counter(states)
    if journal is not None:
        left = count["in this run"] + count["failed"] + count["unknown"]
        return "Applied in part" if left or not journal.sealed else "Applied"
    if plan.header.mode == WHAT_IF:
        return "What-if"
    if plan.is_stopped:
        return "Stopped"
    if count["in this run"]:
        return "To be approved"
    if count["due"]:
        return "Over the limit"
    return "Waiting for notice" if waiting_in(plan.log.summary) else "Nothing is due"


def band_of(plan: RecordedPlan, journal: JournalState | None, states: Sequence[LicenseState]) -> Band:
    """The band on top of the page."""
    word = run_word(plan, journal, states)
    return Band(word, tuple(_steps(word, plan, states)))


def damaged_band() -> Band:
    """The band of a run whose record is not as it was written."""
    return Band("Damaged", (NextStep("See line by line what is not as it was written.", "seatwarden log verify ."),))


def _steps(word: RunWord, plan: RecordedPlan, states: Sequence[LicenseState]) -> Iterator[NextStep]:
    summary = plan.log.summary
    remedy = f"{summary.remedy[:1].upper()}{summary.remedy[1:]}" if summary.remedy else ""
    match word:
        case "To be approved":
            last = f"{plan.day.now + timedelta(hours=MAX_AGE_HOURS):%Y-%m-%d %H:%M} UTC"
            dry = " It was a dry run: nothing happens by itself." if plan.header.mode == DRY_RUN else ""
            yield NextStep(f"Yes: apply the plan, until {last}.{dry}", _APPLY)
            yield NextStep("No: do nothing. Without that command nothing is released.")
        case "Over the limit":
            yield NextStep(f"{remedy}, then make a new plan." if remedy else "Change the limit, then make a new plan.")
            yield NextStep(
                f"Or allow all {summary.release:,} for this one time; it goes on record.",
                f"{_APPLY} --limit {summary.release}",
            )
        case "Stopped":
            yield NextStep("Look at the finding below. If the change is meant:", f"{_APPLY} --accept-mass-change")
        case "What-if":
            yield NextStep(
                "It is of a file or for another moment, and is never applied. A plan that can be:",
                "seatwarden plan --site SITE -o NEW_FOLDER",
            )
        case "Applied in part":
            yield NextStep("Apply it again: what is settled is not touched, only the rest is tried.", _APPLY)
        case "Waiting for notice":
            yield NextStep("People are told by a run, and it releases when their days are over:", _RUN)
        case "Nothing is due":
            yield NextStep("Nothing is to be done.")
        case _:
            yield NextStep("Nothing is left to be done. For the record:", "seatwarden log verify .")


def shown_states(states: Sequence[LicenseState], *, applied: bool) -> tuple[StateCount, ...]:
    """The states to be counted on top: those that are there, and always what the run is about."""
    there = {*states, "kept", "released" if applied else "in this run"}
    return tuple(StateCount(n, state, MEANINGS[state]) for n, state in enumerate(STATES) if state in there)


def counts_of(
    plan: RecordedPlan, states: Sequence[LicenseState], shown: Sequence[StateCount], pools: Sequence[Pool]
) -> tuple[TypeCounts, ...]:
    """The table on top: licenses by type and state, what is free now and afterwards."""
    count = Counter((d.license_type, state) for d, state in zip(plan.decisions, states, strict=True))
    return tuple(
        TypeCounts(pool.license_type, tuple(count[pool.license_type, one.state] for one in shown), pool.free)
        for pool in pools
    )


def due_against_limits(plan: RecordedPlan) -> list[Excess]:
    """The limits that not all licenses which are due fit into, choosing ones among them."""
    return excesses(plan.limits, allocated_in(plan.decisions), _by_type(plan), plan.numbers)


def breaches_of(plan: RecordedPlan) -> tuple[Breach, ...]:
    """The limits because of which nothing is released: they choose nothing, and are exceeded."""
    allocated = allocated_in(plan.decisions)
    chosen = longest_unused_first(plan.limits, allocated, that_take(plan.decisions), plan.numbers)
    planned = {t: sum(d.license_type == t for d in chosen) for t in LICENSE_TYPES}
    return tuple(
        Breach(print_limit(one.limit), one.license_type or "both types", one.planned, one.allowed)
        for one in excesses(plan.limits, allocated, planned, plan.numbers)
    )


def _by_type(plan: RecordedPlan) -> dict[LicenseType, int]:
    return {t: sum(d.license_type == t and d.takes for d in plan.decisions) for t in LICENSE_TYPES}
