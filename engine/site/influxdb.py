"""Where points go: the section `Butler.influxDb`, new form (`version` with `v1Config`, `v2Config`, `v3Config`) and old.

The old form has `auth`, `dbName` and `retentionPolicy` beside `hostIP` and `hostPort`, and is version 1. Ours, all
optional: `useSSL` (or a `hostIP` that begins with `https://`), `rejectUnauthorized`, `caFile`. Secrets may be
`${NAME}`. Butler's other keys in the section are let be, since its file serves as it is.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import read_secret

Version: TypeAlias = Literal[1, 2, 3]

DEFAULT_PORT = 8086
"""Where InfluxDB listens; Butler has the same default."""
DEFAULT_HOST = "localhost"
DEFAULT_DATABASE = "butler"

_TOP = ("enable", "version", "hostIP", "hostPort", "useSSL", "rejectUnauthorized", "caFile")
_V1 = ("auth", "dbName", "retentionPolicy")
_OF_VERSION = {1: _V1, 2: ("org", "bucket", "token"), 3: ("database", "token")}
_BUTLERS = (
    "tag", "v1Config", "v2Config", "v3Config", "description", "retentionDuration", "writeTimeout", "queryTimeout",
    "timeout", "reloadTaskFailure", "reloadTaskSuccess", "userSyncTaskSuccess", "externalProgramTaskSuccess",
    "externalProgramTaskFailure", "distributeTaskSuccess", "distributeTaskFailure", "preloadTaskSuccess",
    "preloadTaskFailure", "instanceTag",
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

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show, in the forms in which it is sent."""
        login = [basic_login(self.username, self.password)] if self.username is not None else []
        return tuple(secret for secret in (self.token, self.password, *login) if secret)

    @property
    def warnings(self) -> list[str]:
        """What makes it unsafe, in words."""
        unsafe = self.url.startswith("https:") and not self.verify
        return [f"influxDb.rejectUnauthorized is false: {self.url} could be anybody"] if unsafe else []


def basic_login(username: str, password: str | None) -> str:
    """User and password as HTTP sends them (RFC 7617), in UTF-8: requests would send text as Latin-1."""
    return b64encode(f"{username}:{password or ''}".encode()).decode()


def read_influxdb(
    reader: YamlReader, node: Node, environment: Mapping[str, str], folder: Path | None = None
) -> InfluxTarget | None:
    """The database of an `influxDb` map; None when it is switched off, or wrong: then `reader` has the findings.

    What is switched off is not checked further, as in Butler. `folder` is where a relative `caFile` starts.
    """
    return _InfluxReader(reader, environment, folder or Path()).read(node)


