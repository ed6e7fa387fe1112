"""Real servers to notify: an HTTP server that answers as told, and SMTP servers of aiosmtpd."""

import asyncio
import http.server
import socket
import ssl
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from typing import Any, Literal, cast

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # aiosmtpd reads asyncio's event loop policy
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from seatwarden.engine.simulator.certificates import CertificateFiles
from tests.ports import free_port

Answer = int | Literal["never", "reset", "redirect", "drip"]


@dataclass
class Receiver:
    """A running HTTP server: what it was sent, and how it answers; the last answer is repeated."""

    answers: list[Answer]
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request."""
    port: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def next(self) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiver(*answers: Answer, tls: CertificateFiles | None = None) -> Iterator[Receiver]:
    """An HTTP(S) server on this machine, as long as the block runs."""
    state = Receiver(list(answers))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.requests.append((dict(self.headers), body))
            state.calls.append((self.command, self.path))
            answer = state.next()
            if answer == "never":
                state.released.wait(30)
            elif answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            elif answer == "drip":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
                while not state.released.wait(0.05):
                    self.wfile.write(b".")
            else:
                status = 302 if answer == "redirect" else answer
                self.send_response(status)
                self.send_header("Location", f"http://127.0.0.1:{state.port}/elsewhere")
                self.send_header("Retry-After", "3600")
                self.send_header("Content-Length", "0")
                self.end_headers()

        do_GET = do_PUT = do_POST  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # clients that went away

    server = Server(("", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.server, tls.server_key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """What an SMTP server took: messages with envelopes, and whether each came by TLS and who had logged in."""

    port: int = 0
    refuse: tuple[str, ...] = ()
    refuse_sender: bool = False
    refuse_data: str | None = None
    answer: Callable[[Envelope], str | None] | None = None
    """What is said to a whole message; None: the server hangs up. It is asked instead of all that follows."""
    utf8: bool = True
    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuse_sender:
            return "550 5.7.60 Client does not have permissions to send as this sender; s3cret-pass"
        envelope.mail_from = address
        envelope.mail_options += options
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return "550 5.1.1 no such mailbox\u202e here, password s3cret-pass"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answer is not None:
            said = self.answer(envelope)
            if said is None:
                cast(asyncio.Transport, server.transport).abort()
            return said or "451 gone"
        if self.refuse_data:
            return self.refuse_data
        content = cast(bytes, envelope.content)
        self.raw.append(content)
        self.envelopes.append(envelope)
        self.messages.append(message_from_bytes(content, policy=POLICY))
        self.encrypted.append(_is_tls(server))
        return "250 OK"


def _is_tls(server: SMTP) -> bool:
    transport = server.transport
    return transport is not None and transport.get_extra_info("sslcontext") is not None


@contextmanager
def mail_server(
    *,
    starttls: CertificateFiles | None = None,
    tls: CertificateFiles | None = None,
    login: tuple[bytes, bytes] | None = None,
    login_needs_tls: bool = True,
    **mailbox: Any,
) -> Iterator[Mailbox]:
    """An SMTP server on this machine, as long as the block runs."""
    box = Mailbox(**mailbox)

    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword) -> AuthResult:
        box.logins.append((data.login, data.password))
        return AuthResult(success=(data.login, data.password) == login, handled=False)

    settings: dict[str, Any] = {"enable_SMTPUTF8": box.utf8, "server_hostname": "localhost"}
    if login is not None:
        settings |= {"authenticator": check, "auth_required": True, "auth_require_tls": login_needs_tls}
    if starttls is not None:
        settings |= {"tls_context": _context(starttls)}
    port = free_port()
    controller = Controller(
        box, hostname="127.0.0.1", port=port, ssl_context=_context(tls) if tls else None, **settings
    )
    box.port = port
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def _context(files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server, files.server_key)
    return context
