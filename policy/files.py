"""Reading text that people wrote, on any system."""

import codecs
from pathlib import Path

from seatwarden.grammar.suggest import nearest
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import folder_for_file, refuse_foreign

MAX_BYTES = 8_000_000
"""Largest text file that is read."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16-be"),
)
"""Byte order marks, the encoding in which each is read with what it marks, and that of what stands behind it."""


def read_text(path: Path, what: str) -> str:
    """The text of a file: see `read_source`. Raises InputError."""
    return read_source(path, what)[1]


def read_source(path: Path, what: str) -> tuple[bytes, str]:
    """The bytes of a file, and its text: UTF-8, or UTF-16 when it starts with a byte order mark (PowerShell writes it).

    `what` names the kind of file in messages ("policy", "site file"). Raises InputError.
    """
    try:
        if path.is_dir():
            raise folder_for_file(path, what)
        if path.stat().st_size > MAX_BYTES:
            refuse_foreign(path, None, what)
            raise InputError(f"{what} `{path}` is too large: more than {MAX_BYTES:,} bytes")
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{what} `{path}` does not exist", near_file(path)) from None
    except OSError as error:
        raise InputError(f"{what} `{path}` cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL, or half of a surrogate pair
        raise InputError(f"{what} `{path}` cannot be read: its name has a character that no file name has") from None
    refuse_foreign(path, data, what)
    encoding = next((name for bom, name, _ in _MARKS if data.startswith(bom)), "utf-8")
    # UTF-16 without a mark is valid UTF-8 as long as its letters are ASCII: with a NUL beside each.
    if encoding == "utf-8" and b"\0" in data:
        help_ = "if it is a text (UTF-16 without a mark?), save it as UTF-8 in your editor"
        raise InputError(f"{what} `{path}` is not UTF-8 text: it has NUL characters", help_)
    try:
        return data, data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        help_ = "save it as UTF-8 in your editor"
        raise InputError(f"{what} `{path}` is not UTF-8 text (line {line}, byte {error.start})", help_) from None


def encoded_like(data: bytes, text: str) -> bytes:
    """A text in the encoding, and with the byte order mark, that a file's bytes have."""
    mark, encoding = next(((bom, bare) for bom, _, bare in _MARKS if data.startswith(bom)), (b"", "utf-8"))
    return mark + text.encode(encoding)


def decode_json_bytes(data: bytes, what: str) -> bytes:
    """JSON as UTF-8 without a byte order mark, from UTF-8 or marked UTF-16. Raises InputError."""
    for bom, encoding, _ in _MARKS:
        if data.startswith(bom):
            try:
                return data.decode(encoding).encode()
            except UnicodeDecodeError as error:
                raise InputError(f"{what} is not {encoding} text (byte {error.start})") from None
    return data


def near_file(path: Path) -> str | None:
    """A help line for a missing file: the nearest name beside it, or that its folder is not there; None for neither."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"there is no folder `{path.parent}` here"
    stem, dot, suffix = path.name.partition(".")
    # Nearly all files here end in the same way: an equal ending is no likeness.
    alike = {name.partition(".")[0]: name for name in names if name.partition(".")[1:] == (dot, suffix)}
    others = [name for name in names if name not in alike.values()]
    found = alike.get(nearest(stem, alike) or "") or nearest(path.name, others)
    return f"did you mean `{path.with_name(found)}`?" if found else None
