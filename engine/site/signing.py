"""The settings `signing` and `approvals` of a site file: whose signatures plans need, and who approves them."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from seatwarden.engine.common.signed_note import NotSigned, PublicKey
from seatwarden.engine.common.signing_key import SigningKey, public_key_in, read_signing_key
from seatwarden.engine.site.paths import PATH
from seatwarden.policy.errors import InputError
from seatwarden.policy.yaml.kinds import SECRET, between, list_of, map_of
from seatwarden.policy.yaml.nodes import Entry, YamlMap, YamlScalar
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting, Values, need

DEFAULT_HOURS, MOST_HOURS = 24, 720
"""How long a plan may be applied, in hours, and the most that can be asked for."""


@dataclass(frozen=True, slots=True)
class Signing:
    """Plans of the site must be signed. `key` is the file of the key that the account of runs signs with (None: it
    signs nothing), `passphrase` opens it; `keys` are those whose signature a plan may have, that one among them."""

    key: Path | None
    passphrase: str | None = field(repr=False)
    keys: tuple[PublicKey, ...]

    def read(self) -> SigningKey | None:
        """The key of the account, if it has one. Raises InputError."""
        return read_signing_key(self.key, self.passphrase or "") if self.key is not None else None


@dataclass(frozen=True, slots=True)
class Approvals:
    """A plan is applied when `required` of these keys have approved it, for so long at most."""

    required: int
    keys: tuple[PublicKey, ...]
    valid_for: timedelta


def _public_key(reader: YamlReader, entry: Entry, what: str) -> PublicKey | None:
    """A public key, written out or in a file."""
    text = reader.text(entry.value, what)
    if text is None:
        return None
    if "+" in text:
        try:
            return PublicKey.parse(text)
        except NotSigned as fault:
            help_ = "copy the whole line that `seatwarden log new-key --sign` wrote, or name the file with it"
            reader.error("SW205", f"`{what}` {fault}", entry.value.span, "no key", help_)
            return None
    return _in_file(reader, entry, PATH.read(reader, entry, what))


def _in_file(reader: YamlReader, entry: Entry, path: Path | None) -> PublicKey | None:
    try:
        return public_key_in(path) if path is not None else None
    except InputError as error:
        reader.error("SW205", error.message, entry.value.span, "read from here", error.help)
        return None


_KEYS = list_of(Kind(_public_key, {"type": "string"}))


def _hours(reader: YamlReader, entry: Entry, what: str) -> int | None:
    """A time in hours: `24`, `24h` or `2d`."""
    given = reader.resolved(entry.value)
    found = _TIME.fullmatch(str(given.value)) if isinstance(given, YamlScalar) else None
    hours = int(found[1]) * (_HOURS_A_DAY if found[2] == "d" else 1) if found else 0
    if 1 <= hours <= MOST_HOURS:
        return hours
    help_ = f"write hours or days, such as `24h` or `2d`, at most {MOST_HOURS} hours"
    reader.error("SW205", f"`{what}` is no time for which a plan holds", entry.value.span, "not this", help_)
    return None


_HOURS_A_DAY = 24
_TIME = re.compile(r"\s*(\d{1,4})\s*([hd]?)\s*", re.ASCII)
_VALID_FOR = Kind(
    _hours,
    {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": MOST_HOURS},
            {"type": "string", "pattern": r"^\s*\d{1,4}\s*[hd]?\s*$"},
        ]
    },
    f"hours or days, such as `24h`, at most {MOST_HOURS} hours",
)
_SIGNING = Section(
    (
        Setting("key", PATH, "the file of the key that runs sign with", without="runs sign nothing"),
        Setting("passphrase", SECRET, "what opens it, such as `${NAME}`"),
        Setting("keys", _KEYS, "public keys, or files with one, whose signature a plan may have, too", ()),
    )
)
_APPROVALS = Section(
    (
        need("required", between(1, 20, "approvals"), "how many must approve a plan before it is applied"),
        need("keys", _KEYS, "their public keys, or files with one"),
        Setting("validFor", _VALID_FOR, "for how long a plan may be applied", DEFAULT_HOURS, without="24 hours"),
    )
)


def _signing(values: Values) -> Signing:
    return Signing(*values.take("key", "passphrase", "keys"))


def _completed(reader: YamlReader, entry: Entry, found: Signing) -> Signing | None:
    """The settings with the public key of the account among those that count."""
    own = _in_file(reader, entry, found.key)
    if found.key is not None and own is None:
        return None
    written = isinstance(entry.value, YamlMap) and entry.value.get("passphrase") is not None
    if found.key is not None and not found.passphrase and written:
        return None  # what is wrong with it is said already
    if found.key is not None and not found.passphrase:
        help_ = "write `passphrase: ${NAME}`, and set that variable for the account of the runs"
        reader.error("SW204", "`signing` has a key without its passphrase", entry.key.span, "cannot be opened", help_)
        return None
    keys = tuple(dict.fromkeys([*([own] if own else []), *found.keys]))
    if not keys:
        help_ = "name one with `key`, or public keys with `keys`"
        reader.error("SW204", "`signing` names no key", entry.key.span, "nothing could be applied", help_)
        return None
    return Signing(found.key, found.passphrase, keys)


def _enough(reader: YamlReader, entry: Entry, found: Approvals) -> Approvals | None:
    """The settings, where the keys suffice: one that stands twice is one."""
    keys = {key.key: key for key in reversed(found.keys)}
    if len(keys) >= found.required:
        return Approvals(found.required, tuple(reversed(keys.values())), found.valid_for)
    message = f"{found.required} approvals are required, and {len(keys)} can be given"
    reader.error("SW205", message, entry.value.span, "nothing could be applied", "add keys, or require fewer")
    return None


def _approvals(values: Values) -> Approvals:
    required, keys, hours = values.take("required", "keys", "validFor")
    return Approvals(required or 0, keys or (), timedelta(hours=hours))


SIGNING: Kind = map_of(_SIGNING, _signing).then(_completed)
APPROVALS: Kind = map_of(_APPROVALS, _approvals).then(_enough)


def hours_words(time: timedelta) -> str:
    """A time in hours, as it is written."""
    return f"{time.total_seconds() / 3600:g} hours"


def key_names(keys: Any) -> str:
    """Keys by name and id, in words."""
    return ", ".join(f"{key.name}+{key.id.hex()}" for key in keys)
