"""The goals: whole processes beside what they cannot do without, in pairs of runs made right after each other."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.measure import ROOT, Run, ratio, run, seatwarden, seconds, table
from bench.policies import BUTLER
from bench.sites import Site

_EXAMPLES = ROOT / "examples"
_TYPER = ("-c", "import typer")


@dataclass(frozen=True, slots=True)
class Goal:
    """A command beside its floor: at most how many times as long it is to take, and how many would be wonderful."""

    name: str
    floor_name: str
    command: Callable[[], Run]
    floor: Callable[[], Run]
    goal: float
    moonshot: float


def measure(folder: Path, sizes: Sequence[int], runs: int) -> str:
    """The section of the report: the goals on sites of these sizes, and those of start-up."""
    rows = []
    for goal in _of_start_up(folder):
        rows.append(_row(goal, "", runs))
    for licenses in sizes:
        for goal in (*_of_snapshot(folder, licenses), *_of_log(folder, licenses)):
            rows.append(_row(goal, f"{licenses:,}", runs))
        rows.append(_memory(folder, licenses))
    head = ("command", "licenses", "time", "floor", "to floor", "goal", "moonshot", "")
    return (
        "## The goals\n\n"
        "Whole processes, and what each is measured against: a process that decodes the same snapshot with typed "
        "structs (`bench/floor.py`); one that does with each line of the log once what its format demands "
        "(`bench/log_floor.py`); one that imports Typer.\n\n" + table(head, rows)
    )


def _row(goal: Goal, licenses: str, runs: int) -> tuple[str, ...]:
    ours, floors = [], []
    for _ in range(runs):
        floors.append(goal.floor().seconds)
        ours.append(goal.command().seconds)
    found = ratio(ours, floors)
    times = seconds(median(ours)), f"{seconds(median(floors))}, {goal.floor_name}"
    return (goal.name, licenses, *times, f"{found:.1f}×", *_wanted(found, goal.goal, goal.moonshot))


def _wanted(found: float, goal: float, moonshot: float) -> tuple[str, str, str]:
    reached = "moonshot" if found <= moonshot else "reached" if found <= goal else "missed"
    return f"{goal:g}×", f"{moonshot:g}×", reached


def _of_start_up(folder: Path) -> list[Goal]:
    snapshot = Site(10).in_file(folder)

    def typer() -> Run:
        return run(*_TYPER)

    return [
        Goal("`--version`", "Typer", lambda: seatwarden("--version"), typer, 1.2, 1.1),
        Goal("`lint` of a policy", "Typer", lambda: seatwarden("lint", _EXAMPLES / "butler.policy"), typer, 2.0, 1.6),
        Goal("`lint` of a YAML", "Typer", lambda: seatwarden("lint", _EXAMPLES / "butler.yaml"), typer, 2.6, 1.6),
        Goal("`plan` of 10 licenses", "Typer", lambda: seatwarden("plan", "-p", BUTLER, "-s", snapshot), typer, 2.5, 2),
    ]


def _of_snapshot(folder: Path, licenses: int) -> list[Goal]:
    snapshot, someone = Site(licenses).in_file(folder), next(Site(licenses).rows())[0]["id"]

    def floor() -> Run:
        return run("-m", "bench.floor", snapshot)

    return [
        Goal("`plan -o`", "decoding", lambda: plan(snapshot, folder / "plans" / "new"), floor, 3.2, 2.5),
        Goal(
            "`explain`",
            "decoding",
            lambda: seatwarden("explain", someone, "-p", BUTLER, "-s", snapshot),
            floor,
            1.6,
            1.3,
        ),
    ]


def _of_log(folder: Path, licenses: int) -> list[Goal]:
    someone = next(Site(licenses).rows())[0]
    user, past = f"{someone['userDirectory']}\\{someone['userId']}", folder / f"past-{licenses}" / "run"
    if not past.exists():
        plan(Site(licenses).in_file(folder), past)
    page = folder / "page.html"

    def floor() -> Run:
        return run("-m", "bench.log_floor", past / "plan.jsonl")

    return [
        Goal("`log verify`", "the log", lambda: seatwarden("log", "verify", past), floor, 1.5, 1),
        Goal("`explain --plan`", "the log", lambda: seatwarden("explain", "--plan", past, user), floor, 1.5, 1),
        Goal("`log replay`", "the log", lambda: seatwarden("log", "replay", past), floor, 6, 4),
        Goal("`report`", "the log", lambda: seatwarden("report", past, "-o", page, "--force"), floor, 12, 6),
    ]


def _memory(folder: Path, licenses: int) -> tuple[str, ...]:
    snapshot = Site(licenses).in_file(folder)
    size, peak = snapshot.stat().st_size, plan(snapshot, folder / "plans" / "new").memory
    times = f"{peak / 1e6:,.0f} MB", f"{size / 1e6:,.0f} MB, the file"
    return ("peak memory of `plan -o`", f"{licenses:,}", *times, f"{peak / size:.1f}×", *_wanted(peak / size, 1.6, 1.2))


def plan(snapshot: Path, output: Path) -> Run:
    """A plan of the snapshot, into a folder that has none."""
    shutil.rmtree(output, ignore_errors=True)
    return seatwarden("plan", "-p", BUTLER, "-s", snapshot, "-o", output)
