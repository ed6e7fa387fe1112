"""What the registers of holds and of notices have of a person: the numbers of the lines that are to be erased."""

from collections.abc import Iterator
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.notice.holds import HoldEnded, HoldMade, read_holds
from seatwarden.engine.notice.lines import AnswerLine, DamageAccepted, EndedLine, IntentLine, NoticeLine
from seatwarden.engine.notice.register import read_notices
from seatwarden.engine.runs.forgotten import ForgottenPerson


def lines_of_holds(path: Path, person: ForgottenPerson) -> Iterator[int]:
    """The holds of the person, their ends, and those that name the person in a reason. Raises DamagedLog, OSError."""
    for line in read_holds(path).lines:
        if not isinstance(line, HoldMade | HoldEnded) or line.person is UNSET:
            continue
        if line.person.user.casefold() == person.user.casefold() or person.is_named_in(line.person.reason):
            yield line.n


def lines_of_notices(path: Path, person: ForgottenPerson) -> Iterator[int]:
    """The messages to the person, what became of them, what ended the notices, and who names the person in a reply or
    a reason. Raises DamagedLog, OSError."""
    record, user = read_notices(path), person.user.casefold()
    numbers = {notice.number for notice in record.notices.by_number.values() if notice.user.casefold() == user}
    intents = {line.n for line in record.lines if isinstance(line, IntentLine) and line.notice in numbers}
    for line in record.lines:
        if getattr(line, "person", UNSET) is UNSET:
            continue
        if _is_on(line, numbers, intents) or person.is_named_in(_free_text(line)):
            yield line.n


def _is_on(line: NoticeLine, numbers: set[int], intents: set[int]) -> bool:
    match line:
        case IntentLine() | EndedLine():
            return line.notice in numbers
        case AnswerLine():
            return line.intent in intents
        case _:
            return False


def _free_text(line: NoticeLine) -> str:
    """What somebody wrote, or a mail server."""
    match line:
        case AnswerLine(person=person) if person is not UNSET:
            return person.reply
        case EndedLine(person=person) if person is not UNSET:
            return person.fact
        case DamageAccepted(person=person) if person is not UNSET:
            return person.reason or ""
        case _:
            return ""
