"""One apply of a plan as a whole: what is left to do after earlier runs, the journal, and the result.

`engine.apply.releaser` takes licenses one by one; here stand the steps around it, for the command and for unattended
runs.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout
from msgspec import structs

from seatwarden.engine.apply.behind_pseudonyms import check_key
from seatwarden.engine.apply.releaser import Apply, Outcome, Qrs
from seatwarden.engine.common.files import read_file, remove_file, sync_folder
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog, PlanRefused
from seatwarden.engine.facts.standing import StandingsNow, nothing_stands
from seatwarden.engine.log.journal import Journal, JournalState, check_journal, is_settled, parse_journal
from seatwarden.engine.log.lines import RESULTS, ApplyHeader, Key, OutcomeKind, Resume
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.log.writer import salted
from seatwarden.engine.plan.circumstances import Hand
from seatwarden.engine.plan.limits import SiteNumbers, allocated_in, choose, chooses, describe_limits, hold_limits
from seatwarden.engine.plan.modes import WHAT_IF
from seatwarden.engine.version import VERSION
from seatwarden.grammar.ast import AnyLimit, LicenseType
from seatwarden.policy.errors import InputError

_AHEAD = timedelta(minutes=5)
"""How far a plan may lie in the future before the clock is held to be wrong."""


@dataclass(frozen=True)
class PendingApply:
    """The work of an apply: the licenses that were chosen, and those of them that are left after earlier runs."""

    plan: RecordedPlan
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
    def left(self) -> list[Decision]:
        """The licenses to release now, in the order in which they were chosen."""
        results, decisions = self.results, {decision.key: decision for decision in self.plan.decisions}
        return [decisions[key] for key in self.chosen if key not in results or not is_settled(results[key])]

    @property
    def done(self) -> int:
        """How many licenses earlier runs have settled."""
        return len(self.chosen) - len(self.left)

    @property
    def attempted(self) -> list[Key]:
        """Licenses for which a DELETE may have been sent whose answer nobody knows."""
        if self.state is None:
            return []
        unknown = [key for key, result in self.results.items() if result == "unknown"]
        known = self.plan.key_of
        return [*(known[n] for n in self.state.open_intents if n in known), *unknown]

    @property
    def counts(self) -> dict[str, int]:
        """Licenses by result so far."""
        return count_results([*self.results.values(), *self.erased_results])


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """How an apply ended: this run's outcomes, the counts over all runs, whether every license is settled, whether
    QRS refused us in the middle, and whether it told of any license at all."""

    outcomes: list[Outcome]
    counts: dict[str, int]
    settled: bool
    refused: bool
    reached: bool


def check_plan(plan: RecordedPlan, url: str, max_age: timedelta, now: datetime) -> None:
    """Raises PlanRefused for a what-if, a plan of another site, one that is too old, and one from the future."""
    if plan.log.former:
        raise PlanRefused("the plan was made by an older seatwarden, whose plans this one only reads; make a new one")
    if plan.header.mode == WHAT_IF:
        raise PlanRefused("the plan is a what-if: made from a file, or for another moment; make one with --site alone")
    if plan.header.site != url:
        raise PlanRefused(f"the plan was made for {plan.header.site}, not for {url}; make one for this site")
    age = now - plan.day.now
    if age > max_age:
        hours, limit = (span.total_seconds() / 3600 for span in (age, max_age))
        raise PlanRefused(
            f"the plan is {hours:,.1f} hours old, more than {limit:g}; make a new one, or raise --max-age"
        )
    if age < -_AHEAD:
        when = format_instant(plan.day.now)
        raise PlanRefused(f"the plan was made for {when}, in the future; is this machine's clock right?")


@contextmanager
def only_one(lock_file: Path, url: str, seconds: float = 0) -> Iterator[None]:
    """Holds the lock of a site: one apply at a time, whatever the plan. It is waited for so many seconds.

    Raises PlanRefused while another holds it, InputError when the file cannot be used.
    """
    try:
        lock_file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lock_file)
        lock.acquire(timeout=seconds)
    except Timeout:
        raise PlanRefused(f"another apply is at work on {url}; wait until it has ended") from None
    except OSError as error:
        help_ = "it is in the state folder that the site file names; whoever runs this must be able to write there"
        raise InputError(f"the lock `{lock_file}` cannot be taken: {error.strerror}", help_) from None
    try:
        yield
    finally:
        lock.release()


def find_pending(
    plan: RecordedPlan,
    folder: Path,
    limits: tuple[AnyLimit, ...],
    unused_days: Callable[[], Mapping[Key, int]] = dict,
    lately: Mapping[int, Mapping[LicenseType, int] | None] | None = None,
) -> PendingApply:
    """The work that is left: the choice of an earlier run, or else what the plan and the limits say.

    A plan with pseudonyms does not say how long each license is unused: `unused_days` does, where a limit asks.
    `lately` is what other runs have released by now, where that may be more than when the plan was made.
    Raises PlanRefused for a journal that is damaged or of another plan, OverTheLimit, OSError.
    """
    path = folder / JOURNAL_FILE
    data = read_file(path) if path.exists() else b""
    try:
        state = parse_journal(path, data, plan.line_of)
        if state is not None and state.header.plan_root != plan.log.root:
            raise PlanRefused(f"the journal `{path}` belongs to another plan")
        if state is not None:
            check_journal(path, state, plan.log)
    except DamagedLog as damaged:
        raise PlanRefused(f"the journal `{path}` is not as it was written: {damaged.first}") from None
    if state is not None:
        chosen = [plan.key_of[n] for n in state.chosen if n in plan.key_of]
    else:
        numbers = plan.numbers if lately is None else replace(plan.numbers, lately=lately)
        chosen = _chosen(plan, limits, unused_days, numbers)
    return PendingApply(plan, path, limits, data, state, chosen)


def _chosen(
    plan: RecordedPlan,
    limits: tuple[AnyLimit, ...],
    unused_days: Callable[[], Mapping[Key, int]],
    numbers: SiteNumbers,
) -> list[Key]:
    if plan.header.period is None:
        return [decision.key for decision in choose(plan.decisions, limits, numbers)]
    exact = unused_days() if chooses(limits) else {}
    decisions = [structs.replace(one, unused_days=exact.get(one.key, one.unused_days)) for one in plan.decisions]
    chosen = {decision.key for decision in choose(decisions, limits, numbers)}
    # In the plan's order, which tells nothing: the order of disuse would give people away.
    return [decision.key for decision in plan.decisions if decision.key in chosen]


def hold_against(
    pending: PendingApply,
    limits: tuple[AnyLimit, ...],
    lately: Mapping[int, Mapping[LicenseType, int] | None],
) -> None:
    """Holds limits that somebody asks for now against an apply that has begun, with what it has released already.

    Its choice stands: it cannot be made anew for a limit that would choose. Raises OverTheLimit.
    """
    released = {key for key in pending.chosen if pending.results.get(key) == "released"}
    left = {decision.key for decision in pending.left}
    if left:
        planned = Counter(license_type for license_type, _ in released | left)
        numbers = replace(pending.plan.numbers, lately=lately)
        hold_limits(limits, allocated_in(pending.plan.decisions), planned, numbers)


def open_journal(pending: PendingApply, hand: Hand, qrs_clock: datetime | None = None) -> Journal:
    """The journal, new or to go on with; `hand` is who applies. Raises OSError."""
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
    pending: PendingApply,
    qrs: Qrs,
    journal: Journal,
    *,
    pseudonyms: Pseudonyms | None,
    parallel: int,
    clock: Callable[[], datetime],
    progress: Callable[[Outcome], None],
    stop: threading.Event | None = None,
    withdrawn: str | None = None,
    released_by: Callable[[Key], str | None] = lambda key: None,
    standings_now: StandingsNow = nothing_stands,
) -> ApplyResult:
    """Releases what is left, and seals the journal when every license is settled. Raises OSError, UntrustedRecord.

    Once `stop` is set, the licenses under way are finished and no other is begun. `withdrawn` says why nothing more
    is released; then it is only looked up what became of each DELETE that was sent. `released_by` tells which run of
    ours has released a license, if one did; `standings_now` asks the registers before each DELETE. Raises PlanRefused
    where the key of pseudonyms is not at hand.
    """
    check_key(pending.plan, pseudonyms)
    apply = Apply(
        pending.plan,
        qrs,
        journal,
        attempted=pending.attempted,
        pseudonyms=pseudonyms if pending.plan.header.period is not None else None,
        clock=clock,
        progress=progress,
        stop=stop,
        withdrawn=withdrawn,
        released_by=released_by,
        standings_now=standings_now,
    )
    left = [decision.key for decision in pending.left]
    outcomes = apply.run(left, parallel)
    results = pending.results | {outcome.key: outcome.result for outcome in outcomes}
    counts = count_results([*results.values(), *pending.erased_results])
    settled = {outcome.key for outcome in outcomes if is_settled(outcome.result)} == set(left)
    if settled:
        journal.seal(counts, pending.plan.header.files, format_instant(clock()))
    return ApplyResult(outcomes, counts, settled, apply.refused, apply.reached)


def count_results(results: Iterable[OutcomeKind]) -> dict[str, int]:
    """Licenses by result, every result named."""
    counted = Counter(results)
    return {result: counted[result] for result in RESULTS}
