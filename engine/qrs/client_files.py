"""Our certificate and its key, in two PEM files, in one, or in a PFX; and what is wrong with the files."""

import os
import re
import secrets
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from seatwarden.engine.common.files import remove_file
from seatwarden.engine.qrs.windows_store import exported
from seatwarden.engine.site.connection import Site, StoredCertificate
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import kind_of_data

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

EXPORT_HELP = "export certificates in the QMC (Certificates, format PEM) and name the files under `cert`"
_KEY_HELP = "name client_key.pem there; the export of the QMC has it beside client.pem"
_LABEL = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")
_PFX = re.compile(rb"0(?:[\x00-\x80]|\x81.|\x82..|\x83...|\x84....)\x02\x01\x03", re.DOTALL)
"""How PKCS#12 begins: a sequence, and in it the version 3."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a file holds."""

    certificate: bool = False
    key: bool = False
    pfx: bool = False
    other: str | None = None
    """What it is instead, in words."""


def client_certificate(site: Site) -> x509.Certificate:
    """The client certificate of a site that names one. Raises InputError when the files are not what they should be."""
    assert site.certificate is not None  # noqa: S101 - for the type checker: the caller has asked
    if isinstance(site.certificate, StoredCertificate) or _check_kinds(site, site.certificate).pfx:
        return _opened(site, site.certificate)[1]
    try:
        return x509.load_pem_x509_certificate(site.certificate.read_bytes())
    except (ValueError, OSError):
        raise InputError(f"`cert.clientCert`: `{site.certificate}` is not a PEM certificate", EXPORT_HELP) from None


def show_certificate(site: Site, context: ssl.SSLContext) -> None:
    """Makes the context show the site's client certificate, if it has one. Raises InputError."""
    if site.certificate is None:
        if site.key is not None:
            raise InputError("`cert.clientCertKey` is set, and `clientCert` is not", "name client.pem there")
        return
    if isinstance(site.certificate, StoredCertificate) or _check_kinds(site, site.certificate).pfx:
        _show_pfx(site, site.certificate, context)
        return
    try:
        # An empty password instead of a prompt: an unattended run must not wait for one.
        context.load_cert_chain(site.certificate, site.key, password=site.passphrase or "")
    except (ssl.SSLError, OSError, ValueError) as error:  # a passphrase that is too long is a ValueError
        if "MISMATCH" in str(error):
            reason = "the key does not fit the certificate"
        elif site.passphrase:
            reason = "wrong format, or the passphrase is wrong"
        else:
            reason = "wrong format, or it needs a passphrase"
        raise InputError(f"the client certificate `{site.certificate}` cannot be used: {reason}", EXPORT_HELP) from None


def check_readable(setting: str, path: Path) -> None:
    """Raises InputError for a file that is missing or cannot be read."""
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise InputError(f"`cert.{setting}`: `{path}` does not exist", EXPORT_HELP) from None
    except OSError as error:
        help_ = "it must be readable for the account that seatwarden runs as"
        raise InputError(f"`cert.{setting}`: `{path}` cannot be read: {error.strerror}", help_) from None


def _check_kinds(site: Site, certificate: Path) -> _Kind:
    """What the file under `clientCert` holds. Raises InputError where one of the two is not what belongs there."""
    check_readable("clientCert", certificate)
    if site.key is not None:
        check_readable("clientCertKey", site.key)
    found = _kind(certificate)
    beside = _kind(site.key) if site.key is not None else None
    if found.pfx:
        if beside is not None:
            raise InputError(f"`cert.clientCert`: `{certificate}` has its key in it", "remove `clientCertKey`")
        return found
    if not found.certificate and beside is not None and beside.certificate and found.key:
        help_ = "`clientCert` takes client.pem and `clientCertKey` client_key.pem"
        raise InputError("`cert.clientCert` has a private key in it and `clientCertKey` a certificate: swapped", help_)
    if not found.certificate:
        what = found.other or ("a private key, not a certificate" if found.key else "not a PEM certificate")
        raise InputError(f"`cert.clientCert`: `{certificate}` is {what}", EXPORT_HELP)
    if beside is None and not found.key:
        message = f"`cert.clientCert`: `{certificate}` has no private key in it, and `clientCertKey` is not set"
        raise InputError(message, _KEY_HELP)
    if beside is not None and not beside.key:
        what = (
            beside.other or "a certificate, not a private key" if beside.other or beside.certificate else "no PEM key"
        )
        if beside.pfx:
            what = "a PFX: name it under `clientCert`, alone"
        raise InputError(f"`cert.clientCertKey`: `{site.key}` is {what}", _KEY_HELP)
    return found


