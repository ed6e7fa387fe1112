"""The small user and license of a policy test's case, in the vocabulary's words.

What may be written is the vocabulary itself: `user.tags` is the key `tags` of `user`, the custom properties
(`user.@…`) are `properties`. Any fact may be `unknown`, unquoted, but for those that say of whom a case speaks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Literal, TypeAlias, cast

from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from seatwarden.grammar.calendar_names import date_from
from seatwarden.grammar.suggest import did_you_mean, nearest
from seatwarden.policy.vocabulary import VOCABULARY, FieldEntry, Type
from seatwarden.policy.yaml.nodes import Node, YamlList, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader, describe


class Special(Enum):
    """A fact that is no value: absent from QRS's answer, or a license that was never used."""

    UNKNOWN = "unknown"
    NEVER = "never"


Moment: TypeAlias = date | datetime
"""A whole day in the test's time zone, or an instant (aware)."""
Given: TypeAlias = str | bool | int | tuple[str, ...] | Mapping[str, tuple[str, ...]] | Moment | Special
"""The value that a case gives to one fact."""


@dataclass(frozen=True, slots=True)
class LicenseFacts:
    """The license of a case: its type, and the facts that the case names, by their word."""

    type: LicenseType
    facts: Mapping[str, Given]


UserFacts: TypeAlias = Mapping[str, Given] | Literal[Special.UNKNOWN]
"""The facts of the user that a case names, by their word; UNKNOWN for a user the site does not know."""

_FAMILIES = {"user.@": "properties", "user.attributes": "attributes"}
_USER: dict[str, FieldEntry] = {
    _FAMILIES.get(name, name.removeprefix("user.")): entry
    for name, entry in VOCABULARY.items()
    if name.startswith("user.") and name != "user.unusedDays"  # follows from the last use
}
# Whether a license was never used follows from its last use; quarantine is a guard, not a field of rules.
_LICENSE: dict[str, FieldEntry] = {
    name.removeprefix("license."): entry
    for name, entry in VOCABULARY.items()
    if name.startswith("license.") and name != "license.neverUsed"
}
_LICENSE["quarantined"] = FieldEntry("license.quarantined", Type.BOOLEAN, "in quarantine", "quarantined", "")
_IDENTITY = {"userDirectory": "user: unknown", "userId": "user: unknown", "type": "license: analyzer"}


def read_user(reader: YamlReader, node: Node) -> UserFacts | None:
    """The user of a case: a map of facts, `DIRECTORY\\id`, or `unknown`. None when wrong, which is noted."""
    if is_word(node, Special.UNKNOWN):
        return Special.UNKNOWN
    if isinstance(node, YamlScalar) and node.value is None:
        return {}
    if isinstance(node, YamlScalar) and isinstance(node.value, str):
        directory, separator, user_id = node.value.partition("\\")
        if not separator:
            help_ = "write DIRECTORY\\id, or a map like {tags: [vip]}"
            reader.error("SW205", "`user` names no user directory", node.span, f"this is {describe(node)}", help_)
            return None
        return {"userDirectory": directory, "userId": user_id}
    return _read_facts(reader, node, "user", _USER, {"unusedDays": "write `lastUsed`: the days follow from it"})


def read_license(reader: YamlReader, node: Node) -> LicenseFacts | None:
    """The license of a case: a map of facts with its `type`, or the type alone. None when wrong, which is noted."""
    if isinstance(node, YamlScalar):
        alone = reader.one_of(node, "license", LICENSE_TYPES)
        return LicenseFacts(cast(LicenseType, alone), {}) if alone else None
    hints = {"neverUsed": "write `lastUsed: never`"}
    facts = _read_facts(reader, node, "license", _LICENSE, hints)
    if facts is None:
        return None
    if isinstance(node, YamlMap):
        mistyped = any(nearest(entry.key.text, _LICENSE) == "type" for entry in node.entries)
        if node.get("type") is None and not mistyped:
            reader.lacking(node, "license", "type", "write `type: analyzer` or `type: professional`")
        both = node.get("unusedDays")
        if both and node.get("lastUsed"):
            reader.error(
                "SW205", "`lastUsed` and `unusedDays` say the same", both.key.span, "here again", "leave one out"
            )
    kind = facts.get("type")
    return LicenseFacts(cast(LicenseType, kind), facts) if isinstance(kind, str) else None


