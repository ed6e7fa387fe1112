"""kill -9 while somebody is forgotten: real processes, killed at random points of their work.

Whatever the moment: after the next command the person is wholly there or wholly gone, and everything verifies.
"""

import os
import random
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from seatwarden.engine.report.write import write_report
from tests.engine.cli.conftest import Processes
from tests.engine.cli.rounds import ROUNDS
from tests.engine.runs.recorded import RecordedSite, copied, with_kept_snapshot
from tests.engine.runs.test_erasure import GONE, named
from tests.platforms import WINDOWS

KILLS_A_ROUND = 2 if WINDOWS else 4
"""At least 40 in all rounds; on Windows, where a process takes seconds to begin, it is seen that they do no harm."""
_RUNS = 8


def _forget(site: str) -> None:
    """The whole command, in a process of its own."""
    from seatwarden.engine.cli.main import main

    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    sys.argv = ["seatwarden", "log", "forget", GONE, "--site", site, "--reason", "request", "--yes"]
    main()


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> RecordedSite:
    """Several runs that released nothing."""
    folder = tmp_path_factory.mktemp("before") / "site"
    folder.mkdir()
    site = RecordedSite(folder)
    with pytest.MonkeyPatch.context() as patch:
        with_kept_snapshot(patch, site)
        for _ in range(_RUNS):
            site.run(dry_run=True)
    write_report(site.runs[0], site.runs[0] / "report.html")
    return site


@pytest.mark.parametrize("seed", ROUNDS)
def test_killed_at_random_points(before: RecordedSite, tmp_path: Path, processes: Processes, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a kill needs no cryptography
    kills = 0
    for n in range(200):
        site = copied(before, tmp_path / f"{n}")
        assert site.settings.folder == site.state
        process = processes(target=_forget, args=(str(site.site_file),))
        process.start()
        _wait_for_work(process, site, chance)
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
        with site.record():  # what any next command opens first
            pass
        assert site.verified().faults == []
        left = named(site.state)
        assert left in ([], named(before.state)), f"half erased: {left}"
        if kills == KILLS_A_ROUND:
            return
    pytest.fail("too few processes lived long enough to be killed")


def _wait_for_work(process: BaseProcess, site: RecordedSite, chance: random.Random) -> None:
    """Waits until something in the folder changes: a snapshot is prepared, or the register grows; and a moment more."""
    register, runs = site.state / "runs.jsonl", site.runs
    size = register.stat().st_size
    deadline = time.monotonic() + 60
    while process.is_alive() and time.monotonic() < deadline:
        if register.stat().st_size != size or (runs[0] / ".snapshot.new").exists():
            break
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.25))
