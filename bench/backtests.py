"""A year of backtests: how long they take by the size of the site, here and on Dask workers, and from which size on
those pay. `python -m bench.backtests [HISTORY...]` measures histories that are there already."""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from distributed import LocalCluster

from bench.measure import seconds, table, timed
from bench.past_sites import daily_snapshots
from seatwarden.engine.analysis.hindsight import Spread, here, look_back
from seatwarden.engine.analysis.thresholds import STEPS
from seatwarden.engine.cli.cluster import spread_over
from seatwarden.engine.history.store import History
from seatwarden.engine.history.timeline import read_timeline
from seatwarden.grammar.ast import LicenseType
from seatwarden.policy.loading import CheckedPolicy, check_text

_PLAIN = check_text('keep when user.tags = "License do not release"\nrelease when unused for 30 days', "plain")
_OF_THE_USER = check_text(
    'keep when weekday = ["saturday", "sunday"]\nkeep when user.createdDate > today - 60 days\n'
    "release when user unused for 45 days",
    "of the user",
)
_HARD = check_text('keep when weekday = "monday"\nrelease when license.lastUsed < 2026-01-01 and user.inactive', "hard")
"""Of the hardest kind: each use may change the verdict, whatever the age, and so may each day."""


def measure(histories: Mapping[str, Path], workers: int) -> str:
    """The section of the report: a line for each history and question."""
    questions: dict[str, tuple[dict[str, CheckedPolicy], dict[LicenseType, tuple[int, ...]]]] = {
        "13 thresholds": ({"plain": _PLAIN}, {"analyzer": STEPS}),
        "2 policies": ({"plain": _PLAIN, "of the user": _OF_THE_USER}, {}),
        "2 hard policies": ({"of the user": _OF_THE_USER, "hard": _HARD}, {}),
    }
    rows = []
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        spread_over(cluster.scheduler_address) as on_dask,
    ):
        for site, path in histories.items():
            with History(path) as history:
                reading = timed(lambda: read_timeline(history))
                for name, (policies, ages) in questions.items():
                    one, other = (_taken(history, policies, ages, spread) for spread in (here, on_dask))
                    rows.append((site, name, seconds(reading), seconds(one), seconds(other), f"{one / other:.1f}×"))
    head = ("history", "question", "of it reading", "here", f"on {workers} workers", "gain")
    return f"## Backtests\n\nWall time; {os.cpu_count()} cores.\n\n" + table(head, rows)


def _taken(
    history: History,
    policies: Mapping[str, CheckedPolicy],
    ages: Mapping[LicenseType, tuple[int, ...]],
    spread: Spread,
) -> float:
    return timed(lambda: look_back(history, policies, ages, spread=spread))


def made(folder: Path, sizes: Sequence[int], days: int) -> dict[str, Path]:
    """Histories of sites of these sizes over so many days."""
    found = {}
    for licenses in sizes:
        path = found[f"{licenses:,} licenses, {days} days"] = folder / f"{licenses}.sqlite"
        with History(path, write=True) as history:
            for data in daily_snapshots(licenses, days, sync=False):
                history.add(data, "it")
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        given = {path: Path(path) for path in sys.argv[1:]}
        sys.stdout.write(measure(given or made(Path(name), (1_000, 5_000, 20_000), 365), os.cpu_count() or 2))
