"""Fleets that are killed at any moment: no license is deleted twice, nor without an intent on the disk, nor beyond the
limit of all runs so far, and the next run goes on."""

import random
import time
from pathlib import Path

import pytest

from seatwarden.engine.fleet.fleet import run_fleet
from seatwarden.engine.fleet.settings import load_fleet
from seatwarden.engine.log.verified_run import RecordFault
from seatwarden.engine.log.verify import verify_record
from tests.engine.cli.conftest import Processes, processes
from tests.engine.cli.rounds import ROUNDS
from tests.engine.fleet.fleets import SimulatedFleet, simulated_fleet
from tests.engine.fleet.shared_key import days_ago, shared_key
from tests.engine.idle import ALL, LICENSES
from tests.platforms import WINDOWS

__all__ = ["processes"]
KILLS = 2 if WINDOWS else 6


def _run_in_a_process(folder: str, names: list[str]) -> None:
    one = SimulatedFleet(Path(folder), dict.fromkeys(names))  # type: ignore[arg-type] # it only runs
    fleet = load_fleet(one.file, {})
    run_fleet(fleet, fleet.sites, one.means(), dry_run=False)


def _killed(one: SimulatedFleet, processes: Processes, chance: random.Random) -> None:
    """A run that is killed while it plans or releases."""
    process = processes(target=_run_in_a_process, args=(str(one.folder), list(one.sites)))
    process.start()
    target = _asked(one) + chance.randint(2, 20 * len(one.sites))
    while process.is_alive() and _asked(one) < target:
        time.sleep(0.0005)
    time.sleep(chance.uniform(0, 0.02))
    process.kill()
    process.join()


def _faults(state: Path) -> list[RecordFault]:
    """What is wrong with a record, but for a plan that was killed between its seal and its line in the register: its
    number has another plan, and it was never begun."""
    faults = verify_record(state, lambda folder: ()).faults
    return [one for one in faults if not one.problem.startswith("is not the plan that the register has")]


def _asked(one: SimulatedFleet) -> int:
    return sum(len(qrs.requests) for qrs in one.sites.values())


@pytest.mark.parametrize("seed", ROUNDS)
def test_a_fleet_is_killed_again_and_again(tmp_path: Path, processes: Processes, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a kill needs no cryptography
    with simulated_fleet(tmp_path, 3) as one:
        one.write("4 per run, longest unused first")
        for count in range(1, KILLS + 1):
            _killed(one, processes, chance)
            assert sum(one.released.values()) <= 4 * count
        for _ in range(6):
            fleet = load_fleet(one.file, {})
            run_fleet(fleet, fleet.sites, one.means(), dry_run=False)
        assert {name: sorted(qrs.deleted) for name, qrs in one.sites.items()} == dict.fromkeys(one.sites, ALL)
    for name in one.sites:
        assert _faults(one.folder / name / "state") == []


@pytest.mark.parametrize("seed", ROUNDS)
def test_a_pool_is_killed_again_and_again(tmp_path: Path, processes: Processes, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a kill needs no cryptography
    with shared_key(tmp_path, delayed=chance.random() < 0.5) as pool:
        pool.row("b", "user03")["lastUsed"] = days_ago(60)
        pool.fleet.write()
        for _ in range(KILLS):
            _killed(pool.fleet, processes, chance)
        fleet = load_fleet(pool.fleet.file, {})
        for _ in range(2):
            run_fleet(fleet, fleet.sites, pool.fleet.means(), dry_run=False)
        deleted = [license_id.removeprefix("b-") for license_id in (*pool.a.deleted, *pool.b.deleted)]
        assert sorted(deleted) == ALL, "each person once, at one of the sites"
        assert len(deleted) == LICENSES
    for name in ("a", "b"):
        assert _faults(tmp_path / name / "state") == []
