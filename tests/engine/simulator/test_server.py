"""How the simulated QRS behaves and misbehaves on the network."""

import json
import math
import os
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority, Validity
from seatwarden.engine.simulator.server import Fault, FaultKind, SimulatedQrs
from tests.engine.simulator.simulated import (
    ANALYZER,
    HEADERS,
    KEY,
    NEVER,
    NEW,
    OLD,
    SITE,
    Client,
    connect,
    license_row,
    until,
    user_row,
)
from tests.platforms import WINDOWS, WINE


@dataclass
class Pauses:
    """How long the simulator waited on purpose, in seconds."""

    begun: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    broken_off: list[float] = field(default_factory=list)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    noted = Pauses()
    pause = SimulatedQrs._pause

    def pausing(qrs: SimulatedQrs, seconds: float) -> None:
        if seconds > 0:
            noted.begun.append(seconds)
        try:
            pause(qrs, seconds)
        except ConnectionAbortedError:
            noted.broken_off.append(seconds)
            raise
        if seconds > 0:
            noted.waited.append(seconds)

    monkeypatch.setattr(SimulatedQrs, "_pause", pausing)
    return noted


class TestAdmission:
    @pytest.mark.parametrize(
        ("query", "header"),
        [
            ("", KEY),
            (f"?xrfkey={KEY}", None),
            (f"?xrfkey={KEY}", KEY[::-1]),
            ("?xrfkey=short", "short"),
            ("?xrfkey=0123456789abc-EF", "0123456789abc-EF"),
        ],
    )
    def test_xrfkey(self, qrs: SimulatedQrs, client: Client, query: str, header: str | None) -> None:
        url = f"{qrs.url}/qrs/about{query}"
        answer = client.session.get(url, headers={"X-Qlik-Xrfkey": header}, timeout=5)
        assert answer.status_code == 403
        assert answer.text == "XSRF prevention check failed. Possible XSRF discovered."

    @pytest.mark.parametrize("user", [None, "sa_repository", "UserDirectory=INTERNAL", "UserId=x"])
    def test_qlik_user(self, client: Client, user: str | None) -> None:
        client.session.headers["X-Qlik-User"] = user  # type: ignore[assignment]  # None leaves it out
        assert client.send("/qrs/about").status_code == 403

    def test_the_names_of_query_parameters_ignore_case(self, qrs: SimulatedQrs, client: Client) -> None:
        answer = client.session.get(f"{qrs.url}/qrs/about?Xrfkey={KEY}", timeout=5)
        assert answer.status_code == 200

    def test_refused_requests_are_counted_too(self, qrs: SimulatedQrs, client: Client) -> None:
        client.session.get(f"{qrs.url}/qrs/about", timeout=5)
        client.get("/qrs/user/full?filter=userId%20eq%20'x'")
        assert qrs.requests == [
            ("GET", "/qrs/about"),
            ("GET", f"/qrs/user/full?filter=userId%20eq%20'x'&xrfkey={KEY}"),
        ]


