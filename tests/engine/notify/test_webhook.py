"""Webhooks, posted to a real HTTP server."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.notify.errors import NotDelivered
from seatwarden.engine.notify.events import Event, releases_done
from seatwarden.engine.notify.http import ATTEMPTS
from seatwarden.engine.notify.webhook import post, sign
from seatwarden.engine.simulator.certificates import CertificateFiles, ThrowAwayAuthority, Validity
from seatwarden.engine.site.notifications import Webhook
from tests.engine.notify.conftest import NOW, SITE
from tests.engine.notify.servers import Answer, Receiver, receiver
from tests.engine.notify.test_events import HOSTILE


def hook(server: Receiver, *, scheme: str = "http", host: str = "127.0.0.1", **settings: Any) -> Webhook:
    return Webhook("webhook 1", f"{scheme}://{host}:{server.port}/T0/pathSecret?key=querySecret", **settings)


def test_the_post_and_its_signature(event: Event) -> None:
    with receiver(200) as server:
        post(hook(server, secret="ключ"), event, NOW)
    [(headers, body)] = server.requests
    content = json.loads(body)
    assert content["event"] == "releases-done"
    assert content["site"] == SITE
    assert content["at"] == "2026-11-21T02:00:05.000Z"
    assert content["subject"] == event.subject
    assert content["lines"] == list(event.lines)
    assert content["text"] == "\n".join([event.subject, *event.lines])
    assert content["data"]["counts"] == event.data["counts"]
    assert content["id"] == event.id == headers["X-Seatwarden-Id"]
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Seatwarden-Timestamp"] == str(int(NOW.timestamp()))
    assert headers["X-Seatwarden-Signature"] == by_hand("ключ", headers["X-Seatwarden-Timestamp"], body)


def by_hand(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC as RFC 2104 writes it, without the hmac module."""
    key = secret.encode()
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + timestamp.encode() + b"." + body).digest()
    return "sha256=" + hashlib.sha256(bytes(b ^ 0x5C for b in key) + inner).hexdigest()


def test_the_signature_depends_on_everything() -> None:
    signatures = {sign("a", "1", b"x"), sign("b", "1", b"x"), sign("a", "2", b"x"), sign("a", "1", b"y")}
    assert len(signatures) == 4
    assert sign("a" * 100, "1", b"x") == by_hand("a" * 100, "1", b"x")
    assert hmac.compare_digest(sign("a", "1", b"x"), by_hand("a", "1", b"x"))


def test_without_a_secret_there_is_no_signature(event: Event) -> None:
    with receiver(204) as server:
        post(hook(server), event, NOW)
    assert "X-Seatwarden-Signature" not in server.requests[0][0]


def test_people_only_where_asked() -> None:
    event = releases_done(SITE, NOW, "r", {"released": 1}, [(HOSTILE, "analyzer")])
    with receiver(200) as server:
        post(hook(server), event, NOW)
        post(hook(server, people=True), event, NOW)
    plain, named = (json.loads(body) for _, body in server.requests)
    assert "Bcc" not in json.dumps(plain)
    [person] = named["data"]["people"]
    assert person["user"].startswith("eve Bcc: x@example.org")
    assert "\u202e" not in person["user"]


@pytest.mark.parametrize("answers", [(500, 500, 200), (429, 200), (503, 502, 504, 202), ("reset", 200)])
def test_it_is_tried_again(event: Event, answers: tuple[Answer, ...], waits: list[float]) -> None:
    """With the same id each time; a server that wants an hour of patience does not get it."""
    with receiver(*answers) as server:
        post(hook(server, secret="s"), event, NOW)
    assert len(server.requests) == len(answers)
    assert len({headers["X-Seatwarden-Id"] for headers, _ in server.requests}) == 1
    assert len({body for _, body in server.requests}) == 1
    assert waits == [4, 8][: len(answers) - 2]


@pytest.mark.parametrize(
    ("answer", "attempts", "reason"),
    [
        (500, ATTEMPTS, "it answered 500 Internal Server Error, 4 times"),
        (429, ATTEMPTS, "it answered 429 Too Many Requests, 4 times"),
        (404, 1, "it answered 404 Not Found"),
        (401, 1, "it answered 401 Unauthorized"),
        (799, 1, "it answered 799"),
        ("redirect", 1, "it answered 302 Found, a redirect"),
        ("reset", ATTEMPTS, "it closed the connection before it had answered"),
        ("never", ATTEMPTS, "it does not answer"),
    ],
)
def test_it_gives_up(event: Event, monkeypatch: pytest.MonkeyPatch, answer: Answer, attempts: int, reason: str) -> None:
    monkeypatch.setattr("seatwarden.engine.notify.http.TIMEOUT_SECONDS", (1, 0.2))
    with receiver(answer) as server, pytest.raises(NotDelivered) as raised:
        post(hook(server, secret="signing-key"), event, NOW)
    assert raised.value.message == reason
    assert len(server.requests) == attempts
    for secret in ("pathSecret", "querySecret", "signing-key"):
        assert secret not in f"{raised.value.message} {raised.value.help} {raised.value!r}"


def test_nobody_there(event: Event) -> None:
    with receiver(200) as server:
        pass
    with pytest.raises(NotDelivered, match="nothing listens there"):
        post(hook(server), event, NOW)
    with pytest.raises(NotDelivered, match="there is no host of that name"):
        post(Webhook("w", "http://nowhere.invalid/"), event, NOW)


def test_tls_is_checked(event: Event, certificates: CertificateFiles, tmp_path: Path) -> None:
    ours = certificates.root
    with receiver(200, tls=certificates) as server:
        post(hook(server, scheme="https", host="localhost", authority=ours), event, NOW)
        assert len(server.requests) == 1
        for settings, reason in (
            ({"host": "localhost"}, "its certificate was not issued by an authority we trust"),
            ({"host": "127.0.0.2", "authority": ours}, "its certificate is for another host name"),
        ):
            with pytest.raises(NotDelivered) as raised:
                post(hook(server, scheme="https", **settings), event, NOW)
            assert raised.value.message == reason
        assert len(server.requests) == 1
    now = datetime.now(UTC)
    expired = ThrowAwayAuthority(now=now).export(tmp_path, server_validity=Validity.expired(now))
    with receiver(200, tls=expired) as server, pytest.raises(NotDelivered, match="its certificate has expired"):
        post(hook(server, scheme="https", host="localhost", authority=expired.root), event, NOW)
    with receiver(200) as server, pytest.raises(NotDelivered, match="does not speak TLS"):
        post(hook(server, scheme="https", host="localhost", authority=ours), event, NOW)
    empty = tmp_path / "empty.pem"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(NotDelivered, match="holds no certificate"):
        post(Webhook("w", "https://localhost/", authority=empty), event, NOW)


def test_the_environment_has_no_say(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with receiver(200) as server:
        post(hook(server), event, NOW)
    assert len(server.requests) == 1
