"""What an erasure cannot reach: where a person is named that is not ours to change, and what has left the machine."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seatwarden.engine.common.files import read_file
from seatwarden.engine.log.run_folder import CANONICAL_FILE, PLAN_FILE, POLICY_FOLDER
from seatwarden.engine.runs.forgotten import ForgottenPerson
from seatwarden.engine.runs.traces import NamedPlace, Traces, places_in, run_folders_of, still_named

if TYPE_CHECKING:
    from seatwarden.engine.site.settings import Settings


def out_of_reach(person: ForgottenPerson, settings: "Settings") -> list[str]:
    """Where a person is named, or may be, that no erasure reaches: for the administrator to look at."""
    found = [f"the person is named here: {place}" for place in _named_by(person, settings.files)]
    kept = [folder.name for folder in run_folders_of(settings.folder) if any(_named_by(person, _policies(folder)))]
    if kept:
        runs = f"{', '.join(kept[:5])}{_more(kept)}"
        found.append(f"the policy that was in force names the person, and is kept in {runs}")
    if (log := _service_log(settings)) is not None:
        found.append(f"the log of the service: {log} and the older ones beside it")
    if settings.influx is not None:
        found.append("InfluxDB: points of `qlik_sense_license_release` with this `user`, as far as they were sent")
    if settings.notifications.anybody:
        found.append("mails and messages that were sent")
    found.append("backups and copies of the state folder, and free blocks of the disk")
    found.append("plans, snapshots, pages and tables that somebody has written elsewhere")
    found.append("Qlik Sense: as long as it has a license of this person, the next run records the person anew")
    return found


@dataclass(frozen=True, slots=True)
class StillNamed:
    """Where the record still names a person after an erasure: `by_hand` are lines that say that the person has run
    seatwarden, which stay; `unexpected` are all others, but for policies, the log of the service and the runs that
    were left as they are, which are said apart."""

    by_hand: int
    unexpected: tuple[str, ...]


def named_after(traces: Traces, settings: "Settings") -> StillNamed:
    """What is left of a person below the state folder."""
    log = _service_log(settings)
    left = (*([log.with_suffix("")] if log else []), *(run.folder for run in traces.left))
    begins = tuple(os.path.normcase(path) for path in left)
    by_hand, unexpected = 0, []
    for place in still_named(traces.person, settings.folder):
        if _is_policy(place.path, place.line) or os.path.normcase(place.path).startswith(begins):
            continue
        if place.path.suffix == ".jsonl" and b'"account":' in place.text:
            by_hand += 1
        else:
            unexpected.append(str(place))
    return StillNamed(by_hand, tuple(unexpected))


def _service_log(settings: "Settings") -> Path | None:
    """The log of the service: the one that the site file names, else that of the Windows service, if any."""
    log = settings.service_log
    return log if settings.log.file or log.is_file() else None


def _named_by(person: ForgottenPerson, files: Iterable[Path]) -> Iterator[NamedPlace]:
    for path in files:
        try:
            yield from places_in(person, path, read_file(path))
        except OSError:
            continue


def _policies(folder: Path) -> Iterator[Path]:
    """The policy of a run: its files, and the canonical text."""
    yield folder / CANONICAL_FILE
    if (folder / POLICY_FOLDER).is_dir():
        yield from (folder / POLICY_FOLDER).iterdir()


def _is_policy(path: Path, line: int | None) -> bool:
    in_plan = path.name == PLAN_FILE and line == _POLICY_LINE
    return in_plan or path.parent.name == POLICY_FOLDER or path.name == CANONICAL_FILE


_POLICY_LINE = 2


def _more(listed: list[str]) -> str:
    return f" and {len(listed) - 5:,} more runs" if len(listed) > 5 else ""
