"""E-mail: plain text by SMTP, never a password and, where TLS is asked for, never a message without it."""

import smtplib
from contextlib import closing, suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from seatwarden.engine.common.text import one_line, plural
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.notify.errors import NotDelivered, why
from seatwarden.engine.notify.events import Event
from seatwarden.engine.notify.trust import make_context
from seatwarden.engine.site.notifications import Email
from seatwarden.engine.version import VERSION

TIMEOUT_SECONDS = 10
"""For each answer of the server."""
_REPLY = 200
"""Most characters of a server's reply that are shown."""


def message_of(email: Email, event: Event, now: datetime) -> EmailMessage:
    """The message with all headers; `now` is its date."""
    message = EmailMessage(policy=SMTP)
    message["From"] = email.sender
    message["To"] = email.recipients
    message["Subject"] = f"[seatwarden] {event.subject}"
    message["Date"] = format_datetime(now)
    # Who is named makes it another message: two lists with one reader must not swallow each other's.
    message["Message-ID"] = f"<{event.id}{'.people' if email.people else ''}@{email.sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers by machines
    message["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    text = [
        *event.lines_for(email.people),
        "",
        "-- ",
        f"seatwarden {VERSION}, {event.kind}, {format_instant(event.at)}",
    ]
    message.set_content("\n".join(text) + "\n")
    return message


def send(email: Email, event: Event, now: datetime) -> None:
    """Sends an event as a message. Raises NotDelivered, also when the server refused some recipients."""
    message = message_of(email, event, now)
    try:
        with closing(_connect(email)) as server:
            _log_in(email, server)
            refused = server.send_message(
                message, email.sender.addr_spec, [recipient.addr_spec for recipient in email.recipients]
            )
            with suppress(OSError, smtplib.SMTPException):  # it has the message; what comes then does not matter
                server.quit()
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except smtplib.SMTPSenderRefused as error:
        reason = f"it refused the sender {error.sender}: {_reply(email, error.smtp_code, error.smtp_error)}"
        raise NotDelivered(reason, "may this machine send from that address?") from None
    except smtplib.SMTPNotSupportedError:
        raise NotDelivered("it takes no addresses with letters outside of ASCII (SMTPUTF8)") from None
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"it refused: {_reply(email, error.smtp_code, error.smtp_error)}") from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise why(error) from None
    if refused:
        replies = [f"{address}: {_reply(email, *reply)}" for address, reply in refused.items()]
        many = f"{len(refused)} of {plural(len(email.recipients), 'recipient')}"
        raise NotDelivered(f"it refused {many} ({'; '.join(replies)})", "check the addresses under `to`")


def _connect(email: Email) -> smtplib.SMTP:
    context = make_context(email.authority)
    if email.security == "tls":
        return smtplib.SMTP_SSL(email.host, email.port, timeout=TIMEOUT_SECONDS, context=context)
    server = smtplib.SMTP(email.host, email.port, timeout=TIMEOUT_SECONDS)
    if email.security == "starttls":
        try:
            server.starttls(context=context)
        except smtplib.SMTPNotSupportedError:
            server.close()
            help_ = "check `port`; `security: tls` is for servers that speak TLS from the start"
            raise NotDelivered("it does not offer STARTTLS, so nothing was sent", help_) from None
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
    return server


def _log_in(email: Email, server: smtplib.SMTP) -> None:
    if email.user is None or email.password is None:
        return
    try:
        server.login(email.user, email.password)
    except smtplib.SMTPAuthenticationError as error:
        # The reply is not shown: it may repeat what it refused.
        raise NotDelivered(f"it refused user and password ({error.smtp_code})", "check `user` and `password`") from None
    except smtplib.SMTPServerDisconnected:
        raise
    except smtplib.SMTPException:
        raise NotDelivered("it offers no way to log in that we know", "leave `user` out, or check `port`") from None


def _reply(email: Email, code: int, text: bytes | str) -> str:
    """The server's reply on one line, without the password, should it repeat it."""
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    if email.password:
        said = said.replace(email.password, "…")
    return f"{code} {one_line(said, _REPLY)}"
