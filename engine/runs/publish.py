"""Publishing a run that has ended: its numbers to InfluxDB, its events to those who asked for them.

Nothing in here changes how the run ended: a database or a mail server that does not answer is said, and that is all.
"""

import logging
import threading
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seatwarden.engine.common.seals import Seals
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decision import reason_label
from seatwarden.engine.log.approval import answers_beside
from seatwarden.engine.log.restored import read_past_restore, undone_by
from seatwarden.engine.log.results import TAKEN, counted_results
from seatwarden.engine.metrics.delivery import send
from seatwarden.engine.metrics.point import Point
from seatwarden.engine.metrics.releases import release_points
from seatwarden.engine.metrics.restores import restore_point
from seatwarden.engine.metrics.runs import VERDICTS, RunCounts, run_points
from seatwarden.engine.monitor.capacity import FreeLicenses, points_of_free
from seatwarden.engine.monitor.server_license import ServerLicense
from seatwarden.engine.notify.events import (
    Event,
    FindingWords,
    PersonTold,
    approval_wanted,
    certificate_expiring,
    license_expiring,
    licenses_low,
    limit_hit,
    plan_ready,
    releases_done,
    run_failed,
    run_stopped,
)
from seatwarden.engine.notify.repetition import Repetition
from seatwarden.engine.notify.send import Problem, destinations, notify
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.free import free_seats
from seatwarden.engine.plan.guarantees import broken_words
from seatwarden.engine.qrs.expiry import EndingCertificate
from seatwarden.engine.runs.context import Log
from seatwarden.engine.runs.recovery import Applied
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.runs.terms import terms_of
from seatwarden.engine.runs.told import notice_numbers, told_rows
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.butler.jobs import Tags
from seatwarden.policy.yaml.secrets import conceal

_delivering = threading.Lock()
"""Jobs that are due at the same time deliver one after the other: none leaves its points to one that just ends."""


def publish_run(report: RunReport, settings: Settings, log: Log, now: datetime) -> None:
    """Writes the run's points and sends its events; what could not be kept is told by the next run."""
    kept = not settings.jobs.release.to_influxdb
    with _whatever_happens("points", settings, log):
        kept = kept or write_points(points_of(report, settings), settings, log)
    with _whatever_happens("events", settings, log):
        for event in events_of(report, settings):
            send_event(replace(event, seals=report.seals), settings, log, now)
        publish_ending(report.ending, settings, log, now)
        publish_low(report.free, settings, log, now)
    _mark_published(report.applied if kept else (), log)


def publish_apply(applied: Applied, settings: Settings, log: Log, now: datetime, seals: Seals | None = None) -> None:
    """Publishes a plan that somebody applied by hand: its releases, and that it has ended. It is no run."""
    somebody = settings.influx is not None or settings.notifications.anybody
    if not applied.outcomes or not somebody:
        return
    kept = not settings.jobs.release.to_influxdb
    with _whatever_happens("points", settings, log):
        kept = kept or write_points(_releases((applied,), settings), settings, log)
    with _whatever_happens("events", settings, log):
        event = _done((applied,), settings, now, applied.folder)
        send_event(replace(event, seals=seals), settings, log, now)
    _mark_published((applied,) if kept else (), log)


def publish_restore(folder: Path, settings: Settings, log: Log, seals: Seals | None = None) -> None:
    """Writes the numbers of a restore so far."""
    if settings.influx is None or not settings.jobs.release.to_influxdb:
        return
    with _whatever_happens("points", settings, log):
        past = read_past_restore(folder)
        at = parse_timestamp(past.log.header.clocks.ours)
        results: Counter[str] = Counter(
            line.result for line in (past.journal.outcomes.values() if past.journal else ())
        )
        regretted = sum(one.is_regretted for one in undone_by([past])[past.log.header.of_root].values())
        seal = str(seals) if seals else None
        if at is not None:
            point = restore_point(settings.site.url, results, regretted, seal, _tags(settings), at)
            write_points([point], settings, log)


def _mark_published(several: Iterable[Applied], log: Log) -> None:
    for applied in several:
        try:
            applied.mark_published()
        except OSError as error:
            facts: dict[str, Any] = {"folder": str(applied.folder), "why": error.strerror}
            log("the next run will tell of this one again", level=logging.WARNING, **facts)


