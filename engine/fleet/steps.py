"""The work on one site of a fleet, step by step: what is done for one site alone, done by the same functions.

Steps are made on the roof and done by a crew, maybe in another process: they and their answers can be pickled.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import structs

from seatwarden.engine.common.text import printable
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.common.way_out import REPORT
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog, PlanRefused, RemoteError, UntrustedRecord
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.fleet.newest import newest_run, page_name
from seatwarden.engine.fleet.pool import Pooled, PoolVerdicts, PoolView, Seat, person_of
from seatwarden.engine.fleet.result import SiteAnswer, SiteResult, SiteWarning
from seatwarden.engine.fleet.settings import FleetSite
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.register import RUNS_FOLDER
from seatwarden.engine.notice.standings import StandingsBeside
from seatwarden.engine.plan.free import available_in
from seatwarden.engine.plan.guarantees import broken_words
from seatwarden.engine.plan.modes import LIVE
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.qrs.check import check_site
from seatwarden.engine.qrs.client import QrsClient
from seatwarden.engine.runs.context import Log, RunContext
from seatwarden.engine.runs.left import left_in, release_left
from seatwarden.engine.runs.notices import reach_of
from seatwarden.engine.runs.planning import plan_site, seal_site_plan, stopping
from seatwarden.engine.runs.publish import describe_defect, publish_run
from seatwarden.engine.runs.record import locked_record
from seatwarden.engine.runs.run import run_once
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.runs.terms import keys_in
from seatwarden.engine.site.settings import Settings
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.diagnostics import finding_to_json, render
from seatwarden.policy.errors import PolicyError

WAIT_SECONDS = 10
"""Who is at work at a site may be about to write the next line of its register: it is waited for a moment."""


@dataclass(frozen=True, slots=True)
class SiteMeans:
    """What the roof gives for the work on sites: how settings are read, and the context of runs under them."""

    load: Callable[[Path, Path | None], Settings]
    context: Callable[[Settings, Log, threading.Event], RunContext]
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class SiteWork:
    """One site, and what is to be done there with what means."""

    site: FleetSite
    means: SiteMeans

    def lost(self, why: str) -> SiteAnswer:
        """The answer of a site that gave none."""
        return SiteAnswer(SiteResult(site=self.site.name, site_file=str(self.site.file), why=[why]))

    def check(self, stop: threading.Event, salt: bytes) -> SiteAnswer:
        """Reads all that is said of the site, and tries the way to it. `past` is the pool that its file names, and its
        signed key as a digest under the salt."""

        def checked(settings: Settings, said: "SiteSaid") -> SiteAnswer:
            result = said.result(settings, outcome="done")
            for step in check_site(settings.site, self.means.clock()):
                if not step.good:
                    why = [f"{step.name}: {step.found}"]
                    failed = structs.replace(result, outcome="failed", bad_input=step.here, why=why, help=step.help)
                    return SiteAnswer(failed)
                if step.help:
                    said.warn(f"{step.name}: {step.found}; {step.help}")
            key = None
            with suppress(RemoteError), QrsClient(settings.site, self.means.clock()) as client:
                key = client.shared_key(salt)
            pool = settings.license_pool.name if settings.license_pool is not None else None
            return SiteAnswer(structs.replace(result, warnings=said.warnings), past=(pool, key))

        return self.answered(checked)

    def plan(self, stop: threading.Event, folder: Path | None = None, pool: PoolView | None = None) -> SiteAnswer:
        """Plans the site; releases nothing. In the `folder` the plan is sealed, so that it can be applied.

        With a `pool` it is decided on what holds at all sites of that.
        """

        def planned(settings: Settings, said: "SiteSaid") -> SiteAnswer:
            context = _in_pool(self.means.context(settings, said.log, stop), settings, pool)
            pseudonyms = Pseudonyms.under(settings.pseudonym_key) if settings.pseudonym_key else None
            beside = StandingsBeside(
                settings.folder, reach=reach_of(settings, day_for(settings.policy, context.clock(), None))
            )
            before = [settings.folder / RUNS_FOLDER]
            with context.connect() as qrs:
                found = plan_site(settings, context, qrs, beside, LIVE, pseudonyms, before, acts=False)
            plan, sealed_in = found.plan, None
            if folder is not None:
                sealed_in = folder / self.site.name
                with locked_record(settings.folder, settings.site.url, context.hand, WAIT_SECONDS) as record:
                    record.know_keys(keys_in(settings.signing, settings.approvals))
                    seal_site_plan(found, plan, settings, record, sealed_in)
            for one in plan.findings:
                said.warn(f"{one.code}: {one.message}", one.at)
            stops = [f"{one.code}: {one.message}" for one in stopping(plan, settings.stop_on)]
            stopped = [*broken_words(plan.guarantees), *stops]
            result = said.result(settings, outcome="stopped" if stopped else "over-limit" if plan.over else "planned")
            result = _counted(result, plan)
            result = structs.replace(result, why=stopped or result.why, folder=str(sealed_in) if sealed_in else None)
            left = left_in(plan, sealed_in or Path()) if result.outcome == "planned" else None
            past = _verdicts(self.site.name, plan) if pool is not None else None
            return SiteAnswer(result, left, dict(plan.allocated), past)

        return self.answered(planned)

    def run(
        self, stop: threading.Event, dry_run: bool, scheduled: bool = False, pool: PoolView | None = None
    ) -> SiteAnswer:
        """The first step of a run: the site is planned, and what is to be released left to the second.

        A `dry_run`, or one that the site file makes one, only says what would be left. One that is `scheduled` leaves a
        site alone that does not say `enable: true`. With a `pool` it is decided on what holds at all sites of that.
        """

        def ran(settings: Settings, said: "SiteSaid") -> SiteAnswer:
            context = self.means.context(settings, said.log, stop)
            context = _in_pool(context, settings, pool)
            dry = dry_run or settings.dry_run or (context.pool is not None and _has_no_verdict(settings))
            if scheduled and not settings.jobs.release.enabled:
                return SiteAnswer(said.result(settings, outcome="done", state="switched off", dry_run=dry))
            report = run_once(settings, context, dry_run=dry, in_two_steps=True)
            publish_run(report, settings, said.log, self.means.clock())
            answer = _answer_of(report, said.result(settings, outcome=report.outcome, dry_run=dry))
            if pool is not None and report.plan is not None:
                answer = replace(answer, past=_verdicts(self.site.name, report.plan))
            if report.outcome != "dry-run" or report.plan is None or report.over or report.stopped_by:
                return answer
            return replace(answer, left=left_in(report.plan, report.folder or Path()))

        return self.answered(ran)

    def release(
        self, stop: threading.Event, first: SiteAnswer, allowed: tuple[Key, ...], over: tuple[str, ...]
    ) -> SiteAnswer:
        """The second step of a run: what is `allowed` of what the `first` has left is released; nothing where the
        fleet is `over` a limit, in sentences."""

        def released(settings: Settings, said: "SiteSaid") -> SiteAnswer:
            assert first.left is not None  # noqa: S101 - for the type checker: without there is no second step
            context = self.means.context(settings, said.log, stop)
            report = release_left(settings, context, first.left, allowed, over)
            publish_run(report, settings, said.log, self.means.clock())
            mine = said.result(settings, outcome=report.outcome, dry_run=False)
            return SiteAnswer(of_both_steps(first.result, report, mine, 0 if over else len(allowed)))

        return self.answered(released)

    def report(self, stop: threading.Event, folder: Path, force: bool) -> SiteAnswer:
        """Writes the page of the newest run that the site's register knows into the folder, and says how that ended."""

        def reported(settings: Settings, said: "SiteSaid") -> SiteAnswer:
            result, run = newest_run(settings, said.result(settings, outcome="done"))
            if run is not None:
                from seatwarden.engine.report.write import write_report  # jinja2 takes a while to import

                write_report(run, folder / page_name(self.site.name), output=REPORT, force=force)
            return SiteAnswer(result)

        return self.answered(reported)

    def answered(self, do: "Callable[[Settings, SiteSaid], SiteAnswer]") -> SiteAnswer:
        """What is done under the site's settings; whatever is wrong there ends in words."""
        began, said = self.means.clock(), SiteSaid(self.site)
        settings = None
        try:
            settings = self._settings(said)
            answer = do(settings, said)
        except SeatwardenError as error:
            answer = SiteAnswer(_failed(said.result(settings), error))
        except OSError as error:
            why = f"{error.filename or 'a file'} cannot be used: {error.strerror or error}"
            answer = SiteAnswer(structs.replace(said.result(settings), why=[why], bad_input=True))
        except Exception as error:  # noqa: BLE001 - a defect of ours at one site: the others go on
            answer = SiteAnswer(structs.replace(said.result(settings), why=_defect(error, settings)))
        took = (self.means.clock() - began).total_seconds()
        seconds = round(answer.result.seconds + took, 3)
        return replace(answer, result=structs.replace(answer.result, seconds=seconds))

    def _settings(self, said: "SiteSaid") -> Settings:
        settings = self.means.load(self.site.file, self.site.policy)
        for one in settings.warnings:
            said.warn(f"{one.code}: {one.message}", one.span.short_place)
        for text in settings.notes:
            said.warn(text)
        return with_site_tag(settings)


