"""Messages as chats show them, against recorded shapes: no name can forge a link, a mention or a heading."""

import json
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.notify.chat import MAX_CARD_BYTES, MAX_HEADER, MAX_SECTION, slack_body, teams_body
from seatwarden.engine.notify.events import Event, limit_hit, releases_done
from seatwarden.engine.notify.webhook import post
from seatwarden.engine.site.notifications import MessageForm, Webhook
from tests.engine.notify.conftest import NOW, SITE
from tests.engine.notify.servers import receiver
from tests.paths import DATA, load_json

SHAPES = load_json(DATA / "chat-shapes.json")
"""What the documentation of Slack and of Teams shows, shortened; see its `source`s."""
FORGED = "<!channel> <https://evil.example|sign in> & <@U1> *b* [in](https://evil.example) <at>all</at> # big"


def slack(event: Event, people: bool = True) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(slack_body(event, people))
    return content


def teams(event: Event, people: bool = True) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(teams_body(event, people))
    return content


def shape_of(value: Any) -> Any:
    """The keys and types of a JSON value; what stands under `type` counts as it is. Of a list, each kind once."""
    if isinstance(value, dict):
        return {key: part if key in ("type", "contentType") else shape_of(part) for key, part in value.items()}
    if isinstance(value, list):
        shapes: list[Any] = []
        for part in map(shape_of, value):
            if part not in shapes:
                shapes.append(part)
        return shapes
    return type(value).__name__


def fits(shape: Any, recorded: Any) -> bool:
    """Whether nothing is there that was not recorded, and all that was recorded as needed."""
    if isinstance(shape, dict) and isinstance(recorded, dict):
        needed = {key for key in recorded if not key.endswith("?")}
        known = {key.rstrip("?"): part for key, part in recorded.items()}
        return needed <= shape.keys() <= known.keys() and all(fits(part, known[key]) for key, part in shape.items())
    if isinstance(shape, list) and isinstance(recorded, list):
        return all(any(fits(part, one) for one in recorded) for part in shape)
    return bool(shape == recorded)


def many(count: int) -> Event:
    people = [(f"CORP\\{FORGED} {number}", "analyzer") for number in range(count)]
    return releases_done(SITE, NOW, "r", {"released": count}, people, Path("runs/1"))  # type: ignore[arg-type]


@pytest.mark.parametrize("event", [many(0), many(3), many(5_000)], ids=["nobody", "some", "very many"])
def test_they_have_the_recorded_shape(event: Event) -> None:
    assert fits(shape_of(slack(event)), SHAPES["slack"]["shape"])
    assert fits(shape_of(teams(event)), SHAPES["teams"]["shape"])


def test_the_shapes_are_told_apart() -> None:
    """The comparison can fail."""
    assert not fits(shape_of(slack(many(1)) | {"attachments": []}), SHAPES["slack"]["shape"])
    assert not fits(shape_of({"text": "only"} | {"type": "message"}), SHAPES["teams"]["shape"])


def test_slack_says_all_in_parts_without_markup(event: Event) -> None:
    content = slack(event)
    header, *sections = content["blocks"]
    assert header == {"type": "header", "text": {"type": "plain_text", "text": event.subject, "emoji": False}}
    shown = "\n".join(section["text"]["text"] for section in sections)
    assert shown.split("\n") == event.lines_for(True)
    assert all(section["text"]["type"] == "plain_text" for section in sections)
    assert content["text"] == "\n".join([event.subject, *event.lines_for(True)])
    assert (content["unfurl_links"], content["unfurl_media"]) == (False, False)


def test_slacks_control_characters_are_escaped_everywhere() -> None:
    said = slack_body(many(2), True).decode()
    assert "<" not in said
    assert ">" not in said
    assert said.count("&") == said.count("&lt;") + said.count("&gt;") + said.count("&amp;")
    assert "&lt;!channel&gt; &lt;https://evil.example|sign in&gt; &amp; &lt;@U1&gt;" in said


def test_teams_shows_runs_of_text_which_know_no_markdown() -> None:
    content = teams(many(2))
    (attachment,) = content["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    parts = attachment["content"]["body"]
    assert {part["type"] for part in parts} == {"RichTextBlock"}
    runs = [run for part in parts for run in part["inlines"]]
    assert {run["type"] for run in runs} == {"TextRun"}
    assert any(FORGED[:80] in run["text"] for run in runs)
    assert "entities" not in json.dumps(content), "a mention needs one"
    assert all(run["text"] for run in runs)


def test_names_only_where_asked() -> None:
    for body in (slack_body(many(2), False), teams_body(many(2), False)):
        assert b"evil" not in body


@pytest.mark.parametrize("length", [100, 149, 150, 151, 400])
def test_limits_of_size(length: int) -> None:
    sentences = ["&" * length * 3, *("&<>" * 900 + str(number) for number in range(300))]
    event = limit_hit(f"https://{'q' * length}&&&&&&&&&&&&", NOW, "r", sentences)
    content = slack(event)
    assert len(content["blocks"]) <= 50
    assert len(content["text"]) <= 3_000
    for block in content["blocks"]:
        text = block["text"]["text"]
        assert 0 < len(text) <= (MAX_HEADER if block["type"] == "header" else MAX_SECTION)
        assert "&" not in text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", ""), "an escape was cut"
    assert content["blocks"][-1]["text"]["text"].startswith("… the rest is in the run folder")
    card = teams_body(event, True)
    assert len(card) <= MAX_CARD_BYTES
    assert json.loads(card)["attachments"][0]["content"]["body"][-1]["inlines"][0]["text"].startswith("… the rest")


@pytest.mark.parametrize("form", ["slack", "teams", "json"])
def test_it_is_posted_in_its_form(event: Event, form: MessageForm) -> None:
    with receiver(200) as server:
        hook = Webhook("w", f"http://127.0.0.1:{server.port}/", "secret", format=form)
        post(hook, event, NOW)
    ((headers, body),) = server.requests
    first = {"slack": "blocks", "teams": "attachments", "json": "lines"}
    assert first[form] in json.loads(body)
    assert headers["Content-Type"] == "application/json"
    assert headers["X-Seatwarden-Id"] == event.id
    assert "X-Seatwarden-Signature" in headers
