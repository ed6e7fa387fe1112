"""The server of the page: on loopback, for one session, and strict with whatever it is asked.

A page that is open in a browser here may send forms to any address, and may give its own name the address of loopback.
So an answer is taken from our own page only: asked for by our own name and port, with the cookie, from our origin, and
with the proof that the page has in it. Nothing that is asked is ever logged.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from seatwarden.engine.common.loopback import CLIENT_SECONDS, PRIVATE_HEADERS, LoopbackServer
from seatwarden.engine.web.page import words_page
from seatwarden.engine.web.reply import PageReply
from seatwarden.engine.web.review import Review
from seatwarden.engine.web.session import PageSession

MOST_BYTES = 1_000_000
"""Most bytes of a form."""
IDLE = timedelta(minutes=30)
"""After so long without a question the page ends."""
_NAMES = ("127.0.0.1", "localhost")
_FORM = re.compile(r"application/x-www-form-urlencoded(?:\s*;\s*charset=\"?utf-8\"?)?", re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,12}", re.ASCII)
_NO_SESSION = (
    "Open the address that `seatwarden review` has printed. It works once, in one browser.",
    "Where it was used already, end the command with Ctrl-C and start it again: it prints another one.",
)


class ReviewServer:
    """The server while it runs: where it is, when it was asked last, and whether it is over."""

    def __init__(self, port: int, asked: datetime) -> None:
        self.port = port
        self.over = threading.Event()
        self.asked = asked

    def wait(self, clock: Callable[[], datetime]) -> bool:
        """Waits until an answer was given, or no more are taken; False when nobody has asked for long."""
        while not self.over.wait(0.5):
            if clock() - self.asked >= IDLE:
                return False
        return True


@contextmanager
def review_server(
    port: int, review: Review, clock: Callable[[], datetime], on_defect: Callable[[BaseException], None]
) -> Iterator[ReviewServer]:
    """Answers on that port (0: any that is free) of the loopback address until left.

    Raises OSError when the port is taken.
    """
    running = ReviewServer(port, clock())

    class Handler(_ReviewHandler):
        def known(self) -> bool:
            found = review.session.is_begun_by(self.headers.get("Cookie"), running.port)
            running.asked = clock() if found else running.asked
            return found

        def reply(self) -> PageReply:
            return _reply(self, running.port, review)

        def answered(self, reply: PageReply) -> None:
            if reply.last:
                running.over.set()

        def failed(self, error: BaseException) -> None:
            on_defect(error)

    server = LoopbackServer(port, Handler, on_defect)
    running.port = server.port
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="review", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _ReviewHandler(BaseHTTPRequestHandler):
    """How a question is read and an answer is written."""

    server_version, sys_version = "seatwarden", ""
    timeout = CLIENT_SECONDS
    error_message_format, error_content_type = "this is no question that is answered here\n", "text/plain"
    """For what is no HTTP: nothing of it is sent back."""

    def known(self) -> bool:
        """Whether who asks has the session."""
        raise NotImplementedError

    def reply(self) -> PageReply:
        """The answer to what is asked."""
        raise NotImplementedError

    def answered(self, reply: PageReply) -> None:
        """Is called when an answer was written."""

    def failed(self, error: BaseException) -> None:
        """Is told of a defect of ours."""

    def do_GET(self) -> None:
        self.body = b""
        try:
            reply = self.reply()
        except Exception as error:  # noqa: BLE001 - a defect of ours: it is said, and nothing is signed
            self.failed(error)
            reply = words_page(500, "wrong", "This page could not be made", ["Nothing was signed."])
        self._write(reply)
        self.answered(reply)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_TRACE = do_CONNECT = do_GET  # noqa: N815

    def read_body(self) -> PageReply | None:
        """Reads the body of a form into `body`; what is no form is answered."""
        length = self.headers.get_all("Content-Length", [])
        if self.headers.get("Transfer-Encoding") is not None or len(length) != 1:
            return words_page(411, "wrong", "The length of the form is missing")
        if not _DIGITS.fullmatch(length[0]):
            return words_page(400, "wrong", "The length of the form is no number")
        if int(length[0]) > MOST_BYTES:
            sentence = "Nothing was signed: so many licenses are answered with `seatwarden approve`."
            return words_page(413, "wrong", "The form is too large", [sentence])
        self.body = self.rfile.read(int(length[0]))
        if len(self.body) < int(length[0]):
            return words_page(400, "wrong", "The form was cut off", ["Nothing was signed."])
        return None

    def _write(self, reply: PageReply) -> None:
        self.send_response(reply.status)
        headers = {**PRIVATE_HEADERS, "Cross-Origin-Opener-Policy": "same-origin"}
        if reply.security is not None:
            headers["Content-Security-Policy"] = f"{reply.security}; frame-ancestors 'none'"
            headers["Content-Type"] = "text/html; charset=utf-8"
        headers["Content-Length"] = str(len(reply.content))
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Logs nothing: neither a token nor what somebody typed belongs into a log."""


