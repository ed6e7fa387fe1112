"""Measuring: child processes by wall time and peak memory, functions by wall time; medians, ratios run by run."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent

_ENV = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Modules are compiled once, as those of an installed program are, and not in every process."""


@dataclass(frozen=True, slots=True)
class Run:
    """What a child process took: seconds by the wall, and its peak memory in bytes (Linux)."""

    seconds: float
    memory: int


def run(*arguments: str | Path, codes: Sequence[int] = (0,)) -> Run:
    """Runs Python with these arguments, output thrown away. Raises RuntimeError when it ends with another code."""
    command = [sys.executable, *map(str, arguments)]
    start = time.perf_counter()
    with subprocess.Popen(command, cwd=ROOT, env=_ENV, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
        assert child.stderr is not None  # noqa: S101 - for the type checker
        errors = child.stderr.read()
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in codes:
        raise RuntimeError(f"{command} ended with {child.returncode}: {errors.decode(errors='replace')[-2000:]}")
    return Run(seconds, used.ru_maxrss * 1024)


def seatwarden(*arguments: str | Path) -> Run:
    """Runs the command line."""
    return run("-m", "seatwarden", *arguments)


def timed(function: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def ratio(ones: Sequence[float], others: Sequence[float]) -> float:
    """The median of the ratios of runs that were made right after each other."""
    return median(one / other for one, other in zip(ones, others, strict=True))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def seconds(value: float) -> str:
    """`1.23 s`, or `45 ms`."""
    return f"{value:.2f} s" if value >= 0.95 else f"{value * 1000:.0f} ms"
