"""When the runs of a site last released a license of somebody, by their journals: `user.lastReleased`."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from pathlib import Path

from msgspec import UNSET

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.day import Day
from seatwarden.engine.log.journal import JournalState, read_journal
from seatwarden.engine.log.journal_lines import OutcomeLine
from seatwarden.engine.log.register import REGISTER_FILE, Begun, Planned, PrunedRuns, RegisterState, read_register
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.loading import CheckedPolicy


def note_last_released(snapshot: Snapshot, policy: CheckedPolicy, folder: Path, day: Day) -> None:
    """Lets the snapshot know whose licenses were released, where the policy asks. `folder` is the state folder."""
    if policy.reads("user.lastReleased"):
        snapshot.last_released = last_released(folder, day)


def last_released(folder: Path, day: Day) -> dict[str, date] | str:
    """The day on which a license of each user (`DIRECTORY\\id`) was released last, in the policy's zone.

    Else why that is not known: a register or a journal that cannot be read, a journal that is missing though nobody
    pruned it, one whose people have pseudonyms. Of somebody who was erased from a journal nothing is known, either; she
    counts as one who never lost a license.
    """
    try:
        state = read_register(folder / REGISTER_FILE)
        journals = list(_journals(state, folder)) if state is not None else []
    except (DamagedLog, OSError):
        return _UNREADABLE
    found: dict[str, date] = {}
    for line in _released(journals):
        on = day.day_of_timestamp(line.at)
        user = line.person.user  # type: ignore[union-attr]
        if not isinstance(on, date) or "\\" not in user:
            return _PSEUDONYMS
        found[user] = max(on, found.get(user, on))
    return found


def released_at(folder: Path) -> dict[tuple[str, LicenseType], datetime] | str:
    """The moment at which a license of a type of each user (`DIRECTORY\\id`) was released last, or may have been; else
    why that is not known, as `last_released` says it.

    Of a run that was killed before its journal nothing was sent: the next run closes it.
    """
    try:
        state = read_register(folder / REGISTER_FILE)
        killed = state.open_runs().keys() if state is not None else ()
        journals = list(_journals(state, folder, killed)) if state is not None else []
    except (DamagedLog, OSError):
        return _UNREADABLE
    found: dict[tuple[str, LicenseType], datetime] = {}
    for line in _released(journals, (*TAKEN, "left", "unknown")):
        at, user = parse_timestamp(line.at), line.person.user  # type: ignore[union-attr]
        if at is None or "\\" not in user:
            return _PSEUDONYMS
        key = user, line.license_type
        found[key] = max(at, found.get(key, at))
    return found


_UNREADABLE = "a journal of the site's runs, or their register, is missing or cannot be read"
_PSEUDONYMS = "the journals of the site's runs have pseudonyms"


def _released(journals: Iterable[JournalState], results: Collection[str] = TAKEN) -> Iterator[OutcomeLine]:
    """The lines of licenses with these results, of people who are not erased."""
    for journal in journals:
        for line in journal.outcomes.values():
            if line.result in results and line.person is not UNSET:
                yield line


def _journals(state: RegisterState, folder: Path, killed: Collection[int] = ()) -> Iterator[JournalState]:
    """The journals of all runs that were begun and not pruned; those `killed` may have none.

    Raises DamagedLog, OSError.
    """
    begun = {line.run for line in state.of_kind(Begun)}
    pruned = {name for line in state.of_kind(PrunedRuns) for name in line.runs}
    for line in state.of_kind(Planned):
        if line.run in begun and line.folder not in pruned:
            place = Path(line.folder) if line.is_elsewhere else folder / line.folder
            if line.run in killed and not (place / JOURNAL_FILE).exists():
                continue
            journal = read_journal(place / JOURNAL_FILE)
            if journal is None and line.run in killed:
                continue
            if journal is None:
                raise FileNotFoundError(place)
            yield journal
