"""A small simulated site and a client as simple as can be, for the tests of the simulator."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests

from seatwarden.engine.simulator.certificates import CertificateFiles

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
NEVER = "1753-01-01T00:00:00.000Z"
KEY = "0123456789abcDEF"
HEADERS = {"X-Qlik-Xrfkey": KEY, "X-Qlik-User": "UserDirectory=INTERNAL; UserId=sa_repository"}
ANALYZER = "/qrs/license/analyzeraccesstype"
PROFESSIONAL = "/qrs/license/professionalaccesstype"


def user_row(number: int) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "userId": f"user{number}",
        "userDirectory": "CORP" if number % 2 else "PARTNER",
        "name": f"Jürgen the {number}.",
        "inactive": number == 3,
        "tags": [{"id": "1", "name": "contractor"}] if number == 2 else [],
    }


def license_row(number: int, last_used: str, *, quarantined: bool = False) -> dict[str, Any]:
    user = {name: user_row(number)[name] for name in ("id", "userId", "userDirectory", "name")}
    return {
        "id": f"11111111-0000-4000-8000-{number:012}",
        "createdDate": "2025-01-01T00:00:00.000Z",
        "modifiedDate": "2025-01-01T00:00:00.000Z",
        "user": user,
        "lastUsed": last_used,
        "excess": False,
        "quarantined": quarantined,
        "quarantineEnd": "2026-11-25T00:00:00.000Z" if quarantined else NEVER,
    }


SITE: Mapping[str, Any] = {
    "users": [user_row(number) for number in range(1, 7)],
    "licenses": {
        "professional": [license_row(1, "2026-11-20T09:00:00.000Z"), license_row(2, "2026-06-01T09:00:00Z")],
        "analyzer": [
            license_row(3, "2026-11-14T02:00:00.0000000Z"),
            license_row(4, NEVER),
            license_row(5, "2026-01-31T23:59:59.999Z"),
            license_row(6, "2026-11-19T09:00:00.000Z", quarantined=True),
        ],
    },
}
OLD, NEW, HELD = (SITE["licenses"]["analyzer"][position]["id"] for position in (2, 0, 3))


@dataclass
class Client:
    """A QRS client as simple as can be: one session, an xrfkey and a user on every call."""

    base: str
    session: requests.Session
    timeout: float = 5.0

    def send(self, path: str, method: str = "GET", sent: object = None) -> requests.Response:
        url = f"{self.base}{path}{'&' if '?' in path else '?'}xrfkey={KEY}"
        return self.session.request(method, url, json=sent, timeout=self.timeout, allow_redirects=False)

    def get(self, path: str) -> Any:
        answer = self.send(path)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        return answer.json()

    def select(self, path: str, filter_text: str) -> Any:
        return self.get(f"{path}?filter={quote(filter_text)}")


def connect(files: CertificateFiles | None = None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.update(HEADERS)
    if files is not None:
        session.verify = str(files.root)
        session.cert = (str(files.client), str(files.client_key))
    return session


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.002)
