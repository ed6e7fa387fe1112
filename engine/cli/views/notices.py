"""Notices, as `notice list` and `notice send` show them."""

from collections.abc import Iterable, Iterator
from typing import Any

from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import printable
from seatwarden.engine.notice.lines import AddressKind
from seatwarden.engine.notice.listed import CAUSES, ListedNotice, ListedState
from seatwarden.engine.notice.messages_due import DueMessage
from seatwarden.engine.notice.sending import Sent
from seatwarden.engine.runs.run_report import RunReport

COLUMNS = [
    Column("Release"),
    Column("User", least=12),
    Column("License", leaves=1),
    Column("Told"),
    Column("To", least=16, leaves=2),
    Column("Reminder", leaves=3),
    Column("State", least=16),
]
_STATES: dict[ListedState, str] = {
    "told": "in force",
    "postponed": "its day has come",
    "lapsed": "lapsed",
    "reminder-refused": "reminder refused",
    "refused": "refused",
    "unanswered": "no answer yet",
    "ended": "ended",
}
_WHOSE: dict[AddressKind, str] = {"own": "", "manager": " (manager)", "fallback": " (fallback)"}


def row_of(one: ListedNotice) -> list[str]:
    """The row of a notice."""
    reminder = str(one.reminded) if one.reminded else f"due {one.reminder_due}" if one.reminder_due else "none"
    cells = [
        str(one.notice.announced),
        one.notice.user,
        one.notice.license_type,
        str(one.told) if one.told else "not yet",
        one.to.to + _WHOSE[one.to.intent.to_kind],
        reminder,
        CAUSES[one.notice.ended] if one.notice.ended else _STATES[one.state],
    ]
    return list(map(printable, cells))


def more_lines(found: Iterable[ListedNotice]) -> Iterator[str]:
    """What is to be said of those that wait for somebody to mend something, in sentences."""
    for one in found:
        if one.state in ("refused", "reminder-refused"):
            yield printable(f"{one.notice.user} ({one.to.to}): {one.words}")


def notice_to_json(one: ListedNotice) -> dict[str, Any]:
    """A notice as `notice list --format json` prints it."""
    notice, key = one.notice, one.notice.key
    return {
        "notice": notice.number,
        "user": notice.user,
        "licenseType": notice.license_type,
        "licenseId": key[1] if key else None,
        "announced": str(notice.announced),
        "zone": one.to.intent.zone,
        "told": _text(one.told),
        "to": one.to.to,
        "toKind": one.to.intent.to_kind,
        "reminderDue": _text(one.reminder_due),
        "reminded": _text(one.reminded),
        "messages": len(notice.messages),
        "state": one.state,
        "words": one.words,
        "ended": notice.ended,
        "endedOn": _text(notice.ended_on),
        "fact": notice.fact or None,
    }


def _text(value: object) -> str | None:
    return str(value) if value is not None else None


# Sending -------------------------------------------------------------------------------------------------


def due_line(due: DueMessage) -> str:
    """A message that is due: to whom, what about, which day it announces."""
    to = due.recipient.address.addr_spec + _WHOSE[due.recipient.kind]
    what = f"{due.step} to {to} on the {due.decision.license_type} license of {due.decision.user}"
    return printable(f"{what}: announces {due.announced}")


def sent_line(sent: Sent) -> str:
    """What became of a message."""
    reply = f" ({sent.reply})" if sent.reply and sent.result != "accepted" else ""
    return printable(f"{sent.result.replace('-', ' ')}{reply}: {due_line(sent.due)}")


def sent_to_json(report: RunReport, code: ExitCode) -> dict[str, Any]:
    """What `notice send --format json` prints."""
    told = report.told
    return {
        "exitCode": int(code),
        "outcome": report.outcome,
        "why": list(report.why),
        "dryRun": report.dry_run,
        "folder": str(report.folder) if report.folder else None,
        "due": [_due_to_json(one) for one in told.due],
        "sent": [{**_due_to_json(one.due), "result": one.result, "reply": one.reply} for one in told.sent],
        "ended": [
            {"notice": notice.number, "user": notice.user, "cause": cause, "fact": fact}
            for notice, cause, fact in told.ended
        ],
    }


def _due_to_json(due: DueMessage) -> dict[str, Any]:
    return {
        "step": due.step,
        "user": due.decision.user,
        "licenseType": due.decision.license_type,
        "licenseId": due.decision.license_id,
        "to": due.recipient.address.addr_spec,
        "toKind": due.recipient.kind,
        "announced": str(due.announced),
    }
