"""MQTT: texts published on a broker's topics with QoS 1, within a bounded time. It needs the extra `mqtt`."""

import socket
import ssl
import threading
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3.exceptions

from seatwarden.engine.notify.errors import NotDelivered, why
from seatwarden.engine.notify.trust import make_context
from seatwarden.engine.site.alarms import INSTALL_MQTT, Mqtt
from seatwarden.engine.site.proxy import DIRECT, Proxy, proxy_headers

if TYPE_CHECKING:
    from paho.mqtt.client import Client

TIMEOUT_SECONDS = 10
"""To connect, until the broker has answered, and until it has each message."""


def publish(mqtt: Mqtt, messages: Sequence[tuple[str, str]], proxy: Proxy = DIRECT) -> None:
    """Publishes texts, each behind its topic, over one connection. Raises NotDelivered unless the broker has them all.

    A message may arrive twice (an acknowledgment can be lost), as QoS 1 says.
    """
    try:
        client, answered = _client(mqtt, proxy)
    except ImportError:
        raise NotDelivered("the library paho-mqtt is not installed", INSTALL_MQTT) from None
    try:
        client.connect(mqtt.host, mqtt.port, keepalive=30)
    except (OSError, ValueError, HTTPException, urllib3.exceptions.HTTPError) as error:
        raise why(error) from None
    client.loop_start()
    try:
        _await_answer(client, answered)
        for topic, text in messages:
            _publish(client, topic, text)
    finally:
        client.disconnect()
        client.loop_stop()


def _client(mqtt: Mqtt, proxy: Proxy) -> "tuple[Client, _Answered]":
    """A client that has not connected yet. Raises ImportError without the library, NotDelivered for wrong files."""
    from paho.mqtt.client import Client, MQTTv311
    from paho.mqtt.enums import CallbackAPIVersion

    through, context = proxy.for_url(mqtt.url), _context(mqtt) if mqtt.tls else None

    class Reaching(Client):
        def _create_socket_connection(self) -> socket.socket:
            # Instead of paho's own, which would take a proxy from the environment that nobody has named here, and
            # leaves a connection open whose handshake has failed.
            return _connected(mqtt, through, context)

    answered = _Answered()
    version = CallbackAPIVersion.VERSION2
    client = Reaching(version, mqtt.client_id, protocol=MQTTv311, reconnect_on_failure=False)
    client.on_connect = answered.connected
    client.on_disconnect = answered.disconnected
    if mqtt.user is not None:
        client.username_pw_set(mqtt.user, mqtt.password)
    return client, answered


class _Answered(threading.Event):
    """The broker's answer to the wish to connect: set when it is there; `refusal` says why it does not want us."""

    refusal: str | None = None

    def connected(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self.refusal = str(reason) if reason.is_failure else None
        self.set()

    def disconnected(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if not self.is_set():
            self.refusal = ""
            self.set()


def _await_answer(client: "Client", answered: _Answered) -> None:
    if not answered.wait(TIMEOUT_SECONDS):
        raise NotDelivered("it does not answer", "is this the port of an MQTT broker?")
    if answered.refusal == "":
        help_ = "does it speak MQTT there, with TLS or without, and take this client's certificate?"
        raise NotDelivered("it closed the connection before it had answered", help_)
    if answered.refusal:
        help_ = "check user and password, or the certificate and `clientId`, and what the broker lets that client do"
        raise NotDelivered(f"it refused us: {answered.refusal}", help_)


def _publish(client: "Client", topic: str, text: str) -> None:
    try:
        sent = client.publish(topic, text.encode(), qos=1)
        sent.wait_for_publish(TIMEOUT_SECONDS)
        taken = sent.is_published()
    except (RuntimeError, ValueError):  # what paho raises once the connection is gone
        taken = False
    if not taken:
        help_ = "may this client publish there? look into the broker's log"
        raise NotDelivered(f"it did not take the message on `{topic}`", help_)


def _context(mqtt: Mqtt) -> ssl.SSLContext:
    context = make_context(mqtt.authority, "mqttConfig.caFile")
    if mqtt.certificate is not None:
        try:
            # An empty password instead of a prompt, which would wait for ever.
            context.load_cert_chain(mqtt.certificate, mqtt.key, password="")
        except (OSError, ValueError):
            reason = f"the certificate `{mqtt.certificate}` and its key `{mqtt.key}` cannot be used"
            raise NotDelivered(reason, "give PEM files that belong together, the key without a passphrase") from None
    return context


def _connected(mqtt: Mqtt, proxy: str | None, context: ssl.SSLContext | None) -> socket.socket:
    """A connection to the broker, over TLS where there is a context."""
    plain = _tunnel(proxy, mqtt) if proxy else socket.create_connection((mqtt.host, mqtt.port), TIMEOUT_SECONDS)
    if context is None:
        return plain
    try:
        return context.wrap_socket(plain, server_hostname=mqtt.host)
    except (OSError, ValueError):
        plain.close()
        raise


def _tunnel(proxy: str, mqtt: Mqtt) -> socket.socket:
    """A connection to the broker through an HTTP proxy (CONNECT)."""
    parts = urlsplit(proxy)
    if parts.scheme != "http":
        raise NotDelivered("MQTT goes through proxies that are spoken to by http:// alone", "or name it in `noProxy`")
    connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=TIMEOUT_SECONDS)
    connection.set_tunnel(mqtt.host, mqtt.port, proxy_headers(proxy))
    try:
        connection.connect()
    except (OSError, HTTPException) as error:
        connection.close()
        raise urllib3.exceptions.ProxyError("no way through the proxy", error) from error
    return connection.sock
