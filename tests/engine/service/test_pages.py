"""The pages over HTTP: who gets them, with which headers, and that nothing else of the disk is handed out."""

import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from seatwarden.engine.log.register import REGISTER_FILE
from seatwarden.engine.log.run_folder import PLAN_FILE, REPORT_FILE
from seatwarden.engine.report.model import report_of
from seatwarden.engine.report.render import page_security, render
from seatwarden.engine.report.sources import read_sources
from seatwarden.engine.service.running import Surroundings, run_service
from seatwarden.engine.service.status_page import ServicePages
from tests.engine.runs.running import Running
from tests.engine.service.past import past_site, served, settings_for, state_at
from tests.engine.service.sites import settings_of, write_site
from tests.ports import free_port


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Running:
    return past_site(tmp_path_factory.mktemp("past"))


@pytest.fixture(scope="module")
def port(running: Running) -> Iterator[int]:
    with served(running) as port:
        yield port


def _get(port: int, path: str, **headers: str) -> requests.Response:
    return requests.get(f"http://127.0.0.1:{port}{path}", headers=headers, timeout=10)


def _asked(port: int, path: str) -> tuple[int, str]:
    """The status and the body of an answer to a path as it stands; libraries tidy it up."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode("latin-1"))
        head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def _report(run: Path) -> str:
    return f"/runs/{run.name}/{REPORT_FILE}"


# The status page --------------------------------------------------------------------------------------------------


def test_the_page_and_its_headers(port: int, running: Running) -> None:
    answer = _get(port, "/?once")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<h1>All is well</h1>" in answer.text
    assert answer.headers["Refresh"] == "60"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("; frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert _report(running.runs[0]).removeprefix("/") in answer.text


@pytest.mark.parametrize("which", ["the page", "a report"])
def test_head(port: int, running: Running, which: str) -> None:
    path = "/" if which == "the page" else _report(running.runs[0])
    asked, got = requests.head(f"http://127.0.0.1:{port}{path}", timeout=10), _get(port, path)
    for name in ("Content-Type", "Content-Length", "Content-Security-Policy"):
        assert asked.headers[name] == got.headers[name]
    assert (asked.content, len(got.content)) == (b"", int(got.headers["Content-Length"]))


def test_a_register_that_is_not_as_it_was_written(tmp_path: Path) -> None:
    running = past_site(tmp_path, licenses=3)
    register = running.settings.folder / REGISTER_FILE
    with served(running) as port:
        assert "All is well" in _get(port, "/").text
        whole = register.read_bytes()
        register.write_bytes(whole.replace(b'"release":3', b'"release":2', 1))
        page = _get(port, "/").text
        assert "The register of runs is not as it was written" in page
        assert "seatwarden log verify" in page
        assert _get(port, _report(running.runs[0])).status_code == 409
        register.write_bytes(whole)
        assert "All is well" in _get(port, "/").text
        register.unlink()
        assert "No run is on record." in _get(port, "/").text
        register.mkdir()
        assert "The register of runs cannot be read" in _get(port, "/").text


# Reports ----------------------------------------------------------------------------------------------------------


def test_a_report_is_the_page_of_the_record(port: int, running: Running) -> None:
    for run in running.runs:
        answer = _get(port, _report(run))
        report = report_of(read_sources(run))
        assert (answer.status_code, answer.content) == (200, render(report))
        assert answer.headers["Content-Security-Policy"] == f"{page_security(report)}; frame-ancestors 'none'"
        assert "Refresh" not in answer.headers


def test_reports_name_people_and_are_shown_only_where_the_site_file_says_so(running: Running) -> None:
    with served(running, reports=False) as port:
        assert "report.html" not in _get(port, "/").text
        answer = _get(port, _report(running.runs[0]))
        assert (answer.status_code, "reports: true" in answer.text) == (403, True)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert _get(port, "/runs/nobody/report.html").status_code == 403, "nor whether there is such a run"


def test_whatever_lies_in_the_folder_a_browser_gets_what_we_write(tmp_path: Path) -> None:
    running = past_site(tmp_path, licenses=3)
    (running.runs[0] / REPORT_FILE).write_text("<script>alert(1)</script>")
    with served(running) as port:
        assert "alert(1)" not in _get(port, _report(running.runs[0])).text


@pytest.mark.parametrize(
    "path",
    [
        "/runs/{run}/plan.jsonl",
        "/runs/{run}/",
        "/runs/{run}",
        "/runs/{run}/report.html/",
        "/runs/{run}/../{run}/report.html",
        "/runs/../runs/{run}/report.html",
        "/runs/..%2fruns%2f{run}/report.html",
        "/runs/%2e%2e/report.html",
        "/runs/..\\{run}/report.html",
        "/runs/../report.html",
        "/runs/./report.html",
        "/runs//report.html",
        "/runs/{run}%00/report.html",
        "/runs/{run}/report.html%0a",
        "/runs/{run}//report.html",
        "//runs/{run}/report.html/..",
        "/RUNS/{run}/report.html",
        "/runs/20260101T000000Z-000000000000/report.html",
        "/runs/\xe5/report.html",
        "/runs.jsonl",
        "/../site.yaml",
        "/etc/passwd",
    ],
)
def test_nothing_else_is_handed_out(port: int, running: Running, path: str) -> None:
    status, body = _asked(port, path.format(run=running.runs[0].name))
    assert status == 404
    assert len(body) < 100


def test_a_folder_that_the_register_does_not_know(tmp_path: Path) -> None:
    running = past_site(tmp_path, licenses=3)
    first, second = running.runs[:2]
    shutil.copytree(first, first.with_name("20260101T000000Z-copied"))
    with served(running) as port:
        assert _get(port, "/runs/20260101T000000Z-copied/report.html").status_code == 404
        shutil.rmtree(second)
        shutil.copytree(first, second)
        answer = _get(port, _report(second))
        assert (answer.status_code, "not the one of the register" in answer.text) == (409, True)
        shutil.rmtree(second)
        assert _get(port, _report(second)).status_code == 404


def test_a_plan_that_is_not_as_it_was_written(tmp_path: Path) -> None:
    running = past_site(tmp_path, licenses=3)
    plan = running.runs[0] / PLAN_FILE
    plan.write_bytes(plan.read_bytes().replace(b"release", b"relaese", 1))
    with served(running) as port:
        answer = _get(port, _report(running.runs[0]))
        assert (answer.status_code, "not as it was written" in answer.text) == (409, True)


# Who asks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example.com", "127.0.0.1.evil.example.com", "localhost@evil", "10.0.0.1", "", "localhost:x"]
)
def test_who_calls_this_machine_by_another_name_gets_no_page(port: int, running: Running, host: str) -> None:
    for path in ("/", _report(running.runs[0])):
        answer = _get(port, path, Host=host)
        assert (answer.status_code, answer.text) == (421, "ask for localhost or 127.0.0.1\n")
    assert _get(port, "/health", Host=host).status_code == 200, "as ever: it names nobody"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9464", "127.0.0.1:80", "[::1]:9464"])
def test_names_of_this_machine(port: int, host: str) -> None:
    assert _get(port, "/", Host=host).status_code == 200


# The service ------------------------------------------------------------------------------------------------------


def test_the_service_serves_them(tmp_path: Path, running: Running) -> None:
    shutil.copytree(running.folder / "state", tmp_path / "state")
    at = free_port()
    site = write_site(tmp_path, 4242, ours=f"http: {{port: {at}, reports: true}}\n", license_monitor="every 6 hours")
    stop, begun = threading.Event(), threading.Event()
    now = running.now + timedelta(hours=1)

    def context(*_: object) -> object:
        raise AssertionError("no run is due")

    given = Surroundings(
        load=lambda: settings_of(site),
        clock=lambda: now,
        context=context,  # type: ignore[arg-type]
        stop=stop,
        reload=threading.Event(),
        begun=begun.set,
    )
    service = threading.Thread(target=run_service, args=(given,))
    service.start()
    try:
        assert begun.wait(20)
        page = _get(at, "/").text
        for words in (
            "Running, and not everything was looked at yet",
            "first look at",
            "Release licenses",
            "Watch license use",
            "Live: licenses are released",
        ):
            assert words in page
        assert _get(at, _report(running.runs[0])).status_code == 200
    finally:
        stop.set()
        service.join(20)
    assert not service.is_alive()


def test_settings_that_change_count_at_once(running: Running) -> None:
    state, now = state_at(running.now), [settings_for(running, reports=False)]
    pages = ServicePages(state, lambda: now[0])
    run_id = running.runs[0].name
    assert pages.report(run_id).status == 403
    now[0] = settings_for(running)
    assert pages.report(run_id).status == 200


def test_a_defect_is_said_and_the_service_goes_on(
    port: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> object:
        raise ValueError("nobody has thought of this")

    monkeypatch.setattr("seatwarden.engine.service.status_page.status_of", broken)
    answer = _get(port, "/")
    assert (answer.status_code, answer.text) == (500, "this page could not be made: the log says why\n")
    assert _get(port, "/health").status_code == 200
    assert "Traceback" not in capfd.readouterr().err
