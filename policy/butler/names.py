"""Names in YAML, settings of ours: `let: {admins: [ann, bob]}`, `days: {grace: 30 days}`, `set: {vips: vips.txt}` and
`conditions: {leaver: user.inactive or user.removedExternally}`.

They mean what `let` and `set … from` mean in policy text; the names are for the conditions in `when`. What a `let` of
policy text shows by its form is said by the key here: under `let`, `30 days` is a text.
"""

from collections.abc import Mapping
from typing import Any

from seatwarden.grammar.ast import Boolean, Date, Length, Let, ListOf, Literal_, Number, SetFrom, Text
from seatwarden.grammar.builder import is_name
from seatwarden.grammar.calendar_names import date_from
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.keywords import KINDS_OF_LISTS, UNITS
from seatwarden.grammar.parser import parse_days
from seatwarden.policy.diagnostics import from_syntax
from seatwarden.policy.yaml.kinds import NAME_SCHEMA, TEXT_SCHEMA, WHOLE_SCHEMA, WRITTEN, any_case, one_of
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting, need
from seatwarden.policy.yaml.text import locate_in


def _lets(reader: YamlReader, entry: Entry, _: str) -> list[Let]:
    found = []
    for named in _named(reader, entry.value, "let"):
        value = _value(reader, named.value, f"let.{named.key.text}")
        if value is not None:
            found.append(Let(named.key.text, value, named.key.span, named.key.span))
    return found


def _days(reader: YamlReader, entry: Entry, _: str) -> list[Let]:
    found = []
    for named in _named(reader, entry.value, "days"):
        length = _length(reader, named.value, f"days.{named.key.text}")
        if length is not None:
            found.append(Let(named.key.text, length, named.key.span, named.key.span))
    return found


def _length(reader: YamlReader, node: Node, what: str) -> Length | None:
    """A length of time, with its unit."""
    if isinstance(node, YamlScalar) and isinstance(node.value, int) and not isinstance(node.value, bool):
        help_ = f"write `{node.text} days` or `{node.text} weeks`"
        reader.error("SW205", f"`{what}` lacks its unit", node.span, "a number alone", help_)
        return None
    if not isinstance(node, YamlScalar) or not isinstance(node.value, str):
        reader.unlike(node, what, "a length of time", "like: 30 days")
        return None
    try:
        return parse_days(node.value, locate_in(node))
    except PolicySyntaxError as error:
        reader.findings += [from_syntax(problem) for problem in error.problems]
        return None


def named_conditions(condition: Kind) -> Kind:
    """The named conditions of the map `conditions`, in file order; each is of the kind `condition`."""

    def read(reader: YamlReader, entry: Entry, _: str) -> list[Let]:
        found = []
        for named in _named(reader, entry.value, "conditions"):
            said = condition.read(reader, named, f"conditions.{named.key.text}")
            if said is not None:
                found.append(Let(named.key.text, said, named.key.span, named.key.span))
        return found

    example = {"leaver": "user.inactive or user.removedExternally"}
    return Kind(read, _names_with(condition.schema, example))


def _sets(reader: YamlReader, entry: Entry, _: str) -> list[SetFrom]:
    found = []
    for named in _named(reader, entry.value, "set"):
        what, entry = f"set.{named.key.text}", named
        kind: Any = "text"
        if isinstance(named.value, YamlMap):
            said = _LIST_FILE.read(reader, named.value, what)
            file = named.value.get("file")
            if said is None or said["file"] is None or file is None:
                continue
            kind, entry = said["as"] or "text", file
        path = WRITTEN.read(reader, entry, what)
        if path is not None:
            place = Text(path, entry.value.span)
            found.append(SetFrom(named.key.text, place, kind, named.key.span, named.key.span))
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


_LIST_FILE = Section(
    (
        need("file", WRITTEN, "The file, beside this one or below."),
        Setting("as", one_of(KINDS_OF_LISTS), "What its lines are.", "text"),
    ),
    brief=True,
)
_LITERAL = {"anyOf": [TEXT_SCHEMA, WHOLE_SCHEMA, {"type": "boolean"}]}


_UNITS = "|".join(map(any_case, UNITS))


def _names_with(value: Mapping[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "propertyNames": NAME_SCHEMA, "additionalProperties": value, "examples": [example]}


LETS = Kind(
    _lets,
    _names_with(
        {"anyOf": [{"type": "null"}, _LITERAL, {"type": "array", "items": _LITERAL}]}, {"admins": ["ann", "bob"]}
    ),
)
"""The named values of the map `let`, in file order."""
LENGTHS = Kind(
    _days, _names_with({"type": "string", "pattern": rf"^\s*\d{{1,9}}\s*(?:{_UNITS})\s*$"}, {"grace": "30 days"})
)
"""The named lengths of time of the map `days`, in file order."""
SETS = Kind(_sets, _names_with({"anyOf": [TEXT_SCHEMA, _LIST_FILE.schema()]}, {"vips": "vips.txt"}))
"""The names of the map `set` with the files their values stand in."""
