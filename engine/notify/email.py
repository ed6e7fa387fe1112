"""E-mail: plain text by SMTP, never a password and, where TLS is asked for, never a message without it."""

import smtplib
from contextlib import closing, suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from seatwarden.engine.common.text import for_header, plural
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.notify import smtp
from seatwarden.engine.notify.errors import NotDelivered
from seatwarden.engine.notify.events import Event
from seatwarden.engine.site.notifications import Email
from seatwarden.engine.version import VERSION


def message_of(email: Email, event: Event, now: datetime) -> EmailMessage:
    """The message with all headers; `now` is its date."""
    message = EmailMessage(policy=SMTP)
    message["From"] = email.sender
    message["To"] = email.recipients
    message["Subject"] = for_header(f"[seatwarden] {event.subject}")
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
    if event.page and email.people:
        message.add_attachment(event.page, maintype="text", subtype="html", filename="report.html")
    return message


def send(email: Email, event: Event, now: datetime) -> None:
    """Sends an event as a message. Raises NotDelivered, also when the server refused some recipients."""
    message = message_of(email, event, now)
    try:
        with closing(smtp.connect(email)) as server:
            refused = server.send_message(
                message, email.sender.addr_spec, [recipient.addr_spec for recipient in email.recipients]
            )
            with suppress(OSError, smtplib.SMTPException):  # it has the message; what comes then does not matter
                server.quit()
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise smtp.trouble(email, error) from None
    if refused:
        replies = [f"{address}: {smtp.reply_of(email, *reply)}" for address, reply in refused.items()]
        many = f"{len(refused)} of {plural(len(email.recipients), 'recipient')}"
        raise NotDelivered(f"it refused {many} ({'; '.join(replies)})", "check the addresses under `to`")
