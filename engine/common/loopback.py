"""A web server for this machine alone: on the loopback address, and nowhere else."""

import os
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

LOOPBACK = "127.0.0.1"
CLIENT_SECONDS = 10
"""Seconds that a client may take to say what it wants."""
PRIVATE_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What each answer says, so that no page stays in a cache, is read as something else, or tells where it was."""


class LoopbackServer(ThreadingHTTPServer):
    """Listens on a port of the loopback address (0: any that is free). `on_defect` is told of what is our own fault.

    Raises OSError when the port is taken.
    """

    daemon_threads = True
    allow_reuse_address = os.name != "nt"
    """On Windows it would let two programs listen on one port."""

    def __init__(
        self, port: int, handler: type[BaseHTTPRequestHandler], on_defect: Callable[[BaseException], None]
    ) -> None:
        self._on_defect = on_defect
        super().__init__((LOOPBACK, port), handler)

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return int(self.server_address[1])

    def server_bind(self) -> None:
        """Binds without HTTPServer's reverse DNS lookup, which can take seconds."""
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away before it had its answer is its own affair; all else is a defect of ours."""
        error = sys.exc_info()[1]
        if error is not None and not isinstance(error, OSError):
            self._on_defect(error)
