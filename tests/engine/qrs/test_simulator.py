from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from engine.qrs.certificates import CertificateFiles, ThrowAwayAuthority, Validity
from engine.qrs.simulator import Fault, FaultKind, SimulatedQrs

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
NEVER = "1753-01-01T00:00:00.000Z"
KEY = "0123456789abcDEF"
HEADERS = {"X-Qlik-Xrfkey": KEY, "X-Qlik-User": "UserDirectory=INTERNAL; UserId=sa_repository"}
ANALYZER = "/qrs/license/analyzeraccesstype"
PROFESSIONAL = "/qrs/license/professionalaccesstype"


def _user(number: int) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "userId": f"user{number}",
        "userDirectory": "CORP" if number % 2 else "PARTNER",
        "name": f"Jürgen the {number}.",
        "inactive": number == 3,
        "tags": [{"id": "1", "name": "contractor"}] if number == 2 else [],
    }


def _license(number: int, last_used: str, *, quarantined: bool = False) -> dict[str, Any]:
    user = {name: _user(number)[name] for name in ("id", "userId", "userDirectory", "name")}
    return {
        "id": f"11111111-0000-4000-8000-{number:012}",
        "createdDate": "2025-01-01T00:00:00.000Z",
        "modifiedDate": "2025-01-01T00:00:00.000Z",
        "user": user,
        "lastUsed": last_used,
        "excess": False,
        "quarantined": quarantined,
        "quarantineEnd": "2026-11-25T00:00:00.000Z" if quarantined else NEVER,
    }


SITE: Mapping[str, Any] = {
    "users": [_user(number) for number in range(1, 7)],
    "licenses": {
        "professional": [_license(1, "2026-11-20T09:00:00.000Z"), _license(2, "2026-06-01T09:00:00Z")],
        "analyzer": [
            _license(3, "2026-11-14T02:00:00.0000000Z"),
            _license(4, NEVER),
            _license(5, "2026-01-31T23:59:59.999Z"),
            _license(6, "2026-11-19T09:00:00.000Z", quarantined=True),
        ],
    },
}
OLD, NEW, HELD = (SITE["licenses"]["analyzer"][position]["id"] for position in (2, 0, 3))


