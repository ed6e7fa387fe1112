"""Why a notification was not delivered: errors of sockets, TLS, HTTP and SMTP libraries in an administrator's words.

Libraries put whole addresses into their messages, and those may hold secrets. So errors are told apart by their
types alone; none of their text is passed on.
"""

import http.client
import smtplib
import socket
import ssl
from collections.abc import Iterator

from seatwarden.grammar.errors import SeatwardenError

NAME_HELP = "use the name that the certificate was issued for"
AUTHORITY_HELP = "name the PEM file of the authority that issued it under `certificateAuthority`"
_UNKNOWN_ISSUER = (2, 18, 19, 20, 21)
"""OpenSSL's X509_V_ERR_ codes for a chain that does not end in an authority that is trusted."""
_OTHER_NAME = (62, 64)
_EXPIRED = 10


class NotDelivered(SeatwardenError):
    """A destination did not take the notification, or not for all. Neither message nor help holds a secret."""


def why(error: BaseException) -> NotDelivered:
    """The error that lies at the bottom of what a library raised, told as what the destination did."""
    errors = list(_chain(error))
    for told in (_tls, _connection):
        for cause in reversed(errors):
            found = told(cause)
            if found is not None:
                return found
    return NotDelivered(f"sending failed ({type(errors[-1]).__name__})")


def _tls(error: BaseException) -> NotDelivered | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_NAME:
            return NotDelivered("its certificate is for another host name", NAME_HELP)
        if error.verify_code == _EXPIRED:
            return NotDelivered("its certificate has expired", "have it renewed; is this machine's clock right?")
        if error.verify_code in _UNKNOWN_ISSUER:
            return NotDelivered("its certificate was not issued by an authority we trust", AUTHORITY_HELP)
        return NotDelivered(f"its certificate cannot be trusted: {error.verify_message}", AUTHORITY_HELP)
    if isinstance(error, ssl.SSLError):
        if error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"):
            return NotDelivered("it does not speak TLS there", "check the port, and http or https, tls or starttls")
        return NotDelivered("TLS failed", "does it speak TLS 1.2 or newer?")
    return None


def _connection(error: BaseException) -> NotDelivered | None:
    match error:
        case socket.gaierror():
            return NotDelivered("there is no host of that name", "check its spelling and this machine's DNS")
        case TimeoutError():
            return NotDelivered("it does not answer", "is a firewall in between?")
        case ConnectionRefusedError():
            return NotDelivered("nothing listens there", "check host and port; is the server running?")
        case ConnectionError() | smtplib.SMTPServerDisconnected() | http.client.HTTPException():
            return NotDelivered("it closed the connection before it had answered", "look into that server's log")
        case OSError(errno=int()):
            return NotDelivered(f"it cannot be reached ({error.strerror})", "check the network of this machine")
        case _:
            return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those it was made from, outermost first; libraries keep them in several places."""
    todo, seen = [error], set[int]()
    while todo:
        current = todo.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        parts = (*current.args, getattr(current, "reason", None), current.__cause__, current.__context__)
        todo += [part for part in parts if isinstance(part, BaseException)]
