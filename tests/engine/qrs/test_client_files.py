"""Files of the client certificate: each mistake has its sentence, and each way to give them works."""

import os
import ssl
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from seatwarden.engine.qrs.client_files import show_certificate
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.site.connection import Site
from tests.engine.qrs.authorities import Made, make, write
from tests.engine.qrs.test_presented import DIRECT, ROOT, last_step

CLIENT = make("QlikClient", ROOT, server=False)
OTHER = make("Another", ROOT, server=False)
ENCRYPTED = CLIENT.key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"s3cret")
)
REQUEST = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(CLIENT.certificate.subject)
    .sign(CLIENT.key, hashes.SHA256())
    .public_bytes(serialization.Encoding.PEM)
)


def pfx(made: Made | None = CLIENT, passphrase: bytes | None = b"s3cret", *, key: bool = True) -> bytes:
    """A PFX, with the authority in it, as the QMC and Windows write it."""
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return pkcs12.serialize_key_and_certificates(
        b"QlikClient",
        made.key if made and key else None,
        made.certificate if made else None,
        [ROOT.certificate],
        how,
    )


@pytest.fixture
def files(tmp_path: Path) -> CertificateFiles:
    return write(tmp_path / "c", root=ROOT.pem, server=DIRECT, client=CLIENT)


@pytest.mark.parametrize(
    ("certificate", "key", "passphrase"),
    [
        (CLIENT.pem, CLIENT.key_pem, None),
        (CLIENT.pem + CLIENT.key_pem, None, None),
        (CLIENT.key_pem + CLIENT.pem, None, None),
        (b"Bag Attributes\n  friendlyName: x\n" + ENCRYPTED + CLIENT.pem, None, "s3cret"),
        (CLIENT.pem + ROOT.pem, CLIENT.key_pem + CLIENT.pem, None),
        (CLIENT.pem, ENCRYPTED, "s3cret"),
        (pfx(), None, "s3cret"),
        (pfx(passphrase=None), None, None),
        (pfx(passphrase="Grüße".encode()), None, "Grüße"),
    ],
)
def test_ways_that_work(files: CertificateFiles, certificate: bytes, key: bytes | None, passphrase: str | None) -> None:
    """With a real handshake: the way ends at the rights, since the site has no users."""
    files.client.write_bytes(certificate)
    files.client_key.write_bytes(key or b"")
    step = last_step(files, key=files.client_key if key else None, passphrase=passphrase)
    assert (step.name, step.found) == ("right to read users", "no user can be seen")


@pytest.mark.parametrize(
    ("certificate", "key", "passphrase", "found"),
    [
        (CLIENT.pem, None, None, "has no private key in it, and `clientCertKey` is not set"),
        (CLIENT.key_pem, CLIENT.pem, None, "has a private key in it and `clientCertKey` a certificate: swapped"),
        (CLIENT.key_pem, None, None, "client.pem` is a private key, not a certificate"),
        (CLIENT.pem, CLIENT.pem, None, "`cert.clientCertKey`: `client_key.pem` is a certificate, not a private key"),
        (CLIENT.pem, b"anything", None, "`cert.clientCertKey`: `client_key.pem` is no PEM key"),
        (CLIENT.pem, b"", None, "`cert.clientCertKey`: `client_key.pem` is empty"),
        (CLIENT.pem, pfx(), "s3cret", "is a PFX: name it under `clientCert`, alone"),
        (CLIENT.pem, OTHER.key_pem, None, "the key does not fit the certificate"),
        (CLIENT.pem, ENCRYPTED, None, "it needs a passphrase"),
        (CLIENT.pem, ENCRYPTED, "wrong", "the passphrase is wrong"),
        (pfx(), None, None, "it needs a passphrase, or is damaged"),
        (pfx(), None, "wrong", "the passphrase is wrong, or it is damaged"),
        (pfx()[:-40], None, "s3cret", "the passphrase is wrong, or it is damaged"),
        (pfx(), CLIENT.key_pem, "s3cret", "client.pem` has its key in it"),
        (pfx(key=False), None, "s3cret", "has no certificate with a key in it"),
        (REQUEST, CLIENT.key_pem, None, "is a request for a certificate, not one"),
        (CLIENT.pem.decode().encode("utf-16"), CLIENT.key_pem, None, "is UTF-16 text"),
        (CLIENT.certificate.public_bytes(serialization.Encoding.DER), CLIENT.key_pem, None, "in DER format"),
        (b"", CLIENT.key_pem, None, "client.pem` is empty"),
        (b"anything", CLIENT.key_pem, None, "client.pem` is not a PEM certificate"),
        (CLIENT.pem.replace(b"M", b"-"), CLIENT.key_pem, None, "client.pem` is not a PEM certificate"),
    ],
)
def test_mistakes(
    files: CertificateFiles, certificate: bytes, key: bytes | None, passphrase: str | None, found: str
) -> None:
    files.client.write_bytes(certificate)
    files.client_key.write_bytes(key or b"")
    step = last_step(files, key=None if key is None else files.client_key, passphrase=passphrase)
    assert (step.name, step.here) == ("client certificate", True)
    assert found in step.found.replace(f"{files.client.parent}{os.sep}", "")
    assert step.help
    assert "s3cret" not in step.found + step.help


def test_a_key_without_a_certificate(files: CertificateFiles) -> None:
    step = last_step(files, certificate=None)
    assert (step.found, step.here) == ("`cert.clientCertKey` is set, and `clientCert` is not", True)


def test_the_key_of_a_pfx_lies_nowhere_in_the_clear(
    files: CertificateFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    seen: list[Path] = []

    class Watching(ssl.SSLContext):
        def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
            assert b"BEGIN ENCRYPTED PRIVATE KEY" in certfile.read_bytes()
            assert b"BEGIN PRIVATE KEY" not in certfile.read_bytes()
            if os.name != "nt":
                assert stat.S_IMODE(certfile.stat().st_mode) == 0o600
                assert stat.S_IMODE(certfile.parent.stat().st_mode) == 0o700
            seen.append(certfile)
            super().load_cert_chain(certfile, keyfile, password)

    files.client.write_bytes(pfx())
    site = Site("localhost", 4242, True, {}, True, files.client, None, files.root, "s3cret")
    show_certificate(site, Watching(ssl.PROTOCOL_TLS_CLIENT))
    assert [file.parent.parent for file in seen] == [folder]
    assert list(folder.iterdir()) == []
