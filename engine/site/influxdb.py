"""The database for points: the section `Butler.influxDb`, in its new form and the old.

The new form has `version`, with `v1Config`, `v2Config` or `v3Config`. The old form has `auth`, `dbName` and
`retentionPolicy` beside `hostIP` and `hostPort`, and is version 1. Butler's other keys in the section are let be, since
its file serves as it is.
"""

import re
from base64 import b64encode
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from seatwarden.engine.site.hosts import bracketed
from seatwarden.engine.site.proxy import Proxy
from seatwarden.policy.butler.jobs import STATIC_TAGS, Tags
from seatwarden.policy.yaml.kinds import FROM_ENVIRONMENT, PORT, SECRET, SWITCH, TEXT, map_of, within_folder
from seatwarden.policy.yaml.nodes import Entry, Node, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting, Values, need

Version: TypeAlias = Literal[1, 2, 3]

DEFAULT_PORT = 8086
"""The port of InfluxDB; Butler has the same default."""
DEFAULT_HOST = "localhost"
DEFAULT_DATABASE = "butler"

_BUTLERS = (
    "tag", "v1Config", "v2Config", "v3Config", "description", "retentionDuration", "writeTimeout", "queryTimeout",
    "timeout", "reloadTaskFailure", "reloadTaskSuccess", "userSyncTaskSuccess", "externalProgramTaskSuccess",
    "externalProgramTaskFailure", "distributeTaskSuccess", "distributeTaskFailure", "preloadTaskSuccess",
    "preloadTaskFailure", "userSyncTaskFailure",
)  # fmt: skip
_DURATION = re.compile(r"(?:\d+(?:ns|us|u|µ|ms|s|m|h|d|w))+|INF", re.IGNORECASE)
"""InfluxQL's durations; anything else must not get into a statement."""


