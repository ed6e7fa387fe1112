"""Connections that really fail, by four libraries: each time the same fault."""

import gc
import http.client
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import urllib3
from urllib3.util.retry import Retry

from seatwarden.engine.common.network import ConnectionFault, TlsAdapter, fault_of, trust_in
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority, Validity

NOW = datetime.now(UTC)
NOT_YET = Validity(Validity.around(NOW).not_after, Validity.around(NOW).not_after)
SECONDS = 20.0
"""Long enough on a machine that is busy."""
SOON = 0.3
HOST = "127.0.0.1"


def by_requests(port: int, context: ssl.SSLContext | None, host: str, seconds: float) -> None:
    with requests.Session() as session:
        session.trust_env = False
        scheme = "http"
        if context is not None:
            scheme = "https"
            session.mount("https://", TlsAdapter(context, Retry(0)))
        session.get(f"{scheme}://{host}:{port}/", timeout=seconds)


def by_requests_that_tries_again(port: int, context: ssl.SSLContext | None, host: str, seconds: float) -> None:
    with requests.Session() as session:
        session.trust_env = False
        retries = Retry(1, other=0)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        if context is not None:
            session.mount("https://", TlsAdapter(context, retries))
        session.get(f"{'https' if context else 'http'}://{host}:{port}/", timeout=seconds)


def by_urllib3(port: int, context: ssl.SSLContext | None, host: str, seconds: float) -> None:
    with urllib3.PoolManager(ssl_context=context, retries=False, timeout=seconds) as pool:
        pool.request("GET", f"{'https' if context else 'http'}://{host}:{port}/")


def by_http_client(port: int, context: ssl.SSLContext | None, host: str, seconds: float) -> None:
    connection = (
        http.client.HTTPSConnection(host, port, timeout=seconds, context=context)
        if context
        else http.client.HTTPConnection(host, port, timeout=seconds)
    )
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    finally:
        connection.close()


def by_smtplib(port: int, context: ssl.SSLContext | None, host: str, seconds: float) -> None:
    server = (
        smtplib.SMTP_SSL(host, port, timeout=seconds, context=context)
        if context
        else smtplib.SMTP(host, port, timeout=seconds)
    )
    server.close()


WAYS = [by_requests, by_requests_that_tries_again, by_urllib3, by_http_client, by_smtplib]
ways = pytest.mark.parametrize("way", WAYS)
Way = Callable[[int, ssl.SSLContext | None, str, float], None]


@contextmanager
def server(answer: Callable[[socket.socket], object], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port whose connections are given to `answer`, after the handshake when there is one, and then closed."""
    with ExitStack() as connections, socket.create_server((HOST, 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection = connections.enter_context(listening.accept()[0])
                except OSError:
                    return  # the test is over
                with suppress(OSError):  # the client may have gone
                    if tls is not None:
                        connection = connections.enter_context(tls.wrap_socket(connection, server_side=True))
                    answer(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def close(connection: socket.socket) -> None:
    connection.close()


def keep_silent(connection: socket.socket) -> None:
    """It is closed when the test is over."""


def speak_http(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def failure(
    way: Way, port: int, context: ssl.SSLContext | None = None, host: str = HOST, seconds: float = SECONDS
) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of which type is what differs
        way(port, context, host, seconds)
    return caught.value


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("network")


@pytest.fixture(scope="module")
def authority() -> ThrowAwayAuthority:
    return ThrowAwayAuthority(now=NOW)


@pytest.fixture(scope="module")
def files(authority: ThrowAwayAuthority, folder: Path) -> CertificateFiles:
    return authority.export(folder / "good")


def server_context(files: CertificateFiles, *, clients_of: Path | None = None) -> ssl.SSLContext:
    """A server's TLS; with an authority it asks for client certificates, at the handshake as TLS 1.2 does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server, files.server_key)
    if clients_of is not None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients_of)
    return context


@ways
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_nobody_there(way: Way, tls: bool) -> None:
    context = trust_in(None) if tls else None
    with socket.create_server((HOST, 0)) as listening:
        free = listening.getsockname()[1]
    fault, cause = fault_of(failure(way, free, context))
    assert (fault, type(cause)) == (ConnectionFault.NOTHING_LISTENS, ConnectionRefusedError)
    assert fault_of(failure(way, 80, context, "no-such-host.invalid"))[0] is ConnectionFault.NO_SUCH_HOST
    assert fault_of(failure(way, 80, context, f"{'a' * 64}.invalid"))[0] is ConnectionFault.BAD_ADDRESS


@ways
def test_a_server_that_hangs_up_or_never_answers(way: Way, files: CertificateFiles) -> None:
    for tls, context in ((None, None), (server_context(files), trust_in(files.root))):
        with server(close, tls) as port:
            assert fault_of(failure(way, port, context))[0] is ConnectionFault.CLOSED
        with server(keep_silent, tls) as port:
            assert fault_of(failure(way, port, context, seconds=SOON))[0] is ConnectionFault.ANSWER_TIMED_OUT


