"""A simulated Qlik Sense Repository Service (QRS): a real HTTPS server with the endpoints seatwarden needs.

It is a test double for tests, `seatwarden demo` and benchmarks; no production path imports it. It asks for
a client certificate, insists on `xrfkey` and `X-Qlik-User`, evaluates filters, really deletes and gives, remembers
what it was asked, and misbehaves on request (see `Fault`). A space in a filter must come as `%20`, not `+`.

Sources of the facts: Qlik's developer help for the repository service API, and answers recorded by Butler.
The wording of refusals other than the XSRF one is undocumented and made up here.
"""

from __future__ import annotations

import gzip
import os
import re
import socket
import socketserver
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self, TypeVar
from urllib.parse import unquote, urlsplit

from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.license_audit import AuditReadings
from seatwarden.engine.simulator.repository import HTML, TEXT, Allocations, Answer, SimulatedRepository, refusal

FaultKind = Literal[
    "status", "html", "redirect", "reset", "reset_after", "truncate", "content_type", "trickle", "delay"
]

_T = TypeVar("_T")

_LOOK_SECONDS = 0.02
"""The time after which a connection that waits for its client looks whether the server stops."""
_LOGIN_PATH = "/internal_forms_authentication/"
_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Qlik Sense login</title></head><body><form></form></body></html>"
_XRFKEY = re.compile(r"[0-9A-Za-z]{16}")
_QLIK_USER = re.compile(r"\s*UserDirectory\s*=[^;]+;\s*UserId\s*=\s*\S.*", re.IGNORECASE)


@dataclass
class Fault:
    """One way to misbehave, pushed to `SimulatedQrs.faults`; the first that fits a request is applied.

    - `status`: answers `status` with `body` and `headers`, without acting;
    - `html`: answers 200 with a login page, `redirect`: 302 to one, as a proxy does without a session;
    - `reset`: drops the connection with RST before acting, `reset_after`: acts, then hangs up unanswered;
    - `truncate`: declares the full length and sends half the body;
    - `content_type`: the right JSON, declared as text/plain;
    - `trickle`: acts, then sends the body `chunk` bytes at a time, `seconds` apart;
    - `delay`: acts, then waits `seconds` before it answers.
    """

    kind: FaultKind
    method: str | None = None
    """The method it strikes, such as DELETE; None strikes all."""
    path_contains: str = ""
    """A part that the path, query included, must contain."""
    times: int | None = None
    """The number of requests it still strikes; it leaves `faults` after the last. None never ends."""
    status: int = 503
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.05
    chunk: int = 256

    def strikes(self, method: str, path: str) -> bool:
        """Say whether the fault fits a request."""
        return self.method in (None, method) and self.path_contains in path


