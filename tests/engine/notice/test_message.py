"""One message as mail and as JSON: whatever people are called, it has these headers and one recipient."""

import email
import json
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.notice.message import NoticeMessage, compose, json_of, mail_of
from seatwarden.engine.notice.recipient import Recipient
from seatwarden.engine.notice.templates import load_templates
from seatwarden.engine.site.notice import NoticeSettings
from tests.engine.notice.people import ANNA, HOSTILE, NOW, SENDER, SERVER, SETTINGS, facts, message

HEADERS = sorted(
    [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Content-Language",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "MIME-Version",
        "Content-Type",
    ]
)
_TEMPLATES = load_templates(SETTINGS)
_ENCODED = st.builds(
    "{}=?{}?{}?{}?={}".format,
    st.text(max_size=5),
    st.sampled_from(["utf-8", "latin-1", "utf-16"]),
    st.sampled_from("qQbB"),
    st.sampled_from(["=0aBcc:_x@y.example", "DQpCY2M6IHhAeS5leGFtcGxl", "=0d=0a=0d=0ahi", "=00"]),
    st.text(max_size=5),
)
"""Encoded words (RFC 2047) with line breaks in them."""
ME = Address("", "me", "example.com")


def parsed(one: NoticeMessage) -> EmailMessage:
    """The message as a receiver reads its bytes."""
    return email.message_from_bytes(mail_of(SERVER, one, NOW).as_bytes(), policy=SMTP)


def test_the_mail() -> None:
    mail = parsed(message())
    assert sorted(mail.keys()) == HEADERS
    assert mail["From"] == "Qlik Sense <qlik@example.com>"
    assert mail["To"] == "anna@example.com"
    assert mail["Subject"] == "Your Analyzer license for Qlik Sense will be given to others on 10 December 2026"
    assert mail["Date"].datetime == NOW
    assert mail["Message-ID"] == "<notice-1@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    plain, html = (part.get_content() for part in mail.iter_parts())
    assert plain.replace("\r\n", "\n") == message().text
    assert html.replace("\r\n", "\n").rstrip() == message().html


def test_the_same_message_is_the_same_bytes() -> None:
    assert mail_of(SERVER, message(), NOW).as_bytes() == mail_of(SERVER, message(), NOW).as_bytes()


def test_redirected_it_says_whose_it_is() -> None:
    one = message(NoticeSettings(server=SERVER, redirect_to=ME))
    assert one.redirected
    mail = parsed(one)
    assert mail["To"] == "me@example.com"
    assert mail["Subject"].startswith("[for anna@example.com] Your Analyzer license")
    assert not message().redirected
    assert message(NoticeSettings(server=SERVER, redirect_to=ME), to=ME).redirected, "it never counts"


@given(
    st.sampled_from(HOSTILE) | st.text(st.characters(codec=None)) | _ENCODED,
    st.sampled_from(["own", "manager", "fallback"]),
    st.sampled_from(["en", "de", "fr", "sv"]),
    st.booleans(),
)
def test_nothing_is_injected(name: str, kind: str, language: str, reminder: bool) -> None:
    told = facts(name=name, user=f"{name}\\{name}", rule=name, site=name, reminder=reminder)
    recipient = Recipient(ANNA, kind, language)  # type: ignore[arg-type]
    one = compose(SETTINGS, _TEMPLATES, told, recipient, "notice-1")
    raw = mail_of(SERVER, one, NOW).as_bytes()
    mail = parsed(one)
    assert sorted(mail.keys()) == HEADERS
    assert [address.addr_spec for address in mail["To"].addresses] == ["anna@example.com"]
    assert all("\n" not in value and "\r" not in value for _, value in mail.items())
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert not any(line.lower().startswith(b"bcc:") for line in raw.split(b"\r\n\r\n")[0].splitlines())
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    posted = json.loads(json_of(one, NOW))
    assert (posted["id"], posted["to"]) == ("notice-1", "anna@example.com")


def test_the_json() -> None:
    assert {**json.loads(json_of(message(), NOW)), "html": None, "text": None} == {
        "id": "notice-1",
        "event": "notice",
        "site": "qlik.example.com",
        "at": "2026-11-26T02:00:00.000Z",
        "to": "anna@example.com",
        "recipient": "own",
        "redirected": False,
        "language": "en",
        "subject": "Your Analyzer license for Qlik Sense will be given to others on 10 December 2026",
        "text": None,
        "html": None,
        "data": {
            "user": "CORP\\anna",
            "userName": "Anna Berg",
            "licenseType": "analyzer",
            "lastUsed": "2026-10-12",
            "daysUnused": 45,
            "told": "2026-11-26",
            "announced": "2026-12-10",
            "rule": "unused",
        },
    }
    assert json.loads(json_of(message(reminder=True), NOW))["event"] == "reminder"


@pytest.mark.parametrize("id", ["", "a@b", "a b", "a\n", "<a>", "a..b", "ü"])
def test_an_id_is_one(id: str) -> None:
    with pytest.raises(ValueError, match="is no id"):
        message(id=id)


def test_letters_beyond_ascii_in_an_address() -> None:
    mail = mail_of(SERVER, message(to=Address("", "jörg", "example.com")), NOW)
    assert mail["To"].addresses[0].addr_spec == "jörg@example.com"
    assert mail["From"].addresses[0].addr_spec == SENDER.addr_spec
