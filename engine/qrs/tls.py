"""TLS to QRS: the client certificate, the authority that is trusted, and their faults in words."""

import ssl
from datetime import datetime
from pathlib import Path

from cryptography import x509

from seatwarden.engine.errors import RemoteError
from seatwarden.engine.site.connection import Site
from seatwarden.policy.errors import InputError

EXPORT_HELP = "export certificates in the QMC (Certificates, format PEM) and name the files under `cert`"


def make_context(site: Site, now: datetime) -> ssl.SSLContext:
    """The TLS settings for a site; `now` (aware) is held against the client certificate's dates.

    Raises InputError when a certificate file is missing, unreadable or no longer valid.
    """
    for name, path in (("clientCert", site.certificate), ("clientCertKey", site.key), ("clientCertCA", site.authority)):
        if path is not None:
            _check_readable(f"cert.{name}", path)
    try:
        context = ssl.create_default_context(cafile=str(site.authority) if site.authority else None)
    except (ssl.SSLError, OSError):
        raise InputError(f"`cert.clientCertCA`: `{site.authority}` holds no certificate", EXPORT_HELP) from None
    # Certificates that Qlik Sense issues to itself lack extensions that strict checking demands.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not site.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if site.certificate is not None:
        _check_dates(site.certificate, now)
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


def tls_error(text: str, site: Site) -> RemoteError:
    """The error for a failed handshake, from OpenSSL's words."""
    where = f"{site.host}:{site.port}"
    lower = text.lower()
    if "hostname mismatch" in lower or "not valid for" in lower or "doesn't match" in lower:
        help_ = "put the name that the certificate was issued for into `configQRS.host`"
        return RemoteError(f"the certificate of {where} is for another host name", help_)
    if "certificate has expired" in lower:
        return RemoteError(f"the certificate of {where} has expired", "renew it in Qlik Sense")
    if (
        "self-signed" in lower
        or "self signed" in lower
        or "unable to get local issuer" in lower
        or "unable to get issuer" in lower
    ):
        help_ = "name the site's root.pem under `cert.clientCertCA`; it comes with the certificate export of the QMC"
        return RemoteError(f"the certificate of {where} was not issued by the authority we trust", help_)
    if "certificate_verify_failed" in lower or "certificate verify failed" in lower:
        return RemoteError(f"the certificate of {where} cannot be trusted", "compare it with the site's root.pem")
    if (
        "wrong_version_number" in lower
        or "wrong version number" in lower
        or "unknown protocol" in lower
        or "record layer failure" in lower
    ):
        help_ = "QRS listens on 4242 by default; is `configQRS.port` right, and should `useSSL` be false?"
        return RemoteError(f"{where} does not speak TLS", help_)
    if "alert certificate expired" in lower:
        return RemoteError(f"{where} refused our client certificate: it has expired", EXPORT_HELP)
    if "alert" in lower:
        return RemoteError(f"{where} refused our client certificate", EXPORT_HELP)
    return RemoteError(f"TLS to {where} failed", "is this the port of QRS (4242)?")
