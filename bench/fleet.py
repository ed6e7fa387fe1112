"""A fleet of simulated sites, planned at once: with 16 that wait, and with fewer, beside what cannot be avoided.

The sites are served by other processes, and share the cores with those that plan.
"""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from bench.live import SITE_FILE
from bench.measure import table
from bench.policies import BUTLER
from bench.sites import Site
from seatwarden.engine.cli.fleets import begin_worker, site_means
from seatwarden.engine.fleet.fleet import FleetMeans, plan_fleet
from seatwarden.engine.fleet.settings import Fleet, FleetSite
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from seatwarden.grammar.spans import NOWHERE

SERVERS = 2
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "html"},
    {"kind": "redirect"},
    {"kind": "status", "status": 403},
    {"kind": "status", "status": 500},
    {"kind": "truncate", "path_contains": "user/full"},
    {"kind": "reset"},
    {"kind": "status", "status": 200, "body": "[]"},
    {"kind": "status", "status": 404},
    {"kind": "html", "path_contains": "analyzer"},
    {"kind": "truncate", "path_contains": "professional"},
)
"""Ways in which ten of the sites are not well."""
WANTED = 1.5


def measure(folder: Path, sites: int, users: int, latency: float, runs: int) -> str:
    """The section of the report; each of six requests to a site waits `latency` seconds."""
    files = ThrowAwayAuthority(now=datetime.now(UTC)).export(folder / "fleet-certificates")
    with served(files, sites, users) as (ports, slow):
        fleet = _fleet(folder, files, ports)
        slow(0.0)
        computing = median(_planned(fleet, 16, sites) for _ in range(runs))
        slow(latency)
        slowest = median(_planned(_one(fleet), 16, 1) for _ in range(runs))
        took = {places: median(_planned(fleet, places, sites) for _ in range(runs)) for places in (16, 8)}
    least = max(computing, slowest)
    rows = [
        (places, f"{seconds:.1f} s", f"{seconds / least:.2f}×", "reached" if seconds <= WANTED * least else "missed")
        for places, seconds in took.items()
    ]
    return (
        "## A fleet\n\n"
        f"{sites} simulated sites of {users:,} users, over TLS; {len(FAULTS)} of them fail in different ways. Each of "
        f"six requests to a site waits {latency:g} s. The least is the larger of what the slowest site takes alone "
        f"({slowest:.1f} s) and what two cores take for all when no site waits ({computing:.1f} s, with what the "
        f"simulated sites themselves take). Wanted: at most {WANTED:g}×, with 16 that wait at once; 8 are too few.\n\n"
        + table(("waiting", "time", "to the least", ""), rows)
    )


def _planned(fleet: Fleet, places: int, sites: int) -> float:
    """Seconds to plan a fleet, the start of the processes in it."""
    means = FleetMeans(site_means(), begin_worker(), processes=2, places=places)
    started = time.perf_counter()
    report = plan_fleet(fleet, fleet.sites, means)
    seconds = time.perf_counter() - started
    planned = sum(result.is_planned for result in report.results)
    healthy = max(sites - len(FAULTS), 1) if sites > len(FAULTS) else sites
    if planned != healthy:
        raise RuntimeError(f"{planned} of {healthy} healthy sites were planned")
    return seconds


def _fleet(folder: Path, files: CertificateFiles, ports: list[int]) -> Fleet:
    sites = []
    for number, port in enumerate(ports):
        file = folder / f"fleet{number:02}.yaml"
        text = SITE_FILE.format(port=port, files=files) + f"seatwarden: {{folder: 'fleet-state-{number:02}'}}\n"
        file.write_text(text, encoding="utf-8")
        sites.append(FleetSite(f"site{number:02}", file, BUTLER, NOWHERE))
    return Fleet(folder / "fleet.yaml", tuple(sites))


def _one(fleet: Fleet) -> Fleet:
    """The fleet with its last site alone, which is well."""
    return Fleet(fleet.file, fleet.sites[-1:])


@contextmanager
def served(files: CertificateFiles, sites: int, users: int) -> Iterator[tuple[list[int], Any]]:
    """The ports of simulated sites in processes of their own, the first of which are faulty; and a way to say how long
    each request waits there."""
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        ports: list[int] = []
        ways = []
        for number in range(SERVERS):
            mine = list(range(number, sites, SERVERS))
            faults = [FAULTS[n] if n < len(FAULTS) and sites > len(FAULTS) else None for n in mine]
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, files, users, faults), daemon=True)
            process.start()
            stack.callback(process.join, 20)
            stack.callback(ours.send, None)
            ways.append(ours)
            ports += ours.recv()
        order = [n for number in range(SERVERS) for n in range(number, sites, SERVERS)]
        by_number = [port for _, port in sorted(zip(order, ports, strict=True))]

        def slow(seconds: float) -> None:
            for way in ways:
                way.send(seconds)
                way.recv()

        yield by_number, slow


def _serve(way: Any, files: CertificateFiles, users: int, faults: list[dict[str, Any] | None]) -> None:
    with ExitStack() as stack:
        running = []
        for number, fault in enumerate(faults):
            qrs = stack.enter_context(SimulatedQrs(Site(users, seed=number).as_snapshot(), certificates=files))
            qrs.faults += [Fault(**fault)] if fault else []
            running.append(qrs)
        way.send([qrs.port for qrs in running])
        while (seconds := way.recv()) is not None:
            for qrs in running:
                qrs.latency_seconds = seconds
            way.send("done")
