"""`seatwarden serve`: the whole command, asked to end by real signals, with the real simulator."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

import seatwarden.engine.cli.host
import seatwarden.engine.service.running
from seatwarden.engine.cli.host import BREAK, CLOSED, SHUT_DOWN
from seatwarden.engine.common.rights import LEFT_TO_FOLDERS
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.applying import read_outcomes
from tests.engine.cli.conftest import Ran, Run
from tests.engine.idle import ALL, LICENSES, POLICY
from tests.engine.notify.servers import receiver
from tests.engine.service.sites import runs_of, write_site
from tests.paths import ROOT
from tests.platforms import WINDOWS, tell_console_event
from tests.ports import free_port

RARELY = "enable: true\nfrequency: at 4:44 on the last day of february\ndryRun: false"
OFTEN = "enable: true\nfrequency: every 1 second\ndryRun: false"
JSON_LOG = "log: {file: s.log, format: json}\n"


@pytest.fixture(autouse=True)
def _looks_often(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seatwarden.engine.service.running, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(seatwarden.engine.service.running, "_WAIT_SECONDS", 0.02)


class Meanwhile:
    """What a test does while the service is at work in the main thread, where signals arrive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def said(self, message: str) -> list[dict[str, Any]]:
        """The log lines with that message."""
        path = self.folder / "s.log"
        whole = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
        return [line for line in map(json.loads, whole) if line["message"] == message]

    def wait_for(self, message: str, times: int = 1) -> list[dict[str, Any]]:
        wait_until(lambda: len(self.said(message)) >= times)
        return self.said(message)


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def serve(run: Run, site: Path, meanwhile: Callable[[Meanwhile], object], signal_: int = signal.SIGTERM) -> Ran:
    """Runs the service, does something, and asks it to end."""
    doing = Meanwhile(site.parent)
    problems: list[BaseException] = []
    started = len(doing.said("service started"))
    ended = threading.Event()

    def do() -> None:
        # However long it takes on a busy machine: a service that begins and is never asked to end would stay.
        while len(doing.said("service started")) <= started:
            if ended.wait(0.005):
                problems.append(AssertionError("it has not begun"))
                return
        try:
            meanwhile(doing)
        except BaseException as problem:  # noqa: BLE001 - for the main thread
            problems.append(problem)
        signal.raise_signal(signal_)  # `os.kill` would end the process at once on Windows

    thread = threading.Thread(target=do)
    thread.start()
    try:
        ran = run("serve", "--site", site)
    finally:
        ended.set()
        thread.join()
    if problems:
        raise problems[0]
    return ran


# Its life -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_released_because_it_starts(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, signal_: int) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=RARELY, ours=f"{JSON_LOG}heartbeat: 1")
    beat = tmp_path / "state" / "heartbeat.json"

    def meanwhile(doing: Meanwhile) -> None:
        wait_until(beat.exists)
        assert json.loads(beat.read_bytes())["jobs"]["licenseRelease"]["runs"] == {}

    ran = serve(run, site, meanwhile, signal_)
    assert (ran.code, ran.out, idle_qrs.requests) == (0, "", [])
    doing = Meanwhile(tmp_path)
    (started,) = doing.said("service started")
    assert (started["site"], started["dryRun"], started["level"]) == (idle_qrs.url, False, "info")
    (planned,) = doing.said("on schedule")
    assert (planned["job"], planned["timezone"]) == ("licenseRelease", "UTC")
    assert [line["level"] for line in doing.said("service ended")] == ["info"]
    assert doing.said(f"useSSL is false: {idle_qrs.url} is read without encryption")[0]["level"] == "warning"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_on_schedule(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=OFTEN, ours=JSON_LOG)
    ran = serve(run, site, lambda doing: doing.wait_for("job ended", 2))
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, ALL)
    first, second, *_ = Meanwhile(tmp_path).said("job ended")
    assert (first["outcome"], second["outcome"], first["job"]) == ("done", "done", "licenseRelease")
    released = Meanwhile(tmp_path).said("released")
    assert sorted(line["license"] for line in released) == ALL
    assert "CORP" not in (tmp_path / "s.log").read_text()


