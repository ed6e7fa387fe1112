from collections.abc import Iterator

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.simulator.simulated import SITE, Client, connect


@pytest.fixture
def qrs(certificates: CertificateFiles) -> Iterator[SimulatedQrs]:
    with SimulatedQrs(SITE, certificates=certificates) as simulated:
        yield simulated


@pytest.fixture
def client(qrs: SimulatedQrs, certificates: CertificateFiles) -> Iterator[Client]:
    with connect(certificates) as session:
        yield Client(qrs.url, session)


@pytest.fixture
def fault(qrs: SimulatedQrs) -> Fault:
    """A fault that strikes once; the test sets its kind."""
    qrs.faults.append(Fault("status", times=1))
    return qrs.faults[0]
