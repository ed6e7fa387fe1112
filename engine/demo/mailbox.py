"""A mail server that keeps what it takes: the other end of the messages that the demo sends, with real SMTP.

It is for the demo alone. It takes one connection after the other, has no TLS and no log-in, and refuses nothing.
"""

import socketserver
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self

_HOST = "127.0.0.1"
_POLL_SECONDS = 0.02
_SILENCE_SECONDS = 10
"""After so long without a word a connection is closed, so that a client that hangs keeps nothing from ending."""
_WELL_WITH = {b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"}


class Mailbox:
    """A mail server on a free port of this machine, from `with` to the end of the block.

    `messages` are those that it has taken, the oldest first.
    """

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    def __enter__(self) -> Self:
        self._server = _Server(self.messages)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), name="mailbox")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_address[1]


class _Server(socketserver.TCPServer):
    """The socket. What a client does wrong ends that client's connection, and is nobody else's affair."""

    server_address: tuple[str, int]

    def __init__(self, messages: list[EmailMessage]) -> None:
        self.messages = messages
        super().__init__((_HOST, 0), _Conversation)


class _Conversation(socketserver.StreamRequestHandler):
    """One connection, command by command (RFC 5321)."""

    server: _Server
    timeout = _SILENCE_SECONDS

    def handle(self) -> None:
        """Answers until the client says QUIT or goes away."""
        try:
            self._say("220 the demo's mailbox")
            while line := self.rfile.readline():
                if not self._answer(line[:4].upper().strip()):
                    return
        except OSError:
            return

    def _answer(self, verb: bytes) -> bool:
        """Answers a command; whether the conversation goes on."""
        if verb == b"DATA":
            self._say("354 go on")
            self.server.messages.append(message_from_bytes(self._content(), policy=policy.default))
            self._say("250 taken")
        elif verb == b"QUIT":
            self._say("221 bye")
        else:
            self._say("250 well" if verb in _WELL_WITH else "502 not here")
        return verb != b"QUIT"

    def _content(self) -> bytes:
        """The message up to the line with a dot alone. Raises ConnectionError where the client goes away before."""
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise ConnectionError("the client went away within a message")
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())
