"""Messages as chats show them: Slack's incoming webhooks, and the workflows of Microsoft Teams.

What comes from outside, such as a user's name, must stay text there: no link, no mention, no heading. So it stands in
parts that know no markup: Slack's `plain_text` objects, and the text runs of Adaptive Cards, which unlike text blocks
read no Markdown. Slack's three control characters are escaped everywhere.

Shapes and limits: https://docs.slack.dev/reference/block-kit/blocks, https://docs.slack.dev/messaging/formatting-message-text,
https://adaptivecards.io/explorer/TextRun.html, and "Create incoming webhooks with Workflows" in the help of Teams.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from seatwarden.engine.notify.events import Event

MAX_HEADER = 150
"""Most characters of Slack's header block."""
MAX_SECTION = 3_000
"""Most characters of a text of Slack's section block."""
MAX_SECTIONS = 45
"""A message of Slack's has 50 blocks at most."""
MAX_FALLBACK = 3_000
"""Characters of the text for notifications and for clients without blocks; Slack asks for 4,000 at most."""
MAX_CARD_BYTES = 20_000
"""Teams takes 28 KB, and counts what it makes of the message itself."""
_MORE = "… the rest is in the run folder"


def slack_body(event: Event, people: bool) -> bytes:
    """The JSON of an event for an incoming webhook of Slack."""
    lines = [_escaped(line) for line in event.lines_for(people)]
    sections = list(_packed(lines, MAX_SECTION))
    if len(sections) > MAX_SECTIONS:
        sections = [*sections[: MAX_SECTIONS - 1], _MORE]
    header = {"type": "header", "text": _plain(_cut(_escaped(event.subject), MAX_HEADER))}
    content = {
        "text": _cut("\n".join([_escaped(event.subject), *lines]), MAX_FALLBACK),
        "blocks": [header, *({"type": "section", "text": _plain(text)} for text in sections)],
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return json.dumps(content).encode()


def teams_body(event: Event, people: bool) -> bytes:
    """The JSON of an event for the webhook of a workflow of Teams: an Adaptive Card."""
    heading = _rich(event.subject, size="Large", weight="Bolder")
    lines = event.lines_for(people)
    body = _card([heading, *map(_rich, lines)])
    while len(body) > MAX_CARD_BYTES and lines:
        # Each line costs more than its own bytes; an eighth less is soon little enough.
        lines = lines[: len(lines) - max(1, len(lines) // 8)]
        body = _card([heading, *map(_rich, lines), _rich(_MORE)])
    return body


def _card(parts: Sequence[dict[str, Any]]) -> bytes:
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": list(parts),
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return json.dumps({"type": "message", "attachments": [attachment]}).encode()


def _rich(text: str, **style: str) -> dict[str, Any]:
    # An empty run would not be shown, and the line that separates would be lost.
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text or "\u00a0", **style}]}


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str, most: int) -> str:
    """A text of no more characters, never ending within an escape."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    ampersand = kept.rfind("&")
    return (kept[:ampersand] if ampersand >= 0 and ";" not in kept[ampersand:] else kept) + "…"


def _packed(lines: Sequence[str], most: int) -> Iterator[str]:
    """The lines in as few texts as hold them; none is empty, which Slack refuses."""
    text = ""
    for line in lines:
        line = _cut(line, most)
        if text and len(text) + 1 + len(line) > most:
            yield text
            text = line
        else:
            text = f"{text}\n{line}" if text else line
    if text.strip():
        yield text
