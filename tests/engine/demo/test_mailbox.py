"""The demo's mail server: what smtplib sends is what it keeps."""

import smtplib
import socket
from email.message import EmailMessage
from email.policy import SMTP

from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.demo.mailbox import Mailbox

_LINES = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), max_size=40), max_size=6)
"""Also lines that are a dot, or begin with one."""


def _mail(text: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["To"], mail["Subject"] = "anna@example.com", "Your license, Åsa"
    mail.set_content(text, cte="8bit")
    return mail


@given(_LINES, st.sampled_from(["", ".", "..", ".\n.", "x\n.\n"]))
def test_a_message_arrives_as_it_was_sent(lines: list[str], more: str) -> None:
    text = "\n".join([*lines, more]) + "\n"
    with Mailbox() as mailbox, smtplib.SMTP("127.0.0.1", mailbox.port, "localhost") as connection:
        for _ in range(2):
            connection.sendmail("qlik@example.com", ["anna@example.com"], _mail(text).as_bytes(policy=SMTP))
        connection.rset()
    assert [(one["To"], one["Subject"]) for one in mailbox.messages] == [("anna@example.com", "Your license, Åsa")] * 2
    assert [one.get_content().replace("\r\n", "\n") for one in mailbox.messages] == [text] * 2


def test_one_who_goes_away_leaves_it_to_the_next() -> None:
    with Mailbox() as mailbox:
        with socket.create_connection(("127.0.0.1", mailbox.port)) as rude:
            rude.sendall(b"DATA\r\nhalf a mess")
        with socket.create_connection(("127.0.0.1", mailbox.port)):
            pass
        with smtplib.SMTP("127.0.0.1", mailbox.port, "localhost") as polite:
            assert polite.docmd("VRFY anna")[0] == 502
            polite.send_message(_mail("hello\n"))
    assert len(mailbox.messages) == 1
