"""Certificates that end soon, ours and the server's: told before they do, since after that nothing works."""

import ssl
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509

from seatwarden.engine.common.text import plural
from seatwarden.engine.qrs.client_files import client_certificate
from seatwarden.engine.site.connection import Site

SOON = timedelta(days=30)
"""The time before its end in which a certificate is warned of."""


def ends_soon(certificate: x509.Certificate, now: datetime) -> str | None:
    """When a certificate ends that ends soon, in words."""
    left = certificate.not_valid_after_utc - now
    return (
        f"in {plural(max(left.days, 0), 'day')}, on {certificate.not_valid_after_utc.date()}" if left < SOON else None
    )


def client_warnings(site: Site, now: datetime) -> list[str]:
    """A warning when our certificate ends soon. Raises InputError when its files cannot be used."""
    if site.certificate is None or not site.use_tls:
        return []
    soon = ends_soon(client_certificate(site), now)
    help_ = "export a new one in the QMC before that"
    return [f"the client certificate `{site.certificate}` ends {soon}: {help_}"] if soon else []


def server_warnings(site: Site, presented: set[bytes], now: datetime) -> list[str]:
    """A warning for each certificate that the server has presented and that ends soon."""
    found = (ends_soon(x509.load_der_x509_certificate(der), now) for der in sorted(presented))
    where = f"{site.host}:{site.port}"
    return [f"the certificate of {where} ends {soon}: renew it in Qlik Sense before that" for soon in found if soon]


def note_presented(context: ssl.SSLContext, presented: set[bytes]) -> None:
    """Makes the context note, in DER, what servers present to it: libraries do not hand it out."""

    class Noting(ssl.SSLSocket):
        def do_handshake(self, *args: Any, **kwargs: Any) -> None:
            super().do_handshake(*args, **kwargs)
            der = self.getpeercert(binary_form=True)
            if der:
                presented.add(der)

    context.sslsocket_class = Noting
