"""Signed notes as C2SP has them (c2sp.org/signed-note): a text, and below it a line for each key that has signed it.

All lines sign the same text, byte for byte. A line of a key that nobody knows says nothing; one of a known key that
does not fit makes the note worthless. Keys are Ed25519, and have a name, which their id depends on.
"""

import base64
import hashlib
import re
from binascii import Error as NoBase64
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from msgspec import Struct

from seatwarden.engine.common.files import patiently

_DASH = "— "
_KEY_NAME = re.compile(r"[^\s+]{1,200}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LINE = re.compile(r"— ([^\s+]{1,200}) ([A-Za-z0-9+/]{4,400}={0,2})")
_ED25519 = b"\x01"
"""What kind of key it is, in the specification's number."""
KEY_BYTES, SIGNATURE_BYTES, ID_BYTES = 32, 64, 4
MOST_LINES = 100
"""Most lines of signatures that a note may have."""
MOST_BYTES = 100_000
"""Most bytes that a file with a note may have."""


class NotSigned(ValueError):
    """What is read is no signed note, no key, or is signed by none of the keys that are asked for."""


class PublicKey(Struct, frozen=True, order=True):
    """A key by which signatures are checked: its name, and the 32 bytes of an Ed25519 key."""

    name: str
    key: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """The key that is written as NAME+ID+KEY. Raises NotSigned."""
        name, _, rest = text.strip().partition("+")
        digits, _, encoded = rest.partition("+")
        try:
            data = base64.b64decode(encoded, validate=True)
        except (NoBase64, ValueError):
            data = b""
        if (
            not _KEY_NAME.fullmatch(name)
            or not name.isprintable()
            or data[:1] != _ED25519
            or len(data) != 1 + KEY_BYTES
        ):
            raise NotSigned("is no public key: one is written as NAME+ID+KEY")
        found = cls(name, data[1:])
        if found.id.hex() != digits:
            raise NotSigned("is no public key as it was written: its id does not fit")
        return found

    @property
    def id(self) -> bytes:
        """What lines of signatures call it by: 4 bytes."""
        return hashlib.sha256(f"{self.name}\n".encode() + _ED25519 + self.key).digest()[:ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self.key).decode()}"

    def fits(self, text: str, signature: bytes) -> bool:
        """Whether a signature is that of this key over a text."""
        from cryptography.exceptions import InvalidSignature  # takes a while to import
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class SignatureLine(Struct, frozen=True):
    """A line below a note: by which key, as far as that is said, and the signature."""

    name: str
    id: bytes
    signature: bytes


class SignedNote(Struct, frozen=True):
    """A note: its text, which ends with a line break, and the lines below it."""

    text: str
    lines: tuple[SignatureLine, ...]

    def signed_by(self, keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
        """Those of some keys that have signed it. Raises NotSigned where a line of one of them does not fit."""
        found = []
        for key in dict.fromkeys(keys):
            mine = [line for line in self.lines if (line.name, line.id) == (key.name, key.id)]
            if any(not key.fits(self.text, line.signature) for line in mine):
                raise NotSigned(f"was changed: the signature of `{key.name}` does not fit")
            if mine:
                found.append(key)
        return tuple(found)


def parse_note(data: bytes) -> SignedNote:
    """The note in a file. Raises NotSigned."""
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise NotSigned("is no signed note: it is not text in UTF-8") from None
    text, separator, below = whole.rpartition("\n\n")
    lines = below.split("\n")
    if _CONTROL.search(whole) or not separator or lines[-1:] != [""] or not 1 < len(lines) <= MOST_LINES + 1:
        raise NotSigned("is no signed note")
    return SignedNote(f"{text}\n", tuple(map(_signature_line, lines[:-1])))


def read_note_file(path: Path) -> bytes:
    """The bytes of a file that is to be a note. Raises NotSigned for what cannot be one, FileNotFoundError."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise NotSigned("is no file")
        with patiently(path.open, "rb") as file:
            data: bytes = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise NotSigned(f"cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise NotSigned("is no signed note: it is too long for one")
    return data


def note_of(text: str, lines: Iterable[SignatureLine]) -> bytes:
    """The file of a note: `text` ends with a line break and has no other control characters."""
    written = (f"{_DASH}{line.name} {base64.b64encode(line.id + line.signature).decode()}\n" for line in lines)
    return f"{text}\n{''.join(written)}".encode()


def _signature_line(line: str) -> SignatureLine:
    found = _LINE.fullmatch(line)
    try:
        data = base64.b64decode(found[2], validate=True) if found else b""
    except (NoBase64, ValueError):
        data = b""
    if found is None or len(data) <= ID_BYTES or base64.b64encode(data).decode() != found[2]:
        raise NotSigned("is no signed note: a line below it is no signature")
    return SignatureLine(found[1], data[:ID_BYTES], data[ID_BYTES:])
