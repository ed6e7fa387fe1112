"""A real HTTP server in InfluxDB's place: it keeps what it is sent as InfluxDB 1 does, and misbehaves when told to."""

import json
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, Literal, Self

Mood = Literal["well", "down", "slow", "busy", "broken", "deaf", "rejecting"]
"""`down` hangs up before it listens, `busy` and `broken` answer 503 and 500, `deaf` stores and does not answer,
`rejecting` stores all but the points of the site's license, and answers as for a field of another type."""

MOODS: tuple[Mood, ...] = ("well", "down", "slow", "busy", "broken", "deaf", "rejecting")
REJECTED = "qlik_sense_server_license"


class FaultyInfluxDB:
    """Listens on a free port of loopback within `with`. What is posted to /hook is only counted."""

    def __init__(self) -> None:
        self.mood: Mood = "well"
        self.points: dict[tuple[str, str], str] = {}
        """By series and time the fields: a point that is written again is stored once. In the order of arrival."""
        self.conflicts: list[str] = []
        """Points that were sent again with other fields."""
        self.hooks = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.database = self
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="influxdb")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, body: str, mood: Mood) -> bool:
        """Stores lines; whether all of them."""
        whole = True
        with self._lock:
            for line in body.splitlines():
                if mood == "rejecting" and line.startswith(REJECTED):
                    whole = False
                    continue
                series, fields, moment = parse_line(line)
                if self.points.setdefault((series, moment), fields) != fields:
                    self.conflicts.append(line)
        return whole


def parse_line(line: str) -> tuple[str, str, str]:
    """Series, fields and time of a line; a space that is escaped is none that separates."""
    series, _, rest = line.replace("\\ ", "\0").partition(" ")
    fields, _, moment = rest.rpartition(" ")
    return series.replace("\0", "\\ "), fields.replace("\0", "\\ "), moment


class _Server(ThreadingHTTPServer):
    daemon_threads = False
    database: FaultyInfluxDB

    def server_bind(self) -> None:
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is its own affair."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        database, mood = self.server.database, self.server.database.mood
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if mood == "down":
            self._hang_up()
        elif self.path.startswith("/hook"):
            database.hooks += 1
            self._answer(500 if mood == "broken" else 204)
        elif mood in ("busy", "broken"):
            self._answer(503 if mood == "busy" else 500, "timeout")
        else:
            whole = database.take(body, mood)
            if mood == "slow":
                time.sleep(0.05)
            if mood == "deaf":
                self._hang_up()
            else:
                self._answer(204 if whole else 400, None if whole else "partial write: field type conflict dropped=1")

    def _answer(self, status: int, error: str | None = None) -> None:
        content = json.dumps({"error": error}).encode() if error else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _hang_up(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """What is stored is the log."""
