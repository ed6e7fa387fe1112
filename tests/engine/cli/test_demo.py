"""`seatwarden demo` and the command as a process of its own."""

import subprocess
import sys
from pathlib import Path

from tests.engine.cli.conftest import Run


def test_the_tour(run: Run, tmp_path: Path) -> None:
    ran = run("demo", "--folder", tmp_path / "demo")
    assert (ran.code, ran.err) == (0, "")
    for words in (
        "$ seatwarden plan --site",
        "Sealed plan written to",
        "KEPT — protected by",
        "RELEASED — release professional",
        "KEPT — not due yet",
        "KEPT — in quarantine",
        ": verified",
        "All that took 4 requests to QRS, and nothing was released",
        "Killed\n",
        "done by an earlier run)",
        "19 released, 0 gone, 0 skipped, 0 failed, 0 unknown",
        "19 licenses were deleted on the simulated site, 19 different ones.",
    ):
        assert words in ran.out


def test_what_the_demo_suggests_works(run: Run, tmp_path: Path) -> None:
    out = run("demo", "--folder", tmp_path / "demo").out
    suggestions = [line.split() for line in out.split("Try next:")[1].splitlines() if line.startswith("  seatwarden ")]
    assert len(suggestions) == 5
    for words in suggestions:
        assert run(*(word.strip("'") for word in words[1:])).code == 0


def test_the_demo_can_be_run_again(run: Run, tmp_path: Path) -> None:
    assert [run("demo", "--folder", tmp_path / "demo").code for _ in range(2)] == [0, 0]


def test_as_a_process() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "engine.cli.main", "--version"], capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("seatwarden ")
    ended = subprocess.run(
        [sys.executable, "-m", "engine.cli.main", "plan"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: nothing to decide on")
