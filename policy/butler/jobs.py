"""The jobs that Butler does on schedule: the settings of its `qlikSenseLicense` block that are not rules.

They are checked as Butler 16 checks them, so that a file that Butler refuses is refused here too.
"""

from dataclasses import replace
from typing import Any

from msgspec import Struct, structs

from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.schedule.check import check_schedule, check_syntax
from seatwarden.policy.yaml.kinds import SWITCH, TEXT, TEXT_SCHEMA, map_of, maps, whole
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Values, need
from seatwarden.policy.yaml.text import locate_in

Tags = tuple[tuple[str, str], ...]
"""Static tags of a destination: names and values, in file order; of two with the same name the later one counts."""


class Sending(Struct, frozen=True):
    """What goes to a destination of the server license monitor: the status each time, an alert near the end."""

    recurring: bool = False
    alert: bool = False

    @property
    def any(self) -> bool:
        """Whether anything does."""
        return self.recurring or self.alert


class Job(Struct, frozen=True):
    """Something Butler does on schedule, and where its numbers go.

    `frequency` is the schedule text with its place, None when there is none or it is empty, which is no schedule in
    Butler either; `malformed` when there is one that cannot be read. `enabled` is None where the file does not say,
    `place` is where it does. `threshold_days` is the alert of the server license monitor, its only one; so are
    `to_mqtt` and `to_webhooks` its destinations.
    """

    enabled: bool | None = None
    place: Span | None = None
    frequency: YamlScalar | None = None
    to_influxdb: bool = False
    tags: Tags = ()
    threshold_days: int | None = None
    malformed: bool = False
    to_mqtt: Sending = Sending()
    to_webhooks: Sending = Sending()

    @property
    def text(self) -> str:
        """The schedule text."""
        return str(self.frequency.value) if self.frequency else ""

    def schedule_warnings(self) -> list[Diagnostic]:
        """The warnings about the schedule where it reads otherwise than it looks; it has no errors any more."""
        return check_schedule(self.text, locate_in(self.frequency)) if self.frequency else []


class Jobs(Struct, frozen=True):
    """All that a file has on schedule. `dry_run` is None where it does not say."""

    release: Job
    license_monitor: Job
    server_monitor: Job
    dry_run: bool | None = None
    rules: Entry | None = None
    """The first setting of `licenseRelease` that is a rule; None where there is none."""

    @property
    def all(self) -> tuple[Job, Job, Job]:
        """The three of them."""
        return self.release, self.license_monitor, self.server_monitor


# What is made of the tables ------------------------------------------------------------------------------


def job_of(values: Values) -> Job:
    """The job that a map with these settings speaks of."""
    frequency, entry = values["frequency"], values.map.get("frequency")
    (to_influxdb, tags), *sent = values["destination"]
    to_mqtt, to_webhooks = sent or (Sending(), Sending())
    return Job(
        enabled=values["enable"],
        place=values.span("enable") if values.map.get("enable") else None,
        frequency=frequency if frequency and frequency.text.strip() else None,
        to_influxdb=to_influxdb,
        tags=tags,
        malformed=entry is not None and frequency is None,
        to_mqtt=to_mqtt,
        to_webhooks=to_webhooks,
    )


def _server_monitor(values: Values) -> Job:
    return structs.replace(job_of(values), threshold_days=values["alert"])


def is_off(node: Node) -> bool:
    """Whether a map says `enable: false`."""
    enable = node.get("enable") if isinstance(node, YamlMap) else None
    return enable is not None and isinstance(enable.value, YamlScalar) and enable.value.value is False


OFF = {"properties": {"enable": {"const": False}}, "required": ["enable"]}
"""The JSON Schema of a map that says so."""


def _may_be_off(kind: Kind) -> Kind:
    """The same, but for errors in what is switched off, which are warnings."""

    def read(reader: YamlReader, entry: Entry, what: str) -> Any:
        first = len(reader.findings)
        value = kind.read(reader, entry, what)
        if is_off(entry.value):
            reader.let_be(first, (entry.value.span,))
        return value

    return replace(kind, read=read, schema={"type": "object", "if": OFF, "else": kind.schema})


def _tags(values: Values) -> Tags:
    pairs = [(pair["name"], pair["value"]) for pair in values["static"]]
    return tuple((name, value) for name, value in pairs if name is not None and value is not None)


def _switch_and_tags(values: Values) -> tuple[bool, Tags]:
    return values["enable"] is True, values["tag"]


def _of_influxdb(destination: Values) -> tuple[tuple[bool, Tags]]:
    return (destination["influxDb"],)


def _of_all(destination: Values) -> tuple[tuple[bool, Tags], Sending, Sending]:
    return destination["influxDb"], destination["mqtt"], destination["webhook"]


def _sending(destination: Values) -> Sending:
    on = destination["enable"] is True
    return Sending(on and destination["sendRecurring"], on and destination["sendAlert"])


def _frequency(reader: YamlReader, entry: Entry, what: str) -> YamlScalar | None:
    """The schedule text with its place; an empty one is no schedule in Butler either."""
    text = reader.text(entry.value, what)
    if text is None or not isinstance(entry.value, YamlScalar):
        return None
    errors = check_syntax(text, locate_in(entry.value))
    reader.findings += errors
    return entry.value if not errors else None


# The tables ----------------------------------------------------------------------------------------------

_PAIRS = maps(need("name", TEXT), need("value", TEXT))
STATIC_TAGS = map_of(Section((need("static", _PAIRS, "Tags with fixed values.", ()),)), _tags)
"""The pairs under `static`; null is none."""

ENABLE = need("enable", SWITCH, "true or false. `yes`, `no`, `on` and `off` are text in YAML 1.2.")
_WHEN = "When it runs, as the `later` library reads text: `every 24 hours`."
FREQUENCY = need("frequency", Kind(_frequency, TEXT_SCHEMA), _WHEN)

_TO_INFLUXDB = Section((ENABLE, need("tag", STATIC_TAGS, "Tags of what is written.", ())))
_NOT_RECORDED: tuple[bool, Tags] = (False, ())
_INFLUXDB = need("influxDb", map_of(_TO_INFLUXDB, _switch_and_tags), "InfluxDB.", _NOT_RECORDED)
DESTINATION = need(
    "destination", map_of(Section((_INFLUXDB,)), _of_influxdb), "Where it is recorded.", (_NOT_RECORDED,)
)
LICENSE_MONITOR = _may_be_off(map_of(Section((ENABLE, FREQUENCY, DESTINATION)), job_of))

_SEND = map_of(Section((ENABLE,)), lambda values: values["enable"] is True)
_SWITCHES = map_of(
    Section((ENABLE, need("sendRecurring", _SEND, default=False), need("sendAlert", _SEND, default=False))), _sending
)
_DESTINATIONS = Section(
    (_INFLUXDB, need("mqtt", _SWITCHES, "MQTT.", Sending()), need("webhook", _SWITCHES, "Webhooks.", Sending()))
)
_DAYS = need("thresholdDays", whole("days"), "Days before expiry.")
_ALERT = need("alert", map_of(Section((_DAYS,)), lambda values: values["thresholdDays"]), "When to alert.")
_SENT = need("destination", map_of(_DESTINATIONS, _of_all), "Where it is sent.", (_NOT_RECORDED,))
SERVER_LICENSE_MONITOR = _may_be_off(map_of(Section((ENABLE, FREQUENCY, _ALERT, _SENT)), _server_monitor))
