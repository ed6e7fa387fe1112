"""One unattended run: a plan, sealed on the disk, and its releases, unless it is a dry run.

What an earlier run left open is brought to its end first (see `engine.runs.recovery`). Nothing in here asks
anybody: what a person would be asked is settled by the settings, and where they say nothing, nothing is released.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from seatwarden.engine.apply.apply import PendingApply, check_plan, find_pending
from seatwarden.engine.common.seals import Seals
from seatwarden.engine.errors import DamagedLog, OverTheLimit, PlanRefused, RemoteError, UntrustedRecord
from seatwarden.engine.log.growing import ChangedMeanwhile
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.register import RUNS_FOLDER
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.monitor.capacity import FreeLicenses, free_licenses
from seatwarden.engine.notice.messages_due import DueMessage
from seatwarden.engine.notice.standings import CHANGED_HELP
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.free import freed
from seatwarden.engine.plan.guarantees import broken_words
from seatwarden.engine.plan.modes import DRY_RUN, LIVE
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.alone import refuse_alone
from seatwarden.engine.runs.applying import INTERRUPTED, MAX_AGE, Applying
from seatwarden.engine.runs.baseline import mass_changes
from seatwarden.engine.runs.context import Connection, RunContext
from seatwarden.engine.runs.left import left_of
from seatwarden.engine.runs.notices import AgreeTo, NoticesOfRun, due_messages
from seatwarden.engine.runs.planning import plan_site, seal_site_plan, stopping
from seatwarden.engine.runs.pruning import prune_old
from seatwarden.engine.runs.record import SiteRecord, locked_record
from seatwarden.engine.runs.recovery import Applied
from seatwarden.engine.runs.run_report import LeftPlan, RunOutcome, RunReport, Told
from seatwarden.engine.runs.seen import keep_seen, note_released
from seatwarden.engine.runs.terms import keys_in
from seatwarden.engine.site.notice import notice_notes
from seatwarden.engine.site.settings import Settings, demands_of
from seatwarden.policy.errors import InputError

ACCEPT_OPTION = "--accept-mass-change"


def run_once(
    settings: Settings,
    context: RunContext,
    *,
    dry_run: bool,
    accept_mass_change: bool = False,
    tell_only: AgreeTo | None = None,
    in_two_steps: bool = False,
) -> RunReport:
    """Plans, and releases unless `dry_run`. Never raises for what the site, the disk or another run does.

    A change that touches everybody stops it, unless `accept_mass_change`. With `tell_only` nothing is released, neither
    of an earlier run: it sends what is due where that agrees to it. `in_two_steps` leaves the releases of its plan, or
    of the one that was approved, to `release_left`: the outcome is `planned` where there are any.
    """
    run = _Run(settings, context, dry_run, accept_mass_change, tell_only, in_two_steps)
    started = context.clock()
    try:
        with locked_record(settings.folder, settings.site.url, context.hand_of(settings)) as record:
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
    return run.report(ended, started, seals)


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
        in_two_steps: bool,
    ) -> None:
        self._settings = settings
        self._tell_only = tell_only
        self._accept_mass_change = accept_mass_change
        self._context = context
        self._dry_run = dry_run
        self._runs = settings.folder / RUNS_FOLDER
        self._in_two_steps = in_two_steps
        self._applying = Applying(settings, context, self._check)
        self.plan: Plan | None = None
        self.folder: Path | None = None
        self.left: LeftPlan | None = None
        self._left: LeftPlan | None = None
        self.ending: tuple[EndingCertificate, ...] = ()
        self.stopped_by: tuple[Finding, ...] = ()
        self.root: str | None = None
        """The root of the plan, once it is on the disk."""
        self._notices: NoticesOfRun | None = None
        self._to_send: tuple[DueMessage, ...] = ()
        self._waits = False
        """Whether the plan that it made waits for approvals."""

    def ended(self, record: SiteRecord) -> _Ended:
        """Carries the run out; whatever the site, the disk or another run does, it ends in words."""
        try:
            if not self._dry_run:
                refuse_alone(record.register, self._settings.license_pool, self._context.pool)
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
            return INTERRUPTED
        if self._settings.notice is not None and self._settings.policy.gives_notice:
            for text in notice_notes(self._settings.notice, asked=True):
                self._context.log(text, level=logging.WARNING)
        with self._context.connect() as qrs:
            if not self._dry_run and self._tell_only is None:
                self._finish_earlier(qrs, record)
            if self._context.stop.is_set():
                return INTERRUPTED
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
                    return INTERRUPTED
                # Read back and checked like any plan: what is released is what the sealed file says.
                recorded = read_plan(folder)
                if recorded.log.root != self.root:
                    raise PlanRefused("the plan on the disk is not the one that was just written")
                check_plan(recorded, self._settings.site.url, MAX_AGE, self._context.clock())
                pending = find_pending(
                    recorded, folder, plan.limits, lambda: plan.unused_days, announced=lambda: plan.announced
                )
                if self._tell_only is None and self._settings.approvals is None:
                    self._release(pending, qrs, record)
                self._waits = self._settings.approvals is not None and bool(pending.chosen)
                tell()
        return self._outcome(record)

    def _finish_earlier(self, qrs: Connection, record: SiteRecord) -> None:
        """Brings to their end what earlier runs have begun, and applies what was approved since."""
        applying = self._applying
        applying.finish_earlier(qrs, record)
        approved = applying.approved(qrs, record)
        if approved is not None and self._in_two_steps:
            self._left = left_of(approved.pending)
        elif approved is not None and not self._context.stop.is_set():
            applying.apply_approved(approved, qrs, record)
        applying.close_begun(qrs, record)

    def _release(self, pending: PendingApply, qrs: Connection, record: SiteRecord) -> None:
        """Releases what the plan has chosen, or leaves it to the second step."""
        if self._in_two_steps:
            self._left = left_of(pending, self.plan)
        else:
            self._applying.apply(pending, qrs, record)

    def _outcome(self, record: SiteRecord) -> tuple[RunOutcome, tuple[str, ...]]:
        outcome, why = self._applying.outcome(waits=self._waits)
        if self._left is None or not self._left.chosen or outcome not in ("done", "waiting"):
            return outcome, why
        self.left = replace(self._left, last_run=record.register.last_run)
        return "planned", ()

    def _find_messages(self, plan: Plan, record: SiteRecord) -> None:
        """Finds what a run that is no dry run would send."""
        notice = self._settings.notice
        if notice is not None and plan.policy.gives_notice:
            site = self._applying.standings(record).site(plan.policy, plan.snapshot, plan.day)
            due = due_messages(plan, site, redirect=notice.redirect_to)
            self._to_send = tuple(due[: notice.max_messages])

    @contextmanager
    def _telling(self, plan: Plan, record: SiteRecord) -> Iterator[Callable[[], None]]:
        """Enters which notices have ended; what it yields sends what is due, when the releases are done."""
        beside, notice = self._applying.standings(record), self._settings.notice
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

    def _make_plan(self, qrs: Connection, record: SiteRecord) -> tuple[Plan, Path]:
        settings = self._settings
        mode = DRY_RUN if self._dry_run or self._tell_only is not None else LIVE
        beside, pseudonyms = self._applying.standings(record), self._applying.pseudonyms
        acts = not self._dry_run
        found = plan_site(settings, self._context, qrs, beside, mode, pseudonyms, [self._runs], acts=acts)
        plan, self.ending = found.plan, found.ending
        changes = mass_changes(plan.findings)
        plan = replace(plan, accepted=self._accept_mass_change and bool(changes))
        self.stopped_by = stopping(plan, settings.stop_on)
        folder = self._runs / plan.run_id
        self.root = seal_site_plan(found, plan, settings, record, folder)
        self.plan, self.folder = plan, folder
        keep_seen(settings, plan.snapshot, self._context.log)
        if plan.accepted:
            record.override(ACCEPT_OPTION, "a change that touches everybody stops", "; ".join(changes), self.root)
        summary = plan.summary()
        counts = {name: summary[name] for name in ("licenses", "keep", "release", "thisRun")}
        for why in broken_words(plan.guarantees):
            self._context.log("a guarantee is not kept: no such plan is applied", level=logging.WARNING, why=why)
        for finding in plan.findings:
            self._context.log(finding.message, level=logging.WARNING, code=finding.code, at=finding.at)
        facts: dict[str, Any] = {"policy": settings.policy.digest, "folder": str(folder), "before": plan.compared}
        self._context.log("plan sealed", run=plan.run_id, **facts, **counts)
        return plan, folder

    def report(self, ended: _Ended, started: datetime, seals: Seals | None) -> RunReport:
        """The report on the run, that has ended so."""
        return RunReport(
            ended.outcome,
            self._dry_run,
            started,
            self._context.clock(),
            self.plan,
            self.folder,
            tuple(self.applied),
            ended.why,
            ended.error,
            self.ending,
            self.stopped_by,
            seals,
            self.free(),
            self.told,
            self.left,
        )

    @property
    def applied(self) -> list[Applied]:
        """The outcomes that are not published yet, plan by plan."""
        return self._applying.applied

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
        return {outcome.key for one in mine for outcome in one.outcomes if outcome.result in TAKEN}