def test_butlers_heartbeat(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    with receiver(200) as server:
        beat = f"{{enable: true, remoteURL: 'http://127.0.0.1:{server.port}/ping', frequency: every 1 second}}"
        site = write_site(tmp_path, idle_qrs.port, release=RARELY, ours=JSON_LOG, heartbeat=beat)
        ran = serve(run, site, lambda doing: wait_until(lambda: len(server.calls) > 1))
    assert ran.code == 0
    assert set(server.calls) == {("GET", "/ping")}
    assert idle_qrs.requests == []


def test_dry_run_unless_the_file_says_otherwise(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=OFTEN.replace("dryRun: false", "dryRun: true"), ours=JSON_LOG)
    serve(run, site, lambda doing: doing.wait_for("job ended"))
    assert idle_qrs.deleted == []
    assert runs_of(site)


def test_ends_within_the_current_license_and_a_run_goes_on(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=OFTEN, ours=f"{JSON_LOG}parallel: 1")
    idle_qrs.faults.append(Fault("delay", "DELETE", seconds=0.2))
    ran = serve(run, site, lambda _: wait_until(lambda: len(idle_qrs.deleted) >= 2))
    assert ran.code == 0
    assert 2 <= len(idle_qrs.deleted) < LICENSES
    folder = next(folder for folder in runs_of(site) if (folder / "outcomes.jsonl").exists())
    journal = read_outcomes(folder)
    assert set(journal.intents) == set(journal.results) == set(idle_qrs.deleted)
    assert not journal.sealed
    assert Meanwhile(tmp_path).said("job ended")[-1]["outcome"] == "interrupted"
    idle_qrs.faults.clear()
    assert run("run", "--site", site).code == 0
    assert sorted(idle_qrs.deleted) == ALL
    assert read_outcomes(folder).sealed


def test_a_defect_in_the_service_ends_within_the_license_too(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attend(*_: object) -> None:
        wait_until(lambda: len(idle_qrs.deleted) >= 2)
        raise ZeroDivisionError

    monkeypatch.setattr(seatwarden.engine.service.running, "_attend", attend)
    idle_qrs.faults.append(Fault("delay", "DELETE", seconds=0.1))
    with pytest.raises(ZeroDivisionError):
        run("serve", "--site", write_site(tmp_path, idle_qrs.port, release=OFTEN, ours=f"{JSON_LOG}parallel: 1"))
    assert 2 <= len(idle_qrs.deleted) < LICENSES


@pytest.mark.skipif(WINDOWS, reason="to terminate a process is to kill it there")
def test_as_a_process_of_its_own_ended_by_a_second_signal(idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    """What a service manager sees. The second signal ends it at once, and a run goes on all the same."""
    site = write_site(tmp_path, idle_qrs.port, release=OFTEN, ours=f"parallel: 1\nhttp: {{port: {free_port()}}}")
    idle_qrs.faults.append(Fault("delay", "DELETE", seconds=60))
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path), "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "seatwarden"]
    with subprocess.Popen([*command, "serve", "--site", site], env=environment, stderr=subprocess.PIPE) as process:
        wait_until(lambda: len(idle_qrs.deleted) == 1)
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)  # a license is under way
        process.terminate()
        _, errors = process.communicate(timeout=20)
    assert process.returncode == -signal.SIGTERM
    text = errors.decode()
    assert "INFO    service started" in text
    assert "INFO    asked to" in text
    assert "Traceback" not in text
    idle_qrs.faults.clear()
    ran = subprocess.run(
        [*command, "run", "--site", site], env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, sorted(idle_qrs.deleted)) == (0, ALL), ran.stderr
    assert "looked up: " in ran.stdout


@pytest.mark.windows
@pytest.mark.parametrize("event", [0, BREAK, CLOSED, SHUT_DOWN], ids=["ctrl-c", "ctrl-break", "closed", "shutdown"])
def test_ends_within_the_license_when_its_console_says_so(idle_qrs: SimulatedQrs, tmp_path: Path, event: int) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=OFTEN, ours=f"{JSON_LOG}parallel: 1")
    idle_qrs.faults.append(Fault("delay", "DELETE", seconds=0.3))
    command = [sys.executable, "-m", "seatwarden", "serve", "--site", str(site)]
    with subprocess.Popen(command, env={**os.environ, "LOCALAPPDATA": str(tmp_path)}) as process:
        try:
            wait_until(lambda: len(idle_qrs.deleted) == 2, 90)  # a process takes seconds to begin under Wine
            tell_console_event(process.pid, event)
            assert process.wait(60) == 0
        finally:
            process.kill()  # else it is waited for without end
    assert 2 <= len(idle_qrs.deleted) < LICENSES
    (folder,) = (folder for folder in runs_of(site) if (folder / "outcomes.jsonl").exists())
    journal = read_outcomes(folder)
    assert set(journal.intents) == set(journal.results) == set(idle_qrs.deleted)
    assert Meanwhile(tmp_path).said("service ended")


