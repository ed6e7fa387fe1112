"""The service manager of Windows: a service is installed there, started, stopped, asked about and removed.

pywin32 speaks to it. What it runs is `windows_host`.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from seatwarden.policy.errors import InputError

PATIENCE_SECONDS = 120
"""The time that a service has to begin, and to finish the licenses under way."""
_LOOKS_A_SECOND = 4
_RESTART_SECONDS = 60
_DAY_SECONDS = 86_400

_ACCESS_DENIED, _NO_ANSWER, _RUNS_ALREADY, _NO_SUCH_SERVICE, _DOES_NOT_RUN = 5, 1053, 1056, 1060, 1062
_OF_ITS_OWN, _GOING_AWAY, _THERE_ALREADY, _NEVER_STARTED = 1066, 1072, 1073, 1077
"""ERROR_ codes of winerror.h."""
_STATES = {1: "stopped", 2: "starting", 3: "stopping", 4: "running", 5: "going on", 6: "pausing", 7: "paused"}


def install(name: str, title: str, text: str, command: Sequence[str]) -> None:
    """Makes a service of a command: it starts with Windows, and again a minute after a crash. Raises InputError."""
    with _told(name), _manager("SC_MANAGER_CREATE_SERVICE") as manager:
        import win32evtlogutil
        import win32service as win

        line = subprocess.list2cmdline(command)
        kind, start, fault = win.SERVICE_WIN32_OWN_PROCESS, win.SERVICE_AUTO_START, win.SERVICE_ERROR_NORMAL
        made = win.CreateService(
            manager, name, title, win.SERVICE_ALL_ACCESS, kind, start, fault, line, None, False, None, None, None
        )
        try:
            restart = [(win.SC_ACTION_RESTART, _RESTART_SECONDS * 1000)] * 3
            after_crashes = {"ResetPeriod": _DAY_SECONDS, "RebootMsg": "", "Command": "", "Actions": restart}
            win.ChangeServiceConfig2(made, win.SERVICE_CONFIG_DESCRIPTION, text)
            win.ChangeServiceConfig2(made, win.SERVICE_CONFIG_FAILURE_ACTIONS, after_crashes)
            win.ChangeServiceConfig2(made, win.SERVICE_CONFIG_PRESHUTDOWN_INFO, PATIENCE_SECONDS * 1000)
            win32evtlogutil.AddSourceToRegistry(name)
        except BaseException:
            win.DeleteService(made)
            raise
        finally:
            win.CloseServiceHandle(made)


def start(name: str) -> None:
    """Starts a service, if it does not run, and waits until it does its work. Raises InputError."""
    with _service(name) as (win, service):
        with _allowed(_RUNS_ALREADY, _NO_ANSWER):  # the second may just mean that it has ended at once
            win.StartService(service, None)
        status = _settled(win, service)
    if status["CurrentState"] != win.SERVICE_RUNNING:
        code = status["Win32ExitCode"]
        code = status["ServiceSpecificExitCode"] if code == _OF_ITS_OWN else code
        how = "has not begun in time" if code in (0, _NEVER_STARTED) else f"has ended again, with the exit code {code}"
        help_ = f"the event log says why: Get-WinEvent -ProviderName {name} -MaxEvents 5"
        raise InputError(f"the service `{name}` {how}", help_)


def stop(name: str) -> None:
    """Asks a service to end, if it runs, and waits until the licenses under way are finished. Raises InputError."""
    with _service(name) as (win, service):
        _stop(name, win, service)


def status(name: str) -> str:
    """How a service is: `running`, `stopped`, or on its way. Raises InputError."""
    with _service(name) as (win, service):
        return _STATES[win.QueryServiceStatusEx(service)["CurrentState"]]


def remove(name: str) -> None:
    """Stops a service and takes it away. Raises InputError."""
    with _service(name) as (win, service):
        import win32evtlogutil

        _stop(name, win, service)
        win.DeleteService(service)
        with suppress(win.error):  # there is none: somebody has taken it away
            win32evtlogutil.RemoveSourceFromRegistry(name)


def _stop(name: str, win: Any, service: Any) -> None:
    with _allowed(_DOES_NOT_RUN):
        win.ControlService(service, win.SERVICE_CONTROL_STOP)
    if _settled(win, service)["CurrentState"] != win.SERVICE_STOPPED:
        raise InputError(f"the service `{name}` has not ended within {PATIENCE_SECONDS} seconds", "look at its log")


def _settled(win: Any, service: Any) -> Any:
    """The status of a service when it is on its way no longer, or has taken too long."""
    status = win.QueryServiceStatusEx(service)
    for _ in range(PATIENCE_SECONDS * _LOOKS_A_SECOND):
        if status["CurrentState"] not in (win.SERVICE_START_PENDING, win.SERVICE_STOP_PENDING):
            break
        time.sleep(1 / _LOOKS_A_SECOND)
        status = win.QueryServiceStatusEx(service)
    return status


@contextmanager
def _service(name: str) -> Iterator[tuple[Any, Any]]:
    with _told(name), _manager("SC_MANAGER_CONNECT") as manager:
        import win32service as win

        service = win.OpenService(manager, name, win.SERVICE_ALL_ACCESS)
        try:
            yield win, service
        finally:
            win.CloseServiceHandle(service)


@contextmanager
def _manager(access: str) -> Iterator[Any]:
    import win32service as win

    manager = win.OpenSCManager(None, None, getattr(win, access))
    try:
        yield manager
    finally:
        win.CloseServiceHandle(manager)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Errors of the service manager, as what the administrator has to mend."""
    check_windows()
    import pywintypes

    try:
        yield
    except pywintypes.error as error:
        what, help_ = {
            _ACCESS_DENIED: ("only administrators may do this", "start PowerShell with *Run as administrator*"),
            _NO_SUCH_SERVICE: (f"there is no service `{name}`", "make one with `seatwarden service install`"),
            _THERE_ALREADY: (f"there is a service `{name}` already", "take it away with `seatwarden service remove`"),
            _GOING_AWAY: (f"the service `{name}` is being removed", "close the window of services, and try again"),
        }.get(error.winerror, (f"the service `{name}`: {error.strerror}", ""))
        raise InputError(what, help_) from None


@contextmanager
def _allowed(*codes: int) -> Iterator[None]:
    """Lets errors pass; how the service is says more."""
    import pywintypes

    try:
        yield
    except pywintypes.error as error:
        if error.winerror not in codes:
            raise


def check_windows() -> None:
    """Raises InputError where there is no such service manager, or nobody who can speak to it."""
    if sys.platform != "win32":
        raise InputError(
            "there is no service manager of Windows here",
            "`seatwarden serve` is what systemd starts, see docs/service.md",
        )
    try:
        import win32service  # noqa: F401
    except ImportError:
        message = "the service manager cannot be spoken to without pywin32"
        raise InputError(message, "install it where seatwarden is: pip install pywin32") from None
