"""Applying plans in an unattended run: its own, those that earlier runs left in the middle, those that are approved."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from msgspec import structs

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.apply.apply import PendingApply, find_pending
from seatwarden.engine.apply.behind_pseudonyms import lacking_key
from seatwarden.engine.apply.downgrader import actions_of_plan
from seatwarden.engine.apply.pending import ApplyResult, carry_out, open_journal
from seatwarden.engine.apply.releaser import Release
from seatwarden.engine.decide.decide import DecideOne
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog, OverTheLimit, PlanRefused
from seatwarden.engine.facts.day import Day, day_for
from seatwarden.engine.log.lines import PlanHeader
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.register import RUNS_FOLDER, Begun
from seatwarden.engine.notice.standings import Reach, StandingsBeside
from seatwarden.engine.runs.approved import ApprovedPlan, approved_plan, why_not_granted
from seatwarden.engine.runs.context import Connection, RunContext
from seatwarden.engine.runs.notices import reach_of
from seatwarden.engine.runs.record import SiteRecord
from seatwarden.engine.runs.recovery import (
    Applied,
    begun_without_journal,
    describe,
    only_read,
    unfinished_runs,
    unpublished,
    why_withdrawn,
)
from seatwarden.engine.runs.released import ReleasedBeside
from seatwarden.engine.runs.run_report import RunOutcome
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import License, Snapshot, User, UserReference
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy

MAX_AGE = timedelta(hours=24)
"""The age up to which a plan's releases are brought to their end."""
INTERRUPTED: tuple[RunOutcome, tuple[str, ...]] = (
    "interrupted",
    ("asked to stop: the licenses under way were finished",),
)
"""How a run ends that was asked to."""


