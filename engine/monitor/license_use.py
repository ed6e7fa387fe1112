"""License use by type: QRS's `accesstypeoverview` as `qlik_sense_license` points, as Butler 16 writes them.

QRS marks that answer as experimental: every block and every number may be missing. Then the point, or the field, is
left out; Butler ends with an exception, or sends a line that the database refuses.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.errors import RemoteError
from seatwarden.engine.metrics.point import FieldValue, Point, known_numbers, merge_tags
from seatwarden.policy.butler.jobs import Tags

MEASUREMENT = "qlik_sense_license"

_SEATS = {name: name for name in ("allocated", "available", "excess", "quarantined", "total", "used")}
_MINUTES = {
    "allocated_minutes": "allocatedMinutes",
    "unavailable_minutes": "unavailableMinutes",
    "used_minutes": "usedMinutes",
}
_LOGIN = {
    "allocated_tokens": "allocatedTokens",
    "token_cost": "tokenCost",
    "unavailable_tokens": "unavailableTokens",
    "used_tokens": "usedTokens",
}
_USER = {
    "allocated_tokens": "allocatedTokens",
    "quarantined_tokens": "quarantinedTokens",
    "token_cost": "tokenCost",
    "used_tokens": "usedTokens",
}

_BLOCKS: dict[str, tuple[str, dict[str, str]]] = {
    "analyzer": ("analyzerAccess", _SEATS),
    "analyzer_capacity": ("analyzerTimeAccess", _MINUTES),
    "professional": ("professionalAccess", _SEATS),
    "token_login": ("loginAccess", _LOGIN),
    "token_user": ("userAccess", _USER),
}
"""By `license_type`, in Butler's order: the block of the answer, and where each field comes from."""


def license_use(answer: bytes, tags: Tags, at: datetime) -> list[Point]:
    """The points of an answer of `GET /qrs/license/accesstypeoverview`; `tags` are the static ones.

    A block counts when its `enabled` is true itself, as for Butler. Raises RemoteError when it is no JSON object.
    """
    overview = decode_object(answer, "license/accesstypeoverview")
    points = []
    for license_type, fields in _fields(overview):
        if fields:
            points.append(Point(MEASUREMENT, merge_tags(tags, [("license_type", license_type)]), fields, at))
    return points


def decode_object(answer: bytes, what: str) -> dict[str, Any]:
    """The JSON object that QRS answered. Raises RemoteError for anything else."""
    try:
        return msgspec.json.decode(answer, type=dict[str, Any])
    except UNREADABLE:
        help_ = "is this a Qlik Sense Repository Service?"
        raise RemoteError(f"QRS's answer to `{what}` is not a JSON object", help_) from None


def _fields(overview: dict[str, Any]) -> Iterator[tuple[str, dict[str, FieldValue]]]:
    for license_type, (name, sources) in _BLOCKS.items():
        block = overview.get(name)
        if isinstance(block, dict) and block.get("enabled") is True:
            found = {field: block.get(source) for field, source in sources.items()}
            if license_type == "token_user" and found["used_tokens"] is None:
                found["used_tokens"] = block.get("userTokens")  # the name Butler reads
            yield license_type, known_numbers(found)
    if overview.get("tokensEnabled") is True:
        tokens = {"available_tokens": overview.get("availableTokens"), "total_tokens": overview.get("totalTokens")}
        yield "tokens_available", known_numbers(tokens)
