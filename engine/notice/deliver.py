"""Sending messages, and what came of each: accepted, refused, or no answer.

Accepted is only what the mail server took with 250 after the whole message, or the webhook answered with 2xx. Where the
connection ends or is silent after the message was sent, nobody knows: that is no answer, and never tried again here.
"""

import smtplib
from contextlib import suppress
from datetime import datetime
from email.policy import SMTP, SMTPUTF8
from typing import Self

from seatwarden.engine.notice.message import NoticeMessage, json_of, mail_of
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notify import http, smtp
from seatwarden.engine.notify.errors import NotDelivered, why
from seatwarden.engine.notify.webhook import signed_request
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.engine.site.notifications import MailServer, WebhookTarget

LAST_ANSWER_SECONDS = 60
"""For the answer to a whole message, which some servers look through before they give it."""
MAX_SILENCES = 3
"""After so many messages in a row without an answer no further one is tried: each may take minutes."""
_TAKEN = 250
_GOES_AWAY = 421


def deliver(settings: NoticeSettings, message: NoticeMessage, now: datetime) -> MessageOutcome:
    """Sends one message, dated and signed `now` (aware)."""
    with Courier(settings) as courier:
        return courier.deliver(message, now)


class Courier:
    """The way out for the messages of a run: one connection for many, a new one where that was cut."""

    def __init__(self, settings: NoticeSettings) -> None:
        self._settings = settings
        self._connection: smtplib.SMTP | None = None
        self._trouble: NotDelivered | None = None
        self._silences = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            with suppress(OSError, smtplib.SMTPException):  # it has the messages; what comes then does not matter
                self._connection.quit()
        self._drop()

    @property
    def trouble(self) -> NotDelivered | None:
        """Why no further message is tried; None while they are."""
        if self._trouble is None and self._silences >= MAX_SILENCES:
            return NotDelivered(f"it gave no answer to {MAX_SILENCES} messages in a row", "look into that server's log")
        return self._trouble

    def reach(self) -> None:
        """Connects and logs in ahead of the first message. Raises NotDelivered: nothing can be sent.

        A webhook shows only by its answer to a message whether it can be reached.
        """
        if self._settings.server is not None and self._settings.channel == "email":
            self._connected(self._settings.server)

    def deliver(self, message: NoticeMessage, now: datetime) -> MessageOutcome:
        """Sends a message, dated and signed `now` (aware)."""
        trouble = self.trouble
        if trouble is not None:
            return MessageOutcome("no-answer", f"not tried: {trouble.message}")
        try:
            outcome = self._send(message, now)
        except NotDelivered as error:
            outcome = MessageOutcome("refused" if error.answered else "no-answer", error.message)
        self._silences = self._silences + 1 if outcome.result == "no-answer" else 0
        return outcome

    def _send(self, message: NoticeMessage, now: datetime) -> MessageOutcome:
        """Raises NotDelivered where it was not taken."""
        settings = self._settings
        if settings.channel == "webhook" and settings.webhook is not None:
            return self._by_webhook(settings.webhook, message, now)
        if settings.channel == "email" and settings.server is not None:
            return self._by_mail(settings.server, message, now)
        raise NotDelivered("the site file names no way to send", "add `email` or `webhook` under `notice`")

    def _by_webhook(self, target: WebhookTarget, message: NoticeMessage, now: datetime) -> MessageOutcome:
        request = signed_request(target, message.id, json_of(message, now), now)
        return MessageOutcome("accepted", f"it answered {http.answered(request, self._settings.proxy)}")

    # Mail

    def _by_mail(self, server: MailServer, message: NoticeMessage, now: datetime) -> MessageOutcome:
        mail = mail_of(server, message, now)
        utf8 = not (message.to.addr_spec + server.sender.addr_spec).isascii()
        content = mail.as_bytes(policy=SMTPUTF8 if utf8 else SMTP)
        options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
        kept = self._connection is not None
        try:
            connection = self._begun(server, message, options)
        except smtplib.SMTPServerDisconnected as error:
            self._drop()
            if not kept:
                raise why(error) from None
            # The connection of the message before: servers end one after some time, or some messages.
            try:
                connection = self._begun(server, message, options)
            except smtplib.SMTPServerDisconnected as again:
                self._drop()
                raise why(again) from None
        return self._finished(server, connection, content)

    def _begun(self, server: MailServer, message: NoticeMessage, options: list[str]) -> smtplib.SMTP:
        """A connection that has sender and recipient. Raises NotDelivered for a refusal, SMTPServerDisconnected."""
        connection = self._connected(server)
        try:
            connection.ehlo_or_helo_if_needed()
            self._check(server, connection.mail(server.sender.addr_spec, options), "the sender")
            self._check(server, connection.rcpt(message.to.addr_spec), "the recipient")
        except smtplib.SMTPServerDisconnected:
            raise
        except (OSError, ValueError, smtplib.SMTPException) as error:
            self._forget(connection)
            raise smtp.trouble(server, error) from None
        return connection

    def _check(self, server: MailServer, answer: tuple[int, bytes], what: str) -> None:
        """Raises NotDelivered for a refusal, SMTPServerDisconnected where the server says that it goes away."""
        code, said = answer
        if code in (_TAKEN, 251):
            return
        if code == _GOES_AWAY:
            raise smtplib.SMTPServerDisconnected(smtp.reply_of(server, code, said))
        if self._connection is not None:
            self._forget(self._connection)
        raise NotDelivered(f"it refused {what}: {smtp.reply_of(server, code, said)}", answered=True)

    def _finished(self, server: MailServer, connection: smtplib.SMTP, content: bytes) -> MessageOutcome:
        try:
            if connection.sock is not None:
                connection.sock.settimeout(LAST_ANSWER_SECONDS)
            code, said = connection.data(content)
            if connection.sock is not None:
                connection.sock.settimeout(smtp.TIMEOUT_SECONDS)
        except smtplib.SMTPDataError as error:  # to DATA itself: it has nothing of the message
            code, said = error.smtp_code, error.smtp_error if isinstance(error.smtp_error, bytes) else b""
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return MessageOutcome("no-answer", f"{why(error).message}; it may have arrived")
        reply = smtp.reply_of(server, code, said)
        if code == _GOES_AWAY:
            self._drop()
        elif code != _TAKEN:
            self._forget(connection)
        return MessageOutcome("accepted" if code == _TAKEN else "refused", reply)

    def _connected(self, server: MailServer) -> smtplib.SMTP:
        """The connection, made if there is none. Raises NotDelivered, and then for every further message too."""
        if self._connection is None:
            try:
                self._connection = smtp.connect(server)
            except NotDelivered as error:
                self._trouble = error
                raise
            except (OSError, smtplib.SMTPException, ValueError) as error:
                self._trouble = smtp.trouble(server, error)
                # Nobody was refused: the next run tries all of them again.
                self._trouble.answered = False
                raise self._trouble from None
        return self._connection

    def _forget(self, connection: smtplib.SMTP) -> None:
        """Lets the server forget a message that it refused; a connection on which it does not is dropped."""
        try:
            connection.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
