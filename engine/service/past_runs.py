"""The last runs of a site, as its register knows them: when, how many licenses, and how each ended."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import UNSET

from seatwarden.engine.common.files import patiently
from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.common.text import plural
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.log.first_line import first_line
from seatwarden.engine.log.register import Attempt, Begun, ClosedRun, Planned, RegisterState
from seatwarden.engine.log.results import TAKEN
from seatwarden.engine.log.run_folder import PLAN_FILE
from seatwarden.engine.plan.modes import LIVE
from seatwarden.engine.snapshot.model import Seats
from seatwarden.grammar.ast import LicenseType

_TAIL = 64 * 1024
"""Bytes from the end of a plan among which its summary stands."""


@dataclass(frozen=True, slots=True)
class RegisteredRun:
    """A run, or an attempt at one that came to no plan: then it has no id and no folder.

    `mode`, `due` and `released` are None where they are not known. `well` is whether there is nothing to see to.
    """

    at: datetime | None
    state: str
    well: bool
    mode: str | None = None
    due: int | None = None
    released: int | None = None
    run_id: str | None = None
    folder: Path | None = None
    root: str | None = None
    """The root of its plan, by the register."""

    @property
    def has_record(self) -> bool:
        """Whether its plan is there still."""
        return self.folder is not None and (self.folder / PLAN_FILE).is_file()


@dataclass(slots=True)
class _Found:
    """The lines of a run, the last of each kind."""

    planned: Planned
    begun: Begun | None = None
    closed: ClosedRun | None = None
    attempt: Attempt | None = None


def last_runs(
    register: RegisterState, state_folder: Path, most: int, *, under_way: bool = False
) -> list[RegisteredRun]:
    """The last runs, newest first. `under_way`: a release is at work, so that a run without an end has just begun."""
    entries: list[_Found | Attempt] = []
    runs: dict[int, _Found] = {}
    for line in register.lines:
        match line:
            case Planned():
                entries.append(runs.setdefault(line.run, _Found(line)))
            case Attempt(run=None):
                entries.append(line)
            case Attempt(run=int(n)) if n in runs:
                runs[n].attempt = line
            case Begun(run=n) if n in runs:
                runs[n].begun, runs[n].closed = line, None
            case ClosedRun(run=n) if n in runs:
                runs[n].closed = line
    return [
        _attempt(entry) if isinstance(entry, Attempt) else _run(entry, state_folder, under_way)
        for entry in reversed(entries[-most:])
    ]


def find_run(register: RegisterState, state_folder: Path, run_id: str) -> RegisteredRun | None:
    """The run of that id whose folder lies among those of the state folder, itself and not by a link; None for any
    other."""
    for line in register.of_kind(Planned):
        if line.run_id == run_id:
            run = _run(_Found(line), state_folder, under_way=False)
            return run if _is_among_runs(run.folder, state_folder) else None
    return None


def _is_among_runs(folder: Path | None, state_folder: Path) -> bool:
    """Whether a folder is one of the state folder's runs; a link that leads out of it is none."""
    if folder is None:
        return False
    plan = folder / PLAN_FILE
    try:
        place = state_folder.resolve() / folder.relative_to(state_folder) / PLAN_FILE
        return plan.is_file() and plan.resolve() == place
    except (OSError, ValueError, RuntimeError):
        return False


def _attempt(line: Attempt) -> RegisteredRun:
    return RegisteredRun(parse_timestamp(line.at), line.result, well=False)


def _run(found: _Found, state_folder: Path, under_way: bool) -> RegisteredRun:
    planned, closed = found.planned, found.closed
    folder = None if planned.is_elsewhere else state_folder / planned.folder
    state, well = _state(found, folder, under_way)
    return RegisteredRun(
        parse_timestamp(planned.at),
        state,
        well,
        "live" if planned.mode == LIVE else planned.mode,
        planned.release,
        sum(closed.results.get(one, 0) for one in TAKEN) if closed else None,
        planned.run_id,
        folder,
        planned.root,
    )


def _state(found: _Found, folder: Path | None, under_way: bool) -> tuple[str, bool]:
    """How a run ended, in words, and whether that is well."""
    if found.closed is not None:
        bad = found.closed.results.get("failed", 0) + found.closed.results.get("unknown", 0)
        if bad:
            return f"applied, {plural(bad, 'license')} failed", False
        return ("applied", True) if found.closed.settled else ("interrupted", False)
    if found.begun is not None:
        return ("under way", True) if under_way else ("interrupted", False)
    if found.attempt is not None:
        return _refused(found.attempt, folder), False
    if found.planned.mode != LIVE:
        return found.planned.mode, True
    return ("planned" if found.planned.release else "nothing due"), True


def _refused(attempt: Attempt, folder: Path | None) -> str:
    """Its reason is not told: it may name somebody."""
    if attempt.result == "failed":
        return "failed"
    reason = attempt.person.reason if attempt.person is not UNSET else None
    if reason and reason.startswith("SW"):
        return f"stopped by {reason.partition(':')[0][:5]}"
    if reason and reason.startswith("`guarantee"):
        return "stopped by a guarantee"
    return "refused by the limit" if folder is not None and _is_over_limit(folder) else "refused"


class _Summary(msgspec.Struct, rename="camel"):
    over_limit: list[str] = []


class _SummaryLine(msgspec.Struct):
    kind: str = ""
    summary: _Summary = msgspec.field(default_factory=_Summary)


def _is_over_limit(folder: Path) -> bool:
    """Whether the plan in a folder says that it is over a limit. Nothing of it is verified."""
    try:
        with patiently((folder / PLAN_FILE).open, "rb") as plan:
            plan.seek(max(0, plan.seek(0, 2) - _TAIL))
            lines = plan.read().splitlines()
        found = next((line for line in reversed(lines) if b'"kind":"summary"' in line), b"{}")
        return bool(msgspec.json.decode(found, type=_SummaryLine).summary.over_limit)
    except (OSError, *UNREADABLE):
        return False


def seats_before(run: RegisteredRun) -> dict[LicenseType, Seats]:
    """The site's licenses by type as a run found them, before it released any; empty where it does not say."""
    first = first_line(run.folder) if run.folder is not None else None
    return first.overview if first is not None else {}
