"""The jobs of the service: releasing, watching the licenses and the site's own license, and a heartbeat."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime
from functools import partial
from typing import Any

from seatwarden.engine.errors import RemoteError
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.monitor.alarms import expiry_messages, send_messages
from seatwarden.engine.monitor.capacity import free_licenses, points_of_free, seats_of
from seatwarden.engine.monitor.reading import Reader, read_expiry, read_use
from seatwarden.engine.notify import http
from seatwarden.engine.notify.events import run_failed
from seatwarden.engine.notify.send import deliver_all
from seatwarden.engine.plan.guarantees import broken_words
from seatwarden.engine.runs.context import Log, RunContext
from seatwarden.engine.runs.publish import (
    expiry_event,
    publish_ending,
    publish_low,
    publish_run,
    send_event,
    write_points,
)
from seatwarden.engine.runs.run import run_once
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.engine.runs.told import notice_numbers
from seatwarden.engine.service.known import Known, types_in
from seatwarden.engine.service.state import JobName, JobResult
from seatwarden.engine.site.hosts import origin
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.errors import InputError


class ServiceJobs:
    """The jobs. `context` and `connect` make, from the settings in force, what releasing and reading need."""

    def __init__(
        self,
        context: Callable[[Settings], RunContext],
        connect: Callable[[Settings], AbstractContextManager[Reader]],
        clock: Callable[[], datetime],
        log: Log,
    ) -> None:
        self._context = context
        self._connect = connect
        self._clock = clock
        self._log = log
        self._alarmed: dict[str, date] = {}
        """Of what people were notified last, and on which day: of what lasts they hear once a day."""

    def release(self, settings: Settings) -> JobResult:
        """Plans, and releases unless the settings make it a dry run."""
        report = run_once(settings, self._context(settings), dry_run=settings.dry_run)
        for sentence in report.why:
            level = logging.INFO if report.outcome == "interrupted" else logging.ERROR
            self._log(sentence, level=level, job="licenseRelease", help=report.error.help if report.error else None)
        if report.seals is not None:
            self._log(str(report.seals), job="licenseRelease")
        publish_run(report, settings, self._log, self._clock())
        numbers = {name: float(count) for name, count in report.counts.items()}
        if report.plan is not None:
            numbers["to_release"] = float(report.plan.summary()["release"])
        notices = notice_numbers(report)
        numbers |= {name: float(count) for name, count in notices.items()}
        if any(notices.values()):
            self._log("notices", job="licenseRelease", **notices)
        ok = report.outcome in ("done", "dry-run", "waiting", "interrupted")
        known = Known()
        if report.plan is not None:
            known = Known(ending=report.ending, ending_at=report.ended, free=report.free, free_at=report.ended)
        return JobResult(report.outcome, ok, numbers, _why(report), _help(report), known)

    def watch_licenses(self, settings: Settings) -> JobResult:
        """Reads how many licenses of each type are in use, and writes it to InfluxDB."""
        job = settings.jobs.license_monitor
        try:
            with self._connect(settings) as qrs:
                points = read_use(qrs, settings, now := self._clock())
                ending = qrs.ending
        except (RemoteError, InputError) as error:
            return self._failed(settings, "licenseMonitor", error)
        self._alarmed.pop("licenseMonitor", None)
        publish_ending(ending, settings, self._log, self._clock())
        free = free_licenses(seats_of(points), settings, make_day(now, settings.policy.timezone).today)
        if job.to_influxdb:
            tags = (*settings.static_tags, *job.tags)
            write_points([*points, *points_of_free(free, tags, settings.site.url, now)], settings, self._log)
        publish_low(free, settings, self._log, now)
        numbers: dict[str, Any] = {
            f"{dict(point.tags)['license_type']}_{name}": float(value)
            for point in points
            for name, value in point.fields.items()
            if isinstance(value, int | float)
        }
        self._log("licenses", job="licenseMonitor", **numbers)
        known = Known(
            licenses=types_in(points), licenses_at=now, ending=tuple(ending), ending_at=now, free=free, free_at=now
        )
        return JobResult("done", ok=True, numbers=numbers, known=known)

    def watch_server_license(self, settings: Settings) -> JobResult:
        """Reads when the site's own license expires; says so once a day from the threshold on."""
        job = settings.jobs.server_monitor
        day = make_day(self._clock(), settings.policy.timezone)
        try:
            with self._connect(settings) as qrs:
                found, points = read_expiry(qrs, settings, day)
                ending = qrs.ending
        except (RemoteError, InputError) as error:
            return self._failed(settings, "serverLicenseMonitor", error)
        self._alarmed.pop("serverLicenseMonitor", None)
        publish_ending(ending, settings, self._log, day.now)
        if job.to_influxdb:
            write_points(points, settings, self._log)
        close = found.is_close(job.threshold_days)
        level = logging.WARNING if close else logging.INFO
        self._log(f"the site's license {found.describe()}", level=level, job="serverLicenseMonitor", days=found.days)
        if close and self._is_news("expiry", day.today):
            event = expiry_event(found, settings, day.now)
            send_event(event, settings, self._log, day.now)
        send_messages(
            expiry_messages(found, settings), settings, day.now, partial(self._log, job="serverLicenseMonitor")
        )
        known = Known(
            expires=found.expires, expired=found.expired, expires_at=day.now, ending=tuple(ending), ending_at=day.now
        )
        numbers = {"days_until_expiry": float(found.days)}
        return JobResult("expiring" if close else "done", ok=True, numbers=numbers, known=known)

    def beat(self, settings: Settings) -> JobResult:
        """Calls the address of Butler's heartbeat. That nobody answers there is said once a day, and is no failure."""
        alarms = settings.alarms
        request = http.Request("GET", alarms.heartbeat.url, "remoteURL", redirects=True)
        (trouble,) = deliver_all([("heartbeat", partial(http.send, request, alarms.proxy))])
        if trouble is None:
            if self._alarmed.pop("heartbeat", None):
                self._log("the heartbeat is taken again", job="heartbeat")
            return JobResult("done", ok=True)
        if self._is_news("heartbeat", self._clock().date()):
            reason = f"the heartbeat was not taken at {origin(alarms.heartbeat.url)}: {trouble.message}"
            self._log(reason, level=logging.WARNING, job="heartbeat", help=trouble.help)
        return JobResult("not-taken", ok=True)

    def _failed(self, settings: Settings, job: JobName, error: RemoteError | InputError) -> JobResult:
        self._log(error.message, level=logging.ERROR, job=job, help=error.help)
        now = self._clock()
        if self._is_news(job, make_day(now, settings.policy.timezone).today):
            event = run_failed(settings.site.url, now, job, error.message, error.help)
            send_event(event, settings, self._log, now)
        return JobResult("failed", ok=False, why=(error.message,), help=error.help)

    def _is_news(self, what: str, today: date) -> bool:
        before, self._alarmed[what] = self._alarmed.get(what), today
        return before != today


def _why(report: RunReport) -> tuple[str, ...]:
    """Why a run ended as it did. Of findings that stopped it only the codes: their words may name people.

    Of guarantees only that they are not kept: their examples are made up, and look like somebody.
    """
    if report.outcome == "stopped" and report.plan is not None and broken_words(report.plan.guarantees):
        return ("a guarantee of the policy does not hold",)
    if report.outcome == "stopped":
        return tuple(f"{code} was found in the plan" for code in dict.fromkeys(one.code for one in report.stopped_by))
    return report.why


def _help(report: RunReport) -> str | None:
    """What to do about it, where the run itself knows."""
    if report.outcome == "over-limit" and report.plan is not None:
        return str(report.plan.summary()["remedy"])
    return report.error.help if report.error else None
