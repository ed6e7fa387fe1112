"""The history of licenses as a table: a line for each span of time in which a license was the same."""

from collections.abc import Iterator
from typing import Any

import msgspec

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.history.cut import USERS
from seatwarden.engine.history.store import History
from seatwarden.engine.history.walk import walk

SPAN_COLUMNS = (
    "licenseType", "licenseId", "userDirectory", "userId", "userName", "from", "to",
    "lastUsed", "createdDate", "quarantined", "excess",
)  # fmt: skip
"""`from` and `to` are the first and the last snapshot that has the license so."""


def license_spans(history: History) -> Iterator[dict[str, Any]]:
    """All spans, in the order in which they end; a change of what is no column begins none."""
    open_: dict[int, dict[str, Any]] = {}
    last = ""
    for step in walk(history):
        changed = set(step.skeletons).union(*step.holes.values())
        listed = {n: name for name, numbers in step.lists.items() if name != USERS for n in numbers.numbers}
        for number in [n for n in open_ if n not in listed]:
            yield {**open_.pop(number), "to": last}
        before, last = last, step.kept.taken_at
        for number, name in listed.items():
            if number in open_ and number not in changed:
                continue
            row = step.rows.row(number)
            span = _span(name, row.text if row else b"{}", last)
            known = open_.get(number)
            if known is not None and all(known[column] == span[column] for column in span if column != "from"):
                continue
            if known is not None:
                yield {**known, "to": before}
            open_[number] = span
    for span in open_.values():
        yield {**span, "to": last}


def _span(license_type: str, text: bytes, since: str) -> dict[str, Any]:
    try:
        row = msgspec.json.decode(text)
    except UNREADABLE:
        row = {}
    row = row if isinstance(row, dict) else {}
    holder = row.get("user")
    user = holder if isinstance(holder, dict) else {}
    found = {name: row.get(name) for name in ("lastUsed", "createdDate", "quarantined", "excess")}
    who = {"userDirectory": user.get("userDirectory"), "userId": user.get("userId"), "userName": user.get("name")}
    return {"licenseType": license_type, "licenseId": row.get("id"), **who, "from": since, **found}
