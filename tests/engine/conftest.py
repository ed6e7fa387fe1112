"""For all tests of the engine: certificates, a site at rest, and real databases, started when a test asks for them."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from seatwarden.engine.common import rights
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.idle import idle_site
from tests.engine.metrics.databases import Influx, Victoria
from tests.engine.signers import key_folder, signers

__all__ = ["key_folder", "signers"]


@pytest.fixture(scope="session")
def authority() -> ThrowAwayAuthority:
    """A throw-away authority, valid now."""
    return ThrowAwayAuthority(now=datetime.now(UTC))


@pytest.fixture(scope="session")
def certificates(authority: ThrowAwayAuthority, tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """Its certificates for localhost."""
    return authority.export(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def idle_qrs() -> Iterator[SimulatedQrs]:
    """A simulated QRS whose licenses are all unused for long; plain HTTP, as `write_site` writes it."""
    with SimulatedQrs(idle_site()) as server:
        yield server


@pytest.fixture(autouse=True)
def rights_of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test's process has left to folders is not the next test's."""
    monkeypatch.setattr(rights, "_left_to_folders", False)


@pytest.fixture
def without_pywin32(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Windows on which pywin32 is not installed."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "win32security", None)


@pytest.fixture(scope="session")
def running_influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    with Influx(tmp_path_factory.mktemp("influxdb")) as server:
        yield server


@pytest.fixture
def influx(running_influx: Influx) -> Influx:
    """InfluxDB 1.x without a database."""
    running_influx.empty()
    return running_influx


@pytest.fixture(scope="session")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victoria]:
    with Victoria(tmp_path_factory.mktemp("victoria-metrics")) as server:
        yield server
