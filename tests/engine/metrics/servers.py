"""Servers that are not well: real sockets that answer whatever a test wants, or never."""

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from seatwarden.engine.simulator.certificates import CertificateFiles


class Answering:
    """An HTTP server that answers every POST with the same status and body; it keeps what it was sent."""

    def __init__(self, status: int, body: str = "", *, files: CertificateFiles | None = None) -> None:
        self.bodies: list[str] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                outer.paths.append(self.path)
                outer.headers.append(dict(self.headers))
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(outer.body.encode())))
                self.end_headers()
                self.wfile.write(outer.body.encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.status = status
        self.body = body
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if files is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files.server, files.server_key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "http" if files is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Silent:
    """A port that takes connections and never answers."""

    def __enter__(self) -> str:
        self._socket = socket.create_server(("127.0.0.1", 0))
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._socket.close()
