"""TLS to QRS: the client certificate, and the authority that is trusted."""

import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509

from seatwarden.engine.common.network import trust_in
from seatwarden.engine.site.connection import Site
from seatwarden.policy.errors import InputError

EXPORT_HELP = "export certificates in the QMC (Certificates, format PEM) and name the files under `cert`"


def make_context(site: Site, now: datetime) -> ssl.SSLContext:
    """The TLS settings for a site; `now` (aware) is held against the client certificate's dates.

    Raises InputError when a certificate file is missing, unreadable or no longer valid.
    """
    context = context_of(site)
    if site.certificate is not None:
        _check_dates(site.certificate, now)
    return context


def context_of(site: Site) -> ssl.SSLContext:
    """The TLS settings for a site, whatever the client certificate's dates. Raises InputError."""
    for name, path in (("clientCert", site.certificate), ("clientCertKey", site.key), ("clientCertCA", site.authority)):
        if path is not None:
            _check_readable(f"cert.{name}", path)
    try:
        context = trust_in(site.authority)
    except OSError:
        raise InputError(f"`cert.clientCertCA`: `{site.authority}` holds no certificate", EXPORT_HELP) from None
    if not site.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if site.certificate is not None:
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
            raise InputError(
                f"the client certificate `{site.certificate}` cannot be used: {reason}", EXPORT_HELP
            ) from None
    return context


def _check_readable(setting: str, path: Path) -> None:
    try:
        path.open("rb").close()
    except FileNotFoundError:
        raise InputError(f"`{setting}`: `{path}` does not exist", EXPORT_HELP) from None
    except OSError as error:
        help_ = "it must be readable for the account that seatwarden runs as"
        raise InputError(f"`{setting}`: `{path}` cannot be read: {error.strerror}", help_) from None


def _check_dates(path: Path, now: datetime) -> None:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (ValueError, OSError):
        raise InputError(f"`cert.clientCert`: `{path}` is not a PEM certificate", EXPORT_HELP) from None
    if now > certificate.not_valid_after_utc:
        day = certificate.not_valid_after_utc.date().isoformat()
        raise InputError(f"the client certificate `{path}` expired on {day}", EXPORT_HELP)
    if now < certificate.not_valid_before_utc:
        day = certificate.not_valid_before_utc.date().isoformat()
        raise InputError(f"the client certificate `{path}` is valid only from {day}", "check this machine's clock")