class TestTls:
    def _refusal(self, qrs: SimulatedQrs, session: requests.Session) -> str:
        with session, pytest.raises(requests.ConnectionError) as caught:
            Client(qrs.url, session).send("/qrs/about")
        until(lambda: qrs.handshake_failures == 1)  # the client may know before the server does
        assert qrs.requests == []
        return str(caught.value).lower()

    def test_no_client_certificate(self, qrs: SimulatedQrs, certificates: CertificateFiles) -> None:
        session = connect(certificates)
        session.cert = None
        assert "certificate required" in self._refusal(qrs, session)

    def test_a_foreign_client_certificate(
        self, qrs: SimulatedQrs, certificates: CertificateFiles, tmp_path: Path
    ) -> None:
        foreign = ThrowAwayAuthority(now=datetime.now(UTC), name="foreign").export(tmp_path)
        session = connect(certificates)
        session.cert = (str(foreign.client), str(foreign.client_key))
        assert "unknown ca" in self._refusal(qrs, session)

    def test_an_expired_client_certificate(
        self, qrs: SimulatedQrs, authority: ThrowAwayAuthority, certificates: CertificateFiles, tmp_path: Path
    ) -> None:
        expired = authority.export(tmp_path, client_validity=Validity.expired(datetime.now(UTC)))
        session = connect(certificates)
        session.cert = (str(expired.client), str(expired.client_key))
        assert "expired" in self._refusal(qrs, session)

    def test_an_expired_server_certificate(self, authority: ThrowAwayAuthority, tmp_path: Path) -> None:
        expired = authority.export(tmp_path, server_validity=Validity.expired(datetime.now(UTC)))
        with SimulatedQrs(SITE, certificates=expired) as qrs:
            assert "expired" in self._refusal(qrs, connect(expired))

    def test_an_unknown_server(self, qrs: SimulatedQrs, certificates: CertificateFiles, tmp_path: Path) -> None:
        foreign = ThrowAwayAuthority(now=datetime.now(UTC)).export(tmp_path)
        session = connect(certificates)
        session.verify = str(foreign.root)
        assert "certificate verify failed" in self._refusal(qrs, session)

    def test_a_silent_client_stops_nobody(self, qrs: SimulatedQrs, client: Client) -> None:
        with socket.create_connection((qrs.host, qrs.port), timeout=5):
            assert client.get("/qrs/user/count") == {"value": 6}

    def test_clients_that_reset_at_once(self, qrs: SimulatedQrs, client: Client) -> None:
        for _ in range(20):
            with socket.create_connection((qrs.host, qrs.port), timeout=5) as connection:
                connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
                )
        assert client.get("/qrs/user/count") == {"value": 6}
        if not WINDOWS:  # there `accept` already fails for most of them
            until(lambda: qrs.handshake_failures == 20)

    def test_plain_http_on_the_tls_port(self, qrs: SimulatedQrs) -> None:
        with connect() as session, pytest.raises(requests.ConnectionError):
            session.get(qrs.url.replace("https", "http"), timeout=5)
        until(lambda: qrs.handshake_failures == 1)


class TestFaults:
    def test_status_with_body_and_headers(self, qrs: SimulatedQrs, client: Client) -> None:
        qrs.faults.append(Fault("status", status=429, body="slow down", headers={"Retry-After": "3"}, times=2))
        for _ in range(2):
            answer = client.send("/qrs/user/full")
            assert (answer.status_code, answer.text) == (429, "slow down")
            assert answer.headers["Retry-After"] == "3"
        assert client.send("/qrs/user/full").status_code == 200
        assert qrs.faults == []

    def test_it_strikes_where_it_is_aimed(self, qrs: SimulatedQrs, client: Client) -> None:
        qrs.faults.append(Fault("status", method="DELETE", path_contains=OLD, status=500))
        assert client.send(f"{ANALYZER}/{NEW}", "DELETE").status_code == 204
        assert client.send(f"{ANALYZER}/{OLD}").status_code == 200
        for _ in range(3):
            assert client.send(f"{ANALYZER}/{OLD}", "DELETE").status_code == 500
        assert qrs.deleted == [NEW]

    def test_html(self, client: Client, fault: Fault) -> None:
        fault.kind = "html"
        answer = client.send("/qrs/user/full")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "login" in answer.text

    def test_redirect(self, qrs: SimulatedQrs, client: Client, fault: Fault) -> None:
        fault.kind = "redirect"
        answer = client.send("/qrs/user/full")
        assert answer.status_code == 302
        login = client.session.get(qrs.url + answer.headers["Location"], timeout=5)
        assert login.headers["Content-Type"].startswith("text/html")

    @pytest.mark.parametrize(("kind", "acted"), [("reset", []), ("reset_after", [OLD])])
    def test_reset(self, qrs: SimulatedQrs, client: Client, fault: Fault, kind: FaultKind, acted: list[str]) -> None:
        fault.kind = kind
        with pytest.raises(requests.ConnectionError):
            client.send(f"{ANALYZER}/{OLD}", "DELETE")
        assert qrs.deleted == acted
        assert client.send("/qrs/about").status_code == 200

    @pytest.mark.skipif(WINE, reason="Wine tells of a connection that was reset as of one that has ended")
    def test_reset_is_a_real_one(self) -> None:
        with SimulatedQrs(SITE) as qrs:
            qrs.faults.append(Fault("reset"))
            with socket.create_connection((qrs.host, qrs.port), timeout=5) as connection:
                connection.sendall(b"GET /qrs/about HTTP/1.1\r\nHost: x\r\n\r\n")
                with pytest.raises(ConnectionResetError):
                    connection.recv(1)

    def test_truncate(self, client: Client, fault: Fault) -> None:
        fault.kind = "truncate"
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            client.send("/qrs/user/full")
        assert client.get("/qrs/user/full") == SITE["users"]

    def test_content_type(self, client: Client, fault: Fault) -> None:
        fault.kind = "content_type"
        answer = client.send("/qrs/user/full")
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.json() == SITE["users"]

    def test_trickle(self, client: Client, fault: Fault, pauses: Pauses) -> None:
        fault.kind, fault.seconds, fault.chunk = "trickle", 0.002, 100
        assert client.get("/qrs/user/full") == SITE["users"]
        size = len(json.dumps(SITE["users"], ensure_ascii=False, separators=(",", ":")).encode())
        assert pauses.waited == [0.002] * math.ceil(size / 100)

    def test_delay_acts_first(self, qrs: SimulatedQrs, client: Client, fault: Fault) -> None:
        fault.kind, fault.method, fault.seconds = "delay", "DELETE", 30
        client.get("/qrs/about")  # connect at leisure
        client.timeout = 0.2
        with pytest.raises(requests.Timeout):
            client.send(f"{ANALYZER}/{OLD}", "DELETE")
        assert qrs.deleted == [OLD]


