"""Checking the way to a site, step by step: name, port, TLS, certificate, answers, rights, and reading it all."""

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography import x509

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.common.network import ConnectionFault
from seatwarden.engine.common.text import plural
from seatwarden.engine.errors import RemoteError
from seatwarden.engine.qrs.client import QrsClient, rights_help
from seatwarden.engine.qrs.client_files import client_certificate
from seatwarden.engine.qrs.expiry import authorities, ends_soon
from seatwarden.engine.qrs.faults import in_words, unreachable
from seatwarden.engine.qrs.tls import make_context
from seatwarden.engine.site.connection import Site
from seatwarden.engine.site.hosts import origin
from seatwarden.policy.errors import InputError

CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the check: what was tried, whether it went well, what was found, and what to mend.

    One that went well has help where something is not well yet, such as a certificate that ends soon.
    `here` says of one that failed that nothing was asked of the site: the fault is in the site file or beside it.
    """

    name: str
    good: bool
    found: str
    help: str | None = None
    here: bool = False


def check_site(site: Site, now: datetime) -> Iterator[Step]:
    """The steps in order; the first that fails is the last. `now` (aware) is held against certificates."""
    proxied = site.proxy.for_url(site.url) is not None  # then name, port and TLS are seen by the first answer
    steps: tuple[tuple[str, Callable[[Site, datetime], str | tuple[str, str | None]]], ...] = (
        *((("proxy", _reach_proxy),) if proxied else (("host name", _resolve), ("port", _connect))),
        *((("client certificate", _client_certificate),) if site.certificate else ()),
        *((("trusted authority", _authority),) if any(ends_soon(one, now) for one in authorities(site)) else ()),
        *((("TLS", _handshake),) if site.use_tls and not proxied else ()),
        ("answer", _about),
        ("right to read users", lambda s, n: _count(s, n, "user", "user")),
        ("right to read professional licenses", lambda s, n: _count(s, n, "license/professionalaccesstype", "license")),
        ("right to read analyzer licenses", lambda s, n: _count(s, n, "license/analyzeraccesstype", "license")),
        ("right to read the site's license", _license),
        ("right to read license rules", _license_rules),
        ("reading it all, as a plan does", _read),
    )
    for name, try_it in steps:
        try:
            found = try_it(site, now)
            yield Step(name, True, found) if isinstance(found, str) else Step(name, True, *found)
        except (RemoteError, InputError) as error:
            yield Step(name, False, error.message, error.help, isinstance(error, InputError))
            return


def _resolve(site: Site, now: datetime) -> str:
    try:
        found = socket.getaddrinfo(site.host, site.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise in_words(ConnectionFault.NO_SUCH_HOST, site) from None
    return f"{site.host} is {', '.join(dict.fromkeys(str(address[4][0]) for address in found))}"


def _connect(site: Site, now: datetime) -> str:
    try:
        socket.create_connection((site.host, site.port), timeout=CONNECT_SECONDS).close()
    except TimeoutError:
        raise in_words(ConnectionFault.CONNECT_TIMED_OUT, site) from None
    except OSError:
        help_ = "is the service running, and is `configQRS.port` right (4242 for certificates, 443 through a proxy)?"
        raise RemoteError(f"nothing listens on {site.host}:{site.port}", help_) from None
    return f"{site.port} is open"


def _reach_proxy(site: Site, now: datetime) -> str:
    address = origin(site.proxy.for_url(site.url) or "")
    parts = urlsplit(address)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_SECONDS).close()
    except (OSError, UnicodeError):
        raise in_words(ConnectionFault.PROXY_NOT_THERE, site) from None
    return f"{address} is there"


def _client_certificate(site: Site, now: datetime) -> tuple[str, str | None]:
    make_context(site, now)
    certificate = client_certificate(site)
    soon = ends_soon(certificate, now)
    help_ = f"it ends {soon}: export a new one in the QMC before that" if soon else None
    return f"{site.certificate}, valid until {certificate.not_valid_after_utc.date().isoformat()}", help_


def _authority(site: Site, now: datetime) -> tuple[str, str | None]:
    soon = [words for one in authorities(site) if (words := ends_soon(one, now))]
    return str(site.authority), f"it ends {soon[0]}: export root.pem anew, once the site has a new one"


def _handshake(site: Site, now: datetime) -> tuple[str, str | None]:
    context = make_context(site, now)
    try:
        with (
            socket.create_connection((site.host, site.port), timeout=CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=site.host) as secure,
        ):
            der, version = secure.getpeercert(binary_form=True), secure.version()
    except ssl.SSLError as error:
        raise unreachable(error, site) from None
    except OSError as error:
        raise RemoteError(f"TLS to {site.host}:{site.port} failed: {error.strerror or error}") from None
    certificate = x509.load_der_x509_certificate(der) if der else None
    valid = certificate.not_valid_after_utc.date().isoformat() if certificate else "?"
    soon = ends_soon(certificate, now) if certificate else None
    trust = "" if site.verify else ", NOT verified (rejectUnauthorized is false)"
    help_ = f"the server's certificate ends {soon}: renew it in Qlik Sense before that" if soon else None
    return f"{version}, server certificate valid until {valid}{trust}", help_


def _about(site: Site, now: datetime) -> str:
    with QrsClient(site, now) as client:
        about = _decoded(client, "about")
    version = about.get("buildVersion") if isinstance(about, dict) else None
    return f"{site.url} is a Repository Service, version {version or 'not told'}; it takes us and our xrfkey"


def _decoded(client: QrsClient, path: str) -> Any:
    data = client.get(path)
    try:
        return msgspec.json.decode(data)
    except UNREADABLE:
        help_ = "is this a Qlik Sense Repository Service?"
        raise RemoteError(f"what was answered for /qrs/{path} is not JSON", help_) from None


def _count(site: Site, now: datetime, entity: str, noun: str) -> str:
    with QrsClient(site, now) as client:
        answer = _decoded(client, f"{entity}/count")
    count = answer.get("value") if isinstance(answer, dict) else None
    # A site without licenses of a type is possible, one without users is not.
    if not isinstance(count, int) or (count == 0 and entity == "user"):
        raise RemoteError(f"no {noun} can be seen", rights_help(entity))
    return plural(count, noun)


def _license(site: Site, now: datetime) -> str:
    with QrsClient(site, now) as client:
        return "found" if client.site_license() is not None else "there is none; a plan does without"


def _license_rules(site: Site, now: datetime) -> tuple[str, str | None]:
    """No reason to end: without them all works but what is said of licenses that Qlik gives back."""
    with QrsClient(site, now) as client:
        rules = client.license_rules()
    if rules is not None:
        return plural(len(msgspec.json.decode(rules)), "rule"), None
    found = "they cannot be read; a plan does without, and says nothing of what Qlik gives back"
    return found, rights_help("systemrule")


def _read(site: Site, now: datetime) -> str:
    """What a plan does first, and nothing else: so that it can, when this step is good."""
    with QrsClient(site, now) as client:
        snapshot = client.snapshot(now)
    licenses = sum(len(rows) for rows in snapshot.licenses.values())
    return f"{plural(len(snapshot.users), 'user')} and {plural(licenses, 'license')}"
