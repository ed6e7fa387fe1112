"""Notifications: the map under `seatwarden.notifications` of a site file.

Passwords, secrets and addresses of webhooks (their path is often the secret) are in no repr, message or finding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from email.headerregistry import Address
from email.policy import SMTP
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from seatwarden.engine.site.hosts import bracketed, is_host, is_loopback, origin, web_parts
from seatwarden.engine.site.proxy import Proxy, read_proxy
from seatwarden.policy.butler.sections import inner, our_section
from seatwarden.policy.diagnostics import in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.kinds import PORT, SECRET, SWITCH, TEXT, WRITTEN, list_of, one_of, pem_file
from seatwarden.policy.yaml.nodes import Entry, Node, YamlList, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_site_yaml
from seatwarden.policy.yaml.settings import Kind, Section, Setting, Values, need

EventKind = Literal[
    "plan-ready",
    "approval-wanted",
    "releases-done",
    "limit-hit",
    "run-stopped",
    "run-failed",
    "license-expiring",
    "licenses-low",
    "certificate-expiring",
    "test",
]
EVENTS: tuple[EventKind, ...] = tuple(kind for kind in get_args(EventKind) if kind != "test")
"""The events a destination may choose from; a test goes to all."""

MessageForm = Literal["json", "slack", "teams"]
"""The forms of a message that a webhook can ask for."""

Security = Literal["starttls", "tls", "none"]

DEFAULT_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}
"""Submission (RFC 6409), submission over TLS (RFC 8314), and a relay's port."""
MAX_DESTINATIONS = 20
"""Each is sent to at the same time."""
MAX_RECIPIENTS = 100
"""As many as servers must take for one message (RFC 5321, 4.5.3.1.8)."""


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """An address that is posted to. `label` names it without what may be secret in its URL."""

    label: str
    url: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Webhook(WebhookTarget):
    """An address that events are posted to, and which."""

    events: frozenset[EventKind] = frozenset(EVENTS)
    people: bool = False
    format: MessageForm = "json"


@dataclass(frozen=True, slots=True)
class MailServer:
    """An SMTP server that takes mail, and from whom."""

    label: str
    host: str
    port: int
    security: Security
    sender: Address
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    authority: Path | None = None


@dataclass(frozen=True, slots=True)
class Email(MailServer):
    """People who get events as mail, which events, and the SMTP server that takes it."""

    recipients: tuple[Address, ...] = ()
    events: frozenset[EventKind] = frozenset(EVENTS)
    people: bool = False


@dataclass(frozen=True, slots=True)
class Notifications:
    """All destinations, in the file's order, and the proxy for the webhooks; e-mail never goes through one."""

    webhooks: tuple[Webhook, ...] = ()
    emails: tuple[Email, ...] = ()
    proxy: Proxy = Proxy()

    @property
    def anybody(self) -> bool:
        """Whether there is a destination at all."""
        return bool(self.webhooks or self.emails)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may show."""
        hooks = [(hook.url, hook.secret) for hook in self.webhooks]
        found = [*(secret for pair in hooks for secret in pair), *(email.password for email in self.emails)]
        return tuple(secret for secret in found if secret)


def load_notifications(path: Path, environment: Mapping[str, str]) -> Notifications:
    """The notifications under `seatwarden` in a file alone, to be tried before the rest of it is right.

    None when it has no such map. Raises InputError when it cannot be read, PolicyError with every problem in them.
    """
    text = read_text(path, "site file")
    ours = our_section(read_site_yaml(text, str(path)))
    entry = inner(ours, "notifications")
    if entry is None:
        return Notifications()
    reader = YamlReader(environment, path.parent)
    notifications = NOTIFICATIONS.read(reader, entry, "notifications")
    proxy = read_proxy(reader, ours)
    if reader.findings:
        raise PolicyError(in_order(reader.findings), {str(path): reader.concealed(text)})
    return replace(cast(Notifications, notifications), proxy=proxy)


# What is made of the tables ------------------------------------------------------------------------------


def _notifications(reader: YamlReader, entry: Entry, _: str) -> Notifications | None:
    """All of them. Findings are to be shown with `reader.concealed(text)` as the file's text."""
    block = guarded(reader, entry.value, "notifications", DESTINATIONS)
    if block is None:
        return None
    if len(block["webhook"]) + len(block["email"]) > MAX_DESTINATIONS:
        message = f"`notifications` has more than {MAX_DESTINATIONS} destinations"
        reader.error("SW205", message, block.map.start, "too many", "let one receiver pass them on")
    webhooks = [_webhook(reader, node, number) for number, node in enumerate(block["webhook"], 1)]
    emails = [_email(reader, node, number) for number, node in enumerate(block["email"], 1)]
    return Notifications(tuple(w for w in webhooks if w), tuple(e for e in emails if e))


