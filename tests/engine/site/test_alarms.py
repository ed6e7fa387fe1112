"""Butler's webhooks, MQTT broker and heartbeat in a site file: what they mean, and every wrong value in its place."""

from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from seatwarden.engine.site.alarms import Alarms, load_alarms
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import PolicyError
from tests.engine.service.sites import NOTHING, settings_of, write_site

ON = "{enable: true, sendRecurring: {enable: true}, sendAlert: {enable: true}}"
WEBHOOKS = """\
webhookNotification:
  enable: true
  reloadTaskFailure: {rateLimit: soon, webhooks: nothing of ours}
  qlikSenseServerLicenseMonitor:
    rateLimit: 60
    webhooks:
      - {description: To the chat, webhookURL: 'https://hooks.example.com/T0/pathSecret', httpMethod: post}
      - webhookURL: http://in.house:8080/x?key=querySecret
        httpMethod: GET
        cert: {enable: false, rejectUnauthorized: not read, certCA: foo}
  qlikSenseServerLicenseExpiryAlert:
    webhooks:
      - webhookURL: https://hooks.example.com/alert
        httpMethod: PUT
        cert: {enable: true, rejectUnauthorized: false, certCA: root.pem}
"""
MQTT = """\
mqttConfig:
  enable: true
  brokerHost: broker.example.com
  brokerPort: 1883
  azureEventGrid: {enable: false, clientId: <client ID>, clientCertFile: <path>, clientKeyFile: <path>}
  taskFailureSendFull: true
  subscriptionRootTopic: qliksense/#
  qlikSenseServerLicenseTopic: qliksense/license
  qlikSenseServerLicenseExpireTopic: qliksense/expire
  qlikSenseCloud: {event: {mqttForward: {enable: false}}}
"""
AZURE = "{enable: true, clientId: butler, clientCertFile: root.pem, clientKeyFile: root.pem}"


def write(folder: Path, butler: str, *, webhook: str = ON, mqtt: str = ON, enable: bool = True) -> Path:
    """A site whose server license monitor has these destinations, with sections of Butler's."""
    (folder / "root.pem").touch()
    path = write_site(folder, 4242, server_monitor="every 24 hours")
    text = path.read_text(encoding="utf-8").replace(f"mqtt: {NOTHING}", f"mqtt: {mqtt}")
    text = text.replace(f"webhook: {NOTHING}", f"webhook: {webhook}").replace(
        "Butler:\n", f"Butler:\n{indent(butler, '  ')}"
    )
    if not enable:
        text = text.replace("serverLicenseMonitor:\n      enable: true", "serverLicenseMonitor:\n      enable: false")
    path.write_text(text, encoding="utf-8")
    return path


def read(folder: Path, butler: str, **given: Any) -> Settings:
    return settings_of(write(folder, butler, **given))


def refused(folder: Path, butler: str, **given: Any) -> str:
    with pytest.raises(PolicyError) as raised:
        read(folder, butler, **given)
    return "\n".join(render(finding, raised.value.sources) for finding in raised.value.diagnostics)


def test_webhooks(tmp_path: Path) -> None:
    found = read(tmp_path, WEBHOOKS, mqtt=NOTHING)
    alarms = found.alarms
    assert (alarms.status.rate_limit, alarms.alert.rate_limit) == (60, 300)
    assert [(hook.method, hook.url) for hook in alarms.status.hooks] == [
        ("POST", "https://hooks.example.com/T0/pathSecret"),
        ("GET", "http://in.house:8080/x?key=querySecret"),
    ]
    (alert,) = alarms.alert.hooks
    assert (alert.method, alert.authority, alert.verify) == ("PUT", tmp_path / "root.pem", False)
    assert [hook.authority for hook in alarms.status.hooks] == [None, None]
    assert [hook.label for hook in (*alarms.status.hooks, alert)] == [
        "webhook 1 “To the chat” (https://hooks.example.com)",
        "webhook 2 (http://in.house:8080)",
        "webhook 1 (https://hooks.example.com)",
    ]
    assert alarms.notes == (f"cert.rejectUnauthorized is false: {alert.label} could be anybody",)
    assert set(alarms.notes) <= set(found.notes)
    assert "Secret" not in repr(alarms)
    assert {hook.url for hook in alarms.status.hooks} <= set(found.secrets)


