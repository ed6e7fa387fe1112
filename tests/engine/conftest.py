"""Real databases for all tests of the engine, started when the first test asks for them."""

from collections.abc import Iterator

import pytest

from tests.engine.metrics.databases import Influx, Victoria


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
