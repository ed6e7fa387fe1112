"""The second step of a run in two: what its sealed plan left is released, as far as somebody allows it.

Between the steps the site is nobody's: its lock is free. So the second one asks again for all that an apply asks for,
and refuses where anybody else has made a plan meanwhile.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from seatwarden.engine.apply.apply import PendingApply, check_plan, pending_of
from seatwarden.engine.common.seals import Seals
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import DamagedLog, OverTheLimit, PlanRefused, RemoteError, UntrustedRecord
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import RecordedPlan, read_plan
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.monitor.capacity import FreeLicenses, free_licenses
from seatwarden.engine.plan.free import freed
from seatwarden.engine.plan.limits import allocated_in
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.runs.alone import refuse_alone
from seatwarden.engine.runs.applying import INTERRUPTED, MAX_AGE, Applying
from seatwarden.engine.runs.context import Connection, RunContext
from seatwarden.engine.runs.record import SiteRecord, locked_record
from seatwarden.engine.runs.recovery import why_withdrawn
from seatwarden.engine.runs.run_report import LeftPlan, LeftRelease, RunOutcome, RunReport
from seatwarden.engine.runs.seen import note_released
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.errors import InputError


def left_of(pending: PendingApply, plan: Plan | None = None) -> LeftPlan:
    """What is left of a sealed plan. Behind pseudonyms only the `plan` in memory says how long licenses are unused."""
    decisions = {decision.key: decision for decision in pending.plan.decisions}
    chosen = _left((decisions[key] for key in pending.chosen), plan)
    return LeftPlan(pending.path.parent, pending.plan.log.root, allocated_in(pending.plan.decisions), chosen)


def left_in(plan: Plan, folder: Path) -> LeftPlan:
    """What would be left of a plan that is only looked at."""
    return LeftPlan(folder, "", dict(plan.allocated), _left(plan.chosen, plan))


def _left(chosen: Iterable[Decision], plan: Plan | None) -> tuple[LeftRelease, ...]:
    days, announced = (plan.unused_days, plan.announced) if plan is not None else ({}, {})
    found = []
    for one in chosen:
        notice = one.standing.notice
        day = announced.get(one.key, notice.announced if notice is not None else "")
        found.append(LeftRelease(*one.key, days.get(one.key, one.unused_days) or 0, day or ""))
    return tuple(found)


def release_left(
    settings: Settings, context: RunContext, left: LeftPlan, allowed: Collection[Key], over: Sequence[str] = ()
) -> RunReport:
    """Releases what is left of a plan and `allowed`; nothing where something larger is `over` its limit, in sentences.

    Never raises for what the site, the disk or another run does.
    """
    step = _SecondStep(settings, context, left, frozenset(allowed))
    started = context.clock()
    outcome: RunOutcome
    try:
        with locked_record(settings.folder, settings.site.url, context.hand_of(settings)) as record:
            outcome, why = ("over-limit", tuple(over)) if over else step.ended(record)
            note_released(settings, step.applying.applied, context.clock(), context.log)
            if outcome in ("over-limit", "refused", "failed"):
                record.attempt("; ".join(why), failed=outcome == "failed", root=left.root)
            step.seals = record.seals(left.root)
    except PlanRefused as refusal:  # another one is at work: what it writes must not be disturbed
        outcome, why = "refused", (str(refusal),)
    except (InputError, UntrustedRecord) as problem:
        outcome, why, step.error = "failed", (problem.message,), problem
    except OSError as problem:
        outcome, why = "incomplete", (f"the register cannot be written: {problem.strerror or problem}",)
    return step.report(outcome, why, started)


@dataclass
class _SecondStep:
    """The second step; what there is when it ends early stays readable."""

    settings: Settings
    context: RunContext
    left: LeftPlan
    allowed: frozenset[Key]
    applying: Applying = field(init=False)
    plan: RecordedPlan | None = None
    seals: Seals | None = None
    error: InputError | RemoteError | UntrustedRecord | None = None

    def __post_init__(self) -> None:
        self.applying = Applying(self.settings, self.context)

    def ended(self, record: SiteRecord) -> tuple[RunOutcome, tuple[str, ...]]:
        """Carries it out; whatever the site, the disk or another run does, it ends in words."""
        try:
            return self._carry_out(record)
        except PlanRefused as refusal:
            return "refused", (str(refusal),)
        except OverTheLimit as over:
            return "over-limit", tuple(over.sentences)
        except DamagedLog as damage:
            return "refused", (f"the plan is damaged: {damage}",)
        except (InputError, RemoteError, UntrustedRecord) as problem:
            self.error = problem
            return "failed", (problem.message,)
        except OSError as problem:
            return "incomplete", (f"the journal cannot be written: {problem.strerror or problem}",)

    def _carry_out(self, record: SiteRecord) -> tuple[RunOutcome, tuple[str, ...]]:
        if self.context.stop.is_set():
            return INTERRUPTED
        if record.register.last_run != self.left.last_run:
            raise PlanRefused("another plan was made for this site meanwhile; the next run decides anew")
        if self.settings.dry_run:
            raise PlanRefused("the site file says by now that nothing is to be released")
        refuse_alone(record.register, self.settings.license_pool, self.context.pool)
        with self.context.connect() as qrs:
            if self.settings.approvals is not None:
                self._apply_approved(qrs, record)
            else:
                self.applying.apply(self._pending(), qrs, record)
        return self.applying.outcome()

    def _pending(self) -> PendingApply:
        """The releases of the run's own plan that are allowed. Raises PlanRefused, DamagedLog."""
        self.plan = plan = read_plan(self.left.folder)
        if plan.log.root != self.left.root:
            raise PlanRefused("the plan on the disk is not the one that was written")
        now = self.context.clock()
        check_plan(plan, self.settings.site.url, MAX_AGE, now)
        if why := why_withdrawn(plan, self.settings.policy.digest, self.applying.pseudonyms, MAX_AGE, now):
            raise PlanRefused(why)
        return pending_of(plan, self.left.folder, plan.limits, self._allowed_keys())

    def _apply_approved(self, qrs: Connection, record: SiteRecord) -> None:
        found = self.applying.approved(qrs, record)
        if found is None or found.pending.plan.log.root != self.left.root:
            raise PlanRefused("the plan that was approved is not to be applied any more")
        self.plan = found.pending.plan
        allowed = [key for key in found.pending.chosen if key in self.allowed]
        self.applying.apply_approved(replace(found, pending=replace(found.pending, chosen=allowed)), qrs, record)

    def _allowed_keys(self) -> list[Key]:
        return [one.key for one in self.left.chosen if one.key in self.allowed]

    def report(self, outcome: RunOutcome, why: tuple[str, ...], started: datetime) -> RunReport:
        """How it ended. The plan is not in it: the first step has reported on that."""
        return RunReport(
            outcome,
            False,
            started,
            self.context.clock(),
            folder=self.left.folder,
            applied=tuple(self.applying.applied),
            why=why,
            error=self.error,
            seals=self.seals,
            free=self._free(),
        )

    def _free(self) -> tuple[FreeLicenses, ...]:
        if self.plan is None:
            return ()
        done = {one.key for plan in self.applying.applied for one in plan.outcomes if one.result in TAKEN}
        seats = freed(self.plan.header.overview, self.plan.decisions, done)
        return free_licenses(seats, self.settings, self.plan.day.today)
