"""The downgrades of a site's runs, by its register and their journals: who rests, and what is open.

Somebody who was downgraded, or was given back what a downgrade took, rests for a while. A DELETE that has no known
answer is open until its row is seen gone: nobody knows how long it is under way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.downgrade import UNREADABLE, DowngradeStanding
from seatwarden.engine.log.journal import JournalState, gift_of, read_journal
from seatwarden.engine.log.journal_lines import Intent, OutcomeLine
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.register import Begun, ClosedRun, Planned, PlannedRestore, PrunedRuns, RegisterState
from seatwarden.engine.log.restore import RestoreLog, read_restore
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.snapshot.model import Snapshot, UserReference


@dataclass(slots=True)
class PastDowngrades:
    """What is known of them, by user (`DIRECTORY\\id` in lower case).

    `on` is the last day of a downgrade or of giving back, `open` the licenses whose DELETE has no known answer, and the
    run that sent it. `why` says that something cannot be read: then nothing is taken from anybody.
    """

    on: dict[str, date] = field(default_factory=dict)
    open: dict[str, dict[Key, str]] = field(default_factory=dict)
    why: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nobody was downgraded."""
        return not (self.on or self.open or self.why)

    def standings(self, snapshot: Snapshot) -> Mapping[Key, DowngradeStanding]:
        """What they say of the licenses of a snapshot. One whose DELETE is open, and that is not there any more or in
        quarantine, was seen gone."""
        if self.is_empty:
            return {}
        rows = {(kind, row.id): row for kind, listed in snapshot.licenses.items() for row in listed}
        there = {key for key, row in rows.items() if row.quarantined is not True}
        found: dict[Key, DowngradeStanding] = {}
        for key, row in rows.items():
            user = snapshot.users_by_id.get(row.user.id) if isinstance(row.user, UserReference) else None
            name = user.directory_and_id.casefold() if user is not None else ""
            others = {run for open_, run in self.open.get(name, {}).items() if open_ in there and open_ != key}
            on = self.on.get(name)
            if on is not None or others or self.why:
                found[key] = DowngradeStanding(str(on or ""), min(others, default=""), self.why)
        return found


NO_DOWNGRADES = PastDowngrades()
"""Of a site that has no record, or has downgraded nobody."""


def past_downgrades(register: RegisterState | None, folder: Path, day: Day) -> PastDowngrades:
    """The downgrades of all runs that were begun and not pruned; `folder` is the state folder."""
    found = PastDowngrades()
    if register is None:
        return found
    begun = {line.run for line in register.of_kind(Begun)}
    pruned = {name for line in register.of_kind(PrunedRuns) for name in line.runs}
    closed = {line.run: line for line in register.of_kind(ClosedRun)}
    for line in (*register.of_kind(Planned), *register.of_kind(PlannedRestore)):
        if not _exchanges(line) or line.run not in begun or line.folder in pruned:
            continue
        place = Path(line.folder) if isinstance(line, Planned) and line.is_elsewhere else folder / line.folder
        try:
            journal = read_journal(place / JOURNAL_FILE) if (place / JOURNAL_FILE).exists() else None
            restore = read_restore(place) if isinstance(line, PlannedRestore) else None
        except (DamagedLog, OSError):
            found.why = UNREADABLE
            continue
        last = closed.get(line.run)
        if last is not None and (journal is None or not journal.has(last.journal_lines, last.journal_leaf)):
            found.why = UNREADABLE
        elif journal is not None:  # without one it was killed before anything was sent
            _add(found, journal, restore, line.run_id, day)
    return found


def _exchanges(line: Planned | PlannedRestore) -> bool:
    count = line.downgrade if isinstance(line, Planned) else line.exchanged
    return count is not UNSET and count > 0


def _add(found: PastDowngrades, journal: JournalState, restore: RestoreLog | None, run: str, day: Day) -> None:
    for line in journal.events:
        # What is erased is known of nobody any more.
        if not isinstance(line, OutcomeLine) or line.line not in journal.gifts or line.person is UNSET:
            continue
        on = day.day_of_timestamp(line.at)
        user = line.person.user.casefold()
        if line.result in ("downgraded", "restored") and isinstance(on, date):
            found.on[user] = max(on, found.on.get(user, on))
    for n, user, key in _intents(journal, restore):
        if n in journal.unanswered and n in journal.gifts:
            found.open.setdefault(user.casefold(), {})[key] = run


def _intents(journal: JournalState, restore: RestoreLog | None) -> Iterator[tuple[int, str, Key]]:
    """The DELETEs that were about to be sent: the line, whose license it was, and which."""
    for line in journal.events:
        if not isinstance(line, Intent) or line.person is UNSET:
            continue
        key: Key = (line.license_type, line.person.license_id)
        if restore is not None and line.line in restore.key_of:
            back = restore.by_key[restore.key_of[line.line]]
            if isinstance(back.about.instead, str) and isinstance(back.takes, str):
                key = (back.takes, back.about.instead)
        yield line.line, line.person.user, key


def given_by_us(journal: JournalState) -> Mapping[int, str | None]:
    """The ids of the licenses that a run has given in place of others, by line; None where it gave none, or
    does not know which."""
    found = {n: gift_of(line) for n, line in journal.gifts.items() if line is not None}
    return {n: gift.license_id if gift.result == "given" else None for n, gift in found.items()}