@dataclass
class Client:
    """A QRS client as simple as can be: one session, an xrfkey and a user on every call."""

    base: str
    session: requests.Session
    timeout: float = 5.0

    def send(self, path: str, method: str = "GET") -> requests.Response:
        url = f"{self.base}{path}{'&' if '?' in path else '?'}xrfkey={KEY}"
        return self.session.request(method, url, timeout=self.timeout, allow_redirects=False)

    def get(self, path: str) -> Any:
        answer = self.send(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        return answer.json()

    def select(self, path: str, filter_text: str) -> Any:
        return self.get(f"{path}?filter={quote(filter_text)}")


def _session(files: CertificateFiles | None = None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.update(HEADERS)
    if files is not None:
        session.verify = str(files.root)
        session.cert = (str(files.client), str(files.client_key))
    return session


def _until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture(scope="module")
def authority() -> ThrowAwayAuthority:
    return ThrowAwayAuthority(now=datetime.now(UTC))


@pytest.fixture(scope="module")
def files(authority: ThrowAwayAuthority, tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return authority.export(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def qrs(files: CertificateFiles) -> Iterator[SimulatedQrs]:
    with SimulatedQrs(SITE, certificates=files) as simulated:
        yield simulated


@pytest.fixture
def client(qrs: SimulatedQrs, files: CertificateFiles) -> Iterator[Client]:
    with _session(files) as session:
        yield Client(qrs.url, session)


@pytest.fixture
def fault(qrs: SimulatedQrs) -> Fault:
    """A fault that strikes once; the test sets its kind."""
    qrs.faults.append(Fault("status", times=1))
    return qrs.faults[0]


class TestReading:
    def test_about(self, client: Client) -> None:
        assert client.get("/qrs/about")["schemaPath"] == "About"

    def test_users(self, client: Client) -> None:
        assert client.get("/qrs/user/full") == SITE["users"]
        condensed = client.get("/qrs/user")
        assert condensed[0] == {
            "id": "00000000-0000-4000-8000-000000000001",
            "userId": "user1",
            "userDirectory": "CORP",
            "name": "Jürgen the 1.",
            "privileges": None,
        }
        assert len(condensed) == 6
        assert client.get("/qrs/user/count") == {"value": 6}
        assert client.get(f"/qrs/user/{SITE['users'][3]['id']}") == SITE["users"][3]

    @pytest.mark.parametrize(("path", "name"), [(PROFESSIONAL, "professional"), (ANALYZER, "analyzer")])
    def test_licenses(self, client: Client, path: str, name: str) -> None:
        rows = SITE["licenses"][name]
        assert client.get(f"{path}/full") == rows
        assert client.get(path) == [{"id": row["id"], "privileges": None} for row in rows]
        assert client.get(f"{path}/count") == {"value": len(rows)}
        assert client.get(f"{path}/{rows[1]['id']}") == rows[1]

    def test_filters(self, client: Client) -> None:
        unused = client.select(f"{ANALYZER}/full", "lastUsed le '2026-01-31T23:59:59.999Z'")
        assert [row["user"]["userId"] for row in unused] == ["user4", "user5"]
        assert client.select(f"{ANALYZER}/count", "quarantined eq true") == {"value": 1}
        tagged = client.select("/qrs/user", "tags.name eq 'CONTRACTOR' and not userDirectory eq 'corp'")
        assert [user["userId"] for user in tagged] == ["user2"]

    @pytest.mark.parametrize("text", ["userId%20like%20'x'", "userId+eq+'user1'", "userId%20eq%20'O'Neil'"])
    def test_a_malformed_filter_is_a_bad_request(self, client: Client, text: str) -> None:
        answer = client.send(f"/qrs/user/full?filter={text}")
        assert answer.status_code == 400
        assert answer.text.startswith("Cannot parse the expression: userId")

    def test_the_overview_is_counted(self, client: Client) -> None:
        overview = client.get("/qrs/license/accesstypeoverview")
        analyzer = overview["analyzerAccess"]
        assert {name: analyzer[name] for name in ("allocated", "used", "quarantined", "excess")} == {
            "allocated": 3,
            "used": 2,
            "quarantined": 1,
            "excess": 0,
        }
        assert analyzer["available"] == analyzer["total"] - 4
        client.send(f"{ANALYZER}/{OLD}", "DELETE")
        after = client.get("/qrs/license/accesstypeoverview")["analyzerAccess"]
        assert after["available"] == analyzer["available"] + 1
        assert after["total"] == analyzer["total"]

    def test_the_license_is_plainly_a_fake(self, client: Client) -> None:
        license_ = client.get("/qrs/license")
        assert "Valid To: 2027-12-31" in license_["keyDetails"].splitlines()
        assert "FAKE" in license_["serial"]
        assert "fake" in license_["key"]

    def test_what_the_site_gives_is_answered(self) -> None:
        site = {"accessTypeOverview": {}, "license": {"keyDetails": "Valid To: 2020-01-01"}}
        with SimulatedQrs(site) as qrs, _session() as session:
            client = Client(qrs.url, session)
            assert client.get("/qrs/license/accesstypeoverview") == {}
            assert client.get("/qrs/license") == {"keyDetails": "Valid To: 2020-01-01"}
            assert client.get("/qrs/user/full") == client.get(f"{ANALYZER}/full") == []

    @pytest.mark.parametrize(
        "path",
        [
            *("/", "/qrs", "/qrs/app/full", "/qrs/license/useraccesstype", "/qrs/user/full/more"),
            *("/qrs/user/00000000-0000-4000-8000-999999999999", f"{ANALYZER}/{SITE['users'][0]['id']}"),
        ],
    )
    def test_unknown_is_not_found(self, client: Client, path: str) -> None:
        assert client.send(path).status_code == 404

    def test_users_are_never_deleted(self, client: Client) -> None:
        assert client.send(f"/qrs/user/{SITE['users'][0]['id']}", "DELETE").status_code == 404
        assert client.get("/qrs/user/count") == {"value": 6}


class TestDeleting:
    def test_a_license_goes_once(self, qrs: SimulatedQrs, client: Client) -> None:
        answer = client.send(f"{ANALYZER}/{NEW}", "DELETE")
        assert (answer.status_code, answer.content) == (204, b"")
        assert client.send(f"{ANALYZER}/{NEW}", "DELETE").status_code == 404
        assert client.send(f"{ANALYZER}/{NEW}").status_code == 404
        client.send(f"{ANALYZER}/{OLD}", "DELETE")
        assert qrs.deleted == [NEW, OLD]
        assert client.get(f"{ANALYZER}/count") == {"value": 2}
        assert len(SITE["licenses"]["analyzer"]) == 4  # the site was copied

    def test_of_the_other_type_it_is_not_found(self, qrs: SimulatedQrs, client: Client) -> None:
        assert client.send(f"{PROFESSIONAL}/{OLD}", "DELETE").status_code == 404
        assert qrs.deleted == []

    def test_used_within_seven_days_it_is_quarantined(self) -> None:
        with SimulatedQrs(SITE, now=NOW) as qrs, _session() as session:
            client = Client(qrs.url, session)
            for key in (NEW, OLD, HELD):
                assert client.send(f"{ANALYZER}/{key}", "DELETE").status_code == 204
            rows = {row["id"]: row for row in client.get(f"{ANALYZER}/full")}
            assert OLD not in rows
            assert rows[NEW]["quarantined"]
            assert rows[NEW]["quarantineEnd"] == "2026-11-28T02:00:00.000Z"
            assert rows[NEW]["modifiedDate"] == "2026-11-21T02:00:00.000Z"
            assert rows[HELD] == SITE["licenses"]["analyzer"][3]
            assert qrs.deleted == [NEW, OLD, HELD]


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
        _until(lambda: qrs.handshake_failures == 1)  # the client may know before the server does
        assert qrs.requests == []
        return str(caught.value).lower()

    def test_no_client_certificate(self, qrs: SimulatedQrs, files: CertificateFiles) -> None:
        session = _session(files)
        session.cert = None
        assert "certificate required" in self._refusal(qrs, session)

    def test_a_foreign_client_certificate(self, qrs: SimulatedQrs, files: CertificateFiles, tmp_path: Path) -> None:
        foreign = ThrowAwayAuthority(now=datetime.now(UTC), name="foreign").export(tmp_path)
        session = _session(files)
        session.cert = (str(foreign.client), str(foreign.client_key))
        assert "unknown ca" in self._refusal(qrs, session)

    def test_an_expired_client_certificate(
        self, qrs: SimulatedQrs, authority: ThrowAwayAuthority, files: CertificateFiles, tmp_path: Path
    ) -> None:
        expired = authority.export(tmp_path, client_validity=Validity.expired(datetime.now(UTC)))
        session = _session(files)
        session.cert = (str(expired.client), str(expired.client_key))
        assert "expired" in self._refusal(qrs, session)

    def test_an_expired_server_certificate(self, authority: ThrowAwayAuthority, tmp_path: Path) -> None:
        expired = authority.export(tmp_path, server_validity=Validity.expired(datetime.now(UTC)))
        with SimulatedQrs(SITE, certificates=expired) as qrs:
            assert "expired" in self._refusal(qrs, _session(expired))

    def test_an_unknown_server(self, qrs: SimulatedQrs, files: CertificateFiles, tmp_path: Path) -> None:
        foreign = ThrowAwayAuthority(now=datetime.now(UTC)).export(tmp_path)
        session = _session(files)
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
        _until(lambda: qrs.handshake_failures == 20)

    def test_plain_http_on_the_tls_port(self, qrs: SimulatedQrs) -> None:
        with _session() as session, pytest.raises(requests.ConnectionError):
            session.get(qrs.url.replace("https", "http"), timeout=5)
        _until(lambda: qrs.handshake_failures == 1)


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

    def test_trickle(self, client: Client, fault: Fault) -> None:
        fault.kind, fault.seconds, fault.chunk = "trickle", 0.02, 100
        began = time.monotonic()
        assert client.get("/qrs/user/full") == SITE["users"]
        chunks = len(json.dumps(SITE["users"], ensure_ascii=False, separators=(",", ":")).encode()) // 100
        assert time.monotonic() - began >= chunks * 0.02

    def test_delay_acts_first(self, qrs: SimulatedQrs, client: Client, fault: Fault) -> None:
        fault.kind, fault.method, fault.seconds = "delay", "DELETE", 30
        client.get("/qrs/about")  # connect at leisure
        client.timeout = 0.2
        with pytest.raises(requests.Timeout):
            client.send(f"{ANALYZER}/{OLD}", "DELETE")
        assert qrs.deleted == [OLD]


class TestRunning:
    def test_keep_alive_is_quick(self, qrs: SimulatedQrs, client: Client) -> None:
        client.get("/qrs/about")
        began = time.monotonic()
        for _ in range(50):
            client.get("/qrs/user/full")
        assert time.monotonic() - began < 1.5  # with Nagle in the way it would be 50 times 40 ms
        assert len(qrs.requests) == 51

    def test_latency(self) -> None:
        with SimulatedQrs(SITE, latency_seconds=0.05) as qrs, _session() as session:
            began = time.monotonic()
            Client(qrs.url, session).get("/qrs/about")
            assert time.monotonic() - began >= 0.05

    def test_twenty_clients_at_once(self, files: CertificateFiles) -> None:
        site = {"licenses": {"analyzer": [_license(number, NEVER) for number in range(200)]}}

        with SimulatedQrs(site, certificates=files) as qrs, ThreadPoolExecutor(20) as pool:

            def give_back(first: int) -> list[int]:
                with _session(files) as session:
                    client = Client(qrs.url, session)
                    codes = [
                        client.send(f"{ANALYZER}/{_license(number, NEVER)['id']}", "DELETE").status_code
                        for number in range(first, 200, 10)
                    ]
                    client.get(f"{ANALYZER}/full")
                    return codes

            answers = list(pool.map(give_back, [*range(10), *range(10)]))  # each license wanted by two
            codes = [code for answer in answers for code in answer]
            assert sorted(qrs.deleted) == [_license(number, NEVER)["id"] for number in range(200)]
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

    def test_it_stops_promptly_whatever_its_clients_do(self, files: CertificateFiles) -> None:
        threads = threading.active_count()
        with ThreadPoolExecutor(4) as pool, _session(files) as idle:
            with SimulatedQrs(SITE, certificates=files) as qrs:
                Client(qrs.url, idle).get("/qrs/about")  # stays connected
                silent = socket.create_connection((qrs.host, qrs.port))  # and never shakes hands
                qrs.faults += [
                    Fault("delay", path_contains="about", seconds=600),
                    Fault("trickle", path_contains="user", seconds=600),
                ]

                def ask(path: str) -> bool:
                    with _session(files) as session:
                        try:
                            Client(qrs.url, session, timeout=30).send(path)
                        except requests.RequestException:
                            return False
                        return True

                waiting = [pool.submit(ask, path) for path in ("/qrs/about", "/qrs/user/full")]
                _until(lambda: len(qrs.requests) == 3)
                began = time.monotonic()
            assert time.monotonic() - began < 1.0
            assert [answer.result(timeout=5) for answer in waiting] == [False, False]
            silent.close()
        assert threading.active_count() == threads

    def test_it_comes_back_on_the_same_port(self) -> None:
        qrs = SimulatedQrs(SITE)
        with qrs, _session() as session:
            url = qrs.url
            Client(url, session).send(f"{ANALYZER}/{OLD}", "DELETE")
        with _session() as session, pytest.raises(requests.ConnectionError):
            Client(url, session).send("/qrs/about")
        with qrs, _session() as session:
            assert qrs.url == url
            assert Client(url, session).get(f"{ANALYZER}/count") == {"value": 3}

    def test_its_own_errors_do_not_pass_for_faults(self) -> None:
        site = {"users": [{"id": "1", "name": object()}]}  # not JSON
        with (
            pytest.raises(RuntimeError, match="simulated QRS failed") as caught,
            _session() as session,
            SimulatedQrs(site) as qrs,
            pytest.raises(requests.ConnectionError),
        ):
            Client(qrs.url, session).send("/qrs/user/full")
        assert isinstance(caught.value.__cause__, TypeError)
