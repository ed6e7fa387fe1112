"""E-mail, sent to a real SMTP server."""

import socket
import threading
from datetime import UTC, datetime
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from seatwarden.engine.notify.email import message_of, send
from seatwarden.engine.notify.errors import NotDelivered
from seatwarden.engine.notify.events import Event, releases_done, run_failed
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.site.notifications import Email
from tests.engine.notify.conftest import NOW, SITE
from tests.engine.notify.servers import mail_server
from tests.engine.notify.test_events import HOSTILE
from tests.ports import dead_port

SENDER = Address("Seat Warden", "seatwarden", "example.com")
TEAM = Address("Qlik Betrieb Zürich \U0001f600", "qlik", "example.com")
BOARD = Address("", "board", "example.com")
PASSWORD = "s3cret-pass"
HEADERS = sorted(
    [
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "MIME-Version",
        "Content-Type",
        "Content-Transfer-Encoding",
    ]
)

# A server that takes passwords without TLS is what we guard against; aiosmtpd warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


def mail(port: int, **settings: Any) -> Email:
    given: dict[str, Any] = {"security": "none", "sender": SENDER, "recipients": (TEAM, BOARD), **settings}
    return Email("e-mail 1", "localhost", port, **given)


def text_of(message: EmailMessage) -> str:
    return str(message.get_content()).replace("\r\n", "\n")


def test_the_message(event: Event) -> None:
    with mail_server() as box:
        send(mail(box.port), event, NOW)
    [message], [envelope] = box.messages, box.envelopes
    assert envelope.mail_from == "seatwarden@example.com"
    assert envelope.rcpt_tos == ["qlik@example.com", "board@example.com"]
    assert message["Subject"].strip() == f"[seatwarden] {event.subject}"
    assert message["From"] == "Seat Warden <seatwarden@example.com>"
    assert message["To"].addresses[0].display_name == "Qlik Betrieb Zürich \U0001f600"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == f"<{event.id}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "text/plain"
    assert text_of(message).startswith("\n".join(event.lines) + "\n")
    assert "anna" not in text_of(message)


def test_the_same_event_is_the_same_message(event: Event) -> None:
    one = mail(25)
    assert bytes(message_of(one, event, NOW)) == bytes(message_of(one, event, NOW))


def test_people_where_asked(event: Event) -> None:
    with mail_server() as box:
        send(mail(box.port, people=True), event, NOW)
    assert "\nCORP\\jörg (professional)\n" in text_of(box.messages[0])
    assert box.messages[0]["Message-ID"] == f"<{event.id}.people@example.com>"


def test_hostile_text_is_text() -> None:
    people = [(f"{HOSTILE}{n}", "analyzer") for n in range(10_000)]
    events = [run_failed(HOSTILE, NOW, HOSTILE, HOSTILE), releases_done(SITE, NOW, HOSTILE, {}, people)]  # type: ignore[arg-type]
    with mail_server() as box:
        for event in events:
            send(mail(box.port, people=True), event, NOW)
    for raw, message, envelope in zip(box.raw, box.messages, box.envelopes, strict=True):
        assert envelope.rcpt_tos == ["qlik@example.com", "board@example.com"]
        assert sorted(message.keys()) == HEADERS
        assert len(raw) < 20_000
        assert all(len(line) <= 998 for line in raw.split(b"\r\n"))  # RFC 5322, 2.1.1
        assert "\u202e" not in text_of(message)
        assert not any(line.startswith("Bcc:") for line in text_of(message).splitlines())
    assert "and 9,950 more" in text_of(box.messages[1])


def test_an_encoded_line_feed_is_no_line_feed() -> None:
    """Python's `email` decodes what it is given as a header."""
    hidden = "=?utf-8?q?=0aBcc:_evil@example.org?="
    message = message_from_bytes(bytes(message_of(mail(25), run_failed(hidden, NOW, hidden, hidden), NOW)), policy=SMTP)
    assert sorted(message.keys()) == HEADERS


# the way there ---------------------------------------------------------------------------------------------


def test_starttls_and_log_in(event: Event, certificates: CertificateFiles) -> None:
    login = (b"user", PASSWORD.encode())
    with mail_server(starttls=certificates, login=login) as box:
        send(
            mail(box.port, security="starttls", authority=certificates.root, user="user", password=PASSWORD), event, NOW
        )
    assert box.encrypted == [True]
    assert box.logins == [login]


def test_tls_from_the_start(event: Event, certificates: CertificateFiles) -> None:
    with mail_server(tls=certificates) as box:
        send(mail(box.port, security="tls", authority=certificates.root), event, NOW)
    assert box.encrypted == [True]