@contextmanager
def _whatever_happens(what: str, settings: Settings, log: Log) -> Iterator[None]:
    """A defect of ours in telling must not change how the run ended; it is logged whole, but for secrets."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - see above
        log(f"the {what} of a run could not be told", level=logging.ERROR, **describe_defect(error, settings))


def write_points(points: Iterable[Point], settings: Settings, log: Log) -> bool:
    """Writes points, or keeps them until the database is there again; returns whether none is lost.

    No points deliver what waits.
    """
    if settings.influx is None:
        return True
    with _delivering:
        delivery = send(points, settings.influx, settings.folder)
    facts: dict[str, Any] = {"waiting": delivery.waiting, "rejected": delivery.rejected, "lost": delivery.dropped}
    facts = {name: count for name, count in facts.items() if count}
    if delivery.problem:
        log("InfluxDB has not got everything", level=logging.WARNING, why=delivery.problem, **facts)
    if delivery.sent:
        log("points written to InfluxDB", points=delivery.sent, **facts)
    return not delivery.dropped


def expiry_event(found: ServerLicense, settings: Settings, now: datetime) -> Event:
    """The event that the site's own license expires soon."""
    threshold = settings.jobs.server_monitor.threshold_days or 0
    return license_expiring(settings.site.url, now, found.expires, found.days, threshold)


def publish_ending(ending: Iterable[EndingCertificate], settings: Settings, log: Log, now: datetime) -> None:
    """Notifies of certificates that end soon: of each once a day, whoever notices it."""
    memory, day = Repetition(settings.folder), now.astimezone(UTC).date()
    wanted = settings.notifications.anybody
    news = [one for one in ending if wanted and memory.is_news(f"certificate-expiring {one.name}", day)]
    if news:
        send_event(ending_event(news, settings, now), settings, log, now)


def publish_low(found: Sequence[FreeLicenses], settings: Settings, log: Log, now: datetime) -> None:
    """Notifies that licenses are low: once, until there are clearly enough again. What reached nobody is told again."""
    memory = Repetition(settings.folder)
    for one in found:
        if one.is_enough:
            memory.forget(_name_of_low(one))
    for one in news_of_low(found, settings):
        event = low_event(one, settings, now)
        wanted = destinations(settings.notifications, event)
        problems = notify(settings.notifications, event, now)
        _log_problems(problems, log)
        if len(problems) < len(wanted):
            memory.note(_name_of_low(one), now)


def news_of_low(found: Iterable[FreeLicenses], settings: Settings) -> list[FreeLicenses]:
    """Those that are low, and of which nobody was told yet."""
    memory = Repetition(settings.folder)
    return [one for one in found if one.is_low and not memory.was_told(_name_of_low(one))]


def _name_of_low(one: FreeLicenses) -> str:
    return f"licenses-low {one.license_type}"


def low_event(one: FreeLicenses, settings: Settings, now: datetime) -> Event:
    """The event that licenses of a type are low; they are."""
    below = one.warn_below.words if one.warn_below else ""
    site, kind = settings.site.url, one.license_type
    return licenses_low(site, now, kind, one.free, below, one.forecast_lines, one.to_json())


def ending_event(ending: Iterable[EndingCertificate], settings: Settings, now: datetime) -> Event:
    """The event that certificates end soon; there is at least one."""
    listed = [(one.describe(), one.last_day, one.days) for one in ending]
    return certificate_expiring(settings.site.url, now, listed)


def send_event(event: Event, settings: Settings, log: Log, now: datetime) -> None:
    """Notifies all who want the event."""
    _log_problems(notify(settings.notifications, event, now), log)


def _log_problems(problems: Iterable[Problem], log: Log) -> None:
    for problem in problems:
        log(problem.message, level=logging.WARNING, help=problem.help)


def points_of(report: RunReport, settings: Settings) -> list[Point]:
    """A point for every license released, those of the run itself, and those of the licenses that are free."""
    run = run_points(_counts(report, settings), _tags(settings), report.started)
    free = points_of_free(report.free, _tags(settings), settings.site.url, report.ended)
    return _releases(report.applied, settings) + run + free


def _releases(several: Iterable[Applied], settings: Settings) -> list[Point]:
    """A point for every license released, dated by its plan: told a second time, it is stored once."""
    return [
        point
        for applied in several
        for point in release_points(applied.plan.decisions, applied.outcomes, _tags(settings), applied.plan.day.now)
    ]


def _tags(settings: Settings) -> Tags:
    return (*settings.static_tags, *settings.jobs.release.tags)


def _counts(report: RunReport, settings: Settings) -> RunCounts:
    """The run in numbers; what it brought to its end for earlier runs counts as its own."""
    results: Counter[str] = Counter()
    released_by_rule: Counter[str] = Counter()
    for applied in report.applied:
        labels = {decision.key: reason_label(decision) for decision in applied.plan.decisions}
        results.update(outcome.result for outcome in applied.outcomes)
        released_by_rule.update(labels[o.key] for o in applied.outcomes if o.result in TAKEN)
    summary: dict[str, Any] = report.plan.summary() if report.plan else {}
    return RunCounts(
        site=settings.site.url,
        dry_run=report.dry_run,
        outcome=report.outcome.replace("-", "_"),
        verdicts={verdict: summary.get(verdict, 0) for verdict in VERDICTS},
        by_rule={reason: count for reason, count in summary.get("byReason", {}).items() if count},
        results=results,
        released_by_rule=released_by_rule,
        seals=str(report.seals) if report.seals else None,
        seconds=(report.ended - report.started).total_seconds(),
        notices=notice_numbers(report),
        failures=results["failed"] + results["unknown"] + (report.outcome in ("failed", "refused")),
    )


