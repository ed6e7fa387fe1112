"""`seatwarden monitor`: how many licenses are in use and when the site's own expires, shown and written to InfluxDB."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seatwarden.engine.cli.circumstances import clock
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.host import log_warnings, say_warnings, settings_from
from seatwarden.engine.cli.inputs import NowOption, SiteOption, TextFormat, needed, parse_now
from seatwarden.engine.cli.terminal.output import complain, note, print_result, say, warn
from seatwarden.engine.cli.terminal.tables import print_rows
from seatwarden.engine.cli.views.capacity import say_free
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import join_words, printable
from seatwarden.engine.errors import RemoteError
from seatwarden.engine.facts.day import Day, make_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from seatwarden.engine.metrics.point import FieldValue, Point
    from seatwarden.engine.monitor.capacity import FreeLicenses
    from seatwarden.engine.monitor.server_license import ServerLicense
    from seatwarden.engine.notify.events import Event
    from seatwarden.engine.qrs.expiry import EndingCertificate
    from seatwarden.engine.service.state import JobName
    from seatwarden.engine.site.settings import Settings

_SEATS = ("total", "allocated", "used", "quarantined", "excess", "available")


def monitor(
    site: SiteOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print points as line protocol, list messages; write and send nothing.")
    ] = False,
    now: NowOption = None,
    format: TextFormat = "text",
) -> None:
    """Show license use and expiry, and write both to InfluxDB.

    Expiry is that of the site's own license. It works whether or not the monitors are enabled: that is about their
    schedules. Where points and messages go is as the site file says.

    Example: seatwarden monitor --site butler.yaml --dry-run
    """
    site = needed(site)
    asked = parse_now(now) if now is not None else clock()
    settings = settings_from(site, None, needs_policy=False)
    say_warnings(settings)
    day = make_day(asked, settings.policy.timezone)
    seen = _look(settings, day)
    if dry_run:
        _print_lines(seen, settings, day.now, format)
        _list_messages(seen, settings, day.now)
    else:
        if format == "text":
            _show(seen, settings)
        failed = _write(seen, settings, day.now, say if format == "text" else note)
        if format == "json":
            print_result(_to_json(seen, settings))
        _notify(seen, settings, day.now)
        seen.failed = not _alarm(seen, settings) or failed or seen.failed
    if seen.failed:
        raise typer.Exit(ExitCode.REMOTE_FAILED)


@dataclass(slots=True)
class _Seen:
    """The answers of the site. `failed` when a part of them is missing, which has been said then."""

    use: "list[Point]" = field(default_factory=list)
    license: "ServerLicense | None" = None
    expiry: "list[Point]" = field(default_factory=list)
    failed: bool = False
    errors: "list[tuple[JobName, RemoteError]]" = field(default_factory=list)
    """The problems, each once, behind the job that met it."""
    ending: "Sequence[EndingCertificate]" = ()
    free: "Sequence[FreeLicenses]" = ()


def _look(settings: "Settings", day: Day) -> _Seen:
    """Reads both answers; what one of them lacks does not take the other away."""
    from seatwarden.engine.monitor.capacity import free_licenses, seats_of
    from seatwarden.engine.monitor.reading import read_expiry, read_use
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import

    seen = _Seen()

    def say_once(job: "JobName", error: RemoteError) -> None:
        seen.failed = True
        if error.message not in [said.message for _, said in seen.errors]:  # a site that is not there, is not for both
            complain(error)
            seen.errors.append((job, error))

    # Certificates are valid by the real clock, whatever --now says.
    with QrsClient(settings.site, clock()) as qrs:
        try:
            seen.use = read_use(qrs, settings, day.now)
        except RemoteError as error:
            say_once("licenseMonitor", error)
        try:
            seen.license, seen.expiry = read_expiry(qrs, settings, day)
        except RemoteError as error:
            say_once("serverLicenseMonitor", error)
        seen.ending = qrs.ending
    seen.free = free_licenses(seats_of(seen.use), settings, day.today)
    for one in seen.ending:
        warn(one.describe())
    return seen


def _to_json(seen: _Seen, settings: "Settings") -> dict[str, Any]:
    """What was seen: the numbers of each license type, when the site's own license expires, and what went wrong."""
    return {
        "site": settings.site.url,
        "licenses": [{**dict(point.tags), **point.fields} for point in seen.use],
        "serverLicense": {"expires": f"{seen.license.expires:%Y-%m-%d}", "days": seen.license.days}
        if seen.license is not None
        else None,
        "free": [one.to_json() for one in seen.free],
        "errors": [{"job": job, "message": error.message, "help": error.help} for job, error in seen.errors],
    }


def _points_of_free(seen: _Seen, settings: "Settings", now: datetime) -> "list[Point]":
    from seatwarden.engine.monitor.capacity import points_of_free

    tags = (*settings.static_tags, *settings.jobs.license_monitor.tags)
    return points_of_free(seen.free, tags, settings.site.url, now)


