"""A real MQTT broker, mosquitto, on a free port; what is published on it; and a proxy on the way there."""

import http.client
import http.server
import select
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from seatwarden.engine.simulator.certificates import CertificateFiles
from tests.ports import free_port

_SECONDS = 20
_OPEN = "listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
_TLS = (
    "listener {tls_port}\ncafile {files.root}\ncertfile {files.server}\nkeyfile {files.server_key}\n"
    "require_certificate true\n"
)


def mosquitto() -> str:
    """The program; Debian has it where only root looks for programs."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("mosquitto is not installed: nothing is tested against a real MQTT broker")
    return found


@dataclass
class Broker:
    """A running broker. On `port` it takes everybody, on `tls_port` those with a certificate of our authority."""

    port: int
    tls_port: int
    heard: list[tuple[str, bytes, int]] = field(default_factory=list)
    """Topic, payload and QoS of what was published."""

    def wait_for(self, count: int) -> list[tuple[str, bytes, int]]:
        """What was published, once it is so much."""
        deadline = time.monotonic() + _SECONDS
        while len(self.heard) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.heard


@contextmanager
def broker(folder: Path, files: CertificateFiles, *, settings: str = "") -> Iterator[Broker]:
    """A broker on this machine, as long as the block runs, with somebody who listens to all topics."""
    running = Broker(free_port(), free_port())
    config = folder / "mosquitto.conf"
    values: dict[str, Any] = {"port": running.port, "tls_port": running.tls_port, "files": files}
    text = settings or _OPEN + _TLS + "allow_anonymous true\n"
    config.write_text(text.format(**values), encoding="utf-8")
    with (folder / "mosquitto.log").open("ab") as log:
        process = subprocess.Popen([mosquitto(), "-c", str(config)], stdout=log, stderr=log)
    try:
        _await_port(running.port, process, folder)
        if settings:
            yield running
        else:
            with _listening(running):
                yield running
    finally:
        process.terminate()
        process.wait(_SECONDS)


def _await_port(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            assert process.poll() is None, (folder / "mosquitto.log").read_text()
            assert time.monotonic() < deadline, "mosquitto does not start"
            time.sleep(0.02)
        else:
            return


@contextmanager
def _listening(running: Broker) -> Iterator[None]:
    """Somebody who hears all that is published."""
    ready = threading.Event()

    def heard(client: Client, data: Any, message: MQTTMessage) -> None:
        running.heard.append((message.topic, bytes(message.payload), message.qos))

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = heard
    client.on_subscribe = lambda *_: ready.set()
    client.connect("127.0.0.1", running.port)
    client.subscribe("#", qos=2)
    client.loop_start()
    try:
        assert ready.wait(_SECONDS)
        yield
    finally:
        client.disconnect()
        client.loop_stop()


@dataclass
class WebProxy:
    """A running HTTP proxy. All that goes through it ends at `target` on this machine, whatever it asks for."""

    port: int = 0
    target: int = 0
    asked: list[str] = field(default_factory=list)
    """Method and address of all that went through."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def web_proxy(target: int, login: str | None = None) -> Iterator[WebProxy]:
    """A proxy on this machine, as long as the block runs; with `login` it wants that `Proxy-Authorization`."""
    state = WebProxy(target=target)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        passed: ClassVar[tuple[str, ...]] = ("Content-Type", "Authorization")

        def _refused(self) -> bool:
            self.close_connection = True
            if login is not None and self.headers.get("Proxy-Authorization") != login:
                self.send_error(407)
                return True
            state.asked.append(f"{self.command} {self.path}")
            return False

        def do_CONNECT(self) -> None:
            if self._refused():
                return
            with socket.create_connection(("127.0.0.1", state.target)) as there:
                self.send_response(200, "Connection established")
                self.end_headers()
                _relay(self.connection, there)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self._refused():
                return
            parts = urlsplit(self.path)
            onward = http.client.HTTPConnection("127.0.0.1", state.target, timeout=_SECONDS)
            headers = {name: self.headers[name] for name in self.passed if name in self.headers}
            onward.request(self.command, f"{parts.path}?{parts.query}", body, headers)
            answer = onward.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            onward.close()

        do_GET = do_POST  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Bytes both ways until one side ends."""
    while True:
        readable: list[socket.socket] = select.select([one, other], [], [], _SECONDS)[0]
        if not readable:
            return
        for ready in readable:
            data = ready.recv(65_536)
            if not data:
                return
            (other if ready is one else one).sendall(data)
