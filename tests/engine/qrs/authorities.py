"""Certificates of all kinds for a simulated site: of any issuer, purpose, names and dates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from seatwarden.engine.simulator.certificates import CertificateFiles

NOW = datetime.now(UTC)
AROUND = (NOW - timedelta(days=1), NOW + timedelta(days=90))


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key as PEM, in the clear."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def make(
    name: str,
    issuer: Made | None = None,
    *,
    hosts: Sequence[str] = (),
    authority: bool = False,
    server: bool = True,
    valid: tuple[datetime, datetime] = AROUND,
) -> Made:
    """A certificate; self-signed without an issuer."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return Made(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def write(folder: Path, *, root: bytes, server: Made, client: Made, chain: bytes = b"") -> CertificateFiles:
    """The five files; the server sends `chain` behind its own certificate."""
    folder.mkdir(exist_ok=True)
    files = CertificateFiles.in_folder(folder)
    files.root.write_bytes(root)
    files.server.write_bytes(server.pem + chain)
    files.server_key.write_bytes(server.key_pem)
    files.client.write_bytes(client.pem)
    files.client_key.write_bytes(client.key_pem)
    return files
