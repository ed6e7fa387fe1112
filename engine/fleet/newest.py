"""The newest run of a site, as its register knows it: for the report on a fleet."""

from collections import Counter
from pathlib import Path

from msgspec import structs

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.fleet.result import SiteResult
from seatwarden.engine.log.journal import read_journal
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.register import REGISTER_FILE, RUNS_FOLDER, read_register
from seatwarden.engine.log.run_folder import JOURNAL_FILE, PLAN_FILE
from seatwarden.engine.plan.free import available_in
from seatwarden.engine.service.past_runs import RegisteredRun, last_runs
from seatwarden.engine.site.settings import Settings

_LOOKED_AT = 100
"""Newest runs and attempts among which one with a record is looked for."""


def page_name(site: str) -> str:
    """The file of a site's page, beside that on the fleet."""
    return f"{site}.html"


def newest_run(settings: Settings, result: SiteResult) -> tuple[SiteResult, Path | None]:
    """The result with what the register says of the newest run, and the folder of the newest one whose record is there.

    Raises DamagedLog, InputError, OSError.
    """
    register = read_register(settings.folder / REGISTER_FILE)
    runs = last_runs(register, settings.folder, _LOOKED_AT) if register is not None else []
    if not runs:
        return structs.replace(result, state="no run yet"), None
    result = structs.replace(result, state=runs[0].state, well=runs[0].well)
    if runs[0].at is not None:
        result = structs.replace(result, at=format_instant(runs[0].at))
    for run in runs:
        folder = _folder(run, settings)
        if folder is not None:
            return _counted(result, run, folder), folder
    return result, None


def _folder(run: RegisteredRun, settings: Settings) -> Path | None:
    """The folder of a run whose record is there; also where it was planned elsewhere, and stands among the others."""
    among = settings.folder / RUNS_FOLDER / run.run_id if run.run_id else None
    if among is not None and not run.has_record and (among / PLAN_FILE).is_file():
        return among
    return run.folder if run.has_record else None


def _counted(result: SiteResult, run: RegisteredRun, folder: Path) -> SiteResult:
    """The result with the numbers of a run, by its record."""
    log = read_log(folder)
    journal = read_journal(folder / JOURNAL_FILE) if (folder / JOURNAL_FILE).exists() else None
    outcomes = journal.outcomes.values() if journal is not None else ()
    return structs.replace(
        result,
        dry_run=run.mode != "live",
        licenses=log.summary.licenses,
        due=log.summary.release,
        this_run=log.summary.this_run,
        undetermined=log.summary.undetermined,
        results=dict(Counter(line.result for line in outcomes)),
        free=available_in(log.header.overview),
        run_id=run.run_id,
        folder=str(folder),
    )