def of_both_steps(before: SiteResult, report: RunReport, mine: SiteResult, allowed: int) -> SiteResult:
    """The result of a run in two steps, of which this is the second."""
    ended = _answer_of(report, mine).result
    return structs.replace(
        before,
        outcome=ended.outcome,
        allowed=allowed,
        results=_sum(before.results, ended.results),
        why=ended.why,
        help=ended.help,
        bad_input=ended.bad_input,
        seal=ended.seal or before.seal,
        seconds=before.seconds + ended.seconds,
        warnings=[*before.warnings, *ended.warnings],
    )


def with_site_tag(settings: Settings) -> Settings:
    """The settings with the site's address as the tag `site` of all its points: those of Butler's measurements, which
    have none, are told apart where the sites of a fleet write into one database. A tag of the site file's stays."""
    if any(name == "site" for name, _ in settings.static_tags):
        return settings
    return replace(settings, static_tags=(*settings.static_tags, ("site", settings.site.url)))


@dataclass
class SiteSaid:
    """What is said while a site is worked on, for its line in a table and below."""

    site: FleetSite
    warnings: list[SiteWarning] = field(default_factory=list)

    def warn(self, text: str, at: str | None = None) -> None:
        """Keeps a warning."""
        self.warnings.append(SiteWarning(printable(text), at))

    def log(self, message: str, *, level: int = logging.INFO, **facts: object) -> None:
        """Keeps what is not well. What became of a license is counted; a defect's traceback is for the log of one."""
        if level >= logging.WARNING and "license" not in facts:
            code, at = facts.pop("code", None), facts.pop("at", None)
            shown = [str(fact) for name, fact in facts.items() if fact not in (None, "") and name != "traceback"]
            self.warn(": ".join([*([str(code)] if code else []), message, *shown]), str(at) if at else None)

    def result(self, settings: Settings | None, **known: Any) -> SiteResult:
        """The beginning of how the site ended."""
        url = settings.site.url if settings is not None else None
        return SiteResult(
            site=self.site.name, site_file=str(self.site.file), url=url, warnings=list(self.warnings), **known
        )


