"""What `plan --site` is held against: the same answers fetched with requests alone, and written as a snapshot.

python -m bench.fetching URL CLIENT CLIENT_KEY ROOT FILE
"""

import sys
from pathlib import Path

import requests

KEY = "SeatwardenXrfKey"
HEADERS = {"X-Qlik-Xrfkey": KEY, "X-Qlik-User": "UserDirectory=INTERNAL;UserId=sa_repository"}
NOW = "2026-11-21T02:00:00.000Z"
_FRAME = (
    b'{"takenAt":"%b","source":"bench","users":%b,'
    b'"licenses":{"professional":%b,"analyzer":%b},"license":%b,"accessTypeOverview":%b,"licenseRules":%b}'
)
_PATHS = (
    *("user/full", "license/professionalaccesstype/full", "license/analyzeraccesstype/full"),
    *("license", "license/accesstypeoverview", "systemrule/full?filter=category%20eq%20%27License%27"),
)


def fetch(url: str, client: str, client_key: str, root: str, file: str) -> None:
    """Writes what a site answers to a plan's requests into a file, over one connection."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy and no authorities of this machine's environment
        session.cert, session.verify = (client, client_key), root
        session.headers.update(HEADERS)
        urls = [f"{url}/qrs/{path}{'&' if '?' in path else '?'}xrfkey={KEY}" for path in _PATHS]
        answers = [session.get(asked, timeout=120) for asked in urls]
    for answer in answers:
        answer.raise_for_status()
    Path(file).write_bytes(_FRAME % (NOW.encode(), *(answer.content for answer in answers)))


if __name__ == "__main__":
    fetch(*sys.argv[1:])
