"""The site file: how to reach one Qlik Sense deployment. A Butler config file serves as it is.

Read are `configQRS` and `cert`, under `Butler` or at the top of a file of their own. Ours are two ways through a Qlik
Sense proxy, `authentication: jwt` and `authentication: header`, and the passphrase of a key. A secret may be written
`${NAME}`: it then comes from the environment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from seatwarden.engine.site.hosts import bracketed, is_host
from seatwarden.engine.site.proxy import PROXY, Proxy
from seatwarden.grammar.spans import Span
from seatwarden.policy.butler.older import todays_form
from seatwarden.policy.butler.sections import butler_section, butler_sections
from seatwarden.policy.diagnostics import Diagnostic, in_order
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.files import read_text
from seatwarden.policy.yaml.kinds import PORT, SECRET, SWITCH, TEXT, one_of, within_folder
from seatwarden.policy.yaml.nodes import Entry, Node, YamlList, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader, describe
from seatwarden.policy.yaml.secrets import read_path, read_secret, read_site_yaml
from seatwarden.policy.yaml.settings import Kind, Section, Setting, Values, need

DEFAULT_PORTS = {"certificates": 4242, "jwt": 443, "header": 443}
"""The ports on which QRS listens for certificate users, and the proxy for all others (Qlik help, ports)."""
_HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
"""A token of HTTP (RFC 9110, 5.6.2)."""
_USER_HEADER = re.compile(r"\s*UserDirectory\s*=\s*[^;\s][^;]*;\s*UserId\s*=\s*[^;\s].*", re.IGNORECASE)
"""The user as QRS reads it on the port for certificates."""
DEFAULT_USER = ("X-Qlik-User", "UserDirectory=INTERNAL; UserId=sa_repository")


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate in the store of Windows: `name` is its thumbprint (40 hex digits) or the name it was issued to."""

    location: Literal["CurrentUser", "LocalMachine"]
    store: str
    name: str

    def __str__(self) -> str:
        return f"Cert:\\{self.location}\\{self.store}\\{self.name}"


