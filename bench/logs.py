"""Past plans: what is done with a sealed log, as whole processes."""

import shutil
from pathlib import Path
from statistics import median

from bench.measure import seatwarden, seconds, table
from bench.policies import BUTLER
from bench.sites import Site


def measure(folder: Path, licenses: int, runs: int) -> str:
    """The section of the report."""
    path = folder / f"site-{licenses}.json"
    site = Site(licenses)
    if not path.exists():
        site.write(path)
    someone = next(site.rows())[0]
    plan = folder / "past-plan"
    shutil.rmtree(plan, ignore_errors=True)
    seatwarden("plan", "-p", BUTLER, "-s", path, "-o", plan)
    commands: dict[str, tuple[str | Path, ...]] = {
        "`log verify`: the chain": ("log", "verify", plan),
        "`log replay`: every decision again, by the reference evaluator": ("log", "replay", plan),
        "`explain --plan` of one user": ("explain", "--plan", plan, f"{someone['userDirectory']}\\{someone['userId']}"),
        "`report`: the page, every decision explained": ("report", plan),
    }
    rows = []
    for name, command in commands.items():
        times = [seatwarden(*command).seconds for _ in range(runs)]
        rows.append((name, seconds(median(times)), f"{median(times) / licenses * 1e6:,.0f} µs"))
    size = (plan / "plan.jsonl").stat().st_size / 1e6
    return f"## Past plans\n\nWhole processes on the log of {licenses:,} decisions ({size:,.1f} MB).\n\n" + table(
        ("command", "time", "a license"), rows
    )
