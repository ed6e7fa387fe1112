"""`/health` and `/metrics`: on loopback, and readable for what reads them. Pages are in `test_pages.py`."""

import errno
import json
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from seatwarden.engine.service.state import JobResult, ServiceState
from seatwarden.engine.service.status_page import ServicePages
from seatwarden.engine.service.status_server import status_server

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


@pytest.fixture
def state() -> ServiceState:
    state = ServiceState(NOW)
    state.schedule({"licenseRelease": "every 6 hours", "licenseMonitor": "at 2:30"})
    state.due("licenseRelease", NOW + timedelta(hours=4))
    return state


@pytest.fixture
def port(state: ServiceState) -> Iterator[int]:
    with status_server(0, state, ServicePages(state, pytest.fail), lambda: NOW) as port:
        yield port


def _get(port: int, path: str) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{port}{path}", timeout=5)


def test_health(port: int, state: ServiceState) -> None:
    answer = _get(port, "/health")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json()["jobs"]["licenseRelease"]["next"] == "2026-11-21T06:00:00.000Z"
    state.begun("licenseRelease", NOW)
    assert _get(port, "/health").json()["jobs"]["licenseRelease"]["runningSince"] == "2026-11-21T02:00:00.000Z"
    state.ended("licenseRelease", NOW, JobResult("over-limit", ok=False))
    answer = _get(port, "/health?verbose")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    state.ended("licenseRelease", NOW, JobResult("done", ok=True))
    assert _get(port, "/health").status_code == 200
    state.refused_change = "it has 1 error"
    answer = _get(port, "/health")
    assert (answer.status_code, answer.json()["refusedChange"]) == (503, "it has 1 error")


@pytest.mark.parametrize("path", ["/health", "/metrics", "/nothing"])
@pytest.mark.parametrize("failing", [False, True])
def test_head_is_get_without_a_body(port: int, state: ServiceState, path: str, failing: bool) -> None:
    state.refused_change = "it has 1 error" if failing else None
    asked, got = requests.head(f"http://127.0.0.1:{port}{path}", timeout=5), _get(port, path)
    assert asked.status_code == got.status_code
    assert asked.headers["Content-Type"] == got.headers["Content-Type"]
    assert asked.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.content))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(f"HEAD {path} HTTP/1.0\r\n\r\n".encode())
        whole = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert whole.endswith(b"\r\n\r\n")


def test_metrics_are_what_prometheus_reads(port: int, state: ServiceState) -> None:
    state.missed("licenseRelease", 3)
    state.ended("licenseRelease", NOW, JobResult("done", ok=True, numbers={"released": 19.0}))
    state.ended("licenseMonitor", NOW, JobResult("failed", ok=False))
    answer = _get(port, "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert samples["seatwarden_healthy",] == 0
    assert samples["seatwarden_start_time_seconds",] == NOW.timestamp()
    assert samples["seatwarden_next_run_timestamp_seconds", "licenseRelease"] == NOW.timestamp() + 4 * 3600
    assert ("seatwarden_next_run_timestamp_seconds", "licenseMonitor") not in samples
    assert samples["seatwarden_last_run_timestamp_seconds", "licenseMonitor"] == NOW.timestamp()
    assert samples["seatwarden_runs_total", "done", "licenseRelease"] == 1
    assert samples["seatwarden_runs_total", "failed", "licenseMonitor"] == 1
    assert samples["seatwarden_missed_runs_total", "licenseRelease"] == 3
    assert samples["seatwarden_last_run", "licenseRelease", "released"] == 19


def test_elsewhere_there_is_nothing(port: int) -> None:
    for path in ("/nothing", "/index.html", "/runs", "/runs/", "/status.css"):
        answer = _get(port, path)
        assert (answer.status_code, answer.text) == (404, "there are /, /health and /metrics\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/health", "/runs/x/report.html"])
def test_it_is_only_to_be_read(port: int, method: str, path: str) -> None:
    answer = requests.request(method, f"http://127.0.0.1:{port}{path}", timeout=5)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.skipif(sys.platform != "linux", reason="others have one address of loopback")
def test_only_on_loopback(port: int) -> None:
    # An address of loopback too, but not the one: who listens on all addresses listens there.
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5)


def test_a_taken_port(port: int, state: ServiceState) -> None:
    with (
        pytest.raises(OSError, match=r".") as caught,
        status_server(port, state, ServicePages(state, pytest.fail), lambda: NOW),
    ):
        pass
    assert caught.value.errno == errno.EADDRINUSE


def test_who_says_nothing_or_goes_away_is_in_nobodys_way(
    port: int, state: ServiceState, capfd: pytest.CaptureFixture[str]
) -> None:
    silent = socket.create_connection(("127.0.0.1", port))
    rude = socket.create_connection(("127.0.0.1", port))
    rude.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
    rude.close()
    assert _get(port, "/health").status_code == 200
    silent.close()
    assert capfd.readouterr().err == ""
    assert json.dumps(state.to_json(NOW))