# Changed files --------------------------------------------------------------------------------------------------


def _hang_up() -> None:
    """Asks for the files to be read at once; on Windows, which has no such signal, they are looked at soon."""
    if sys.platform != "win32":
        os.kill(os.getpid(), signal.SIGHUP)


def test_changed_files_and_sighup(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=RARELY, ours=JSON_LOG)
    policy = tmp_path / "p.policy"

    def meanwhile(doing: Meanwhile) -> None:
        policy.write_text(POLICY.replace("30 days", "60 days"))
        doing.wait_for("changed files are in force")
        policy.write_text("release analyzer when unused fo")
        doing.wait_for("a changed file is not in force: the old settings stay")
        policy.write_text(POLICY)
        _hang_up()
        doing.wait_for("changed files are in force", 2)
        site.write_text(site.read_text().replace(RARELY.replace("\n", "\n      "), OFTEN.replace("\n", "\n      ")))
        _hang_up()
        doing.wait_for("job ended")

    assert serve(run, site, meanwhile).code == 0
    assert sorted(idle_qrs.deleted) == ALL
    found = [
        line for line in map(json.loads, (tmp_path / "s.log").read_text().splitlines()) if line["level"] == "error"
    ]
    assert found[0]["finding"]["code"].startswith("SW")
    assert "^" not in json.dumps(found[0])
    assert found[1]["why"].startswith("it has ")


# Monitoring -----------------------------------------------------------------------------------------------------


def test_health_and_metrics_when_asked_for(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    port = free_port()
    site = write_site(tmp_path, idle_qrs.port, release=RARELY, ours=f"{JSON_LOG}http: {{port: {port}}}")

    def meanwhile(doing: Meanwhile) -> None:
        doing.wait_for("on schedule")
        answer = requests.get(f"http://127.0.0.1:{port}/health", timeout=5)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        (tmp_path / "p.policy").write_text("wrong")
        doing.wait_for("a changed file is not in force: the old settings stay")
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=5).status_code == 503
        assert "seatwarden_healthy 0.0" in requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text

    assert serve(run, site, meanwhile).code == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/health", timeout=5)


