"""docs/notifications.md shows what is really sent, and its receiver accepts it.

`python -m tests.engine.notify.test_page` writes what is sent now into the page.
"""

import json
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path, PureWindowsPath

from seatwarden.engine.notify.email import message_of
from seatwarden.engine.notify.events import Event, releases_done
from seatwarden.engine.notify.webhook import body_of, post
from seatwarden.engine.site.notifications import EVENTS, Email, Webhook, load_notifications
from tests.engine.notify.servers import receiver
from tests.paths import ROOT

PAGE = ROOT / "docs" / "notifications.md"
AT = datetime(2026, 11, 21, 2, 3, 20, tzinfo=UTC)


def example() -> Event:
    counts = {"released": 41, "gone": 0, "skipped": 2, "failed": 1, "unknown": 0}
    run = "20261121T020000Z-5f0c1a2b3c4d"
    folder = PureWindowsPath("D:/seatwarden/runs") / run
    return releases_done("https://qlik.example.com:4242", AT, run, counts, [], folder)


def example_json() -> str:
    return json.dumps(json.loads(body_of(example(), people=False)), indent=2) + "\n"


def example_mail() -> str:
    sender = Address("Seatwarden", "seatwarden", "example.com")
    recipients = (Address("", "qlik-team", "example.com"), Address("Change Board", "changes", "example.com"))
    email = Email("e", "smtp.example.com", 587, "starttls", sender, recipients=recipients)
    return message_of(email, example(), AT).as_string().replace("\r\n", "\n")


def block(language: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=^```{language}\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def shown(language: str) -> str:
    found = block(language).findall(PAGE.read_text(encoding="utf-8"))
    assert len(found) == 1
    return str(found[0])


def test_the_json_is_what_is_sent() -> None:
    assert shown("json") == example_json()


def test_the_mail_is_what_is_sent() -> None:
    assert shown("text") == example_mail()


def test_the_settings_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_text(shown("yaml"), encoding="utf-8")
    found = load_notifications(path, {"WEBHOOK_SECRET": "a", "SMTP_PASSWORD": "b"})
    assert len(found.webhooks) == len(found.emails) == 1


def test_the_receiver_tells_genuine_from_forged() -> None:
    names: dict[str, Callable[[str, dict[str, str], bytes], bool]] = {}
    exec(shown("python"), names)  # noqa: S102 - what the page tells others to run
    with receiver(200) as server:
        hook = Webhook("w", f"http://127.0.0.1:{server.port}/", "secret")
        post(hook, example(), datetime.now(UTC))
        post(hook, example(), datetime.fromtimestamp(time.time() - 600, UTC))
    (headers, body), (old, old_body) = server.requests
    is_genuine = names["is_genuine"]
    assert is_genuine("secret", headers, body)
    assert not is_genuine("another", headers, body)
    assert not is_genuine("secret", headers, body + b" ")
    assert not is_genuine("secret", headers | {"X-Seatwarden-Timestamp": str(int(time.time()) + 1)}, body)
    assert not is_genuine("secret", old, old_body)


def test_every_event_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert all(f"| `{kind}` |" in text for kind in EVENTS)


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    for language, text in (("json", example_json()), ("text", example_mail())):
        page = block(language).sub(lambda _, text=text: text, page)  # type: ignore[misc]
    PAGE.write_text(page, encoding="utf-8")
