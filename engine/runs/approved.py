"""The approved plan that a run applies before it makes its own."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from seatwarden.engine.apply.apply import PendingApply, check_chosen, check_plan, find_pending
from seatwarden.engine.apply.approval import Granted, granted
from seatwarden.engine.apply.behind_pseudonyms import BehindPseudonyms, check_key
from seatwarden.engine.apply.releaser import Qrs
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog, NotApproved, OverTheLimit, PlanRefused
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.register import Begun, Planned, RegisterState
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.log.signing_lines import ApprovedRun
from seatwarden.engine.plan.limits import days_asked
from seatwarden.engine.plan.modes import LIVE
from seatwarden.engine.runs.context import Log
from seatwarden.engine.runs.lately import released_lately
from seatwarden.engine.runs.record import SiteRecord
from seatwarden.engine.runs.recovery import describe
from seatwarden.engine.runs.terms import in_force
from seatwarden.engine.site.settings import Settings
from seatwarden.grammar.ast import LICENSE_TYPES
from seatwarden.policy.errors import InputError


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan that may be applied now: the work, and by whose approval."""

    pending: PendingApply
    granted: Granted


def waiting_plans(register: RegisterState, folder: Path) -> Iterator[Path]:
    """The folders of live plans of which no apply has begun, nor of a newer one; newest first.

    One that was killed before its journal has not begun.
    """
    begun = {line.run for line in register.of_kind(ApprovedRun, Begun)}
    for line in reversed([*register.of_kind(Planned)]):
        place = folder / line.folder
        if line.run in begun and (place / JOURNAL_FILE).exists():
            return
        if line.mode == LIVE and (place / PLAN_FILE).is_file():
            yield place
        if line.run in begun:
            return


def approved_plan(
    settings: Settings, record: SiteRecord, qrs: Qrs, pseudonyms: Pseudonyms | None, now: datetime, log: Log
) -> ApprovedPlan | None:
    """The newest plan that enough people have approved, if there is one. Raises RemoteError.

    What keeps one from being applied is logged, and on record.
    """
    for place in waiting_plans(record.register, settings.folder) if settings.approvals else ():
        try:
            return _ready(place, settings, record, qrs, pseudonyms, now)
        except NotApproved as missing:
            log("a plan waits for approvals", folder=str(place), why=missing.message)
        except (PlanRefused, OverTheLimit, DamagedLog, InputError, OSError) as problem:
            log("a plan is not applied", level=logging.WARNING, folder=str(place), why=describe(problem))
    return None


def _ready(
    place: Path, settings: Settings, record: SiteRecord, qrs: Qrs, pseudonyms: Pseudonyms | None, now: datetime
) -> ApprovedPlan:
    assert settings.approvals is not None  # noqa: S101 - for the type checker: only then plans wait
    plan = read_plan(place)
    by = granted(plan, place, in_force(settings, record, now))
    check_plan(plan, settings.site.url, settings.approvals.valid_for, now, settings.policy)
    check_key(plan, pseudonyms)
    limits = (*plan.limits, *by.limits)
    lately = released_lately(settings.folder, days_asked(limits), now, but=plan.log.root)

    def unused_days() -> dict[Key, int]:
        if pseudonyms is None:
            return {}
        licenses = {license_type: qrs.licenses(license_type) for license_type in LICENSE_TYPES}
        return BehindPseudonyms(plan, pseudonyms).unused_days(licenses)

    pending = find_pending(plan, place, plan.limits, unused_days, lately, granted=by)
    if (number := record.number_of(plan.log.root)) is not None:
        record.check_journal(number, pending)
    return ApprovedPlan(pending, by)


def why_not_granted(
    pending: PendingApply, folder: Path, settings: Settings, record: SiteRecord, now: datetime
) -> str | None:
    """Why nothing more is released for a plan whose apply was interrupted; None where it is gone on with.

    It is asked as if it had not begun: that it has, only the journal and the register say, which somebody may have
    written.
    """
    try:
        by = granted(pending.plan, folder, in_force(settings, record, now))
        check_chosen(pending, by)
    except (PlanRefused, OverTheLimit) as refusal:
        return refusal.message
    return None
