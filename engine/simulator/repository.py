"""The entities of a simulated QRS and its answers about them, without a socket.

`server.py` puts it on the network. A test double like that one; no production path imports it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import unquote
from uuid import UUID, uuid5

from seatwarden.engine.common.timestamps import format_instant, instant_ticks
from seatwarden.engine.simulator.filter import FilterError, parse_filter
from seatwarden.engine.simulator.license_audit import AuditReadings, audit

QUARANTINE = timedelta(days=7)
"""A license used within this time before it is given back is not free at once: it is quarantined, as long."""

JSON = "application/json; charset=utf-8"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

_NEVER = "1753-01-01T00:00:00.000Z"
_ALLOCATED = UUID("00000000-0000-4000-8000-000000000002")
"""The ids of new rows are made of this: the same in every run."""


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, ready to be sent."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    def head(self, now: datetime) -> bytes:
        """Status line and headers, as they go over the wire at that moment."""
        fields = {"Content-Type": self.content_type, "Content-Length": str(len(self.body))}
        if self.status == HTTPStatus.NO_CONTENT:
            fields.clear()
        fields["Date"] = format_datetime(now, usegmt=True)
        fields.update(self.headers)
        lines = [f"HTTP/1.1 {self.status} {_phrase(self.status)}", *(f"{k}: {v}" for k, v in fields.items())]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True, slots=True)
class Allocations:
    """What only a real site tells of a POST that gives a license: what becomes of a second one to the same user, and of
    one when no license is free. Qlik's help says neither."""

    second: Literal["refused", "doubled"] = "refused"
    empty_pool: Literal["refused", "excess"] = "refused"


