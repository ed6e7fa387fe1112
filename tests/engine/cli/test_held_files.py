"""Files that another process opens as soon as they are there, as virus scanners, backups and monitors do.

Only on Windows can such a file be neither replaced nor deleted meanwhile.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from seatwarden.engine.common.files import write_atomically
from seatwarden.engine.metrics.delivery import Delivery, deliver
from seatwarden.engine.metrics.spool import Spool
from seatwarden.engine.notify.repetition import Repetition
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.applying import read_outcomes
from tests.engine.cli.conftest import Run
from tests.engine.idle import ALL
from tests.engine.metrics.test_delivery import NOW, Memory
from tests.engine.service.sites import runs_of, write_site

pytestmark = pytest.mark.usefixtures("quick")

_HOLDING = """
import contextlib, os, sys, threading, time

def hold(path):
    with contextlib.suppress(OSError), open(path, "rb"):
        held.append(os.path.basename(path))
        time.sleep(0.3)

seen, held, done = set(), [], threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set())).start()
print(flush=True)
while not done.is_set():
    for folder, _, names in os.walk(sys.argv[1]):
        for name in names:
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                new = path, os.stat(path).st_ctime_ns
                if not name.endswith(".lock") and new not in seen:
                    seen.add(new)
                    threading.Thread(target=hold, args=(path,)).start()
    time.sleep(0.002)
print(*held, sep="\\n")
"""


@contextmanager
def _held_by_others(folder: Path) -> Iterator[list[str]]:
    """A context in which another process opens each new file below a folder for 0.3 s; gives those it had, after it."""
    held: list[str] = []
    arguments = [sys.executable, "-c", _HOLDING, str(folder)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        yield held
        held += other.communicate("")[0].split("\n")


def test_a_run_is_written_and_applied(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release="dryRun: false")
    with _held_by_others(tmp_path) as held:
        ran = run("run", "--site", site)
    assert (ran.code, sorted(idle_qrs.deleted)) == (0, ALL)
    (folder,) = runs_of(site)
    assert run("log", "verify", folder).code == 0
    assert read_outcomes(folder).sealed
    assert [path.name for path in tmp_path.rglob("*.part")] == []
    assert {".plan.jsonl.part", "plan.jsonl", "outcomes.jsonl"} & set(held)


def test_spool_heartbeat_and_what_was_told(tmp_path: Path) -> None:
    database = Memory()
    with _held_by_others(tmp_path) as held:
        for n in range(5):
            database.up = n % 2 == 0
            report = deliver([f"{n}"], database, Spool(tmp_path / "spool"))
            assert report == (Delivery(sent=2 if n else 1) if database.up else Delivery(waiting=1, problem="down"))
            write_atomically(tmp_path / "heartbeat.json", json.dumps(n).encode())
            assert Repetition(tmp_path).is_news("it", NOW.date()) == (n == 0)
    assert database.lines == ["0", "1", "2", "3", "4"]
    assert (tmp_path / "heartbeat.json").read_bytes() == b"4"
    assert [path.name for path in tmp_path.rglob("*.part")] == []
    assert [path.name for path in tmp_path.rglob("*.lines")] == []
    assert "heartbeat.json" in held