def _reply(asked: _ReviewHandler, port: int, review: Review) -> PageReply:
    """The answer to what is asked. Whatever comes is checked in this order: by which name, how, by whom, from where."""
    # First, so that who has sent a form reads the answer, and not that the connection was reset.
    refused = asked.read_body() if asked.command == "POST" else None
    hosts = asked.headers.get_all("Host", [])
    if len(hosts) != 1 or hosts[0].lower() not in [f"{name}:{port}" for name in _NAMES]:
        return words_page(421, "wrong", f"Ask for 127.0.0.1:{port}", ["No page of another name is here."])
    if asked.command not in ("GET", "HEAD", "POST"):
        return words_page(405, "wrong", "This cannot be done here", headers={"Allow": "GET, HEAD, POST"})
    path, _, query = asked.path.partition("?")
    if asked.command == "GET" and path == "/" and query:
        return _begun(asked, port, review.session, query)
    if not asked.known():
        return words_page(403, "wrong", "This page is for who has started it", _NO_SESSION)
    if asked.command != "POST":
        if path == "/" and not query:
            return review.show()
        return words_page(404, "wrong", "There is no such page", again="See the plan")
    if path != "/answer" or query:
        return words_page(404, "wrong", "There is no such page", again="See the plan")
    return refused or _foreign(asked, hosts[0].lower()) or review.answer(asked.body)


def _begun(asked: _ReviewHandler, port: int, session: PageSession, query: str) -> PageReply:
    """Begins the session of who has the token, and leads on to the page without it."""
    if "prefetch" in asked.headers.get("Sec-Purpose", ""):  # a browser that guesses must not use the token up
        return PageReply(503)
    try:
        tokens = parse_qs(query, strict_parsing=True, max_num_fields=1).get("token", [])
    except ValueError:
        tokens = []
    if not (tokens and session.begin(tokens[0])):
        again = "See the plan" if asked.known() else ""
        return words_page(403, "wrong", "This address does not work, or no longer", _NO_SESSION, again=again)
    cookie = {"Set-Cookie": session.cookie(port)}
    if asked.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
        return PageReply(303, headers={**cookie, "Location": "/"})
    # A browser that was sent here by another page keeps a strict cookie back on the way on, unless we send it.
    return words_page(200, "well", "The plan is on its way", again="See the plan", onwards=True, headers=cookie)


def _foreign(asked: _ReviewHandler, host: str) -> PageReply | None:
    """The refusal of what was not sent by our own page, as far as its headers tell."""
    origins = asked.headers.get_all("Origin", [])
    site = asked.headers.get_all("Sec-Fetch-Site", [])
    if origins not in ([], [f"http://{host}"]) or site not in ([], ["same-origin"]):
        sentence = "Nothing was signed: the answer was sent by another page."
        return words_page(403, "wrong", "This answer is not from the page", [sentence], again="See the plan")
    if not _FORM.fullmatch(asked.headers.get("Content-Type", "")):
        return words_page(415, "wrong", "This is no form", ["Nothing was signed."])
    return None
