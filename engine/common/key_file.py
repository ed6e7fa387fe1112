"""A file with a secret key."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from seatwarden.engine.common.rights import open_to_all, take_away
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import folder_for_file, refuse_foreign

MIN_KEY_BYTES = 16
Period: TypeAlias = Literal["month", "run"]
"""How long a pseudonym holds."""
DEFAULT_K = 5
"""How many licenses must say the same for a log with pseudonyms to say it."""


@dataclass(frozen=True, slots=True)
class PseudonymKey:
    """A key for pseudonyms, how long each holds, and how many licenses must say the same."""

    key: bytes = field(repr=False)
    per: Period = "month"
    k: int = DEFAULT_K


def read_key(path: Path) -> bytes:
    """The key in a file, without the white space around it. Raises InputError."""
    try:
        if path.is_dir():
            raise folder_for_file(path, "key file")
        key = path.read_bytes().strip()
        everybodys = open_to_all(path)
    except OSError as error:
        help_ = f"make one with `seatwarden log new-key {path}`"
        raise InputError(f"key file `{path}` cannot be read: {error.strerror}", help_) from None
    refuse_foreign(path, key, "key file")
    if everybodys:
        raise InputError(f"every user of this machine can read or change the key file `{path}`", take_away(path))
    if len(key) < MIN_KEY_BYTES:
        raise InputError(f"key file `{path}` is too short: {len(key)} bytes, {MIN_KEY_BYTES} are the least")
    return key
