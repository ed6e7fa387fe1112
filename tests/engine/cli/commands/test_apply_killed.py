"""kill -9 at any moment: real processes, killed at random points, against the real HTTPS simulator.

Whatever the moment: no license is deleted without an intent that was on the disk before, none is deleted twice,
every DELETE that reached QRS has an outcome after the next apply, and the chain verifies.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.applying import read_outcomes
from tests.engine.cli.conftest import Processes, Run, SiteFile
from tests.engine.cli.rounds import ROUNDS
from tests.engine.idle import ALL, LICENSES, POLICY, idle_site
from tests.platforms import WINDOWS

# At least 200 kills in all rounds; on Windows, where a process takes seconds to begin, it is seen that they do no harm.
KILLS_A_ROUND = 4 if WINDOWS else 22
KILLS_IN_THE_FIRST = 2 if WINDOWS else 8
"""That round is in every run of the suite."""
LATENCY = 0.05 if WINDOWS else 0.004
"""Seconds for an answer. Under Wine this process wakes late: with quick answers it finds the work done."""


def _apply(folder: str, site: str, state: str) -> None:
    """The whole command, in a process of its own."""
    import seatwarden.engine.cli.commands.apply
    from seatwarden.engine.cli.main import main

    setattr(seatwarden.engine.cli.state_folder, "user_state_path", lambda *args, **options: Path(state))  # noqa: B010 - the child is its own
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    sys.argv = ["seatwarden", "apply", folder, "--site", site, "--yes"]
    main()


@pytest.fixture
def qrs(certificates: CertificateFiles) -> Iterator[SimulatedQrs]:
    with SimulatedQrs(idle_site(), certificates=certificates, latency_seconds=LATENCY) as server:
        yield server


@pytest.mark.parametrize("seed", ROUNDS)
def test_killed_at_random_points(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path, processes: Processes, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a kill needs no cryptography
    site = site_file(qrs.port)
    (tmp_path / "p.policy").write_text(POLICY)
    kills, wanted = 0, KILLS_A_ROUND if seed else KILLS_IN_THE_FIRST
    for n in range(1000):
        if kills >= wanted:
            return
        _restore(qrs)
        folder = tmp_path / f"run{n}"
        assert run("plan", "-p", tmp_path / "p.policy", "--site", site, "-o", folder).code == 0
        before = len(qrs.deleted)
        while True:
            process = processes(target=_apply, args=(str(folder), str(site), str(tmp_path)))
            process.start()
            if kills < wanted:
                _wait_for_requests(process, qrs, chance)
            else:
                process.join(120)
            if process.is_alive():
                process.kill()
                kills += 1
            process.join()
            if chance.random() < 0.3:
                _tear_last_line(folder, chance)
            _check(qrs, folder, before)
            if process.exitcode == 0:
                break
        deleted = qrs.deleted[before:]
        assert sorted(deleted) == ALL
        journal = read_outcomes(folder)
        assert journal.sealed
        assert {journal.results[license_id] for license_id in deleted} == {"released"}
    pytest.fail("too few processes lived long enough to be killed")


def _wait_for_requests(process: BaseProcess, qrs: SimulatedQrs, chance: random.Random) -> None:
    """Waits until some number of requests has come (a license costs three), and a moment more; or for the end."""
    seen, target = len(qrs.requests), chance.randint(1, 3 * LICENSES)
    deadline = time.monotonic() + 60
    while process.is_alive() and len(qrs.requests) < seen + target and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.006))


def _check(qrs: SimulatedQrs, folder: Path, before: int) -> None:
    """What must hold at every moment, whatever has just been killed."""
    deleted = qrs.deleted[before:]
    assert len(deleted) == len(set(deleted)), "none is deleted twice"
    if deleted:
        journal = _readable(folder)
        assert set(deleted) <= journal, "every DELETE had its intent on the disk before"


def _readable(folder: Path) -> set[str]:
    """Licenses with an intent in the whole lines of the journal."""
    from seatwarden.engine.log.growing import whole_lines

    path = folder / "outcomes.jsonl"
    whole = whole_lines(path.read_bytes())
    path_of_whole = folder / "whole" / "outcomes.jsonl"
    path_of_whole.parent.mkdir(exist_ok=True)
    path_of_whole.write_bytes(whole)
    return set(read_outcomes(path_of_whole.parent).intents)


def _tear_last_line(folder: Path, chance: random.Random) -> None:
    """What a power loss does to the last line of a journal, if it is no intent that was flushed."""
    path = folder / "outcomes.jsonl"
    data = path.read_bytes() if path.exists() else b""
    start = data.rfind(b"\n", 0, -1) + 1
    if b'"kind":"outcome"' in data[start:]:
        os.truncate(path, chance.randrange(start, len(data)))


def _restore(qrs: SimulatedQrs) -> None:
    """The site as it was, with nobody's license given back."""
    time.sleep(0.02)  # a DELETE of a killed process may still be on its way
    with qrs.site_lock() as site:
        site["licenses"]["analyzer"][:] = idle_site()["licenses"]["analyzer"]


def test_a_second_process_is_refused(
    run: Run, qrs: SimulatedQrs, site_file: SiteFile, tmp_path: Path, processes: Processes
) -> None:
    """Two real processes at once, with two plans of the same site: one of them does all, the other nothing."""
    site = site_file(qrs.port)
    (tmp_path / "p.policy").write_text(POLICY)
    for name in ("one", "two"):
        run("plan", "-p", tmp_path / "p.policy", "--site", site, "-o", tmp_path / name)
    pair = [processes(target=_apply, args=(str(tmp_path / name), str(site), str(tmp_path))) for name in ("one", "two")]
    for process in pair:
        process.start()
    for process in pair:
        process.join(30)
    codes = [process.exitcode for process in pair]
    assert sorted(qrs.deleted) == ALL
    assert 0 in codes
    # The slower one was refused, or came when the faster had ended and found nothing left to do.
    assert set(codes) <= {0, 1}
