"""What Butler tells of the site's own license, by webhooks and MQTT: the same events, keys, topics and sentences.

Butler 16 (`src/lib/qseow/qliksense_license.js`, `webhook_notification.js`) sends the status each time and an alert
from the threshold on. Three things are otherwise here: the day of expiry is always `YYYY-MM-DD`, days after it are
negative, and of MQTT `sendRecurring` and `sendAlert` count, which Butler does not look at.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

from seatwarden.engine.monitor.server_license import ServerLicense
from seatwarden.engine.notify import http, mqtt
from seatwarden.engine.notify.repetition import Repetition
from seatwarden.engine.notify.send import deliver_all
from seatwarden.engine.site.alarms import Alarms, ButlerWebhook, ButlerWebhooks, Mqtt
from seatwarden.engine.site.proxy import Proxy
from seatwarden.engine.site.settings import Settings
from seatwarden.engine.version import VERSION

STATUS = "server license status"
EXPIRED = "server license has expired alert"
EXPIRING = "server license about to expire alert"


class Tell(Protocol):
    """Whoever is told what became of a message."""

    def __call__(self, message: str, *, level: int = logging.INFO, **facts: object) -> None:
        """Takes a sentence; `level` is one of `logging`'s."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """A message to one destination: `texts` are what it gets, as a dry run lists them.

    All of one `kind` are sent at once, and not again within `seconds`.
    """

    kind: str
    seconds: int
    destination: str
    texts: tuple[str, ...]
    send: Callable[[], None]


def expiry_messages(found: ServerLicense, settings: Settings) -> list[Message]:
    """The messages that the site file wants about the license found."""
    alarms, close = settings.alarms, found.is_close(settings.jobs.server_monitor.threshold_days)
    messages = list(_calls("webhook status", alarms.status, STATUS, found, alarms))
    if close:
        event = EXPIRED if found.expired else EXPIRING
        messages += _calls("webhook alert", alarms.alert, event, found, alarms)
    if alarms.mqtt is not None:
        messages += _publications(alarms.mqtt, found, close, alarms.proxy)
    return messages


def send_messages(messages: Sequence[Message], settings: Settings, now: datetime, tell: Tell) -> bool:
    """Sends them at the same time; what failed is told, and nothing raised. Returns whether all went well."""
    memory = Repetition(settings.folder)
    due = {
        kind: memory.is_due(kind, now, seconds)
        for kind, seconds in {message.kind: message.seconds for message in messages if message.seconds}.items()
    }
    for kind in (kind for kind, is_due in due.items() if not is_due):
        tell("not sent again yet, by its rateLimit", level=logging.DEBUG, kind=kind)
    sent = [message for message in messages if due.get(message.kind, True)]
    troubles = deliver_all([(message.destination, message.send) for message in sent])
    for message, trouble in zip(sent, troubles, strict=True):
        if trouble is None:
            tell("told of the site's license", level=logging.INFO, destination=message.destination)
        else:
            reason = f"the site's license was not told to {message.destination}: {trouble.message}"
            tell(reason, level=logging.WARNING, help=trouble.help)
    return not any(troubles)


def content_of(event: str | None, found: ServerLicense) -> dict[str, Any]:
    """The values in Butler's order; a message on MQTT names no event."""
    named = {"event": event} if event else {}
    return {
        **named,
        "licenseExpired": found.expired,
        "expiryDateStr": found.expires.isoformat(),
        "daysUntilExpiry": found.days,
    }


def sentence_of(found: ServerLicense) -> str:
    """The alert on MQTT."""
    if found.expired:
        return f"Qlik Sense server license expired on {found.expires.isoformat()}"
    return f"Qlik Sense server license is about to expire in {found.days} days, on {found.expires.isoformat()}"


def _calls(kind: str, hooks: ButlerWebhooks, event: str, found: ServerLicense, alarms: Alarms) -> Iterator[Message]:
    content = content_of(event, found)
    for hook in hooks.hooks:
        request, shown = _request(hook, content)
        yield Message(kind, hooks.rate_limit, hook.label, (shown,), partial(http.send, request, alarms.proxy))


def _request(hook: ButlerWebhook, content: dict[str, Any]) -> tuple[http.Request, str]:
    """The call as Butler makes it: a GET has the values as its whole query, POST and PUT have them as JSON."""
    url, body, headers = hook.url, None, {"User-Agent": f"seatwarden/{VERSION}"}
    if hook.method == "GET":
        query = urlencode({key: _as_javascript(value) for key, value in content.items()})
        url, shown = urlunsplit(urlsplit(url)._replace(query=query)), f"GET ?{query}"
    else:
        body, shown = _json(content), f"{hook.method} {_json(content)}"
        headers["Content-Type"] = "application/json"
    encoded = body.encode() if body is not None else None
    request = http.Request(
        hook.method, url, "webhookURL", encoded, headers, hook.authority, "cert.certCA", hook.verify, redirects=True
    )
    return request, shown


def _publications(broker: Mqtt, found: ServerLicense, close: bool, proxy: Proxy) -> Iterator[Message]:
    """The messages on MQTT, over one connection."""
    published = []
    if broker.status_topic is not None:
        published.append((broker.status_topic, _json(content_of(None, found))))
    if broker.alert_topic is not None and close:
        published.append((broker.alert_topic, sentence_of(found)))
    if published:
        shown = tuple(f"{topic} {text}" for topic, text in published)
        yield Message("mqtt", 0, f"MQTT ({broker.url})", shown, partial(mqtt.publish, broker, published, proxy))


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def _as_javascript(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