class _InfluxReader:
    def __init__(self, reader: YamlReader, environment: Mapping[str, str], folder: Path) -> None:
        self._reader = reader
        self._environment = environment
        self._folder = folder

    def read(self, node: Node) -> InfluxTarget | None:
        before = len(self._reader.findings)
        section = self._map(node, "influxDb", needed=(*_TOP, *_V1), required=("enable",))
        if section is None or not self._switch(section, "enable", "influxDb"):
            return None
        version: Version = self._reader.at(section, "version", self._version) or 1
        url = self._url(section)
        target = self._of_version(version, section, url)
        return target if len(self._reader.findings) == before else None

    def _of_version(self, version: Version, section: YamlMap, url: str) -> InfluxTarget:
        name = f"v{version}Config"
        entry = section.get(name)
        config: YamlMap | None = section if version == 1 else None  # the old form
        if entry is not None:
            what = f"influxDb.{name}"
            config = self._map(entry.value, what, needed=_OF_VERSION[version], required=_required(version))
        elif version != 1:
            self._lacks(section, "influxDb", name, f"version {version} needs it")
        verify = self._switch(section, "rejectUnauthorized", "influxDb", default=True)
        authority = self._reader.at(section, "caFile", lambda e: self._text(e, "influxDb.caFile"))
        path = self._folder / authority if authority else None
        if config is None:
            return InfluxTarget(version, url, "", verify=verify, authority=path)
        if version == 1:
            username, password = self._login(config)
            retention = self._reader.at(config, "retentionPolicy", self._retention)
            database = self._name(config, "dbName") or DEFAULT_DATABASE
            return InfluxTarget(1, url, database, username, password, "", None, retention, verify, path)
        token = self._reader.at(config, "token", lambda e: read_secret(self._reader, e, self._environment))
        database = self._name(config, "bucket" if version == 2 else "database") or ""
        org = (self._name(config, "org") or "") if version == 2 else ""
        return InfluxTarget(version, url, database, org=org, token=token, verify=verify, authority=path)

    def _version(self, entry: Entry) -> Version | None:
        value = entry.value.value if isinstance(entry.value, YamlScalar) else None
        versions: tuple[Version, ...] = (1, 2, 3)
        for version in versions:
            if value in (version, str(version)) and not isinstance(value, bool):
                return version
        self._reader.error("SW205", "`influxDb.version` is 1, 2 or 3", entry.value.span, "no version of InfluxDB")
        return None

    def _url(self, section: YamlMap) -> str:
        port = self._reader.at(section, "hostPort", self._port)
        use_tls = self._switch(section, "useSSL", "influxDb")
        entry = section.get("hostIP")
        text = (self._text(entry, "influxDb.hostIP") or "").strip() if entry else DEFAULT_HOST
        try:
            bare_v6 = text.count(":") > 1 and "[" not in text
            parts = urlsplit(text if "://" in text else f"//[{text}]" if bare_v6 else f"//{text}")
            host, own_port = parts.hostname, parts.port
        except ValueError:
            parts, host, own_port = urlsplit(""), None, None
        if not host or parts.scheme not in ("", "http", "https") or parts.username or parts.query or " " in text:
            if entry and text:  # an empty one has its finding already
                help_ = "write a host name, or an address such as https://influxdb.example.com:8086"
                self._reader.error("SW205", "`influxDb.hostIP` is not a host", entry.value.span, "no host name", help_)
            return ""
        scheme = parts.scheme or ("https" if use_tls else "http")
        shown = f"[{host}]" if ":" in host else host
        return f"{scheme}://{shown}:{own_port or port or DEFAULT_PORT}{parts.path.rstrip('/')}"

    def _port(self, entry: Entry) -> int | None:
        node = entry.value
        if isinstance(node, YamlScalar) and isinstance(node.value, str) and node.value.isdecimal():
            node = YamlScalar(int(node.value), node.text, None, node.span)  # Butler turns it into text and back
        port = self._reader.whole(node, "influxDb.hostPort")
        if port is not None and not 0 < port < 65_536:
            self._reader.error("SW205", "`influxDb.hostPort` is from 1 to 65535", node.span, "no such port")
        return port

    def _login(self, config: YamlMap) -> tuple[str | None, str | None]:
        """User and password, when `auth.enable` says that the database asks for them."""
        entry = config.get("auth")
        auth = self._map(entry.value, "auth", needed=("enable", "username", "password")) if entry else None
        if auth is None or not self._switch(auth, "enable", "auth"):
            return None, None
        found = []
        for key in ("username", "password"):
            if auth.get(key) is None:
                self._lacks(auth, "auth", key, "the database asks for it")
            found.append(self._reader.at(auth, key, lambda e: read_secret(self._reader, e, self._environment)))
        return found[0], found[1]

    def _retention(self, entry: Entry) -> tuple[str, str] | None:
        needed = ("name", "duration")
        policy = self._map(entry.value, "retentionPolicy", needed=needed, required=needed)
        if policy is None:
            return None
        name = self._name(policy, "name")
        duration = self._name(policy, "duration")
        if duration is not None and not _DURATION.fullmatch(duration):
            place = policy.get("duration")
            span = place.value.span if place else policy.span
            self._reader.error(
                "SW205", "`retentionPolicy.duration` is no duration", span, "like 10d, 52w or INF", "write 10d"
            )
        return (name, duration) if name and duration else None

    def _name(self, config: YamlMap, key: str) -> str | None:
        return self._reader.at(config, key, lambda e: self._text(e, key))

    def _text(self, entry: Entry, what: str) -> str | None:
        text = self._reader.text(entry.value, what)
        if text is not None and not text.strip():
            self._reader.error("SW205", f"`{what}` is empty", entry.value.span, "nothing in here")
            return None
        return text

    def _switch(self, mapping: YamlMap, key: str, what: str, default: bool = False) -> bool:
        found = self._reader.at(mapping, key, lambda e: self._reader.boolean(e.value, f"{what}.{key}"))
        return default if found is None else found

    def _map(self, node: Node, what: str, *, needed: tuple[str, ...], required: tuple[str, ...] = ()) -> YamlMap | None:
        """A map; keys that nobody needs are let be, but one that almost is a needed key, which is absent, is not."""
        known = [e.key.text for e in node.entries] if isinstance(node, YamlMap) else []
        mapping = self._reader.mapping(node, what, known=known, required=required)
        if mapping:
            self._reader.near_misses(mapping, what, needed, _BUTLERS)
        return mapping

    def _lacks(self, mapping: YamlMap, what: str, key: str, help_: str) -> None:
        start = mapping.entries[0].key.span if mapping.entries else mapping.span
        self._reader.error("SW206", f"`{what}` lacks the key `{key}`", start, "in this map", help_)


def _required(version: Version) -> tuple[str, ...]:
    """What Butler insists on."""
    return () if version == 1 else _OF_VERSION[version]
