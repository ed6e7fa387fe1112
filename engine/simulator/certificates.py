"""A throw-away certificate authority: PEM files like those the QMC exports, for tests and the demo.

The QMC (Certificates -> Export, platform independent PEM format) writes `root.pem`, `server.pem`,
`server_key.pem`, `client.pem` and `client_key.pem`; Butler's `Butler.cert` points at three of them. The
extensions follow RFC 5280 closely enough for `ssl.VERIFY_X509_STRICT`, which Python 3.13 turns on.

The module reads no clock. TLS does: certificates meant to be accepted need the real present as `now`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from seatwarden.engine.common.files import remove_file

DEFAULT_HOSTS = ("localhost", "127.0.0.1", "::1")
"""Names and addresses a server certificate is good for, unless others are asked for."""

_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class CertificateFiles:
    """The files of one export: paths of PEM files in one folder, named as the QMC names them."""

    root: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    @classmethod
    def in_folder(cls, folder: Path) -> CertificateFiles:
        """Name the five files of an export in `folder`; none of them is read or need exist."""
        return cls(
            root=folder / "root.pem",
            server=folder / "server.pem",
            server_key=folder / "server_key.pem",
            client=folder / "client.pem",
            client_key=folder / "client_key.pem",
        )


@dataclass(frozen=True)
class Validity:
    """The time for which a certificate is good; both instants carry a time zone."""

    not_before: datetime
    not_after: datetime

    @classmethod
    def around(cls, now: datetime) -> Validity:
        """Good since yesterday and for the next 90 days."""
        return cls(now - timedelta(days=1), now + timedelta(days=90))

    @classmethod
    def expired(cls, now: datetime) -> Validity:
        """Good for 30 days, until yesterday."""
        return cls(now - timedelta(days=31), now - timedelta(days=1))


class ThrowAwayAuthority:
    """A certificate authority that lives as long as the object; its private key is never written down.

    A second one is a foreign authority, whose client certificates the first one's server refuses:

        ours = ThrowAwayAuthority(now=now).export(folder)
        theirs = ThrowAwayAuthority(now=now, name="someone else's CA").export(other_folder)
    """

    def __init__(self, *, now: datetime, name: str = "seatwarden throw-away CA") -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _common_name(name)
        # Wider than any certificate it signs, so that an expired one is refused for that reason alone.
        validity = Validity(now - timedelta(days=365), now + timedelta(days=365))
        self._certificate = (
            _builder(self._subject, self._subject, self._key.public_key(), self._key.public_key(), validity)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def export(
        self,
        folder: Path,
        *,
        hosts: Sequence[str] = DEFAULT_HOSTS,
        server_validity: Validity | None = None,
        client_validity: Validity | None = None,
        client_key_passphrase: str | None = None,
    ) -> CertificateFiles:
        """Issue a server and a client certificate and write the five PEM files into `folder`.

        `folder` is made when it is missing; files already there are replaced. Keys are readable by their
        owner only (mode 0600; Windows keeps the folder's own permissions). With a passphrase the client
        key is encrypted PKCS#8, as the QMC writes it when a certificate password is given.

        Raises `OSError` when the folder cannot be written and `ValueError` for a validity that ends
        before it begins.
        """
        server_key, server = self._issue(
            "QlikServer",
            ExtendedKeyUsageOID.SERVER_AUTH,
            server_validity or Validity.around(self._now),
            hosts,
        )
        client_key, client = self._issue(
            "QlikClient",
            ExtendedKeyUsageOID.CLIENT_AUTH,
            client_validity or Validity.around(self._now),
        )
        folder.mkdir(parents=True, exist_ok=True)
        files = CertificateFiles.in_folder(folder)
        files.root.write_bytes(_pem(self._certificate))
        files.server.write_bytes(_pem(server))
        files.client.write_bytes(_pem(client))
        _write_private(files.server_key, _key_pem(server_key, None))
        _write_private(files.client_key, _key_pem(client_key, client_key_passphrase))
        return files

    def _issue(
        self,
        name: str,
        usage: ObjectIdentifier,
        validity: Validity,
        hosts: Sequence[str] = (),
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """Make a key and have its certificate signed; `hosts` become the subject alternative names."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_common_name(name), self._subject, key.public_key(), self._key.public_key(), validity)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if hosts:
            names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return key, builder.sign(self._key, hashes.SHA256())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    subject_key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    validity: Validity,
) -> x509.CertificateBuilder:
    """Start a certificate with what the authority's own and the issued ones share."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(subject_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(validity.not_before)
        .not_valid_after(validity.not_after)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey, passphrase: str | None) -> bytes:
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def _write_private(path: Path, content: bytes) -> None:
    """Write a key that no one else could read at any moment, also when the file was there before."""
    remove_file(path)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "wb") as file:
        file.write(content)
