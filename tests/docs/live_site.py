"""A live site for the documentation: examples/site.json, served as https://qlik.example.com:4242 on a stopped clock.

The server, its certificates and what it deletes are the simulated QRS's. Only the name leads to this machine, and the
commands' clock stands at the moment of the example, so that what they print is the same on every day.
"""

import importlib
import io
import pkgutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import pytest

import seatwarden.engine.cli
from seatwarden.engine.simulator.certificates import ThrowAwayAuthority, Validity
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.paths import EXAMPLES, load_json

HOST, PORT = "qlik.example.com", 4242
ADDRESS = "192.0.2.42"
MOMENT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
TEN_YEARS = Validity(datetime(2024, 3, 1, tzinfo=UTC), datetime(2034, 3, 1, tzinfo=UTC))


class StoppedClock(datetime):
    """`datetime`, for which it is always the moment of the example."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(MOMENT.timestamp(), tz)


class TypedAnswers(io.StringIO):
    """What somebody types at a terminal, which shows it."""

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override] # as in io.StringIO
        line = super().readline(size)
        sys.stdout.write(line)
        return line


def command_modules() -> list[ModuleType]:
    """All modules of the command line, imported: what is imported later would bind what a test has put in place."""
    found = pkgutil.walk_packages(seatwarden.engine.cli.__path__, "seatwarden.engine.cli.")
    return [importlib.import_module(module.name) for module in found]


@contextmanager
def live_site(folder: Path) -> Iterator[None]:
    """The site answers, and its certificates stand in `folder`/certificates."""
    # The authority is valid by the real clock, which TLS goes by.
    files = ThrowAwayAuthority(now=datetime.now(UTC)).export(
        folder / "certificates", hosts=[HOST], server_validity=TEN_YEARS, client_validity=TEN_YEARS
    )
    site = SimulatedQrs(load_json(EXAMPLES / "site.json"), certificates=files, now=MOMENT)
    with site as qrs, pytest.MonkeyPatch.context() as patch:
        _lead_to(qrs.port, patch)
        state = folder / ".state"
        state.mkdir()
        for found in command_modules():
            if getattr(found, "datetime", None) is datetime:
                patch.setattr(found, "datetime", StoppedClock)
            if hasattr(found, "user_state_path"):  # the site's lock is not shared with others of this machine
                patch.setattr(found, "user_state_path", lambda *_, **__: state)
        yield


def _lead_to(port: int, patch: pytest.MonkeyPatch) -> None:
    """The name has an address of the range for documentation, and connections to that come here."""
    resolve, connect = socket.getaddrinfo, socket.socket.connect

    def resolve_example(host: Any, *rest: Any, **options: Any) -> Any:
        return resolve(ADDRESS if host == HOST else host, *rest, **options)

    def connect_example(self: socket.socket, address: Any) -> None:
        connect(self, ("127.0.0.1", port) if address == (ADDRESS, PORT) else address)

    patch.setattr(socket, "getaddrinfo", resolve_example)
    patch.setattr(socket.socket, "connect", connect_example)
