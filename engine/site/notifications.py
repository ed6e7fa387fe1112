"""Who is notified of what: the map under `seatwarden.notifications` of a site file.

Passwords, secrets and addresses of webhooks (their path is often the secret) are in no repr, message or finding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.policy import SMTP
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import SplitResult, urlsplit

from seatwarden.engine.site.hosts import is_host, is_loopback
from seatwarden.policy.yaml.nodes import Entry, Node, YamlList, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_secret

EventKind = Literal["plan-ready", "releases-done", "limit-hit", "run-failed", "license-expiring", "test"]
EVENTS: tuple[EventKind, ...] = tuple(kind for kind in get_args(EventKind) if kind != "test")
"""The events a destination may choose from; a test goes to all."""

Security = Literal["starttls", "tls", "none"]

DEFAULT_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
"""Submission (RFC 6409), submission over TLS (RFC 8314), and a relay's port."""
MAX_DESTINATIONS = 20
"""Each is sent to at the same time."""
MAX_RECIPIENTS = 100
"""What servers must take for one message (RFC 5321, 4.5.3.1.8)."""

_WEBHOOK_KEYS = ("url", "secret", "security", "certificateAuthority", "events", "people")
_EMAIL_KEYS = (
    "host", "port", "security", "certificateAuthority", "user", "password", "from", "to", "events", "people",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that events are posted to. `label` names it without what may be secret in its URL."""

    label: str
    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    authority: Path | None = None
    events: frozenset[EventKind] = frozenset(EVENTS)
    people: bool = False


@dataclass(frozen=True, slots=True)
class Email:
    """People who get events as mail, and the SMTP server that takes it."""

    label: str
    host: str
    port: int
    security: Security
    sender: Address
    recipients: tuple[Address, ...]
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: Path | None = None
    events: frozenset[EventKind] = frozenset(EVENTS)
    people: bool = False


@dataclass(frozen=True, slots=True)
class Notifications:
    """All destinations, in the file's order."""

    webhooks: tuple[Webhook, ...] = ()
    emails: tuple[Email, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        hooks = [(hook.url, hook.secret) for hook in self.webhooks]
        found = [*(secret for pair in hooks for secret in pair), *(email.password for email in self.emails)]
        return tuple(secret for secret in found if secret)


def read_notifications(reader: YamlReader, node: Node, environment: Mapping[str, str], folder: Path) -> Notifications:
    """The notifications in that map; whatever is wrong is noted in the reader, and then the result is not to be used.

    `environment` has the secrets, `folder` is where relative paths start. Findings are to be shown with
    `reader.concealed(text)` as the file's text.
    """
    return _NotificationsReader(reader, environment, folder).read(node)


@dataclass(frozen=True, slots=True)
class _NotificationsReader:
    reader: YamlReader
    environment: Mapping[str, str]
    folder: Path

    def read(self, node: Node) -> Notifications:
        block = self._map(node, "notifications", ("webhook", "email"))
        if block is None:
            return Notifications()
        webhooks, emails = (self._items(block.get(key), f"notifications.{key}") for key in ("webhook", "email"))
        if len(webhooks) + len(emails) > MAX_DESTINATIONS:
            message = f"`notifications` has more than {MAX_DESTINATIONS} destinations"
            self.reader.error("SW205", message, block.entries[0].key.span, "too many", "let one receiver pass them on")
        read_webhooks = [self._webhook(item, number) for number, item in enumerate(webhooks, 1)]
        read_emails = [self._email(item, number) for number, item in enumerate(emails, 1)]
        return Notifications(tuple(w for w in read_webhooks if w), tuple(e for e in read_emails if e))

    # one destination ---------------------------------------------------------------------------------------

    def _webhook(self, node: Node, number: int) -> Webhook | None:
        what = "notifications.webhook"
        hook = self._map(node, what, _WEBHOOK_KEYS, required=("url",))
        if hook is None:
            return None
        ways = ("tls", "none")
        security = self.reader.at(hook, "security", lambda e: self.reader.one_of(e.value, f"{what}.security", ways))
        url = self.reader.at(hook, "url", lambda e: self._url(e, f"{what}.url", security or "tls"))
        secret = self.reader.at(hook, "secret", self._secret)
        authority, events, people = self._authority(hook), self._events(hook, what), self._people(hook, what)
        if url is None:
            return None
        return Webhook(f"webhook {number} ({_origin(url)})", url, secret, authority, events, people)

    def _email(self, node: Node, number: int) -> Email | None:
        what = "notifications.email"
        mail = self._map(node, what, _EMAIL_KEYS, required=("host", "from", "to"))
        if mail is None:
            return None
        ways = tuple(DEFAULT_PORTS)
        named = self.reader.at(mail, "security", lambda e: self.reader.one_of(e.value, f"{what}.security", ways))
        security = cast(Security, named or "starttls")
        host = self.reader.at(mail, "host", lambda e: self._host(e, f"{what}.host"))
        port = self.reader.at(mail, "port", lambda e: self._port(e, f"{what}.port"))
        user = self.reader.at(mail, "user", lambda e: self._credential(mail, e, "password"))
        password = self.reader.at(mail, "password", lambda e: self._credential(mail, e, "user"))
        sender = self.reader.at(mail, "from", lambda e: self._address(e.value, f"{what}.from"))
        recipients = self._recipients(mail.get("to"), f"{what}.to")
        authority, events, people = self._authority(mail), self._events(mail, what), self._people(mail, what)
        if password and host and security == "none" and not is_loopback(host):
            message = "a password is never sent without TLS"
            span, help_ = mail.entries[0].key.span, "write `security: starttls` or `tls`, or leave `user` out"
            self.reader.error("SW205", message, span, "`security` is none here", help_)
        if host is None or sender is None or not recipients:
            return None
        port = port or DEFAULT_PORTS[security]
        label = f"e-mail {number} ({_bracketed(host)}:{port})"
        return Email(
            label, host, port, security, sender, recipients, user, password, authority, events, people
        )  # fmt: skip

    # maps and lists ----------------------------------------------------------------------------------------

    def _map(self, node: Node, what: str, known: tuple[str, ...], required: tuple[str, ...] = ()) -> YamlMap | None:
        """A map of settings. What stands elsewhere, or under an unknown key, may be a secret in the wrong place."""
        if not isinstance(node, YamlMap):
            self.reader.conceal_all(node)
            kind = "a list" if isinstance(node, YamlList) else "no map"
            help_ = f"it has the keys {', '.join(known)}"
            self.reader.error("SW204", f"`{what}` must be a map", node.span, f"this is {kind}", help_)
            return None
        for entry in node.entries:
            if entry.key.text not in known:
                self.reader.conceal_all(entry.value)
        return self.reader.mapping(node, what, known=known, required=required)

    def _items(self, entry: Entry | None, what: str) -> tuple[Node, ...]:
        if entry is None:
            return ()
        node = entry.value
        if isinstance(node, YamlScalar) and node.value is not None:
            self.reader.conceal_all(node)
            self.reader.error("SW204", f"`{what}` must be a list", node.span, "this is one value", "start with `- `")
            return ()
        if isinstance(node, YamlMap):
            self.reader.conceal_all(node)
        return self.reader.items(node, what)

    # single values -----------------------------------------------------------------------------------------

    def _secret(self, entry: Entry) -> str | None:
        secret = read_secret(self.reader, entry, self.environment)
        if secret == "":  # an empty secret would sign nothing, silently
            what = f"`{entry.key.text}` is empty"
            self.reader.error("SW205", what, entry.value.span, "nothing here", "write one, or remove the key")
            return None
        return secret

    def _credential(self, mail: YamlMap, entry: Entry, other: str) -> str | None:
        """A user or password: one needs the other, and SMTP's ways to log in know ASCII alone."""
        key = entry.key.text
        if mail.get(other) is None:
            message = f"`notifications.email` has `{key}` but lacks the key `{other}`"
            self.reader.error("SW206", message, entry.key.span, "this alone is of no use")
        value = self._secret(entry)
        if value is not None and not (value.isascii() and value.isprintable()):
            message = f"`notifications.email.{key}` can only be sent in ASCII"
            self.reader.error("SW205", message, entry.value.span, "has other characters", "choose another one")
            return None
        return value

    def _url(self, entry: Entry, what: str, security: str) -> str | None:
        span = entry.value.span
        url = self._secret(entry)
        if url is None:
            return None
        parts = _split(url)
        if parts is None or parts.scheme not in ("http", "https"):
            self.reader.error("SW205", f"`{what}` is not a web address", span, "not one", "write https://host/path")
            return None
        if parts.scheme == "http" and security != "none" and not is_loopback(parts.hostname or ""):
            help_ = "write https://, or `security: none` if nobody on the way can listen in"
            self.reader.error("SW205", f"`{what}` is without TLS", span, "http sends it for all to read", help_)
        return url

    def _host(self, entry: Entry, what: str) -> str | None:
        host = self.reader.text(entry.value, what)
        if host is not None and not is_host(host):
            help_ = "the port stands under `port`"
            self.reader.error("SW205", f"`{what}` is not a host name", entry.value.span, "no host name", help_)
            return None
        return host

    def _port(self, entry: Entry, what: str) -> int | None:
        port = self.reader.whole(entry.value, what)
        if port is not None and not 0 < port < 65_536:
            self.reader.error("SW205", f"`{what}` is from 1 to 65535", entry.value.span, "no such port")
            return None
        return port

    def _recipients(self, entry: Entry | None, what: str) -> tuple[Address, ...]:
        if entry is None:
            return ()
        items = self.reader.items(entry.value, what)
        if not items and isinstance(entry.value, YamlList):
            self.reader.error("SW205", f"`{what}` names nobody", entry.value.span, "empty", "write an address")
        if len(items) > MAX_RECIPIENTS:
            message = f"`{what}` has more than {MAX_RECIPIENTS} addresses"
            self.reader.error("SW205", message, entry.key.span, "too many", "write to a distribution list")
        addresses = [self._address(item, what) for item in items]
        return tuple(address for address in addresses if address)

    def _address(self, node: Node, what: str) -> Address | None:
        """One mailbox, with or without a name: `Qlik <qlik@example.com>`. Its domain becomes ASCII (IDNA)."""
        text = self.reader.text(node, what)
        if text is None:
            return None
        address = _parse_address(text)
        if address is None:
            help_ = "write name@example.com, or Name <name@example.com>"
            self.reader.error("SW205", f"`{what}` is not an e-mail address", node.span, "not one", help_)
        return address

    def _authority(self, block: YamlMap) -> Path | None:
        entry = block.get("certificateAuthority")
        text = self.reader.text(entry.value, "certificateAuthority") if entry else None
        if entry is None or text is None:
            return None
        path = self.folder / text
        if not path.is_file():
            message = f"`certificateAuthority`: there is no file `{path}`"
            self.reader.error("SW205", message, entry.value.span, "not there", "give the path of a PEM file")
        return path

    def _events(self, block: YamlMap, what: str) -> frozenset[EventKind]:
        entry = block.get("events")
        if entry is None:
            return frozenset(EVENTS)
        items = self.reader.items(entry.value, f"{what}.events")
        if not items and not (isinstance(entry.value, YamlScalar) and entry.value.value is not None):
            message, help_ = f"`{what}.events` names no event", "remove the key to be told of all"
            self.reader.error("SW205", message, entry.value.span, "empty", help_)
        names = [self.reader.one_of(item, f"{what}.events", EVENTS) for item in items]
        return frozenset(cast(EventKind, name) for name in names if name)

    def _people(self, block: YamlMap, what: str) -> bool:
        return bool(self.reader.at(block, "people", lambda e: self.reader.boolean(e.value, f"{what}.people")))


def _split(url: str) -> SplitResult | None:
    """A URL's parts, or None when it is none that can be asked."""
    if not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.hostname and is_host(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable else None


def _origin(url: str) -> str:
    """Scheme and host of a URL: neither user nor path, which may be secret."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{_bracketed(parts.hostname or '')}{port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _parse_address(text: str) -> Address | None:
    try:
        header = SMTP.header_factory("to", text)
        (address,) = header.addresses
        domain = address.domain.encode("idna").decode()
        plain = Address(address.display_name, address.username, domain)
    except (ValueError, IndexError):  # what the standard library raises for addresses that are none
        return None
    faults = [d for d in header.defects if type(d).__name__ != "NonASCIILocalPartDefect"]
    usable = plain.username and is_host(domain) and plain.addr_spec.isprintable() and " " not in plain.addr_spec
    return plain if usable and not faults and text.isprintable() else None
