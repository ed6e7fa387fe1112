"""What a run saw and released, kept in the history of the site. Nothing in here changes how a run ends."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from seatwarden.engine.common.files import make_private_folder
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.runs.recovery import Applied
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.history.store import History
    from seatwarden.engine.runs.context import Log

PRUNED_EVERY = timedelta(days=7)
"""How much longer than asked snapshots may be kept by runs: to make the file smaller takes a while."""


def keep_seen(settings: Settings, snapshot: Snapshot, log: "Log") -> None:
    """Adds the snapshot of a run to the history, and deletes what was kept long enough. What cannot be is said."""
    if not settings.keeps_history or snapshot.data is None:
        return
    try:
        with _history(settings) as history:
            history.add(snapshot.data, "the snapshot of this run", other_source=True)
            prune_old(history, settings.history.keep_days, PRUNED_EVERY)
    except (InputError, OSError) as problem:
        log("what this run saw is not kept in the history", level=logging.WARNING, why=_words(problem))


def note_released(settings: Settings, applied: Iterable[Applied], at: datetime, log: "Log") -> None:
    """Notes what was released: without that, who was sent away looks like somebody who left. What cannot be is said."""
    released = [outcome.key for one in applied for outcome in one.outcomes if outcome.result in TAKEN]
    if not settings.keeps_history or not released:
        return
    try:
        with _history(settings) as history:
            history.note_releases([(license_type, license_id, at) for license_type, license_id in released])
    except (InputError, OSError) as problem:
        log("what was released is not noted in the history", level=logging.WARNING, why=_words(problem))


def prune_old(history: "History", days: int, longer: timedelta = timedelta()) -> int:
    """Deletes the snapshots that are older than so many days, once one is older still; returns how many there were.

    Ages are counted from the newest snapshot: a clock that is wrong deletes nothing.
    """
    moments = history.moments()
    if not moments:
        return 0
    limit = moments[-1].at - timedelta(days=days)
    return history.prune(limit) if moments[0].at < limit - longer else 0


def _history(settings: Settings) -> "History":
    from seatwarden.engine.history.store import History  # SQLite and zstandard take a while to import

    make_private_folder(settings.folder)
    return History(settings.folder / HISTORY_FILE, write=True)


def _words(problem: InputError | OSError) -> str:
    if isinstance(problem, OSError):
        return problem.strerror or str(problem)
    return f"{problem.message}; {problem.help}" if problem.help else problem.message
