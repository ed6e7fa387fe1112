"""Writing files so that they exist whole or not at all, readable only to their owner."""

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

_BUFFER = 1 << 20


def make_private_folder(folder: Path) -> None:
    """Creates a folder (and its parents) that only its owner can read; one that exists is left as it is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_atomically(path: Path, data: bytes | Iterable[bytes], *, mode: int = 0o600) -> None:
    """Writes `data`, or its pieces, under a temporary name, flushes it to the disk and renames it. Raises OSError.

    A new file has the permissions `mode`, less what the process masks. When a piece cannot be made, nothing is left
    behind.
    """
    temporary = path.with_name(f".{path.name}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb", buffering=_BUFFER) as file:
            file.writelines([data] if isinstance(data, bytes) else data)
            # Before the rename: a file system may write names sooner than content, and a crash leaves an empty file.
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replace_file(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Writes a file of the user's anew, whole or not at all; its permissions stay, a link stays one. Raises OSError."""
    target = path.resolve(strict=True)
    mode = stat.S_IMODE(target.stat().st_mode)
    write_atomically(target, data)
    target.chmod(mode)


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
            path.unlink(missing_ok=True)
        for place in made:
            if place.exists():
                place.rmdir()
        raise
