"""A service manager of Windows, played in memory with the calls of pywin32 that we make.

A service that is started runs in a thread, not in a process, and does what `HostedService` does with the work that the
test gives it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest

from seatwarden.engine.service.windows_host import HostedService, Work

ACCESS_DENIED, NO_SUCH_SERVICE, DOES_NOT_RUN, THERE_ALREADY, RUNS_ALREADY = 5, 1060, 1062, 1073, 1056
CONSTANTS = {
    "SERVICE_STOPPED": 1,
    "SERVICE_START_PENDING": 2,
    "SERVICE_STOP_PENDING": 3,
    "SERVICE_RUNNING": 4,
    "SERVICE_CONTROL_STOP": 1,
    "SERVICE_CONTROL_INTERROGATE": 4,
    "SERVICE_CONTROL_SHUTDOWN": 5,
    "SERVICE_CONTROL_PRESHUTDOWN": 15,
    "SERVICE_ACCEPT_STOP": 1,
    "SERVICE_ACCEPT_SHUTDOWN": 4,
    "SERVICE_ACCEPT_PRESHUTDOWN": 256,
    "SERVICE_WIN32_OWN_PROCESS": 16,
    "SERVICE_AUTO_START": 2,
    "SERVICE_ERROR_NORMAL": 1,
    "SERVICE_ALL_ACCESS": 0xF01FF,
    "SC_MANAGER_CONNECT": 1,
    "SC_MANAGER_CREATE_SERVICE": 2,
    "SC_ACTION_RESTART": 1,
    "SERVICE_CONFIG_DESCRIPTION": 1,
    "SERVICE_CONFIG_FAILURE_ACTIONS": 2,
    "SERVICE_CONFIG_PRESHUTDOWN_INFO": 7,
}


class ManagerError(Exception):
    """What pywin32 raises."""

    def __init__(self, winerror: int, strerror: str = "no reason") -> None:
        super().__init__(winerror, "Call", strerror)
        self.winerror = winerror
        self.strerror = strerror


@dataclass
class InstalledService:
    """A service of the manager: how it was made, how it says it is, and what it logged."""

    line: str
    settings: dict[int, Any] = field(default_factory=dict)
    statuses: list[tuple[int, ...]] = field(default_factory=lambda: [(16, 1, 0, 1077, 0, 0, 0)])
    told: Callable[[int, int, Any], int] | None = None
    process: threading.Thread | None = None


class PlayedManager:
    """The manager. Its services do `work`; only an `administrator` may do anything."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.administrator = True
        self.services: dict[str, InstalledService] = {}
        self.sources: set[str] = set()
        self.events: list[tuple[str, int, str]] = []
        """Source, kind (1 is an error), text."""

    def play(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Makes this a Windows with that manager."""
        service, hosting = ModuleType("win32service"), ModuleType("servicemanager")
        log, types = ModuleType("win32evtlogutil"), ModuleType("pywintypes")
        kinds = ModuleType("win32evtlog")
        vars(service).update(CONSTANTS, error=ManagerError)
        for name in vars(PlayedManager):
            if name[0].isupper():
                vars(service)[name] = getattr(self, name)
        vars(hosting).update(RegisterServiceCtrlHandler=self.register)
        vars(types).update(error=ManagerError)
        vars(log).update(
            __file__="win32/lib/win32evtlogutil.py",
            AddSourceToRegistry=lambda source, *_: self.sources.add(source),
            RemoveSourceFromRegistry=self.sources.remove,
            ReportEvent=lambda source, number, category, kind, texts: self.events.append((source, kind, texts[0])),
        )
        vars(kinds).update(EVENTLOG_ERROR_TYPE=1, EVENTLOG_WARNING_TYPE=2, EVENTLOG_INFORMATION_TYPE=4)
        for module in (service, hosting, log, types, kinds):
            monkeypatch.setitem(__import__("sys").modules, module.__name__, module)
        monkeypatch.setattr("sys.platform", "win32")

    def OpenSCManager(self, machine: None, database: None, access: int) -> object:  # noqa: N802
        if not self.administrator:
            raise ManagerError(ACCESS_DENIED)
        return self

    def CreateService(self, manager: object, name: str, *made: Any) -> InstalledService:  # noqa: N802
        if name in self.services:
            raise ManagerError(THERE_ALREADY)
        self.services[name] = InstalledService(made[5])
        return self.services[name]

    def ChangeServiceConfig2(self, service: InstalledService, what: int, value: Any) -> None:  # noqa: N802
        service.settings[what] = value

    def OpenService(self, manager: object, name: str, access: int) -> InstalledService:  # noqa: N802
        if name not in self.services:
            raise ManagerError(NO_SUCH_SERVICE)
        return self.services[name]

    def StartService(self, service: InstalledService, arguments: None) -> None:  # noqa: N802
        if service.process and service.process.is_alive():
            raise ManagerError(RUNS_ALREADY)
        (name,) = (name for name, one in self.services.items() if one is service)
        service.statuses.append((16, 2, 0, 0, 0, 0, 0))
        service.process = threading.Thread(target=lambda: HostedService(name, self.work).SvcRun())
        service.process.start()

    def ControlService(self, service: InstalledService, control: int) -> None:  # noqa: N802
        if service.process is None or not service.process.is_alive() or service.told is None:
            raise ManagerError(DOES_NOT_RUN)
        service.told(control, 0, None)

    def QueryServiceStatusEx(self, service: InstalledService) -> dict[str, int]:  # noqa: N802
        _, state, _, code, own, *_ = service.statuses[-1]
        return {"CurrentState": state, "Win32ExitCode": code, "ServiceSpecificExitCode": own}

    def DeleteService(self, service: InstalledService) -> None:  # noqa: N802
        self.services = {name: one for name, one in self.services.items() if one is not service}

    def CloseServiceHandle(self, handle: object) -> None:  # noqa: N802
        pass

    def SetServiceStatus(self, service: InstalledService, status: tuple[int, ...]) -> None:  # noqa: N802
        service.statuses.append(status)

    def register(self, name: str, told: Callable[[int, int, Any], int], extended: bool) -> InstalledService:
        self.services[name].told = told
        return self.services[name]
