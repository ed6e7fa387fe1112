"""The setting `pseudonyms` of a site file: a key file alone, or a map that also says how long a pseudonym holds."""

from typing import get_args

from seatwarden.engine.common.key_file import DEFAULT_K, Period, PseudonymKey, read_key
from seatwarden.engine.site.paths import PATH
from seatwarden.policy.errors import InputError
from seatwarden.policy.yaml.kinds import between, one_of
from seatwarden.policy.yaml.nodes import Entry, YamlMap
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting, need


def _key(reader: YamlReader, entry: Entry, what: str) -> bytes | None:
    """The key in the file that is named."""
    path = PATH.read(reader, entry, what)
    try:
        return read_key(path) if path else None
    except InputError as error:
        reader.error("SW205", error.message, entry.value.span, "read from here", error.help)
        return None


_PER: tuple[Period, ...] = get_args(Period)
_SECTION = Section(
    (
        need("key", Kind(_key), "the key file; `pseudonyms: FILE` alone is the same"),
        Setting("per", one_of(_PER), "how long a pseudonym holds", "month"),
        Setting("k", between(1, 1_000, "licenses"), "how many licenses say the same, or the log says less", DEFAULT_K),
    )
)


def _read(reader: YamlReader, entry: Entry, what: str) -> PseudonymKey | None:
    if not isinstance(entry.value, YamlMap):
        key = _key(reader, entry, what)
        return PseudonymKey(key) if key is not None else None
    values = _SECTION.read(reader, entry.value, what)
    return PseudonymKey(*values.take("key", "per", "k")) if values and values["key"] is not None else None


PSEUDONYMS = Kind(_read, {"anyOf": [{"type": "string"}, _SECTION.schema()]}, section=_SECTION)


def key_entry(entry: Entry | None) -> Entry | None:
    """Where the key file is named."""
    return entry.value.get("key") if entry and isinstance(entry.value, YamlMap) else entry
