"""What people were told in a run, line by line and in numbers: the same for the terminal, JSON, notifications, metrics.

Behind pseudonyms nobody is named: neither the person nor what a mail server or a fact says of them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.notice.lines import EndCause, MessageResult, NoticeStep
from seatwarden.engine.notice.messages_due import DueMessage
from seatwarden.engine.notice.notices import GivenNotice
from seatwarden.engine.plan.limits import is_announced
from seatwarden.engine.plan.plan import Plan
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.grammar.ast import LicenseType

ToldState: TypeAlias = Literal[
    "told", "reminded", "refused", "no answer", "redirected", "to tell", "to remind", "ended"
]
"""What became of a message, or of a notice: `to tell` and `to remind` are what a dry run would have sent."""

COUNTED: Mapping[ToldState, str] = {
    "told": "notices_told",
    "reminded": "notices_reminded",
    "refused": "notices_refused",
    "no answer": "notices_unanswered",
    "redirected": "notices_redirected",
    "ended": "notices_ended",
}
"""The names of the counts in metrics. What a dry run would send is counted there by nobody."""

CAUSES: Mapping[EndCause, str] = {
    "used": "the license was used",
    "protected": "a rule protects the license",
    "not-due": "the policy does not release the license any more",
    "held": "the license was held",
    "gone": "the license is gone",
    "re-allocated": "the license was allocated anew",
    "lapsed": "its day has long passed",
    "cancelled": "cancelled",
}
"""Why a notice ended, in words that name nobody."""


@dataclass(frozen=True, slots=True)
class ToldRow:
    """One message or one notice that has ended: whose license, what became of it, and why.

    `announced` is the day of release that the message says. `step` is None for a notice that has ended, `cause` for a
    message. `detail` is the server's reply, or the fact; empty where there is none, or behind pseudonyms.
    """

    state: ToldState
    license_type: LicenseType
    license_id: str
    user: str
    detail: str
    step: NoticeStep | None = None
    announced: date | None = None
    cause: EndCause | None = None

    @property
    def words(self) -> str:
        """What is said of it behind the person's name."""
        if self.cause is not None:
            return f"the notice has ended: {self.detail or CAUSES[self.cause]}"
        day = f"to be released on {self.announced} unless used"
        if self.state in ("told", "to tell", "reminded", "to remind"):
            return day
        what = "the reminder" if self.step == "reminder" else "the message"
        reply = f": {self.detail}" if self.detail else ""
        match self.state:
            case "refused":
                return f"{what} was refused, so kept{reply}"
            case "redirected":
                return f"{what} went to the address of `redirectTo`, so nobody counts as told"
            case _:
                return f"nobody knows whether {what} arrived: sent again by the next run{reply}"


def told_rows(report: RunReport) -> list[ToldRow]:
    """What people were told in a run, and which notices have ended: in the order in which it happened."""
    return list(_rows(report)) if report.plan is not None else []


def _rows(report: RunReport) -> Iterator[ToldRow]:
    naming = _Naming(report.plan)
    for notice, cause, fact in report.told.ended:
        yield naming.ended(notice, cause, fact)
    for sent in report.told.sent:
        yield naming.message(_state(sent.result, sent.due.step), sent.due, sent.reply)
    for due in report.told.due:
        yield naming.message("to remind" if due.step == "reminder" else "to tell", due, "")


def notice_numbers(report: RunReport) -> dict[str, int]:
    """A run's notices in numbers, by the names that metrics have; empty where no rule gives notice and none ended.

    Beside messages and notices ended: how many licenses wait for a notice, and how many were released after one.
    """
    summary = report.plan.summary() if report.plan is not None else {}
    if "notice" not in summary and not report.told.ended and not report.told.sent:
        return {}
    found = Counter(row.state for row in told_rows(report))
    return {
        **{name: found[state] for state, name in COUNTED.items()},
        "notices_waiting": summary["notice"]["waiting"] if "notice" in summary else 0,
        "released_after_notice": released_after_notice(report),
    }


def released_after_notice(report: RunReport) -> int:
    """How many licenses were released whose holders were told before."""
    return sum(
        outcome.result in TAKEN and is_announced(decisions[outcome.key])
        for applied in report.applied
        if (decisions := {decision.key: decision for decision in applied.plan.decisions})
        for outcome in applied.outcomes
    )


def _state(result: MessageResult, step: NoticeStep) -> ToldState:
    match result:
        case "accepted":
            return "reminded" if step == "reminder" else "told"
        case "no-answer":
            return "no answer"
        case _:
            return result


class _Naming:
    """Names people as the plan does."""

    def __init__(self, plan: Plan | None) -> None:
        self._pseudonyms = plan.pseudonyms if plan is not None else None

    def message(self, state: ToldState, due: DueMessage, reply: str) -> ToldRow:
        license_id, user = self._who(due.decision)
        detail = "" if self._pseudonyms else reply
        return ToldRow(state, due.decision.license_type, license_id, user, detail, due.step, due.announced)

    def ended(self, notice: GivenNotice, cause: EndCause, fact: str) -> ToldRow:
        key = notice.key or (notice.license_type, "")
        if self._pseudonyms is None:
            return ToldRow("ended", notice.license_type, key[1], notice.user, fact, cause=cause)
        license_id = self._pseudonyms.of_license(*key)
        return ToldRow(
            "ended", notice.license_type, license_id, self._pseudonyms.of_holder(license_id), "", cause=cause
        )

    def _who(self, decision: Decision) -> tuple[str, str]:
        if self._pseudonyms is None:
            return decision.license_id, decision.user
        license_id = self._pseudonyms.of_license(*decision.key)
        return license_id, self._pseudonyms.of_holder(license_id)
