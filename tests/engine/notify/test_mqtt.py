"""MQTT, published on a real mosquitto."""

import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.notify.errors import NotDelivered
from seatwarden.engine.notify.mqtt import publish
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority
from seatwarden.engine.site.alarms import Mqtt, mqtt_is_installed
from seatwarden.engine.site.proxy import DIRECT, Proxy
from tests.engine.notify.brokers import Broker, broker, web_proxy
from tests.ports import dead_port

LICENSE = ("qliksense/license", '{"licenseExpired":false,"expiryDateStr":"2027-12-31","daysUntilExpiry":405}')


@pytest.fixture
def running(tmp_path: Path, certificates: CertificateFiles) -> Iterator[Broker]:
    with broker(tmp_path, certificates) as found:
        yield found


def on_azure(running: Broker, files: CertificateFiles) -> Mqtt:
    """The broker as Azure Event Grid is spoken to: TLS, with a certificate, the client's id also as the user."""
    return Mqtt(
        "localhost",
        running.tls_port,
        tls=True,
        client_id="butler",
        user="butler",
        certificate=files.client,
        key=files.client_key,
        authority=files.root,
    )


def refusal(mqtt: Mqtt, proxy: Proxy = DIRECT) -> NotDelivered:
    with pytest.raises(NotDelivered) as raised:
        publish(mqtt, [LICENSE], proxy)
    return raised.value


def test_published_with_qos_1_in_order(running: Broker) -> None:
    publish(Mqtt("127.0.0.1", running.port), [LICENSE, ("qliksense/expire", "läuft ab")])
    topic, text = LICENSE
    assert running.wait_for(2) == [(topic, text.encode(), 1), ("qliksense/expire", "läuft ab".encode(), 1)]


def test_a_client_certificate_over_tls(running: Broker, certificates: CertificateFiles) -> None:
    publish(on_azure(running, certificates), [LICENSE])
    assert running.wait_for(1) == [(LICENSE[0], LICENSE[1].encode(), 1)]


def test_tls_is_checked_both_ways(running: Broker, certificates: CertificateFiles, tmp_path: Path) -> None:
    right = on_azure(running, certificates)
    other = ThrowAwayAuthority(now=datetime.now(UTC), name="another").export(tmp_path / "other")
    assert refusal(replace(right, authority=other.root)).message.endswith("not issued by an authority we trust")
    assert refusal(replace(right, host="127.0.0.2")).message == "its certificate is for another host name"
    for without in (
        replace(right, certificate=None, key=None),
        replace(right, certificate=other.client, key=other.client_key),
    ):
        told = refusal(without)
        assert told.message in ("it closed the connection before it had answered", "it refused our certificate")
        assert "certificate" in f"{told.message} {told.help}"
    assert "cannot be used" in refusal(replace(right, key=other.client_key)).message
    empty = tmp_path / "empty.pem"
    empty.touch()
    assert refusal(replace(right, authority=empty)).message == f"`mqttConfig.caFile`: `{empty}` holds no certificate"
    assert running.heard == []


def test_a_broker_that_wants_a_user(tmp_path: Path, certificates: CertificateFiles) -> None:
    strict = "listener {port} 127.0.0.1\nallow_anonymous false\nuser root\n"
    with broker(tmp_path, certificates, settings=strict) as running:
        told = refusal(Mqtt("127.0.0.1", running.port, user="u", password="s3cret-pass"))
    assert told.message == "it refused us: Not authorized"
    assert "s3cret-pass" not in f"{told!r} {told.help}"


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(Mqtt("127.0.0.1", dead_port())).message == "nothing listens there"
    assert refusal(Mqtt("nowhere.invalid", 1883)).message == "there is no host of that name"
    monkeypatch.setattr("seatwarden.engine.notify.mqtt.TIMEOUT_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        assert refusal(Mqtt("127.0.0.1", silent.getsockname()[1])).message == "it does not answer"
        assert time.monotonic() - begun < 30, "it has an end"


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mqtt_is_installed()
    for name in [name for name in sys.modules if name.partition(".")[0] == "paho"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "paho", None)
    monkeypatch.setitem(sys.modules, "paho.mqtt", None)
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    assert not mqtt_is_installed()
    told = refusal(Mqtt("127.0.0.1", 1))
    assert told.message == "the library paho-mqtt is not installed"
    assert told.help is not None
    assert "pip install paho-mqtt" in told.help


def test_no_proxy_of_the_environment(running: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """paho would take one from there where PySocks is installed."""
    for name in ("mqtt_proxy", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    publish(Mqtt("127.0.0.1", running.port), [LICENSE])
    assert len(running.wait_for(1)) == 1


def test_through_a_proxy(running: Broker, certificates: CertificateFiles) -> None:
    """The name cannot be looked up here: only the proxy knows the way."""
    there = Mqtt("broker.invalid", 1883)
    with web_proxy(running.port, login="Basic dTpwQHNz") as way:
        said = Proxy(f"http://u:p%40ss@127.0.0.1:{way.port}", f"http://u:p%40ss@127.0.0.1:{way.port}")
        publish(there, [LICENSE], said)
        assert way.asked == ["CONNECT broker.invalid:1883"]
        assert len(running.wait_for(1)) == 1
        assert refusal(there, Proxy(way.url, way.url)).message == "the proxy did not let us through"
        assert refusal(there, replace(said, without=("invalid",))).message == "there is no host of that name"
    dead = f"http://127.0.0.1:{dead_port()}"
    assert refusal(there, Proxy(dead, dead)).message == "the proxy cannot be reached"
    assert "http://" in refusal(there, Proxy("https://p.invalid", "https://p.invalid")).message


def test_tls_through_a_proxy(running: Broker, authority: ThrowAwayAuthority, certificates: CertificateFiles) -> None:
    with web_proxy(running.tls_port) as way:
        # The broker's certificate is for localhost; through the proxy, it is asked for by that name.
        told = refusal(replace(on_azure(running, certificates), host="broker.invalid"), Proxy(None, way.url))
        assert told.message == "its certificate is for another host name"
        assert way.asked == [f"CONNECT broker.invalid:{running.tls_port}"]
