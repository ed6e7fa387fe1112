"""A live site for the documentation: examples/site.json, served as https://qlik.example.com:4242 on a stopped clock.

The server, its certificates and what it deletes are the simulated QRS's. Only the name leads to this machine, and the
commands' clock stands at the moment of the example, so that what they print is the same on every day. A page that names
a mail server has one that takes every message, by real STARTTLS.
"""

import importlib
import io
import pkgutil
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self

import pytest

import seatwarden.engine.cli
from seatwarden.engine.simulator.certificates import ThrowAwayAuthority, Validity
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.notify.servers import mail_server
from tests.paths import EXAMPLES, load_json

HOST, PORT = "qlik.example.com", 4242
FLEET_HOSTS = tuple(f"qlik.{city}.example.com" for city in ("berlin", "oslo", "paris"))
"""The sites of the page on fleets: each is the same site, and another one."""
MAIL_HOST, MAIL_PORT = "smtp.example.com", 587
ADDRESS, MAIL_ADDRESS = "192.0.2.{}", "192.0.2.25"
MOMENT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
TEN_YEARS = Validity(datetime(2024, 3, 1, tzinfo=UTC), datetime(2034, 3, 1, tzinfo=UTC))


class StoppedClock(datetime):
    """`datetime`, for which it is always the moment of the example, or that hour of the day that a page has come to."""

    moment: ClassVar[datetime] = MOMENT

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(StoppedClock.moment.timestamp(), tz)


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
def live_site(folder: Path, *, mail: bool = False, hosts: Sequence[str] = (HOST,)) -> Iterator[SimulatedQrs]:
    """The site answers, and its certificates stand in `folder`/certificates; `mail`: so does a mail server.

    With several `hosts` there is such a site behind each; the first is handed out.
    """
    # The authority is valid by the real clock, which TLS goes by.
    files = ThrowAwayAuthority(now=datetime.now(UTC)).export(
        folder / "certificates", hosts=[*hosts, MAIL_HOST], server_validity=TEN_YEARS, client_validity=TEN_YEARS
    )
    site = load_json(EXAMPLES / "site.json")
    with ExitStack() as stack:
        sites = [site | {"license": {**site.get("license", {}), "key": f"that of {host}"}} for host in hosts]
        served = sites if len(hosts) > 1 else [site]
        running = [stack.enter_context(SimulatedQrs(one, certificates=files, now=MOMENT)) for one in served]
        ways = {
            (host, PORT): (ADDRESS.format(42 + n), qrs.port)
            for n, (host, qrs) in enumerate(zip(hosts, running, strict=True))
        }
        if mail:
            ways[MAIL_HOST, MAIL_PORT] = (MAIL_ADDRESS, stack.enter_context(mail_server(starttls=files)).port)
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        _lead_to(ways, patch)
        patch.setattr(StoppedClock, "moment", MOMENT)
        state = folder / ".state"
        state.mkdir()
        for found in command_modules():
            if getattr(found, "datetime", None) is datetime:
                patch.setattr(found, "datetime", StoppedClock)
            if hasattr(found, "user_state_path"):  # the site's lock is not shared with others of this machine
                patch.setattr(found, "user_state_path", lambda *_, **__: state)
        yield running[0]


def come_to(qrs: SimulatedQrs, day: date, used_by: str | None) -> None:
    """It is another day, and somebody, by user id, has opened Qlik Sense in the hour before.

    On the day of the example all is as it was: a page tells its story to the end, and then goes on with other things.
    """
    StoppedClock.moment = MOMENT.replace(year=day.year, month=day.month, day=day.day)
    qrs.be_at(StoppedClock.moment)
    with qrs.site_lock() as site:
        if StoppedClock.moment == MOMENT:
            site.update(load_json(EXAMPLES / "site.json"))
        for row in (row for rows in site["licenses"].values() for row in rows):
            if used_by is not None and row["user"] and row["user"]["userId"] == used_by:
                row["lastUsed"] = f"{day}T08:30:00.000Z"


def _lead_to(ways: dict[tuple[str, int], tuple[str, int]], patch: pytest.MonkeyPatch) -> None:
    """Each name has an address of the range for documentation, and connections to that come to this machine."""
    resolve, connect = socket.getaddrinfo, socket.socket.connect
    addresses = {host: address for (host, _), (address, _) in ways.items()}
    ports = {(address, port): here for (_, port), (address, here) in ways.items()}

    def resolve_example(host: Any, *rest: Any, **options: Any) -> Any:
        return resolve(addresses.get(host, host), *rest, **options)

    def connect_example(self: socket.socket, address: Any) -> None:
        here = ports.get(address) if isinstance(address, tuple) and len(address) == len((HOST, PORT)) else None
        connect(self, ("127.0.0.1", here) if here is not None else address)

    patch.setattr(socket, "getaddrinfo", resolve_example)
    patch.setattr(socket.socket, "connect", connect_example)
