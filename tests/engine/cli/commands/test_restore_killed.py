"""kill -9 at any moment of a restore: real processes, killed at random points, against the real HTTPS simulator.

Whatever the moment: nobody is given a license without an intent that was on the disk before, nobody is given two, no
POST is sent to somebody who has one, every POST that reached QRS has an outcome after the next restore, and the record
verifies.
"""

import os
import random
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from seatwarden.engine.log.growing import whole_lines
from seatwarden.engine.log.journal_lines import JOURNAL_READER, Intent
from seatwarden.engine.log.restored import read_past_restore
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Processes, Run, SiteFile
from tests.engine.cli.rounds import ROUNDS
from tests.engine.idle import LICENSES, POLICY, idle_site
from tests.platforms import WINDOWS

# More than 60 kills in all rounds.
KILLS_A_ROUND = 7
KILLS_IN_THE_FIRST = 2
"""That round is in every run of the suite."""
LATENCY = 0.05 if WINDOWS else 0.004
REQUESTS = 4 * LICENSES + 2
"""A restore asks for the seats and the users, and for each person for rows, user, seats, and sends a POST."""


def _restore(folder: str, site: str, state: str) -> None:
    """The whole command, in a process of its own."""
    import seatwarden.engine.cli.commands.restore
    from seatwarden.engine.cli.main import main

    setattr(seatwarden.engine.cli.state_folder, "user_state_path", lambda *args, **options: Path(state))  # noqa: B010 - the child is its own
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for the rest of the process
    sys.argv = ["seatwarden", "restore", folder, "--site", site, "--yes"]
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
        time.sleep(0.02)  # a POST of a killed process may still be on its way
        with qrs.site_lock() as content:
            content["licenses"]["analyzer"][:] = idle_site()["licenses"]["analyzer"]
        plan = tmp_path / f"run{n}"
        assert run("plan", "-p", tmp_path / "p.policy", "--site", site, "-o", plan).code == 0
        assert run("apply", plan, "--site", site, "--yes").code == 0
        before, asked = len(qrs.allocated), len(qrs.requests)
        known = _restores(tmp_path)
        while True:
            process = processes(target=_restore, args=(str(plan), str(site), str(tmp_path)))
            process.start()
            if kills < wanted:
                _wait_for_requests(process, qrs, chance)
            else:
                process.join(120)
            if process.is_alive():
                process.kill()
                kills += 1
            process.join()
            given = qrs.allocated[before:]
            assert len(given) == len(set(given)), "nobody is given two"
            (folder,) = _restores(tmp_path) - known or {None}
            if chance.random() < 0.3 and folder is not None:
                _tear_last_line(folder, chance)
            assert len(given) <= len(_intended(folder)), "every POST had its intent on the disk before"
            if process.exitcode == 0:
                break
            time.sleep(0.02)
        _check_end(run, qrs, tmp_path, folder, asked)
    pytest.fail("too few processes lived long enough to be killed")


def _check_end(run: Run, qrs: SimulatedQrs, state: Path, folder: Path | None, asked: int) -> None:
    assert folder is not None
    with qrs.site_lock() as content:
        holders = [row["user"]["id"] for row in content["licenses"]["analyzer"]]
    assert sorted(holders) == [user["id"] for user in idle_site()["users"]]
    posts = [path for method, path in qrs.requests[asked:] if method == "POST"]
    assert len(posts) == LICENSES, "none was sent to somebody who has one"
    past = read_past_restore(folder)
    assert past.journal is not None
    assert past.journal.sealed
    assert {line.result for line in past.journal.outcomes.values()} == {"restored"}
    (register,) = state.rglob("runs.jsonl")
    assert run("log", "verify", register).err == ""


def _restores(state: Path) -> set[Path | None]:
    return {path.parent for path in state.rglob("restore.jsonl")}


def _intended(folder: Path | None) -> set[int]:
    """The lines with an intent in the whole lines of the journal."""
    path = folder / "outcomes.jsonl" if folder is not None else None
    if path is None or not path.exists():
        return set()
    read = JOURNAL_READER.read(whole_lines(path.read_bytes()))
    return {line.line for line in read.lines if isinstance(line, Intent)}


def _wait_for_requests(process: BaseProcess, qrs: SimulatedQrs, chance: random.Random) -> None:
    """Waits until some number of requests has come, and a moment more; or for the end."""
    seen, target = len(qrs.requests), chance.randint(1, REQUESTS)
    deadline = time.monotonic() + 60
    while process.is_alive() and len(qrs.requests) < seen + target and time.monotonic() < deadline:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.006))


def _tear_last_line(folder: Path, chance: random.Random) -> None:
    """What a power loss does to the last line of a journal, if it is no intent that was flushed."""
    path = folder / "outcomes.jsonl"
    data = path.read_bytes() if path.exists() else b""
    start = data.rfind(b"\n", 0, -1) + 1
    if b'"kind":"outcome"' in data[start:]:
        os.truncate(path, chance.randrange(start, len(data)))
