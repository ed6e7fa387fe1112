"""The pool of licenses that a site shares with others, since they run on one signed license key."""

import re
from dataclasses import dataclass

from seatwarden.policy.yaml.kinds import SWITCH, TEXT, TEXT_SCHEMA
from seatwarden.policy.yaml.nodes import Entry, YamlMap
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Kind, Section, Setting, need

NO_POOL = "none"
"""What a site file says of a site that has left its pool: only then does the register forget it."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True, slots=True)
class LicensePool:
    """A pool: its name, the same in the site files of all its sites. A site that is `use_only` says who uses licenses
    and whose are held, and neither releases any nor keeps any by its policy."""

    name: str
    use_only: bool = False

    @property
    def shares(self) -> bool:
        """Whether there are others in it: not where the site has left."""
        return self.name != NO_POOL


_POOL = Section(
    (
        need("name", TEXT, "the name of the pool, the same in all its sites"),
        Setting("useOnly", SWITCH, "the site says who uses licenses and whose are held, and has no verdict", False),
    )
)


def _read(reader: YamlReader, entry: Entry, what: str) -> LicensePool | None:
    if isinstance(entry.value, YamlMap):
        values = _POOL.read(reader, entry.value, what)
        name, use_only = values.take("name", "useOnly") if values is not None else (None, False)
    else:
        name, use_only = reader.text(entry.value, what), False
    if name is None:
        return None
    if not _NAME.fullmatch(name):
        help_ = "write 1 to 40 of A-Z, a-z, 0-9, `.`, `_` and `-`"
        reader.error("SW205", f"`{name}` cannot be the name of a pool", entry.value.span, "not a name", help_)
        return None
    return LicensePool(name, use_only)


LICENSE_POOL = Kind(_read, {"anyOf": [TEXT_SCHEMA, _POOL.schema()]})