class TestRunning:
    def test_keep_alive(self, qrs: SimulatedQrs, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        """One connection for all requests, and no answer waits for a delayed acknowledgement."""
        prompt: list[int] = []
        serve = ThreadingHTTPServer.finish_request

        def serving(server: ThreadingHTTPServer, request: Any, address: Any) -> None:
            serve(server, request, address)
            prompt.append(request.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

        monkeypatch.setattr(ThreadingHTTPServer, "finish_request", serving)
        for _ in range(50):
            client.get("/qrs/user/full")
        client.session.close()
        until(lambda: len(prompt) > 0)
        assert (len(qrs.requests), prompt) == (50, [1])

    def test_latency(self, pauses: Pauses) -> None:
        with SimulatedQrs(SITE, latency_seconds=0.05) as qrs, connect() as session:
            Client(qrs.url, session).get("/qrs/about")
        assert pauses.waited == [0.05]

    def test_twenty_clients_at_once(self, certificates: CertificateFiles) -> None:
        site = {"licenses": {"analyzer": [license_row(number, NEVER) for number in range(200)]}}

        with SimulatedQrs(site, certificates=certificates) as qrs, ThreadPoolExecutor(20) as pool:

            def give_back(first: int) -> list[int]:
                with connect(certificates) as session:
                    client = Client(qrs.url, session)
                    codes = [
                        client.send(f"{ANALYZER}/{license_row(number, NEVER)['id']}", "DELETE").status_code
                        for number in range(first, 200, 10)
                    ]
                    client.get(f"{ANALYZER}/full")
                    return codes

            answers = list(pool.map(give_back, [*range(10), *range(10)]))  # each license wanted by two
            codes = [code for answer in answers for code in answer]
            assert sorted(qrs.deleted) == [license_row(number, NEVER)["id"] for number in range(200)]
            assert (codes.count(204), codes.count(404)) == (200, 200)
            assert len(qrs.requests) == 420
            assert qrs.handshake_failures == 0

    def test_the_site_may_change_meanwhile(self, qrs: SimulatedQrs, client: Client) -> None:
        before = client.get(f"{ANALYZER}/{OLD}")
        with qrs.site_lock() as site:
            site["licenses"]["analyzer"][2]["lastUsed"] = "2026-11-20T00:00:00.000Z"
            del site["users"][0]
        assert client.get(f"{ANALYZER}/{OLD}")["lastUsed"] != before["lastUsed"]
        assert client.get("/qrs/user/count") == {"value": 5}

    def test_it_stops_promptly_whatever_its_clients_do(self, certificates: CertificateFiles, pauses: Pauses) -> None:
        threads = threading.active_count()
        with ThreadPoolExecutor(4) as pool, connect(certificates) as idle:
            with SimulatedQrs(SITE, certificates=certificates) as qrs:
                Client(qrs.url, idle).get("/qrs/about")  # stays connected
                silent = socket.create_connection((qrs.host, qrs.port))  # and never shakes hands
                qrs.faults += [
                    Fault("delay", path_contains="about", seconds=600),
                    Fault("trickle", path_contains="user", seconds=600),
                ]

                def ask(path: str) -> bool:
                    with connect(certificates) as session:
                        try:
                            Client(qrs.url, session, timeout=30).send(path)
                        except requests.RequestException:
                            return False
                        return True

                waiting = [pool.submit(ask, path) for path in ("/qrs/about", "/qrs/user/full")]
                until(lambda: len(pauses.begun) == 2)
            assert (pauses.broken_off, pauses.waited) == ([600, 600], [])
            assert [answer.result(timeout=5) for answer in waiting] == [False, False]
            silent.close()
        assert threading.active_count() == threads

    @pytest.mark.parametrize("secure", [True, False])
    def test_it_stops_every_time(self, certificates: CertificateFiles, secure: bool) -> None:
        """Also while clients are connected and say nothing, half of something, or take no answer."""
        threads = threading.active_count()
        files = certificates if secure else None
        for _ in range(20):
            with connect(files) as session, socket.socket() as half, SimulatedQrs(SITE, certificates=files) as qrs:
                Client(qrs.url, session).get("/qrs/about")
                half.connect((qrs.host, qrs.port))
                half.sendall(b"GET /qrs/ab" if files is None else b"\x16\x03\x01")
                until(lambda: threading.active_count() >= threads + 3)
                stopping = threading.Thread(target=qrs.__exit__, args=(None, None, None), daemon=True)
                stopping.start()
                stopping.join(20)
                assert not stopping.is_alive()
        assert threading.active_count() == threads

    def test_a_client_that_takes_no_answer_does_not_keep_it(self) -> None:
        site = {**SITE, "users": [user_row(number) for number in range(40_000)]}
        request = f"GET /qrs/user/full?xrfkey={KEY} HTTP/1.1\r\n"
        head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            with SimulatedQrs(site) as qrs:
                client.connect((qrs.host, qrs.port))
                client.sendall(f"{request}{head}\r\n".encode())
                assert client.recv(12) == b"HTTP/1.1 200"
            received = 0
            with suppress(ConnectionError):
                while part := client.recv(1 << 20):
                    received += len(part)
        assert received < len(json.dumps(site["users"])), "it was cut off"

    def test_it_comes_back_on_the_same_port(self) -> None:
        qrs = SimulatedQrs(SITE)
        with qrs, connect() as session:
            url = qrs.url
            Client(url, session).send(f"{ANALYZER}/{OLD}", "DELETE")
        with connect() as session, pytest.raises(requests.ConnectionError):
            Client(url, session).send("/qrs/about")
        with qrs, connect() as session:
            assert qrs.url == url
            assert Client(url, session).get(f"{ANALYZER}/count") == {"value": 3}

    def test_its_own_errors_do_not_pass_for_faults(self) -> None:
        site = {"users": [{"id": "1", "name": object()}]}  # not JSON
        with (
            pytest.raises(RuntimeError, match="simulated QRS failed") as caught,
            connect() as session,
            SimulatedQrs(site) as qrs,
            pytest.raises(requests.ConnectionError),
        ):
            Client(qrs.url, session).send("/qrs/user/full")
        assert isinstance(caught.value.__cause__, TypeError)
