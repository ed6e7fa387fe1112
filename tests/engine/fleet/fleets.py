"""Fleets of simulated sites at rest, in a folder; what is done with them, seen from the outside."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from seatwarden.engine.cli.fleets import begin_worker, site_means
from seatwarden.engine.fleet.fleet import FleetMeans
from seatwarden.engine.fleet.result import SiteResult
from seatwarden.engine.fleet.settings import Fleet, load_fleet
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.idle import POLICY, idle_site
from tests.engine.service.sites import write_site


@dataclass
class SimulatedFleet:
    """Sites s0, s1 … of six idle licenses each, with their site files in a folder and a fleet file above them."""

    folder: Path
    sites: dict[str, SimulatedQrs]
    told: list[SiteResult] = field(default_factory=list)
    processes: int | None = 0

    @property
    def file(self) -> Path:
        return self.folder / "fleet.yaml"

    def fleet(self, limit: str = "") -> Fleet:
        """The fleet, with a limit in its file."""
        self.write(limit)
        return load_fleet(self.file, {})

    def write(self, limit: str = "", deadline: int = 60) -> Path:
        named = "".join(f"  {name}: {name}/site.yaml\n" for name in self.sites)
        head = f"limit: {limit}\n" if limit else ""
        self.file.write_text(f"{head}deadline: {deadline}\nsites:\n{named}", encoding="utf-8")
        return self.file

    def means(self) -> FleetMeans:
        """The means of a process that nobody asks to stop."""
        return FleetMeans(site_means(), begin_worker(), tell=self.told.append, processes=self.processes, salt=b"salt")

    @property
    def released(self) -> dict[str, int]:
        """The number of licenses that are gone at each site."""
        return {name: len(qrs.deleted) for name, qrs in self.sites.items()}

    def runs(self, name: str) -> list[Path]:
        """The run folders of a site, oldest first."""
        return sorted(path for path in (self.folder / name / "state" / "runs").glob("*") if path.is_dir())


@contextmanager
def simulated_fleet(
    folder: Path, count: int, *, release: str = "dryRun: false", policy: str = POLICY, ours: str = "parallel: 1"
) -> Iterator[SimulatedFleet]:
    """A fleet of so many sites, that answer as long as the block lasts."""
    with ExitStack() as stack:
        sites = {}
        for number in range(count):
            name = f"s{number}"
            own = {"license": {"key": f"the key of {name}"}}
            sites[name] = stack.enter_context(SimulatedQrs(idle_site() | own))
            (folder / name).mkdir()
            write_site(folder / name, sites[name].port, release=release, policy=policy, ours=ours)
        yield SimulatedFleet(folder, sites)


def by_name(results: Sequence[SiteResult]) -> dict[str, SiteResult]:
    """The results by the names of their sites."""
    return {result.site: result for result in results}


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for something that other threads or processes do."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)
