"""A service of Windows from its installation to its removal, with a service manager that is played."""

import os
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from seatwarden.engine.service import windows_manager
from seatwarden.engine.service.logging import log
from seatwarden.engine.service.windows_host import host
from seatwarden.policy.errors import InputError
from tests.engine.service.windows import CONSTANTS, PlayedManager
from tests.platforms import WINDOWS

pytestmark = pytest.mark.skipif(WINDOWS, reason="there the real manager is asked: tests/engine/cli/commands")
NAME = "seatwarden-qlik"
STOPPED, STARTING, STOPPING, RUNNING = 1, 2, 3, 4


class Work:
    """What the service does: it begins, waits until it is asked to end, and finishes the license under way."""

    def __init__(self) -> None:
        self.problem: BaseException | None = None
        self.finish = threading.Event()
        self.finished = False

    def __call__(self, stop: threading.Event, begun: Callable[[], None]) -> None:
        if self.problem:
            raise self.problem
        begun()
        log("service started")
        log("released", license="l-00")
        log("a warning", level=30)
        stop.wait(30)
        self.finish.wait(30)
        self.finished = True


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def manager(work: Work, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedManager]:
    played = PlayedManager(work)
    played.play(monkeypatch)
    monkeypatch.setattr(windows_manager, "_LOOKS_A_SECOND", 200)
    monkeypatch.setattr("seatwarden.engine.service.logging.LOGGER.level", 20)
    yield played
    work.finish.set()
    for service in played.services.values():
        if service.process:
            service.process.join(30)


def _install() -> None:
    windows_manager.install(NAME, "seatwarden (qlik)", "text", ["C:\\Program Files\\python.exe", "-m", "seatwarden"])


def _states(manager: PlayedManager) -> list[int]:
    return [status[1] for status in manager.services[NAME].statuses]


def test_its_life(manager: PlayedManager, work: Work) -> None:
    _install()
    service = manager.services[NAME]
    assert service.line == '"C:\\Program Files\\python.exe" -m seatwarden'
    assert windows_manager.status(NAME) == "stopped"
    windows_manager.start(NAME)
    windows_manager.start(NAME)
    assert windows_manager.status(NAME) == "running"
    work.finish.set()
    windows_manager.stop(NAME)
    windows_manager.stop(NAME)
    assert work.finished
    assert [state for n, state in enumerate(_states(manager)) if state not in _states(manager)[:n][-1:]] == [
        *(STOPPED, STARTING, RUNNING, STOPPING, STOPPED)
    ]
    windows_manager.remove(NAME)
    assert (manager.services, manager.sources) == ({}, set())


def test_a_crash_is_recovered_from_and_a_shutdown_gets_time(manager: PlayedManager) -> None:
    _install()
    settings = manager.services[NAME].settings
    actions = settings[CONSTANTS["SERVICE_CONFIG_FAILURE_ACTIONS"]]["Actions"]
    assert actions == [(CONSTANTS["SC_ACTION_RESTART"], 60_000)] * 3
    assert settings[CONSTANTS["SERVICE_CONFIG_PRESHUTDOWN_INFO"]] == 120_000


@pytest.mark.parametrize("control", ["STOP", "SHUTDOWN", "PRESHUTDOWN"])
def test_asked_to_end_it_finishes_what_is_under_way(manager: PlayedManager, work: Work, control: str) -> None:
    _install()
    windows_manager.start(NAME)
    service = manager.services[NAME]
    assert service.told is not None
    assert service.told(CONSTANTS["SERVICE_CONTROL_INTERROGATE"], 0, None) == 0
    assert service.told(128, 0, None) != 0
    assert windows_manager.status(NAME) == "running"
    assert service.told(CONSTANTS[f"SERVICE_CONTROL_{control}"], 0, None) == 0
    assert windows_manager.status(NAME) == "stopping"
    assert service.statuses[-1][-1] == 120_000, "the time that it asks for"
    work.finish.set()
    assert service.process
    service.process.join(30)
    assert (windows_manager.status(NAME), work.finished) == ("stopped", True)
    takes = {status[1]: status[2] for status in service.statuses}
    assert takes[RUNNING] == CONSTANTS["SERVICE_ACCEPT_STOP"] | 4 | 256
    assert not takes[STOPPING]


def test_what_the_event_log_has(manager: PlayedManager, work: Work) -> None:
    _install()
    windows_manager.start(NAME)
    work.finish.set()
    windows_manager.stop(NAME)
    told = [(source, kind, text.split(maxsplit=2)[2]) for source, kind, text in manager.events]
    assert told == [(NAME, 4, "service started"), (NAME, 2, "a warning")]


def test_an_error_of_the_administrators_ends_it_for_good(manager: PlayedManager, work: Work) -> None:
    _install()
    work.problem = InputError("no such file", "name another")
    with pytest.raises(InputError, match="has ended again, with the exit code 2") as raised:
        windows_manager.start(NAME)
    assert f"-ProviderName {NAME}" in (raised.value.help or "")
    ((_, kind, text),) = manager.events
    assert (kind, "no such file: name another" in text) == (1, True)


def test_a_defect_ends_the_process_without_a_word_to_the_manager(
    manager: PlayedManager, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(BaseException):
        pass

    def end(code: int) -> None:
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    monkeypatch.setattr(windows_manager, "PATIENCE_SECONDS", 1)
    _install()
    work.problem = ZeroDivisionError("with a s3cret")
    with pytest.raises(InputError, match="has not begun in time"):
        windows_manager.start(NAME)
    assert _states(manager)[-1] == STARTING
    ((_, _, text),) = manager.events
    assert "ZeroDivisionError" in text
    assert "s3cret" not in text


def test_what_the_manager_refuses(manager: PlayedManager) -> None:
    for do in (windows_manager.start, windows_manager.stop, windows_manager.status, windows_manager.remove):
        with pytest.raises(InputError, match=f"there is no service `{NAME}`"):
            do(NAME)
    _install()
    with pytest.raises(InputError, match=f"there is a service `{NAME}` already"):
        _install()
    manager.administrator = False
    with pytest.raises(InputError, match="only administrators") as raised:
        windows_manager.stop(NAME)
    assert "Run as administrator" in (raised.value.help or "")


def test_without_windows_and_without_pywin32(monkeypatch: pytest.MonkeyPatch, work: Work) -> None:
    calls: list[Callable[[], object]] = [_install, lambda: windows_manager.remove(NAME), lambda: host(work)]
    for call in calls:
        with pytest.raises(InputError, match="no service manager of Windows here"):
            call()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "win32service", None)
    for call in calls:
        with pytest.raises(InputError, match="without pywin32") as raised:
            call()
        assert raised.value.help == "install it where seatwarden is: pip install pywin32"
