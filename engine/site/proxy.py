"""The proxy for what goes out: a site's webhooks, heartbeat, InfluxDB and MQTT. Nothing goes through one unsaid.

`proxy` is a URL or `environment`; `noProxy` names what is reached without. The way to QRS has a setting of its own,
`configQRS.proxy`, and the same exceptions do not count there. This machine itself is always reached without.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import unquote, urlsplit

from seatwarden.engine.site.hosts import is_loopback, web_parts
from seatwarden.policy.butler.sections import inner
from seatwarden.policy.yaml.kinds import SECRET, TEXT, list_of
from seatwarden.policy.yaml.nodes import Entry
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind

FROM_ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxies by the scheme of an address, None where there is none; they may hold a user and password.

    `without` are names and addresses that are reached without: a name stands for all below it too, `*` for all.
    """

    http: str | None = field(default=None, repr=False)
    https: str | None = field(default=None, repr=False)
    without: tuple[str, ...] = ()

    def for_url(self, url: str) -> str | None:
        """The proxy on the way to a URL, if there is one. What is encrypted (`https`, `mqtts`) has its own."""
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
        if is_loopback(host) or self._excepts(host, parts.port):
            return None
        return self.https if parts.scheme in ("https", "mqtts") else self.http

    def for_requests(self, url: str) -> dict[str, str]:
        """The same as requests takes it; a redirect to the other scheme goes the same way."""
        found = self.for_url(url)
        return {"http": found, "https": found} if found else {}

    def _excepts(self, host: str, port: int | None) -> bool:
        names = [name.strip().lower().lstrip("*").lstrip(".") for name in self.without]
        if "*" in (name.strip() for name in self.without):
            return True
        return any(name and (host == name or host.endswith(f".{name}") or f"{host}:{port}" == name) for name in names)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may show."""
        found = []
        for url in (self.http, self.https):
            if url and (parts := urlsplit(url)).password:
                found += [url, parts.password, unquote(parts.password), _basic(url)]
        return tuple(dict.fromkeys(found))


DIRECT = Proxy()
"""None at all."""


def proxy_headers(url: str) -> dict[str, str]:
    """The header by which user and password of a proxy's URL are sent to it (RFC 7617); none where it has none."""
    return {"Proxy-Authorization": f"Basic {_basic(url)}"} if urlsplit(url).username else {}


def _basic(url: str) -> str:
    parts = urlsplit(url)
    return b64encode(f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()).decode()


def with_exceptions(proxy: Proxy, names: tuple[str, ...]) -> Proxy:
    """The same proxy, but for what these name too."""
    return replace(proxy, without=(*proxy.without, *names))


def _read(reader: YamlReader, entry: Entry, what: str) -> Proxy | None:
    text: str | None = SECRET.read(reader, entry, what)
    if text is None:
        return None
    if text.strip().lower() == FROM_ENVIRONMENT:
        return _from_environment(reader, entry)
    if not _is_proxy(text):
        help_ = "write http://proxy.example.com:8080, or `environment`"
        reader.error("SW205", f"`{what}` is not the address of a proxy", entry.value.span, "not one", help_)
        return None
    return Proxy(text, text)


def _from_environment(reader: YamlReader, entry: Entry) -> Proxy | None:
    """What HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say, in small letters first, as other programs read them."""
    found: dict[str, str | None] = {}
    for scheme in ("http", "https"):
        name, value = _first(reader.environment, f"{scheme}_proxy", "all_proxy")
        url = value if not value or "://" in value else f"http://{value}"
        if url and not _is_proxy(url):
            message = f"environment variable `{name}` is not the address of a proxy"
            help_ = "proxies of HTTP are meant: http://proxy.example.com:8080"
            reader.error("SW205", message, entry.value.span, "taken from there", help_)
            return None
        found[scheme] = url or None
    _, without = _first(reader.environment, "no_proxy")
    return Proxy(found["http"], found["https"], tuple(name for name in without.split(",") if name.strip()))


def _first(environment: Mapping[str, str], *names: str) -> tuple[str, str]:
    """The first of these variables that says something, in either case, and what it says."""
    written = [form for name in names for form in (name, name.upper())]
    return next(((name, value) for name in written if (value := environment.get(name, "").strip())), ("", ""))


def _is_proxy(url: str) -> bool:
    parts = web_parts(url)
    return parts is not None and parts.path in ("", "/") and not parts.query and not parts.fragment


def read_proxy(reader: YamlReader, ours: Entry | None) -> Proxy:
    """The proxy of our section alone, its exceptions included."""
    said, names = inner(ours, "proxy"), inner(ours, "noProxy")
    proxy = PROXY.read(reader, said, "proxy") if said else None
    return with_exceptions(proxy or Proxy(), NO_PROXY.read(reader, names, "noProxy") if names else ())


PROXY = Kind(_read, SECRET.schema, "a URL, or `environment`", secret=True)
NO_PROXY = list_of(
    TEXT.must(
        re.compile(r"[^\s,/@]+").fullmatch, "`{what}` names no host", "not a name", "write influxdb.example.com, or *"
    )
)