def _print_lines(seen: _Seen, settings: "Settings", now: datetime, format_: str) -> None:
    """Line protocol without a time, as Butler sent it: what a script or a diff can take.

    With the master switch off there are no points, as in Butler; the switches of the destinations do not count here.
    """
    from seatwarden.engine.metrics.point import line

    if format_ == "json":
        points = () if settings.influx_off else (*seen.use, *seen.expiry, *_points_of_free(seen, settings, now))
        print_result({**_to_json(seen, settings), "points": [line(point, with_time=False) for point in points]})
        return
    if settings.influx_off:
        note("`influxDb.enable` is false: nothing would be written")
        return
    for point in (*seen.use, *seen.expiry, *_points_of_free(seen, settings, now)):
        sys.stdout.write(line(point, with_time=False) + "\n")


def _list_messages(seen: _Seen, settings: "Settings", now: datetime) -> None:
    """What would be sent, on stderr: what is printed on stdout is line protocol alone."""
    from seatwarden.engine.monitor.alarms import expiry_messages
    from seatwarden.engine.notify.send import destinations
    from seatwarden.engine.runs.publish import ending_event, low_event, news_of_low

    soon = [ending_event(seen.ending, settings, now)] if seen.ending else []
    low = [low_event(one, settings, now) for one in news_of_low(seen.free, settings)]
    for event in (*_events(seen, settings, now), *soon, *low):
        for one in destinations(settings.notifications, event):
            note(printable(f"would be sent to {one.label}: {event.kind}, {event.subject}"))
    for message in expiry_messages(seen.license, settings) if seen.license else ():
        for text in message.texts:
            note(printable(f"would be sent to {message.destination}: {text}"))


def _alarm(seen: _Seen, settings: "Settings") -> bool:
    """Sends what Butler sends; returns whether all has arrived."""
    from seatwarden.engine.monitor.alarms import expiry_messages, send_messages

    messages = expiry_messages(seen.license, settings) if seen.license else []
    # A rate limit is about real time, whatever --now says.
    return send_messages(messages, settings, clock(), log_warnings)


def _show(seen: _Seen, settings: "Settings") -> None:
    rows, others = [], []
    for point in seen.use:
        kind = dict(point.tags)["license_type"]
        if set(point.fields) & set(_SEATS):
            rows.append([kind, *(_number(point.fields.get(name)) for name in _SEATS)])
        else:  # minutes and tokens
            words = [f"{_number(value)} {name.replace('_', ' ')}" for name, value in point.fields.items()]
            others.append(f"{kind}: {', '.join(words)}")
    say(f"Licenses at {settings.site.url}")
    if rows:
        print_rows([Column("License"), *(Column(name.capitalize(), right=True) for name in _SEATS)], rows)
    for text in others:
        say(text)
    if not seen.use and not seen.failed:
        say("No license type is enabled.")
    if seen.license is not None:
        say(f"The site's own license {seen.license.describe()}")
    say_free(seen.free)


def _notify(seen: _Seen, settings: "Settings", now: datetime) -> None:
    """Tells those who asked for it that the site's license expires soon, or that it could not be found out."""
    from seatwarden.engine.runs.publish import publish_ending, publish_low, send_event

    for event in _events(seen, settings, now):
        send_event(event, settings, log_warnings, now)
    publish_ending(seen.ending, settings, log_warnings, clock())
    publish_low(seen.free, settings, log_warnings, now)


def _events(seen: _Seen, settings: "Settings", now: datetime) -> "Iterator[Event]":
    from seatwarden.engine.notify.events import run_failed
    from seatwarden.engine.runs.publish import expiry_event

    if seen.license is not None and seen.license.is_close(settings.jobs.server_monitor.threshold_days):
        yield expiry_event(seen.license, settings, now)
    for job, error in seen.errors:
        yield run_failed(settings.site.url, now, job, error.message, error.help)


def _number(value: "FieldValue | None") -> str:
    if not isinstance(value, float):
        return "?"
    return f"{value:,.0f}" if value.is_integer() else f"{value:,}"


def _write(seen: _Seen, settings: "Settings", now: datetime, tell: Callable[[str], None]) -> bool:
    """Writes what the site file wants written; returns whether points are lost or rejected."""
    from seatwarden.engine.metrics.delivery import send

    if settings.influx is None:
        why = "`influxDb.enable` is false" if settings.influx_off else "the site file has no `influxDb`"
        tell(f"Nothing is written: {why}.")
        return False
    jobs = settings.jobs
    parts = (
        ("licenseMonitor", jobs.license_monitor, [*seen.use, *_points_of_free(seen, settings, now)]),
        ("serverLicenseMonitor", jobs.server_monitor, seen.expiry),
    )
    silent = [f"`{name}.destination.influxDb.enable`" for name, job, points in parts if points and not job.to_influxdb]
    if silent:
        tell(f"Not written, since it is not switched on: {join_words(silent)}")
    points = [point for _, job, found in parts if job.to_influxdb for point in found]
    if not points:
        return False
    delivery = send(points, settings.influx, settings.folder)
    if delivery.problem:
        warn(f"InfluxDB has not got everything: {delivery.describe()}")
    else:
        tell(f"InfluxDB at {settings.influx.url}: {delivery.describe()}")
    return bool(delivery.rejected or delivery.dropped)
