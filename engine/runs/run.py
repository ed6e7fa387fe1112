"""One unattended run: a plan, sealed on the disk, and its releases, unless it is a dry run.

What an earlier run left open is brought to its end first (see `engine.runs.recovery`). Nothing in here asks
anybody: what a person would be asked is settled by the settings, and where they say nothing, nothing is released.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.apply.apply import PendingApply, check_plan, find_pending
from seatwarden.engine.apply.behind_pseudonyms import lacking_key
from seatwarden.engine.apply.pending import ApplyResult, carry_out, open_journal
from seatwarden.engine.apply.releaser import Release
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog, OverTheLimit, PlanRefused, RemoteError, UntrustedRecord
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.log.growing import ChangedMeanwhile
from seatwarden.engine.log.kept import keep
from seatwarden.engine.log.lines import Key, PlanHeader
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.register import RUNS_FOLDER
from seatwarden.engine.log.writer import seal_plan
from seatwarden.engine.monitor.capacity import FreeLicenses, free_licenses
from seatwarden.engine.notice.messages_due import DueMessage
from seatwarden.engine.notice.standings import CHANGED_HELP, Reach, StandingsBeside
from seatwarden.engine.notice.trust import check_clock
from seatwarden.engine.plan.findings import MASS_CHANGE, Finding
from seatwarden.engine.plan.free import freed
from seatwarden.engine.plan.guarantees import broken_words
from seatwarden.engine.plan.modes import DRY_RUN, LIVE
from seatwarden.engine.plan.plan import Plan, make_plan, with_origin
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.approved import approved_plan, why_not_granted
from seatwarden.engine.runs.baseline import compared_with_before, mass_changes
from seatwarden.engine.runs.context import Connection, RunContext
from seatwarden.engine.runs.last_released import note_last_released
from seatwarden.engine.runs.lately import with_lately
from seatwarden.engine.runs.notices import AgreeTo, NoticesOfRun, due_messages, reach_of
from seatwarden.engine.runs.pruning import prune_old
from seatwarden.engine.runs.record import SiteRecord, locked_record
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
from seatwarden.engine.runs.run_report import RunOutcome, RunReport, Told
from seatwarden.engine.runs.seen import keep_seen, note_released
from seatwarden.engine.runs.terms import keys_in, terms_of
from seatwarden.engine.site.notice import notice_notes
from seatwarden.engine.site.settings import Settings, demands_of
from seatwarden.policy.errors import InputError

ACCEPT_OPTION = "--accept-mass-change"
MAX_AGE = timedelta(hours=24)
"""The age up to which a plan's releases are brought to their end."""


def run_once(
    settings: Settings,
    context: RunContext,
    *,
    dry_run: bool,
    accept_mass_change: bool = False,
    tell_only: AgreeTo | None = None,
) -> RunReport:
    """Plans, and releases unless `dry_run`. Never raises for what the site, the disk or another run does.

    A change that touches everybody stops it, unless `accept_mass_change`. With `tell_only` nothing is released, neither
    of an earlier run: it sends what is due where that agrees to it.
    """
    run = _Run(settings, context, dry_run, accept_mass_change, tell_only)
    started = context.clock()
    try:
        hand = replace(context.hand, key=settings.signing.read()) if settings.signing else context.hand
        with locked_record(settings.folder, settings.site.url, hand) as record:
            for why in (*record.unfinished, *record.changed):
                context.log("what was begun to be erased or pruned is not gone", level=logging.WARNING, why=why)
            ended = run.ended(record)
            note_released(settings, run.applied, context.clock(), context.log)
            prune_old(record, settings, context.log)
            if ended.outcome in _ATTEMPTS:
                record.attempt("; ".join(ended.why), failed=ended.outcome == "failed", root=run.root)
            seals = record.seals(run.root) if run.root else None
    except PlanRefused as refusal:  # another one is at work: what it writes must not be disturbed
        ended, seals = _Ended("refused", (str(refusal),)), None
    except (InputError, UntrustedRecord) as problem:
        ended, seals = _Ended("failed", (problem.message,), problem), None
    except OSError as problem:
        ended, seals = _Ended("incomplete", (f"the register cannot be written: {problem.strerror or problem}",)), None
    return RunReport(
        ended.outcome,
        dry_run,
        started,
        context.clock(),
        run.plan,
        run.folder,
        tuple(run.applied),
        ended.why,
        ended.error,
        run.ending,
        run.stopped_by,
        seals,
        run.free(),
        run.told,
    )


