"""docs/formats.md as data: its tables of fields, and the JSON Schemas that say the same.

A table stands behind `<!-- type: NAME -->`, and its types are words: `text`, `number or null`, `list of NAME`,
`map of digest`, `"keep", "release"`, `optional text`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.paths import ROOT

PAGE = ROOT / "docs" / "formats.md"
DRAFT = "https://json-schema.org/draft/2020-12/schema"

Schema: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class FieldRow:
    """A row of a table: the name of a field, its type in words, its meaning."""

    name: str
    words: str
    meaning: str

    @property
    def optional(self) -> bool:
        """Whether it may be absent."""
        return self.words.startswith("optional ")

    @property
    def type(self) -> str:
        """Its type, in words, where it is there."""
        return self.words.removeprefix("optional ")


_MARK = re.compile(r"^<!-- type: (.+) -->\n\n((?:\|.*\n)*)", re.MULTILINE)
_LINK = re.compile(r"\[([^]]+)\]\([^)]+\)")


def tables() -> dict[str, list[FieldRow]]:
    """The tables of the page by the names of their types."""
    text = PAGE.read_text(encoding="utf-8")
    return {name: list(_rows(rows)) for name, rows in _MARK.findall(text)}


def _rows(table: str) -> Iterator[FieldRow]:
    for row in table.splitlines()[2:]:
        name, words, meaning = (cell.strip() for cell in row.strip("|").split(" | "))
        yield FieldRow(name.strip("`"), words, _LINK.sub(r"\1", meaning).replace("`", "").replace("*", ""))


# Types in words ------------------------------------------------------------------------------------------

_MOMENT = r"^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
_FACT: Schema = {
    "anyOf": [
        {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "boolean"}]}},
        {"type": "object", "properties": {"unknown": {"type": "string"}}, "required": ["unknown"]},
    ]
}
SIMPLE: Mapping[str, Schema] = {
    "text": {"type": "string"},
    "number": {"type": "integer"},
    "decimal": {"type": "number"},
    "true/false": {"type": "boolean"},
    "null": {"type": "null"},
    "truth": {"type": ["boolean", "null"]},
    "anything": {},
    "digest": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "salt": {"type": "string", "pattern": "^[A-Za-z0-9+/]{22}==$", "contentEncoding": "base64"},
    "moment": {"type": "string", "pattern": _MOMENT},
    "day": {"type": "string", "format": "date"},
    "place": {"type": "string", "pattern": r":\d+:\d+$"},
    "license type": {"enum": ["professional", "analyzer"]},
    "fact": _FACT,
    "releases": {"anyOf": [{"type": "object", "additionalProperties": {"type": "integer"}}, {"type": "null"}]},
    # Its keys are those of a measurement, and the tags that the site file names.
    "license use": {"type": "object", "properties": {"license_type": {"type": "string"}}, "required": ["license_type"]},
}
"""The words of types that have no table."""


def schema_of(words: str) -> Schema:
    """The schema of a type in words; those with a table are references."""
    if words.startswith('"'):
        literals, _, rest = words.partition(" or ")
        enum: Schema = {"enum": re.findall(r'"([^"]*)"', literals)}
        return {"anyOf": [enum, schema_of(rest)]} if rest else enum
    if words.startswith("list of ") and " or " not in words:
        return {"type": "array", "items": schema_of(words.removeprefix("list of "))}
    if words.startswith("map of "):
        return {"type": "object", "additionalProperties": schema_of(words.removeprefix("map of "))}
    if " or " in words:
        return {"anyOf": [schema_of(one) for one in re.split(", | or ", words)]}
    return SIMPLE.get(words) or ({} if words == "anything" else {"$ref": f"#/$defs/{words.replace(' ', '-')}"})


def object_schema(rows: list[FieldRow], *, closed: bool) -> Schema:
    """The schema of an object with a table; a closed one has no other keys."""
    properties = {row.name: {**schema_of(row.type), **_described(row)} for row in rows}
    required = [row.name for row in rows if not row.optional]
    found: Schema = {"type": "object", "properties": properties, "required": required}
    return {**found, "additionalProperties": False} if closed else found


def _described(row: FieldRow) -> Schema:
    return {"description": row.meaning} if row.meaning else {}


def with_definitions(schema: Schema, *, closed: bool) -> Schema:
    """The schema with all that it refers to in `$defs`."""
    known, found = tables(), {}
    wanted = sorted(_references(schema))
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = object_schema(known[name.replace("-", " ")], closed=closed)
            wanted += _references(found[name])
    return {**schema, "$defs": dict(sorted(found.items()))} if found else schema


def _references(schema: object) -> Iterator[str]:
    match schema:
        case {"$ref": str(target)}:
            yield target.removeprefix("#/$defs/")
        case dict():
            for part in schema.values():
                yield from _references(part)
        case list():
            for part in schema:
                yield from _references(part)