class Applying:
    """The plans that a run applies, one after another, and what became of them so far.

    `check` raises OSError where a register that the run has open is not as it has left it.
    """

    def __init__(self, settings: Settings, context: RunContext, check: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._context = context
        self._check = check
        self._runs = settings.folder / RUNS_FOLDER
        self._ends: list[ApplyResult] = []
        self._reach: Reach | None = None
        self.pseudonyms = Pseudonyms.under(settings.pseudonym_key) if settings.pseudonym_key else None
        self.applied: list[Applied] = []
        """The outcomes that are not published yet, plan by plan."""

    def standings(self, record: SiteRecord, carried_out: PlanHeader | None = None) -> StandingsBeside:
        """The registers beside that of runs, with how people are told."""
        return record.standings(carried_out, self.reach)

    @property
    def reach(self) -> Reach:
        """How people are told."""
        if self._reach is None:
            self._reach = reach_of(self._settings, day_for(self._settings.policy, self._context.clock(), None))
        return self._reach

    def finish_earlier(self, qrs: Connection, record: SiteRecord) -> None:
        """Brings to their end the runs that a crash or a stop has left in the middle, or that nobody was told of.

        Nothing more is released for a plan that the policy in force has not made, or that is older than a day: there
        it is only looked up what became of each DELETE that was sent, and the new plan decides on the others.
        """
        now = self._context.clock()
        for folder in unfinished_runs(self._settings.folder, now):
            if self._context.stop.is_set():
                return
            facts: dict[str, Any] = {"folder": str(folder)}
            try:
                plan = read_plan(folder)
                if plan.header.site != self._settings.site.url:
                    raise PlanRefused(f"the plan was made for {plan.header.site}")
                number = record.number_of(plan.log.root)
                if not plan.log.former and number is None:
                    raise PlanRefused("the register of runs does not know its plan")
                pending = find_pending(plan, folder, ())
                if number is not None:
                    record.check_begun(number, pending)
            except (PlanRefused, DamagedLog, InputError, OSError) as problem:
                self._context.log(
                    "an earlier run is left as it is", level=logging.WARNING, **facts, why=describe(problem)
                )
                continue
            if pending.state is None or pending.state.sealed:
                if number in record.register.open_runs():
                    record.close(pending)  # killed between the seal of its journal and the register's line
                self.note_unpublished(pending)
                continue
            if lacking := only_read(plan) or lacking_key(plan, self.pseudonyms):
                self._context.log("an earlier run is left as it is", level=logging.WARNING, **facts, why=lacking)
                self.note_unpublished(pending)
                continue
            withdrawn = why_withdrawn(plan, self._settings.policy.digest, self.pseudonyms, self._max_age, now)
            withdrawn = withdrawn or why_not_granted(pending, folder, self._settings, record, now)
            if withdrawn is None and self._settings.license_pool is not None and self._settings.license_pool.shares:
                withdrawn = "the site shares its licenses: whose are released is decided anew with the others"
            self._context.log(
                "an earlier run is brought to its end", **facts, left=len(pending.left), withdrawn=withdrawn
            )
            self.apply(pending, qrs, record, withdrawn)

    @property
    def _max_age(self) -> timedelta:
        """The age up to which a plan's releases are brought to their end."""
        return self._settings.approvals.valid_for if self._settings.approvals is not None else MAX_AGE

    def approved(self, qrs: Connection, record: SiteRecord) -> ApprovedPlan | None:
        """The newest plan that enough people have approved, if there is one. Raises RemoteError."""
        return approved_plan(self._settings, record, qrs, self.pseudonyms, self._context.clock(), self._context.log)

    def apply_approved(self, found: ApprovedPlan, qrs: Connection, record: SiteRecord) -> None:
        """Applies an approved plan."""
        plan, said = found.pending.plan, "; ".join(one.words for one in found.granted.by)
        self._context.log("an approved plan is applied", run=plan.header.run_id, approved=said)
        record.approved(plan, found.granted)
        self.apply(found.pending, qrs, record)

    def close_begun(self, qrs: Connection, record: SiteRecord) -> None:
        """Closes runs of which nothing was sent before they were killed: the new plan decides on their licenses."""
        for folder in begun_without_journal(record.register, self._settings.folder):
            try:
                plan = read_plan(folder)
                pending = find_pending(plan, folder, plan.limits)
                # As many as the register has: which ones somebody had allowed, only the journal would have said.
                begun = [line.chosen for line in record.register.of_kind(Begun) if line.root == plan.log.root]
                pending = replace(pending, chosen=pending.chosen[: begun[-1]])
                self.apply(pending, qrs, record, "it was interrupted before anything was sent")
            except (PlanRefused, OverTheLimit, DamagedLog, InputError) as problem:
                why = describe(problem)
                self._context.log("an earlier run is left as it is", level=logging.WARNING, folder=str(folder), why=why)

    def apply(self, pending: PendingApply, qrs: Connection, record: SiteRecord, withdrawn: str | None = None) -> None:
        """Releases what is left of a plan; `withdrawn` says why nothing more is sent for it."""
        if not pending.chosen or (pending.state is not None and pending.state.sealed):
            return
        run = pending.plan.header.run_id

        def progress(outcome: Outcome) -> None:
            license_type, license_id = outcome.key
            facts: dict[str, Any] = {"type": license_type, "license": license_id, "detail": outcome.detail}
            if pending.plan.header.period is not None:
                del facts["license"]  # a log has the moment, which QRS notes beside the name
            level = logging.WARNING if outcome.result in ("left", "failed", "unknown") else logging.INFO
            self._context.log(outcome.result, level=level, run=run, **facts)

        clock = self._context.clock
        beside = ReleasedBeside([self._runs])
        plan, pseudonyms = pending.plan, self.pseudonyms
        decider = self.standings(record, plan.header).decider(clock, lambda: qrs.site_clock, self._check)
        decide_now = agreed(decider, self._context.agree)
        release = Release(
            plan, qrs, pseudonyms=pseudonyms, clock=clock, released_by=beside.run_of, decide_now=decide_now
        )
        with record.applying(pending):
            journal = open_journal(pending, self._context.hand, qrs.site_clock)
            try:
                done = carry_out(
                    pending,
                    actions_of_plan(release, qrs, pending),
                    journal,
                    parallel=self._settings.parallel,
                    clock=clock,
                    progress=progress,
                    stop=self._context.stop,
                    withdrawn=withdrawn,
                )
                self._ends.append(done)
            finally:
                journal.close()
                self.note_unpublished(pending)  # also when the disk is full: what was released must not be lost

    def note_unpublished(self, pending: PendingApply) -> None:
        """Keeps the outcomes of a plan that nobody was told of yet."""
        applied = unpublished(pending.plan, pending.path, self._settings.folder)
        if applied.outcomes:
            self.applied.append(applied)

    def outcome(self, *, waits: bool = False) -> tuple[RunOutcome, tuple[str, ...]]:
        """How the run has ended with what was applied; `waits` where its own plan waits for approvals."""
        if any(done.refused for done in self._ends):
            return "failed", ("QRS does not accept us: the run was ended",)
        if any(done.counts.get("left") for done in self._ends):
            return "incomplete", ("somebody was left with both licenses: see the outcomes",)
        if all(done.settled for done in self._ends):
            return ("waiting" if waits else "done"), ()
        if self._context.stop.is_set():
            return INTERRUPTED
        return "incomplete", ("some licenses are not released: see their outcomes",)


def agreed(decide_one: DecideOne, agree: Callable[[User, LicenseType], str | None]) -> DecideOne:
    """Decides as that does, but releases only where others agree."""

    def decide_now(
        policy: CheckedPolicy, snapshot: Snapshot, license_type: LicenseType, row: License, day: Day
    ) -> Decision:
        found = decide_one(policy, snapshot, license_type, row, day)
        user = snapshot.users_by_id.get(row.user.id) if isinstance(row.user, UserReference) else None
        if not found.takes or user is None:
            return found
        why = agree(user, license_type)
        kept = structs.replace(found.ruling, verdict="keep", because="default")
        return found if why is None else structs.replace(found, ruling=kept, reason=why)

    return decide_now