def _in_pool(context: RunContext, settings: Settings, pool: PoolView | None) -> RunContext:
    """The context in which a site is read as all sites of its pool say."""
    if pool is None or settings.license_pool is None:
        return context
    return replace(
        context, connect=lambda: Pooled(context.connect(), lambda person: pool), pool=settings.license_pool.name
    )


def _has_no_verdict(settings: Settings) -> bool:
    return settings.license_pool is not None and settings.license_pool.use_only


def _verdicts(site: str, plan: Plan) -> PoolVerdicts:
    """What the site says by itself of each of its rows, under what holds at all sites of its pool."""
    found: dict[Seat, dict[str, bool]] = {}
    for one in plan.exact or plan.decisions:
        person = person_of(one.user_directory, one.user_id)
        if person is not None:
            found.setdefault((person, one.license_type), {})[one.license_id] = one.verdict == "release"
    return PoolVerdicts(site, found)


def _counted(result: SiteResult, plan: Plan) -> SiteResult:
    summary = plan.summary()
    return structs.replace(
        result,
        licenses=summary["licenses"],
        due=summary["release"],
        this_run=summary["thisRun"],
        undetermined=summary["undetermined"],
        free=available_in(plan.snapshot.overview),
        at=format_instant(plan.day.now),
        run_id=plan.run_id,
        why=summary["overLimit"],
    )


def _answer_of(report: RunReport, result: SiteResult) -> SiteAnswer:
    """What a run has come to, in numbers."""
    plan = report.plan
    if plan is not None:
        result = _counted(result, plan)
    ended = structs.replace(
        result,
        results=report.counts,
        folder=str(report.folder) if report.folder else None,
        seal=str(report.seals) if report.seals else None,
        why=[printable(sentence) for sentence in report.why],
        help=report.error.help if report.error else None,
        bad_input=report.bad_input,
    )
    return SiteAnswer(ended, report.left, dict(plan.allocated) if plan is not None else {})


def _failed(result: SiteResult, error: SeatwardenError) -> SiteResult:
    if isinstance(error, PolicyError):
        problems = [render(one, error.sources) for one in error.diagnostics]
        errors = [finding_to_json(one) for one in error.diagnostics]
        first = error.diagnostics[0]
        why = [f"{first.code}: {first.message} ({first.span.short_place})"]
        return structs.replace(result, bad_input=True, why=why, problems=problems, errors=errors)
    refused = isinstance(error, PlanRefused | DamagedLog)
    outcome = "refused" if refused else "failed"
    known = refused or isinstance(error, RemoteError | UntrustedRecord)
    why = [printable(error.message)]
    return structs.replace(result, outcome=outcome, bad_input=not known, why=why, help=error.help)


def _defect(error: Exception, settings: Settings | None) -> list[str]:
    """A fault of ours, whole, but for what libraries may have written into it of the site's secrets."""
    if settings is None:
        return [f"a defect of seatwarden: {type(error).__name__}"]
    known = describe_defect(error, settings)
    return [f"a defect of seatwarden: {known['error']}", *known["traceback"].splitlines()]


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
