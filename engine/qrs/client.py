"""Talking to the Qlik Sense Repository Service (QRS): a handful of reads, however many users there are."""

import ssl
from datetime import datetime
from types import TracebackType
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InsecureRequestWarning
from urllib3.util.retry import Retry

from engine.days import format_instant
from engine.qrs.errors import RemoteError
from engine.qrs.site import Site
from engine.qrs.tls import make_context, tls_error
from engine.snapshot import Snapshot, decode_snapshot
from grammar.ast import LICENSE_TYPES

XRFKEY = "SeatwardenXrfKey"
"""QRS wants the same 16 characters in URL and header, against forged requests of browsers; which ones is free."""

TIMEOUT_SECONDS = (10, 120)
"""To connect, and between two pieces of an answer."""

LOGIN_HELP = (
    "QRS on port 4242 takes the client certificate under `cert`; "
    "check `configQRS.port`, the certificate files and the X-Qlik-User header"
)


class QrsClient:
    """A connection to one site. Use as a context manager; every method raises RemoteError."""

    def __init__(self, site: Site, now: datetime) -> None:
        self._site = site
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy, .netrc or CA bundle from the environment
        self._session.headers.update(site.headers | {"X-Qlik-Xrfkey": XRFKEY, "Accept": "application/json"})
        if site.use_tls:
            self._session.mount("https://", _TlsAdapter(make_context(site, now), _retries()))
            self._session.verify = str(site.authority) if site.authority and site.verify else site.verify
            if not site.verify:
                urllib3.disable_warnings(InsecureRequestWarning)  # the command warns, once, in its own words
        else:
            self._session.mount("http://", HTTPAdapter(max_retries=_retries()))

    def __enter__(self) -> "QrsClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def get(self, path: str) -> bytes:
        """The JSON that `GET /qrs/{path}` answers, undecoded."""
        response = self._send("GET", path)
        _check(response, self._site, path)
        return response.content

    def snapshot(self, now: datetime) -> Snapshot:
        """Users and licenses as they are now, in three requests; `now` is noted as the time they were taken."""
        users = self.get("user/full")
        licenses = {license_type: self.get(f"license/{license_type}accesstype/full") for license_type in LICENSE_TYPES}
        rows = b",".join(b'"%b":%b' % (license_type.encode(), rows) for license_type, rows in licenses.items())
        taken_at = format_instant(now).encode()
        source = self._site.url.encode()
        data = b'{"takenAt":"%b","source":"%b","users":%b,"licenses":{%b}}' % (taken_at, source, users, rows)
        return decode_snapshot(data, f"the answer of {self._site.url}")

    def _send(self, method: str, path: str) -> requests.Response:
        url = f"{self._site.url}/qrs/{path}"
        try:
            return self._session.request(
                method, url, params={"xrfkey": XRFKEY}, timeout=TIMEOUT_SECONDS, allow_redirects=False
            )
        except requests.RequestException as error:
            raise _unreachable(error, self._site) from None


class _TlsAdapter(HTTPAdapter):
    """Requests with our TLS settings: its own know no passphrase, and are stricter than Qlik's certificates bear."""

    def __init__(self, context: ssl.SSLContext, retries: Retry) -> None:
        self._context = context
        super().__init__(max_retries=retries)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)


def _retries() -> Retry:
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


def _check(response: requests.Response, site: Site, path: str) -> None:
    """Raises RemoteError unless the answer is JSON with status 200."""
    where = f"{site.url}/qrs/{path}"
    kind = response.headers.get("Content-Type", "")
    if response.is_redirect or 300 <= response.status_code < 400:
        raise RemoteError(f"not authenticated: {where} redirects to a login page", LOGIN_HELP)
    if response.status_code in (401, 403):
        body = " ".join(response.text[:200].split())
        help_ = "give the user in X-Qlik-User a role that may read users and licenses, such as RootAdmin"
        raise RemoteError(f"{where} refused us ({response.status_code}): {body or 'no reason given'}", help_)
    if response.status_code != 200:
        raise RemoteError(
            f"{where} answered {response.status_code} {response.reason}", "look into the Repository Service's log"
        )
    if "html" in kind.lower() or response.content.lstrip()[:1] == b"<":
        raise RemoteError(f"not authenticated: {where} answered with a web page instead of JSON", LOGIN_HELP)
    length = response.headers.get("Content-Length")
    cut_off = (
        length is not None
        and length.isdigit()
        and "Content-Encoding" not in response.headers
        and int(length) != len(response.content)
    )
    if cut_off or response.content.lstrip()[:1] not in (b"[", b"{"):
        raise RemoteError(f"{where} did not answer with whole JSON")


def _unreachable(error: requests.RequestException, site: Site) -> RemoteError:
    """What requests raised, in an administrator's words."""
    where = f"{site.host}:{site.port}"
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError) or "[SSL" in text or "SSLError" in text or "ssl.c:" in text:
        return tls_error(text, site)
    if "NameResolutionError" in text or "getaddrinfo" in text:
        return RemoteError(f"there is no host `{site.host}`", "check `configQRS.host` and this machine's DNS")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return RemoteError(f"{where} does not answer", "is a firewall in between?")
    if isinstance(error, requests.exceptions.Timeout) or "Read timed out" in text:
        return RemoteError(f"{where} stopped answering", "try again; look into the Repository Service's log")
    if "NewConnectionError" in text or "Connection refused" in text:
        help_ = "is the Repository Service running, and is `configQRS.port` right (4242 by default)?"
        return RemoteError(f"nothing listens on {where}", help_)
    if (
        "Connection aborted" in text
        or "Connection broken" in text
        or "reset" in text.lower()
        or "IncompleteRead" in text
    ):
        help_ = "it may have refused our client certificate; " if site.use_tls else ""
        return RemoteError(f"{where} closed the connection before it had answered", f"{help_}try again")
    return RemoteError(f"{where} cannot be reached: {type(error).__name__}")