_ATTEMPTS: tuple[RunOutcome, ...] = ("over-limit", "stopped", "refused", "failed")
"""The ways to end in which nothing of a plan was begun: of these nothing else would be on record."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a run ended, and why, in sentences."""

    outcome: RunOutcome
    why: tuple[str, ...] = ()
    error: InputError | RemoteError | UntrustedRecord | None = None


class _Run:
    """The steps of a run; what there is when it ends early stays readable."""

    def __init__(
        self,
        settings: Settings,
        context: RunContext,
        dry_run: bool,
        accept_mass_change: bool,
        tell_only: AgreeTo | None,
    ) -> None:
        self._settings = settings
        self._tell_only = tell_only
        self._accept_mass_change = accept_mass_change
        self._context = context
        self._dry_run = dry_run
        self._runs = settings.folder / RUNS_FOLDER
        self._pseudonyms = Pseudonyms.under(settings.pseudonym_key) if settings.pseudonym_key else None
        self._ends: list[ApplyResult] = []
        self.plan: Plan | None = None
        self.folder: Path | None = None
        self.applied: list[Applied] = []
        self.ending: tuple[EndingCertificate, ...] = ()
        self.stopped_by: tuple[Finding, ...] = ()
        self.root: str | None = None
        """The root of the plan, once it is on the disk."""
        self._notices: NoticesOfRun | None = None
        self._to_send: tuple[DueMessage, ...] = ()
        self._reach: Reach | None = None
        self._waits = False
        """Whether the plan that it made waits for approvals."""

    def ended(self, record: SiteRecord) -> _Ended:
        """Carries the run out; whatever the site, the disk or another run does, it ends in words."""
        try:
            record.demands(demands_of(self._settings))
            record.know_keys(keys_in(self._settings.signing, self._settings.approvals))
            return _Ended(*self._carry_out(record))
        except PlanRefused as refusal:
            return _Ended("refused", (str(refusal),))
        except OverTheLimit as over:
            return _Ended("over-limit", tuple(over.sentences))
        except (InputError, RemoteError, UntrustedRecord) as problem:
            return _Ended("failed", (problem.message,), problem)
        except DamagedLog as damage:
            return _Ended("refused", (f"the plan just written is damaged: {damage}",))
        except ChangedMeanwhile as changed:
            return _Ended("failed", (str(changed),), UntrustedRecord(str(changed), CHANGED_HELP))
        except OSError as problem:  # all others have been told apart: this is the journal or the register
            return _Ended("incomplete", (f"the journal cannot be written: {problem.strerror or problem}",))

    def _carry_out(self, record: SiteRecord) -> tuple[RunOutcome, tuple[str, ...]]:
        if self._context.stop.is_set():
            return _INTERRUPTED
        if self._settings.notice is not None and self._settings.policy.gives_notice:
            for text in notice_notes(self._settings.notice, asked=True):
                self._context.log(text, level=logging.WARNING)
        with self._context.connect() as qrs:
            if not self._dry_run and self._tell_only is None:
                self._finish_earlier(qrs, record)
                self._apply_approved(qrs, record)
                self._close_begun(qrs, record)
            if self._context.stop.is_set():
                return _INTERRUPTED
            plan, folder = self._make_plan(qrs, record)
            if self._dry_run:
                self._find_messages(plan, record)
                return "dry-run", ()
            with self._telling(plan, record) as tell:
                if broken := broken_words(plan.guarantees):
                    return "stopped", tuple(broken)
                if self.stopped_by:
                    return "stopped", tuple(f"{finding.code}: {finding.message}" for finding in self.stopped_by)
                if self._context.stop.is_set():
                    return _INTERRUPTED
                # Read back and checked like any plan: what is released is what the sealed file says.
                recorded = read_plan(folder)
                if recorded.log.root != self.root:
                    raise PlanRefused("the plan on the disk is not the one that was just written")
                check_plan(recorded, self._settings.site.url, MAX_AGE, self._context.clock())
                pending = find_pending(
                    recorded, folder, plan.limits, lambda: plan.unused_days, announced=lambda: plan.announced
                )
                if self._tell_only is None and self._settings.approvals is None:
                    self._apply(pending, qrs, record)
                self._waits = self._settings.approvals is not None and bool(pending.chosen)
                tell()
        return self._outcome()

    def _find_messages(self, plan: Plan, record: SiteRecord) -> None:
        """Finds what a run that is no dry run would send."""
        notice = self._settings.notice
        if notice is not None and plan.policy.gives_notice:
            site = self._standings(record).site(plan.policy, plan.snapshot, plan.day)
            due = due_messages(plan, site, redirect=notice.redirect_to)
            self._to_send = tuple(due[: notice.max_messages])

    @contextmanager
    def _telling(self, plan: Plan, record: SiteRecord) -> Iterator[Callable[[], None]]:
        """Enters which notices have ended; what it yields sends what is due, when the releases are done."""
        beside, notice = self._standings(record), self._settings.notice
        if not plan.policy.gives_notice and not beside.notices().lines:
            yield lambda: None
            return
        with record.notices() as register:
            site = replace(beside.site(plan.policy, plan.snapshot, plan.day), notices=register.notices)
            self._notices = notices = NoticesOfRun(plan, site, register, self._context.clock)
            notices.seen(record.number_of(self.root or "") or 0)
            notices.end()

            def tell() -> None:
                if notice is not None:
                    agree = self._tell_only or (lambda due: True)
                    notices.send(notice, self._settings.site.host, self._context.couriers, self._context.stop, agree)

            yield tell

    def _standings(self, record: SiteRecord, carried_out: PlanHeader | None = None) -> StandingsBeside:
        """The registers beside that of runs, with how people are told."""
        if self._reach is None:
            self._reach = reach_of(self._settings, day_for(self._settings.policy, self._context.clock(), None))
        return record.standings(carried_out, self._reach)

    def _make_plan(self, qrs: Connection, record: SiteRecord) -> tuple[Plan, Path]:
        now = self._context.clock()
        policy, site = self._settings.policy, self._settings.site
        snapshot = qrs.snapshot(now)
        self.ending = tuple(qrs.ending)
        for warning in (*(one.describe() for one in self.ending), *snapshot.remarks):
            self._context.log(warning, level=logging.WARNING)
        day = day_for(policy, now, None)
        note_last_released(snapshot, policy, self._settings.folder, day)
        beside = self._standings(record)
        snapshot, heads = beside.noted(snapshot, day)
        if not self._dry_run and (heads.notices is not None or policy.gives_notice):
            check_clock(beside.notices().notices, now, qrs.site_clock)
        stand = beside.stand(policy, snapshot, day)
        plan = make_plan(policy, snapshot, day, site.url, self._pseudonyms, stand)
        plan = with_lately(plan, self._settings.folder)
        mode = LIVE if not self._dry_run and self._tell_only is None else DRY_RUN
        plan = with_origin(plan, self._context.hand.origin(mode, snapshot.site_clock))
        plan = compared_with_before(plan, [self._runs], self._settings.mass_change)
        changes = mass_changes(plan.findings)
        plan = replace(plan, accepted=self._accept_mass_change and bool(changes))
        self.stopped_by = _stopping(plan, self._settings.stop_on)
        folder = self._runs / plan.run_id
        terms = terms_of(site, self._settings.signing, self._settings.approvals, now)
        recording = record.recording(keep(snapshot) if self._settings.keep_snapshot else None, heads, terms)
        seal = seal_plan(plan, folder, plan_text(plan), recording)
        self.plan, self.folder = plan, folder
        self.root = record.planned(plan, folder, recording, seal)
        keep_seen(self._settings, snapshot, self._context.log)
        if plan.accepted:
            record.override(ACCEPT_OPTION, "a change that touches everybody stops", "; ".join(changes), self.root)
        summary = plan.summary()
        counts = {name: summary[name] for name in ("licenses", "keep", "release", "thisRun")}
        for why in broken_words(plan.guarantees):
            self._context.log("a guarantee is not kept: no such plan is applied", level=logging.WARNING, why=why)
        for finding in plan.findings:
            self._context.log(finding.message, level=logging.WARNING, code=finding.code, at=finding.at)
        facts: dict[str, Any] = {"policy": policy.digest, "folder": str(folder), "before": plan.compared}
        self._context.log("plan sealed", run=plan.run_id, **facts, **counts)
        return plan, folder

    def _finish_earlier(self, qrs: Connection, record: SiteRecord) -> None:
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
                self._note_unpublished(pending)
                continue
            if lacking := only_read(plan) or lacking_key(plan, self._pseudonyms):
                self._context.log("an earlier run is left as it is", level=logging.WARNING, **facts, why=lacking)
                self._note_unpublished(pending)
                continue
            withdrawn = why_withdrawn(plan, self._settings.policy.digest, self._pseudonyms, self._max_age, now)
            withdrawn = withdrawn or why_not_granted(pending, folder, self._settings, record, now)
            self._context.log(
                "an earlier run is brought to its end", **facts, left=len(pending.left), withdrawn=withdrawn
            )
            self._apply(pending, qrs, record, withdrawn)

    @property
    def _max_age(self) -> timedelta:
        """The age up to which a plan's releases are brought to their end."""
        return self._settings.approvals.valid_for if self._settings.approvals is not None else MAX_AGE

    def _apply_approved(self, qrs: Connection, record: SiteRecord) -> None:
        """Applies the newest plan that enough people have approved, if there is one."""
        found = approved_plan(self._settings, record, qrs, self._pseudonyms, self._context.clock(), self._context.log)
        if found is not None and not self._context.stop.is_set():
            plan, said = found.pending.plan, "; ".join(one.words for one in found.granted.by)
            self._context.log("an approved plan is applied", run=plan.header.run_id, approved=said)
            record.approved(plan, found.granted)
            self._apply(found.pending, qrs, record)

    def _close_begun(self, qrs: Connection, record: SiteRecord) -> None:
        """Closes runs of which nothing was sent before they were killed: the new plan decides on their licenses."""
        for folder in begun_without_journal(record.register, self._settings.folder):
            try:
                plan = read_plan(folder)
                pending = find_pending(plan, folder, plan.limits)
                self._apply(pending, qrs, record, "it was interrupted before anything was sent")
            except (PlanRefused, OverTheLimit, DamagedLog, InputError) as problem:
                why = describe(problem)
                self._context.log("an earlier run is left as it is", level=logging.WARNING, folder=str(folder), why=why)

    def _apply(self, pending: PendingApply, qrs: Connection, record: SiteRecord, withdrawn: str | None = None) -> None:
        if not pending.chosen or (pending.state is not None and pending.state.sealed):
            return
        run = pending.plan.header.run_id

        def progress(outcome: Outcome) -> None:
            license_type, license_id = outcome.key
            facts: dict[str, Any] = {"type": license_type, "license": license_id, "detail": outcome.detail}
            if pending.plan.header.period is not None:
                del facts["license"]  # a log has the moment, which QRS notes beside the name
            level = logging.WARNING if outcome.result in ("failed", "unknown") else logging.INFO
            self._context.log(outcome.result, level=level, run=run, **facts)

        clock = self._context.clock
        beside = ReleasedBeside([self._runs])
        plan, pseudonyms = pending.plan, self._pseudonyms
        decide_now = self._standings(record, plan.header).decider(clock, lambda: qrs.site_clock, self._check)
        release = Release(
            plan, qrs, pseudonyms=pseudonyms, clock=clock, released_by=beside.run_of, decide_now=decide_now
        )
        with record.applying(pending):
            journal = open_journal(pending, self._context.hand, qrs.site_clock)
            try:
                done = carry_out(
                    pending,
                    release,
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
                self._note_unpublished(pending)  # also when the disk is full: what was released must not be lost

    @property
    def told(self) -> Told:
        """What people were told, or would be."""
        mine = self._notices
        return Told(tuple(mine.ended), tuple(mine.sent)) if mine is not None else Told(due=self._to_send)

    def _check(self) -> None:
        """Raises OSError where the register of notices, while it is open, is not as this run has left it."""
        if self._notices is not None:
            self._notices.check()

    def free(self) -> tuple[FreeLicenses, ...]:
        """The licenses that are free when the run has ended, as far as QRS said how many there were before."""
        if self.plan is None:
            return ()
        seats = freed(self.plan.snapshot.overview, self.plan.decisions, self._released())
        return free_licenses(seats, self._settings, self.plan.day.today)

    def _released(self) -> set[Key]:
        """What was released of this run's own plan."""
        mine = [one for one in self.applied if self.plan and one.plan.header.run_id == self.plan.run_id]
        return {outcome.key for one in mine for outcome in one.outcomes if outcome.result == "released"}

    def _note_unpublished(self, pending: PendingApply) -> None:
        applied = unpublished(pending.plan, pending.path, self._settings.folder)
        if applied.outcomes:
            self.applied.append(applied)

    def _outcome(self) -> tuple[RunOutcome, tuple[str, ...]]:
        if any(done.refused for done in self._ends):
            return "failed", ("QRS does not accept us: the run was ended",)
        if all(done.settled for done in self._ends):
            return ("waiting" if self._waits else "done"), ()
        if self._context.stop.is_set():
            return _INTERRUPTED
        return "incomplete", ("some licenses are not released: see their outcomes",)


def _stopping(plan: Plan, stop_on: tuple[str, ...]) -> tuple[Finding, ...]:
    """The findings that stop a run: those that the site file names, and what touches everybody until it is accepted."""
    stops = {MASS_CHANGE, *stop_on} - ({MASS_CHANGE} if plan.accepted else set())
    return tuple(finding for finding in plan.findings if finding.code in stops)


_INTERRUPTED: tuple[RunOutcome, tuple[str, ...]] = (
    "interrupted",
    ("asked to stop: the licenses under way were finished",),
)
