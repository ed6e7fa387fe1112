"""A failed connection to QRS, in an administrator's words."""

from collections.abc import Mapping

from seatwarden.engine.common.network import ConnectionFault, fault_of
from seatwarden.engine.errors import NoAnswer, RemoteError
from seatwarden.engine.qrs.tls import EXPORT_HELP
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
    ConnectionFault.UNKNOWN_ISSUER: (
        "the certificate of {where} was not issued by the authority we trust",
        "name the site's root.pem under `cert.clientCertCA`; it comes with the certificate export of the QMC",
    ),
    ConnectionFault.UNTRUSTED: ("the certificate of {where} cannot be trusted", "compare it with the site's root.pem"),
    ConnectionFault.NO_TLS: (
        "{where} does not speak TLS",
        "QRS listens on 4242 by default; is `configQRS.port` right, and should `useSSL` be false?",
    ),
    ConnectionFault.CLIENT_REFUSED: ("{where} refused our client certificate", EXPORT_HELP),
    ConnectionFault.CLIENT_EXPIRED: ("{where} refused our client certificate: it has expired", EXPORT_HELP),
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
        ConnectionFault.UNKNOWN_ISSUER,
        ConnectionFault.UNTRUSTED,
        ConnectionFault.NO_TLS,
        ConnectionFault.CLIENT_REFUSED,
        ConnectionFault.CLIENT_EXPIRED,
    }
)
"""The faults after which QRS has certainly not acted; of all others that is not known.

A bad address is none of them: it may be the one that an answer redirects to, which requests looks at.
"""


def unreachable(error: Exception, site: Site) -> RemoteError:
    """The error for what a library raised; NoAnswer where QRS may have received the request."""
    fault, cause = fault_of(error)
    if fault in _SAID:
        reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else type(cause).__name__
        return in_words(fault, site, reason)
    where = f"{site.host}:{site.port}"
    if fault is ConnectionFault.CLOSED:
        help_ = "it may have refused our client certificate; " if site.use_tls else ""
        return NoAnswer(f"{where} closed the connection before it had answered", f"{help_}try again")
    return NoAnswer(f"{where} cannot be reached: {type(error).__name__}")


def in_words(fault: ConnectionFault, site: Site, reason: str = "") -> RemoteError:
    """The error for a fault whose words need nothing else."""
    message, help_ = _SAID[fault]
    kind = RemoteError if fault in _NOTHING_SENT else NoAnswer
    return kind(message.format(host=site.host, where=f"{site.host}:{site.port}", reason=reason), help_)
