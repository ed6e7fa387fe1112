"""Sending what is due: before each message its intent is on the disk, and after it what became of it.

A message that was intended and not answered keeps its id: whoever gets it twice gets the same message twice.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.notice.assess import NoticeSite
from seatwarden.engine.notice.lines import (
    AnswerLine,
    AnswerPart,
    EndCause,
    EndedLine,
    EndedPart,
    IntentLine,
    MessagePart,
    MessageResult,
    NoticeStep,
    SeenLine,
)
from seatwarden.engine.notice.messages_due import DueMessage, text_of
from seatwarden.engine.notice.notices import GivenNotice
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notice.register import NoticeRegister
from seatwarden.engine.site.notice import NoticeChannel

MESSAGE_ID_LETTERS = 40


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way: what is due, where it goes, and its id."""

    due: DueMessage
    to: str
    id: str
    redirected: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was sent, or that was to be, and what became of it."""

    due: DueMessage
    result: MessageResult
    reply: str


@dataclass(frozen=True, slots=True)
class Sender:
    """What messages are sent by: `deliver` sends one and tells what became of it, whatever that is."""

    channel: NoticeChannel
    redirect_to: Address | None
    deliver: Callable[[Outgoing], MessageOutcome]


def message_id(site: str, register: str, notice: int, step: NoticeStep, address: str) -> str:
    """The id of a message, the same in every attempt: without what stands behind its `@`."""
    said = "\n".join(("seatwarden notice", site, register, str(notice), step, address))
    return hashlib.sha256(said.encode()).hexdigest()[:MESSAGE_ID_LETTERS]


@dataclass(slots=True)
class Dispatch:
    """The messages of one run. Every line is for the run's day; `clock` tells the moment of each."""

    register: NoticeRegister
    source: str
    policy: str
    site: NoticeSite
    clock: Callable[[], datetime]
    sent: list[Sent] = field(default_factory=list)

    def seen(self, run: int) -> None:
        """Enters that the program was alive on this day. Raises OSError."""
        if self.site.day.today not in self.register.notices.seen[-1:]:
            self.register.add(SeenLine(run=run, day=self._day, at=self._at))

    def end(self, ended: Iterable[tuple[GivenNotice, EndCause, str]]) -> None:
        """Enters that notices have ended. Raises OSError."""
        for notice, cause, fact in ended:
            part = EndedPart(salt=self.register.salt(), fact=fact)
            self.register.add(EndedLine(notice=notice.number, cause=cause, day=self._day, at=self._at, person=part))

    def send(self, due: DueMessage, sender: Sender) -> Sent:
        """Sends one message: intent, message, outcome. Raises OSError when the register cannot be written, or was
        written by somebody else; then nothing is sent."""
        redirected = sender.redirect_to is not None
        outgoing, line = self._intent(due, sender)
        n = self.register.add(line)
        self.register.check()
        outcome = sender.deliver(outgoing)
        result: MessageResult = "redirected" if redirected and outcome.result == "accepted" else outcome.result
        part = AnswerPart(salt=self.register.salt(), reply=outcome.reply)
        self.register.add(AnswerLine(intent=n, result=result, day=self._day, at=self._at, person=part))
        sent = Sent(due, result, outcome.reply)
        self.sent.append(sent)
        return sent

    def _intent(self, due: DueMessage, sender: Sender) -> tuple[Outgoing, IntentLine]:
        redirected = sender.redirect_to is not None
        trial = self.register.notices.trial(due.decision.key, due.decision.user) if redirected else None
        open_trial = trial if trial is not None and trial.last_used == text_of(due.row.last_used) else None
        notice = open_trial if redirected else due.notice
        number = notice.number if notice is not None else self.register.notices.next_number()
        to, kind = (sender.redirect_to or due.recipient.address).addr_spec, due.recipient.kind
        own_id = message_id(self.source, self.register.id, number, due.step, to)
        part = MessagePart(
            salt=self.register.salt(),
            license_id=due.decision.license_id,
            user=due.decision.user,
            last_used=notice.last_used if notice is not None else text_of(due.row.last_used),
            created_date=notice.created_date if notice is not None else text_of(due.row.created_date),
            to=to,
            message_id=own_id,
        )
        line = IntentLine(
            notice=number,
            step=due.step,
            license_type=due.decision.license_type,
            announced=str(due.announced),
            zone=self.site.day.zone.key,
            days=due.clause.days,
            reminder_days=due.clause.reminder_days,
            to_kind=kind,
            channel=sender.channel,
            redirected=redirected,
            policy=self.policy,
            rule=due.decision.rule.label if due.decision.rule else "",
            holds=notice.holds if notice is not None else self.site.holds(due.decision.user),
            day=self._day,
            at=self._at,
            person=part,
        )
        return Outgoing(due, to, own_id, redirected), line

    @property
    def _day(self) -> str:
        return str(self.site.day.today)

    @property
    def _at(self) -> str:
        return format_instant(self.clock())
