"""A failed connection to QRS, in an administrator's words."""

from collections.abc import Mapping

from seatwarden.engine.common.network import ConnectionFault, fault_of
from seatwarden.engine.errors import NoAnswer, RemoteError
from seatwarden.engine.qrs.client_files import EXPORT_HELP
from seatwarden.engine.qrs.presented import why_refused
from seatwarden.engine.site.connection import Site

_NOT_MADE = ("the request to {where} could not be made", "check `host`, `headers` and `jwt` under `configQRS`")

_SAID: Mapping[ConnectionFault, tuple[str, str]] = {
    ConnectionFault.BAD_ADDRESS: _NOT_MADE,
    ConnectionFault.NOT_SENDABLE: _NOT_MADE,
    ConnectionFault.NO_SUCH_HOST: ("there is no host `{host}`", "check `configQRS.host` and this machine's DNS"),
    ConnectionFault.NOTHING_LISTENS: (
        "nothing listens on {where}",
        "is the Repository Service running, and is `configQRS.port` right (4242 by default)?",
    ),
    ConnectionFault.CONNECT_TIMED_OUT: ("{where} does not answer", "is a firewall in between?"),
    ConnectionFault.NO_CONNECTION: ("{where} cannot be reached: {reason}", "check the network of this machine"),
    ConnectionFault.ANSWER_TIMED_OUT: (
        "{where} stopped answering",
        "try again; look into the Repository Service's log",
    ),
    ConnectionFault.OTHER_NAME: (
        "the certificate of {where} is for another host name",
        "put the name that the certificate was issued for into `configQRS.host`",
    ),
    ConnectionFault.EXPIRED: ("the certificate of {where} has expired", "renew it in Qlik Sense"),
    ConnectionFault.NOT_YET_VALID: ("the certificate of {where} is not valid yet", "check this machine's clock"),
    ConnectionFault.WRONG_PURPOSE: (
        "the certificate of {where} is not one for a server",
        "have the service present one that was issued for server authentication",
    ),
    ConnectionFault.UNKNOWN_ISSUER: (
        "the certificate of {where} was not issued by the authority we trust",
        "name the site's root.pem under `cert.clientCertCA`; it comes with the certificate export of the QMC",
    ),
    ConnectionFault.UNTRUSTED: (
        "the certificate of {where} cannot be trusted: {reason}",
        "compare it with the site's root.pem",
    ),
    ConnectionFault.NO_TLS: (
        "{where} does not speak TLS",
        "QRS listens on 4242 by default; is `configQRS.port` right, and should `useSSL` be false?",
    ),
    ConnectionFault.CLIENT_REFUSED: ("{where} refused our client certificate", EXPORT_HELP),
    ConnectionFault.CLIENT_EXPIRED: ("{where} refused our client certificate: it has expired", EXPORT_HELP),
    ConnectionFault.PROXY_NOT_THERE: ("the proxy on the way to {where} cannot be reached", "check `configQRS.proxy`"),
    ConnectionFault.PROXY_REFUSED: (
        "the proxy on the way to {where} did not let us through",
        "check `configQRS.proxy`, with its user and password",
    ),
    ConnectionFault.TLS_FAILED: ("TLS to {where} failed", "is this the port of QRS (4242)?"),
}

_NOTHING_SENT = frozenset(
    {
        ConnectionFault.NO_SUCH_HOST,
        ConnectionFault.NOTHING_LISTENS,
        ConnectionFault.CONNECT_TIMED_OUT,
        ConnectionFault.NO_CONNECTION,
        ConnectionFault.OTHER_NAME,
        ConnectionFault.EXPIRED,
        ConnectionFault.NOT_YET_VALID,
        ConnectionFault.WRONG_PURPOSE,
        ConnectionFault.UNKNOWN_ISSUER,
        ConnectionFault.UNTRUSTED,
        ConnectionFault.NO_TLS,
        ConnectionFault.CLIENT_REFUSED,
        ConnectionFault.CLIENT_EXPIRED,
        ConnectionFault.PROXY_NOT_THERE,
        ConnectionFault.PROXY_REFUSED,
    }
)
"""The faults after which QRS has certainly not acted; of all others that is not known.

A bad address is none of them: it may be the one that an answer redirects to, which requests looks at.
"""


def unreachable(error: Exception, site: Site) -> RemoteError:
    """The error for what a library raised; NoAnswer where QRS may have received the request."""
    fault, cause = fault_of(error)
    refused = why_refused(fault, cause, site)
    if refused is not None:
        return RemoteError(*refused)
    if fault in _SAID:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
        return in_words(fault, site, getattr(cause, "verify_message", None) or reason)
    where = f"{site.host}:{site.port}"
    if fault is ConnectionFault.CLOSED:
        return NoAnswer(f"{where} closed the connection before it had answered", _closed_help(site))
    return NoAnswer(f"{where} cannot be reached: {type(error).__name__}")


def _closed_help(site: Site) -> str:
    if not site.use_tls:
        return "try again"
    if site.certificate is None:
        return f"it may want a client certificate, and the site file names none: {_none_help(site)}"
    return "it may have refused our client certificate; try again"


def _none_help(site: Site) -> str:
    if site.authentication == "certificates":
        return EXPORT_HELP
    return f"`authentication: {site.authentication}` is for a proxy, whose port is 443 by default; 4242 is that of QRS"


def in_words(fault: ConnectionFault, site: Site, reason: str = "") -> RemoteError:
    """The error for a fault whose words need nothing else."""
    message, help_ = _SAID[fault]
    if fault in (ConnectionFault.CLIENT_REFUSED, ConnectionFault.CLIENT_EXPIRED) and site.certificate is None:
        message, help_ = "{where} wants a client certificate, and the site file names none", _none_help(site)
    kind = RemoteError if fault in _NOTHING_SENT else NoAnswer
    return kind(message.format(host=site.host, where=f"{site.host}:{site.port}", reason=reason), help_)
