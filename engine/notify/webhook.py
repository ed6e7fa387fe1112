"""Webhooks: a POST with JSON, signed, tried again while the receiver is down."""

import hashlib
import hmac
import json
from datetime import datetime
from http import HTTPStatus

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from seatwarden.engine.common.network import TlsAdapter
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.notify.errors import NotDelivered, why
from seatwarden.engine.notify.events import Event
from seatwarden.engine.notify.trust import make_context
from seatwarden.engine.site.notifications import Webhook
from seatwarden.engine.version import VERSION

TIMEOUT_SECONDS = (5, 10)
"""To connect, and until the answer begins."""
ATTEMPTS = 4
_BUSY = (429, 500, 502, 503, 504)


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


def post(webhook: Webhook, event: Event, now: datetime) -> None:
    """Posts an event; the signature is of the instant `now`. Raises NotDelivered.

    The receiver may get it twice (an answer can be lost): the same id tells.
    """
    body = body_of(event, webhook.people)
    timestamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"seatwarden/{VERSION}",
        "X-Seatwarden-Id": event.id,
        "X-Seatwarden-Timestamp": timestamp,
    }
    if webhook.secret:
        headers["X-Seatwarden-Signature"] = sign(webhook.secret, timestamp, body)
    try:
        with (
            _session(webhook) as session,
            # The answer's body is not read: nothing in it matters, and it may never end.
            session.post(
                webhook.url, data=body, headers=headers, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
            ) as response,
        ):
            status = response.status_code
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise why(error) from None
    _check(status)


def _session(webhook: Webhook) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, .netrc or CA bundle from the environment
    retries = Retry(
        total=ATTEMPTS - 1,
        other=0,  # a failed handshake fails again
        backoff_factor=2,
        status_forcelist=_BUSY,
        allowed_methods=("POST",),
        raise_on_status=False,
        respect_retry_after_header=False,  # a server must not make us wait for hours
    )
    if webhook.url.lower().startswith("https:"):
        session.mount("https://", TlsAdapter(make_context(webhook.authority), retries))
        session.verify = str(webhook.authority) if webhook.authority else True
    else:
        session.mount("http://", HTTPAdapter(max_retries=retries))
    return session


def _check(status: int) -> None:
    """Raises NotDelivered unless the receiver took it. Its own words are not shown: they may repeat the address."""
    if 200 <= status < 300:
        return
    try:
        answer = f"it answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        answer = f"it answered {status}"
    if 300 <= status < 400:
        help_ = "notifications are not sent on; write the address that it leads to under `url`"
        raise NotDelivered(f"{answer}, a redirect", help_)
    if status in _BUSY:
        raise NotDelivered(f"{answer}, {ATTEMPTS} times", "look into that server's log")
    raise NotDelivered(answer, "is the address under `url` right, and still valid?")
