"""The messages that are due today: reminders first, then notices, those first that were not tried for longest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.log.lines import Key
from seatwarden.engine.notice.assess import NoticeSite, announced_day, clause_of
from seatwarden.engine.notice.lines import NoticeStep
from seatwarden.engine.notice.notices import GivenNotice
from seatwarden.engine.notice.recipient import Recipient, Unreachable
from seatwarden.engine.snapshot.model import License
from seatwarden.grammar.ast import Notice as NoticeClause


@dataclass(frozen=True, slots=True)
class DueMessage:
    """A message that is due today. `notice` is the one that it belongs to; None for the first message of a new one."""

    step: NoticeStep
    decision: Decision
    row: License
    recipient: Recipient
    clause: NoticeClause
    announced: date
    notice: GivenNotice | None


def messages_due(
    site: NoticeSite,
    decisions: Mapping[Key, Decision],
    rows: Mapping[Key, License],
    fitting: Callable[[Sequence[Decision]], Sequence[Decision]],
    *,
    redirected: bool,
) -> list[DueMessage]:
    """The messages that are due, in the order in which they are to be sent.

    `decisions` are those on licenses that are due by a rule with a notice clause and are kept for it. `fitting` chooses
    among licenses those whose holders may be told for the first time: as many as a run may release. While messages are
    `redirected`, each is due once.
    """
    found = [_due(decision, rows[key], site) for key, decision in decisions.items()]
    due = [one for one in found if one is not None and not (redirected and _tried_out(one, site))]
    new = [one.decision for one in due if one.notice is None]
    allowed = {decision.key for decision in fitting(new)}
    return sorted((one for one in due if one.notice is not None or one.decision.key in allowed), key=_order)


def _order(one: DueMessage) -> tuple[bool, date, int, date, Key]:
    """Reminders, then what was not tried for longest, then the longest unused."""
    tried = one.notice.tried_on(one.step, one.recipient.address.addr_spec) if one.notice else None
    return one.step != "reminder", tried or date.min, -(one.decision.unused_days or 0), one.announced, one.decision.key


def _due(decision: Decision, row: License, site: NoticeSite) -> DueMessage | None:
    clause, standing, recipient = clause_of(decision), decision.standing.notice, site.recipient(row)
    if clause is None or standing is None or isinstance(recipient, Unreachable):
        return None
    notice, today = site.notices.latest(decision.key, decision.user), site.day.today
    match standing.state:
        case "untold":
            announced = announced_day(decision, clause.days, site)
            return DueMessage("notice", decision, row, recipient, clause, announced, None) if announced else None
        case "refused" | "unanswered" | "former-address":
            announced = announced_day(decision, clause.days, site)
            if announced is None or _has_refused_today(notice, "notice", recipient, today):
                return None
            return DueMessage("notice", decision, row, recipient, clause, announced, notice)
        case "told" if clause.reminder_days is not None and notice is not None and not standing.reminded:
            if today < notice.announced - timedelta(days=clause.reminder_days):
                return None
            if _has_refused_today(notice, "reminder", recipient, today):
                return None
            since = max(notice.announced, today + timedelta(days=clause.reminder_days))
            announced = site.ahead.first(decision, since) or since
            return DueMessage("reminder", decision, row, recipient, clause, announced, notice)
        case _:
            return None


def _has_refused_today(notice: GivenNotice | None, step: NoticeStep, recipient: Recipient, today: date) -> bool:
    """Whether the address has refused such a message today: it is asked once a day."""
    if notice is None or notice.refused_on(step, recipient.address.addr_spec) is None:
        return False
    return notice.tried_on(step, recipient.address.addr_spec) == today


def _tried_out(one: DueMessage, site: NoticeSite) -> bool:
    """Whether the mailbox for trials has had that message already, or has refused it today."""
    trial = site.notices.trial(one.decision.key, one.decision.user)
    if trial is None or trial.last_used != text_of(one.row.last_used):
        return False
    mine = [message for message in trial.messages if message.intent.step == one.step]
    return any(
        message.result == "redirected" or (message.result == "refused" and message.day == site.day.today)
        for message in mine
    )


def text_of(value: object) -> str | None:
    """A timestamp of QRS as it is written in a line; None where the row has none."""
    return value if isinstance(value, str) else None
