"""What Butler tells of the site's license: the same requests, topics and texts, to real servers."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from seatwarden.engine.monitor.alarms import expiry_messages, send_messages
from seatwarden.engine.monitor.server_license import ServerLicense
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.site.settings import Settings
from tests.engine.notify.brokers import broker
from tests.engine.notify.servers import receiver
from tests.engine.service.sites import NOTHING, settings_of
from tests.engine.site.test_alarms import ON, write
from tests.ports import dead_port

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)
FAR = ServerLicense(date(2027, 12, 31), 405, expired=False)
CLOSE = ServerLicense(date(2026, 12, 31), 40, expired=False)
GONE = ServerLicense(date(2026, 11, 11), -10, expired=True)
Said = list[tuple[int, str, dict[str, object]]]


def hooks(url: str, method: str = "POST", limit: int = 0, more: str = "") -> str:
    hook = f"{{webhookURL: '{url}', httpMethod: {method}{more}}}"
    return (
        "webhookNotification:\n  enable: true\n"
        f"  qlikSenseServerLicenseMonitor: {{rateLimit: {limit}, webhooks: [{hook}]}}\n"
        f"  qlikSenseServerLicenseExpiryAlert: {{rateLimit: {limit}, webhooks: [{hook}]}}\n"
    )


def mqtt(port: int, more: str = "", host: str = "127.0.0.1") -> str:
    topics = "qlikSenseServerLicenseTopic: qs/license, qlikSenseServerLicenseExpireTopic: qs/expire"
    return f"mqttConfig: {{enable: true, brokerHost: {host}, brokerPort: {port}, {topics}{more}}}\n"


def with_hooks(folder: Path, butler: str, destination: str = ON) -> Settings:
    return settings_of(write(folder, butler, webhook=destination, mqtt=NOTHING))


def with_mqtt(folder: Path, butler: str, destination: str = ON) -> Settings:
    return settings_of(write(folder, butler, webhook=NOTHING, mqtt=destination))


def listener(said: Said) -> Callable[..., None]:
    def tell(message: str, *, level: int = logging.INFO, **facts: object) -> None:
        said.append((level, message, facts))

    return tell


def send(settings: Settings, found: ServerLicense, now: datetime = NOW) -> tuple[bool, Said]:
    said: Said = []
    return send_messages(expiry_messages(found, settings), settings, now, listener(said)), said


STATUS = ("server license status", "false", "2027-12-31", "405")


def body(event: str, rest: str) -> bytes:
    return f'{{"event":"server license {event}",{rest}}}'.encode()


_FAR = '"licenseExpired":false,"expiryDateStr":"2027-12-31","daysUntilExpiry":405'
_CLOSE = '"licenseExpired":false,"expiryDateStr":"2026-12-31","daysUntilExpiry":40'
_GONE = '"licenseExpired":true,"expiryDateStr":"2026-11-11","daysUntilExpiry":-10'


@pytest.mark.parametrize(
    ("found", "events"),
    [
        (FAR, [body("status", _FAR)]),
        (CLOSE, [body("status", _CLOSE), body("about to expire alert", _CLOSE)]),
        (GONE, [body("status", _GONE), body("has expired alert", _GONE)]),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_post_and_put(tmp_path: Path, found: ServerLicense, events: list[bytes], method: str) -> None:
    with receiver(200) as server:
        ok, said = send(with_hooks(tmp_path, hooks(f"http://127.0.0.1:{server.port}/a?b=c", method)), found)
    assert ok
    assert server.calls == [(method, "/a?b=c")] * len(events)
    # Both kinds are sent at the same time.
    assert sorted(body for _, body in server.requests) == sorted(events)
    assert {headers["Content-Type"] for headers, _ in server.requests} == {"application/json"}
    assert {message for _, message, _ in said} == {"told of the site's license"}


def test_get_has_the_values_as_its_whole_query(tmp_path: Path) -> None:
    """Butler replaces a query that the URL has."""
    with receiver(200) as server:
        send(with_hooks(tmp_path, hooks(f"http://127.0.0.1:{server.port}/a?b=c", "get")), FAR)
    ((method, path),) = server.calls
    expected = "event=server+license+status&licenseExpired=false&expiryDateStr=2027-12-31&daysUntilExpiry=405"
    assert (method, path) == ("GET", f"/a?{expected}")
    assert tuple(value for _, value in parse_qsl(urlsplit(path).query)) == STATUS
    assert server.requests[0][1] == b""


def test_an_authority_of_its_own(tmp_path: Path, certificates: CertificateFiles) -> None:
    def cert(enable: bool, verify: bool, ca: Path) -> str:
        return f", cert: {{enable: {enable}, rejectUnauthorized: {verify}, certCA: {ca}}}".replace("T", "t").replace(
            "F", "f"
        )

    other = tmp_path / "other"
    other.mkdir()
    empty = tmp_path / "root.pem"
    with receiver(200, tls=certificates) as server:
        for host, more, ok in (
            ("localhost", cert(True, True, certificates.root), True),
            ("127.0.0.2", cert(True, True, certificates.root), False),
            ("127.0.0.2", cert(True, False, certificates.root), True),
            ("localhost", cert(False, False, certificates.root), False),
        ):
            url = f"https://{host}:{server.port}/"
            assert send(with_hooks(tmp_path, hooks(url, more=more)), FAR)[0] is ok, (host, more)
        assert len(server.calls) == 2
        ok, said = send(
            with_hooks(tmp_path, hooks(f"https://localhost:{server.port}/", more=cert(True, True, empty))), FAR
        )
        assert not ok
        assert "`cert.certCA`" in said[0][1]


def test_the_rate_limit_is_of_a_kind(tmp_path: Path) -> None:
    """Also over processes: each send reads the settings anew."""
    with receiver(200) as server:
        text = hooks(f"http://127.0.0.1:{server.port}/", limit=300)
        for seconds, calls in ((0, 1), (1, 1), (299, 1), (300, 2)):
            ok, said = send(with_hooks(tmp_path, text), FAR, NOW + timedelta(seconds=seconds))
            assert (ok, len(server.calls)) == (True, calls)
        assert len(said) == 1
        send(with_hooks(tmp_path, text), CLOSE, NOW + timedelta(seconds=301))
        assert len(server.calls) == 3, "an alert is another kind"
        assert b"about to expire" in server.requests[-1][1]


def test_all_webhooks_of_a_kind_are_called(tmp_path: Path) -> None:
    with receiver(200) as one, receiver(404) as other:
        text = hooks(f"http://127.0.0.1:{other.port}/pathSecret", limit=300)
        more = f"webhooks: [{{webhookURL: 'http://127.0.0.1:{one.port}/', httpMethod: POST}}, "
        ok, said = send(with_hooks(tmp_path, text.replace("webhooks: [", more)), FAR)
    assert (ok, len(one.calls), len(other.calls)) == (False, 1, 1)
    (warning,) = [(message, facts) for level, message, facts in said if level == logging.WARNING]
    assert warning[0].endswith(f"webhook 2 (http://127.0.0.1:{other.port}): it answered 404 Not Found")
    assert warning[1]["help"] == "is the address under `webhookURL` right, and still valid?"
    assert "pathSecret" not in str(said)


def test_redirects_are_followed_as_butler_does_but_not_for_ever(tmp_path: Path) -> None:
    with receiver("redirect", 200) as server:
        assert send(with_hooks(tmp_path, hooks(f"http://127.0.0.1:{server.port}/", "GET")), FAR)[0]
        assert [path.partition("?")[0] for _, path in server.calls] == ["/", "/elsewhere"]
    with receiver("redirect") as server:
        _, said = send(with_hooks(tmp_path, hooks(f"http://127.0.0.1:{server.port}/", "GET")), FAR)
    assert "redirects more than 5 times" in said[0][1]


def test_mqtt_byte_for_byte(tmp_path: Path, certificates: CertificateFiles) -> None:
    with broker(tmp_path, certificates) as running:
        settings = with_mqtt(tmp_path, mqtt(running.port))
        for found in (FAR, CLOSE, GONE):
            assert send(settings, found)[0]
        heard = running.wait_for(5)
    assert heard == [
        ("qs/license", b'{"licenseExpired":false,"expiryDateStr":"2027-12-31","daysUntilExpiry":405}', 1),
        ("qs/license", b'{"licenseExpired":false,"expiryDateStr":"2026-12-31","daysUntilExpiry":40}', 1),
        ("qs/expire", b"Qlik Sense server license is about to expire in 40 days, on 2026-12-31", 1),
        ("qs/license", b'{"licenseExpired":true,"expiryDateStr":"2026-11-11","daysUntilExpiry":-10}', 1),
        ("qs/expire", b"Qlik Sense server license expired on 2026-11-11", 1),
    ]


def test_mqtt_with_only_one_of_the_two(tmp_path: Path, certificates: CertificateFiles) -> None:
    """Butler does not look at these switches."""
    alone = {
        "qs/license": ON.replace("sendAlert: {enable: true}", "sendAlert: {enable: false}"),
        "qs/expire": ON.replace("sendRecurring: {enable: true}", "sendRecurring: {enable: false}"),
    }
    with broker(tmp_path, certificates) as running:
        for topic, destination in alone.items():
            running.heard.clear()
            send(with_mqtt(tmp_path, mqtt(running.port), destination), CLOSE)
            assert [heard[0] for heard in running.wait_for(1)] == [topic]
        send(with_mqtt(tmp_path, mqtt(running.port), alone["qs/expire"]), FAR)
        assert len(running.heard) == 1, "nothing to tell, nothing sent"


def test_mqtt_with_a_certificate_as_on_azure(tmp_path: Path, certificates: CertificateFiles) -> None:
    files = f"clientCertFile: {certificates.client}, clientKeyFile: {certificates.client_key}"
    more = f", caFile: {certificates.root}, azureEventGrid: {{enable: true, clientId: butler, {files}}}"
    with broker(tmp_path, certificates) as running:
        assert send(with_mqtt(tmp_path, mqtt(running.tls_port, more, "localhost")), FAR)[0]
        assert len(running.wait_for(1)) == 1


def test_what_cannot_be_sent_is_said_and_stops_nothing_else(tmp_path: Path) -> None:
    with receiver(200) as server:
        text = hooks(f"http://127.0.0.1:{server.port}/") + mqtt(dead_port())
        ok, said = send(settings_of(write(tmp_path, text)), CLOSE)
    assert not ok
    assert len(server.calls) == 2
    (warning,) = [message for level, message, _ in said if level == logging.WARNING]
    assert warning.startswith("the site's license was not told to MQTT (mqtt://127.0.0.1:")
    assert warning.endswith(": nothing listens there")


def test_nothing_is_asked_for_nothing_is_sent(tmp_path: Path) -> None:
    text = hooks("http://127.0.0.1:1/") + mqtt(1)
    assert expiry_messages(CLOSE, settings_of(write(tmp_path, text, webhook=NOTHING, mqtt=NOTHING))) == []


def test_a_dry_run_lists_what_is_sent(tmp_path: Path) -> None:
    text = hooks("http://127.0.0.1:1/pathSecret", "GET") + mqtt(1)
    messages = expiry_messages(CLOSE, settings_of(write(tmp_path, text)))
    listed = [text for message in messages for text in message.texts]
    assert listed[0].startswith("GET ?event=server+license+status&")
    assert [text.partition(" ")[0] for text in listed] == ["GET", "GET", "qs/license", "qs/expire"]
    assert json.loads(listed[2].partition(" ")[2])["daysUntilExpiry"] == 40
    assert "Secret" not in str(messages)
