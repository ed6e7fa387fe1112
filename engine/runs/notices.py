"""The notices of a site while something is done there: what a plan is made with, what is looked at before each
release, and what is sent when the releases are done.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from seatwarden.engine.common.timestamps import format_instant, parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import UntrustedRecord
from seatwarden.engine.facts.day import Day
from seatwarden.engine.notice.ahead import ReleaseDays
from seatwarden.engine.notice.assess import Ending, FindRecipient, Site, clause_of, ending
from seatwarden.engine.notice.decisions import rows_of, with_notice, with_notices
from seatwarden.engine.notice.messages_due import DueMessage, messages_due
from seatwarden.engine.notice.notices import Notices
from seatwarden.engine.notice.register import NoticeRegister
from seatwarden.engine.notice.sending import Sender, Sending, Sent
from seatwarden.engine.plan.circumstances import CLOCKS_APART
from seatwarden.engine.plan.limits import fitting
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.snapshot.model import License, Snapshot
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.schedule.occurrences import occurrences
from seatwarden.policy.schedule.schedule import Schedule

USUAL_INTERVAL = 7
"""Days between two runs of a site without a schedule."""
_LONGEST_INTERVAL = 31
_LOOKED_AHEAD = 40
"""Runs ahead from which the usual time between two is told."""


def interval_of(schedule: Schedule | None, now: datetime, zone: ZoneInfo) -> int:
    """The most days between two runs by their schedule; 7 where there is none."""
    if schedule is None:
        return USUAL_INTERVAL
    ahead = list(islice(occurrences(schedule, now, zone), _LOOKED_AHEAD))
    gaps = [later - earlier for earlier, later in pairwise(ahead)]
    days = -(-max(gaps, default=timedelta(days=USUAL_INTERVAL)) // timedelta(days=1))
    return min(max(1, days), _LONGEST_INTERVAL)


def asks_for_notices(policy: CheckedPolicy) -> bool:
    """Whether a rule of the policy tells its users before."""
    return any(rule.notice is not None for rule in policy.rules)


@dataclass(frozen=True, slots=True)
class NoticeView:
    """What decisions on a site are made with beside its policy: who was told, and how people are reached.

    `holds` tells how many holds a person ever had; `check` is called before each release, and raises where the
    register is not as this process has left it.
    """

    notices: Notices
    interval: int
    holds: Callable[[str], int]
    recipient_of: FindRecipient | None
    check: Callable[[], None] = lambda: None

    def site(self, policy: CheckedPolicy, snapshot: Snapshot, day: Day) -> Site:
        """What the answers on one snapshot are found from."""
        ahead = ReleaseDays(policy, day)
        return Site(self.notices, snapshot, day, ahead, self.interval, self.holds, self.recipient_of)

    def stand(
        self, policy: CheckedPolicy, snapshot: Snapshot, day: Day
    ) -> Callable[[Sequence[Decision]], tuple[Decision, ...]]:
        """A function that hears the register on the decisions of a plan."""
        site = self.site(policy, snapshot, day)
        return lambda decisions: with_notices(decisions, site)

    def stand_again(
        self, decision: Decision, row: License, policy: CheckedPolicy, snapshot: Snapshot, day: Day
    ) -> Decision:
        """A decision that was made anew right before its release, the register heard as it is now.

        Raises UntrustedRecord where it is not as this process has left it.
        """
        try:
            self.check()
        except OSError as problem:
            raise UntrustedRecord(f"the register of notices is not as it was: {problem}", _LOOK) from None
        return with_notice(decision, row, self.site(policy, snapshot, day))


_LOOK = "look at it with `seatwarden log verify`; nothing further was released"


def check_clock(notices: Notices, ours: datetime, qrs: datetime | None) -> None:
    """Raises UntrustedRecord where the clock is behind the register's last line, or not that of QRS.

    A wrong clock would shorten the time that people have.
    """
    last = parse_timestamp(notices.last_at)
    if last is not None and ours < last:
        said = f"the register of notices has a line of {notices.last_at}, and the clock says {format_instant(ours)}"
        raise UntrustedRecord(said, "set this machine's clock right; until then nothing is sent or released")
    if qrs is not None and abs(ours - qrs) > CLOCKS_APART:
        said = f"this machine's clock says {format_instant(ours)}, and that of QRS {format_instant(qrs)}"
        raise UntrustedRecord(said, "set both right; until then nobody is told and nothing is released")


class NoticesOfRun:
    """The notices of one run, from its plan to the last message. Every method that writes raises OSError."""

    def __init__(
        self, view: NoticeView, plan: Plan, register: NoticeRegister, register_id: str, clock: Callable[[], datetime]
    ) -> None:
        self._plan = plan
        self._site = view.site(plan.policy, plan.snapshot, plan.day)
        self._sending = Sending(register, register_id, plan.source, plan.policy.digest, self._site, clock)
        self.ended: list[Ending] = []

    @property
    def sent(self) -> list[Sent]:
        """The messages that were sent so far, and what became of them."""
        return self._sending.sent

    def seen(self, run: int) -> None:
        """Enters that the program was alive today."""
        self._sending.seen(run)

    def end(self) -> None:
        """Enters which notices have ended."""
        decisions = {decision.key: decision for decision in self._plan.exact or self._plan.decisions}
        self.ended = list(ending(self._site, decisions, rows_of(self._plan.snapshot)))
        self._sending.end(self.ended)

    def send(self, sender: Sender, most: int, stop: threading.Event) -> None:
        """Sends what is due, at most so many messages; once `stop` is set, no further one."""
        for due in due_messages(self._plan, self._site, redirected=sender.redirect_to is not None)[:most]:
            if stop.is_set():
                return
            self._sending.send(due, sender)


def due_messages(plan: Plan, site: Site, *, redirected: bool) -> list[DueMessage]:
    """The messages that a plan makes due; as many people are told for the first time as it may release licenses."""
    decisions = plan.exact or plan.decisions
    waiting = {one.key: one for one in decisions if one.because == "notice" and clause_of(one) is not None}

    def told(some: Sequence[Decision]) -> list[Decision]:
        return fitting(plan.limits, plan.allocated, some, plan.numbers)

    return messages_due(site, waiting, rows_of(plan.snapshot), told, redirected=redirected)
