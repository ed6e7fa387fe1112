"""The settings of Butler's `qlikSenseLicense` block that are not rules: schedules, monitors, destinations.

They are checked here, as Butler 16 checks them, so that a file that Butler refuses is refused here too.
"""

from policy.schedule_lint import check_syntax
from policy.yaml_nodes import Entry, Mapping, Node, Scalar
from policy.yaml_reader import YamlReader
from policy.yaml_text import locate_in

SCHEDULE_KEYS = ("enable", "frequency")
LICENSE_BLOCKS = ("serverLicenseMonitor", "licenseMonitor", "licenseRelease")


def read_license_block(reader: YamlReader, node: Node, required: tuple[str, ...]) -> Entry | None:
    """Checks the `qlikSenseLicense` map but for `licenseRelease`, whose entry is returned."""
    block = reader.mapping(node, "qlikSenseLicense", known=LICENSE_BLOCKS, required=required)
    if block is None:
        return None
    reader.at(block, "licenseMonitor", lambda entry: _license_monitor(reader, entry.value))
    reader.at(block, "serverLicenseMonitor", lambda entry: _server_license_monitor(reader, entry.value))
    return block.get("licenseRelease")


def read_schedule(reader: YamlReader, block: Mapping, what: str) -> None:
    """Checks `enable` and `frequency`; an empty frequency is no schedule, as in Butler."""
    reader.at(block, "enable", lambda entry: reader.boolean(entry.value, f"{what}.enable"))
    reader.at(block, "frequency", lambda entry: _frequency(reader, entry.value, f"{what}.frequency"))


def read_destination(reader: YamlReader, node: Node, what: str, others: tuple[str, ...] = ()) -> None:
    """Checks `influxDb` with its static tags; `others` are further destinations, checked for their switches."""
    destination = reader.mapping(node, what, known=("influxDb", *others), required=("influxDb", *others))
    if destination is None:
        return
    reader.at(destination, "influxDb", lambda entry: _influxdb(reader, entry.value, f"{what}.influxDb"))
    for name in others:
        reader.at(destination, name, lambda entry: _switches(reader, entry.value, f"{what}.{entry.key.text}"))


def _frequency(reader: YamlReader, node: Node, what: str) -> None:
    text = reader.text(node, what)
    if text is not None and isinstance(node, Scalar):
        reader.findings += check_syntax(text, locate_in(node))


def _license_monitor(reader: YamlReader, node: Node) -> None:
    what = "licenseMonitor"
    keys = (*SCHEDULE_KEYS, "destination")
    monitor = reader.mapping(node, what, known=keys, required=keys)
    if monitor:
        read_schedule(reader, monitor, what)
        reader.at(monitor, "destination", lambda entry: read_destination(reader, entry.value, f"{what}.destination"))


def _server_license_monitor(reader: YamlReader, node: Node) -> None:
    what = "serverLicenseMonitor"
    keys = (*SCHEDULE_KEYS, "alert", "destination")
    monitor = reader.mapping(node, what, known=keys, required=keys)
    if monitor is None:
        return
    read_schedule(reader, monitor, what)
    reader.at(monitor, "alert", lambda entry: _alert(reader, entry.value, f"{what}.alert"))
    others = ("mqtt", "webhook")
    reader.at(
        monitor, "destination", lambda entry: read_destination(reader, entry.value, f"{what}.destination", others)
    )


def _alert(reader: YamlReader, node: Node, what: str) -> None:
    alert = reader.mapping(node, what, known=("thresholdDays",), required=("thresholdDays",))
    if alert:
        reader.at(alert, "thresholdDays", lambda entry: reader.whole(entry.value, f"{what}.thresholdDays", "days"))


def _influxdb(reader: YamlReader, node: Node, what: str) -> None:
    keys = ("enable", "tag")
    influxdb = reader.mapping(node, what, known=keys, required=keys)
    if influxdb is None:
        return
    reader.at(influxdb, "enable", lambda entry: reader.boolean(entry.value, f"{what}.enable"))
    reader.at(influxdb, "tag", lambda entry: _tag(reader, entry.value, f"{what}.tag"))


def _tag(reader: YamlReader, node: Node, what: str) -> None:
    tag = reader.mapping(node, what, known=("static",), required=("static",))
    static = tag.get("static") if tag else None
    keys = ("name", "value")
    for item in reader.items(static.value, f"{what}.static") if static else ():
        pair = reader.mapping(item, f"{what}.static", known=keys, required=keys)
        for key in keys if pair else ():
            reader.at(pair, key, lambda entry: reader.text(entry.value, f"{what}.static.{entry.key.text}"))  # type: ignore[arg-type]


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
