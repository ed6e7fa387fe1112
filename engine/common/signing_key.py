"""Signing keys in files: PKCS8 in PEM, encrypted with a passphrase, and above it the public key in plain words.

The passphrase is stretched by scrypt (RFC 7914) with 2^17 rounds, which takes half a second and 128 MB: who has stolen
the file has to guess at that rate. `cryptography` reads such files; it writes none, so their few fields are put
together here, as RFC 5208, RFC 8018 and RFC 7914 have them.
"""

import base64
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seatwarden.engine.common.rights import open_to_all, take_away
from seatwarden.engine.common.signed_note import NotSigned, PublicKey, SignatureLine, note_of
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import folder_for_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_MOST_POWER = 17
_ROUNDS, _BLOCK = 2**_MOST_POWER, 8
SALT_BYTES = 16
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_SCRYPT = bytes.fromhex("06092b06010401da47040b")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
"""Object identifiers, as DER writes them."""
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04
_ENCRYPTED = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_MOST_BYTES = 10_000
_OTHERS = 0o077
"""The rights of the group and of all others."""
LEAST_LETTERS = 8
"""Fewest letters of a passphrase."""


class WrongPassphrase(InputError):
    """A signing key is not opened by a passphrase; or its file is damaged, which looks the same."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs."""

    public: PublicKey
    _private: "Ed25519PrivateKey" = field(repr=False)

    def sign(self, text: str) -> bytes:
        """The file of a note with that text, which ends with a line break, signed by this key."""
        return note_of(text, [SignatureLine(self.public.name, self.public.id, self._private.sign(text.encode()))])


def new_signing_key(name: str, passphrase: str, drawn: bytes) -> tuple[PublicKey, bytes]:
    """A new key and its file. `drawn` are 64 random bytes: a salt, where the encryption begins, and the key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    salt, start, key = drawn[:16], drawn[16:32], drawn[32:]
    private = Ed25519PrivateKey.from_private_bytes(key)
    public = PublicKey(name, private.public_key().public_bytes_raw())
    PublicKey.parse(str(public))
    plain = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return public, f"{public}\n".encode() + _pem(_encrypted(plain, passphrase, salt, start))


def read_signing_key(path: Path, passphrase: str) -> SigningKey:
    """The key in a file. Raises InputError."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _data_of(path)
    public = _public(path, data)
    if _ENCRYPTED not in data or not _is_stretched(data):
        help_ = "make one with `seatwarden log new-key --sign`; a key without a passphrase is everybody's who copies it"
        raise InputError(f"the signing key `{path}` is not encrypted as ours are", help_)
    try:
        private = load_pem_private_key(data, _bytes_of(passphrase))
    except (TypeError, ValueError):  # an empty passphrase is none to it
        raise WrongPassphrase(f"the passphrase of the signing key `{path}` is wrong, or the file is damaged") from None
    if not isinstance(private, Ed25519PrivateKey) or private.public_key().public_bytes_raw() != public.key:
        raise InputError(f"the signing key `{path}` is not the one that its first line names")
    return SigningKey(public, private)


def public_key_in(path: Path) -> PublicKey:
    """The public key that a file's first line says: one for checking alone, or one that signs. Raises InputError."""
    return _public(path, _data_of(path, is_secret=False))


def _data_of(path: Path, *, is_secret: bool = True) -> bytes:
    what = "signing key" if is_secret else "public key"
    try:
        if path.is_dir():
            raise folder_for_file(path, "key file")
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
        others = is_secret and (open_to_all(path) or (sys.platform != "win32" and path.stat().st_mode & _OTHERS))
    except OSError as error:
        help_ = "make one with `seatwarden log new-key --sign`"
        raise InputError(f"the {what} `{path}` cannot be read: {error.strerror}", help_) from None
    if others:
        raise InputError(f"other users of this machine can read or change the signing key `{path}`", take_away(path))
    return data


def _public(path: Path, data: bytes) -> PublicKey:
    try:
        return PublicKey.parse(data.partition(b"\n")[0].decode())
    except (NotSigned, UnicodeDecodeError):
        help_ = "its first line is the public key, NAME+ID+KEY: `seatwarden log new-key --sign` writes both"
        raise InputError(f"`{path}` is no key for signatures", help_) from None


def _is_stretched(data: bytes) -> bool:
    """Whether its passphrase is stretched as we do it, as far as a file says: a foreign one may ask for gigabytes."""
    try:
        der = base64.b64decode(data.partition(_ENCRYPTED)[2].partition(b"-----")[0])
    except ValueError:
        return False
    at = der.find(_SCRYPT) + len(_SCRYPT) + len(_der(_SEQUENCE, b"")) + len(_der(_OCTETS, bytes(SALT_BYTES)))
    allowed = (_number(2**power) + _number(_BLOCK) + _number(1) for power in range(1, _MOST_POWER + 1))
    return _SCRYPT in der and any(der[at:].startswith(one) for one in allowed)


def _bytes_of(passphrase: str) -> bytes:
    """A passphrase as bytes, whatever a terminal or a variable has made of it."""
    return passphrase.encode("utf-8", "surrogatepass")


def _encrypted(plain: bytes, passphrase: str, salt: bytes, start: bytes) -> bytes:
    """A key as EncryptedPrivateKeyInfo, in DER."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
    from cryptography.hazmat.primitives.padding import PKCS7

    key = Scrypt(salt=salt, length=32, n=_ROUNDS, r=_BLOCK, p=1).derive(_bytes_of(passphrase))
    padder, cipher = PKCS7(128).padder(), Cipher(algorithms.AES(key), modes.CBC(start)).encryptor()
    hidden = cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()
    stretched = _der(_SEQUENCE, _der(_OCTETS, salt), *map(_number, (_ROUNDS, _BLOCK, 1)))
    parts = _der(_SEQUENCE, _SCRYPT, stretched), _der(_SEQUENCE, _AES_256_CBC, _der(_OCTETS, start))
    return _der(_SEQUENCE, _der(_SEQUENCE, _PBES2, _der(_SEQUENCE, *parts)), _der(_OCTETS, hidden))


def _der(tag: int, *parts: bytes) -> bytes:
    """A value of DER; none here is longer than a length of one byte tells."""
    content = b"".join(parts)
    length = [len(content)] if len(content) < 0x80 else [0x81, len(content)]
    return bytes([tag, *length]) + content


def _number(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _pem(der: bytes) -> bytes:
    encoded = base64.b64encode(der)
    lines = (encoded[at : at + 64] + b"\n" for at in range(0, len(encoded), 64))
    return b"%b\n%b-----END ENCRYPTED PRIVATE KEY-----\n" % (_ENCRYPTED, b"".join(lines))
