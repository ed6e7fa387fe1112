"""Whom Butler tells of the site's own license, by webhook and MQTT, and its heartbeat.

Butler's sections `webhookNotification`, `mqttConfig` and `heartbeat` are read as they are; what in them belongs to
other features of Butler's is let be. A few settings of `mqttConfig` are ours, since Butler's broker without Azure
knows neither TLS nor a user.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast, get_args

from msgspec import structs

from seatwarden.engine.site.hosts import bracketed, is_host, origin
from seatwarden.engine.site.notifications import is_web_address
from seatwarden.engine.site.proxy import Proxy, read_proxy
from seatwarden.policy.butler.jobs import FREQUENCY, Job, job_of
from seatwarden.policy.butler.licenses import read_jobs
from seatwarden.policy.butler.sections import butler_section, our_section
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.kinds import (
    FROM_ENVIRONMENT,
    PORT,
    SECRET,
    SWITCH,
    TEXT,
    list_of,
    map_of,
    one_of,
    pem_file,
    whole,
)
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_site_yaml
from seatwarden.policy.yaml.settings import Kind, Section, Setting, Values, need

Method = Literal["GET", "POST", "PUT"]
RATE_LIMIT = 300
"""Seconds between two messages of a kind where the file does not say; Butler has the same default."""
MAX_WEBHOOKS = 20
DEFAULT_MQTT_PORTS = {False: 1883, True: 8883}
"""By whether it is TLS (https://www.iana.org/assignments/service-names-port-numbers)."""
INSTALL_MQTT = "install it where seatwarden is: pip install paho-mqtt"


@dataclass(frozen=True, slots=True)
class ButlerWebhook:
    """An address that Butler calls. `label` names it without what may be secret in its URL."""

    label: str
    url: str = field(repr=False)
    method: Method
    authority: Path | None = None
    verify: bool = True


@dataclass(frozen=True, slots=True)
class ButlerWebhooks:
    """The webhooks of a kind of message, and the seconds from one message to the next."""

    hooks: tuple[ButlerWebhook, ...] = ()
    rate_limit: int = RATE_LIMIT


@dataclass(frozen=True, slots=True)
class Mqtt:
    """A broker, and the topics of status and alert; None of one that is not sent. Paths are those of PEM files."""

    host: str
    port: int
    status_topic: str | None = None
    alert_topic: str | None = None
    tls: bool = False
    client_id: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    certificate: Path | None = None
    key: Path | None = None
    authority: Path | None = None

    @property
    def url(self) -> str:
        """The broker's address: `mqtts://broker.example.com:8883`."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The address that is called on schedule, to say that the service is alive; its path may be secret."""

    job: Job = Job()
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Alarms:
    """Whom the server license monitor tells, and how. `notes` are warnings without a place."""

    status: ButlerWebhooks = ButlerWebhooks()
    alert: ButlerWebhooks = ButlerWebhooks()
    mqtt: Mqtt | None = None
    heartbeat: Heartbeat = Heartbeat()
    proxy: Proxy = Proxy()
    notes: tuple[str, ...] = ()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may show."""
        urls = [hook.url for hook in (*self.status.hooks, *self.alert.hooks)]
        password = self.mqtt.password if self.mqtt else None
        return tuple(secret for secret in (*urls, password, self.heartbeat.url, *self.proxy.secrets) if secret)


def load_alarms(path: Path, environment: Mapping[str, str]) -> Alarms:
    """The alarms of a file alone, as far as they are right. Raises InputError or PolicyError when it is no YAML."""
    reader = YamlReader(environment, path.parent)
    try:
        root = read_site_yaml(read_text(path, "site file"), str(path))
    except PolicyError:
        return Alarms()  # whoever reads the rest of the file says so
    alarms, _ = read_alarms(reader, root, read_jobs(reader, root).server_monitor, read_proxy(reader, our_section(root)))
    return alarms


def mqtt_is_installed() -> bool:
    """Whether the library for MQTT is there; it is an extra."""
    try:
        return importlib.util.find_spec("paho.mqtt") is not None
    except ModuleNotFoundError:
        return False


def read_alarms(
    reader: YamlReader, root: Node, monitor: Job, proxy: Proxy, scheduled: bool = False
) -> tuple[Alarms, list[Diagnostic]]:
    """The alarms of a site file, and warnings.

    What is wrong with them is an error where the monitor is enabled, of the heartbeat where jobs are `scheduled`.
    Elsewhere it is a warning: what is switched off, or not used, stops nothing.
    """
    notes: list[str] = []
    before = len(reader.findings)
    status, alert = _webhooks(reader, root, monitor, notes)
    mqtt = _mqtt(reader, root, monitor, notes)
    warnings = _as_warnings(reader, before) if not monitor.enabled else []
    before = len(reader.findings)
    heartbeat = _heartbeat(reader, root, scheduled)
    warnings += _as_warnings(reader, before) if not scheduled else []
    return Alarms(status, alert, mqtt, heartbeat, proxy, tuple(notes)), warnings


def _as_warnings(reader: YamlReader, before: int) -> list[Diagnostic]:
    """The findings since there were that many, as warnings; as errors they are gone."""
    warnings = [structs.replace(finding, severity="warning") for finding in reader.findings[before:]]
    del reader.findings[before:]
    return warnings


def _webhooks(reader: YamlReader, root: Node, monitor: Job, notes: list[str]) -> tuple[ButlerWebhooks, ButlerWebhooks]:
    nobody = ButlerWebhooks(), ButlerWebhooks()
    if not monitor.to_webhooks.any:
        return nobody
    section = _switched_on(reader, root, WEBHOOKS, "webhookNotification", "webhook", notes)
    if section is None:
        return nobody
    found: list[ButlerWebhooks] = []
    for key, asked in ((_STATUS_HOOKS, monitor.to_webhooks.recurring), (_ALERT_HOOKS, monitor.to_webhooks.alert)):
        hooks: ButlerWebhooks = section[key] if asked else ButlerWebhooks()
        if asked and not hooks.hooks and not reader.findings:
            notes.append(f"webhookNotification.{key} has no webhooks: nobody is called")
        notes += [
            f"cert.rejectUnauthorized is false: {hook.label} could be anybody"
            for hook in hooks.hooks
            if not hook.verify
        ]
        found.append(hooks)
    return found[0], found[1]


def _mqtt(reader: YamlReader, root: Node, monitor: Job, notes: list[str]) -> Mqtt | None:
    if not monitor.to_mqtt.any:
        return None
    section = _switched_on(reader, root, MQTT, "mqttConfig", "mqtt", notes)
    if section is None or section["brokerHost"] is None:
        return None
    sent = monitor.to_mqtt
    if not mqtt_is_installed():
        notes.append(f"MQTT needs the library paho-mqtt, which is not installed: {INSTALL_MQTT}")
    azure: Values | None = section["azureEventGrid"]
    on_azure = azure is not None and azure["enable"] is True
    mqtt = Mqtt(
        section["brokerHost"],
        section["brokerPort"] or DEFAULT_MQTT_PORTS[on_azure or section["useSSL"]],
        _topic(reader, section, _STATUS_TOPIC) if sent.recurring else None,
        _topic(reader, section, _ALERT_TOPIC) if sent.alert else None,
        tls=on_azure or section["useSSL"],
        user=section["username"],
        password=section["password"],
        authority=section["caFile"],
    )
    if mqtt.password and not mqtt.tls:
        notes.append(f"mqttConfig: the password is sent to {mqtt.url} without encryption")
    return _as_on_azure(reader, mqtt, azure) if azure and on_azure else mqtt


def _as_on_azure(reader: YamlReader, mqtt: Mqtt, azure: Values) -> Mqtt:
    """The client as Azure Event Grid knows it: by a certificate, and the client's id also as the user."""
    keys = ("clientId", "clientCertFile", "clientKeyFile")
    for key in keys:
        if azure.map.get(key) is None:
            reader.lacking(azure.map, "azureEventGrid", key, "Azure Event Grid asks for it")
    client, certificate, key_file = azure.take(*keys)
    return replace(mqtt, client_id=client or "", user=client, certificate=certificate, key=key_file)


def _topic(reader: YamlReader, section: Values, key: str) -> str | None:
    if section.map.get(key) is None:
        reader.lacking(section.map, "mqttConfig", key, "the topic on which it is published")
    topic: str | None = section[key]
    return topic


def _switched_on(
    reader: YamlReader, root: Node, section: Section, name: str, destination: str, notes: list[str]
) -> Values | None:
    """A section that a destination needs; where it is off or not there, nothing is sent, as with Butler, and said."""
    entry = butler_section(root, name)
    values = section.read(reader, entry.value, name) if entry else None
    on = values is not None and values["enable"] is True
    if not on and (entry is None or (values is not None and values.map.get("enable") is not None)):
        why = f"`{name}.enable` is not true" if entry else f"there is no `{name}`"
        notes.append(f"serverLicenseMonitor.destination.{destination} is enabled, but nothing is sent: {why}")
    return values if on else None


def _heartbeat(reader: YamlReader, root: Node, scheduled: bool) -> Heartbeat:
    entry = butler_section(root, "heartbeat")
    values = HEARTBEAT.read(reader, entry.value, "heartbeat") if entry else None
    if values is None or not values["enable"]:
        return Heartbeat()
    for key in ("remoteURL", *(["frequency"] if scheduled else [])):
        if values.map.get(key) is None:
            reader.lacking(values.map, "heartbeat", key)
    without = Values(values.map, {**values.by_key, "destination": ((False, ()),)})
    return Heartbeat(job_of(without), values["remoteURL"] or "")


# Kinds of settings ---------------------------------------------------------------------------------------


def _hooks(values: Values) -> ButlerWebhooks:
    return ButlerWebhooks(values["webhooks"], values["rateLimit"])


def _list_of_hooks(reader: YamlReader, entry: Entry, what: str) -> tuple[ButlerWebhook, ...]:
    items = reader.items(entry.value, what)
    if len(items) > MAX_WEBHOOKS:
        help_ = "let one receiver pass them on"
        reader.error("SW205", f"`{what}` has more than {MAX_WEBHOOKS} webhooks", entry.key.span, "too many", help_)
    hooks = (_hook(reader, node, f"{entry.key.text}", number) for number, node in enumerate(items, 1))
    return tuple(hook for hook in hooks if hook)


def _hook(reader: YamlReader, node: Node, what: str, number: int) -> ButlerWebhook | None:
    if not isinstance(node, YamlMap):
        reader.conceal_all(node)
    hook = HOOK.read(reader, node, what)
    if hook is None or hook["webhookURL"] is None or hook["httpMethod"] is None:
        return None
    url, method = hook.take("webhookURL", "httpMethod")
    name = f" “{hook['description']}”" if hook["description"] else ""
    own: Values | None = hook["cert"]
    label = f"webhook {number}{name} ({origin(url)})"
    if own is None or not own["enable"]:
        return ButlerWebhook(label, url, cast(Method, method))
    for key in ("rejectUnauthorized", "certCA"):
        if own.map.get(key) is None:
            reader.lacking(own.map, "cert", key)
    return ButlerWebhook(label, url, cast(Method, method), own["certCA"], own["rejectUnauthorized"])


# The tables ----------------------------------------------------------------------------------------------

_STATUS_HOOKS, _ALERT_HOOKS = "qlikSenseServerLicenseMonitor", "qlikSenseServerLicenseExpiryAlert"
_STATUS_TOPIC, _ALERT_TOPIC = "qlikSenseServerLicenseTopic", "qlikSenseServerLicenseExpireTopic"

FILE = TEXT.then(pem_file)
URL = SECRET.must(is_web_address, "`{what}` is not a web address", "not one", "write https://host/path")
TOPIC = TEXT.must(
    lambda text: text and not set(text) & set("+#\0") and len(text.encode("utf-8", "replace")) < 65_536,
    "`{what}` is no topic to publish on",
    "not one",
    "write one without + and #",
)
OWN_CERTIFICATE = Section(
    (
        Setting("enable", SWITCH, "whether the server has an authority of its own", False),
        Setting("rejectUnauthorized", SWITCH, "`false` takes any certificate of the server, with a warning", True),
        Setting("certCA", FILE, "the only authority to trust, a PEM file"),
    ),
    switch="enable",
)
ENABLE = need("enable", SWITCH, "whether anything is sent", False)
HOOK = Section(
    (
        Setting("description", TEXT, "its name in messages"),
        need("webhookURL", URL, "the address. Messages and logs show scheme and host alone"),
        need("httpMethod", one_of(get_args(Method)), "how it is called"),
        Setting("cert", map_of(OWN_CERTIFICATE)),
    ),
)
HOOKS = Section(
    (
        Setting("rateLimit", whole("seconds"), "seconds from one message to the next", RATE_LIMIT),
        Setting("webhooks", Kind(_list_of_hooks, list_of(map_of(HOOK)).schema), "the webhooks", (), without="none"),
    ),
)
WEBHOOKS = Section(
    (
        ENABLE,
        Setting(_STATUS_HOOKS, map_of(HOOKS, _hooks), "told each time", ButlerWebhooks()),
        Setting(_ALERT_HOOKS, map_of(HOOKS, _hooks), "told from the threshold on", ButlerWebhooks()),
    ),
    "Butler's webhooks.",
    others=("reloadTaskFailure", "reloadTaskAborted", "serviceMonitor"),
    switch="enable",
)
AZURE = Section(
    (
        Setting("enable", SWITCH, "whether the broker is Azure Event Grid, which asks for a certificate", False),
        Setting("clientId", TEXT, "the client's id, and its user", only=("enable", True)),
        Setting("clientCertFile", FILE, "the client's certificate, a PEM file", only=("enable", True)),
        Setting("clientKeyFile", FILE, "its key, a PEM file", only=("enable", True)),
    ),
    switch="enable",
)
MQTT = Section(
    (
        ENABLE,
        need("brokerHost", TEXT.must(is_host, "`{what}` is not a host name", "no host name"), "the broker"),
        Setting("brokerPort", PORT, "its port", without="1883, with TLS 8883"),
        Setting("azureEventGrid", map_of(AZURE)),
        Setting(_STATUS_TOPIC, TOPIC, "the topic of the status"),
        Setting(_ALERT_TOPIC, TOPIC, "the topic of the alert"),
        Setting("useSSL", SWITCH, "whether it is spoken to over TLS; with `azureEventGrid` it always is", False),
        Setting("caFile", FILE, "the only authority to trust, a PEM file", without="those of this machine"),
        Setting("username", FROM_ENVIRONMENT, "the user, where the broker asks for one"),
        Setting("password", SECRET, "the password"),
    ),
    "Butler's MQTT broker.",
    others=(
        "taskFailureSendFull", "taskAbortedSendFull", "subscriptionRootTopic", "taskStartTopic", "taskFailureTopic",
        "taskFailureFullTopic", "taskFailureServerStatusTopic", "taskAbortedTopic", "taskAbortedFullTopic",
        "serviceRunningTopic", "serviceStoppedTopic", "serviceStatusTopic", "qlikSenseCloud",
    ),
    switch="enable",
)  # fmt: skip
HEARTBEAT = Section(
    (
        need("enable", SWITCH, "whether it is called", False),
        Setting("remoteURL", URL, "the address that `serve` calls"),
        structs.replace(FREQUENCY, required=False, doc="when, such as `every 30 seconds`"),
    ),
    "Butler's heartbeat.",
    switch="enable",
)
