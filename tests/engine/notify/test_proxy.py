"""Webhooks through a real proxy: only through the one that is said, and around it where that is said."""

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatwarden.engine.notify.errors import NotDelivered
from seatwarden.engine.notify.events import Event
from seatwarden.engine.notify.http import Request, send
from seatwarden.engine.notify.send import notify
from seatwarden.engine.notify.webhook import post
from seatwarden.engine.simulator.certificates import ThrowAwayAuthority
from seatwarden.engine.site.notifications import Notifications, Webhook
from seatwarden.engine.site.proxy import DIRECT, Proxy
from tests.engine.notify.brokers import web_proxy
from tests.engine.notify.conftest import NOW
from tests.engine.notify.servers import receiver
from tests.ports import dead_port

HTTP = Webhook("w", "http://hooks.invalid/T0/path?key=1")
HTTPS = Webhook("w", "https://hooks.invalid/T0/path")


def refusal(webhook: Webhook, event: Event, proxy: Proxy) -> NotDelivered:
    with pytest.raises(NotDelivered) as raised:
        post(webhook, event, NOW, proxy)
    return raised.value


def test_http_and_https(event: Event, tmp_path: Path) -> None:
    """The name cannot be looked up here; TLS is from us to the receiver, and checked."""
    files = ThrowAwayAuthority(now=datetime.now(UTC)).export(tmp_path, hosts=["hooks.invalid"])
    with receiver(200) as plain, receiver(200, tls=files) as secure, web_proxy(plain.port) as way:
        said = Proxy(way.url, way.url)
        assert notify(Notifications((HTTP,), proxy=said), event, NOW) == []
        assert plain.calls == [("POST", "/T0/path?key=1")]
        way.target = secure.port
        hook = replace(HTTPS, authority=files.root)
        post(hook, event, NOW, said)
        assert secure.calls == [("POST", "/T0/path")]
        assert way.asked == ["POST http://hooks.invalid/T0/path?key=1", "CONNECT hooks.invalid:443"]
        assert "not issued by an authority we trust" in refusal(HTTPS, event, said).message
        assert len(secure.calls) == 1


def test_user_and_password(event: Event) -> None:
    login = f"Basic {b64encode(b'me:p@ss').decode()}"
    with receiver(200) as server, web_proxy(server.port, login=login) as way:
        right = f"http://me:p%40ss@127.0.0.1:{way.port}"
        post(HTTP, event, NOW, Proxy(right, right))
        assert len(server.calls) == 1
        wrong = f"http://me:s3cret-pass@127.0.0.1:{way.port}"
        for hook, told in (
            (HTTP, "it answered 407 Proxy Authentication Required"),
            (HTTPS, "the proxy did not let us"),
        ):
            error = refusal(hook, event, Proxy(wrong, wrong))
            assert error.message.startswith(told)
            assert "check `proxy`" in str(error.help)
            assert "s3cret-pass" not in f"{error!r} {error.help}"


def test_a_proxy_that_is_not_there(event: Event) -> None:
    dead = f"http://127.0.0.1:{dead_port()}"
    for hook in (HTTP, HTTPS):
        assert refusal(hook, event, Proxy(dead, dead)).message == "the proxy cannot be reached"


def test_around_it(event: Event) -> None:
    dead = f"http://127.0.0.1:{dead_port()}"
    with receiver(200) as server:
        # This machine is reached without a proxy, whatever is said.
        post(Webhook("w", f"http://127.0.0.1:{server.port}/"), event, NOW, Proxy(dead, dead))
        assert len(server.calls) == 1
    for name in ("hooks.invalid", "invalid", ".invalid", "*.invalid", "*", "hooks.invalid:80"):
        around = Proxy(dead, dead, (name,))
        url = HTTP.url.replace("hooks.invalid", "hooks.invalid:80")
        assert refusal(replace(HTTP, url=url), event, around).message == "there is no host of that name"
    assert refusal(HTTP, event, Proxy(dead, dead, ("ooks.invalid", "hooks.invalid:81"))).message.startswith("the proxy")


def test_nothing_from_the_environment(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:1")
    assert refusal(HTTP, event, DIRECT).message == "there is no host of that name"
    with pytest.raises(NotDelivered, match="there is no host of that name"):
        send(Request("GET", "https://beat.invalid/", "remoteURL", redirects=True), DIRECT)
