"""Connections over a network: TLS settings of our own, and their faults, whichever library tells of them."""

import http.client
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from pathlib import Path
from typing import Any

import requests
import truststore
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry
from urllib3.util.ssl_match_hostname import CertificateError


class TlsAdapter(HTTPAdapter):
    """HTTPS by requests with a context of our own: mounted on a session, all connections have it and these retries."""

    def __init__(self, context: ssl.SSLContext, retries: Retry, parallel: int = 1) -> None:
        self._context = context
        super().__init__(max_retries=retries, pool_maxsize=parallel)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Called by requests for its pool of connections."""
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Called by requests for each connection, to which it would add authorities that it brings along."""
        super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]
        conn.ca_certs = None

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Called by requests for its pool of connections through a proxy."""
        return super().proxy_manager_for(proxy, **kwargs, ssl_context=self._context)


def trust_in(authority: Path | None, verify: bool = True) -> ssl.SSLContext:
    """TLS that trusts the authority in a PEM file, or this machine's own; without `verify`, anybody.

    Raises OSError for a file that holds none.
    """
    if verify and authority is None:
        # Windows and macOS are asked themselves: the list they give OpenSSL lacks authorities that nobody needed yet.
        context: ssl.SSLContext = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        context = ssl.create_default_context(cafile=str(authority) if authority else None)
    if not verify:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    # Authorities that companies and Qlik Sense run for themselves often lack extensions that strict checking demands.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


class ConnectionFault(Enum):
    """The reason why a connection, or a request over it, came to nothing."""

    BAD_ADDRESS = auto()
    """No address at all: no name can look like that."""
    NO_SUCH_HOST = auto()
    NOTHING_LISTENS = auto()
    CONNECT_TIMED_OUT = auto()
    NO_CONNECTION = auto()
    """None was made for another reason, such as no route."""
    NOT_SENDABLE = auto()
    """A header that cannot be put into a request, or anything else that a library refuses to deal with."""
    ANSWER_TIMED_OUT = auto()
    """Also for libraries that do not tell whether there was a connection yet."""
    CLOSED = auto()
    """By the other side, before it had answered as the protocol asks."""
    OTHER_NAME = auto()
    """The certificate is for another host name."""
    EXPIRED = auto()
    NOT_YET_VALID = auto()
    WRONG_PURPOSE = auto()
    """The certificate is none for a server."""
    UNKNOWN_ISSUER = auto()
    UNTRUSTED = auto()
    """The certificate, for another reason."""
    NO_TLS = auto()
    """The other side does not speak TLS."""
    CLIENT_REFUSED = auto()
    """Our certificate, by the other side."""
    CLIENT_EXPIRED = auto()
    TLS_FAILED = auto()
    """In another way, at the handshake or later."""
    PROXY_NOT_THERE = auto()
    PROXY_REFUSED = auto()
    """The proxy did not let us through."""
    UNREACHABLE = auto()
    """All else."""


_CERTIFICATE = {
    2: ConnectionFault.UNKNOWN_ISSUER,
    7: ConnectionFault.UNKNOWN_ISSUER,
    9: ConnectionFault.NOT_YET_VALID,
    10: ConnectionFault.EXPIRED,
    26: ConnectionFault.WRONG_PURPOSE,
    62: ConnectionFault.OTHER_NAME,
    64: ConnectionFault.OTHER_NAME,
    0x800B0101: ConnectionFault.EXPIRED,
    0x800B0109: ConnectionFault.UNKNOWN_ISSUER,
    0x800B010A: ConnectionFault.UNKNOWN_ISSUER,
    0x800B010F: ConnectionFault.OTHER_NAME,
    0x800B0110: ConnectionFault.WRONG_PURPOSE,
} | dict.fromkeys(range(18, 22), ConnectionFault.UNKNOWN_ISSUER)
"""By OpenSSL's X509_V_ERR_ codes, and those of Windows, CERT_E_ in winerror.h. 2, 7 and 18 to 21 are chains that do not
end in an authority that is trusted."""

_TLS = dict.fromkeys(
    ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"), ConnectionFault.NO_TLS
) | {
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": ConnectionFault.CLIENT_EXPIRED,
    "TLSV1_ALERT_PROTOCOL_VERSION": ConnectionFault.TLS_FAILED,
}
"""By OpenSSL's reasons. Any other alert refuses our certificate: servers choose among a dozen of them for that."""

