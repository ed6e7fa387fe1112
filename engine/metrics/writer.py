"""Writing lines to InfluxDB, and what its refusals mean for them: keep them for later, or they will never be taken.

Version 1 is spoken to over `/write` and `/query`. As with Butler, a missing database is created with the retention
policy of the settings as its default, and points go to the database's default policy, whatever its name is.
Versions 2 and 3 go through influxdb-client (version 3 has the write API of version 2); their buckets and databases
are the administrator's to create, as with Butler.
"""

import json
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, TypeVar

import requests
import urllib3
from urllib3.exceptions import HTTPError, InsecureRequestWarning
from urllib3.util.retry import Retry

from seatwarden.engine.common.network import ConnectionFault, TlsAdapter, fault_of, trust_in
from seatwarden.engine.metrics.point import PRECISION
from seatwarden.engine.site.hosts import origin
from seatwarden.engine.site.influxdb import InfluxTarget, basic_login
from seatwarden.engine.site.proxy import proxy_headers
from seatwarden.grammar.errors import SeatwardenError
from seatwarden.policy.yaml.secrets import conceal

_T = TypeVar("_T")

TIMEOUT_SECONDS = 10
"""To connect, and to wait for the answer: Butler's `writeTimeout`."""

_NEVER = (400, 413, 422)
"""Statuses that mean the lines themselves: malformed, too many at once, of another type than the field has."""


class Unavailable(SeatwardenError):
    """The database did not take the lines now; it may later. The text says why, and holds no secret."""


class Rejected(SeatwardenError):
    """The database will never take these lines as they are; some of them may be stored all the same."""


class Writer(Protocol):
    """A way into a database. Lines have no line breaks; writing one twice changes nothing."""

    def write(self, lines: Sequence[str]) -> None:
        """Stores the lines. Raises Unavailable or Rejected."""
        ...

    def close(self) -> None:
        """Ends the connection."""
        ...


class OpenWriter:
    """The writer of a target, for the time of a `with`."""

    def __init__(self, target: InfluxTarget) -> None:
        self._target = target

    def __enter__(self) -> Writer:
        if not self._target.verify:
            urllib3.disable_warnings(InsecureRequestWarning)  # the command warns, once, in its own words
        self._writer = _Version1(self._target) if self._target.version == 1 else _Version2(self._target)
        return self._writer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()


class _Version1:
    def __init__(self, target: InfluxTarget) -> None:
        self._target = target
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy but the one that is said, and no .netrc
        self._session.proxies = target.proxy.for_requests(target.url)
        self._session.verify = str(target.authority) if target.authority and target.verify else target.verify
        if context := _context(target):
            self._session.mount("https://", TlsAdapter(context, Retry(0, read=False)))
        if target.username is not None:
            self._session.headers["Authorization"] = f"Basic {basic_login(target.username, target.password)}"

    def write(self, lines: Sequence[str]) -> None:
        response = self._send_lines(lines)
        if response.status_code == 404 and "database not found" in response.text:
            self._create_database()
            response = self._send_lines(lines)
        _check(response.status_code, response.text, self._target)

    def close(self) -> None:
        self._session.close()

    def _send_lines(self, lines: Sequence[str]) -> requests.Response:
        parameters = {"db": self._target.database, "precision": PRECISION}
        return self._post("write", parameters, "\n".join(lines).encode())

    def _create_database(self) -> None:
        statement = f"CREATE DATABASE {_identifier(self._target.database)}"
        if self._target.retention:
            name, duration = self._target.retention
            statement += f" WITH DURATION {duration} REPLICATION 1 NAME {_identifier(name)}"
        response = self._post("query", {"q": statement}, b"")
        reason = _reason(response.text, self._target)
        if response.status_code != 200 or reason:
            why = reason or f"status {response.status_code}"
            raise Unavailable(f"the database `{self._target.database}` could not be created: {why}")

    def _post(self, path: str, parameters: dict[str, str], data: bytes) -> requests.Response:
        def post() -> requests.Response:
            return self._session.post(
                f"{self._target.url}/{path}",
                params=parameters,
                data=data,
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )

        return _reaching(self._target, post)


