"""Whole processes: `plan -o` and `explain` on sites of several sizes, and what a license costs on each."""

from pathlib import Path
from statistics import median

from bench.goals import plan
from bench.measure import Run, ratio, run, seatwarden, seconds, table
from bench.policies import BUTLER
from bench.sites import Site


def measure(folder: Path, sizes: dict[int, int]) -> str:
    """The section of the report; `sizes` says how many runs are made for each number of licenses."""
    rows = []
    for users, runs in sizes.items():
        site = Site(users)
        path = site.in_file(folder)
        someone = next(site.rows())[0]
        floors, plans, explained = [], [], []
        for _ in range(runs):
            floors.append(run("-m", "bench.floor", path))
            plans.append(plan(path, folder / "plan"))
            explained.append(seatwarden("explain", someone["id"], "-p", BUTLER, "-s", path))
        size = path.stat().st_size
        rows.append(
            (
                f"{users:,}",
                f"{size / 1e6:,.1f} MB",
                _time(floors),
                _time(plans),
                f"{_ratio(plans, floors):.1f}×",
                f"{median(p.seconds for p in plans) / users * 1e6:,.0f} µs",
                f"{median(p.memory for p in plans) / 1e6:,.0f} MB",
                f"{median(p.memory for p in plans) / size:.1f}×",
                _time(explained),
                f"{_ratio(explained, floors):.1f}×",
            )
        )
        if users > max(sizes) // 2 or users > 500_000:
            path.unlink()  # the largest takes 2 GB
    head = (
        *("licenses", "file", "floor", "`plan -o`", "to floor", "a license", "peak memory", "to file"),
        *("`explain`", "to floor"),
    )
    return (
        "## Whole processes\n\n"
        "From the start of Python to its end: reading, deciding, the hash-chained log on the disk, the summary. "
        "The floor is a process that only decodes the same file with typed structs, the fields it needs and no more. "
        "Wanted: that a license costs the same on a site of 10,000 and of 1,000,000, within a fifth.\n\n"
        + table(head, rows)
    )


def _time(runs: list[Run]) -> str:
    return seconds(median(run.seconds for run in runs))


def _ratio(ones: list[Run], others: list[Run]) -> float:
    return ratio([run.seconds for run in ones], [run.seconds for run in others])