class SimulatedRepository:
    """The entities of a site and what QRS answers about them. Knows no sockets; the caller holds the lock.

    `site` is a copy of what was given, `deleted` has the ids of the licenses given back, in order, `allocated` those of
    the users who were given one by a POST. With `now`, a license used in the 7 days before goes into quarantine when it
    is deleted. `readings` says how license rules are read, `allocations` what becomes of a POST. Where
    `licenseRules` are None, no rule is shown to anybody, as to a user without the right.
    """

    def __init__(self, site: Mapping[str, Any], now: datetime | None) -> None:
        self.site: dict[str, Any] = deepcopy(dict(site))
        self.deleted: list[str] = []
        self.allocated: list[str] = []
        self.now = now
        licenses = self.site.setdefault("licenses", {})
        for license_type in ("professional", "analyzer"):
            licenses.setdefault(license_type, [])
        self.site.setdefault("users", [])
        self.site.setdefault("licenseRules", [])
        self.readings = AuditReadings()
        self.allocations = Allocations()
        # What was bought does not shrink when an allocation goes: a tenth more than is allocated at first.
        self._bought = {name: len(rows) + len(rows) // 10 + 5 for name, rows in licenses.items()}

    def answer(self, method: str, path: str, filter_text: str | None, body: bytes = b"") -> Answer:
        """Act on an admitted request; `filter_text` is its `filter`, decoded."""
        match method, *(unquote(part) for part in path.split("/")[1:]):
            case "GET", "qrs", "about":
                return _json(ABOUT)
            case "GET", "qrs", "license":
                return _json(LICENSE if self.site.get("license") is None else self.site["license"])
            case "GET", "qrs", "license", "accesstypeoverview":
                given = self.site.get("accessTypeOverview")
                return _json(self._overview() if given is None else given)
            case "GET", "qrs", "user", *rest:
                return _read(self.site["users"], rest, filter_text, _condensed_user)
            case "GET", "qrs", "license", ("professionalaccesstype" | "analyzeraccesstype") as kind, *rest:
                return _read(self._rows(kind), rest, filter_text, _condensed_license)
            case "GET", "qrs", "systemrule", *rest:
                return _read(self._rules(), rest, filter_text, _condensed_rule)
            case "POST", "qrs", "systemrule", "license", "audit":
                return self._audit(body)
            case "DELETE", "qrs", "license", ("professionalaccesstype" | "analyzeraccesstype") as kind, key:
                return self._delete(self._rows(kind), key)
            case "POST", "qrs", "license", ("professionalaccesstype" | "analyzeraccesstype") as kind:
                return self._allocate(kind.removesuffix("accesstype"), body)
        return refusal(404, "Not found")

    def _rows(self, entity: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.site["licenses"][entity.removesuffix("accesstype")]
        return rows

    def _rules(self) -> list[dict[str, Any]]:
        rules = self.site["licenseRules"]
        return [] if rules is None else [dict(SECURITY_RULE), *rules]

    def _audit(self, body: bytes) -> Answer:
        """Which license rules give what to whom; the help has 201 as the status."""
        try:
            sent = json.loads(body)
            rules = [rule for rule in self._rules() if rule.get("category") != SECURITY_RULE["category"]]
            return _json(audit(rules, self.site["users"], sent, self.readings), 201)
        except (ValueError, TypeError, AttributeError) as error:  # the errors of filters are ValueErrors
            return refusal(400, f"Cannot audit: {error}")

    def _delete(self, rows: list[dict[str, Any]], key: str) -> Answer:
        row = _find(rows, key)
        if row is None:
            return refusal(404, "Not found")
        if self.now is None or not _used_since(row, self.now - QUARANTINE):
            rows.remove(row)
        elif not row.get("quarantined"):
            row["quarantined"] = True
            row["quarantineEnd"] = format_instant(self.now + QUARANTINE)
            row["modifiedDate"] = format_instant(self.now)
        self.deleted.append(str(row["id"]))
        return Answer(204)

    def _allocate(self, license_type: str, body: bytes) -> Answer:
        """Give a license to the user whom the body names. How QRS words its refusals is made up, as elsewhere."""
        user = _find(self.site["users"], _user_named(body))
        rows = self.site["licenses"][license_type]
        if user is None:
            return refusal(400, "The user does not exist")
        held = any((row.get("user") or {}).get("id") == user["id"] for row in rows)
        if held and self.allocations.second == "refused":
            return refusal(409, "The user has an access of this type already")
        is_empty = self.available(license_type) < 1
        if is_empty and self.allocations.empty_pool == "refused":
            return refusal(409, "No access of this type is available")
        self.allocated.append(str(user["id"]))
        at = format_instant(self.now or datetime.now(UTC))
        row = {
            "id": str(uuid5(_ALLOCATED, f"{license_type} {len(self.allocated)}")),
            "createdDate": at,
            "modifiedDate": at,
            "user": {name: user.get(name) for name in ("id", "userId", "userDirectory", "name")},
            "lastUsed": _NEVER,
            "excess": is_empty,
            "quarantined": False,
            "quarantineEnd": _NEVER,
        }
        rows.append(row)
        return _json(row, 201)

    def available(self, license_type: str) -> int:
        """How many licenses of a type are free."""
        return self._bought[license_type] - len(self.site["licenses"][license_type])

    def buy(self, license_type: str, count: int) -> None:
        """Lets the site have so many licenses of a type, whatever is allocated."""
        self._bought[license_type] = count

    def _overview(self) -> dict[str, Any]:
        def access(license_type: str) -> dict[str, Any]:
            rows = self.site["licenses"][license_type]
            allocated = [row for row in rows if not row.get("quarantined")]
            return {
                "enabled": True,
                "total": self._bought[license_type],
                "allocated": len(allocated),
                "used": sum(row.get("lastUsed") not in (None, _NEVER) for row in allocated),
                "quarantined": len(rows) - len(allocated),
                "excess": sum(bool(row.get("excess")) for row in rows),
                "available": max(0, self.available(license_type)),
                "schemaPath": "AccessTypeOverview.Details",
            }

        return {
            "totalTokens": 0,
            "availableTokens": 0,
            "tokensEnabled": False,
            "professionalAccess": access("professional"),
            "analyzerAccess": access("analyzer"),
            "schemaPath": "AccessTypeOverview",
        }


ABOUT: Mapping[str, Any] = {
    "buildVersion": "0.0.0.0 (simulated)",
    "buildDate": "2026-01-01T00:00:00.000Z",
    "databaseProvider": "simulated",
    "nodeType": 1,
    "sharedPersistence": True,
    "requiresBootstrap": False,
    "singleNodeOnly": False,
    "schemaPath": "About",
}
"""The answer of `GET /qrs/about`."""

LICENSE: Mapping[str, Any] = {
    "id": "00000000-0000-4000-8000-000000000001",
    "createdDate": "2026-01-01T00:00:00.000Z",
    "modifiedDate": "2026-01-01T00:00:00.000Z",
    "modifiedByUserName": "INTERNAL\\sa_repository",
    "serial": "FAKE-SERIAL-NOT-A-LICENSE",
    "key": "fake-signed-key-not-a-license",
    "keyDetails": "Product: Qlik Sense Enterprise (simulated)\nLicense Type: fake\nValid To: 2027-12-31\n",
    "name": "Example",
    "organization": "Example",
    "isExpired": False,
    "isBlacklisted": False,
    "isInvalid": False,
    "schemaPath": "License",
}
"""The answer of `GET /qrs/license` when the site has no `license`: plainly a fake."""


SECURITY_RULE: Mapping[str, Any] = {
    "id": "00000000-0000-4000-8000-000000000003",
    "category": "Security",
    "type": "Default",
    "name": "HubSections (simulated)",
    "rule": '((user.roles="RootAdmin"))',
    "resourceFilter": "HubSection_*",
    "actions": 2,
    "disabled": False,
    "schemaPath": "SystemRule",
}
"""A rule that Qlik brings along; every site has many, and who asks for license rules only must say so."""


def _read(
    rows: Sequence[dict[str, Any]],
    rest: Sequence[str],
    filter_text: str | None,
    condensed: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> Answer:
    """Answer the GETs every entity type has: the list, `/full`, `/count` and `/{id}`."""
    if len(rest) > 1:
        return refusal(404, "Not found")
    if rest and rest[0] not in ("full", "count"):
        row = _find(rows, rest[0])
        return refusal(404, "Not found") if row is None else _json(row)
    if filter_text:
        try:
            selected = parse_filter(filter_text)
        except FilterError:
            return refusal(400, f"Cannot parse the expression: {filter_text}")
        rows = [row for row in rows if selected.matches(row)]
    if not rest:
        return _json([condensed(row) for row in rows])
    return _json(rows if rest[0] == "full" else {"value": len(rows)})


def _find(rows: Sequence[dict[str, Any]], key: str) -> dict[str, Any] | None:
    return next((row for row in rows if row.get("id") == key), None)


def _used_since(row: Mapping[str, Any], instant: datetime) -> bool:
    last_used, since = instant_ticks(str(row.get("lastUsed"))), instant_ticks(format_instant(instant))
    return last_used is not None and since is not None and last_used >= since


def _condensed_user(user: Mapping[str, Any]) -> dict[str, Any]:
    return {name: user.get(name) for name in ("id", "userId", "userDirectory", "name", "privileges")}


def _condensed_license(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in ("id", "privileges")}


def _condensed_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "category", "type", "name", "rule", "resourceFilter", "actions", "comment", "disabled")
    return {name: rule.get(name) for name in names}


def _user_named(body: bytes) -> str:
    """The id of the user in the body of a POST; empty where it names none."""
    try:
        user = json.loads(body)["user"]["id"]
    except (ValueError, LookupError, TypeError):
        return ""
    return user if isinstance(user, str) else ""


def _json(value: object, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def refusal(status: int, text: str) -> Answer:
    """An answer that says why nothing was done."""
    return Answer(status, text.encode(), TEXT)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a code HTTP does not know, asked for by a fault
        return "Unknown"