class _Version2:
    def __init__(self, target: InfluxTarget) -> None:
        from influxdb_client.client.influxdb_client import InfluxDBClient  # takes a while to import
        from influxdb_client.client.write_api import SYNCHRONOUS

        self._target = target
        proxy = target.proxy.for_url(target.url)
        self._client = InfluxDBClient(
            url=target.url,
            token=target.token or "",
            org=target.org,
            timeout=TIMEOUT_SECONDS * 1000,
            verify_ssl=target.verify,
            ssl_ca_cert=str(target.authority) if target.authority else None,
            ssl_context=_context(target),
            retries=Retry(0, raise_on_status=False),  # the spool tries again
            proxy=origin(proxy) if proxy else None,
            proxy_headers=proxy_headers(proxy) if proxy else None,
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, lines: Sequence[str]) -> None:
        from influxdb_client.domain.write_precision import WritePrecision
        from influxdb_client.rest import ApiException

        def write() -> None:
            target = self._target
            precision: Any = WritePrecision.MS  # the library's constant is not of the library's type
            self._api.write(target.database, target.org or "-", "\n".join(lines), write_precision=precision)

        try:
            _reaching(self._target, write)
        except ApiException as error:
            _check(int(error.status or 0), str(error.body or ""), self._target)

    def close(self) -> None:
        self._client.close()


def _context(target: InfluxTarget) -> ssl.SSLContext | None:
    """TLS to a database. None without TLS, and where the authority's file is unfit: then sending anything says so."""
    try:
        return trust_in(target.authority, target.verify) if target.url.startswith("https:") else None
    except OSError:
        return None


def _reaching(target: InfluxTarget, send: Callable[[], _T]) -> _T:
    """The answer of `send`; raises Unavailable when none comes. Library errors are not shown: they may hold the URL."""
    where = f"InfluxDB at {target.url}"
    try:
        return send()
    except (requests.RequestException, HTTPError, ValueError) as error:
        raise Unavailable(f"{where}: {_problem(error, target)}") from None
    except OSError:  # errors of the network come as one of the libraries' own
        raise Unavailable(f"{where}: the file under `influxDb.caFile` cannot be used") from None


def _problem(error: Exception, target: InfluxTarget) -> str:
    match fault_of(error)[0]:
        case ConnectionFault.NO_SUCH_HOST | ConnectionFault.BAD_ADDRESS:
            return "there is no such host"
        case ConnectionFault.NOTHING_LISTENS:
            return "nothing listens there"
        case ConnectionFault.CONNECT_TIMED_OUT | ConnectionFault.ANSWER_TIMED_OUT:
            return f"no answer within {TIMEOUT_SECONDS} seconds"
        case ConnectionFault.NOT_SENDABLE:
            what = "user and password" if target.version == 1 else "the token"
            return f"nothing can be sent with these settings; check {what} for characters that HTTP does not carry"
        case ConnectionFault.PROXY_NOT_THERE:
            return "the proxy on the way there cannot be reached"
        case ConnectionFault.PROXY_REFUSED:
            return "the proxy did not let us through; check `proxy`, with its user and password"
        case ConnectionFault.NO_CONNECTION | ConnectionFault.CLOSED | ConnectionFault.UNREACHABLE:
            return f"cannot be reached ({type(error).__name__})"
        case _:
            return "no trust in its certificate, or no TLS there"


def _check(status: int, body: str, target: InfluxTarget) -> None:
    """Raises what a status means. A 400 counts as InfluxDB's own only with its JSON: a proxy in between has none."""
    if 200 <= status < 300:
        return
    where, reason = f"InfluxDB at {target.url}", _reason(body, target)
    if status in _NEVER and (reason or status == 413):
        raise Rejected(reason or "too many lines at once")
    if status in (401, 403):
        what = "user and password" if target.version == 1 else "the token"
        raise Unavailable(f"{where} refused us ({status}): {reason or 'no reason given'}; check {what}")
    if status == 404 and target.version != 1:
        raise Unavailable(f"{where} does not know `{target.database}` ({reason or '404'}); create it there")
    raise Unavailable(f"{where} answered {status}{f': {reason}' if reason else ''}")


def _reason(body: str, target: InfluxTarget) -> str | None:
    """The fault in InfluxDB's words: `error` in version 1 and 3, `message` in version 2, also inside of `results`.

    Without our secrets: a database, or a proxy before it, may repeat what it refused.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(answer, dict):
        return None
    found = answer.get("error") or answer.get("message")
    for result in answer.get("results") or ():
        found = found or (result.get("error") if isinstance(result, dict) else None)
    return " ".join(conceal(str(found), target.secrets)[:300].split()) if found else None


def _identifier(name: str) -> str:
    """A name in InfluxQL."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
