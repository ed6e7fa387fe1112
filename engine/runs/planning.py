"""The plan of a live site under its settings: made, and sealed where it is to be applied."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.log.heads import Heads
from seatwarden.engine.log.kept import keep
from seatwarden.engine.log.writer import seal_plan
from seatwarden.engine.notice.standings import StandingsBeside
from seatwarden.engine.notice.trust import check_clock
from seatwarden.engine.plan.findings import MASS_CHANGE, Finding
from seatwarden.engine.plan.modes import Mode
from seatwarden.engine.plan.plan import Plan, make_plan, with_origin
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.baseline import compared_with_before
from seatwarden.engine.runs.context import Connection, RunContext
from seatwarden.engine.runs.last_released import note_last_released
from seatwarden.engine.runs.lately import with_lately
from seatwarden.engine.runs.record import SiteRecord
from seatwarden.engine.runs.terms import terms_of
from seatwarden.engine.site.settings import Settings


@dataclass(frozen=True, slots=True)
class SitePlan:
    """The plan of a site, where the registers beside it ended, and the certificates on the way there that end soon."""

    plan: Plan
    heads: Heads
    ending: tuple[EndingCertificate, ...]


def plan_site(
    settings: Settings,
    context: RunContext,
    qrs: Connection,
    beside: StandingsBeside,
    mode: Mode,
    pseudonyms: Pseudonyms | None,
    before: Iterable[Path],
    *,
    acts: bool,
) -> SitePlan:
    """Reads a site and decides on all its licenses; writes nothing.

    `before` are folders of run folders to compare with. `acts`: somebody may be told or lose a license by it at once,
    and clocks must be right for that.
    Raises RemoteError, UntrustedRecord, InputError.
    """
    now, policy = context.clock(), settings.policy
    snapshot = qrs.snapshot(now)
    ending = tuple(qrs.ending)
    for warning in (*(one.describe() for one in ending), *snapshot.remarks):
        context.log(warning, level=logging.WARNING)
    day = day_for(policy, now, None)
    note_last_released(snapshot, policy, settings.folder, day)
    snapshot, heads = beside.noted(snapshot, day)
    if acts and (heads.notices is not None or policy.gives_notice):
        check_clock(beside.notices().notices, now, qrs.site_clock)
    stand = beside.stand(policy, snapshot, day)
    plan = make_plan(policy, snapshot, day, settings.site.url, pseudonyms, stand)
    plan = with_lately(plan, settings.folder)
    plan = with_origin(plan, context.hand.origin(mode, snapshot.site_clock))
    return SitePlan(compared_with_before(plan, before, settings.mass_change), heads, ending)


def seal_site_plan(found: SitePlan, plan: Plan, settings: Settings, record: SiteRecord, folder: Path) -> str:
    """Seals a plan in a folder, and enters it into the register; returns its root. Raises InputError, OSError.

    `plan` is the one that was found, with what was approved since.
    """
    terms = terms_of(settings.site, settings.signing, settings.approvals, plan.day.now)
    recording = record.recording(keep(plan.snapshot) if settings.keep_snapshot else None, found.heads, terms)
    return record.planned(plan, folder, recording, seal_plan(plan, folder, plan_text(plan), recording))


def stopping(plan: Plan, stop_on: tuple[str, ...]) -> tuple[Finding, ...]:
    """The findings that stop a run: those that the site file names, and what touches everybody until it is accepted."""
    stops = {MASS_CHANGE, *stop_on} - ({MASS_CHANGE} if plan.accepted else set())
    return tuple(finding for finding in plan.findings if finding.code in stops)
