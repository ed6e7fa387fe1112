"""`/health` and Prometheus' `/metrics`, for this machine only, and only when the settings name a port."""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from seatwarden.engine.service.logging import log
from seatwarden.engine.service.state import JobState, ServiceState

HOST = "127.0.0.1"
_TIMEOUT_SECONDS = 10
"""Seconds that a client may take to say what it wants."""


@contextmanager
def status_server(port: int, state: ServiceState, clock: Callable[[], datetime]) -> Iterator[int]:
    """Answers on that port (0: any that is free) of the loopback address until left; gives the port.

    Raises OSError when the port is taken.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_StateCollector(state))

    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "seatwarden", ""
        timeout = _TIMEOUT_SECONDS

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/health":
                    content = json.dumps(state.to_json(clock()), indent=2).encode()
                    self._answer(200 if state.ok else 503, "application/json", content)
                case "/metrics":
                    self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
                case _:
                    self._answer(404, "text/plain", b"there are /health and /metrics\n")

        do_HEAD = do_GET  # noqa: N815 - http.server's name

        def _answer(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":  # the same, without a body (RFC 9110, 9.3.2)
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Logs nothing: that somebody asked for the health is no news."""

    server = _Server((HOST, port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="status", daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"
    """On Windows it would let two programs listen on one port."""

    def server_bind(self) -> None:
        """Binds without HTTPServer's reverse DNS lookup, which can take seconds."""
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away before it had its answer is its own affair; all else is a defect of ours."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            log("a question for the service's health failed", level=logging.ERROR, error=repr(error))


class _StateCollector(Collector):
    def __init__(self, state: ServiceState) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
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


def _by_job(
    name: str, help_: str, jobs: dict[Any, JobState], moment: Callable[[JobState], datetime | None]
) -> Iterator[Metric]:
    family = GaugeMetricFamily(f"seatwarden_{name}", help_, labels=("job",))
    for job_name, job in jobs.items():
        at = moment(job)
        if at is not None:
            family.add_metric((job_name,), at.timestamp())
    yield family
