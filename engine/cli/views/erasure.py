"""What `log forget` and `log prune` say: what is to go, what is left, what nobody here can reach."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.log.register import REGISTER_FILE, ErasureReason
from seatwarden.engine.metrics.spool import SPOOL_FOLDER
from seatwarden.engine.notice.holds import HOLDS_FILE
from seatwarden.engine.notice.register import NOTICES_FILE
from seatwarden.engine.runs.retention import OldRuns
from seatwarden.engine.runs.traces import LeftRun, Traces

_MOST_RUNS = 20
"""Most runs that are listed; JSON has them all."""


def trace_lines(traces: Traces) -> Iterator[str]:
    """What is to be erased, run by run, and what is left as it is."""
    yield printable(traces.person.label)
    runs = traces.runs
    for folder, count in list(runs.items())[:_MOST_RUNS]:
        yield printable(f"  {folder}: {plural(count, 'line')}" if count else f"  {folder}: its pages, made anew")
    if len(runs) > _MOST_RUNS:
        yield f"  and {plural(len(runs) - _MOST_RUNS, 'more run')}"
    if own := len(traces.files.get(REGISTER_FILE, ())):
        yield f"  {REGISTER_FILE}: {plural(own, 'line')}"
    for name in (HOLDS_FILE, NOTICES_FILE):
        if beside := len(traces.files.get(name, ())):
            yield f"  {name}: {plural(beside, 'line')}"
    if points := sum(len(numbers) for name, numbers in traces.files.items() if name.startswith(f"{SPOOL_FOLDER}/")):
        yield f"  {SPOOL_FOLDER}: {plural(points, 'point')} that InfluxDB has not got"
    if found := traces.history.extent:
        yield f"  {HISTORY_FILE}: {plural(found, 'row')}, in all its snapshots"
    yield from left_lines("Left as they are:", traces.left)


def left_lines(title: str, left: Iterable[LeftRun]) -> Iterator[str]:
    """Runs that stay, each with the reason."""
    lines = [printable(f"  {run.folder}: {run.why}") for run in left]
    if lines:
        yield title
        yield from lines


def reach_lines(elsewhere: Iterable[str]) -> Iterator[str]:
    """What nobody here can erase."""
    yield "Out of reach, and yours to look at:"
    yield from (printable(f"  {place}") for place in elsewhere)


def traces_to_json(traces: Traces, reason: ErasureReason, elsewhere: list[str]) -> dict[str, Any]:
    """The same for programs."""
    return {
        "user": traces.person.user,
        "reason": reason,
        "lines": traces.lines,
        "runs": [{"folder": folder, "lines": count} for folder, count in traces.runs.items()],
        "files": traces.files,
        "left": _left_to_json(traces.left),
        "outOfReach": elsewhere,
    }


def old_lines(old: OldRuns, state: Path) -> Iterator[str]:
    """The runs whose time is over."""
    due = list(old.due)
    yield from (f"  {state / folder}" for folder in due[:_MOST_RUNS])
    if len(due) > _MOST_RUNS:
        yield f"  and {plural(len(due) - _MOST_RUNS, 'more run')}"
    yield from left_lines("Kept although their time is over:", old.kept)


def old_to_json(old: OldRuns) -> dict[str, Any]:
    """The same for programs, with the roots that stay in the register."""
    upto = old.upto.isoformat() if old.upto else None
    runs = [{"folder": folder, "root": root} for folder, root in old.due.items()]
    return {"upTo": upto, "runs": runs, "kept": _left_to_json(old.kept)}


def _left_to_json(left: Iterable[LeftRun]) -> list[dict[str, str]]:
    return [{"folder": str(run.folder), "why": run.why} for run in left]
