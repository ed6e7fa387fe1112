"""A live `plan` against the simulated QRS: requests and wall time, beside its parts alone and what Butler took."""

from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.fetching import NOW
from bench.measure import ratio, run, seatwarden, seconds, table
from bench.policies import BUTLER
from bench.sites import Site
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.simulator.server import SimulatedQrs

BUTLER_MEASURED = {(20_000, 5): "20,002 requests, 207 s"}
"""Butler 16.0.4, dry run, by candidates and latency in milliseconds: it asks QRS for each user alone."""

SITE_FILE = """\
Butler:
  configQRS:
    host: localhost
    port: {port}
  cert:
    clientCert: {files.client}
    clientCertKey: {files.client_key}
    clientCertCA: {files.root}
"""
"""A site file."""


def measure(folder: Path, sizes: tuple[int, ...], runs: int) -> str:
    """The section of the report."""
    files = ThrowAwayAuthority(now=datetime.now(UTC)).export(folder / "certificates")
    rows = []
    for candidates in sizes:
        site = Site(candidates, unused=1).as_snapshot()
        for latency in (0, 5):
            with SimulatedQrs(site, certificates=files, latency_seconds=latency / 1000) as qrs:
                pairs = [(_in_parts(folder, qrs, files), _plan(folder, qrs, files)) for _ in range(runs)]
                requests = len(qrs.requests) // runs // 2
            parts, plans = zip(*pairs, strict=True)
            took = seconds(median(plans)), seconds(median(parts)), f"{ratio(plans, parts):.2f}×"
            measured = BUTLER_MEASURED.get((candidates, latency), "")
            rows.append((f"{candidates:,}", f"{latency} ms", requests, *took, measured))
    return (
        "## A live site\n\n"
        "`plan` from the simulated QRS, over TLS with a client certificate. Each license of the site is a candidate: "
        "unused for more than 30 days. Wanted for 20,000: under 10 requests and under 2 s. The time is that of the "
        "whole process, and has in it what the simulated QRS, written in Python, takes to answer. In parts: a process "
        "that fetches the same answers with requests alone and writes them into a file, then `plan -s` of that. "
        "Wanted: 1.0×.\n\n"
        + table(("candidates", "latency", "requests", "time", "in parts", "to the parts", "Butler 16.0.4"), rows)
    )


def _plan(folder: Path, qrs: SimulatedQrs, files: CertificateFiles) -> float:
    site = folder / "site.yaml"
    site.write_text(SITE_FILE.format(port=qrs.port, files=files), encoding="utf-8")
    return seatwarden("plan", "-p", BUTLER, "--site", site, "--now", NOW).seconds


def _in_parts(folder: Path, qrs: SimulatedQrs, files: CertificateFiles) -> float:
    """The seconds of fetching the answers, and of planning from them."""
    snapshot, url = folder / "fetched.json", f"https://localhost:{qrs.port}"
    fetched = run("-m", "bench.fetching", url, files.client, files.client_key, files.root, snapshot)
    return fetched.seconds + seatwarden("plan", "-p", BUTLER, "-s", snapshot).seconds
