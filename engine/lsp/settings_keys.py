"""Where one is in Butler's YAML, by indentation alone, and what may stand there by the tables of its settings."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from seatwarden.policy.butler.licenses import RELEASE, release_schema

_KEY = re.compile(r"""^(?P<indent>[ ]*(?:-[ ]+)*)(?P<key>[A-Za-z]\w*)[ ]*:(?=\s|$)""")
_ITEM = re.compile(r"^(?P<indent>[ ]*)-(?:[ ]|$)")


def path_at(lines: Sequence[str], number: int, column: int) -> list[str]:
    """The keys around a place (line and column count from 0), outer ones first; of a line with a key behind its
    colon, also that key."""
    line = lines[number]
    own = _KEY.match(line)
    path: list[str] = []
    indent = len(own["indent"]) if own else len(line) - len(line.lstrip(" -")) if line.strip() else column
    if own and column > own.end("key"):
        path.append(own["key"])
    item = _ITEM.match(line)
    if not own and item:
        indent = len(item["indent"]) + 1  # an item may stand as far left as its key
    for above in range(number - 1, -1, -1):
        found = _KEY.match(lines[above])
        if found and len(found["indent"]) < indent:
            path.append(found["key"])
            indent = len(found["indent"])
            inner = _ITEM.match(lines[above])
            if inner:
                indent = len(inner["indent"]) + 1
    return path[::-1]


def siblings(lines: Sequence[str], number: int) -> Mapping[str, str]:
    """The keys with their texts that stand beside a line in one item of a list."""
    found: dict[str, str] = {}
    first = number
    while first > 0 and not _ITEM.match(lines[first]):
        first -= 1
    for line in lines[first : first + 20]:
        if line is not lines[first] and _ITEM.match(line):
            break
        key = _KEY.match(line)
        if key:
            found.setdefault(key["key"], line[key.end() :].strip().strip("\"'"))
    return found


def schema_at(path: Sequence[str]) -> Mapping[str, Any]:
    """The JSON Schema of what stands below a path of keys; empty where nothing is known of it."""
    keys = list(path)
    if "licenseRelease" in keys:
        keys = keys[keys.index("licenseRelease") + 1 :]
    found: Mapping[str, Any] = _schema()
    for key in keys:
        found = _inner(found).get("properties", {}).get(key, {})
    return _inner(found)


def _inner(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of an item, where it is a list's."""
    return schema.get("items", schema)  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _schema() -> Mapping[str, Any]:
    """Of a release that is switched on; one that is off may say anything."""
    return release_schema(RELEASE)["else"]  # type: ignore[no-any-return]


def words_of(schema: Mapping[str, Any]) -> list[str]:
    """The words that a setting takes, where they are few."""
    if schema.get("type") == "boolean" or "boolean" in schema.get("type", ()):
        return ["true", "false"]
    found = [str(word) for word in schema.get("enum", ())]
    for choice in schema.get("anyOf", ()):
        found += words_of(choice)
    return found
