"""The certificate that a server presents, when it is not trusted: what is wrong with it, in people's words."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from seatwarden.engine.common.network import ConnectionFault
from seatwarden.engine.common.text import printable
from seatwarden.engine.qrs.tls import context_of
from seatwarden.engine.site.connection import Site
from seatwarden.policy.errors import InputError

_SECONDS = 10
_NAMES = 4
"""The most names that a message lists."""

_ROOT_UNKNOWN = 19
"""OpenSSL's X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN."""

_ROOT_HELP = "name the site's root.pem under `cert.clientCertCA`; it comes with the certificate export of the QMC"
_CLOCK_HELP = "check this machine's clock"
_UNKNOWN = "the certificate of {where} was not issued by the authority we trust"
_PROXY_HELP = (
    "through a proxy the certificate is the proxy's own, not one of the QMC export: name its authority there, "
    "or leave `clientCertCA` out to trust those of this machine"
)


@dataclass(frozen=True, slots=True)
class Presented:
    """What is known of a certificate that was refused: it, by whom it was to be issued, and OpenSSL's code."""

    site: Site
    certificate: x509.Certificate
    authorities: Sequence[x509.Certificate]
    code: int

    @property
    def where(self) -> str:
        """The server, as messages name it."""
        return f"{self.site.host}:{self.site.port}"

    @property
    def issuers(self) -> list[x509.Certificate]:
        """The trusted authorities that have its issuer's name."""
        return [one for one in self.authorities if one.subject == self.certificate.issuer]


def why_refused(fault: ConnectionFault, error: BaseException, site: Site) -> tuple[str, str] | None:
    """What is wrong with the certificate, and what to do; None for another fault, or where it cannot be had.

    Python does not hand out a certificate that it refused: the server is asked for it once more, and sent nothing.
    """
    if fault not in _SAID or site.proxy.for_url(site.url):
        return None
    certificate = _presented_by(site)
    if certificate is None:
        return None
    seen = Presented(site, certificate, _authorities(site), getattr(error, "verify_code", 0))
    return _SAID[fault](seen)


def _presented_by(site: Site) -> x509.Certificate | None:
    try:
        context = context_of(replace(site, verify=False))
        with (
            socket.create_connection((site.host, site.port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=site.host) as secure,
        ):
            der = secure.getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(der) if der else None
    except (OSError, ValueError, InputError):  # the caller then says the same with less detail
        return None


def _authorities(site: Site) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(site.authority.read_bytes()) if site.authority else []
    except (OSError, ValueError):  # OpenSSL has read it, if not every certificate in it can be looked into
        return []


def _other_name(seen: Presented) -> tuple[str, str]:
    names = _names(seen.certificate)
    shown = _some(names) if names else "no host at all"
    help_ = "put the name that the certificate was issued for into `configQRS.host`"
    return f"the certificate of {seen.where} is for another host name: it is for {shown}", help_


def _expired(seen: Presented) -> tuple[str, str]:
    """What ends first has ended, if anything of it has."""
    first = min([seen.certificate, *seen.issuers], key=lambda one: one.not_valid_after_utc)
    day = first.not_valid_after_utc.date()
    return f"{_whose(seen, first)} has expired, on {day}", f"renew it in Qlik Sense; if it is valid, {_CLOCK_HELP}"


def _not_yet(seen: Presented) -> tuple[str, str]:
    last = max([seen.certificate, *seen.issuers], key=lambda one: one.not_valid_before_utc)
    day = last.not_valid_before_utc.date()
    return f"{_whose(seen, last)} is not valid yet, only from {day}", f"{_CLOCK_HELP}, and the server's"


def _whose(seen: Presented, one: x509.Certificate) -> str:
    if one is seen.certificate:
        return f"the certificate of {seen.where}"
    return f"the certificate of the authority `{_name(one.subject)}`, which issued that of {seen.where},"


def _purpose(seen: Presented) -> tuple[str, str]:
    try:
        usages = list(seen.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except (x509.ExtensionNotFound, ValueError):
        usages = []
    name = _name(seen.certificate.subject)
    if ExtendedKeyUsageOID.CLIENT_AUTH in usages and ExtendedKeyUsageOID.SERVER_AUTH not in usages:
        message = f"the certificate of {seen.where} is one for clients, not for a server: `{name}`"
    else:
        message = f"the certificate of {seen.where} is not one for a server: `{name}`"
    return (
        message,
        "have the service present one that was issued for server authentication",
    )


def _unknown_issuer(seen: Presented) -> tuple[str, str]:
    issuer, message = _name(seen.certificate.issuer), _UNKNOWN.format(where=seen.where)
    self_signed = seen.certificate.issuer == seen.certificate.subject
    how = f"it is self-signed, by `{issuer}`" if self_signed else f"it was issued by `{issuer}`"
    if seen.site.authority is None:
        return f"{message}: {how}", _ROOT_HELP
    file, there = printable(str(seen.site.authority)), _some([f"`{_name(one.subject)}`" for one in seen.authorities])
    if seen.authorities and not any(_is_authority(one) for one in seen.authorities):
        return f"{message}: {how}", f"`{file}` is not an authority's certificate, it is that of {there}; {_ROOT_HELP}"
    if any(_issued(seen.certificate, one) for one in seen.issuers):
        above = _name(seen.issuers[0].issuer)
        return f"{message}: {how}", f"`{file}` lacks the authority above that one: append the certificate of `{above}`"
    if seen.issuers:
        help_ = f"`{file}` has an authority of that name with another key, of another site or from an earlier install"
        return f"{message}: {how}", f"{help_}; export root.pem again"
    if self_signed:
        help_ = f"`{file}` has {there}; has Qlik Sense lost its certificate, or is this another service?"
    elif seen.code == _ROOT_UNKNOWN:
        help_ = f"the server sends its whole chain; `{file}` has {there}, not the root it ends in: name that one"
    else:
        help_ = f"`{file}` has {there}; append the certificate of `{issuer}` to it, and of those above that are missing"
    return f"{message}: {how}", f"{help_}; {_PROXY_HELP}"


_SAID: Mapping[ConnectionFault, Callable[[Presented], tuple[str, str]]] = {
    ConnectionFault.OTHER_NAME: _other_name,
    ConnectionFault.EXPIRED: _expired,
    ConnectionFault.NOT_YET_VALID: _not_yet,
    ConnectionFault.WRONG_PURPOSE: _purpose,
    ConnectionFault.UNKNOWN_ISSUER: _unknown_issuer,
}


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return certificate.issuer == certificate.subject


def _names(certificate: x509.Certificate) -> list[str]:
    """The hosts that a certificate is for. Without any, its common name, which no client goes by, says whose it is."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [
            *found.get_values_for_type(x509.DNSName),
            *map(str, found.get_values_for_type(x509.IPAddress)),
        ]
    except (x509.ExtensionNotFound, ValueError):
        names = []
    return names or [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]


def _name(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return printable(str(common[0].value) if common else name.rfc4514_string())[:100]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(printable(name)[:100] for name in names[:_NAMES])
    return f"{shown} and {len(names) - _NAMES} more" if len(names) > _NAMES else shown or "none"
