"""The site file: how to reach one Qlik Sense deployment. A Butler config file serves as it is.

Read are `Butler.configQRS` (authentication, host, port, useSSL, headers, rejectUnauthorized, and the older
headerKey/headerValue) and `Butler.cert` (clientCert, clientCertKey, clientCertCA, and our clientCertPassphrase);
both may also stand at the top of a file of their own. Ours are two ways through a Qlik Sense proxy, `authentication:
jwt` (with `jwt`) and `authentication: header` (with `headers`), both with `virtualProxy`. A secret may be written
`${NAME}`: it then comes from the environment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seatwarden.engine.site.hosts import is_host
from seatwarden.policy.butler.jobs import butler_sections
from seatwarden.policy.diagnostics import in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.nodes import Entry, Node, YamlList, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.yaml.secrets import read_secret, read_site_yaml

_QRS_KEYS = (
    "authentication", "host", "port", "useSSL", "headers", "rejectUnauthorized", "virtualProxy", "jwt",
)  # fmt: skip

DEFAULT_PORTS = {"certificates": 4242, "jwt": 443, "header": 443}
"""Where QRS listens for certificate users, and the proxy for all others (Qlik help, ports)."""
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
"""A token of HTTP (RFC 9110, 5.6.2)."""
DEFAULT_USER = ("X-Qlik-User", "UserDirectory=INTERNAL; UserId=sa_repository")


@dataclass(frozen=True, slots=True)
class Site:
    """One Qlik Sense deployment. Paths are absolute or relative to the working folder; a secret is never shown."""

    host: str
    port: int
    use_tls: bool
    headers: dict[str, str] = field(repr=False)
    verify: bool
    certificate: Path | None
    key: Path | None
    authority: Path | None
    passphrase: str | None = field(default=None, repr=False)
    authentication: str = "certificates"
    virtual_proxy: str = ""

    @property
    def url(self) -> str:
        """The address of the Repository Service, through a proxy with its prefix, without a path behind it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        prefix = f"/{self.virtual_proxy}" if self.virtual_proxy else ""
        return f"{'https' if self.use_tls else 'http'}://{host}:{self.port}{prefix}"

    @property
    def slug(self) -> str:
        """The address as the name of a folder: `qlik.example.com-4242`."""
        return re.sub(r"[^\w.-]+", "-", self.url.partition("://")[2]).strip("-.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show: the values of our headers, but for the user that everybody has, and passphrase."""
        values = [value for value in self.headers.values() if value != DEFAULT_USER[1]]
        tokens = [value.removeprefix("Bearer ") for value in values]
        return tuple(secret for secret in (*values, *tokens, self.passphrase) if secret)

    @property
    def warnings(self) -> list[str]:
        """What makes talking to it unsafe."""
        if not self.use_tls:
            return [f"useSSL is false: {self.url} is read without encryption"]
        return [] if self.verify else [f"rejectUnauthorized is false: {self.url} could be anybody"]


def load_site(path: Path, environment: Mapping[str, str]) -> Site:
    """The site in a file; `environment` has the secrets that the file takes from there.

    Raises InputError when it cannot be read, PolicyError with every problem in it.
    """
    text = read_text(path, "site file")
    reader = SiteReader(path.parent, environment)
    site = reader.read(read_site_yaml(text, str(path)))
    if reader.findings or site is None:
        raise PolicyError(in_order(reader.findings), {str(path): reader.concealed(text)})
    return site


class SiteReader(YamlReader):
    """Reads `configQRS` and `cert`; relative paths are within `folder`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._folder = folder
        self._environment = environment

    def read(self, root: Node) -> Site | None:
        """The site, or None; the problems are among the findings."""
        if not isinstance(root, YamlMap):
            self.error("SW209", "this is not a site file", root.span, f"expected a map, this is {describe(root)}")
            return None
        top = butler_sections(root)
        found = top.get("configQRS") if isinstance(top, YamlMap) else None
        if found is None or not isinstance(top, YamlMap):
            help_ = "it says how to reach QRS: `configQRS:` with `host:` and, next to it, `cert:`"
            self.error("SW209", "this is not a site file: there is no `configQRS`", top.span, "not in here", help_)
            return None
        qrs = found.value
        if not isinstance(qrs, YamlMap):
            self.error("SW204", "`configQRS` must be a map", qrs.span, f"this is {describe(qrs)}")
            return None
        missed = self.near_misses(qrs, "configQRS", _QRS_KEYS, ("headerKey", "headerValue"))
        host = self._host(qrs) if "host" not in missed else None
        port = self.at(qrs, "port", self._port)
        use_tls = self.at(qrs, "useSSL", lambda e: self.boolean(e.value, "configQRS.useSSL"))
        verify = self.at(qrs, "rejectUnauthorized", lambda e: self.boolean(e.value, "configQRS.rejectUnauthorized"))
        authentication = self._authentication(qrs)
        certificate, key, authority, passphrase = self._certificates(top.get("cert"))
        return Site(
            host=host or "",
            port=port if port is not None else DEFAULT_PORTS[authentication],
            use_tls=use_tls is not False,
            headers=self._credentials(qrs, authentication),
            verify=verify is not False,
            certificate=certificate,
            key=key,
            authority=authority,
            passphrase=passphrase,
            authentication=authentication,
            virtual_proxy=self.at(qrs, "virtualProxy", self._virtual_proxy) or "",
        )

    def _host(self, qrs: YamlMap) -> str | None:
        entry = qrs.get("host")
        if entry is None:
            start = qrs.entries[0].key.span if qrs.entries else qrs.span
            help_ = "the name of the server, as in its certificate"
            self.error("SW206", "`configQRS` lacks the key `host`", start, "in this map", help_)
            return None
        host = self.text(entry.value, "configQRS.host")
        if host is not None and not is_host(host):
            message = "`configQRS.host` is a host name, not an address with a path"
            help_ = "a name or an address alone: the port stands under `port`, and IPv6 has no brackets here"
            self.error("SW205", message, entry.value.span, "no host name", help_)
            return None
        return host

    def _port(self, entry: Entry) -> int | None:
        port = self.whole(entry.value, "configQRS.port")
        if port is not None and not 0 < port < 65_536:
            self.error("SW205", "`configQRS.port` is from 1 to 65535", entry.value.span, "no such port")
        return port

    def _authentication(self, qrs: YamlMap) -> str:
        ways = tuple(DEFAULT_PORTS)
        return (
            self.at(qrs, "authentication", lambda e: self.one_of(e.value, "configQRS.authentication", ways)) or ways[0]
        )

    def _virtual_proxy(self, entry: Entry) -> str | None:
        prefix = self.text(entry.value, "configQRS.virtualProxy")
        if prefix is not None and not re.fullmatch(r"/?[\w.~/-]*", prefix):
            self.error(
                "SW205", "`configQRS.virtualProxy` is the prefix of a virtual proxy", entry.value.span, "no prefix"
            )
        return prefix.strip("/") if prefix else None

    def _credentials(self, qrs: YamlMap, authentication: str) -> dict[str, str]:
        """The headers that say who we are."""
        before = len(self.findings)
        headers = self._headers(qrs)
        if authentication == "jwt":
            entry = qrs.get("jwt")
            if entry is None:
                start = qrs.entries[0].key.span
                self.error("SW206", "`configQRS` lacks the key `jwt`", start, "in this map", "the token, or ${NAME}")
                return headers
            token = self._header_value(entry)
            return headers | ({"Authorization": f"Bearer {token}"} if token else {})
        if authentication == "header" and not headers and len(self.findings) == before:
            start = qrs.entries[0].key.span
            help_ = "name the header that the virtual proxy reads, with the user in it, under `headers`"
            self.error("SW206", "`configQRS` lacks the key `headers`", start, "in this map", help_)
        # Through a proxy it is the proxy that names the user to QRS.
        return headers if authentication == "header" else dict([DEFAULT_USER]) | headers

    def _secret(self, entry: Entry) -> str | None:
        return read_secret(self, entry, self._environment)

    def _headers(self, qrs: YamlMap) -> dict[str, str]:
        """X-Qlik-User and others, from `headers.static`, a plain list or map, or the older headerKey/headerValue."""
        headers: dict[str, str] = {}
        old = tuple(qrs.get(key) for key in ("headerKey", "headerValue"))
        if old[0] and old[1]:
            self._header(headers, self._secret(old[0]), old[0].value, old[1])
        for given, lacking in (old, old[::-1]):
            if given and not lacking:
                self.conceal(given.value)
                other = "headerValue" if given is old[0] else "headerKey"
                message = f"`configQRS` lacks the key `{other}`"
                self.error("SW206", message, given.key.span, "this alone is of no use")
        entry = qrs.get("headers")
        if entry is None:
            return headers
        node = entry.value
        static = node.get("static") if isinstance(node, YamlMap) else None
        if static:
            node = static.value
        self.conceal_all(node)
        if isinstance(node, YamlMap):
            for e in node.entries:
                self._header(headers, e.key.text, e.key, e)
        elif isinstance(node, YamlList) and all(isinstance(item, YamlMap) for item in node.items):
            for item in node.items:
                keys = ("name", "value")
                pair = self.mapping(item, "configQRS.headers", known=keys, required=keys)
                name, value = (pair.get(key) if pair else None for key in keys)
                if name and value:
                    self._header(headers, self._secret(name), name.value, value)
        elif not (isinstance(node, YamlScalar) and node.value is None):
            help_ = "write `- name: X-Qlik-User` and below it `value: …`"
            self.error("SW204", "`configQRS.headers` must be a list of headers", node.span, "this is none", help_)
        return headers

    def _header(self, headers: dict[str, str], name: str | None, place: Node, value: Entry) -> None:
        """Adds a header. One that is left out in silence would leave us with the rights of the default user."""
        if name is not None and not _HEADER_NAME.fullmatch(name):
            help_ = "letters, digits and hyphens, like X-Qlik-User; what it says stands beside it"
            self.error("SW205", "this is not the name of a header", place.span, "no such header", help_)
        text = self._header_value(value)
        if name is not None and text is not None:
            headers[name] = text

    def _header_value(self, entry: Entry) -> str | None:
        """A value that HTTP can carry and that is not empty."""
        value = self._secret(entry)
        if value is None:
            return None
        what, span = f"`{entry.key.text}`", entry.value.span
        if not value.strip():
            self.error("SW205", f"{what} is empty", span, "nothing here", "write it, or remove what it belongs to")
            return None
        try:
            value.encode("latin-1")
        except UnicodeEncodeError:
            help_ = "headers have letters of western Europe only (Latin-1); name a user without others"
            self.error("SW205", f"{what} has letters that no header can carry", span, "not in Latin-1", help_)
            return None
        if value[0].isspace() or not value.isprintable():
            help_ = "write it without a space at its beginning and without control characters"
            self.error("SW205", f"{what} has characters that no header can carry", span, "cannot be sent", help_)
            return None
        return value

    def _certificates(self, entry: Entry | None) -> tuple[Path | None, Path | None, Path | None, str | None]:
        keys = ("clientCert", "clientCertKey", "clientCertCA", "clientCertPassphrase")
        cert = self.mapping(entry.value, "cert", known=keys) if entry else None
        if cert is None:
            return None, None, None, None
        texts = [self.at(cert, key, self._secret) for key in keys]
        for entry, text in zip(map(cert.get, keys), texts, strict=True):
            if entry and text and "\0" in text:
                message = f"`cert.{entry.key.text}` has a character that is not printable"
                self.error("SW205", message, entry.value.span, "cannot be used")
                return None, None, None, None
        certificate, key, authority = (self._folder / text if text else None for text in texts[:3])
        return certificate, key, authority, texts[3]
