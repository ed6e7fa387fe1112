"""A license that is to be released, and those who are told."""

from datetime import UTC, date, datetime
from email.headerregistry import Address
from typing import Any

from seatwarden.engine.notice.facts import NoticeFacts
from seatwarden.engine.notice.message import NoticeMessage, compose
from seatwarden.engine.notice.recipient import Recipient, RecipientKind
from seatwarden.engine.notice.templates import load_templates
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.engine.site.notifications import MailServer

NOW = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)
SENDER = Address("Qlik Sense", "qlik", "example.com")
ANNA = Address("", "anna", "example.com")
SERVER = MailServer("e-mail (localhost:25)", "localhost", 25, "none", SENDER)
SETTINGS = NoticeSettings(server=SERVER, contact="IT service desk, 4711", hub="https://qlik.example.com/hub")

HOSTILE = (
    "Anna\r\nBcc: evil@example.org",
    "Anna\n\nhello",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% for x in range(9) %}",
    "\u202egpj.exe",
    "a\0b\x1b[31m",
    "\ud800\udfff\ud83d",
    "=?utf-8?q?=0aBcc:_evil@example.org?=",
    "x" * 65_536,
    "</style></head>",
    "\u2028\u2029\x85\x0b\x0c\x1c",
)


def facts(**changed: Any) -> NoticeFacts:
    """Anna's license, unused for 45 days."""
    given: dict[str, Any] = {
        "user": "CORP\\anna",
        "name": "Anna Berg",
        "license_type": "analyzer",
        "last_used": date(2026, 10, 12),
        "days_unused": 45,
        "told": date(2026, 11, 26),
        "announced": date(2026, 12, 10),
        "site": "qlik.example.com",
        "rule": "unused",
    }
    return NoticeFacts(**(given | changed))


def message(
    settings: NoticeSettings = SETTINGS,
    *,
    to: Address = ANNA,
    kind: RecipientKind = "own",
    language: str = "en",
    id: str = "notice-1",
    **changed: Any,
) -> NoticeMessage:
    """A message about it."""
    return compose(settings, load_templates(settings), facts(**changed), Recipient(to, kind, language), id)
