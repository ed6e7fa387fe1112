"""TLS to QRS: the client certificate, and the authority that is trusted."""

import ssl
from datetime import datetime

from cryptography import x509

from seatwarden.engine.common.network import trust_in
from seatwarden.engine.qrs.client_files import EXPORT_HELP, check_readable, client_certificate, show_certificate
from seatwarden.engine.site.connection import Site
from seatwarden.policy.errors import InputError


def make_context(site: Site, now: datetime) -> ssl.SSLContext:
    """The TLS settings for a site; `now` (aware) is held against the client certificate's dates.

    Raises InputError when a certificate file is missing, unreadable or no longer valid.
    """
    if site.certificate is not None:
        _check_dates(site, client_certificate(site), now)
    return context_of(site)


def context_of(site: Site) -> ssl.SSLContext:
    """The TLS settings for a site, whatever the client certificate's dates. Raises InputError."""
    if site.authority is not None:
        check_readable("clientCertCA", site.authority)
    try:
        context = trust_in(site.authority)
    except OSError:
        raise InputError(f"`cert.clientCertCA`: `{site.authority}` holds no certificate", EXPORT_HELP) from None
    if not site.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    show_certificate(site, context)
    return context


def _check_dates(site: Site, certificate: x509.Certificate, now: datetime) -> None:
    if now > certificate.not_valid_after_utc:
        day = certificate.not_valid_after_utc.date().isoformat()
        raise InputError(f"the client certificate `{site.certificate}` expired on {day}", EXPORT_HELP)
    if now < certificate.not_valid_before_utc:
        day = certificate.not_valid_before_utc.date().isoformat()
        raise InputError(
            f"the client certificate `{site.certificate}` is valid only from {day}", "check this machine's clock"
        )
