"""What somebody does by hand is told to the same people and the same database as what jobs do."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwarden.engine.simulator.server import Fault, SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.engine.idle import LICENSES
from tests.engine.notify.servers import Receiver, receiver
from tests.engine.service.sites import TO_INFLUX, write_site
from tests.ports import dead_port

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver(200) as server:
        yield server


def _events(hook: Receiver) -> list[dict[str, object]]:
    return [json.loads(body) for _, body in hook.requests]


def _notifying(hook: Receiver) -> str:
    return f"notifications: {{webhook: [{{url: 'http://127.0.0.1:{hook.port}/'}}]}}"


def _spooled(folder: Path) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (folder / "state" / "influxdb-spool").glob("*.lines"))


@pytest.mark.parametrize("to_influxdb", [True, False])
def test_an_apply(run: Run, idle_qrs: SimulatedQrs, hook: Receiver, tmp_path: Path, to_influxdb: bool) -> None:
    destination = TO_INFLUX if to_influxdb else TO_INFLUX.replace("true", "false")
    site = write_site(tmp_path, idle_qrs.port, release=destination, influx=dead_port(), ours=_notifying(hook))
    plan = tmp_path / "plan"
    assert run("plan", "--policy", tmp_path / "p.policy", "--site", site, "-o", plan, "-q").code == 0
    assert hook.requests == []
    ran = run("apply", plan, "--site", site, "--yes")
    assert (ran.code, len(idle_qrs.deleted)) == (0, LICENSES)
    (event,) = _events(hook)
    assert event["event"] == "releases-done"
    assert ("InfluxDB" in ran.err) is to_influxdb
    assert _spooled(tmp_path).count("qlik_sense_license_release,") == (LICENSES if to_influxdb else 0)
    assert run("apply", plan, "--site", site, "--yes").code == 0
    assert len(hook.requests) == 1, "what was told is not told again"


def test_where_nobody_is_to_be_told(run: Run, idle_qrs: SimulatedQrs, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=TO_INFLUX)
    run("plan", "--policy", tmp_path / "p.policy", "--site", site, "-o", tmp_path / "plan", "-q")
    assert run("apply", tmp_path / "plan", "--site", site, "--yes").code == 0
    assert not (tmp_path / "plan" / "published").exists()


def test_an_apply_that_goes_on(run: Run, idle_qrs: SimulatedQrs, hook: Receiver, tmp_path: Path) -> None:
    site = write_site(tmp_path, idle_qrs.port, release=TO_INFLUX, ours=_notifying(hook))
    plan = tmp_path / "plan"
    run("plan", "--policy", tmp_path / "p.policy", "--site", site, "-o", plan, "-q")
    idle_qrs.faults.append(Fault("status", method="DELETE", status=500, times=1))
    assert run("apply", plan, "--site", site, "--yes").code == 4
    assert run("apply", plan, "--site", site, "--yes").code == 0
    counts = [event["data"]["counts"] for event in _events(hook)]  # type: ignore[index]
    assert [(c["failed"], c["released"], c["gone"]) for c in counts] == [(1, LICENSES - 1, 0), (0, 1, 0)]


def test_a_monitor(run: Run, idle_qrs: SimulatedQrs, hook: Receiver, tmp_path: Path) -> None:
    with idle_qrs.site_lock() as content:
        content["license"] = {"keyDetails": "Valid To: 2027-12-31"}
        content["accessTypeOverview"] = {}
    site = write_site(tmp_path, idle_qrs.port, server_monitor="every 24 hours", ours=_notifying(hook))
    watch = ("monitor", "--site", site, "--now")
    assert run(*watch, "2027-10-31").code == 0
    assert hook.requests == [], "61 days before; 60 are asked for"
    assert run(*watch, "2027-11-01", "--dry-run").code == 0
    assert hook.requests == [], "a dry run tells nobody"
    assert run(*watch, "2027-11-01").code == 0
    (event,) = _events(hook)
    assert (event["event"], event["data"]["days"]) == ("license-expiring", 60)  # type: ignore[index]
    with idle_qrs.site_lock() as content:
        content["license"] = {"keyDetails": ""}
    assert run(*watch, "2027-11-01").code == 3
    assert [event["event"] for event in _events(hook)][1:] == ["run-failed"]
