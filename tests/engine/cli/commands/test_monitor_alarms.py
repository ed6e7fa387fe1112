"""`seatwarden monitor` with Butler's webhooks and MQTT, from the outside: sent, listed, and what goes wrong."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run
from tests.engine.idle import idle_site
from tests.engine.monitor.test_alarms import hooks, mqtt
from tests.engine.notify.brokers import broker
from tests.engine.notify.servers import receiver
from tests.engine.site.test_alarms import write
from tests.ports import dead_port

NOW = ("--now", "2026-12-21T02:00:00Z")
LICENSE = {"keyDetails": "Valid To: 2027-01-10\n"}


@pytest.fixture
def qrs() -> Iterator[SimulatedQrs]:
    with SimulatedQrs({**idle_site(), "license": LICENSE, "accessTypeOverview": {}}) as server:
        yield server


def site_of(folder: Path, qrs: SimulatedQrs, butler: str, ours: str = "", **given: Any) -> Path:
    path = write(folder, butler, enable=False, **given)
    text = path.read_text(encoding="utf-8").replace("port: 4242, useSSL: false", f"port: {qrs.port}, useSSL: false")
    path.write_text(text + ours, encoding="utf-8")
    return path


def test_all_that_butler_tells(run: Run, qrs: SimulatedQrs, tmp_path: Path, certificates: CertificateFiles) -> None:
    with receiver(200) as server, broker(tmp_path, certificates) as running:
        site = site_of(tmp_path, qrs, hooks(f"http://127.0.0.1:{server.port}/", limit=300) + mqtt(running.port))
        ran = run("monitor", "--site", site, *NOW)
        assert ran.code == 0, ran.err
        told = sorted(json.loads(body)["event"] for _, body in server.requests)
        assert told == ["server license about to expire alert", "server license status"]
        assert {json.loads(body)["daysUntilExpiry"] for _, body in server.requests} == {20}
        assert [topic for topic, *_ in running.wait_for(2)] == ["qs/license", "qs/expire"]
        run("monitor", "--site", site, *NOW)
        assert len(server.requests) == 2, "the rate limit holds from one process to the next"
        assert len(running.wait_for(4)) == 4, "MQTT has none"


def test_a_dry_run_sends_nothing_and_lists_all(run: Run, qrs: SimulatedQrs, tmp_path: Path) -> None:
    with receiver(200) as server:
        url = f"http://127.0.0.1:{server.port}/pathSecret"
        ours = f"  notifications: {{webhook: [{{url: '{url}'}}]}}\n"
        site = site_of(tmp_path, qrs, hooks(url) + mqtt(dead_port()), ours)
        ran = run("monitor", "--site", site, "--dry-run", *NOW)
    assert (ran.code, server.calls) == (0, [])
    assert ran.out.startswith("qlik_sense_server_license ")
    listed = [line for line in ran.err.splitlines() if line.startswith("would be sent to ")]
    here = f"http://127.0.0.1:{server.port}"
    content = '"licenseExpired":false,"expiryDateStr":"2027-01-10","daysUntilExpiry":20}'
    assert listed[0].startswith(
        f"would be sent to webhook 1 ({here}): license-expiring, server license expires in 20 days"
    )
    assert listed[1:3] == [
        f'would be sent to webhook 1 ({here}): POST {{"event":"{event}",{content}'
        for event in ("server license status", "server license about to expire alert")
    ]
    assert f"): qs/license {{{content}" in listed[3]
    assert listed[4].endswith("): qs/expire Qlik Sense server license is about to expire in 20 days, on 2027-01-10")
    assert len(listed) == 5
    assert "pathSecret" not in ran.err
    assert not (tmp_path / "state").exists()


def test_what_is_lost_is_said_and_ends_with_3(run: Run, qrs: SimulatedQrs, tmp_path: Path) -> None:
    with receiver(500) as server:
        site = site_of(tmp_path, qrs, hooks(f"http://127.0.0.1:{server.port}/pathSecret") + mqtt(dead_port()))
        ran = run("monitor", "--site", site, *NOW)
    assert ran.code == 3
    lost = [line for line in ran.err.splitlines() if "was not told to" in line]
    assert len(lost) == 3
    assert "it answered 500 Internal Server Error" in lost[0]
    assert "nothing listens there: is the server running" in lost[2].replace("check host and port; ", "")
    assert "pathSecret" not in ran.err
    assert "The site's own license expires on 2027-01-10" in ran.out


def test_without_the_library_all_else_goes_on(
    run: Run, qrs: SimulatedQrs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "paho"]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("paho", "paho.mqtt", "paho.mqtt.client"):
        monkeypatch.setitem(sys.modules, name, None)
    with receiver(200) as server:
        site = site_of(tmp_path, qrs, hooks(f"http://127.0.0.1:{server.port}/") + mqtt(dead_port()))
        ran = run("monitor", "--site", site, *NOW)
        checked = run("site", "check", "--site", site)
        linted = run("lint", site)
        for_programs = [
            run(*given, "--format", "json") for given in (("site", "check", "--site", site), ("lint", site))
        ]
    assert (ran.code, len(server.calls)) == (3, 2)
    assert ran.err.count("pip install paho-mqtt") == 2, "when the settings are read, and when it is sent"
    assert "pip install paho-mqtt" in checked.err
    assert checked.code == 0
    assert "pip install paho-mqtt" in linted.err
    for ran in for_programs:
        assert any("pip install paho-mqtt" in warning for warning in json.loads(ran.out)["warnings"])
