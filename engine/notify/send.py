"""Sending one event to all who want it, at the same time and within a bounded time. Never in the way of a run."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from seatwarden.engine.notify import email, webhook
from seatwarden.engine.notify.errors import NotDelivered
from seatwarden.engine.notify.events import Event
from seatwarden.engine.site.notifications import Email, EventKind, Notifications, Webhook

DEADLINE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """A destination that an event did not reach, or may not have reached; `reason` and `help` hold no secret."""

    event: EventKind
    destination: str
    reason: str
    help: str | None = None

    @property
    def message(self) -> str:
        """What, where and why, as one sentence."""
        return f"notification {self.event} was not delivered to {self.destination}: {self.reason}"


def destinations(notifications: Notifications, event: Event) -> list[Webhook | Email]:
    """The destinations that want an event; a test goes to all."""
    everyone: list[Webhook | Email] = [*notifications.webhooks, *notifications.emails]
    return [one for one in everyone if event.kind == "test" or event.kind in one.events]


def notify(
    notifications: Notifications, event: Event, now: datetime, *, deadline_seconds: float = DEADLINE_SECONDS
) -> list[Problem]:
    """Sends an event, dated and signed `now` (aware). Returns what went wrong, in the settings' order; never raises."""

    def deliver(one: Webhook | Email) -> None:
        if isinstance(one, Webhook):
            webhook.post(one, event, now, notifications.proxy)
        else:
            email.send(one, event, now)

    everyone = destinations(notifications, event)
    troubles = deliver_all([(one.label, partial(deliver, one)) for one in everyone], deadline_seconds)
    return [
        Problem(event.kind, one.label, trouble.message, trouble.help)
        for one, trouble in zip(everyone, troubles, strict=True)
        if trouble is not None
    ]


def deliver_all(
    deliveries: Sequence[tuple[str, Callable[[], None]]], deadline_seconds: float = DEADLINE_SECONDS
) -> list[NotDelivered | None]:
    """Does all of them at the same time; of each, with its name, what went wrong, in their order. Never raises."""
    begun = [_start(label, deliver) for label, deliver in deliveries]
    wait(begun, timeout=deadline_seconds)
    return [future.result() if future.done() else _late(deadline_seconds) for future in begun]


def _start(label: str, deliver: Callable[[], None]) -> Future[NotDelivered | None]:
    """Begins to send in a thread of its own, which does not keep the program from ending."""
    done: Future[NotDelivered | None] = Future()

    def attempt() -> None:
        try:
            deliver()
        except NotDelivered as trouble:
            done.set_result(trouble)
        except Exception as error:  # noqa: BLE001 - a notification never stops a run; what happened is handed on
            done.set_result(NotDelivered(f"sending failed ({type(error).__name__})"))
        else:
            done.set_result(None)

    # No ThreadPoolExecutor: Python waits for its threads at exit, and a server that hangs would hang the run.
    threading.Thread(target=attempt, name=label, daemon=True).start()
    return done


def _late(seconds: float) -> NotDelivered:
    return NotDelivered(f"it took longer than {seconds:g} seconds; it may have arrived", "look into that server's log")
