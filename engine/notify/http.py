"""Requests to those who are told, with TLS, retries and limits in time; their answers' bodies are not read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError, InsecureRequestWarning
from urllib3.util.retry import Retry

from seatwarden.engine.common.network import TlsAdapter
from seatwarden.engine.notify.errors import NotDelivered, why
from seatwarden.engine.notify.trust import make_context
from seatwarden.engine.site.proxy import Proxy

TIMEOUT_SECONDS = (5, 10)
"""To connect, and until the answer begins."""
ATTEMPTS = 4
MAX_REDIRECTS = 5
BUSY = (429, 500, 502, 503, 504)
GATEWAYS = (502, 504)
"""Said by what stands before the receiver, which may have got the request."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request. `setting` is the key that has its URL, `authority_setting` the one of the authority to trust.

    One that is `tried_again` is so while the receiver is down or busy. `redirects` says whether they are followed.
    """

    method: str
    url: str = field(repr=False)
    setting: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authority: Path | None = None
    authority_setting: str = "certificateAuthority"
    verify: bool = True
    tried_again: bool = False
    redirects: bool = False


def send(request: Request, proxy: Proxy) -> None:
    """Sends a request. Raises NotDelivered unless it was taken."""
    answered(request, proxy)


def answered(request: Request, proxy: Proxy) -> int:
    """The same; the status, 200 to 299, with which it was taken."""
    try:
        with (
            _session(request, proxy) as session,
            # The answer's body is not read: nothing in it matters, and it may never end.
            session.request(
                request.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=TIMEOUT_SECONDS,
                allow_redirects=request.redirects,
                stream=True,
            ) as response,
        ):
            status = response.status_code
    except requests.TooManyRedirects:
        raise NotDelivered(f"it redirects more than {MAX_REDIRECTS} times", f"check `{request.setting}`") from None
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise why(error) from None
    _check(status, request)
    return status


def _session(request: Request, proxy: Proxy) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy but the one that is said, and no .netrc or CA bundle
    session.proxies = proxy.for_requests(request.url)
    session.max_redirects = MAX_REDIRECTS
    retries = Retry(
        total=ATTEMPTS - 1 if request.tried_again else 0,
        other=0,  # a failed handshake fails again
        redirect=False,
        backoff_factor=2,
        status_forcelist=BUSY,
        allowed_methods=(request.method,),
        raise_on_status=False,
        respect_retry_after_header=False,  # a server must not make us wait for hours
    )
    session.mount("http://", HTTPAdapter(max_retries=retries))
    if request.redirects or urlsplit(request.url).scheme.lower() == "https":
        context = make_context(request.authority, request.authority_setting, request.verify)
        session.mount("https://", TlsAdapter(context, retries))
        session.verify = str(request.authority) if request.authority and request.verify else request.verify
        if not request.verify:
            urllib3.disable_warnings(InsecureRequestWarning)  # the settings warn, in their own words
    return session


def _check(status: int, request: Request) -> None:
    """Raises NotDelivered unless the receiver took it. Its own words are not shown: they may repeat the address."""
    if 200 <= status < 300:
        return
    try:
        answer = f"it answered {status} {HTTPStatus(status).phrase}"
    except ValueError:
        answer = f"it answered {status}"
    by_itself = status not in GATEWAYS
    if 300 <= status < 400:
        help_ = f"notifications are not sent on; write the address that it leads to under `{request.setting}`"
        raise NotDelivered(f"{answer}, a redirect", help_, answered=by_itself)
    if status == 407:
        raise NotDelivered(answer, "check `proxy`, with its user and password", answered=by_itself)
    if status in BUSY:
        times = f", {ATTEMPTS} times" if request.tried_again else ""
        raise NotDelivered(f"{answer}{times}", "look into that server's log", answered=by_itself)
    help_ = f"is the address under `{request.setting}` right, and still valid?"
    raise NotDelivered(answer, help_, answered=by_itself)
