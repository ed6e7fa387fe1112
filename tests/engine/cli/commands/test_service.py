"""`seatwarden service`: with a manager that is played, with Windows' own, and where there is none."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.applying import read_outcomes
from tests.engine.cli.commands.test_serve import wait_until
from tests.engine.cli.conftest import Ran, Run
from tests.engine.idle import LICENSES
from tests.engine.service.sites import runs_of, write_site
from tests.engine.service.windows import PlayedManager
from tests.platforms import WINDOWS, WINE

OFTEN = "enable: true\nfrequency: every 1 second\ndryRun: false"
RARELY = "enable: true\nfrequency: every 6 hours\ndryRun: false"
played_only = pytest.mark.skipif(WINDOWS, reason="there the real manager is asked")


def _work(stop: threading.Event, begun: Callable[[], None]) -> None:
    begun()
    stop.wait(30)


@pytest.fixture
def manager(quick: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedManager]:
    played = PlayedManager(_work)
    played.play(monkeypatch)
    yield played
    for service in played.services.values():
        if service.process:
            played.ControlService(service, 1)
            service.process.join(30)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path, 1, release=RARELY)


@pytest.mark.skipif(WINDOWS, reason="there is such a manager there")
@pytest.mark.parametrize("what", ["install", "start", "stop", "status", "remove", "host"])
def test_only_on_windows(run: Run, site: Path, what: str) -> None:
    ran = run("service", what, "--site", site)
    assert (ran.code, ran.out) == (2, "")
    assert "there is no service manager of Windows here" in ran.err
    assert run("service", what).code == 2


@played_only
def test_its_life(run: Run, site: Path, manager: PlayedManager) -> None:
    name = "seatwarden-127.0.0.1-1"
    ran = run("service", "install", "--site", site, "--policy", site.parent / "p.policy")
    assert (ran.code, f"`{name}` is installed" in ran.out) == (0, True)
    given = ["service", "host", "--site", str(site), "--policy", str(site.parent / "p.policy")]
    assert manager.services[name].line.endswith(subprocess.list2cmdline(given))
    for what, code, said in (
        ("status", 1, f"{name}: stopped"),
        ("start", 0, f"`{name}` runs"),
        ("status", 0, f"{name}: running"),
        ("stop", 0, f"`{name}` has ended"),
        ("status", 1, f"{name}: stopped"),
        ("remove", 0, f"`{name}` is removed"),
        ("status", 2, ""),
    ):
        ran = run("service", what, "--site", site)
        assert (ran.code, said in ran.out) == (code, True), ran.err
    assert manager.services == {}


@played_only
def test_nothing_is_installed_that_could_not_start(run: Run, site: Path, manager: PlayedManager) -> None:
    site.write_text(site.read_text().replace("every 6 hours", "every 6 ours"))
    ran = run("service", "install", "--site", site)
    assert (ran.code, "ours" in ran.err) == (2, True)
    assert manager.services == {}


@played_only
def test_runs_in_the_profile_of_another_account_are_warned_of(run: Run, site: Path, manager: PlayedManager) -> None:
    assert "folder:` is not set" not in run("service", "install", "--site", site).err
    run("service", "remove", "--site", site)
    site.write_text(site.read_text().replace("folder: state", "massChange: 20"))
    assert "folder:` is not set" in run("service", "install", "--site", site).err


@played_only
@pytest.mark.parametrize("open_one", ["site.yaml", "p.policy", "."])
def test_what_everybody_can_change_is_not_run_as_localsystem(
    run: Run, site: Path, manager: PlayedManager, monkeypatch: pytest.MonkeyPatch, open_one: str
) -> None:
    def can(path: Path, *, to_change: bool = False) -> bool:
        return to_change and path.resolve() == (site.parent / open_one).resolve()

    monkeypatch.setattr("seatwarden.engine.cli.commands.service.open_to_all", can)
    ran = run("service", "install", "--site", site)
    assert (ran.code, "every user of this machine can change" in ran.err, "icacls" in ran.err) == (2, True, True)
    assert manager.services == {}


def _started(run: Run, site: Path) -> Ran:
    """Wine gives a process ten seconds to answer, on a busy machine too few: it is asked again."""
    for _ in range(5 if WINE else 1):
        ran = run("service", "start", "--site", site)
        if "has not begun in time" not in ran.err:
            break
    return ran


@pytest.mark.windows
def test_of_windows_itself(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    """Stopped in the middle of a release; needs the rights of an administrator."""
    site = write_site(tmp_path, idle_qrs.port, release=OFTEN, ours="parallel: 1\nlog: {file: s.log, format: json}")
    idle_qrs.faults.append(Fault("delay", "DELETE", seconds=2))
    ran = run("service", "install", "--site", site)
    assert ran.code == 0, ran.err
    try:
        ran = _started(run, site)
        assert ran.code == 0, ran.err
        assert run("service", "status", "--site", site).code == 0
        wait_until(lambda: len(idle_qrs.deleted) == 1, 60)
        assert run("service", "stop", "--site", site).code == 0
        assert 1 <= len(idle_qrs.deleted) < LICENSES
        (folder,) = (folder for folder in runs_of(site) if (folder / "outcomes.jsonl").exists())
        journal = read_outcomes(folder)
        assert set(journal.intents) == set(journal.results) == set(idle_qrs.deleted)
        said = [json.loads(line)["message"] for line in (tmp_path / "s.log").read_text(encoding="utf-8").splitlines()]
        assert said[-1] == "service ended"
        site.write_text(site.read_text().replace("every 1 second", "every 1 secnd"))
        assert run("service", "start", "--site", site).code == 2
    finally:
        assert run("service", "remove", "--site", site).code == 0
    # It is gone when its process is.
    wait_until(lambda: run("service", "status", "--site", site).code == 2)


@pytest.mark.windows
def test_a_person_cannot_be_the_manager(run: Run, site: Path) -> None:
    ran = run("service", "host", "--site", site)
    assert (ran.code, "seatwarden serve" in ran.err) == (2, True)