def read_moment(reader: YamlReader, node: Node, what: str) -> Moment | None:
    """A day, or an instant (UTC unless it says otherwise); YAML reads an unquoted one as its date type."""
    text = node.text.strip() if isinstance(node, YamlScalar) else ""
    day = date_from(text)
    if day is not None and _sensible(day):
        return day
    try:
        instant = datetime.fromisoformat(text) if len(text) > 10 else None
    except ValueError:
        instant = None
    if instant is not None and _sensible(instant):
        return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    help_ = "write a day like 2026-11-21, or a moment like 2026-11-21T02:00:00Z"
    reader.error("SW205", f"`{what}` must be a day or a moment", node.span, f"this is {describe(node)}", help_)
    return None


def is_word(node: Node, special: Special) -> bool:
    """Whether a value is that word, unquoted; in quotes it is ordinary text."""
    return isinstance(node, YamlScalar) and node.value == special.value and node.style is None


def _sensible(moment: Moment) -> bool:
    """Far from the ends of the calendar, so that counting days back and forth stays within it."""
    return 1900 <= moment.year <= 9000


def _read_facts(
    reader: YamlReader, node: Node, what: str, words: Mapping[str, FieldEntry], hints: Mapping[str, str] | None = None
) -> dict[str, Given] | None:
    if not isinstance(node, YamlMap):
        reader.unlike(node, what, "a map")
        return None
    facts: dict[str, Given] = {}
    for entry in node.entries:
        key = entry.key.text
        word = words.get(key)
        if word is None:
            help_ = (hints or {}).get(key) or did_you_mean(key, words) or f"`{what}` has the keys {', '.join(words)}"
            reader.error("SW203", f"unknown key `{key}` in `{what}`", entry.key.span, "not a fact", help_)
            continue
        given = _read_fact(reader, entry.value, f"{what}.{key}", key, word)
        if given is not None:
            facts[key] = given
    return facts


def _read_fact(reader: YamlReader, node: Node, what: str, key: str, word: FieldEntry) -> Given | None:
    if is_word(node, Special.UNKNOWN):
        if key not in _IDENTITY:
            return Special.UNKNOWN
        reader.error("SW205", f"`{what}` cannot be unknown", node.span, "it says of whom the case speaks")
        return None
    if (
        key in ("lastUsed", "lastReleased")
        and isinstance(node, YamlScalar)
        and (is_word(node, Special.NEVER) or node.text[:4] == "1753")
    ):
        return Special.NEVER  # QRS itself writes 1753-01-01
    if word.keyed:
        return _read_properties(reader, node, what)
    if word.many:
        return _of(reader, node, what, word, read_texts(reader, node, what))
    match word.type:
        case Type.BOOLEAN:
            return reader.boolean(node, what)
        case Type.NUMBER:
            return reader.whole(node, what, "days")
        case Type.DATE:
            return read_moment(reader, node, what)
        case _:
            return reader.one_of(node, what, word.values) if word.values else reader.text(node, what)


def _read_properties(reader: YamlReader, node: Node, what: str) -> Given | None:
    """`{Department: Finance, Site: [Berlin, Oslo]}`: each with one value or several."""
    if isinstance(node, YamlScalar) and node.value is None:
        return {}
    if not isinstance(node, YamlMap):
        reader.unlike(node, what, "a map", "write a map like {Department: Finance}")
        return None
    values: dict[str, tuple[str, ...]] = {}
    for entry in node.entries:
        if is_word(entry.value, Special.UNKNOWN):
            name = what.rpartition(".")[2]
            help_ = f"QRS sends all or none: write `{name}: unknown`, or the value in quotes: 'unknown'"
            reader.error("SW205", "one of them alone cannot be unknown", entry.value.span, "unknown", help_)
            continue
        values[entry.key.text] = read_texts(reader, entry.value, f"{what}.{entry.key.text}")
    return values


def read_texts(reader: YamlReader, node: Node, what: str) -> tuple[str, ...]:
    """Several texts, or one; null is none."""
    nodes = node.items if isinstance(node, YamlList) else () if _is_null(node) else (node,)
    texts = [reader.text(item, what) for item in nodes]
    return tuple(text for text in texts if text is not None)


def _of(reader: YamlReader, node: Node, what: str, word: FieldEntry, texts: tuple[str, ...]) -> tuple[str, ...]:
    """The texts; those that are not among the few possible ones are noted."""
    for text in texts if word.values else ():
        if text not in word.values:
            help_ = did_you_mean(text, word.values) or f"it is one of {', '.join(word.values)}"
            reader.error("SW205", f"`{what}` is never `{text}`", node.span, "no such value", help_)
    return texts


def _is_null(node: Node) -> bool:
    return isinstance(node, YamlScalar) and node.value is None
