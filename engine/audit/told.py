"""Who of those who lost a license was told before: what the register of notices has of each message."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.audit.answers import AuditEntry
from seatwarden.engine.audit.evidence import Evidence
from seatwarden.engine.audit.words import moment
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.notice.lines import AddressKind, AnswerLine, IntentLine
from seatwarden.engine.notice.register import NOTICES_FILE, NoticeRecord, read_notices
from seatwarden.grammar.ast import LicenseType

_WHOSE: dict[AddressKind, str] = {
    "own": "at the own address",
    "manager": "through the manager",
    "fallback": "at the address for all others",
}


def told_before(evidence: Evidence, lost: Iterable[tuple[LicenseType, str]]) -> Iterator[AuditEntry]:
    """The messages to people who lost a license of a type, as `DIRECTORY\\id`: the moment, what it said, to whose
    address, and what became of it."""
    path = _register(evidence)
    record = _read(path) if path is not None else None
    if path is None or record is None:
        return
    wanted = {(license_type, user.casefold()) for license_type, user in lost}
    outcomes = {line.intent: line for line in record.lines if isinstance(line, AnswerLine)}
    for line in record.lines:
        if not isinstance(line, IntentLine) or line.person is UNSET or line.redirected:
            continue
        if (line.license_type, line.person.user.casefold()) in wanted:
            outcome = outcomes.get(line.n)
            result = outcome.result.replace("-", " ") if outcome is not None else "its outcome is not known"
            words = f"{line.step} {_WHOSE[line.to_kind]}, announced for {line.announced}: {result}"
            places = [f"{evidence.named(path)}:{one.n}" for one in (line, outcome) if one is not None]
            yield AuditEntry((moment(line.at), line.license_type, line.person.user), words, tuple(places))


def _register(evidence: Evidence) -> Path | None:
    """The register of notices beside that of runs, where all of that was asked for."""
    found = evidence.record.register_path
    return found.with_name(NOTICES_FILE) if found is not None and evidence.whole else None


def _read(path: Path) -> NoticeRecord | None:
    """The register; None where it cannot be read: that is a fault, which is said where faults are."""
    try:
        return read_notices(path)
    except (DamagedLog, OSError):
        return None