def test_no_starttls_is_no_mail(event: Event) -> None:
    """Even where the server would take the password."""
    with mail_server(login=(b"user", PASSWORD.encode()), login_needs_tls=False) as box:
        with pytest.raises(NotDelivered, match="does not offer STARTTLS, so nothing was sent"):
            send(mail(box.port, security="starttls", user="user", password=PASSWORD), event, NOW)
        assert box.logins == []
        assert box.messages == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_foreign_certificate_gets_nothing(event: Event, certificates: CertificateFiles, security: str) -> None:
    server: dict[str, Any] = {security: certificates}
    with mail_server(**server, login=(b"user", PASSWORD.encode())) as box:
        with pytest.raises(NotDelivered, match="not issued by an authority we trust") as raised:
            send(mail(box.port, security=security, user="user", password=PASSWORD), event, NOW)
        assert box.logins == []
    assert raised.value.help is not None
    assert "certificateAuthority" in raised.value.help


def test_another_host_name(event: Event, certificates: CertificateFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(starttls=certificates) as box:
        there = Email("e", "127.0.0.2", box.port, "starttls", SENDER, recipients=(TEAM,), authority=certificates.root)
        real = socket.create_connection
        monkeypatch.setattr("socket.create_connection", lambda address, *rest: real(("127.0.0.1", address[1]), *rest))
        with pytest.raises(NotDelivered, match="for another host name"):
            send(there, event, NOW)


def test_a_server_that_speaks_another_protocol(event: Event, certificates: CertificateFiles) -> None:
    with mail_server() as box, pytest.raises(NotDelivered, match="does not speak TLS"):
        send(mail(box.port, security="tls", authority=certificates.root), event, NOW)


# refusals --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "settings", "reason"),
    [
        ({"refuse": ("board@example.com",)}, {}, "it refused 1 of 2 recipients (board@example.com: 550 5.1.1 no such"),
        ({"refuse": ("board@example.com", "qlik@example.com")}, {}, "it refused 2 of 2 recipients ("),
        ({"refuse_sender": True}, {}, "it refused the sender seatwarden@example.com: 550 5.7.60 Client does not"),
        ({"refuse_data": "552 too large, s3cret-pass"}, {}, "it refused: 552 too large"),
        ({"login": (b"user", b"other"), "login_needs_tls": False}, {}, "it refused user and password (535)"),
        ({"utf8": False}, {"recipients": (Address("", "jörg", "example.com"),)}, "it takes no addresses with letters"),
    ],
)
def test_the_server_says_no(event: Event, server: dict[str, Any], settings: dict[str, Any], reason: str) -> None:
    login: dict[str, Any] = {"login": (b"user", PASSWORD.encode()), "login_needs_tls": False}
    with mail_server(**(login | server)) as box, pytest.raises(NotDelivered) as raised:
        send(mail(box.port, user="user", password=PASSWORD, **settings), event, NOW)
    assert raised.value.message.startswith(reason)
    said = f"{raised.value.message} {raised.value.help} {raised.value!r}"
    assert PASSWORD not in said
    assert "\u202e" not in said


def test_some_are_served_when_one_is_refused(event: Event) -> None:
    with mail_server(refuse=("board@example.com",)) as box:
        with pytest.raises(NotDelivered):
            send(mail(box.port), event, NOW)
        assert box.envelopes[0].rcpt_tos == ["qlik@example.com"]


def test_a_server_without_log_in(event: Event) -> None:
    with mail_server() as box, pytest.raises(NotDelivered, match="offers no way to log in"):
        send(mail(box.port, user="user", password=PASSWORD), event, NOW)


def test_letters_beyond_ascii_in_addresses(event: Event) -> None:
    with mail_server() as box:
        send(mail(box.port, recipients=(Address("Jörg", "jörg", "example.com"),)), event, NOW)
    assert box.envelopes[0].rcpt_tos == ["jörg@example.com"]


def test_nobody_and_silence(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwarden.engine.notify.smtp.TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NotDelivered, match="it does not answer"):
        send(mail(silent.getsockname()[1]), event, NOW)
    with pytest.raises(NotDelivered, match="nothing listens there"):
        send(mail(dead_port()), event, NOW)


def test_a_connection_that_ends(event: Event) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: server.accept()[0].close())
        thread.start()
        with pytest.raises(NotDelivered, match="closed the connection"):
            send(mail(server.getsockname()[1]), event, NOW)
        thread.join()


def test_the_date_is_the_moment_of_sending(event: Event) -> None:
    later = datetime(2026, 11, 22, tzinfo=UTC)
    assert message_of(mail(25), event, later)["Date"].datetime == later
