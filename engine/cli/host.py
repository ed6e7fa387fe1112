"""The surroundings of `run` and `serve`, unattended work: the lock, the settings, a way to be stopped."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.state_folder import default_folder
from seatwarden.engine.cli.terminal.output import complain, warn
from seatwarden.engine.site.settings import Settings, load_settings

if TYPE_CHECKING:
    from seatwarden.engine.runs.context import Log, RunContext
    from seatwarden.engine.service.running import Surroundings

STOP_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
"""Ctrl-C, what service managers send, and Ctrl-Break of Windows."""

BREAK, CLOSED, LOGGED_OFF, SHUT_DOWN = 1, 2, 5, 6
"""What Windows tells those who belong to a console, beside Ctrl-C: CTRL_BREAK_EVENT, CTRL_CLOSE_EVENT and so on."""


def settings_from(site: Path, policy: Path | None, *, scheduled: bool = False, needs_policy: bool = True) -> Settings:
    """The settings in a site file. Raises InputError, PolicyError."""
    return load_settings(
        site,
        os.environ,
        default_folder=default_folder(),
        policy=policy,
        scheduled=scheduled,
        needs_policy=needs_policy,
    )


def say_warnings(settings: Settings) -> None:
    """Says what is not wrong in the settings, but may not be meant."""
    for warning in settings.warnings:
        complain(warning, settings.sources)
    for text in settings.notes:
        warn(text)


def log_warnings(message: str, *, level: int = logging.INFO, **facts: object) -> None:
    """Says on stderr what is not well, and nothing else."""
    if level >= logging.WARNING:
        shown = [str(fact) for name, fact in facts.items() if fact not in (None, "") and name != "traceback"]
        warn(": ".join([message, *shown]))


def context_for(settings: Settings, log: "Log", stop: threading.Event) -> "RunContext":
    """The context of runs under these settings."""
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import
    from seatwarden.engine.runs.context import RunContext

    keep = settings.keep_snapshot or settings.keeps_history
    return RunContext(
        connect=lambda: QrsClient(settings.site, clock(), parallel=settings.parallel, keep=keep),
        hand=this_hand(clock, settings.site.qlik_user),
        log=log,
        stop=stop,
    )


def service_surroundings(site: Path, policy: Path | None, stop: threading.Event) -> "Surroundings":
    """What the service of a site is given by this process; `stop` asks it to end."""
    from seatwarden.engine.service.running import Surroundings

    return Surroundings(
        load=lambda: settings_from(site, policy, scheduled=True),
        clock=clock,
        context=context_for,
        stop=stop,
        reload=threading.Event(),
    )


@contextmanager
def stopped_with_console(stop: threading.Event) -> Iterator[None]:
    """A context in which Ctrl-Break, a console that is closed, a log-off and a shutdown of Windows set `stop`.

    By the last three Windows ends a process when it has answered, or after about 5 seconds. So there is no answer: the
    process ends by itself when the licenses under way are finished.
    """
    if sys.platform != "win32":
        yield
        return
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32")
    ending, session = threading.Event(), wintypes.DWORD()
    kernel.ProcessIdToSessionId(os.getpid(), ctypes.byref(session))

    @ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)  # type: ignore[untyped-decorator, unused-ignore]
    def told(event: int) -> bool:
        if event == LOGGED_OFF and session.value == 0:
            return True  # services, and what they start, are told when anybody logs off
        if event in (CLOSED, LOGGED_OFF, SHUT_DOWN):
            ending.set()
            stop.set()
            threading.Event().wait()
        if event == BREAK and not stop.is_set():
            stop.set()  # not left to the signal: Wine has none for it
            return True
        return False

    kernel.SetConsoleCtrlHandler(told, True)
    try:
        yield
    finally:
        if not ending.is_set():  # else it would wait for the answer
            kernel.SetConsoleCtrlHandler(told, False)


@contextmanager
def stopped_by_signals(stop: threading.Event, reload: threading.Event | None = None) -> Iterator[None]:
    """A context in which being asked to end sets `stop`; asked again, the process ends at once, as if killed.

    SIGHUP, where there is such a thing, sets `reload` if there is one.
    """

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            # The journal is made for it: the next run looks up what was under way.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        stop.set()

    handlers: dict[int, Callable[[int, FrameType | None], None]] = dict.fromkeys(STOP_SIGNALS, ask)
    if reload is not None and hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = lambda number, frame: reload.set()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        with stopped_with_console(stop):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
