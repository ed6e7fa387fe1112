"""What each run does with runs whose time is over."""

import logging

from seatwarden.engine.runs.context import Log
from seatwarden.engine.runs.record import SiteRecord
from seatwarden.engine.runs.recovery import describe
from seatwarden.engine.site.retention import keep_words
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.errors import InputError


def prune_old(record: SiteRecord, settings: Settings, log: Log) -> None:
    """Deletes runs whose time is over. Nothing in here changes how a run ended."""
    if settings.retention is None:
        return
    try:
        old = record.old_runs(settings.retention)
        for kept in old.kept:
            log("a run is kept although its time is over", folder=str(kept.folder), why=kept.why)
        problems = record.prune(old, settings.retention)
    except (InputError, OSError) as problem:
        old, problems = None, [describe(problem)]
    for why in problems:
        log("runs whose time is over cannot be deleted", level=logging.WARNING, why=why)
    if old is not None and old.due and not problems:
        log("runs deleted whose time was over", runs=len(old.due), keep=keep_words(settings.retention))