def _kind(path: Path) -> _Kind:
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _Kind(other="UTF-16 text: save it as plain text (ASCII), or export it again")
    labels = _LABEL.findall(data)
    if labels:
        certificate = any(label in (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE") for label in labels)
        request = any(label.endswith(b"CERTIFICATE REQUEST") for label in labels)
        key = any(label.endswith(b"PRIVATE KEY") for label in labels)
        return _Kind(certificate, key, other="a request for a certificate, not one" if request else None)
    if _PFX.match(data):
        return _Kind(pfx=True)
    try:
        x509.load_der_x509_certificate(data)
    except ValueError:
        known = kind_of_data(data)
        return _Kind(other="empty" if not data.strip() else known.noun if known else None)
    return _Kind(other="a certificate in DER format, and PEM is wanted")


# PFX -----------------------------------------------------------------------------------------------------


def _show_pfx(site: Site, place: Path | StoredCertificate, context: ssl.SSLContext) -> None:
    """Makes the context show what is in a PFX, or in the certificate store of Windows.

    Python takes keys from files only. The key is in one for that moment, enciphered under a passphrase that nobody
    else ever has, in a folder that nobody else may open.
    """
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    key, certificate, others = _opened(site, place)
    passphrase = secrets.token_bytes(24).hex()
    enciphered = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode()))
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (certificate, *others))
    with tempfile.TemporaryDirectory(prefix="seatwarden-") as folder:
        file = Path(folder, "client.pem")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(enciphered + chain)
        try:
            context.load_cert_chain(file, password=passphrase)
        except ssl.SSLError as error:
            raise InputError(f"the client certificate `{place}` cannot be used: {error.reason}", EXPORT_HELP) from None
        finally:
            remove_file(file)  # the folder's own end would not wait for a virus scanner


def _opened(
    site: Site, path: Path | StoredCertificate
) -> tuple["PrivateKeyTypes", x509.Certificate, list[x509.Certificate]]:
    from cryptography.hazmat.primitives.serialization import pkcs12  # all kinds of keys come along; PEM needs none

    if isinstance(path, StoredCertificate):
        if site.key is not None:
            raise InputError(f"`cert.clientCert`: `{path}` has its key beside it", "remove `clientCertKey`")
        data, word = exported(path)
    else:
        data, word = path.read_bytes(), site.passphrase or ""
    passphrase = word.encode() if word else None
    try:
        found = pkcs12.load_pkcs12(data, passphrase)
    except UnsupportedAlgorithm:
        help_ = "export it again, with AES256-SHA256"
        raise InputError(f"`cert.clientCert`: `{path}` is enciphered in a way that is not known", help_) from None
    except ValueError:
        if passphrase is None:
            message = f"the client certificate `{path}` cannot be used: it needs a passphrase, or is damaged"
            raise InputError(message, "set `clientCertPassphrase` under `cert` to the password of the export") from None
        message = f"the client certificate `{path}` cannot be used: the passphrase is wrong, or it is damaged"
        raise InputError(message, "check `clientCertPassphrase` under `cert`") from None
    if found.cert is None:
        raise InputError(f"`cert.clientCert`: `{path}` has no certificate with a key in it", EXPORT_HELP)
    if found.key is None:
        raise InputError(f"`cert.clientCert`: `{path}` has no private key in it", "export it with the private key")
    return found.key, found.cert.certificate, [other.certificate for other in found.additional_certs]
