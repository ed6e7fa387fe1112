"""The sections of a site file: Butler's under `Butler` or at the top, ours under `seatwarden`."""

from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap
from seatwarden.policy.yaml.reader import YamlReader

SITE_KEYS = ("configQRS", "cert", "influxDb", "seatwarden")
"""The sections that a site file has beside the rules."""
LICENSE_KEYS = ("qlikSenseLicense", "licenseRelease")
"""The sections with rules and schedules."""
ALARM_KEYS = ("heartbeat", "mqttConfig", "webhookNotification")
"""The sections by which Butler tells of the site's own license, and of itself."""
OTHER_FEATURES = (
    "anonTelemetry", "configDirectories", "configEngine", "configVisualisation", "dockerHealthCheck",
    "emailNotification", "fileCopyApprovedDirectories", "fileDeleteApprovedDirectories", "fileLogging",
    "fileMoveApprovedDirectories", "genericUrls", "gitHub", "incidentTool", "keyValueStore", "logDirectory",
    "logLevel", "qlikSenseCloud", "qlikSenseUrls", "qlikSenseVersion", "restServerApiDocGenerate",
    "restServerConfig", "restServerEndpointsConfig", "restServerEndpointsEnable", "scheduler", "scriptLog",
    "serviceMonitor", "slackNotification", "startTaskFilter", "systemInfo", "teamsNotification",
    "thirdPartyToolsCredentials", "udpServerConfig", "uptimeMonitor",
)  # fmt: skip
"""Sections of Butler's, in version 6 to 16, that belong to other features of it."""


def butler_sections(root: Node) -> Node:
    """The map under `Butler`, or the whole of a file without that frame."""
    butler = root.get("Butler") if isinstance(root, YamlMap) else None
    return butler.value if butler else root


def butler_section(root: Node, name: str) -> Entry | None:
    """One section of Butler's."""
    sections = butler_sections(root)
    return sections.get(name) if isinstance(sections, YamlMap) else None


def our_section(root: Node) -> Entry | None:
    """The map `seatwarden`, at the top of the file."""
    return root.get("seatwarden") if isinstance(root, YamlMap) else None


def inner(entry: Entry | None, key: str) -> Entry | None:
    """The entry of that key in the map that another entry holds, if it holds one."""
    return entry.value.get(key) if entry and isinstance(entry.value, YamlMap) else None


def find_unread(reader: YamlReader, root: Node) -> None:
    """Warns of each section that is neither read nor another feature of Butler's (SW212)."""
    sections, framed = butler_sections(root), isinstance(root, YamlMap) and root.get("Butler")
    known = (*SITE_KEYS, *LICENSE_KEYS, *ALARM_KEYS, *OTHER_FEATURES)
    if isinstance(sections, YamlMap) and any(sections.get(key) for key in (*SITE_KEYS, *LICENSE_KEYS)):
        reader.unread(sections, "Butler" if framed else "the file", known)
    if framed and isinstance(root, YamlMap):
        reader.unread(root, "the file", ("Butler", "seatwarden"))
