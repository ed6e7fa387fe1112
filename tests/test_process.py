"""The command as a process: it ends at once, and loses nothing."""

import subprocess
import sys
import textwrap

import pytest


def _ended(run: str, *, after: str = "") -> subprocess.CompletedProcess[str]:
    """A process whose command does what `run` says."""
    program = (
        "import atexit, gc, sys, threading, time\n"
        "import seatwarden.__main__ as process, seatwarden.engine.cli.main as command_line\n"
        f"def run():\n{textwrap.indent(run, '    ')}\n"
        f"command_line.main = run\n{after}\nprocess.main()\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("run", "code"),
    [("pass", 0), ("sys.exit(0)", 0), ("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('words')", 1), ("1 / 0", 1)],
)
def test_the_code_is_that_of_the_command(run: str, code: int) -> None:
    assert _ended(run).returncode == code


def test_what_is_written_is_there() -> None:
    ran = _ended("sys.stdout.write('x' * 100_000); sys.stderr.write('y'); sys.exit(4)")
    assert (ran.returncode, len(ran.stdout), ran.stderr) == (4, 100_000, "y")


def test_what_is_to_be_done_at_the_end_is_done() -> None:
    assert _ended("sys.exit(0)", after="atexit.register(lambda: print('done'))").stdout == "done\n"


def test_a_thread_at_work_is_waited_for() -> None:
    work = "def work():\n    time.sleep(0.5)\n    print('worked')\nthreading.Thread(target=work).start()\nsys.exit(5)"
    ran = _ended(work)
    assert (ran.returncode, ran.stdout) == (5, "worked\n")


def test_one_that_waits_for_ever_is_not() -> None:
    assert _ended("threading.Thread(target=time.sleep, args=(600,), daemon=True).start()").returncode == 0


_LEFT = "class Left:\n    def __del__(self): print('freed')\n"


@pytest.mark.parametrize("left", ["global left\nleft = Left()", "left = Left()\nsys.exit(0)"])
def test_nothing_is_taken_apart(left: str) -> None:
    assert _ended(_LEFT + left).stdout == ""


def test_what_a_command_has_done_with_is_freed() -> None:
    assert _ended(f"{_LEFT}left = Left()").stdout == "freed\n"


def test_the_collector_does_not_come_while_a_command_begins() -> None:
    counted = "came = []\ngc.callbacks.append(lambda phase, info: came.append(phase))\n"
    begins = "from seatwarden.engine.cli.commands import lint\nlint.lint([])"
    ran = _ended(f"{counted}try:\n    {begins.replace(chr(10), chr(10) + '    ')}\nfinally:\n    print(len(came))")
    assert ran.stdout == "0\n"
