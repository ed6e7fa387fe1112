"""The notices of one run: which have ended, and what is sent when the releases are done."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from functools import lru_cache
from typing import Protocol, TypeAlias

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.day import Day
from seatwarden.engine.notice.assess import NoticeEnd, NoticeSite, clause_of, ending
from seatwarden.engine.notice.decisions import rows_of
from seatwarden.engine.notice.facts import NoticeFacts, facts_of
from seatwarden.engine.notice.interval import interval_of
from seatwarden.engine.notice.message import NoticeMessage, compose
from seatwarden.engine.notice.messages_due import DueMessage, messages_due
from seatwarden.engine.notice.outcome import MessageOutcome
from seatwarden.engine.notice.recipient import Recipient, Unreachable, recipient_of
from seatwarden.engine.notice.register import NoticeRegister
from seatwarden.engine.notice.sending import Dispatch, Outgoing, Sender, Sent
from seatwarden.engine.notice.standings import Reach
from seatwarden.engine.notice.templates import NoticeTemplates, load_templates
from seatwarden.engine.plan.limits import fitting
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.site.notice import NoticeSettings
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import User
from seatwarden.policy.schedule.check import load_schedule


class OneCourier(Protocol):
    """The way out for messages."""

    def deliver(self, message: NoticeMessage, now: datetime) -> MessageOutcome:
        """Sends a message, dated and signed `now`; what came of it, whatever that is."""
        ...


Couriers: TypeAlias = Callable[[NoticeSettings], AbstractContextManager[OneCourier]]
"""Opens the way out that a site file names."""


AgreeTo: TypeAlias = Callable[[Sequence[DueMessage]], bool]
"""Whether these messages are to be sent."""


def real_courier(settings: NoticeSettings) -> AbstractContextManager[OneCourier]:
    """That of the site file: a mail server, or a webhook."""
    from seatwarden.engine.notice.deliver import Courier  # requests takes a while to import

    return Courier(settings)


def reach_of(settings: Settings, day: Day) -> Reach:
    """How people are told under these settings."""
    job, notice = settings.jobs.release, settings.notice
    schedule = load_schedule(job.text, "licenseRelease") if job.enabled and job.text else None
    interval = interval_of(schedule, day.now, day.zone)
    if notice is None:
        return Reach(interval, None)

    def find(user: User) -> Recipient | Unreachable:
        return recipient_of(notice, user, texts_of(notice).languages)

    return Reach(interval, find)


def texts_of(settings: NoticeSettings) -> NoticeTemplates:
    """The texts of messages. Raises InputError for broken ones.

    Those that we bring are read once: they are looked through with care, which takes a quarter of a second.
    """
    if settings.templates is not None:
        return load_templates(settings)
    return _our_texts(settings.default_language, settings.contact, settings.hub)


@lru_cache(maxsize=4)
def _our_texts(language: str, contact: str | None, hub: str | None) -> NoticeTemplates:
    return load_templates(NoticeSettings(default_language=language, contact=contact, hub=hub))


@dataclass(frozen=True, slots=True)
class _Post:
    """Makes messages of what is due, and hands them over."""

    settings: NoticeSettings
    templates: NoticeTemplates
    courier: OneCourier
    site: NoticeSite
    name: str
    """The name that people know the site by."""
    clock: Callable[[], datetime]

    def deliver(self, outgoing: Outgoing) -> MessageOutcome:
        """Sends one message."""
        message = compose(self.settings, self.templates, self._facts(outgoing.due), outgoing.due.recipient, outgoing.id)
        return self.courier.deliver(message, self.clock())

    def _facts(self, due: DueMessage) -> NoticeFacts:
        told = due.notice.accepted("notice", due.recipient.address.addr_spec) if due.notice else None
        return facts_of(
            due.decision,
            self.site.day,
            told=told or self.site.day.today,
            announced=due.announced,
            site=self.name,
            reminder=due.step == "reminder",
        )


class NoticesOfRun:
    """The notices of one run, from its plan to the last message. Every method that writes raises OSError."""

    def __init__(self, plan: Plan, site: NoticeSite, register: NoticeRegister, clock: Callable[[], datetime]) -> None:
        self._plan = plan
        self._site = site
        self._clock = clock
        self._sending = Dispatch(register, plan.source, plan.policy.digest, site, clock)
        self.ended: list[NoticeEnd] = []

    @property
    def sent(self) -> list[Sent]:
        """The messages that were sent so far, and what became of them."""
        return self._sending.sent

    def check(self) -> None:
        """Raises OSError where the register is not as this process has left it."""
        self._sending.register.check()

    def seen(self, run: int) -> None:
        """Enters that the program was alive today."""
        self._sending.seen(run)

    def end(self) -> None:
        """Enters which notices have ended."""
        decisions = {decision.key: decision for decision in self._plan.exact or self._plan.decisions}
        self.ended = list(ending(self._site, decisions, rows_of(self._plan.snapshot)))
        self._sending.end(self.ended)

    def send(
        self, settings: NoticeSettings, name: str, couriers: Couriers, stop: threading.Event, agree: AgreeTo
    ) -> None:
        """Sends what is due and agreed to, as many messages as a run may; once `stop` is set, no further one.

        Raises InputError for texts that are broken, before anything is sent.
        """
        templates = texts_of(settings)
        due = due_messages(self._plan, self._site, redirect=settings.redirect_to)[: settings.max_messages]
        if not due or not agree(due):
            return
        with couriers(settings) as courier:
            post = _Post(settings, templates, courier, self._site, name, self._clock)
            sender = Sender(settings.channel, settings.redirect_to, post.deliver)
            for one in due:
                if stop.is_set():
                    return
                self._sending.send(one, sender)


def due_messages(plan: Plan, site: NoticeSite, *, redirect: Address | None) -> list[DueMessage]:
    """The messages that a plan makes due; as many people are told for the first time as it may release licenses."""
    decisions = plan.exact or plan.decisions
    waiting = {one.key: one for one in decisions if one.because == "notice" and clause_of(one) is not None}

    def told(some: Sequence[Decision]) -> list[Decision]:
        return fitting(plan.limits, plan.allocated, some, plan.numbers)

    return messages_due(site, waiting, rows_of(plan.snapshot), told, redirected=redirect is not None)