@pytest.mark.parametrize(
    ("destination", "kinds"),
    [
        (ON, [2, 1]),
        (ON.replace("sendAlert: {enable: true}", "sendAlert: {enable: false}"), [2, 0]),
        (ON.replace("sendRecurring: {enable: true}", "sendRecurring: {enable: false}"), [0, 1]),
        (ON.replace("{enable: true, s", "{enable: false, s"), [0, 0]),
    ],
)
def test_the_switches_of_the_destinations(tmp_path: Path, destination: str, kinds: list[int]) -> None:
    alarms = read(tmp_path, WEBHOOKS + MQTT, webhook=destination, mqtt=destination).alarms
    assert [len(alarms.status.hooks), len(alarms.alert.hooks)] == kinds
    topics = [alarms.mqtt.status_topic, alarms.mqtt.alert_topic] if alarms.mqtt else [None, None]
    assert [topic is not None for topic in topics] == [count > 0 for count in kinds]


def test_a_plain_broker(tmp_path: Path) -> None:
    mqtt = read(tmp_path, MQTT, webhook=NOTHING).alarms.mqtt
    assert mqtt is not None
    assert (mqtt.url, mqtt.client_id, mqtt.user) == ("mqtt://broker.example.com:1883", "", None)
    assert (mqtt.status_topic, mqtt.alert_topic) == ("qliksense/license", "qliksense/expire")


def test_azure_event_grid(tmp_path: Path) -> None:
    text = MQTT.replace("brokerPort: 1883\n", "caFile: root.pem\n").replace(
        MQTT.splitlines()[4].strip(), f"azureEventGrid: {AZURE}"
    )
    mqtt = read(tmp_path, text, webhook=NOTHING).alarms.mqtt
    assert mqtt is not None
    assert (mqtt.url, mqtt.client_id, mqtt.user) == ("mqtts://broker.example.com:8883", "butler", "butler")
    assert mqtt.certificate == mqtt.key == mqtt.authority == tmp_path / "root.pem"


def test_user_and_password_are_ours(tmp_path: Path) -> None:
    text = f"{MQTT}  useSSL: true\n  username: me\n  password: s3cret-pass\n"
    alarms = read(tmp_path, text, webhook=NOTHING).alarms
    assert alarms.mqtt is not None
    assert (alarms.mqtt.tls, alarms.mqtt.user, alarms.mqtt.password) == (True, "me", "s3cret-pass")
    assert "s3cret" not in repr(alarms)
    assert alarms.notes == ()
    (note,) = read(tmp_path, text.replace("useSSL: true", "useSSL: false"), webhook=NOTHING).alarms.notes
    assert "password" in note


