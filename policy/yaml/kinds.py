"""The kinds of settings that many sections have."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from seatwarden.grammar.ast import Text
from seatwarden.grammar.keywords import RESERVED
from seatwarden.policy.yaml.nodes import Entry, YamlScalar, for_backslashes
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.secrets import is_variable, read_secret
from seatwarden.policy.yaml.settings import Kind, Section, Setting, Values

TEXT_SCHEMA = {"type": "string", "not": {"pattern": r"[\r\n]"}}
WHOLE_SCHEMA = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
DAY_SCHEMA = {"type": "string", "format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"}
NAME_PATTERN = r"[^\s\d!-/:-@\[-\^`{-~][^\s!-/:-@\[-\^`{-~]*"
"""A JSON Schema knows no letters of Unicode: left out are the signs of ASCII."""
NAME_SCHEMA = {"type": "string", "pattern": f"^{NAME_PATTERN}$", "not": {"enum": sorted(RESERVED)}}
"""A name that a value can have."""


def as_written(reader: YamlReader, entry: Entry, text: str) -> str | None:
    """A text in which a backslash is meant, as in a path or before a user ID: not changed by an escape."""
    if isinstance(entry.value, YamlScalar) and entry.value.escapes:
        message = f"`{entry.value.escapes[0]}` in double quotes is another character"
        reader.error(
            "SW205", message, entry.value.span, "not what is written here", for_backslashes(entry.value.span.file)
        )
        return None
    return text


TEXT = Kind(lambda reader, entry, what: reader.text(entry.value, what), TEXT_SCHEMA)
"""A text on one line."""
TEXT_NODE = TEXT.then(lambda reader, entry, text: Text(text, entry.value.span))
"""A text with its place."""
WRITTEN = TEXT.then(as_written)
"""A text in which a backslash is meant."""
SWITCH = Kind(lambda reader, entry, what: reader.boolean(entry.value, what), {"type": "boolean"})
"""True or false."""
SECRET = Kind(lambda reader, entry, what: read_secret(reader, entry), TEXT_SCHEMA, secret=True)
"""A text that no message shows, `${NAME}`, or `{file: PATH}`."""
FROM_ENVIRONMENT = replace(SECRET, secret=False)
"""The same of what is no secret, but may come from the environment with those that are."""


def whole(unit: str | None = None) -> Kind:
    """A whole number, not negative, of `unit` where it counts something."""
    return Kind(lambda reader, entry, what: reader.whole(entry.value, what, unit), WHOLE_SCHEMA)


def between(low: int, high: int, unit: str | None = None) -> Kind:
    """A whole number within bounds; findings call it by its key alone."""
    number = Kind(
        lambda reader, entry, what: reader.whole(entry.value, entry.key.text, unit),
        {"type": "integer", "minimum": low, "maximum": high},
        f"{low} to {high:,}",
    )
    return number.must(lambda value: low <= value <= high, f"`{{key}}` is from {low} to {high:,}", "out of range")


def one_of(values: tuple[str, ...], shown: tuple[str, ...] | None = None) -> Kind:
    """One of a few words, in any case and with any space around it, as Butler reads them; editors offer those shown."""
    either = "|".join(map(any_case, values))
    schema = {"type": "string", "anyOf": [{"enum": list(shown or values)}, {"pattern": f"^\\s*(?:{either})\\s*$"}]}
    listed = [f"`{value}`" for value in values]
    words = f"{', '.join(listed[:-1])} or {listed[-1]}"
    return Kind(lambda reader, entry, what: reader.one_of(entry.value, what, values), schema, words)


def any_case(word: str) -> str:
    """The pattern of a word in any case; a JSON Schema knows no flag for it."""
    return "".join(f"[{letter.lower()}{letter.upper()}]" for letter in word)


def list_of(item: Kind) -> Kind:
    """A list, null for an empty one; items that are wrong are left out. Each is read as if it alone stood there."""

    def read(reader: YamlReader, entry: Entry, what: str) -> tuple[Any, ...]:
        items = (item.read(reader, Entry(entry.key, node), what) for node in reader.items(entry.value, what))
        return tuple(value for value in items if value is not None)

    return Kind(read, {"type": ["array", "null"], "items": item.schema})


def map_of(section: Section, make: Callable[[Values], Any] = lambda values: values) -> Kind:
    """A map of further settings, and what is made of its values."""

    def read(reader: YamlReader, entry: Entry, what: str) -> Any:
        values = section.read(reader, entry.value, what)
        return make(values) if values is not None else None

    return Kind(read, section.schema(), section=section)


def maps(*settings: Setting) -> Kind:
    """A list of maps with these settings."""
    return list_of(map_of(Section(settings)))


def within_folder(reader: YamlReader, entry: Entry, text: str) -> Path | None:
    """The path that a text is, relative to the file; an empty one is none. `${NAME}` may be a part of it."""
    written = as_written(reader, entry, text)
    if written and not is_variable(entry.value):
        written = reader.expanded(written, entry.value.span)
    return reader.folder / written if written else None


def pem_file(reader: YamlReader, entry: Entry, text: str) -> Path | None:
    """The path of a PEM file that is there, relative to the file."""
    path = within_folder(reader, entry, text) if text else reader.folder
    if path is None or path.is_file():
        return path
    message = f"`{entry.key.text}`: there is no file `{path}`"
    reader.error("SW205", message, entry.value.span, "not there", "give the path of a PEM file")
    return None


PORT = whole().must(lambda number: 0 < number < 65_536, "`{what}` is from 1 to 65535", "no such port")
