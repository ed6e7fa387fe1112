"""Settings as data: each key of a map with its kind, its default and a line about it, said once.

A section is read by its table; the JSON Schema of it and the table in the documentation are made from the same.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from msgspec import Struct

from seatwarden.grammar.spans import Span
from seatwarden.policy.yaml.nodes import Entry, Node, YamlMap
from seatwarden.policy.yaml.reader import YamlReader

Read: TypeAlias = Callable[[YamlReader, Entry, str], Any]
"""Reads the value of an entry; findings call it by the text. None when it is wrong, which is noted."""


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a value: how it is read, its JSON Schema, and its bounds in words, as a table shows them."""

    read: Read
    schema: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    secret: bool = False
    section: "Section | None" = None
    """The settings in it, for a map of settings."""

    @property
    def has_null(self) -> bool:
        """Whether null is one of its values: an empty list, as in Butler."""
        return "null" in self.schema.get("type", ())

    def must(self, right: Callable[[Any], object], message: str, label: str, help_: str | None = None) -> "Kind":
        """The same, but only where its value is right. `{what}` and `{key}` in the message name the setting."""

        def read(reader: YamlReader, entry: Entry, what: str) -> Any:
            value = self.read(reader, entry, what)
            if value is None or right(value):
                return value
            said = message.format(what=what, key=entry.key.text)
            reader.error("SW205", said, entry.value.span, label, help_)
            return None

        return replace(self, read=read)

    def then(self, make: Callable[[YamlReader, Entry, Any], Any]) -> "Kind":
        """The same, but for what is made of its value."""

        def read(reader: YamlReader, entry: Entry, what: str) -> Any:
            value = self.read(reader, entry, what)
            return make(reader, entry, value) if value is not None else None

        return replace(self, read=read)


class Setting(Struct, frozen=True):
    """One key of a map.

    `only` names another setting, and its value: this one is read only where that one has it. `without` says in words
    what counts where nothing is said, if the default does not say it.
    """

    key: str
    kind: Kind
    doc: str = ""
    default: Any = None
    required: bool = False
    only: tuple[str, Any] | None = None
    without: str = ""

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its value; one that may be absent may be null, which is the same."""
        default = {"default": self.default} if isinstance(self.default, str | int) else {}
        schema = {**self.kind.schema, **default}
        return _described(schema if self.required else _or_null(schema), self.doc)


class Values(Struct, frozen=True):
    """The values of a map by key: the default where it says nothing, or something wrong."""

    map: YamlMap
    by_key: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.by_key[key]

    def take(self, *keys: str) -> tuple[Any, ...]:
        """The values of these keys."""
        return tuple(self.by_key[key] for key in keys)

    def span(self, key: str) -> Span:
        """The place of the value of a key; the whole map for one that is not given."""
        entry = self.map.get(key)
        return entry.value.span if entry else self.map.span


class Section(Struct, frozen=True):
    """A map of settings, in the order in which they are read.

    A key with nothing behind it, or null, is not set.

    Findings call a setting by the name of the map and the key, in a `brief` section by the key alone. Where another
    program has keys too, `others` are those it is known to have: an unknown key is let be then, but for one that
    almost is a key that counts, those of an older form (`also`) among them. What stands behind the `switch` is not
    checked where that is off, as in Butler.
    """

    settings: tuple[Setting, ...]
    doc: str = ""
    brief: bool = False
    others: tuple[str, ...] | None = None
    also: tuple[str, ...] = ()
    switch: str | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys, in the order of the table."""
        return tuple(setting.key for setting in self.settings)

    @property
    def required(self) -> tuple[str, ...]:
        """The keys that must be there."""
        return tuple(setting.key for setting in self.settings if setting.required)

    def read(self, reader: YamlReader, node: Node, what: str, required: Iterable[str] | None = None) -> Values | None:
        """The values of the map, None when it is no map; `required` are other keys than those of the table."""
        found = self.open(reader, node, what, self.required if required is None else required)
        return self.values(reader, found, what) if found else None

    def open(self, reader: YamlReader, node: Node, what: str, required: Iterable[str]) -> YamlMap | None:
        """The map, its keys checked, its values not yet."""
        if isinstance(node, YamlMap):
            empty = {setting.key for setting in self.settings if setting.kind.has_null and node.written(setting.key)}
            required = [key for key in required if key not in empty]
        if self.others is None:
            return reader.mapping(node, what, known=self.keys, required=required)
        present = [entry.key.text for entry in node.entries] if isinstance(node, YamlMap) else ()
        found = reader.mapping(node, what, known=present, required=required)
        if found:
            sought = (key for key in (*self.keys, *self.also) if key not in (self.others or ()))
            reader.near_misses(found, what, sought, self.others)
            reader.unread(found, what, (*self.keys, *self.also, *(self.others or ())))
        return found

    def values(self, reader: YamlReader, found: YamlMap, what: str) -> Values:
        """The values of a map whose keys are checked already."""
        read: dict[str, Any] = {setting.key: setting.default for setting in self.settings}
        for setting in self.settings:
            entry = found.get(setting.key)
            if entry and (setting.only is None or read[setting.only[0]] == setting.only[1]):
                value = setting.kind.read(reader, entry, setting.key if self.brief else f"{what}.{setting.key}")
                read[setting.key] = setting.default if value is None else value
            if setting.key == self.switch and not read[setting.key]:
                break
        return Values(found, read)

    def nothing(self, span: Span) -> Values:
        """The values that count where there is no such map."""
        return Values(YamlMap((), span), {setting.key: setting.default for setting in self.settings})

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the map."""
        properties = {setting.key: setting.schema() for setting in self.settings}
        schema: dict[str, Any] = {"type": "object", "properties": properties}
        if self.required:
            schema["required"] = list(self.required)
        if self.others is None:
            schema["additionalProperties"] = False
        return _described(schema, self.doc)


def need(key: str, kind: Kind, doc: str = "", default: Any = None) -> Setting:
    """A setting that must be there; its default counts where it is wrong."""
    return Setting(key, kind, doc, default, required=True)


def _or_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the schema allows, and null."""
    kind = schema.get("type")
    if not isinstance(kind, str) and (kind is not None or not {"anyOf", "enum"} & schema.keys()):
        return schema  # it allows null already
    if kind is None and "anyOf" in schema:
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    if {"enum", "anyOf", "not"} & schema.keys():
        beside = {key: schema[key] for key in ("default", "examples") if key in schema}
        return {
            "anyOf": [{key: value for key, value in schema.items() if key not in beside}, {"type": "null"}],
            **beside,
        }
    return {**schema, "type": [kind, "null"]}


def _described(schema: Mapping[str, Any], doc: str) -> dict[str, Any]:
    """The schema with a description, what it has of its own left as it is."""
    return {**schema, "description": doc} if doc else dict(schema)