def test_no_port_unless_asked_for(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening: list[object] = []
    listen = socket.socket.listen

    def listens(self: socket.socket, *backlog: int) -> None:
        listening.append(self)
        listen(self, *backlog)

    monkeypatch.setattr(socket.socket, "listen", listens)
    site = write_site(tmp_path, idle_qrs.port, release=RARELY, ours=JSON_LOG)
    serve(run, site, lambda doing: doing.wait_for("on schedule"))
    assert listening == []


@pytest.mark.parametrize(
    ("content", "missed"),
    [
        ('{"at": "2 days ago"}', True),
        ('{"at": "in 2 days"}', False),
        ("", False),
        ("\x00\xff", False),
        ("[" * 100_000, False),
        ('{"at": 5}', False),
        ('{"at": "yesterday"}', False),
        ('["at"]', False),
    ],
)
def test_runs_missed_while_it_was_down(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, content: str, missed: bool
) -> None:
    started = datetime.now(UTC)
    release = f"enable: true\nfrequency: at {started - timedelta(hours=1):%H:%M}\ndryRun: false"
    site = write_site(tmp_path, idle_qrs.port, release=release, ours=JSON_LOG)
    (tmp_path / "state").mkdir()
    content = content.replace("2 days ago", format_instant(datetime.now(UTC) - timedelta(days=2)))
    content = content.replace("in 2 days", format_instant(datetime.now(UTC) + timedelta(days=2)))
    (tmp_path / "state" / "heartbeat.json").write_text(content, encoding="latin-1")
    serve(run, site, lambda doing: doing.wait_for("on schedule"))
    found = Meanwhile(tmp_path).said("runs were missed while the service was not running")
    assert [line["missed"] for line in found] == ([2] if missed else [])
    assert idle_qrs.deleted == []
    at = datetime.fromisoformat(json.loads((tmp_path / "state" / "heartbeat.json").read_bytes())["at"])
    assert started - timedelta(seconds=1) <= at <= datetime.now(UTC)


def test_rights_that_are_left_to_folders_are_logged(
    run: Run, idle_qrs: SimulatedQrs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seatwarden.engine.service.running, "left_to_folders", lambda: True)
    site = write_site(tmp_path, idle_qrs.port, release=RARELY, ours=JSON_LOG)
    serve(run, site, lambda doing: doing.wait_for("on schedule"))
    assert len(Meanwhile(tmp_path).said(LEFT_TO_FOLDERS)) == 1


# It does not start ----------------------------------------------------------------------------------------------


def test_every_error_at_once_stops_it(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    release = "enable: true\nfrequency: every hour on tuesdy\ndryRun: 5"
    site = write_site(tmp_path, idle_qrs.port, release=release, ours="http: {port: none}", policy="release everybody\n")
    ran = run("serve", "--site", site)
    assert (ran.code, ran.out, idle_qrs.requests) == (2, "", [])
    for part in ("tuesdy", "dryRun", "port", "everybody"):
        assert part in ran.err
    assert not (tmp_path / "state").exists()


def test_nothing_to_do(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    ran = run("serve", "--site", write_site(tmp_path, idle_qrs.port, release="enable: false"))
    assert ran.code == 2
    assert "nothing to do" in ran.err
    assert run("serve").code == 2


def test_a_second_service_on_the_same_folder(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=RARELY, ours=JSON_LOG)
    command = [sys.executable, "-m", "seatwarden", "serve", "--site", str(site)]
    second: list[subprocess.CompletedProcess[str]] = []

    def meanwhile(_: Meanwhile) -> None:
        here = {**os.environ, "PYTHONPATH": str(ROOT)}
        second.append(subprocess.run(command, env=here, capture_output=True, text=True, check=False))

    assert serve(run, site, meanwhile).code == 0
    assert second[0].returncode == 1
    assert "error: another service is at work with" in second[0].stderr
    assert len(Meanwhile(tmp_path).said("service started")) == 1


def test_what_cannot_be_used(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run(
            "serve", "--site", write_site(tmp_path, idle_qrs.port, release=RARELY, ours=f"http: {{port: {port}}}")
        )
    assert ran.code == 2
    assert f"the port {port} " in ran.err
    (tmp_path / "dir").mkdir()
    ran = run("serve", "--site", write_site(tmp_path, idle_qrs.port, release=RARELY, ours="log: {file: dir}"))
    assert ran.code == 2
    assert "log file `" in ran.err
    site = write_site(tmp_path, idle_qrs.port, release=RARELY)
    site.write_text(site.read_text().replace("folder: state", "folder: p.policy"))
    ran = run("serve", "--site", site)
    assert ran.code == 2
    assert "the folder `" in ran.err