_STAGES: tuple[tuple[tuple[type[Exception], ...], Mapping[ConnectionFault, ConnectionFault]], ...] = (
    (
        (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError),
        {
            ConnectionFault.ANSWER_TIMED_OUT: ConnectionFault.CONNECT_TIMED_OUT,
            ConnectionFault.CLOSED: ConnectionFault.NO_CONNECTION,
            ConnectionFault.UNREACHABLE: ConnectionFault.NO_CONNECTION,
        },
    ),
    ((urllib3.exceptions.SSLError,), {ConnectionFault.UNREACHABLE: ConnectionFault.TLS_FAILED}),
)
"""The faults to put for others when urllib3 says at which stage they came: while connecting, while agreeing on TLS."""


def fault_of(error: BaseException) -> tuple[ConnectionFault, BaseException]:
    """The fault behind an error, and the error that tells it: the innermost that tells anything.

    For errors of requests, urllib3, http.client, smtplib, socket and ssl. They are told apart by type and code, never
    by their text, which is of no fixed form and may repeat addresses and headers.
    """
    errors = list(_chain(error))
    found = ((fault, cause) for cause in reversed(errors) if (fault := _fault(cause)) is not None)
    fault, cause = next(found, (ConnectionFault.UNREACHABLE, errors[-1]))
    for wrappers, at_this_stage in _STAGES:
        if any(isinstance(one, wrappers) for one in errors):
            fault = at_this_stage.get(fault, fault)
    if fault is not ConnectionFault.PROXY_REFUSED and any(
        isinstance(one, urllib3.exceptions.ProxyError) for one in errors
    ):
        fault = ConnectionFault.PROXY_NOT_THERE
    return fault, cause


def _fault(error: BaseException) -> ConnectionFault | None:
    """The fault that one error tells, without those it was made from; None when it tells none."""
    match error:
        case ssl.SSLError():
            return _tls_fault(error)
        case CertificateError():
            return ConnectionFault.OTHER_NAME
        case urllib3.exceptions.SSLError():
            return ConnectionFault.TLS_FAILED
        case socket.gaierror() | urllib3.exceptions.NameResolutionError():
            return ConnectionFault.NO_SUCH_HOST
        case TimeoutError() | urllib3.exceptions.TimeoutError() | requests.Timeout():
            return ConnectionFault.ANSWER_TIMED_OUT
        case ConnectionRefusedError():
            return ConnectionFault.NOTHING_LISTENS
        case requests.exceptions.InvalidURL() | http.client.InvalidURL() | urllib3.exceptions.LocationValueError():
            return ConnectionFault.BAD_ADDRESS
        case ConnectionError() | smtplib.SMTPServerDisconnected() | http.client.HTTPException():
            return ConnectionFault.CLOSED
        case urllib3.exceptions.ProxyError():  # where a connection to it failed, a part of this error tells that
            return ConnectionFault.PROXY_REFUSED
        case urllib3.exceptions.ProtocolError():
            return ConnectionFault.CLOSED
        case urllib3.exceptions.InvalidHeader():  # one of the answer, which requests passes on as one of ours
            return ConnectionFault.UNREACHABLE
        case UnicodeError() if getattr(error, "encoding", "idna") == "idna":  # before Python 3.13 it has none
            return ConnectionFault.BAD_ADDRESS
        case ValueError():
            return ConnectionFault.NOT_SENDABLE
        case OSError(errno=int()):
            return ConnectionFault.UNREACHABLE
        case _:
            return None


def _tls_fault(error: ssl.SSLError) -> ConnectionFault:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _CERTIFICATE.get(error.verify_code, ConnectionFault.UNTRUSTED)
    reason = _reason(error)
    if isinstance(error, ssl.SSLEOFError) and reason is None:  # after the handshake: there it has a reason
        return ConnectionFault.CLOSED
    return _TLS.get(
        reason or "", ConnectionFault.CLIENT_REFUSED if "_ALERT_" in (reason or "") else ConnectionFault.TLS_FAILED
    )


def _reason(error: ssl.SSLError) -> str | None:
    """OpenSSL's name of what happened.

    Python names the reasons that its own version of OpenSSL had when it was released. Of later ones there is nothing
    but OpenSSL's sentence, which is the name in lower case.
    """
    named: str | None = getattr(error, "reason", None)  # of one that a library raises itself there is none
    sentence = re.fullmatch(r"\[SSL\] (.+?)(?: \(_ssl\.c:\d+\))?", str(error.strerror))
    return named or (sentence[1].upper().replace(" ", "_") if sentence else None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those it was made from, outermost first; libraries keep them in several places."""
    todo, seen = [error], set[int]()
    while todo:
        current = todo.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        parts = [*current.args, getattr(current, "reason", None), current.__cause__]
        if isinstance(current, smtplib.SMTPException):
            # Only smtplib leaves the cause there. Elsewhere it may be what the caller was busy with: another failure.
            parts.append(current.__context__)
        todo += [part for part in parts if isinstance(part, BaseException)]
