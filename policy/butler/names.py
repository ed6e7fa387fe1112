"""Named values in YAML, a setting of ours: `let: {admins: [ann, bob]}` and `set: {vips: vips.txt}`.

They mean what `let` and `set … from` mean in policy text; the names are for the conditions in `when`.
"""

from typing import Any

from seatwarden.grammar.ast import Boolean, Date, Let, ListOf, Literal_, Number, SetFrom, Text
from seatwarden.grammar.builder import date_from, is_name
from seatwarden.policy.yaml.kinds import NAME_SCHEMA, TEXT_SCHEMA, WHOLE_SCHEMA, WRITTEN
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind


def _lets(reader: YamlReader, entry: Entry, _: str) -> list[Let]:
    found = []
    for named in _named(reader, entry.value, "let"):
        value = _value(reader, named.value, f"let.{named.key.text}")
        if value is not None:
            found.append(Let(named.key.text, value, named.key.span, named.key.span))
    return found


def _sets(reader: YamlReader, entry: Entry, _: str) -> list[SetFrom]:
    found = []
    for named in _named(reader, entry.value, "set"):
        path = WRITTEN.read(reader, named, f"set.{named.key.text}")
        if path is not None:
            found.append(SetFrom(named.key.text, Text(path, named.value.span), named.key.span, named.key.span))
    return found


def _named(reader: YamlReader, node: Node, what: str) -> list[Entry]:
    """The entries of a map whose keys can be names."""
    if not isinstance(node, YamlMap):
        reader.mapping(node, what, known=())
        return []
    found = []
    for entry in node.entries:
        if is_name(entry.key.text):
            found.append(entry)
        else:
            help_ = "a name has letters, digits and _, starts with a letter, and is no word of the language"
            reader.error("SW006", f"`{entry.key.text}` cannot be a name", entry.key.span, "not a name", help_)
    return found


def _value(reader: YamlReader, node: Node, what: str) -> Literal_ | ListOf | None:
    """One value, or a list of values; null is an empty list."""
    if isinstance(node, YamlScalar) and node.value is not None:
        return _literal(reader, node, what)
    values = [_literal(reader, item, what) for item in reader.items(node, what)]
    return ListOf(tuple(value for value in values if value is not None), node.span)


def _literal(reader: YamlReader, node: Node, what: str) -> Literal_ | None:
    """A text, number or truth value, or an unquoted date."""
    if isinstance(node, YamlScalar) and not isinstance(node.value, str):
        if isinstance(node.value, bool):
            return Boolean(node.value, node.span)
        day = date_from(node.text)
        if day is not None:
            return Date(day, node.span)
        if node.value is not None:
            number = reader.whole(node, what, "days, licenses or the like")
            return Number(number, node.span) if number is not None else None
    text = reader.text(node, what)
    return Text(text, node.span) if text is not None else None


_LITERAL = {"anyOf": [TEXT_SCHEMA, WHOLE_SCHEMA, {"type": "boolean"}]}


def _names_with(value: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "propertyNames": NAME_SCHEMA, "additionalProperties": value, "examples": [example]}


LETS = Kind(
    _lets,
    _names_with(
        {"anyOf": [{"type": "null"}, _LITERAL, {"type": "array", "items": _LITERAL}]}, {"admins": ["ann", "bob"]}
    ),
)
"""The named values of the map `let`, in file order."""
SETS = Kind(_sets, _names_with(TEXT_SCHEMA, {"vips": "vips.txt"}))
"""The names of the map `set` with the files their values stand in."""
