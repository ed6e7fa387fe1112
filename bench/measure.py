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
    starter = [sys.executable, "-I", "-S", str(Path(__file__).with_name("started.py"))]
    ran = subprocess.run([*starter, *command], cwd=ROOT, env=_ENV, capture_output=True, text=True, check=True)
    seconds, memory, code = ran.stdout.split()
    if int(code) not in codes:
        raise RuntimeError(f"{command} ended with {code}: {ran.stderr[-2000:]}")
    return Run(float(seconds), int(memory))


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
