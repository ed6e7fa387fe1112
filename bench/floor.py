"""The floor: a process that only decodes a snapshot with typed structs, the fields that decisions need and no more.

python -m bench.floor FILE
"""

import gc
import sys
from pathlib import Path

import msgspec


class Named(msgspec.Struct, gc=False):
    """A tag, or the definition of a custom property."""

    name: str


class Property(msgspec.Struct, gc=False):
    """A value of a custom property."""

    value: str
    definition: Named


class User(msgspec.Struct, gc=False, rename="camel"):
    """A user."""

    id: str
    user_id: str
    user_directory: str
    name: str
    roles: tuple[str, ...]
    tags: tuple[Named, ...]
    custom_properties: tuple[Property, ...]
    inactive: bool
    blacklisted: bool
    removed_externally: bool


class Reference(msgspec.Struct, gc=False):
    """The user of a license."""

    id: str


class License(msgspec.Struct, gc=False, rename="camel"):
    """A license."""

    id: str
    user: Reference | None
    last_used: str
    created_date: str
    quarantined: bool
    quarantine_end: str


class File(msgspec.Struct):
    """A snapshot."""

    users: list[User]
    licenses: dict[str, list[License]]


def decode(path: Path) -> File:
    """The snapshot in a file, decoded with the garbage collector off."""
    gc.disable()
    return msgspec.json.decode(path.read_bytes(), type=File)


if __name__ == "__main__":
    decode(Path(sys.argv[1]))