@dataclass(frozen=True, slots=True)
class Site:
    """One Qlik Sense deployment. Paths are absolute or relative to the working folder; a secret is never shown."""

    host: str
    port: int
    use_tls: bool
    headers: dict[str, str] = field(repr=False)
    verify: bool
    certificate: Path | StoredCertificate | None
    key: Path | None
    authority: Path | None
    passphrase: str | None = field(default=None, repr=False)
    authentication: str = "certificates"
    virtual_proxy: str = ""
    unread: tuple[str, ...] = ()
    """Keys of the file that nobody reads, with their places."""
    proxy: Proxy = Proxy()

    @property
    def url(self) -> str:
        """The address of the Repository Service, through a proxy with its prefix, without a path behind it."""
        prefix = f"/{self.virtual_proxy}" if self.virtual_proxy else ""
        return f"{'https' if self.use_tls else 'http'}://{bracketed(self.host)}:{self.port}{prefix}"

    @property
    def slug(self) -> str:
        """The address as the name of a folder: `qlik.example.com-4242`."""
        return re.sub(r"[^\w.-]+", "-", self.url.partition("://")[2]).strip("-.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that no message may show: the passphrase, and our headers but for the user that everybody has."""
        values = [value for value in self.headers.values() if value != DEFAULT_USER[1]]
        tokens = [value.removeprefix("Bearer ") for value in values]
        return tuple(secret for secret in (*values, *tokens, self.passphrase, *self.proxy.secrets) if secret)

    @property
    def qlik_user(self) -> str | None:
        """Who QRS takes us for, where our certificate lets us say it."""
        named = {name.lower(): value for name, value in self.headers.items()}
        return named.get(DEFAULT_USER[0].lower()) if self.authentication == "certificates" else None

    @property
    def warnings(self) -> list[str]:
        """The reasons why talking to it is unsafe."""
        if not self.use_tls:
            return [*self.unread, f"useSSL is false: {self.url} is read without encryption"]
        return [*self.unread, *([] if self.verify else [f"rejectUnauthorized is false: {self.url} could be anybody"])]


def load_site(path: Path, environment: Mapping[str, str]) -> Site:
    """The site in a file; `environment` has the secrets that the file takes from there.

    Raises InputError when it cannot be read, PolicyError with every problem in it.
    """
    text = read_text(path, "site file")
    reader = YamlReader(environment, path.parent)
    root = todays_form(reader, read_site_yaml(text, str(path)))
    site = read_site(reader, root)
    if reader.findings or site is None:
        raise PolicyError(in_order(reader.findings), {str(path): reader.concealed(text)})
    return replace(site, unread=tuple(f"{found.span.place}: {found.message}" for found in _unread(reader)))


def _unread(reader: YamlReader) -> list[Diagnostic]:
    """What of the connection is not read."""
    return [found for found in in_order(reader.warnings) if found.code == "SW212"]


def read_site(reader: YamlReader, root: Node) -> Site | None:
    """The site, or None where there is nothing about one; the problems are among the findings."""
    if not isinstance(root, YamlMap):
        reader.error("SW209", "this is not a site file", root.span, f"expected a map, this is {describe(root)}")
        return None
    found = butler_section(root, "configQRS")
    if found is None:
        help_ = "it says how to reach QRS: `configQRS:` with `host:` and, next to it, `cert:`"
        span = butler_sections(root).span
        reader.error("SW209", "this is not a site file: there is no `configQRS`", span, "not in here", help_)
        return None
    _find_misplaced(reader, found.value)
    qrs = QRS.read(reader, found.value, "configQRS", required=())
    if qrs is None:
        return None
    if reader.lacks(qrs.map, "host"):
        reader.lacking(qrs.map, "configQRS", "host", "the name of the server, as in its certificate")
    entry = butler_section(root, "cert")
    cert = (CERTIFICATES.read(reader, entry.value, "cert") if entry else None) or CERTIFICATES.nothing(root.span)
    return Site(
        host=qrs["host"] or "",
        port=qrs["port"] or DEFAULT_PORTS[qrs["authentication"]],
        use_tls=qrs["useSSL"],
        headers=_credentials(reader, qrs),
        verify=qrs["rejectUnauthorized"],
        certificate=cert["clientCert"],
        key=cert["clientCertKey"],
        authority=cert["clientCertCA"],
        passphrase=cert["clientCertPassphrase"],
        authentication=qrs["authentication"],
        virtual_proxy=qrs["virtualProxy"],
        proxy=qrs["proxy"],
    )


def _find_misplaced(reader: YamlReader, qrs: Node) -> None:
    """Certificates that are indented under `configQRS`, where nobody looks for them."""
    for entry in qrs.entries if isinstance(qrs, YamlMap) else ():
        key = entry.key.text
        if key == "cert" or key in CERTIFICATES.keys:
            if key in ("cert", "clientCertPassphrase"):
                reader.conceal_all(entry.value)
            where = "move it to the left," if key == "cert" else "it stands under `cert:`,"
            help_ = f"{where} beside `configQRS`"
            reader.error("SW203", f"`{key}` does not belong to `configQRS`", entry.key.span, "not read here", help_)


def _credentials(reader: YamlReader, qrs: Values) -> dict[str, str]:
    """The headers that say who we are."""
    before = len(reader.findings)
    headers = _old_headers(reader, qrs.map) | (qrs["headers"] or {})
    right = len(reader.findings) == before and (qrs["headers"] is not None or qrs.map.get("headers") is None)
    match qrs["authentication"]:
        case "jwt":
            if qrs.map.get("jwt") is None:
                reader.lacking(qrs.map, "configQRS", "jwt", "the token, or ${NAME}")
            return headers | ({"Authorization": f"Bearer {qrs['jwt']}"} if qrs["jwt"] else {})
        case "header":  # the proxy names the user to QRS, as in the case above
            if not headers and right:
                help_ = "name the header that the virtual proxy reads, with the user in it, under `headers`"
                reader.lacking(qrs.map, "configQRS", "headers", help_)
            return headers
        case _:
            for name, text in headers.items():
                if name.casefold() == DEFAULT_USER[0].casefold() and not _USER_HEADER.fullmatch(text):
                    _wrong_user(reader, text, _place_of(qrs.map, name) or qrs.map.span)
            return dict([DEFAULT_USER]) | headers


def _old_headers(reader: YamlReader, qrs: YamlMap) -> dict[str, str]:
    """The one header of an older Butler, in `headerKey` and `headerValue`."""
    headers: dict[str, str] = {}
    name, value = qrs.get("headerKey"), qrs.get("headerValue")
    if name and value:
        _add_header(reader, headers, read_secret(reader, name), name.value, value)
        return headers
    for given, other in ((name, "headerValue"), (value, "headerKey")):
        if given:
            reader.conceal(given.value)
            message = f"`configQRS` lacks the key `{other}`"
            reader.error("SW206", message, given.key.span, "this alone is of no use")
    return headers


def _place_of(node: Node, header: str) -> Span | None:
    """Where the value of a header stands."""
    if isinstance(node, YamlMap):
        names = (node.get("name"), node.get("headerKey"))
        value = node.get("value") or node.get("headerValue")
        if value and any(name and isinstance(name.value, YamlScalar) and name.value.value == header for name in names):
            return value.value.span
        if entry := node.get(header):
            return entry.value.span
    inner = [entry.value for entry in node.entries] if isinstance(node, YamlMap) else getattr(node, "items", ())
    return next((place for item in inner if (place := _place_of(item, header))), None)


def _wrong_user(reader: YamlReader, text: str, span: Span) -> None:
    """The finding for a user that QRS would answer with a bare 403. Not for a proxy, which reads headers of its own."""
    label, right = "not of that form", "write `UserDirectory=INTERNAL; UserId=sa_api`"
    if re.search(r"user(?:directory|id)\s*:", text, re.IGNORECASE):
        label, right = "`:` where `=` belongs", f"{right}, with `=` and not `:`"
    elif re.fullmatch(r"[^;=\\]+\\[^;=\\]+", text):
        label, right = "`DIRECTORY\\id` is not its form", f"{right}: directory and id apart, without a backslash"
    elif re.search(r"userdirectory\s*=[^;]*userid\s*=", text, re.IGNORECASE):
        label, right = "no `;` between the two", f"{right}, with `;` between them"
    reader.error("SW205", f"`{DEFAULT_USER[0]}` does not name a user as QRS reads it", span, label, right)


# Kinds of settings -----------------------------------------------------------------------------------


def _headers(reader: YamlReader, entry: Entry, what: str) -> dict[str, str] | None:
    """Headers from `static`, or from a plain list or map. None where a wrong value leaves one out."""
    node = entry.value
    static = node.written("static") if isinstance(node, YamlMap) else None
    if static:
        node = static.value
    reader.conceal_all(node)
    before, headers = len(reader.findings), dict[str, str]()
    if isinstance(node, YamlMap):
        for e in node.entries:
            _add_header(reader, headers, e.key.text, e.key, e)
    elif isinstance(node, YamlList) and all(isinstance(item, YamlMap) for item in node.items):
        for item in node.items:
            keys = ("name", "value")
            pair = reader.mapping(item, what, known=keys, required=keys)
            name, value = (pair.get(key) if pair else None for key in keys)
            if name and value:
                _add_header(reader, headers, read_secret(reader, name), name.value, value)
    elif not (isinstance(node, YamlScalar) and node.value is None):
        help_ = "write `- name: X-Qlik-User` and below it `value: …`"
        reader.error("SW204", f"`{what}` must be a list of headers", node.span, "this is none", help_)
    return headers if len(reader.findings) == before else None


def _add_header(reader: YamlReader, headers: dict[str, str], name: str | None, place: Node, value: Entry) -> None:
    """Adds a header. One that is left out in silence would leave us with the rights of the default user."""
    if name is not None and not _HEADER_NAME.fullmatch(name):
        help_ = "letters, digits and hyphens, like X-Qlik-User; what it says stands beside it"
        reader.error("SW205", "this is not the name of a header", place.span, "no such header", help_)
    text = HEADER.read(reader, value, "")
    if name is not None and text is not None:
        headers[name] = text


# The tables ----------------------------------------------------------------------------------------------

HOST = TEXT.must(
    is_host,
    "`{what}` is a host name, not an address with a path",
    "no host name",
    "a name or an address alone: the port stands under `port`, and IPv6 has no brackets here",
)
HEADER = (
    SECRET.must(str.strip, "`{key}` is empty", "nothing here", "write it, or remove what it belongs to")
    .must(
        lambda value: max(value) <= "\xff",
        "`{key}` has letters that no header can carry",
        "not in Latin-1",
        "headers have letters of western Europe only (Latin-1); name a user without others",
    )
    .must(
        lambda value: value.isprintable() and not value[0].isspace(),
        "`{key}` has characters that no header can carry",
        "cannot be sent",
        "write it without a space at its beginning and without control characters",
    )
)
"""A value that HTTP can carry and that is not empty."""
_PREFIX = TEXT.must(re.compile(r"/?[\w.~/-]*").fullmatch, "`{what}` is the prefix of a virtual proxy", "no prefix")
PREFIX = _PREFIX.then(lambda reader, entry, prefix: prefix.strip("/"))
PASSPHRASE = SECRET.must(
    lambda text: "\0" not in text, "`{what}` has a character that is not printable", "cannot be used"
)
FILE = (
    Kind(lambda reader, entry, what: read_path(reader, entry), PASSPHRASE.schema)
    .must(lambda text: "\0" not in text, "`{what}` has a character that is not printable", "cannot be used")
    .then(within_folder)
)
"""A path is no secret, but may come from the environment with those that are."""

_IN_STORE = re.compile(r"Cert:[\\/](CurrentUser|LocalMachine)[\\/]([^\\/]+)[\\/]([^\\/]+)", re.IGNORECASE)
"""As PowerShell writes it."""


def _certificate(reader: YamlReader, entry: Entry, what: str) -> Path | StoredCertificate | None:
    text = read_path(reader, entry)
    if text is None:
        return None
    if not text.casefold().startswith("cert:"):
        return cast(Path | None, FILE.read(reader, entry, what))
    found = _IN_STORE.fullmatch(text)
    if found is None:
        help_ = r"like 'Cert:\CurrentUser\My\QlikClient': whose store, which one, and the name or the thumbprint"
        reader.error("SW205", f"`{what}` is no place in the certificate store", entry.value.span, "incomplete", help_)
        return None
    location: Literal["CurrentUser", "LocalMachine"] = (
        "CurrentUser" if found[1].casefold() == "currentuser" else "LocalMachine"
    )
    return StoredCertificate(location, found[2], found[3].strip())


CERTIFICATE = Kind(_certificate, FILE.schema)
_USER = f"`{': '.join(DEFAULT_USER)}`"
QRS = Section(
    (
        Setting("authentication", one_of(tuple(DEFAULT_PORTS)), "how we are known to QRS", "certificates"),
        need("host", HOST, "the server, by the name in its certificate"),
        Setting("port", PORT, "its port", without="4242, through a proxy 443"),
        Setting("useSSL", SWITCH, "`false` asks without encryption, with a warning", True),
        Setting("headers", Kind(_headers), "headers to send, such as `X-Qlik-User`", without=_USER),
        Setting("rejectUnauthorized", SWITCH, "`false` takes any certificate of the server, with a warning", True),
        Setting("virtualProxy", PREFIX, "the prefix of a virtual proxy", ""),
        Setting("jwt", HEADER, "the token", only=("authentication", "jwt")),
        Setting("proxy", PROXY, "an HTTP proxy on the way to QRS", Proxy(), without="none, whatever else has one"),
    ),
    "How to reach QRS.",
    others=("headerKey", "headerValue"),
)
CERTIFICATES = Section(
    (
        Setting("clientCert", CERTIFICATE, "our certificate: a PEM file, a PFX, or a place in the store of Windows"),
        Setting("clientCertKey", FILE, "its key, a PEM file, unless it is in the same"),
        Setting("clientCertCA", FILE, "the only authority to trust, a PEM file", without="those of this machine"),
        Setting("clientCertPassphrase", PASSPHRASE, "the passphrase of the key"),
    ),
    "The certificates exported from the QMC.",
)
