"""The way to an SMTP server: connected, by TLS where that is asked for, and logged in; and its answers in words."""

import smtplib

from seatwarden.engine.common.text import one_line
from seatwarden.engine.notify.errors import NotDelivered, why
from seatwarden.engine.notify.trust import make_context
from seatwarden.engine.site.notifications import MailServer

TIMEOUT_SECONDS = 10
"""For each answer of the server."""
_REPLY = 200
"""Most characters of a server's reply that are shown."""


def connect(server: MailServer) -> smtplib.SMTP:
    """A connection to the server, logged in. Raises NotDelivered, OSError or SMTPException."""
    connection = _connected(server)
    try:
        _log_in(server, connection)
    except BaseException:
        connection.close()
        raise
    return connection


def trouble(server: MailServer, error: Exception) -> NotDelivered:
    """The error for what smtplib raised, told as what the server did."""
    match error:
        case smtplib.SMTPSenderRefused():
            reason = f"it refused the sender {error.sender}: {reply_of(server, error.smtp_code, error.smtp_error)}"
            return NotDelivered(reason, "may this machine send from that address?", answered=True)
        case smtplib.SMTPNotSupportedError():
            reason = "it takes no addresses with letters outside of ASCII (SMTPUTF8)"
            return NotDelivered(reason, answered=True)
        case smtplib.SMTPResponseException():
            return NotDelivered(f"it refused: {reply_of(server, error.smtp_code, error.smtp_error)}", answered=True)
    return why(error)


def reply_of(server: MailServer, code: int, text: bytes | str) -> str:
    """The server's reply on one line, without the password, should it repeat it."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if server.password:
        said = said.replace(server.password, "…")
    return f"{code} {one_line(said, _REPLY)}"


def _connected(server: MailServer) -> smtplib.SMTP:
    context = make_context(server.authority)
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    if server.security == "starttls":
        try:
            connection.starttls(context=context)
        except smtplib.SMTPNotSupportedError:
            connection.close()
            help_ = "check `port`; `security: tls` is for servers that speak TLS from the start"
            raise NotDelivered("it does not offer STARTTLS, so nothing was sent", help_) from None
        except (OSError, smtplib.SMTPException):
            connection.close()
            raise
    return connection


def _log_in(server: MailServer, connection: smtplib.SMTP) -> None:
    if server.user is None or server.password is None:
        return
    try:
        connection.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        # The reply is not shown: it may repeat what it refused.
        raise NotDelivered(f"it refused user and password ({error.smtp_code})", "check `user` and `password`") from None
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        raise NotDelivered("it offers no way to log in that we know", "leave `user` out, or check `port`") from None