class SimulatedQrs:
    """A QRS for one site, running from `with` to the end of the block.

    `site` has the snapshot format (`users`, `licenses`, and optionally `accessTypeOverview`, `license` and
    `licenseRules`, answered as they are) and is copied. With `certificates` it speaks TLS and refuses whoever has no
    client certificate of that authority; without, plain HTTP. `port` 0 takes a free one. Every answer waits
    `latency_seconds`. With `now`, it is always that moment there, and a license used in the 7 days before goes into
    quarantine, not away, when it is deleted. With `compress`, answers are gzip for who asks for that.

    `faults` may be changed at any time. Leaving the block ends every thread, and raises `RuntimeError` from
    the simulator's own first error, so that it never passes for a fault of the program under test. Entering
    it again brings the same site back on the same port.
    """

    def __init__(
        self,
        site: Mapping[str, Any],
        *,
        certificates: CertificateFiles | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        latency_seconds: float = 0.0,
        now: datetime | None = None,
        compress: bool = False,
    ) -> None:
        self.faults: list[Fault] = []
        self.host = host
        self.port = port
        self.compress = compress
        self.latency_seconds = latency_seconds
        self._tls = None if certificates is None else _server_context(certificates)
        self._lock = threading.Lock()
        self._repository = SimulatedRepository(site, now)
        self._now = now
        self._requests: list[tuple[str, str]] = []
        self._running: tuple[_Server, threading.Thread] | None = None
        self._handshake_failures = 0
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        self._stopping.clear()
        server = _Server((self.host, self.port), self, self._tls)
        self.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="simulated-qrs")
        self._running = server, thread
        thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, traceback: object) -> None:
        if self._running is None:
            return
        (server, thread), self._running = self._running, None
        self._stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
        if server.bug is not None and kind is None:
            raise RuntimeError("the simulated QRS failed") from server.bug

    def be_at(self, now: datetime) -> None:
        """Lets it be another moment there."""
        with self._lock:
            self._now = self._repository.now = now

    def read_rules_so(self, readings: AuditReadings) -> None:
        """Lets it read in this way what Qlik's help on license rules leaves open."""
        with self._lock:
            self._repository.readings = readings

    def allocate_so(self, allocations: Allocations) -> None:
        """Lets it answer in this way to a POST that gives a license, where only a real site tells."""
        with self._lock:
            self._repository.allocations = allocations

    @property
    def url(self) -> str:
        """The address it listens on, such as `https://127.0.0.1:49152`, without `/qrs`."""
        return f"{'http' if self._tls is None else 'https'}://{self.host}:{self.port}"

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method and path, query included, of every request so far, in order of arrival (a copy)."""
        with self._lock:
            return list(self._requests)

    @property
    def deleted(self) -> list[str]:
        """Ids of the licenses given back so far, in order; those that went into quarantine too (a copy)."""
        with self._lock:
            return list(self._repository.deleted)

    @property
    def allocated(self) -> list[str]:
        """Ids of the users who were given a license so far, in order (a copy)."""
        with self._lock:
            return list(self._repository.allocated)

    @property
    def handshake_failures(self) -> int:
        """The number of clients that were refused, or went away, before TLS was agreed."""
        with self._lock:
            return self._handshake_failures

    @contextmanager
    def site_lock(self) -> Iterator[dict[str, Any]]:
        """Hand out the site to read or change while every request waits. Do not send one meanwhile."""
        with self._lock:
            yield self._repository.site

    def _pause(self, seconds: float) -> None:
        """Wait on behalf of a request; raises `ConnectionAbortedError` at once when the server stops."""
        if seconds > 0 and self._stopping.wait(seconds):
            raise ConnectionAbortedError("the simulated QRS stops")

    def clock(self) -> datetime:
        """What its clock says: the moment it was given, else the real one. Answers carry it as `Date`."""
        return self._now or datetime.now(UTC)

    def _arrive(self, method: str, path: str) -> Fault | None:
        """Note a request, wait the latency, and pick the fault that strikes it."""
        with self._lock:
            self._requests.append((method, path))
            fault = next((fault for fault in self.faults if fault.strikes(method, path)), None)
            if fault is not None and fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self.faults.remove(fault)
        self._pause(self.latency_seconds)
        return fault

    def _act(self, method: str, target: str, headers: Message, body: bytes) -> Answer:
        """Do what a request asks for, or refuse it."""
        path, query = urlsplit(target).path, _query(urlsplit(target).query)
        if path == _LOGIN_PATH:
            return Answer(200, _LOGIN_PAGE.encode(), HTML)
        key = query.get("xrfkey", "")
        if not _XRFKEY.fullmatch(key) or headers.get("X-Qlik-Xrfkey") != key:
            return refusal(403, "XSRF prevention check failed. Possible XSRF discovered.")
        if not _QLIK_USER.fullmatch(headers.get("X-Qlik-User") or ""):
            return refusal(403, "The X-Qlik-User header is missing or malformed.")
        with self._lock:
            return self._repository.answer(method, path, query.get("filter"), body)

    def _count_handshake_failure(self) -> None:
        """Note a client that did not get through TLS."""
        with self._lock:
            self._handshake_failures += 1


class _Server(ThreadingHTTPServer):
    """The sockets and threads: one thread a connection, all of which `server_close` waits for."""

    daemon_threads = False  # server_close() joins only threads that are not daemons
    allow_reuse_address = os.name != "nt"  # there it would let two programs listen on one port
    request_queue_size = 128  # the default of 5 makes a crowd of clients wait a second for a second SYN

    def __init__(self, address: tuple[str, int], qrs: SimulatedQrs, tls: ssl.SSLContext | None) -> None:
        self.qrs = qrs
        self.bug: BaseException | None = None
        self._tls = tls
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without HTTPServer's reverse DNS lookup, which can take seconds."""
        socketserver.TCPServer.server_bind(self)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its TLS handshake is left to its own thread, lest a slow client stop all."""
        accepted, address = super().get_request()
        connection: _PlainConnection | _TlsConnection
        if self._tls is None:
            family, kind, protocol = accepted.family, accepted.type, accepted.proto
            connection = _PlainConnection(family, kind, protocol, accepted.detach())
        else:
            wrapped = self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
            assert isinstance(wrapped, _TlsConnection), "the context says so"  # noqa: S101
            connection = wrapped
        connection.stopping = self.qrs._stopping
        connection.settimeout(_LOOK_SECONDS)
        return connection, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve one connection; a client that goes away is its own affair."""
        if isinstance(request, ssl.SSLSocket) and not self._shake_hands(request):
            return
        with suppress(ConnectionError, ssl.SSLError):
            super().finish_request(request, client_address)

    def _shake_hands(self, connection: ssl.SSLSocket) -> bool:
        try:
            connection.do_handshake()
        except OSError:  # ssl.SSLError is one; so is the plain OSError of a socket that closed meanwhile
            self.qrs._count_handshake_failure()
            self._let_read_the_alert(connection)
            return False
        return True

    def _let_read_the_alert(self, connection: ssl.SSLSocket) -> None:
        """Close gently: closing with unread data sends RST, and the client would never learn the reason."""
        with suppress(OSError):
            connection.settimeout(0.5)
            # Methods of the plain socket: TLS is over.
            socket.socket.shutdown(connection, socket.SHUT_WR)
            while not self.qrs._stopping.is_set() and socket.socket.recv(connection, 65_536):
                pass

    def shutdown_request(self, request: Any) -> None:
        """Close a connection. Without the base class's FIN first, which would spoil the RST of a fault."""
        request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep the simulator's own error for the end of the `with` block instead of printing it."""
        self.bug = self.bug or sys.exc_info()[1]