@pytest.mark.parametrize(
    ("butler", "told"),
    [
        ("", ["destination.webhook is enabled, but nothing is sent: there is no `w", "mqtt is enabled, but nothing"]),
        (
            WEBHOOKS.replace("enable: true", "enable: false", 1) + MQTT.replace("enable: true", "enable: false", 1),
            ["nothing is sent: `webhookNotification.enable` is not true", "`mqttConfig.enable` is not true"],
        ),
        (
            "webhookNotification: {enable: true, qlikSenseServerLicenseMonitor: {webhooks: }}\n" + MQTT,
            [
                "webhookNotification.qlikSenseServerLicenseMonitor has no webhooks",
                "webhookNotification.qlikSenseServerLicenseExpiryAlert has no webhooks",
            ],
        ),
    ],
)
def test_what_is_switched_on_and_sends_nothing_is_named(tmp_path: Path, butler: str, told: list[str]) -> None:
    notes = read(tmp_path, butler).alarms.notes
    assert len(notes) == len(told)
    for note, part in zip(notes, told, strict=True):
        assert part in note


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("https://hooks.example.com/T0/pathSecret", "hooks/pathSecret", "webhookURL` is not a web address"),
        ("httpMethod: post", "httpMethod: patch", "httpMethod` is one of GET, POST, PUT"),
        (", httpMethod: post", "", "lacks the key `httpMethod`"),
        ("rateLimit: 60", "rateLimit: -1", "rateLimit` must not be negative"),
        ("certCA: root.pem", "certCA: nowhere.pem", "`certCA`: there is no file"),
        (", certCA: root.pem", "", "`cert` lacks the key `certCA`"),
        ("description: To the chat", "descripton: To the chat", "unknown key `descripton`"),
        ("qlikSenseServerLicenseMonitor:", "qlikSenseServerLicenceMonitor:", "did you mean `qlikSenseServerLicenseM"),
        ("brokerHost: broker.example.com", "brokerHost: mqtt://broker", "is not a host name"),
        ("brokerPort: 1883", "brokerPort: 0", "brokerPort` is from 1 to 65535"),
        ("  qlikSenseServerLicenseTopic: qliksense/license\n", "", "lacks the key `qlikSenseServerLicenseTopic`"),
        ("qliksense/license", "qliksense/#", "is no topic to publish on"),
        ("azureEventGrid: {enable: false", "azureEventGrid: {enable: true", "`clientCertFile`: there is no file"),
    ],
)
def test_wrong_values(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = WEBHOOKS + MQTT
    assert old in text
    shown = refused(tmp_path, text.replace(old, new, 1))
    assert told in shown
    assert "Secret" not in shown
    # Where the monitor is switched off they stop nothing, and are said all the same.
    found = read(tmp_path, text.replace(old, new, 1), enable=False)
    assert any(told in warning.message or told in (warning.help or "") for warning in found.warnings)
    assert {warning.severity for warning in found.warnings} == {"warning"}


def test_a_section_that_no_destination_uses_is_let_be(tmp_path: Path) -> None:
    """A template's made-up values."""
    wrong = WEBHOOKS.replace("https:", "nowhere:") + MQTT.replace("broker.example.com", "not a host")
    found = read(tmp_path, wrong, webhook=NOTHING, mqtt=NOTHING)
    assert (found.alarms.notes, found.warnings) == ((), ())


HEARTBEAT = "heartbeat: {enable: true, remoteURL: 'https://beat.example.com/pathSecret', frequency: every 30 seconds}\n"


def test_the_heartbeat(tmp_path: Path) -> None:
    heartbeat = read(tmp_path, HEARTBEAT, webhook=NOTHING, mqtt=NOTHING).alarms.heartbeat
    assert (heartbeat.job.enabled, heartbeat.job.text) == (True, "every 30 seconds")
    assert heartbeat.url == "https://beat.example.com/pathSecret"
    assert "Secret" not in repr(heartbeat)
    off = "heartbeat: {enable: false, remoteURL: made up, frequency: sometimes}\n"
    assert read(tmp_path, off, webhook=NOTHING, mqtt=NOTHING).alarms == Alarms()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("remoteURL: 'https://beat.example.com/pathSecret', ", "", "`heartbeat` lacks the key `remoteURL`"),
        (", frequency: every 30 seconds", "", "`heartbeat` lacks the key `frequency`"),
        ("https://beat.example.com/", "beat/", "remoteURL` is not a web address"),
        ("every 30 seconds", "every hour", "unexpected"),
    ],
)
def test_a_wrong_heartbeat_stops_the_service_alone(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = HEARTBEAT.replace(old, new)
    shown = refused(tmp_path, text, webhook=NOTHING, mqtt=NOTHING)
    assert told in shown
    assert "Secret" not in shown
    path = write(tmp_path, text, webhook=NOTHING, mqtt=NOTHING)
    found = settings_of(path, scheduled=False)
    assert all(warning.severity == "warning" for warning in found.warnings)
    assert any(told in warning.message for warning in found.warnings) == ("frequency`" not in told)


def test_without_the_library_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwarden.engine.site.alarms.mqtt_is_installed", lambda: False)
    found = read(tmp_path, MQTT, webhook=NOTHING)
    (note,) = found.alarms.notes
    assert note in found.notes
    assert "pip install paho-mqtt" in note
    assert note in load_alarms(write(tmp_path, MQTT, webhook=NOTHING), {}).notes
