"""A service as Windows runs it: in a process of ours that the service manager has started and asks to end.

It begins, and is told to the manager, when all is right. Stop and shutdown finish the licenses under way. An error of
the administrator's ends it for good; a defect of ours ends the process without a word to the manager, which therefore
counts it as a crash and starts it again.
"""

import logging
import os
import threading
import traceback
from collections.abc import Callable
from logging.handlers import NTEventLogHandler
from typing import Any

from seatwarden.engine.service.logging import LOGGER, TextLines, log
from seatwarden.engine.service.windows_manager import PATIENCE_SECONDS, check_windows
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import InputError, PolicyError

OF_ITS_LIFE = ("service started", "asked to end: licenses under way are finished", "service ended")
"""The log lines for the event log, beside warnings and errors."""
_NOT_BY_MANAGER, _OF_ITS_OWN, _NOT_KNOWN = 1063, 1066, 120
"""ERROR_ codes of winerror.h."""
_BAD_INPUT, _CRASHED = 2, 70
_MOST_OF_AN_EVENT = 30_000

Work = Callable[[threading.Event, Callable[[], None]], None]
"""The work of a service: until the event is set; it calls the function when it has begun."""


def host(work: Work) -> None:
    """Does the work of a service under the service manager, until that wants it ended.

    Raises InputError where the manager has not started this process.
    """
    check_windows()
    import pywintypes
    import servicemanager

    servicemanager.Initialize()
    servicemanager.PrepareToHostSingle(lambda arguments: HostedService(arguments[0], work))
    try:
        servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call]
    except pywintypes.error as error:
        if error.winerror != _NOT_BY_MANAGER:
            raise
        message = "only the service manager of Windows can run this"
        raise InputError(message, "`seatwarden serve` does the same in a window of yours") from None


class HostedService:
    """One service; pywin32 makes it when the manager starts it, and calls `SvcRun`."""

    def __init__(self, name: str, work: Work) -> None:
        import servicemanager

        self._name = name
        self._work = work
        self._stop = threading.Event()
        self._manager = servicemanager.RegisterServiceCtrlHandler(name, self._told, True)

    def SvcRun(self) -> None:  # noqa: N802 - pywin32's name
        """Runs from the start to the end of the service."""
        import win32service as win

        self._report(win.SERVICE_START_PENDING)
        events = NTEventLogHandler(self._name)
        events.setFormatter(TextLines())
        events.addFilter(lambda line: line.levelno >= logging.WARNING or line.getMessage() in OF_ITS_LIFE)
        LOGGER.addHandler(events)
        code = 0
        try:
            self._work(self._stop, lambda: self._report(win.SERVICE_RUNNING))
        except SeatwardenError as error:
            log(_text(error)[:_MOST_OF_AN_EVENT], level=logging.ERROR)
            code = _BAD_INPUT
        except BaseException as error:  # noqa: BLE001 - a defect of ours: the manager starts it again
            # Without the error's own words: libraries put into them what they were given, secrets too.
            trace = "".join(traceback.format_tb(error.__traceback__))
            log("service crashed", level=logging.ERROR, error=type(error).__name__, traceback=trace)
            os._exit(_CRASHED)
        finally:
            LOGGER.removeHandler(events)
        self._report(win.SERVICE_STOPPED, code)

    def _told(self, control: int, kind: int, data: Any) -> int:
        """Called by the manager, which waits for the answer."""
        import win32service as win

        if control in (win.SERVICE_CONTROL_STOP, win.SERVICE_CONTROL_SHUTDOWN, win.SERVICE_CONTROL_PRESHUTDOWN):
            if not self._stop.is_set():
                self._report(win.SERVICE_STOP_PENDING)
                self._stop.set()
            return 0
        return 0 if control == win.SERVICE_CONTROL_INTERROGATE else _NOT_KNOWN

    def _report(self, state: int, code: int = 0) -> None:
        """Tells the manager how it is, and what it takes."""
        import win32service as win

        takes = win.SERVICE_ACCEPT_STOP | win.SERVICE_ACCEPT_SHUTDOWN | win.SERVICE_ACCEPT_PRESHUTDOWN
        running = state == win.SERVICE_RUNNING
        soon = PATIENCE_SECONDS * 1000 if state in (win.SERVICE_START_PENDING, win.SERVICE_STOP_PENDING) else 0
        kind = win.SERVICE_WIN32_OWN_PROCESS
        status = (kind, state, takes if running else 0, _OF_ITS_OWN if code else 0, code, 0, soon)
        win.SetServiceStatus(self._manager, status)


def _text(error: SeatwardenError) -> str:
    """All that an error says."""
    if isinstance(error, PolicyError):
        return "\n".join(render(finding, error.sources) for finding in error.diagnostics)
    return f"{error.message}: {error.help}" if error.help else error.message
