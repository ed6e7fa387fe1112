"""Talking to the Qlik Sense Repository Service (QRS): a handful of reads, however many users there are."""

import hmac
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from itertools import chain
from types import TracebackType
from typing import Any, TypeVar

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InsecureRequestWarning
from urllib3.util.retry import Retry

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.common.network import TlsAdapter
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.errors import NotAuthorized, RemoteError
from seatwarden.engine.qrs.expiry import EndingCertificate, note_presented, our_ending, server_ending
from seatwarden.engine.qrs.faults import unreachable
from seatwarden.engine.qrs.tls import make_context
from seatwarden.engine.site.connection import Site
from seatwarden.engine.snapshot.early import EarlyRows
from seatwarden.engine.snapshot.license_rules import asks_for_attributes
from seatwarden.engine.snapshot.model import License, Seats, Snapshot, User, seats_in
from seatwarden.engine.snapshot.packed import MAX_SNAPSHOT_BYTES
from seatwarden.engine.snapshot.reader import (
    decode_license,
    decode_licenses,
    decode_snapshot,
    decode_user,
    without_secrets,
)
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.policy.errors import InputError
from seatwarden.policy.yaml.secrets import conceal

_T = TypeVar("_T")
_GUID = re.compile(r"[0-9A-Za-z-]{1,64}")

XRFKEY = "SeatwardenXrfKey"
"""QRS wants the same 16 characters in URL and header, against forged requests of browsers; which ones is free."""

TIMEOUT_SECONDS = (10, 120)
"""To connect, and between two pieces of an answer."""

PIECE = 1 << 20
"""Bytes of an answer that are taken at a time. requests by itself takes 10 KB, which costs more than deciphering."""

LOGIN_HELP = (
    "QRS on port 4242 takes the client certificate under `cert`; "
    "check `configQRS.port`, the certificate files and the X-Qlik-User header"
)


_RESOURCES = (
    ("user", "User_*"),
    ("license/professionalaccesstype", "ProfessionalAccessType_*"),
    ("license/analyzeraccesstype", "AnalyzerAccessType_*"),
    ("license", "License_*"),
    ("systemrule", "SystemRule_*"),
)
"""By the beginning of a path, the resource of security rules that it reads."""
_LICENSE_RULES = "systemrule/full?filter=category%20eq%20%27License%27"


