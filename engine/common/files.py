"""Writing files so that they exist whole or not at all, readable only to their owner.

On Windows a file that another process has open can often be neither replaced nor deleted nor opened; and a virus
scanner, a backup or a monitor opens what has just been written. What is done to files here waits a moment for them.
"""

import errno
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

from seatwarden.engine.common.rights import FOR_US, give_rights, make_folder_for_us, open_for_us, rights_of

_P = ParamSpec("_P")
_T = TypeVar("_T")
_BUFFER = 1 << 20
_HELD = (5, 32, 33, 145)
"""ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_DIR_NOT_EMPTY: winerror.h. The first also
stands for a file that was deleted while it was open, and for one that may really not be touched; the last for a folder
whose files were deleted while they were open, and are in it until they are closed."""
PAUSES = (0.01, 0.02, 0.04, 0.08, 0.15, 0.2, 0.3, 0.4, 0.4, 0.4)
"""Seconds between the tries, 2 in all."""


def patiently(call: Callable[_P, _T], *given: _P.args, **named: _P.kwargs) -> _T:
    """The result of a call on a file, tried again for 2 seconds where another process has the file. Raises OSError."""
    for pause in PAUSES:
        try:
            return call(*given, **named)
        except OSError as error:
            if not _is_held(error):
                raise
        time.sleep(pause)
    return call(*given, **named)


def _is_held(error: OSError) -> bool:
    """Whether Windows says so. `open` and `os.open` tell only EACCES there."""
    code = getattr(error, "winerror", None)
    return code in _HELD if code is not None else os.name == "nt" and error.errno == errno.EACCES


def read_file(path: Path) -> bytes:
    """The content of a file. Raises OSError."""
    return patiently(path.read_bytes)


def move_file(source: Path, target: Path) -> None:
    """Moves a file, over another if there is one. Raises OSError."""
    patiently(os.replace, source, target)


def move_folder(source: Path, target: Path) -> None:
    """Moves a folder to where nothing is. Raises OSError."""
    patiently(os.rename, source, target)  # Windows promises to replace files alone


def remove_file(path: Path) -> None:
    """Deletes a file; one that is not there is no error. Raises OSError."""
    patiently(path.unlink, missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Deletes a folder with all that is in it. Raises OSError."""
    patiently(shutil.rmtree, folder)


def make_private_folder(folder: Path) -> None:
    """Creates a folder (and its parents) that only its owner can read; one that exists is left as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        make_folder_for_us(folder)
    except FileExistsError:
        if not folder.is_dir():
            raise


def write_atomically(path: Path, data: bytes | Iterable[bytes], *, mode: int = FOR_US) -> None:
    """Writes `data`, or its pieces, under a temporary name, flushes it to the disk and renames it. Raises OSError.

    A new file has the permissions `mode`, less what the process masks: on Windows it is for us alone by FOR_US, and has
    the rights of its folder by any other. When a piece cannot be made, nothing is left
    behind.
    """
    temporary = path.with_name(f".{path.name}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    if mode == FOR_US:
        descriptor = patiently(open_for_us, temporary, flags)
    else:
        descriptor = patiently(os.open, temporary, flags, mode)
    try:
        with os.fdopen(descriptor, "wb", buffering=_BUFFER) as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            # Before the rename: a file system may write names sooner than content, and a crash leaves an empty file.
            file.flush()
            os.fsync(file.fileno())
        move_file(temporary, path)
    except BaseException:
        with suppress(OSError):  # why it was not written matters more; the next try writes over it
            remove_file(temporary)
        raise
    sync_folder(path.parent)


def replace_file(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Writes a file of the user's anew, whole or not at all; its rights stay, a link stays one. Raises OSError."""
    target = path.resolve(strict=True)
    rights = rights_of(target)
    write_atomically(target, data)
    give_rights(target, rights)


def sync_folder(folder: Path) -> None:
    """Makes the rename itself durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Writes new files into a folder, which is made if need be: all of them, or none when one cannot be written.

    Raises FileExistsError when there is one already, OSError.
    """
    made = [place for place in (folder, *folder.parents) if not place.exists()]
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in contents.items():
            path = folder / name
            with path.open("xb") as file:
                written.append(path)
                file.write(data)
    except BaseException:  # also Ctrl-C
        for path in written:
            remove_file(path)
        for place in made:
            if place.exists():
                place.rmdir()
        raise