def _webhook(reader: YamlReader, node: Node, number: int) -> Webhook | None:
    hook = guarded(reader, node, "notifications.webhook", WEBHOOK)
    target = hook and webhook_target(reader, hook, "notifications.webhook", f"webhook {number}")
    if not hook or not target:
        return None
    rest = hook.take("events", "people", "format")
    return Webhook(target.label, target.url, target.secret, target.authority, *rest)


def _email(reader: YamlReader, node: Node, number: int) -> Email | None:
    mail = guarded(reader, node, "notifications.email", EMAIL)
    server = mail and mail_server(reader, mail, "notifications.email", f"e-mail {number}")
    if not mail or not server or not mail["to"]:
        return None
    return Email(
        **{each.name: getattr(server, each.name) for each in fields(server)},
        recipients=mail["to"],
        events=mail["events"],
        people=mail["people"],
    )


# What others use, too ------------------------------------------------------------------------------------


def webhook_target(reader: YamlReader, hook: Values, what: str, label: str) -> WebhookTarget | None:
    """The address to post to that a map of these settings says; findings call the map by `what`."""
    url: str | None = hook["url"]
    if url is None:
        return None
    parts = urlsplit(url)
    if parts.scheme == "http" and hook["security"] != "none" and not is_loopback(parts.hostname or ""):
        message = f"`{what}.url` is without TLS"
        help_ = "write https://, or `security: none` if nobody on the way can listen in"
        reader.error("SW205", message, hook.span("url"), "http sends it for all to read", help_)
    return WebhookTarget(f"{label} ({origin(url)})", url, *hook.take("secret", "certificateAuthority"))


def mail_server(reader: YamlReader, mail: Values, what: str, label: str) -> MailServer | None:
    """The server that a map of these settings says; findings call the map by `what`."""
    _both_or_none(reader, mail.map, what)
    host, security = mail["host"], mail["security"]
    if mail["password"] and host and security == "none" and not is_loopback(host):
        message = "a password is never sent without TLS"
        help_ = "write `security: starttls` or `tls`, or leave `user` out"
        reader.error("SW205", message, mail.map.start, "`security` is none here", help_)
    if host is None or mail["from"] is None:
        return None
    port = mail["port"] or DEFAULT_PORTS[security]
    rest = mail.take("user", "password", "certificateAuthority")
    return MailServer(f"{label} ({bracketed(host)}:{port})", host, port, security, mail["from"], *rest)


def _both_or_none(reader: YamlReader, mail: YamlMap, what: str) -> None:
    """A user needs a password, and a password a user."""
    for key, other in (("user", "password"), ("password", "user")):
        entry = mail.get(key)
        if entry and mail.get(other) is None:
            message = f"`{what}` has `{key}` but lacks the key `{other}`"
            reader.error("SW206", message, entry.key.span, "this alone is of no use")


def guarded(reader: YamlReader, node: Node, what: str, section: Section) -> Values | None:
    """A map of settings. What stands elsewhere, or under an unknown key, may be a secret in the wrong place."""
    if not isinstance(node, YamlMap):
        reader.conceal_all(node)
        kind = "a list" if isinstance(node, YamlList) else "no map"
        help_ = f"it has the keys {', '.join(section.keys)}"
        reader.error("SW204", f"`{what}` must be a map", node.span, f"this is {kind}", help_)
        return None
    for entry in node.entries:
        if entry.key.text not in section.keys:
            reader.conceal_all(entry.value)
    return section.read(reader, node, what)


# Kinds of settings ---------------------------------------------------------------------------------------


def _items(reader: YamlReader, entry: Entry, what: str) -> tuple[Node, ...]:
    """The destinations in a list. What stands there instead may be a secret."""
    node = entry.value
    if isinstance(node, YamlScalar) and node.value is not None:
        reader.conceal_all(node)
        reader.error("SW204", f"`{what}` must be a list", node.span, "this is one value", "start with `- `")
        return ()
    if isinstance(node, YamlMap):
        reader.conceal_all(node)
    return reader.items(node, what)