class QrsClient:
    """A connection to one site, usable from several threads. Use as a context manager; methods raise RemoteError.

    `keep`: snapshots have their JSON with them.
    """

    def __init__(self, site: Site, now: datetime, *, parallel: int = 1, keep: bool = False) -> None:
        self._site, self._keep = site, keep
        self._now, self._presented = now, set[bytes]()
        self.site_clock: datetime | None = None
        """What the clock of QRS said at its first answer; to the second."""
        self._unread: list[str] = []
        context = make_context(site, now) if site.use_tls else None
        if context is not None:
            note_presented(context, self._presented)
        if not site.verify:
            urllib3.disable_warnings(InsecureRequestWarning)  # the command warns, once, in its own words
        # Two sessions, since retries belong to a session's adapter: what changes something is not sent as freely again.
        self._reads = _session(site, context, _read_retries(), parallel)
        self._writes = _session(site, context, _write_retries(), parallel)

    def __enter__(self) -> "QrsClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reads.close()
        self._writes.close()

    @property
    def ending(self) -> list[EndingCertificate]:
        """The certificates that end soon: ours, and those that the server has presented so far."""
        try:
            ours = our_ending(self._site, self._now)
        except InputError:  # the files were right when the connection was made, and are gone since
            ours = []
        return [*ours, *server_ending(self._site, self._presented, self._now)]

    @property
    def warnings(self) -> list[str]:
        """The same in words, and what of the site could not be read."""
        return [*(one.describe() for one in self.ending), *self._unread]

    def get(self, path: str) -> bytes:
        """The JSON that `GET /qrs/{path}` answers, undecoded."""
        found = self._get(path)
        if found is None:
            raise RemoteError(f"{self._url(path)} answered 404 Not Found", "is this a Qlik Sense Repository Service?")
        return found

    def snapshot(self, now: datetime, *, attributes: bool = True, rules: bool = False) -> Snapshot:
        """Users, licenses, the site's own license and its license rules as they are now, in six requests.

        `now` is noted as the time.

        Without `attributes` those of users may be unknown: for those who do not ask for them. With `rules` they are
        known where a license rule asks for them.
        """
        with EarlyRows(attributes=attributes) as rows:
            parts = self._parts(now, rows.take)
            data = b"".join(_object(parts))
            early = rows.file(b"".join(_object(parts | {"users": [b"[]"], "licenses": [b"{}"]})))
            snapshot = self._decoded(partial(decode_snapshot, attributes=attributes, early=early), data, "")
        if rules and not attributes and asks_for_attributes(snapshot.license_rules):
            snapshot = self._decoded(decode_snapshot, data, "")
        snapshot.site_clock, snapshot.data = self.site_clock, data if self._keep else None
        return snapshot

    def snapshot_json(self, now: datetime) -> bytes:
        """The snapshot as JSON, rows as QRS sends them; of the site's license only what is no secret."""
        return b"".join(_object(self._parts(now, lambda _, rows: rows)))

    def _parts(self, now: datetime, take: Callable[[str, bytes], bytes]) -> dict[str, list[bytes]]:
        """The values of the snapshot's keys, in pieces; `take` gets rows as soon as they come, and gives them back."""
        parts = {"takenAt": [msgspec.json.encode(format_instant(now))], "source": [msgspec.json.encode(self._site.url)]}
        parts["users"] = [take("users", self.get("user/full"))]
        parts["licenses"] = _object({t: [take(t, self.get(f"license/{t}accesstype/full"))] for t in LICENSE_TYPES})
        site_license = self.site_license()
        if site_license is not None:
            parts["license"] = [site_license]
        if (overview := self._overview()) is not None:
            parts["accessTypeOverview"] = [overview]
        if (rules := self.license_rules()) is not None:
            parts["licenseRules"] = [rules]
        return parts

    def _overview(self) -> bytes | None:
        """QRS's own count of the licenses, None where it gives none: Qlik marks that answer as experimental."""
        try:
            return self._get("license/accesstypeoverview")
        except RemoteError as error:
            self._unread.append(f"QRS's own count of the licenses could not be read: {error.message}")
            return None

    def license_rules(self) -> bytes | None:
        """The rules by which QRS gives licenses, as JSON; None, with a warning, where they cannot be read.

        Who may not read rules is answered as if there were none. So where none comes QRS is asked whether it shows us
        any rule at all: every site has those that Qlik brings along.
        """
        try:
            found = self.get(_LICENSE_RULES)
            rules = self._decoded(_rules_in, found, "systemrule/full")
            if not rules and not self._decoded(_count_in, self.get("systemrule/count"), "systemrule/count"):
                raise NotAuthorized("no rule can be seen", rights_help("systemrule"))
        except RemoteError as error:
            self._unread.append(f"the license rules could not be read: {error.message}")
            return None
        return found

    def audit_license_rules(self, user_ids: Sequence[str]) -> bytes:
        """What QRS's own judge of license rules says of users, as JSON. A POST that changes nothing."""
        path = "systemrule/license/audit"
        wanted = " or ".join(f"id eq {_guid(user_id)}" for user_id in user_ids)
        sent = {"userFilter": wanted, "environmentAttributes": "", "includeNonGrantingRules": True}
        response, body = self._send(self._writes, "POST", path, sent)
        _check_authorized(response, body, self._url(path), self._site)
        if response.status_code == 201:  # the help has this one; that of other audits is 200
            response.status_code = 200
        _check_json(response, body, self._url(path), self._site)
        return body

    def site_license(self) -> bytes | None:
        """The site's own license as JSON, without what is secret; None where none is installed."""
        found = self._get("license", null=True)
        return self._decoded(without_secrets, found, "license") if found is not None else None

    def shared_key(self, salt: bytes) -> str | None:
        """The signed key of the site, as a keyed digest by which it can be compared with those of other sites, and
        nothing else; None where it has none."""
        found = self._get("license", null=True)
        key = self._decoded(_key_in, found, "license") if found is not None else None
        return hmac.new(salt, key.encode(), "sha256").hexdigest() if key else None

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        """A license as it is now, or None when there is none of that id."""
        path = f"license/{license_type}accesstype/{_guid(license_id)}"
        found = self._get(path)
        return self._decoded(decode_license, found, path) if found is not None else None

    def user(self, user_id: str) -> User | None:
        """A user as it is now, or None when there is none of that id."""
        path = f"user/{_guid(user_id)}"
        found = self._get(path)
        return self._decoded(decode_user, found, path) if found is not None else None

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        """The licenses of one type that a user holds now. The filter holds an id, never a user's text."""
        path = f"license/{license_type}accesstype/full?filter=user.id%20eq%20{_guid(user_id)}"
        return self._decoded(decode_licenses, self.get(path), path)

    def licenses(self, license_type: LicenseType) -> list[License]:
        """All licenses of one type as they are now; a row that cannot be read is left out, as in a snapshot."""
        path = f"license/{license_type}accesstype/full"
        whole = {"users": [], "licenses": {license_type: msgspec.Raw(self.get(path))}}
        return self._decoded(decode_snapshot, msgspec.json.encode(whole), path).licenses[license_type]

    def users(self) -> list[User]:
        """All users as they are now; a row that cannot be read is left out, as in a snapshot."""
        whole = {"users": msgspec.Raw(self.get("user/full")), "licenses": {"professional": []}}
        return self._decoded(decode_snapshot, msgspec.json.encode(whole), "user/full").users

    def seats(self) -> Mapping[LicenseType, Seats]:
        """QRS's own count of the licenses now, by type; empty where it gives none."""
        overview = self._overview()
        return seats_in(msgspec.Raw(overview)) if overview is not None else {}

    def allocate(self, license_type: LicenseType, user_id: str) -> tuple[int, str]:
        """Gives a user a license: status and the beginning of the body. Raises NoAnswer when none came, NotAuthorized.

        The body is what Qlik's help has for POST /license/analyzeraccesstype, a LicenseAnalyzerAccessType, and for the
        other types alike: of it, the user is what says whose license it is to be. It answers 201.
        """
        path = f"license/{license_type}accesstype"
        response, body = self._send(self._writes, "POST", path, {"user": {"id": _guid(user_id)}})
        _check_authorized(response, body, self._url(path), self._site)
        return response.status_code, _said(_text(response, body), 500, self._site)

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        """Deletes a license: status and the beginning of the body. Raises NoAnswer when none came, NotAuthorized."""
        path = f"license/{license_type}accesstype/{_guid(license_id)}"
        response, body = self._send(self._writes, "DELETE", path)
        _check_authorized(response, body, self._url(path), self._site)
        return response.status_code, _said(_text(response, body), 500, self._site)

    def _get(self, path: str, *, null: bool = False) -> bytes | None:
        """The JSON of a GET; None for 404, and for `null` where that may come."""
        response, body = self._send(self._reads, "GET", path)
        _check_authorized(response, body, self._url(path), self._site)
        if response.status_code == 404:
            return None
        if null and response.status_code == 200 and body.strip() == b"null":
            return None
        _check_json(response, body, self._url(path), self._site)
        return body

    def _send(
        self, session: requests.Session, method: str, path: str, sent: object = None
    ) -> tuple[requests.Response, bytes]:
        """The answer to a request, and its body; `sent` is the JSON to send with it."""
        separator = "&" if "?" in path else "?"
        url = f"{self._url(path)}{separator}xrfkey={XRFKEY}"
        try:
            # No redirect is followed: it leads to a login page, or would take our headers to another host.
            response = session.request(
                method, url, json=sent, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True
            )
            body = self._body(response, path)
        except (requests.RequestException, HTTPError, ValueError) as error:  # the latter two: what no check foresaw
            raise unreachable(error, self._site) from None
        if self.site_clock is None:
            with suppress(ValueError):  # no `Date`, or none that is one
                self.site_clock = parsedate_to_datetime(response.headers.get("Date", ""))
        return response, body

    def _body(self, response: requests.Response, path: str) -> bytes:
        """The body of an answer, unpacked. Raises RemoteError for one that is larger than any site."""
        pieces, size = [], 0
        for piece in response.iter_content(PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_SNAPSHOT_BYTES:  # a few compressed bytes may say more than fits into the memory
                response.close()
                raise RemoteError(f"{self._url(path)} answers with more than {MAX_SNAPSHOT_BYTES:,} bytes")
        return b"".join(pieces)

    def _decoded(self, decode: Callable[[bytes, str], _T], data: bytes, path: str) -> _T:
        """An answer decoded; what cannot be is the fault of the remote system, not of the user."""
        try:
            return decode(data, f"the answer of {self._url(path)}")
        except InputError as error:
            raise RemoteError(error.message, error.help) from None

    def _url(self, path: str) -> str:
        return f"{self._site.url}/qrs/{path}"


def _session(site: Site, context: ssl.SSLContext | None, retries: Retry, parallel: int) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy but the one that is said, and no .netrc or CA bundle
    session.proxies = site.proxy.for_requests(site.url)
    session.headers.update(site.headers | {"X-Qlik-Xrfkey": XRFKEY, "Accept": "application/json"})
    if context is not None:
        session.mount("https://", TlsAdapter(context, retries, parallel))
        session.verify = str(site.authority) if site.authority and site.verify else site.verify
    else:
        session.mount("http://", HTTPAdapter(max_retries=retries, pool_maxsize=parallel))
    return session


def rights_help(path: str) -> str:
    """What to do where the answer to a path says that rights are lacking: which, by the name that rules have for it."""
    resource = next((name for start, name in _RESOURCES if path.startswith(start)), None)
    what = f"`{resource}`" if resource else "users and licenses"
    return f"give the user in X-Qlik-User a role that may read {what}, such as RootAdmin"


def _guid(text: str) -> str:
    """An id that may stand in a URL or a filter. Raises RemoteError for anything else QRS may have sent."""
    if not _GUID.fullmatch(text):
        raise RemoteError(f"`{text[:60]}` is not an id of QRS")
    return text


def _read_retries() -> Retry:
    """Reads are tried again when the connection fails or the server is busy; a failed handshake is not."""
    return Retry(
        total=3,
        other=0,
        backoff_factor=0.3,
        status_forcelist=(429, 502, 503, 504),
        allowed_methods=("GET",),
        raise_on_status=False,
        respect_retry_after_header=False,  # a server must not make us wait for hours
    )


def _write_retries() -> Retry:
    """A DELETE is sent again only where QRS cannot have acted: no connection, or the server said it is busy.

    A POST only without a connection: two of them may give two licenses.
    """
    return Retry(
        total=3,
        read=0,
        other=0,
        backoff_factor=0.3,
        status_forcelist=(429, 503),
        allowed_methods=("DELETE",),
        raise_on_status=False,
        respect_retry_after_header=False,
    )


def _object(values: Mapping[str, Sequence[bytes]]) -> list[bytes]:
    """An object of JSON in pieces, as its values are: so that large ones are copied once, when all is joined."""
    keys = (b'%b"%b":' % (b"," if i else b"{", name.encode()) for i, name in enumerate(values))
    return [*chain.from_iterable((key, *value) for key, value in zip(keys, values.values(), strict=True)), b"}"]


def _key_in(data: bytes, what: str) -> str | None:
    """The key in an answer. Raises InputError."""
    try:
        key = msgspec.json.decode(data, type=dict[str, Any]).get("key")
    except UNREADABLE:
        raise InputError(f"{what} is no license") from None
    return key if isinstance(key, str) and key else None


def _rules_in(data: bytes, what: str) -> int:
    """The number of rules in an answer. Raises InputError."""
    try:
        return len(msgspec.json.decode(data, type=list[msgspec.Raw]))
    except UNREADABLE:
        raise InputError(f"{what} is no list of rules") from None


def _count_in(data: bytes, what: str) -> int:
    """The number that QRS answers for `/count`. Raises InputError."""
    try:
        return msgspec.json.decode(data, type=dict[str, Any]).get("value") or 0
    except UNREADABLE:
        raise InputError(f"{what} is no count") from None


def _text(response: requests.Response, body: bytes) -> str:
    try:
        return body.decode(response.encoding or "utf-8", "replace")
    except LookupError:  # an encoding that there is not
        return body.decode("utf-8", "replace")


def _said(text: str, longest: int, site: Site) -> str:
    """The beginning of what the other side says, on one line, without our secrets: a proxy may repeat a header."""
    return " ".join(conceal(text, site.secrets)[:longest].split())


def _check_authorized(response: requests.Response, body: bytes, where: str, site: Site) -> None:
    """Raises NotAuthorized for 401, 403, and for a login page or the way to one."""
    kind = response.headers.get("Content-Type", "")
    if 300 <= response.status_code < 400:
        raise NotAuthorized(f"not authenticated: {where} redirects to a login page", LOGIN_HELP)
    if response.status_code in (401, 403):
        reason = _said(_text(response, body), 200, site)
        help_ = rights_help(where.partition("/qrs/")[2])
        raise NotAuthorized(f"{where} refused us ({response.status_code}): {reason or 'no reason given'}", help_)
    # A proxy that knows no session answers with its login page, and with 200.
    if response.status_code == 200 and ("html" in kind.lower() or body.lstrip()[:1] == b"<"):
        raise NotAuthorized(f"not authenticated: {where} answered with a web page instead of JSON", LOGIN_HELP)


def _check_json(response: requests.Response, body: bytes, where: str, site: Site) -> None:
    """Raises RemoteError unless the answer is whole JSON with status 200."""
    if response.status_code != 200:
        help_ = "look into the Repository Service's log"
        raise RemoteError(f"{where} answered {response.status_code} {_said(response.reason or '', 200, site)}", help_)
    length = response.headers.get("Content-Length", "")
    # The length is of the bytes as they were sent, the content is unpacked: of a compressed answer they say nothing.
    counted = length.isdigit() and "Content-Encoding" not in response.headers
    if (counted and int(length) != len(body)) or body.lstrip()[:1] not in (b"[", b"{"):
        raise RemoteError(f"{where} did not answer with whole JSON")
