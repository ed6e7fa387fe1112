"""The reasons why a notification was not delivered, in an administrator's words."""

from collections.abc import Mapping

from seatwarden.engine.common.network import ConnectionFault, fault_of
from seatwarden.grammar.errors import SeatwardenError

_AUTHORITY_HELP = "name the PEM file of the authority that issued it under `certificateAuthority`"
_NO_HOST = ("there is no host of that name", "check its spelling and this machine's DNS")
_NO_ANSWER = ("it does not answer", "is a firewall in between?")
_TLS_FAILED = ("TLS failed", "does it speak TLS 1.2 or newer?")

_SAID: Mapping[ConnectionFault, tuple[str, str]] = {
    ConnectionFault.BAD_ADDRESS: _NO_HOST,
    ConnectionFault.NO_SUCH_HOST: _NO_HOST,
    ConnectionFault.NOTHING_LISTENS: ("nothing listens there", "check host and port; is the server running?"),
    ConnectionFault.CONNECT_TIMED_OUT: _NO_ANSWER,
    ConnectionFault.ANSWER_TIMED_OUT: _NO_ANSWER,
    ConnectionFault.NO_CONNECTION: ("it cannot be reached ({reason})", "check the network of this machine"),
    ConnectionFault.CLOSED: ("it closed the connection before it had answered", "look into that server's log"),
    ConnectionFault.OTHER_NAME: (
        "its certificate is for another host name",
        "use the name that the certificate was issued for",
    ),
    ConnectionFault.EXPIRED: ("its certificate has expired", "have it renewed; is this machine's clock right?"),
    ConnectionFault.NOT_YET_VALID: ("its certificate is not valid yet", "is this machine's clock right?"),
    ConnectionFault.WRONG_PURPOSE: ("its certificate is not one for a server", "have one issued for servers"),
    ConnectionFault.UNKNOWN_ISSUER: ("its certificate was not issued by an authority we trust", _AUTHORITY_HELP),
    ConnectionFault.UNTRUSTED: ("its certificate cannot be trusted: {reason}", _AUTHORITY_HELP),
    ConnectionFault.NO_TLS: ("it does not speak TLS there", "check the port, and http or https, tls or starttls"),
    ConnectionFault.CLIENT_REFUSED: ("it refused our certificate", "does it ask for one, and know this one?"),
    ConnectionFault.CLIENT_EXPIRED: ("it refused our certificate: it has expired", "have it renewed"),
    ConnectionFault.TLS_FAILED: _TLS_FAILED,
    ConnectionFault.PROXY_NOT_THERE: ("the proxy cannot be reached", "check `proxy`; `noProxy` names what needs none"),
    ConnectionFault.PROXY_REFUSED: ("the proxy did not let us through", "check `proxy`, with its user and password"),
}


class NotDelivered(SeatwardenError):
    """A destination did not take the notification, or not for all. Neither message nor help holds a secret.

    `answered`: it said so itself, and has not taken it. Otherwise it may have, and the answer was lost.
    """

    def __init__(self, message: str, help: str | None = None, *, answered: bool = False) -> None:
        super().__init__(message, help)
        self.answered = answered


def why(error: BaseException) -> NotDelivered:
    """The error for what a library raised, told as what the destination did."""
    fault, cause = fault_of(error)
    reason = getattr(cause, "verify_message", None) or (cause.strerror if isinstance(cause, OSError) else None)
    if fault is ConnectionFault.UNREACHABLE and reason:
        fault = ConnectionFault.NO_CONNECTION
    if fault not in _SAID:
        return NotDelivered(f"sending failed ({type(cause).__name__})")
    message, help_ = _SAID[fault]
    return NotDelivered(message.format(reason=reason or type(cause).__name__), help_)
