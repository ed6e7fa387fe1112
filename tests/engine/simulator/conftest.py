from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.simulator.simulated import SITE, Client, connect


@pytest.fixture(scope="module")
def authority() -> ThrowAwayAuthority:
    return ThrowAwayAuthority(now=datetime.now(UTC))


@pytest.fixture(scope="module")
def files(authority: ThrowAwayAuthority, tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    return authority.export(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def qrs(files: CertificateFiles) -> Iterator[SimulatedQrs]:
    with SimulatedQrs(SITE, certificates=files) as simulated:
        yield simulated


@pytest.fixture
def client(qrs: SimulatedQrs, files: CertificateFiles) -> Iterator[Client]:
    with connect(files) as session:
        yield Client(qrs.url, session)


@pytest.fixture
def fault(qrs: SimulatedQrs) -> Fault:
    """A fault that strikes once; the test sets its kind."""
    qrs.faults.append(Fault("status", times=1))
    return qrs.faults[0]