@dataclass(frozen=True, slots=True)
class InfluxTarget:
    """One database. `database` is its name (in version 2 the bucket's); secrets are never shown.

    `retention` is name and duration of the policy a new database gets, version 1 only.
    """

    version: Version
    url: str
    database: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    org: str = ""
    token: str | None = field(default=None, repr=False)
    retention: tuple[str, str] | None = None
    verify: bool = True
    authority: Path | None = None
    proxy: Proxy = Proxy()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may show, in the forms in which it is sent."""
        login = [basic_login(self.username, self.password)] if self.username is not None else []
        return tuple(secret for secret in (self.token, self.password, *login) if secret)

    @property
    def warnings(self) -> list[str]:
        """The reasons why it is unsafe, in words."""
        unsafe = self.url.startswith("https:") and not self.verify
        return [f"influxDb.rejectUnauthorized is false: {self.url} could be anybody"] if unsafe else []


def basic_login(username: str, password: str | None) -> str:
    """User and password as HTTP sends them (RFC 7617), in UTF-8: requests would send text as Latin-1."""
    return b64encode(f"{username}:{password or ''}".encode()).decode()


def read_influxdb(reader: YamlReader, node: Node) -> tuple[InfluxTarget | None, Tags]:
    """The database of an `influxDb` map, and the tags of all points.

    None when it is switched off, which is not checked further, as in Butler; or wrong: then `reader` has the findings.
    """
    before = len(reader.findings)
    section = INFLUXDB.read(reader, node, "influxDb")
    if section is None:
        return None, ()
    target = _target(reader, section) if section["enable"] else None
    return (target if len(reader.findings) == before else None), section["tag"]


def _target(reader: YamlReader, section: Values) -> InfluxTarget:
    version: Version = section["version"]
    name = f"v{version}Config"
    config: Values | None = section[name]
    if section.map.get(name) is None and version == 1:  # the old form
        config = V1.values(reader, section.map, "influxDb")
    elif section.map.get(name) is None:
        reader.lacking(section.map, "influxDb", name, f"version {version} needs it")
    target = InfluxTarget(
        version, _url(reader, section), "", verify=section["rejectUnauthorized"], authority=section["caFile"]
    )
    if config is None:
        return target
    if version == 1:
        username, password = _login(reader, config["auth"])
        retention = config["retentionPolicy"]
        return replace(target, database=config["dbName"], username=username, password=password, retention=retention)
    database, org = config.take("bucket", "org") if version == 2 else (config["database"], "")
    return replace(target, database=database, org=org, token=config["token"])


def _url(reader: YamlReader, section: Values) -> str:
    text = (section["hostIP"] or "").strip()
    try:
        bare_v6 = text.count(":") > 1 and "[" not in text
        parts = urlsplit(text if "://" in text else f"//[{text}]" if bare_v6 else f"//{text}")
        host, own_port = parts.hostname, parts.port
    except ValueError:
        parts, host, own_port = urlsplit(""), None, None
    if not host or parts.scheme not in ("", "http", "https") or parts.username or parts.query or " " in text:
        if text:  # an empty one has its finding already
            help_ = "write a host name, or an address such as https://influxdb.example.com:8086"
            reader.error("SW205", "`influxDb.hostIP` is not a host", section.span("hostIP"), "no host name", help_)
        return ""
    scheme = parts.scheme or ("https" if section["useSSL"] else "http")
    return f"{scheme}://{bracketed(host)}:{own_port or section['hostPort']}{parts.path.rstrip('/')}"


def _login(reader: YamlReader, auth: Values | None) -> tuple[str | None, str | None]:
    """User and password, when `auth.enable` says that the database asks for them."""
    if auth is None or not auth["enable"]:
        return None, None
    for key in ("username", "password"):
        if auth.map.get(key) is None:
            reader.lacking(auth.map, "auth", key, "the database asks for it")
    username, password = auth.take("username", "password")
    return username, password


# Kinds of settings ---------------------------------------------------------------------------------------


def _version(reader: YamlReader, entry: Entry, what: str) -> Version | None:
    node = reader.resolved(entry.value)
    if node is None:
        return None
    value = node.value if isinstance(node, YamlScalar) else None
    versions: tuple[Version, ...] = (1, 2, 3)
    for version in versions:
        if value in (version, str(version)) and not isinstance(value, bool):
            return version
    reader.error("SW205", f"`{what}` is 1, 2 or 3", entry.value.span, "no version of InfluxDB")
    return None


def _port(reader: YamlReader, entry: Entry, what: str) -> int | None:
    node = entry.value
    if isinstance(node, YamlScalar) and isinstance(node.value, str) and node.value.isdecimal():
        node = YamlScalar(int(node.value), node.text, None, node.span)  # Butler turns it into text and back
    number: int | None = PORT.read(reader, Entry(entry.key, node), what)
    return number


def _retention(policy: Values) -> tuple[str, str] | None:
    name, duration = policy.take("name", "duration")
    return (name, duration) if name and duration else None


# The tables ----------------------------------------------------------------------------------------------

NAME = TEXT.must(str.strip, "`{what}` is empty", "nothing in here")
"""A text that says something."""
DURATION = NAME.must(
    _DURATION.fullmatch, "`retentionPolicy.{what}` is no duration", "like 10d, 52w or INF", "write 10d"
)


def _section(doc: str, *settings: Setting, brief: bool = True) -> Section:
    """A map in which Butler has keys too."""
    return Section(settings, doc, brief, _BUTLERS)


RETENTION = _section(
    "The retention policy of a database that does not exist yet.",
    need("name", NAME, "the retention policy of a new database"),
    need("duration", DURATION, "how long that keeps points, such as `10d`"),
)
AUTH = _section(
    "How to log in.",
    Setting("enable", SWITCH, "whether the database asks for user and password", False),
    Setting("username", FROM_ENVIRONMENT, "the user", only=("enable", True)),
    Setting("password", SECRET, "the password", only=("enable", True)),
    brief=False,
)
V1 = _section(
    "InfluxDB 1.",
    Setting("auth", map_of(AUTH)),
    Setting("dbName", NAME, "the database; made if need be", DEFAULT_DATABASE),
    Setting("retentionPolicy", map_of(RETENTION, _retention), without="the database's default"),
)
_TOKEN = need("token", SECRET, "a token that may write there")
V2 = _section("InfluxDB 2.", need("org", NAME, "the organization", ""), need("bucket", NAME, "the bucket", ""), _TOKEN)
V3 = _section("InfluxDB 3.", need("database", NAME, "the database", ""), _TOKEN)
_AUTHORITY = NAME.then(within_folder)
INFLUXDB = Section(
    (
        Setting("tag", STATIC_TAGS, "tags of all points, under `static`", (), without="none"),
        need("enable", SWITCH, "whether anything is written", False),
        Setting("version", Kind(_version, words="1, 2 or 3"), "the version of InfluxDB", 1),
        Setting("hostIP", NAME, "a name, an address, or `https://influxdb.example.com:8086`", DEFAULT_HOST),
        Setting("hostPort", Kind(_port), "the port, where `hostIP` has none", DEFAULT_PORT),
        Setting("useSSL", SWITCH, "whether it is asked over TLS, as with `https://`", False),
        Setting("rejectUnauthorized", SWITCH, "`false` takes any certificate of the server, with a warning", True),
        Setting("caFile", _AUTHORITY, "the only authority to trust, a PEM file", without="those of this machine"),
        Setting("v1Config", map_of(V1), only=("version", 1)),
        Setting("v2Config", map_of(V2), only=("version", 2)),
        Setting("v3Config", map_of(V3), only=("version", 3)),
    ),
    "InfluxDB.",
    others=_BUTLERS,
    also=V1.keys,
    switch="enable",
)
