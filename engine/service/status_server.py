"""The status page, `/health` and Prometheus' `/metrics`: for this machine only, and only when the settings name a port.

What listens on loopback is open to every account of the machine, and to every page that is open in a browser there: it
may give its own name the address of loopback, and read what is answered. So pages are only for who asks by a name of
this machine.
"""

import json
import logging
import math
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from seatwarden.engine.common.loopback import CLIENT_SECONDS, PRIVATE_HEADERS, LoopbackServer
from seatwarden.engine.history.running_out import RunningOut
from seatwarden.engine.monitor.capacity import FreeLicenses
from seatwarden.engine.service.logging import log
from seatwarden.engine.service.state import JobState, ServiceState
from seatwarden.engine.service.status_page import ServicePages, WebPage

_RELOAD_SECONDS = 60

_REPORT = re.compile(r"/runs/([0-9A-Za-z][0-9A-Za-z-]*)/report\.html", re.ASCII)
"""As it is sent: an id has no character that would have to be written otherwise, so nothing is decoded."""
_OURS = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?", re.ASCII | re.IGNORECASE)
"""The names of this machine by which a page may be asked for; another port may lead here through a tunnel."""


class _Answering(BaseHTTPRequestHandler):
    """What is the same for all that is asked: how it is answered, who gets a page, and that nothing can be changed."""

    server_version, sys_version = "seatwarden", ""
    timeout = CLIENT_SECONDS

    def do_POST(self) -> None:
        self.answer(405, "text/plain", b"here is only to be read\n", {"Allow": "GET, HEAD"})

    do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_POST  # noqa: N815 - http.server's names

    def show(self, make: Callable[[], WebPage], headers: Mapping[str, str] = {}) -> None:
        """Answers with a page, to who asks by a name of this machine."""
        if self.headers.get("Host") is not None and not _OURS.fullmatch(self.headers["Host"]):
            page = WebPage.word(421, "ask for localhost or 127.0.0.1")
        else:
            page = _made(make)
        if page.security is None:
            self.answer(page.status, "text/plain; charset=utf-8", page.content)
        else:
            security = {"Content-Security-Policy": f"{page.security}; frame-ancestors 'none'"}
            self.answer(page.status, "text/html; charset=utf-8", page.content, {**headers, **security})

    def answer(self, status: int, kind: str, content: bytes, headers: Mapping[str, str] = {}) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in {**PRIVATE_HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":  # the same, without a body (RFC 9110, 9.3.2)
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: that somebody asked for the health is no news."""


@contextmanager
def status_server(port: int, state: ServiceState, pages: ServicePages, clock: Callable[[], datetime]) -> Iterator[int]:
    """Answers on that port (0: any that is free) of the loopback address until left; gives the port.

    Raises OSError when the port is taken.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StateCollector(state))

    class Handler(_Answering):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            match path:
                case "/health":
                    content = json.dumps(state.to_json(clock()), indent=2).encode()
                    self.answer(200 if state.ok else 503, "application/json", content)
                case "/metrics":
                    self.answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
                case "/":
                    self.show(lambda: pages.status(clock()), {"Refresh": str(_RELOAD_SECONDS)})
                case _ if found := _REPORT.fullmatch(path):
                    self.show(lambda: pages.report(found[1]))
                case _:
                    self.answer(404, "text/plain", b"there are /, /health and /metrics\n")

        do_HEAD = do_GET  # noqa: N815 - http.server's name

    server = LoopbackServer(port, Handler, _log_defect)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="status", daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _made(make: Callable[[], WebPage]) -> WebPage:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - a defect of ours: it is said here and in the log, and the service goes on
        log("a page could not be made", level=logging.ERROR, error=repr(error))
        return WebPage.word(500, "this page could not be made: the log says why")


def _log_defect(error: BaseException) -> None:
    log("a question to the service failed", level=logging.ERROR, error=repr(error))


class StateCollector(Collector):
    """What Prometheus reads of the state of the service."""

    def __init__(self, state: ServiceState) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        """All metrics of this moment."""
        jobs = self._state.jobs()
        yield GaugeMetricFamily("seatwarden_healthy", "1 when /health says ok", float(self._state.ok))
        started = self._state.started.timestamp()
        yield GaugeMetricFamily("seatwarden_start_time_seconds", "When the service was started", started)
        yield from _by_job("next_run_timestamp_seconds", "When a job is due next", jobs, lambda job: job.next)
        yield from _by_job("last_run_timestamp_seconds", "When a job ended last", jobs, lambda job: job.last_ended)
        runs = CounterMetricFamily("seatwarden_runs", "How often a job ended how", labels=("job", "outcome"))
        missed = CounterMetricFamily("seatwarden_missed_runs", "Runs that were due and not done", labels=("job",))
        numbers = GaugeMetricFamily("seatwarden_last_run", "Numbers of a job's last run", labels=("job", "what"))
        for name, job in jobs.items():
            for outcome, count in job.runs.items():
                runs.add_metric((name, outcome), count)
            missed.add_metric((name,), job.missed)
            for what, value in job.numbers.items():
                numbers.add_metric((name, what), value)
        yield from (runs, missed, numbers)
        yield from _of_free_licenses(self._state.known.free)


def _of_free_licenses(found: Iterable[FreeLicenses]) -> Iterator[Metric]:
    """The free licenses by type, and the days until none is left: +Inf beyond the horizon, nothing where nothing is
    known."""
    free = GaugeMetricFamily("seatwarden_free_licenses", "Licenses that are free", labels=("license_type",))
    level = GaugeMetricFamily("seatwarden_warn_below", "Free licenses below that are low", labels=("license_type",))
    labels = ("license_type", "forecast", "bound")
    days_left = GaugeMetricFamily("seatwarden_days_left", "Days until no license is left", labels=labels)
    for one in found:
        free.add_metric((one.license_type,), one.free)
        if one.level is not None:
            level.add_metric((one.license_type,), one.level)
        forecasts = {"without_releases": one.forecast.without, "with_policy": one.forecast.going_on}
        for name, forecast in forecasts.items():
            bounds = forecast.bounds if isinstance(forecast, RunningOut) else {}
            for bound, days in bounds.items():
                days_left.add_metric((one.license_type, name, bound), math.inf if days is None else days)
    yield from (free, level, days_left)


def _by_job(
    name: str, help_: str, jobs: dict[Any, JobState], moment: Callable[[JobState], datetime | None]
) -> Iterator[Metric]:
    family = GaugeMetricFamily(f"seatwarden_{name}", help_, labels=("job",))
    for job_name, job in jobs.items():
        at = moment(job)
        if at is not None:
            family.add_metric((job_name,), at.timestamp())
    yield family
