"""The settings of Butler's `qlikSenseLicense` block that are not rules: schedules, monitors, destinations.

They are checked here, as Butler 16 checks them, so that a file that Butler refuses is refused here too.
"""

from dataclasses import dataclass

from seatwarden.grammar.spans import Span
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.schedule.check import check_frequency, check_syntax
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.yaml.text import locate_in

SCHEDULE_KEYS = ("enable", "frequency")
RELEASE_KEYS = (*SCHEDULE_KEYS, "dryRun", "neverRelease", "licenseType", "destination")
OUR_KEYS = ("timezone", "limit", "let", "set")
"""Ours among those of `licenseRelease`."""
LICENSE_BLOCKS = ("serverLicenseMonitor", "licenseMonitor", "licenseRelease")

Tags = tuple[tuple[str, str], ...]
"""Static tags of a destination: name and value, in file order."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something Butler does on schedule, and where its numbers go.

    `frequency` is the schedule text with its place, None when there is none or it is empty, which is no schedule in
    Butler either; `malformed` when there is one that cannot be read. `enabled` is None where the file does not say,
    `place` is where it does. `threshold_days` is the alert of the server license monitor, its only one.
    """

    enabled: bool | None = None
    place: Span | None = None
    frequency: YamlScalar | None = None
    to_influxdb: bool = False
    tags: Tags = ()
    threshold_days: int | None = None
    malformed: bool = False

    @property
    def text(self) -> str:
        """The schedule text."""
        return str(self.frequency.value) if self.frequency else ""

    def schedule_warnings(self) -> list[Diagnostic]:
        """What the schedule reads otherwise than it looks; it has no errors any more."""
        return check_frequency(self.text, locate_in(self.frequency)) if self.frequency else []


@dataclass(frozen=True, slots=True)
class LicenseBlock:
    """The `qlikSenseLicense` map; the settings of `licenseRelease` are left to whom they concern."""

    license_monitor: Job
    server_monitor: Job
    release: Entry | None


def read_license_block(reader: YamlReader, node: Node, required: tuple[str, ...]) -> LicenseBlock | None:
    """The `qlikSenseLicense` map, checked but for `licenseRelease`."""
    block = reader.mapping(node, "qlikSenseLicense", known=LICENSE_BLOCKS, required=required)
    if block is None:
        return None
    monitor = reader.at(block, "licenseMonitor", lambda entry: _license_monitor(reader, entry.value))
    server = reader.at(block, "serverLicenseMonitor", lambda entry: _server_license_monitor(reader, entry.value))
    return LicenseBlock(monitor or Job(), server or Job(), block.get("licenseRelease"))


def read_job(
    reader: YamlReader, block: YamlMap, what: str, *, others: tuple[str, ...] = (), threshold_days: int | None = None
) -> Job:
    """`enable`, `frequency` and `destination` of a map; of `others`, further destinations, the switches are checked."""
    enabled = reader.at(block, "enable", lambda entry: reader.boolean(entry.value, f"{what}.enable"))
    before = len(reader.findings)
    frequency = reader.at(block, "frequency", lambda entry: _frequency(reader, entry.value, f"{what}.frequency"))
    malformed = len(reader.findings) > before
    read = reader.at(block, "destination", lambda e: _destination(reader, e.value, f"{what}.destination", others))
    to_influxdb, tags = read or (False, ())
    place = reader.at(block, "enable", lambda entry: entry.value.span)
    return Job(enabled, place, frequency, to_influxdb, tags, threshold_days, malformed)


@dataclass(frozen=True, slots=True)
class Jobs:
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


def butler_sections(root: Node) -> Node:
    """Where Butler's sections stand: under `Butler`, or at the top of a file without that frame."""
    butler = root.get("Butler") if isinstance(root, YamlMap) else None
    return butler.value if butler else root


def read_jobs(reader: YamlReader, root: Node) -> Jobs:
    """What is on schedule in any of the forms that a policy or a site file has; nothing of it is required."""
    top = butler_sections(root)
    if not isinstance(top, YamlMap):
        return Jobs(Job(), Job(), Job())
    entry = top.get("qlikSenseLicense")
    block = read_license_block(reader, entry.value, ()) if entry else None
    found = block.release if block else top.get("licenseRelease")
    release = found.value if found else top
    if not isinstance(release, YamlMap):
        if not isinstance(release, YamlScalar) or release.value is not None:
            reader.error("SW204", "`licenseRelease` must be a map", release.span, f"this is {describe(release)}")
        release = YamlMap((), release.span)
    if found:  # where the rules stand elsewhere, nobody else looks at its keys
        reader.near_misses(release, "licenseRelease", (*RELEASE_KEYS, *OUR_KEYS))
    dry_run = reader.at(release, "dryRun", lambda e: reader.boolean(e.value, "licenseRelease.dryRun"))
    rules = release.get("licenseType") or release.get("neverRelease")
    job = read_job(reader, release, "licenseRelease")
    if block is None:
        return Jobs(job, Job(), Job(), dry_run, rules)
    return Jobs(job, block.license_monitor, block.server_monitor, dry_run, rules)