def _recipients(reader: YamlReader, entry: Entry, what: str) -> tuple[Address, ...]:
    items = reader.items(entry.value, what)
    if not items and isinstance(entry.value, YamlList):
        reader.error("SW205", f"`{what}` names nobody", entry.value.span, "empty", "write an address")
    if len(items) > MAX_RECIPIENTS:
        message = f"`{what}` has more than {MAX_RECIPIENTS} addresses"
        reader.error("SW205", message, entry.key.span, "too many", "write to a distribution list")
    addresses: tuple[Address, ...] = list_of(ADDRESS).read(reader, entry, what)
    return addresses


def _authority(reader: YamlReader, entry: Entry, _: str) -> Path | None:
    path: Path | None = WRITTEN.then(pem_file).read(reader, entry, "certificateAuthority")
    return path


def _events(reader: YamlReader, entry: Entry, what: str) -> frozenset[EventKind]:
    items = reader.items(entry.value, what)
    if not items and not (isinstance(entry.value, YamlScalar) and entry.value.value is not None):
        help_ = "remove the key to be told of all"
        reader.error("SW205", f"`{what}` names no event", entry.value.span, "empty", help_)
    names = [reader.one_of(item, what, EVENTS) for item in items]
    return frozenset(cast(EventKind, name) for name in names if name)


def is_web_address(url: str) -> bool:
    """Whether it is one that can be asked."""
    return web_parts(url) is not None and " " not in url


def parse_address(text: str) -> Address | None:
    """The one mailbox that a text names, its domain in ASCII (IDNA); None when it names none, or more."""
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


# The tables ----------------------------------------------------------------------------------------------

FILLED = SECRET.must(bool, "`{key}` is empty", "nothing here", "write one, or remove the key")
"""An empty secret would sign nothing, silently."""
CREDENTIAL = FILLED.must(
    lambda text: text.isascii() and text.isprintable(),
    "`{what}` can only be sent in ASCII",
    "has other characters",
    "choose another one",
)
"""A user or password; SMTP's ways to log in know ASCII alone."""
URL = FILLED.must(is_web_address, "`{what}` is not a web address", "not one", "write https://host/path")
HOST = TEXT.must(is_host, "`{what}` is not a host name", "no host name", "the port stands under `port`")
_ADDRESS = TEXT.must(
    parse_address,
    "`{what}` is not an e-mail address",
    "not one",
    "write name@example.com, or Name <name@example.com>",
)
ADDRESS = _ADDRESS.then(lambda reader, entry, text: parse_address(text))
"""One mailbox, with or without a name: `Qlik <qlik@example.com>`. Its domain becomes ASCII (IDNA)."""

SHARED = (
    Setting(
        "certificateAuthority",
        Kind(_authority),
        "a PEM file, relative to the site file: the only authority to trust",
        without="those of this machine",
    ),
    Setting("events", Kind(_events), "the events to be told of", frozenset(EVENTS), without="all of them"),
    Setting(
        "people",
        SWITCH,
        "`true` names the users whose licenses were released: the first 50, and how many more there are. `false` sends "
        "counts and the run folder only, so that no name leaves the machine",
        False,
    ),
)
"""The settings that all destinations have."""
WEBHOOK = Section(
    (
        need(
            "url",
            URL,
            "`https://`; `http://` only on this machine, or with `security: none`. Messages and logs show scheme and "
            "host alone",
        ),
        Setting("secret", FILLED, "the key that signs", without="nothing is signed"),
        Setting("security", one_of(("tls", "none")), "how it is sent", "tls"),
        Setting("format", one_of(get_args(MessageForm)), "the form that the receiver reads", "json"),
        *SHARED,
    )
)
EMAIL = Section(
    (
        need("host", HOST, "the SMTP server"),
        Setting("port", PORT, "its port", without="587 for `starttls`, 465 for `tls`, 25 for `none`"),
        Setting("security", one_of(tuple(DEFAULT_PORTS)), "how it is sent", "starttls"),
        SHARED[0],
        Setting("user", replace(CREDENTIAL, secret=False), "to log in, in ASCII"),
        Setting("password", CREDENTIAL, "the same; never with `security: none` to another machine"),
        need("from", ADDRESS, "one address"),
        need("to", Kind(_recipients), f"a list of addresses, {MAX_RECIPIENTS} at most", ()),
        *SHARED[1:],
    )
)
DESTINATIONS = Section((Setting("webhook", Kind(_items), default=()), Setting("email", Kind(_items), default=())))
NOTIFICATIONS = Kind(_notifications)
