"""Work on what is sealed: which licenses were chosen, what earlier runs did with them, and what is left.

A plan is one such thing, a restore another. Here stand the steps around the licenses that both have: the journal,
opened or gone on with, the carrying out, the seal.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from seatwarden.engine.apply.actions import ActionOf, Outcome
from seatwarden.engine.apply.one_by_one import OneByOne
from seatwarden.engine.common.files import read_file, remove_file, sync_folder
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.errors import DamagedLog, PlanRefused
from seatwarden.engine.log.journal import Gift, Journal, JournalState, check_journal, gift_of, is_settled, parse_journal
from seatwarden.engine.log.journal_lines import ApplyHeader, Resume
from seatwarden.engine.log.lines import Chosen, Key
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.log.writer import salted
from seatwarden.engine.plan.circumstances import Hand
from seatwarden.engine.plan.limits import describe_limits
from seatwarden.engine.version import VERSION
from seatwarden.grammar.ast import AnyLimit


class SealedHeader(Protocol):
    """Of a first line what every journal repeats or needs."""

    @property
    def run_id(self) -> str:
        """The id of the run."""
        ...

    @property
    def site(self) -> str:
        """The site that it was made for."""
        ...

    @property
    def files(self) -> Mapping[str, str]:
        """The files that were there when it was sealed, with their SHA-256."""
        ...


class SealedWork(Protocol):
    """What is carried out: it stands sealed on the disk before anything is sent."""

    @property
    def header(self) -> SealedHeader:
        """Its first line."""
        ...

    @property
    def log(self) -> Chosen:
        """Its lines, verified."""
        ...

    @property
    def key_of(self) -> Mapping[int, Key]:
        """The license that each line speaks of."""
        ...

    @property
    def line_of(self) -> Mapping[Key, int]:
        """The line that speaks of each license."""
        ...


WorkT = TypeVar("WorkT", bound=SealedWork)


@dataclass(frozen=True)
class Pending(Generic[WorkT]):
    """The licenses that were chosen, and those of them that are left after earlier runs."""

    plan: WorkT
    path: Path
    limits: tuple[AnyLimit, ...]
    data: bytes
    state: JournalState | None
    chosen: list[Key]

    @cached_property
    def results(self) -> dict[Key, OutcomeKind]:
        """The results of earlier runs, by license."""
        outcomes = self.state.outcomes if self.state else {}
        key_of = self.plan.key_of
        return {key_of[n]: line.result for n, line in outcomes.items() if n in key_of}

    @property
    def erased_results(self) -> list[OutcomeKind]:
        """The results of licenses whose lines are erased: they count, and nothing more is done with them."""
        outcomes = self.state.outcomes if self.state else {}
        return [line.result for n, line in outcomes.items() if n not in self.plan.key_of]

    @property
    def left_keys(self) -> list[Key]:
        """The licenses that are left now, in the order in which they were chosen."""
        results = self.results
        return [key for key in self.chosen if key not in results or not is_settled(results[key])]

    @property
    def done(self) -> int:
        """How many licenses earlier runs have settled."""
        return len(self.chosen) - len(self.left_keys)

    @property
    def attempted(self) -> list[Key]:
        """Licenses for which something may have been sent whose answer nobody knows."""
        if self.state is None:
            return []
        known, state = self.plan.key_of, self.state
        # Of an exchange it may be unknown what became of the POST: that is no DELETE.
        sent = [n for n in state.outcomes if n not in state.gifts or n in state.unanswered]
        unknown = [n for n in sent if state.outcomes[n].result == "unknown"]
        return [known[n] for n in dict.fromkeys((*state.open_intents, *unknown)) if n in known]

    @property
    def gifts(self) -> dict[Key, Gift | None]:
        """What earlier runs have given in the place of licenses; None where it is not known what became of a POST."""
        known = self.plan.key_of
        found = self.state.gifts if self.state is not None else {}
        return {known[n]: gift_of(line) if line is not None else None for n, line in found.items() if n in known}

    @property
    def counts(self) -> dict[str, int]:
        """Licenses by result so far."""
        return count_results([*self.results.values(), *self.erased_results], self.plan.log.results)


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """How it ended: this run's outcomes, the counts over all runs, whether every license is settled, whether QRS
    refused us in the middle, and whether it told of any license at all."""

    outcomes: list[Outcome]
    counts: dict[str, int]
    settled: bool
    refused: bool
    reached: bool


def journal_so_far(path: Path, plan: SealedWork) -> tuple[bytes, JournalState | None]:
    """The journal at a place, as bytes and as what it says; None where nothing had begun.

    Raises PlanRefused for one that is damaged or of another plan, OSError.
    """
    data = read_file(path) if path.exists() else b""
    try:
        state = parse_journal(path, data, plan.line_of)
        if state is not None and state.header.plan_root != plan.log.root:
            raise PlanRefused(f"the journal `{path}` belongs to another plan")
        if state is not None:
            check_journal(path, state, plan.log)
    except DamagedLog as damaged:
        raise PlanRefused(f"the journal `{path}` is not as it was written: {damaged.first}") from None
    return data, state


def open_journal(pending: Pending[Any], hand: Hand, qrs_clock: datetime | None = None) -> Journal:
    """The journal, new or to go on with; `hand` is who does it. Raises OSError."""
    clocks, seed = hand.clocks(qrs_clock), hand.seed()
    if pending.state is not None:
        journal = Journal.reopen(pending.path, pending.data, seed)
        with journal.closed_on_failure():
            journal.append(Resume(at=clocks.ours, clocks=clocks, person=salted(hand.made, journal.salt())))
        return journal
    remove_file(pending.path)  # a crash came before the first line was whole: nothing had begun
    sync_folder(pending.path.parent)
    journal = Journal.create(pending.path, seed)
    with journal.closed_on_failure():
        header = ApplyHeader(
            run_id=pending.plan.header.run_id,
            tool=f"seatwarden {VERSION}",
            plan_root=pending.plan.log.root,
            site=pending.plan.header.site,
            limits=describe_limits(pending.limits),
            chosen=[pending.plan.line_of[key] for key in pending.chosen],
            at=clocks.ours,
            clocks=clocks,
            person=salted(hand.made, journal.salt()),
        )
        journal.append(header)
    return journal


def carry_out(
    pending: Pending[Any],
    action_of: ActionOf,
    journal: Journal,
    *,
    parallel: int,
    clock: Callable[[], datetime],
    progress: Callable[[Outcome], None],
    stop: threading.Event | None = None,
    withdrawn: str | None = None,
) -> ApplyResult:
    """Does what is left, and seals the journal when every license is settled. Raises OSError, RemoteError.

    Once `stop` is set, the licenses under way are finished and no other is begun. `withdrawn` says why nothing more
    is sent; then it is only looked up what became of what was.
    """
    work = OneByOne(
        action_of,
        journal,
        attempted=pending.attempted,
        clock=clock,
        progress=progress,
        stop=stop,
        withdrawn=withdrawn,
    )
    left = pending.left_keys
    outcomes = work.run(left, parallel)
    results = pending.results | {outcome.key: outcome.result for outcome in outcomes}
    counts = count_results([*results.values(), *pending.erased_results], pending.plan.log.results)
    settled = {outcome.key for outcome in outcomes if is_settled(outcome.result)} == set(left)
    if settled:
        journal.seal(counts, pending.plan.header.files, format_instant(clock()))
    return ApplyResult(outcomes, counts, settled, work.refused, work.reached)


def count_results(results: Iterable[OutcomeKind], kinds: tuple[OutcomeKind, ...]) -> dict[str, int]:
    """Licenses by result, every result of these kinds named."""
    counted = Counter(results)
    return {result: counted[result] for result in kinds}