class _Patient:
    """What both kinds of connection do while their client is slow: wait for it, until the server stops.

    They look every now and then. Ending the connection from another thread would not wake a waiting one on Windows.
    """

    stopping: threading.Event

    def _waiting(self, call: Callable[..., _T], *given: Any) -> _T:
        """The result of a call that may time out, having done nothing. Raises `ConnectionAbortedError` at the end."""
        while not self.stopping.is_set():
            with suppress(TimeoutError):
                return call(*given)
        raise ConnectionAbortedError("the simulated QRS stops")


class _PlainConnection(_Patient, socket.socket):
    """A connection without TLS."""

    def recv_into(self, *given: Any) -> int:
        return self._waiting(super().recv_into, *given)

    def sendall(self, data: Any, flags: int = 0) -> None:
        left = memoryview(data)
        while left:
            left = left[self._waiting(self.send, left, flags) :]


class _TlsConnection(_Patient, ssl.SSLSocket):
    """A TLS connection whose client may be gone before it begins: then the handshake fails, as for any other.

    `wrap_socket` asks for the peer, and when there is none it raises and leaves the socket unclosed.
    """

    def getpeername(self) -> Any:
        try:
            return super().getpeername()
        except OSError:
            return None

    def do_handshake(self, block: bool = False) -> None:
        self._waiting(super().do_handshake, block)

    def recv_into(self, *given: Any) -> int:
        return self._waiting(super().recv_into, *given)

    def send(self, *given: Any) -> int:  # `sendall` calls it
        return self._waiting(super().send, *given)


class _Handler(BaseHTTPRequestHandler):
    """One connection: reads requests, lets `SimulatedQrs` decide, and answers or misbehaves."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Nagle and delayed ACK together cost 40 ms a request
    server: _Server
    _body: bytes = b""

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._serve()

    def do_DELETE(self) -> None:
        """Answer a DELETE."""
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `SimulatedQrs.requests` is the log."""

    def _serve(self) -> None:
        qrs = self.server.qrs
        length = self.headers.get("Content-Length", "0")
        self._body = self.rfile.read(int(length) if length.isdecimal() else 0)
        fault = qrs._arrive(self.command, self.path)
        if fault is None:
            self._send(self._act())
            return
        match fault.kind:
            case "status":
                self._send(Answer(fault.status, fault.body.encode(), TEXT, fault.headers))
            case "html":
                self._send(Answer(200, _LOGIN_PAGE.encode(), HTML))
            case "redirect":
                self._send(Answer(302, content_type=HTML, headers={"Location": _LOGIN_PATH}))
            case "reset":
                self._reset()
            case "reset_after":
                self._act()
                self.close_connection = True
            case "truncate":
                answer = self._act()
                self._send(answer, upto=len(answer.body) // 2)
                self.close_connection = True
            case "content_type":
                self._send(replace(self._act(), content_type=TEXT))
            case "trickle":
                self._trickle(self._act(), fault)
            case "delay":
                answer = self._act()
                qrs._pause(fault.seconds)
                self._send(answer)

    def _act(self) -> Answer:
        answer = self.server.qrs._act(self.command, self.path, self.headers, self._body)
        if not (self.server.qrs.compress and answer.body and "gzip" in self.headers.get("Accept-Encoding", "")):
            return answer
        packed = gzip.compress(answer.body, compresslevel=1)
        return replace(answer, body=packed, headers={**answer.headers, "Content-Encoding": "gzip"})

    def _send(self, answer: Answer, upto: int | None = None) -> None:
        """Send head and body in one piece, so that neither waits for the other's acknowledgement."""
        self.wfile.write(answer.head(self.server.qrs.clock()) + answer.body[:upto])

    def _trickle(self, answer: Answer, fault: Fault) -> None:
        self._send(answer, upto=0)
        for start in range(0, len(answer.body), fault.chunk):
            self.server.qrs._pause(fault.seconds)
            self.wfile.write(answer.body[start : start + fault.chunk])

    def _reset(self) -> None:
        """Have the coming close send RST: a lingering time of zero drops the connection."""
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True


def _server_context(files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server, files.server_key)
    context.load_verify_locations(files.root)
    context.verify_mode = ssl.CERT_REQUIRED
    context.sslsocket_class = _TlsConnection
    return context


def _query(text: str) -> dict[str, str]:
    """Read a query string. Names ignore case, as in QRS; `+` is not a space, unlike in HTML forms."""
    pairs = (pair.partition("=") for pair in text.split("&"))
    return {unquote(name).casefold(): unquote(value) for name, _, value in pairs}
