"""Sending to all: who wants what, what fails where, in bounded time, without secrets."""

import json
from typing import Any

import pytest

from seatwarden.engine.notify.events import Event, limit_hit, run_failed, try_out
from seatwarden.engine.notify.send import Problem, notify
from seatwarden.engine.site.notifications import EVENTS, Email, Notifications, Webhook
from tests.engine.notify.conftest import NOW, SITE
from tests.engine.notify.servers import Receiver, mail_server, receiver
from tests.engine.notify.test_email import BOARD, SENDER, TEAM


def hook(server: Receiver, number: int = 1, **settings: Any) -> Webhook:
    return Webhook(f"webhook {number}", f"http://127.0.0.1:{server.port}/pathSecret", **settings)


def test_everyone_gets_what_they_want() -> None:
    with receiver(200) as one, receiver(200) as other, mail_server() as box:
        given = Notifications(
            (hook(one, events=frozenset({"limit-hit"})), hook(other, 2)),
            (Email("e", "localhost", box.port, "none", SENDER, recipients=(TEAM,), events=frozenset({"run-failed"})),),
        )
        assert notify(given, limit_hit(SITE, NOW, "r", []), NOW) == []
        assert notify(given, run_failed(SITE, NOW, "plan", "no"), NOW) == []
        assert notify(given, try_out(SITE, NOW), NOW) == []
    kinds = [[json.loads(body)["event"] for _, body in server.requests] for server in (one, other)]
    assert kinds == [["limit-hit", "test"], ["limit-hit", "run-failed", "test"]]
    assert [str(message["Subject"]).strip() for message in box.messages] == [
        f"[seatwarden] run failed at plan on {SITE}",
        f"[seatwarden] test message for {SITE}",
    ]


def test_nobody_to_tell() -> None:
    assert notify(Notifications(), try_out(SITE, NOW), NOW) == []


def test_each_failure_is_told_and_the_others_arrive(event: Event) -> None:
    with receiver(404) as bad, receiver(200) as good, mail_server(refuse=("board@example.com",)) as box:
        given = Notifications(
            (hook(bad, 1), hook(good, 2)),
            (Email("e-mail 1", "localhost", box.port, "none", SENDER, recipients=(TEAM, BOARD)),),
        )
        problems = notify(given, event, NOW)
    assert [problem.destination for problem in problems] == ["webhook 1", "e-mail 1"]
    assert problems[0].message == "notification releases-done was not delivered to webhook 1: it answered 404 Not Found"
    assert problems[0].help
    assert len(good.requests) == 1
    assert len(box.messages) == 1


@pytest.mark.parametrize("answer", ["never", "drip"])
def test_the_time_is_bounded(event: Event, answer: Any) -> None:
    """Also by a server that sends a letter now and then, which no timeout of a socket ends."""
    with receiver(answer) as server, receiver(200) as good:
        problems = notify(Notifications((hook(server), hook(good, 2))), event, NOW, deadline_seconds=0.5)
        assert [p.reason for p in problems] == ["it took longer than 0.5 seconds; it may have arrived"]
        assert len(good.requests) == 1


def test_a_defect_of_ours_stops_no_run(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("pathSecret")

    monkeypatch.setattr("seatwarden.engine.notify.webhook.post", broken)
    problems = notify(Notifications((Webhook("w", "http://localhost/pathSecret"),)), event, NOW)
    assert problems == [Problem("releases-done", "w", "sending failed (KeyError)")]


def test_settings_show_no_secret() -> None:
    hook = Webhook("w", "https://user:urlPassword@h/pathSecret", "signing")
    mail = Email("e", "h", 25, "tls", SENDER, "user", "mailPassword", recipients=(TEAM,))
    shown = repr(Notifications((hook,), (mail,)))
    for secret in ("urlPassword", "pathSecret", "signing", "mailPassword"):
        assert secret not in shown


def test_every_event_can_be_chosen() -> None:
    assert EVENTS == (
        "plan-ready",
        "approval-wanted",
        "releases-done",
        "limit-hit",
        "run-stopped",
        "run-failed",
        "license-expiring",
        "licenses-low",
        "certificate-expiring",
    )
