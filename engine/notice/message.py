"""One message: what it says, to whom, as mail and as the JSON of a webhook."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from seatwarden.engine.common.text import for_header
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.notice.facts import NoticeFacts
from seatwarden.engine.notice.recipient import Recipient
from seatwarden.engine.notice.templates import NoticeTemplates
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.engine.site.notifications import MailServer

_ID = re.compile(r"[A-Za-z0-9]+(?:[.\-_][A-Za-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class NoticeMessage:
    """A message that can be sent.

    `id` is the same in every attempt, so that a receiver knows one that came twice. It goes to `to`, which is the
    recipient's address unless it is `redirected`: then nobody was told, not even whoever tries it on themselves.
    """

    id: str
    facts: NoticeFacts
    recipient: Recipient
    to: Address
    subject: str
    text: str
    html: str | None
    redirected: bool = False


def compose(
    settings: NoticeSettings, templates: NoticeTemplates, facts: NoticeFacts, recipient: Recipient, id: str
) -> NoticeMessage:
    """The message with this id: letters and digits of ASCII, with dots or dashes in between; ValueError for others."""
    if not _ID.fullmatch(id):
        raise ValueError(f"{id[:80]!r} is no id of a message")
    words = templates.words(facts, recipient.kind, recipient.language)
    to, subject = recipient.address, words.subject
    if settings.redirect_to is not None:  # who tries messages out on themselves sees whose each is
        to, subject = settings.redirect_to, f"[for {to.addr_spec}] {subject}"
    return NoticeMessage(id, facts, recipient, to, subject, words.text, words.html, settings.redirect_to is not None)


def mail_of(server: MailServer, message: NoticeMessage, now: datetime) -> EmailMessage:
    """The message as mail, with all headers; `now` (aware) is its date."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = server.sender
    mail["To"] = message.to
    mail["Subject"] = for_header(message.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.id}@{server.sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers by machines
    mail["X-Auto-Response-Suppress"] = "All"  # the same for Exchange
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
        # The boundary would be random: the same message is the same bytes.
        mail.set_boundary(f"=_{message.id}"[:70])
    mail["Content-Language"] = message.recipient.language  # making it of two parts would have dropped this
    return mail


def json_of(message: NoticeMessage, now: datetime) -> bytes:
    """The message as a webhook gets it; `now` (aware) is its moment."""
    facts = message.facts
    content = {
        "id": message.id,
        "event": "reminder" if facts.reminder else "notice",
        "site": facts.site,
        "at": format_instant(now),
        "to": message.to.addr_spec,
        "recipient": message.recipient.kind,
        "redirected": message.redirected,
        "language": message.recipient.language,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "data": {
            "user": facts.user,
            "userName": facts.name,
            "licenseType": facts.license_type,
            "lastUsed": facts.last_used.isoformat() if facts.last_used else None,
            "daysUnused": facts.days_unused,
            "told": facts.told.isoformat(),
            "announced": facts.announced.isoformat(),
            "rule": facts.rule,
        },
    }
    return json.dumps(content).encode()
