"""Certificates that end soon are told of while there is time: by the check, by a plan, and when a run begins."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from seatwarden.engine.service.service import Service
from seatwarden.engine.service.state import ServiceState
from seatwarden.engine.simulator.certificates import ThrowAwayAuthority, Validity
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run, SiteFile
from tests.engine.service.sites import settings_of, write_site
from tests.paths import EXAMPLES

BUTLER = EXAMPLES / "butler.yaml"
NOW = datetime.now(UTC)
pytestmark = pytest.mark.usefixtures("quick")


def until(days: float) -> Validity:
    """Valid since yesterday, for so many days."""
    return Validity(NOW - timedelta(days=1), NOW + timedelta(days=days))


@pytest.mark.parametrize(
    ("client", "server", "told"),
    [
        (31, 31, ()),
        (12.5, 31, ("the client certificate `",)),
        (31, 29.5, ("the certificate of localhost:",)),
        (0.5, 1.5, ("the client certificate `", "the certificate of localhost:")),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_they_are_warned_of(
    run: Run,
    site_file: SiteFile,
    example_site: dict[str, Any],
    tmp_path: Path,
    command: str,
    client: float,
    server: float,
    told: tuple[str, ...],
) -> None:
    authority = ThrowAwayAuthority(now=NOW)
    files = authority.export(tmp_path / "c", client_validity=until(client), server_validity=until(server))
    with SimulatedQrs(example_site, certificates=files) as qrs:
        dry = ("--dry-run",) if command == "run" else ()
        ran = run(command, "--policy", BUTLER, "--site", site_file(qrs.port, files=files), *dry)
    assert ran.code == 0
    warned = [line for line in ran.err.splitlines() if " ends in " in line]
    assert len(warned) == len(told)
    for line, begin in zip(warned, told, strict=True):
        assert line.startswith(f"warning: {begin}")


def test_the_check_shows_them(run: Run, site_file: SiteFile, example_site: dict[str, Any], tmp_path: Path) -> None:
    authority = ThrowAwayAuthority(now=NOW)
    files = authority.export(tmp_path / "c", client_validity=until(12.5), server_validity=until(1.5))
    with SimulatedQrs(example_site, certificates=files) as qrs:
        ran = run("site", "check", "--site", site_file(qrs.port, files=files))
    assert ran.code == 0
    assert "  ! client certificate: " in ran.out
    assert f"= help: it ends in 12 days, on {(NOW + timedelta(days=12.5)).date()}: export a new one" in ran.out
    assert "  ! TLS: TLSv1.3" in ran.out
    assert "= help: the server's certificate ends in 1 day, on " in ran.out


@pytest.mark.parametrize(
    ("days", "file", "told"),
    [
        (31, "client.pem", None),
        (12.5, "client.pem", "ends in 12 days, on "),
        (31, "nowhere.pem", "nowhere.pem` does not exist: export certificates in the QMC"),
    ],
)
def test_the_service_tells_of_ours_when_it_begins(tmp_path: Path, days: float, file: str, told: str | None) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path / "c", client_validity=until(days))
    site = write_site(tmp_path, 4242)
    cert = f"  cert: {{clientCert: c/{file}, clientCertKey: '{files.client_key}'}}\n"
    text = site.read_text(encoding="utf-8").replace(", useSSL: false", "").replace("Butler:\n", f"Butler:\n{cert}")
    site.write_text(text, encoding="utf-8")
    said: list[str] = []

    def log(message: str, *, level: int = logging.INFO, **facts: object) -> None:
        said.append(message)

    scheduler = BackgroundScheduler()
    service = Service(
        settings_of(site),
        load=lambda: settings_of(site),
        work={},
        scheduler=scheduler,
        state=ServiceState(NOW),
        clock=lambda: NOW,
        log=log,
    )
    service.log_warnings()
    assert len(said) == (told is not None)
    assert told is None or told in said[0]


@pytest.mark.parametrize("command", ["monitor", "snapshot", "apply"])
def test_the_other_commands_warn_too(
    run: Run, site_file: SiteFile, example_site: dict[str, Any], tmp_path: Path, command: str
) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path / "c", client_validity=until(12.5), server_validity=until(1.5))
    with SimulatedQrs(example_site, certificates=files) as qrs:
        site = site_file(qrs.port, files=files)
        if command == "apply":
            assert run("plan", "--policy", BUTLER, "--site", site, "-o", tmp_path / "run").code == 0
        given = {
            "monitor": ("--site", site, "--dry-run"),
            "snapshot": ("--site", site, "-o", tmp_path / "snapshot.json"),
            "apply": (tmp_path / "run", "--site", site, "--yes", "--limit", "1000"),
        }
        ran = run(command, *given[command])
    warned = [line.partition(" ends in ")[0].split("`")[0] for line in ran.err.splitlines() if " ends in " in line]
    assert [line.split(":")[1].strip() for line in warned] == ["the client certificate", "the certificate of localhost"]


def test_programs_are_warned_too(run: Run, site_file: SiteFile, example_site: dict[str, Any], tmp_path: Path) -> None:
    files = ThrowAwayAuthority(now=NOW).export(tmp_path / "c", client_validity=until(12.5), server_validity=until(300))
    with SimulatedQrs(example_site, certificates=files) as qrs:
        site = site_file(qrs.port, files=files)
        ran = run("monitor", "--site", site, "--dry-run", "--format", "json")
    assert [" ends in 12 days" in warning for warning in json.loads(ran.out)["warnings"]] == [True]


def test_the_authority_we_trust_is_one_of_them(
    run: Run, site_file: SiteFile, example_site: dict[str, Any], tmp_path: Path
) -> None:
    """A root that ends takes every certificate with it that it has issued."""
    old = ThrowAwayAuthority(now=NOW - timedelta(days=345))
    files = old.export(tmp_path / "c", client_validity=until(300), server_validity=until(300))
    with SimulatedQrs(example_site, certificates=files) as qrs:
        ran = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port, files=files))
        checked = run("site", "check", "--site", site_file(qrs.port, files=files))
    told = [line for line in ran.err.splitlines() if "the authority in `" in line]
    assert len(told) == 1
    assert "export root.pem anew" in told[0]
    assert "  ! trusted authority: " in checked.out