def read_static_tags(reader: YamlReader, node: Node, what: str) -> Tags:
    """The pairs under `tag.static`; null is none."""
    tag = reader.mapping(node, what, known=("static",), required=("static",))
    static = tag.get("static") if tag else None
    keys = ("name", "value")
    pairs = []
    for item in reader.items(static.value, f"{what}.static") if static else ():
        pair = reader.mapping(item, f"{what}.static", known=keys, required=keys)
        texts = [
            reader.at(pair, key, lambda entry: reader.text(entry.value, f"{what}.static.{entry.key.text}"))
            for key in (keys if pair else ())
            if pair is not None
        ]
        match texts:
            case [str() as name, str() as value]:
                pairs.append((name, value))
    return tuple(pairs)


def _destination(reader: YamlReader, node: Node, what: str, others: tuple[str, ...]) -> tuple[bool, Tags]:
    """Whether numbers go to InfluxDB, and with which tags."""
    destination = reader.mapping(node, what, known=("influxDb", *others), required=("influxDb", *others))
    if destination is None:
        return False, ()
    for name in others:
        reader.at(destination, name, lambda entry: _switches(reader, entry.value, f"{what}.{entry.key.text}"))
    return reader.at(destination, "influxDb", lambda e: _influxdb(reader, e.value, f"{what}.influxDb")) or (False, ())


def _frequency(reader: YamlReader, node: Node, what: str) -> YamlScalar | None:
    text = reader.text(node, what)
    if text is None or not isinstance(node, YamlScalar):
        return None
    errors = check_syntax(text, locate_in(node))
    reader.findings += errors
    return node if text.strip() and not errors else None


def _license_monitor(reader: YamlReader, node: Node) -> Job | None:
    what = "licenseMonitor"
    keys = (*SCHEDULE_KEYS, "destination")
    monitor = reader.mapping(node, what, known=keys, required=keys)
    return read_job(reader, monitor, what) if monitor else None


def _server_license_monitor(reader: YamlReader, node: Node) -> Job | None:
    what = "serverLicenseMonitor"
    keys = (*SCHEDULE_KEYS, "alert", "destination")
    monitor = reader.mapping(node, what, known=keys, required=keys)
    if monitor is None:
        return None
    days = reader.at(monitor, "alert", lambda entry: _alert(reader, entry.value, f"{what}.alert"))
    return read_job(reader, monitor, what, others=("mqtt", "webhook"), threshold_days=days)


def _alert(reader: YamlReader, node: Node, what: str) -> int | None:
    alert = reader.mapping(node, what, known=("thresholdDays",), required=("thresholdDays",))
    if alert is None:
        return None
    return reader.at(alert, "thresholdDays", lambda entry: reader.whole(entry.value, f"{what}.thresholdDays", "days"))


def _influxdb(reader: YamlReader, node: Node, what: str) -> tuple[bool, Tags]:
    keys = ("enable", "tag")
    influxdb = reader.mapping(node, what, known=keys, required=keys)
    if influxdb is None:
        return False, ()
    enabled = reader.at(influxdb, "enable", lambda entry: reader.boolean(entry.value, f"{what}.enable"))
    tags = reader.at(influxdb, "tag", lambda entry: read_static_tags(reader, entry.value, f"{what}.tag"))
    return enabled is True, tags or ()


def _switches(reader: YamlReader, node: Node, what: str) -> None:
    keys = ("enable", "sendRecurring", "sendAlert")
    switches = reader.mapping(node, what, known=keys, required=keys)
    if switches is None:
        return
    reader.at(switches, "enable", lambda entry: reader.boolean(entry.value, f"{what}.enable"))
    for key in keys[1:]:
        entry = switches.get(key)
        inner = reader.mapping(entry.value, f"{what}.{key}", known=("enable",), required=("enable",)) if entry else None
        if inner:
            reader.at(inner, "enable", lambda e: reader.boolean(e.value, f"{what}.{key}.enable"))  # noqa: B023 - called at once
