"""Certificates that end soon, ours and the server's: told before they do, since after that nothing works."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cryptography import x509

from seatwarden.engine.common.text import plural
from seatwarden.engine.qrs.client_files import client_certificate
from seatwarden.engine.site.connection import Site

SOON = timedelta(days=30)
"""The time before its end in which a certificate is warned of."""


@dataclass(frozen=True, slots=True)
class EndingCertificate:
    """A certificate and its end: whose it is in words, its last day, the days until then, and what to do."""

    name: str
    last_day: date
    days: int
    to_do: str

    def describe(self) -> str:
        """In words: `the client certificate `client.pem` ends in 5 days, on 2026-11-26: export a new one …`."""
        when = f"ends in {plural(self.days, 'day')}" if self.days >= 0 else "has ended"
        return f"{self.name} {when}, on {self.last_day}: {self.to_do}"


def ends_soon(certificate: x509.Certificate, now: datetime) -> str | None:
    """When a certificate ends that ends soon, in words."""
    left = certificate.not_valid_after_utc - now
    return (
        f"in {plural(max(left.days, 0), 'day')}, on {certificate.not_valid_after_utc.date()}" if left < SOON else None
    )


def our_ending(site: Site, now: datetime) -> list[EndingCertificate]:
    """Those of our files that end soon. Raises InputError when the client's files cannot be used."""
    return _soon(our_certificates(site, now))


def our_certificates(site: Site, now: datetime) -> list[EndingCertificate]:
    """Those in our files: the client's, and the authorities we trust.

    Raises InputError when the client's files cannot be used.
    """
    if not site.use_tls:
        return []
    found = []
    if site.certificate is not None:
        name = f"the client certificate `{site.certificate}`"
        found += _ends([client_certificate(site)], name, "export a new one in the QMC before that", now)
    name = f"the authority in `{site.authority}`"
    return found + _ends(authorities(site), name, "export root.pem anew, once the site has a new one", now)


def server_ending(site: Site, presented: set[bytes], now: datetime) -> list[EndingCertificate]:
    """Those that the server has presented and that end soon."""
    certificates = [x509.load_der_x509_certificate(der) for der in sorted(presented)]
    name = f"the certificate of {site.host}:{site.port}"
    return _soon(_ends(certificates, name, "renew it in Qlik Sense before that", now))


def authorities(site: Site) -> list[x509.Certificate]:
    """The certificates of the authorities that a site file names; none where the file cannot be used, as TLS says."""
    if site.authority is None or not site.verify:
        return []
    try:
        return x509.load_pem_x509_certificates(site.authority.read_bytes())
    except (ValueError, OSError):
        return []


def _ends(certificates: Iterable[x509.Certificate], name: str, to_do: str, now: datetime) -> list[EndingCertificate]:
    ends = [certificate.not_valid_after_utc for certificate in certificates]
    return [EndingCertificate(name, end.date(), (end - now).days, to_do) for end in ends]


def _soon(certificates: Iterable[EndingCertificate]) -> list[EndingCertificate]:
    """Those with less than 30 days left; `days` are whole ones, so that is less than 30 of them."""
    return [certificate for certificate in certificates if certificate.days < SOON.days]


def note_presented(context: ssl.SSLContext, presented: set[bytes]) -> None:
    """Makes the context note, in DER, what servers present to it: libraries do not hand it out."""

    class Noting(ssl.SSLSocket):
        def do_handshake(self, *args: Any, **kwargs: Any) -> None:
            super().do_handshake(*args, **kwargs)
            der = self.getpeercert(binary_form=True)
            if der:
                presented.add(der)

    context.sslsocket_class = Noting