@pytest.mark.parametrize("way", WAYS[:3])
def test_a_port_that_takes_no_connection(way: Way) -> None:
    """Its queue is full. http.client and smtplib do not tell whether there was a connection: then it is not assumed."""
    with ExitStack() as connections, socket.socket() as busy:
        busy.bind((HOST, 0))
        busy.listen(0)
        for _ in range(4):
            waiting = connections.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(busy.getsockname())
        error = failure(way, busy.getsockname()[1], seconds=SOON)
    if fault_of(error)[0] is ConnectionFault.NOTHING_LISTENS:
        pytest.skip("this system refuses what it has no room for")
    assert fault_of(error)[0] is ConnectionFault.CONNECT_TIMED_OUT


@ways
@pytest.mark.parametrize(
    ("hosts", "validity", "fault"),
    [
        (["elsewhere.example"], None, ConnectionFault.OTHER_NAME),
        ([HOST], Validity.expired(NOW), ConnectionFault.EXPIRED),
        ([HOST], NOT_YET, ConnectionFault.NOT_YET_VALID),
    ],
)
def test_certificates(
    way: Way,
    authority: ThrowAwayAuthority,
    tmp_path: Path,
    hosts: list[str],
    validity: Validity | None,
    fault: ConnectionFault,
) -> None:
    files = authority.export(tmp_path, hosts=hosts, server_validity=validity)
    with server(close, server_context(files)) as port:
        error = failure(way, port, trust_in(files.root))
    found, cause = fault_of(error)
    assert (found, type(cause)) == (fault, ssl.SSLCertVerificationError)


@ways
def test_an_issuer_that_is_not_trusted(way: Way, files: CertificateFiles, tmp_path: Path) -> None:
    foreign = ThrowAwayAuthority(now=NOW).export(tmp_path)
    with server(close, server_context(foreign)) as port:
        assert fault_of(failure(way, port, trust_in(files.root)))[0] is ConnectionFault.UNKNOWN_ISSUER
        assert fault_of(failure(way, port, trust_in(None)))[0] is ConnectionFault.UNKNOWN_ISSUER


def test_authorities_that_requests_brings_along_are_not_trusted(
    files: CertificateFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(files.root))
    with server(close, server_context(files)) as port:
        assert fault_of(failure(by_requests, port, trust_in(None)))[0] is ConnectionFault.UNKNOWN_ISSUER


@ways
def test_no_tls_where_tls_is_asked_for(way: Way, files: CertificateFiles) -> None:
    with server(speak_http) as port:
        assert fault_of(failure(way, port, trust_in(files.root)))[0] is ConnectionFault.NO_TLS


@ways
def test_client_certificates(way: Way, authority: ThrowAwayAuthority, files: CertificateFiles, tmp_path: Path) -> None:
    expired = authority.export(tmp_path / "expired", client_validity=Validity.expired(NOW))
    foreign = ThrowAwayAuthority(now=NOW).export(tmp_path / "foreign")
    with server(close, server_context(files, clients_of=files.root)) as port:
        for shown, fault in ((expired, ConnectionFault.CLIENT_EXPIRED), (foreign, ConnectionFault.CLIENT_REFUSED)):
            context = trust_in(files.root)
            context.load_cert_chain(shown.client, shown.client_key)
            assert fault_of(failure(way, port, context))[0] is fault


@ways
def test_a_version_of_tls_that_is_too_old(way: Way, files: CertificateFiles) -> None:
    """The server says so by an alert, which is not one about our certificate."""
    new, old = server_context(files), trust_in(files.root)
    new.minimum_version = ssl.TLSVersion.TLSv1_3
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with server(close, new) as port:
        assert fault_of(failure(way, port, old))[0] is ConnectionFault.TLS_FAILED


@pytest.mark.parametrize("way", WAYS[:3])
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_an_answer_that_contradicts_itself(way: Way) -> None:
    """The request was sent: that `requests` tells it as an invalid header of ours must not deceive."""

    def contradict(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nx")

    with server(contradict) as port:
        assert fault_of(failure(way, port))[0] is ConnectionFault.UNREACHABLE
    gc.collect()  # urllib3 leaves such a connection to the collector, which warns: here and in no other test


@pytest.mark.parametrize("headers", [{"X": "a\nb"}, {"X": "łódź"}])
def test_a_header_that_cannot_be_sent(headers: dict[str, str]) -> None:
    with server(keep_silent) as port, requests.Session() as session, urllib3.PoolManager(retries=False) as pool:
        url = f"http://{HOST}:{port}/"
        for send in (session.request, pool.request):
            with pytest.raises(ValueError) as caught:  # noqa: PT011 - the two name it differently
                send("GET", url, headers=headers, timeout=SECONDS)
            assert fault_of(caught.value)[0] is ConnectionFault.NOT_SENDABLE


def test_another_failure_that_was_being_handled_is_not_the_cause() -> None:
    error = ConnectionResetError(104, "Connection reset by peer")
    error.__context__ = ConnectionRefusedError(111, "Connection refused")
    assert fault_of(error)[0] is ConnectionFault.CLOSED


def test_a_reason_that_python_has_no_name_for() -> None:
    """As Python 3.12 tells OpenSSL 3.2's."""
    assert fault_of(ssl.SSLError(1, "[SSL] record layer failure (_ssl.c:1000)"))[0] is ConnectionFault.NO_TLS
    assert fault_of(ssl.SSLError(1, "[SSL] something new (_ssl.c:1000)"))[0] is ConnectionFault.TLS_FAILED


def test_a_file_that_holds_no_authority(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("empty.pem", "missing.pem"):
        with pytest.raises(OSError, match=r"."):
            trust_in(tmp_path / name)
