"""`make bench`: measures everything and writes bench/RESULTS.md. `make bench-quick`: the goals, in two minutes.

python -m bench [--quick | --tiny] [--output FILE]
"""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench import backtests, editor, evaluator, fleet, goals, guarantees, live, page, peers, whole
from bench.measure import ROOT

LIBRARIES = ("msgspec", "typer", "rich", "lark", "ruamel.yaml", "requests")
MINUTES = "about ten minutes"


def main() -> None:
    """Measures, and writes the report."""
    parser = argparse.ArgumentParser(prog="bench", description=f"Takes {MINUTES} and 4 GB of memory.")
    parser.add_argument("--quick", action="store_true", help="the goals only, on one site, and print them")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes: to see that it runs")
    parser.add_argument("--output", type=Path, default=ROOT / "bench" / "RESULTS.md", help="where to")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.quick:
            sys.stdout.write(goals.measure(folder, [40_000], 3))
            return
        sections = [_section(measure) for measure in _measurements(folder, tiny=options.tiny)]
    spent = f"Measured in {(time.monotonic() - started) / 60:.1f} minutes.\n"
    options.output.write_text("\n".join([_head(), *sections, spent]), encoding="utf-8")


def _measurements(folder: Path, *, tiny: bool) -> list[Callable[[], str]]:
    if tiny:
        return [
            lambda: goals.measure(folder, [20], 1),
            lambda: whole.measure(folder, {10: 1}),
            lambda: evaluator.measure(folder, 20, 1),
            lambda: peers.measure(folder, 20, 1),
            lambda: live.measure(folder, (5,), 1),
            lambda: page.measure(folder, 20, 1),
            lambda: editor.measure(folder, (5,), 5),
            lambda: guarantees.measure(20, 1),
            lambda: backtests.measure(backtests.made(folder, (20,), 8), 1),
            lambda: fleet.measure(folder, 3, 20, 0.01, 1),
        ]
    return [
        lambda: goals.measure(folder, [40_000, 100_000], 5),
        lambda: whole.measure(folder, {10: 5, 1_000: 5, 10_000: 5, 100_000: 5, 1_000_000: 1}),
        lambda: evaluator.measure(folder, 100_000, 7),
        lambda: peers.measure(folder, 100_000, 5),
        lambda: live.measure(folder, (200, 2_000, 20_000), 5),
        lambda: page.measure(folder, 100_000, 5),
        lambda: editor.measure(folder, (50, 500, 2_000), 100),
        lambda: guarantees.measure(2_000, 9),
        lambda: backtests.measure(backtests.made(folder, (2_000,), 365), os.cpu_count() or 2),
        lambda: fleet.measure(folder, 50, 2_000, 0.4, 3),
    ]


def _section(measure: Callable[[], str]) -> str:
    started = time.monotonic()
    section = measure()
    title = section.partition("\n")[0].strip("# ")
    sys.stderr.write(f"{title}: {time.monotonic() - started:.0f} s\n")
    return section


def _head() -> str:
    versions = ", ".join(f"{library} {_version(library)}" for library in LIBRARIES)
    load = f" Load when it ended: {os.getloadavg()[0]:.1f}." if hasattr(os, "getloadavg") else ""
    return (
        "# Measurements\n\n"
        "Written by `make bench`. Medians of several runs; a ratio is the median of the ratios of runs that were made "
        "right after each other, on the same data.\n\n"
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}; "
        f"Python {platform.python_version()}; {versions}.{load}\n"
    )


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "?"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"


if __name__ == "__main__":
    main()
