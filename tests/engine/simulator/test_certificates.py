from __future__ import annotations

import ssl
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority, Validity

NOW = datetime.now(UTC)


def _client(files: CertificateFiles, passphrase: str | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.root))
    context.load_cert_chain(files.client, files.client_key, password=passphrase or "")
    return context


def _server(files: CertificateFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(files.root))
    context.load_cert_chain(files.server, files.server_key)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, host: str = "localhost") -> None:
    """Run a handshake in memory, with Python 3.13's strict verification on both sides."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    for context in (client, server):
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    ours = client.wrap_bio(to_client, to_server, server_hostname=host)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    waiting: list[Callable[[], None]] = [ours.do_handshake, theirs.do_handshake]
    for _ in range(10):
        for side in list(waiting):
            try:
                side()
            except ssl.SSLWantReadError:
                continue
            waiting.remove(side)
        if not waiting:
            return
    raise AssertionError("the handshake does not end")


def test_client_and_server_trust_each_other(tmp_path: Path) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path)
    for host in ("localhost", "127.0.0.1", "::1"):
        _shake_hands(_client(files), _server(files), host)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "client.pem",
        "client_key.pem",
        "root.pem",
        "server.pem",
        "server_key.pem",
    ]


def test_a_server_certificate_is_good_for_its_hosts_only(tmp_path: Path) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path, hosts=("qlik.example.com", "10.0.0.7"))
    _shake_hands(_client(files), _server(files), "qlik.example.com")
    _shake_hands(_client(files), _server(files), "10.0.0.7")
    with pytest.raises(ssl.SSLCertVerificationError, match="localhost"):
        _shake_hands(_client(files), _server(files))


def test_an_expired_client_certificate_is_refused_for_that_reason(tmp_path: Path) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path, client_validity=Validity.expired(NOW))
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        _shake_hands(_client(files), _server(files))


def test_an_expired_server_certificate_is_refused_for_that_reason(tmp_path: Path) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path, server_validity=Validity.expired(NOW))
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        _shake_hands(_client(files), _server(files))


def test_authorities_do_not_trust_each_other_even_under_one_name(tmp_path: Path) -> None:
    ours = ThrowAwayAuthority(now=NOW).export(tmp_path / "ours")
    theirs = ThrowAwayAuthority(now=NOW).export(tmp_path / "theirs")
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(_client(ours), _server(theirs))


def test_a_client_certificate_does_not_serve(tmp_path: Path) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.client, files.client_key)
    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        _shake_hands(_client(files), server)


def test_the_client_key_can_have_a_passphrase(tmp_path: Path) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path, client_key_passphrase="correct horse")
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in files.client_key.read_bytes()
    _shake_hands(_client(files, "correct horse"), _server(files))
    with pytest.raises(ssl.SSLError):
        _client(files, "wrong horse")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_keys_are_for_their_owner_only_also_when_written_again(tmp_path: Path) -> None:
    authority = ThrowAwayAuthority(now=NOW)
    (tmp_path / "client_key.pem").write_text("an older key")
    (tmp_path / "client_key.pem").chmod(0o644)
    files = authority.export(tmp_path)
    assert stat.S_IMODE(files.client_key.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.server_key.stat().st_mode) == 0o600


def test_the_instant_given_is_the_one_that_counts(tmp_path: Path) -> None:
    then = datetime(2031, 5, 1, tzinfo=UTC)
    files = ThrowAwayAuthority(now=then).export(tmp_path)
    certificate = x509.load_pem_x509_certificate(files.client.read_bytes())
    root = x509.load_pem_x509_certificate(files.root.read_bytes())
    assert certificate.not_valid_before_utc < then < certificate.not_valid_after_utc
    assert root.not_valid_before_utc < certificate.not_valid_before_utc
    assert certificate.not_valid_after_utc - then == timedelta(days=90)


def test_certificate_and_key_belong_together(tmp_path: Path) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path)
    for certificate_file, key_file in ((files.client, files.client_key), (files.server, files.server_key)):
        certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = load_pem_private_key(key_file.read_bytes(), password=None)
        assert certificate.public_key() == key.public_key()


def test_a_validity_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="after"):
        ThrowAwayAuthority(now=NOW).export(tmp_path, client_validity=Validity(NOW, NOW - timedelta(days=1)))
    assert not list(tmp_path.iterdir())
