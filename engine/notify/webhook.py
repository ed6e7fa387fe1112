"""Webhooks: a POST with JSON, signed, tried again while the receiver is down."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import datetime

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.notify import http
from seatwarden.engine.notify.chat import slack_body, teams_body
from seatwarden.engine.notify.events import Event
from seatwarden.engine.site.notifications import MessageForm, Webhook, WebhookTarget
from seatwarden.engine.site.proxy import DIRECT, Proxy
from seatwarden.engine.version import VERSION


def body_of(event: Event, people: bool) -> bytes:
    """The JSON that is posted."""
    content = {
        "id": event.id,
        "event": event.kind,
        "site": event.site,
        "at": format_instant(event.at),
        "subject": event.subject,
        # What Slack, Mattermost and their like show of it.
        "text": "\n".join([event.subject, *event.lines_for(people)]),
        "lines": event.lines_for(people),
        "data": event.data_for(people),
    }
    return json.dumps(content).encode()


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The value of the signature's header: HMAC-SHA256 over timestamp, a dot, and the body as it is sent."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"sha256={digest.hexdigest()}"


BODIES: Mapping[MessageForm, Callable[[Event, bool], bytes]] = {
    "json": body_of,
    "slack": slack_body,
    "teams": teams_body,
}
"""The JSON of an event by the form that the receiver reads."""


def post(webhook: Webhook, event: Event, now: datetime, proxy: Proxy = DIRECT) -> None:
    """Posts an event; the signature is of the instant `now`. Raises NotDelivered.

    The receiver may get it twice (an answer can be lost): the same id tells.
    """
    body = BODIES[webhook.format](event, webhook.people)
    http.send(signed_request(webhook, event.id, body, now), proxy)


def signed_request(target: WebhookTarget, id: str, body: bytes, now: datetime) -> http.Request:
    """The POST of a body, signed of the instant `now`, and tried again while the receiver is down."""
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"seatwarden/{VERSION}",
        "X-Seatwarden-Id": id,
        "X-Seatwarden-Timestamp": timestamp,
    }
    if target.secret:
        headers["X-Seatwarden-Signature"] = sign(target.secret, timestamp, body)
    return http.Request("POST", target.url, "url", body, headers, target.authority, tried_again=True)
