"""Sending to real servers: accepted is only what was taken, and what nobody knows is told as that."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.headerregistry import Address
from typing import Any

import pytest

from seatwarden.engine.notice import deliver as module
from seatwarden.engine.notice.deliver import MAX_SILENCES, Courier, deliver
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notify.errors import NotDelivered
from seatwarden.engine.notify.webhook import sign
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.engine.site.notifications import WebhookTarget
from tests.engine.notice.people import ANNA, NOW, SERVER, message
from tests.engine.notify.conftest import waits
from tests.engine.notify.servers import mail_server, receiver
from tests.ports import dead_port

__all__ = ["waits"]

PASSWORD = "s3cret-pass"
SECRET = "signing"
BERT = Address("", "bert", "example.com")

# A server that takes passwords without TLS is what we guard against; aiosmtpd warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")


def by_mail(port: int, **changed: Any) -> NoticeSettings:
    return NoticeSettings(server=replace(SERVER, port=port, **changed))


def sent(settings: NoticeSettings, **changed: Any) -> MessageOutcome:
    return deliver(settings, message(settings, **changed), NOW)


# Mail ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_tls_and_log_in(certificates: CertificateFiles, security: str) -> None:
    login = (b"user", PASSWORD.encode())
    # From the start, aiosmtpd takes TLS for none.
    there: dict[str, Any] = {security: certificates, "login_needs_tls": security == "starttls"}
    with mail_server(**there, login=login) as box:
        settings = by_mail(box.port, security=security, authority=certificates.root, user="user", password=PASSWORD)
        outcome = sent(settings)
    assert outcome == MessageOutcome("accepted", "250 OK")
    assert (box.encrypted, box.logins) == ([True], [login])
    [mail], [envelope] = box.messages, box.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("qlik@example.com", ["anna@example.com"])
    assert mail["Message-ID"] == "<notice-1@example.com>"


def test_one_connection_for_many(certificates: CertificateFiles) -> None:
    login = (b"user", PASSWORD.encode())
    with mail_server(starttls=certificates, login=login, refuse=("bert@example.com",)) as box:
        settings = by_mail(box.port, security="starttls", authority=certificates.root, user="user", password=PASSWORD)
        with Courier(settings) as courier:
            courier.reach()
            outcomes = [
                courier.deliver(message(settings, to=to, id=f"m{n}"), NOW) for n, to in enumerate([ANNA, BERT, ANNA])
            ]
    assert [outcome.result for outcome in outcomes] == ["accepted", "refused", "accepted"]
    assert outcomes[1].reply.startswith("it refused the recipient: 550 5.1.1 no such mailbox")
    assert len(box.logins) == 1
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [["anna@example.com"], ["anna@example.com"]]


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ({"refuse": ("anna@example.com",)}, "it refused the recipient: 550 5.1.1 no such mailbox"),
        ({"refuse_sender": True}, "it refused the sender: 550 5.7.60 Client does not have permissions"),
        ({"refuse_data": f"552 too large, {PASSWORD}"}, "552 too large, …"),
        ({"refuse_data": "451 4.7.1 greylisted, try again"}, "451 4.7.1 greylisted"),
    ],
)
def test_the_server_says_no(server: dict[str, Any], said: str) -> None:
    login: dict[str, Any] = {"login": (b"user", PASSWORD.encode()), "login_needs_tls": False}
    with mail_server(**login, **server) as box:
        outcome = sent(by_mail(box.port, user="user", password=PASSWORD))
    assert outcome.result == "refused"
    assert outcome.reply.startswith(said)
    assert PASSWORD not in outcome.reply
    assert outcome.reply.isprintable()
    assert box.messages == []


def test_letters_beyond_ascii() -> None:
    to = Address("", "jörg", "example.com")
    with mail_server() as box:
        assert sent(by_mail(box.port), to=to).result == "accepted"
    assert box.envelopes[0].rcpt_tos == ["jörg@example.com"]
    with mail_server(utf8=False) as box:
        outcome = sent(by_mail(box.port), to=to)
    assert outcome.result == "refused"
    assert "SMTPUTF8" in outcome.reply


@pytest.mark.parametrize("wrong", ["password", "starttls", "nobody"])
def test_where_nothing_can_be_sent_nobody_is_tried(wrong: str) -> None:
    with mail_server(login=(b"user", b"other"), login_needs_tls=False) as box:
        port = dead_port() if wrong == "nobody" else box.port
        settings = by_mail(port, user="user", password=PASSWORD, security="starttls" if wrong == "starttls" else "none")
        with Courier(settings) as courier:
            with pytest.raises(NotDelivered) as raised:
                courier.reach()
            assert courier.trouble is raised.value
            outcomes = [courier.deliver(message(settings), NOW) for _ in range(3)]
    assert {outcome.result for outcome in outcomes} == {"no-answer"}
    assert all(outcome.reply == f"not tried: {raised.value.message}" for outcome in outcomes)
    assert box.messages == []
    assert len(box.logins) == (2 if wrong == "password" else 0), "each way to log in once"


# Servers that end the connection: a script of what they answer, by word and number of the connection


Script = Callable[[int, str], str | None]


@contextmanager
def scripted(answers: Script) -> Iterator[tuple[int, list[str]]]:
    """An SMTP server that answers each command by a script, and ends the connection where that says None.

    The end of a message is the command `.`; what was said is in the list, of each connection.
    """
    heard: list[str] = []

    def serve(connection: socket.socket, number: int) -> None:
        with connection, connection.makefile("rwb") as stream:
            stream.write(b"220 here\r\n")
            stream.flush()
            in_message = False
            for line in stream:
                word = line.decode().strip()
                if in_message and word != ".":
                    continue
                name = word.split(" ")[0].upper()
                heard.append(f"{number} {name}")
                answer = answers(number, name)
                if answer is None:
                    return
                in_message = name == "DATA" and answer.startswith("354")
                stream.write(answer.encode() + b"\r\n")
                stream.flush()
                if name == "QUIT":
                    return

    def accept(listening: socket.socket) -> None:
        number = 0
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            number += 1
            serve(connection, number)

    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=accept, args=(listening,), daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def _usual(name: str) -> str:
    return {"DATA": "354 go on", ".": "250 2.0.0 queued as 1", "QUIT": "221 bye"}.get(name, "250 fine")


def test_cut_after_the_message_nobody_knows() -> None:
    with scripted(lambda number, name: None if name == "." else _usual(name)) as (port, heard):
        outcome = sent(by_mail(port))
    assert outcome == MessageOutcome(
        "no-answer", "it closed the connection before it had answered; it may have arrived"
    )
    assert heard.count("1 .") == 1
    assert not any(word.startswith("2 ") for word in heard), "it is not sent twice"


def test_silent_after_the_message_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_ANSWER_SECONDS", 0.3)
    hold = threading.Event()

    def answers(number: int, name: str) -> str | None:
        if name == ".":
            hold.wait(10)
            return None
        return _usual(name)

    with scripted(answers) as (port, _):
        outcome = sent(by_mail(port))
        hold.set()
    assert outcome.result == "no-answer"
    assert outcome.reply.endswith("; it may have arrived")


@pytest.mark.parametrize("code", ["251 will forward", "220 hm", "354 more"])
def test_only_250_is_accepted(code: str) -> None:
    with scripted(lambda number, name: code if name == "." else _usual(name)) as (port, _):
        assert sent(by_mail(port)) == MessageOutcome("refused", code)


@pytest.mark.parametrize("ends", [None, "421 4.4.2 too long idle"])
@pytest.mark.parametrize("at", ["MAIL", "RCPT"])
def test_a_connection_that_ended_meanwhile_is_made_anew(ends: str | None, at: str) -> None:
    def answers(number: int, name: str) -> str | None:
        seen.append(name)
        if number == 1 and name == at and seen.count(at) == 2:
            return ends
        return _usual(name)

    seen: list[str] = []
    with scripted(answers) as (port, heard):
        settings = by_mail(port)
        with Courier(settings) as courier:
            outcomes = [courier.deliver(message(settings, id=f"m{n}"), NOW) for n in range(2)]
    assert [outcome.result for outcome in outcomes] == ["accepted", "accepted"]
    assert [word for word in heard if word.endswith(" .")] == ["1 .", "2 ."]


def test_a_server_that_ends_every_connection_gets_no_more() -> None:
    with scripted(lambda number, name: None if name == "MAIL" else _usual(name)) as (port, heard):
        settings = by_mail(port)
        with Courier(settings) as courier:
            outcomes = [courier.deliver(message(settings), NOW) for _ in range(MAX_SILENCES + 2)]
            assert courier.trouble is not None
    assert {outcome.result for outcome in outcomes} == {"no-answer"}
    assert "not tried" in outcomes[-1].reply
    assert sum(word.endswith(" MAIL") for word in heard) == MAX_SILENCES


def test_a_server_that_goes_after_a_refusal() -> None:
    """The next message connects anew."""

    def answers(number: int, name: str) -> str | None:
        if number == 1 and name in ("RCPT", "RSET"):
            return "550 no such mailbox" if name == "RCPT" else None
        return _usual(name)

    with scripted(answers) as (port, _):
        settings = by_mail(port)
        with Courier(settings) as courier:
            one, two = (courier.deliver(message(settings, id=f"m{n}"), NOW) for n in range(2))
    assert (one.result, two.result) == ("refused", "accepted")


def test_a_server_that_has_gone_for_good() -> None:
    """A connection that was good for one message, and none that is after it."""
    seen: list[str] = []

    def answers(number: int, name: str) -> str | None:
        seen.append(name)
        return None if name == "MAIL" and seen.count("MAIL") > 1 else _usual(name)

    with scripted(answers) as (port, heard):
        settings = by_mail(port)
        with Courier(settings) as courier:
            one, two = (courier.deliver(message(settings, id=f"m{n}"), NOW) for n in range(2))
    assert (one.result, two.result) == ("accepted", "no-answer")
    assert two.reply == "it closed the connection before it had answered"
    assert [word for word in heard if word.endswith(" .")] == ["1 ."]


def test_without_a_way_nothing_is_sent() -> None:
    outcome = deliver(NoticeSettings(), message(), NOW)
    assert outcome == MessageOutcome("no-answer", "the site file names no way to send")


def test_421_to_data_is_a_refusal_and_the_next_connects_anew() -> None:
    def answers(number: int, name: str) -> str | None:
        return "421 4.3.2 shutting down" if number == 1 and name == "DATA" else _usual(name)

    with scripted(answers) as (port, _):
        settings = by_mail(port)
        with Courier(settings) as courier:
            one, two = (courier.deliver(message(settings, id=f"m{n}"), NOW) for n in range(2))
    assert (one.result, two.result) == ("refused", "accepted")


# Webhooks ------------------------------------------------------------------------------------------------


def by_webhook(port: int, secret: str = SECRET) -> NoticeSettings:
    return NoticeSettings("webhook", webhook=WebhookTarget("webhook", f"http://127.0.0.1:{port}/secretPath", secret))


def test_a_webhook_is_signed() -> None:
    with receiver(204) as state:
        assert sent(by_webhook(state.port)) == MessageOutcome("accepted", "it answered 204")
    [(headers, body)] = state.requests
    assert headers["X-Seatwarden-Id"] == "notice-1"
    assert headers["X-Seatwarden-Signature"] == sign(SECRET, headers["X-Seatwarden-Timestamp"], body)
    assert re.search(rb'"id": "notice-1"', body)


@pytest.mark.parametrize(
    ("answer", "result"),
    [(404, "refused"), (503, "refused"), (429, "refused"), ("redirect", "refused"), (502, "no-answer"),
     (504, "no-answer"), ("reset", "no-answer")],
)  # fmt: skip
def test_a_webhook_that_does_not_take_it(waits: list[float], answer: Any, result: str) -> None:
    with receiver(answer) as state:
        outcome = sent(by_webhook(state.port))
    assert outcome.result == result
    assert "secretPath" not in outcome.reply


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_id(waits: list[float]) -> None:
    with receiver("reset", 200) as state:
        assert sent(by_webhook(state.port)).result == "accepted"
    assert [headers["X-Seatwarden-Id"] for headers, _ in state.requests] == ["notice-1", "notice-1"]


def test_a_webhook_that_is_silent_gets_no_more(waits: list[float]) -> None:
    settings = by_webhook(dead_port())
    with Courier(settings) as courier:
        courier.reach()
        outcomes = [courier.deliver(message(settings), NOW) for _ in range(MAX_SILENCES + 1)]
    assert outcomes[-1].reply.startswith("not tried: it gave no answer to 3 messages in a row")