def events_of(report: RunReport, settings: Settings) -> Iterator[Event]:
    """The events of a run: a plan with something in it, a limit, what was released, a failure."""
    site, at = settings.site.url, report.ended
    plan, folder = report.plan, report.folder
    if plan is not None and folder is not None:
        if report.dry_run and (plan.summary()["release"] or report.told.due):
            seats = free_seats(plan.run()["overview"], plan.summary()["byType"], plan.decisions)
            free = {one.license_type: one.words for one in seats}
            told = _people_told(report)
            yield plan_ready(site, at, plan.run_id, folder, plan.summary(), _told(plan.findings), free, told)
        if report.stopped_by or report.outcome == "stopped":
            broken = broken_words(plan.guarantees)
            yield run_stopped(site, at, plan.run_id, _told(report.stopped_by), folder, broken)
        if report.outcome == "waiting":
            yield _wanted(report, settings, folder)
        if report.over:
            yield limit_hit(site, at, plan.run_id, report.over, folder)
    elif report.outcome == "over-limit" and folder is not None:  # a limit over many sites
        yield limit_hit(site, at, folder.name, list(report.why), folder)
    if report.applied or report.told.sent or report.told.ended:
        yield _done(report.applied, settings, at, folder, report)
    if report.outcome in ("failed", "refused") or (report.outcome == "incomplete" and report.why):
        stage = "plan" if folder is None else "apply"
        help_ = report.error.help if report.error else None
        yield run_failed(site, at, stage, "; ".join(report.why), help_)


def _wanted(report: RunReport, settings: Settings, folder: Path) -> Event:
    """The event that the plan of a run waits for approvals, with its page for those who may read names."""
    assert report.plan is not None  # noqa: S101 - for the type checker: it is the plan that waits
    plan, at = report.plan, report.ended
    terms = terms_of(settings.site, settings.signing, settings.approvals, plan.day.now)
    page = b""
    if any(one.people and "approval-wanted" in one.events for one in settings.notifications.emails):
        from seatwarden.engine.report.write import possible_pages  # jinja2 takes a while to import

        page = next(possible_pages(folder))
    names, found = [key.name for key in terms.approvers], _told(plan.findings)
    needs = (terms.approvals, names, terms.expires)
    return approval_wanted(settings.site.url, at, plan.run_id, folder, plan.summary(), *needs, found, page)


def _done(
    several: Sequence[Applied], settings: Settings, at: datetime, folder: Path | None, report: RunReport | None = None
) -> Event:
    """The event of what was applied; `report` is that of a run, in which people were told, too."""
    outcomes = [outcome for applied in several for outcome in applied.outcomes]
    found = Counter(outcome.result for outcome in outcomes)
    counts = counted_results(found)
    released = [(outcome.user, outcome.key[0]) for outcome in outcomes if outcome.result in TAKEN]
    plan = several[-1].plan if several else None
    if plan is not None:
        run_id, findings = plan.header.run_id, plan.findings
    else:  # nothing was due, or all of it waits: people were told all the same
        assert report is not None  # noqa: S101 - for the type checker: without releases it is a run
        assert report.plan is not None  # noqa: S101 - the same: who was told was found in one
        run_id, findings = report.plan.run_id, list(report.plan.findings)
    told = _people_told(report) if report is not None else []
    answers = [one for applied in several if applied.outcomes for one in answers_beside(applied.plan.log)]
    done = releases_done(settings.site.url, at, run_id, counts, released, folder, _told(findings), told)
    return replace(done, answers=tuple((one.who, one.words) for one in answers))


def _people_told(report: RunReport) -> list[PersonTold]:
    return [PersonTold(row.state, row.user, row.license_type, row.words) for row in told_rows(report)]


def _told(findings: Iterable[Finding]) -> list[FindingWords]:
    return [FindingWords(finding.code, finding.kind, finding.message) for finding in findings]


def describe_defect(error: Exception, settings: Settings) -> dict[str, Any]:
    """A fault of ours, for the log of what goes on all the same: the error and its traceback, without secrets.

    Libraries write what they were given into the texts of their errors.
    """
    trace = "".join(traceback.format_exception(error))
    return {"error": conceal(repr(error), settings.secrets), "traceback": conceal(trace, settings.secrets)}
