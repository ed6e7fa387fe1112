"""Files that exist whole or not at all, are on the disk when the call returns, and that nobody else can read."""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from seatwarden.engine.common import files
from seatwarden.engine.common.files import (
    create_files,
    make_private_folder,
    move_file,
    move_folder,
    patiently,
    remove_file,
    remove_folder,
    replace_file,
    sync_folder,
    write_atomically,
)

posix = pytest.mark.skipif(os.name == "nt", reason="folders are flushed, and files have modes, on POSIX")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked of the disk, in order: the inode tells which file it is."""
    found: list[str] = []
    replace, fsync = os.replace, os.fsync

    def replacing(source: Path, target: Path) -> None:
        found.append(f"rename {Path(source).name} to {Path(target).name}, {Path(source).stat().st_size} bytes")
        replace(source, target)

    def flushing(descriptor: int) -> None:
        status = os.fstat(descriptor)
        found.append("flush folder" if stat.S_ISDIR(status.st_mode) else f"flush {status.st_size} bytes")
        fsync(descriptor)

    monkeypatch.setattr(os, "replace", replacing)
    monkeypatch.setattr(os, "fsync", flushing)
    return found


@posix
@pytest.mark.parametrize("data", [b"whole", [b"wh", b"ole"]])
def test_flushed_renamed_and_the_folder_flushed(tmp_path: Path, asked: list[str], data: bytes | list[bytes]) -> None:
    write_atomically(tmp_path / "plan.jsonl", data)
    assert asked == ["flush 5 bytes", "rename .plan.jsonl.part to plan.jsonl, 5 bytes", "flush folder"]
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("plan.jsonl", b"whole")]


@posix
def test_a_folder_is_flushed(tmp_path: Path, asked: list[str]) -> None:
    sync_folder(tmp_path)
    assert asked == ["flush folder"]


@posix
def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        make_private_folder(tmp_path / "state" / "run")
        write_atomically(tmp_path / "state" / "run" / "file", b"")
    finally:
        os.umask(former)
    assert stat.S_IMODE((tmp_path / "state" / "run").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "state" / "run" / "file").stat().st_mode) == 0o600


@posix
def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    make_private_folder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def _breaking() -> Iterator[bytes]:
    yield b"a part"
    raise ZeroDivisionError


def test_a_piece_that_cannot_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, _breaking())
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, _breaking())
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("plan.jsonl", b"before")]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_bytes(b"before")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, failing, full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"after")
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("plan.jsonl", b"before")]


class _Held(PermissionError):
    """What Windows says of a file that another process has open."""

    winerror = 32


class _Elsewhere:
    """Another process, which has the file for some tries of ours."""

    def __init__(self, tries: int, error: OSError) -> None:
        self._left = tries
        self._error = error
        self.asked = 0

    def holds(self, call: Callable[..., object]) -> Callable[..., object]:
        def held(*given: object, **named: object) -> object:
            self.asked += 1
            if self._left:
                self._left -= 1
                raise self._error
            return call(*given, **named)

        return held


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were waited, on no clock."""
    found: list[float] = []
    monkeypatch.setattr("time.sleep", found.append)
    return found


TRIES = len(files.PAUSES)


@pytest.mark.parametrize("tries", [0, 1, TRIES])
@pytest.mark.parametrize("code", [5, 32, 33])
def test_a_file_that_others_hold_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: list[float], tries: int, code: int
) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_bytes(b"before")
    monkeypatch.setattr(_Held, "winerror", code)
    for where, name in ((os, "replace"), (files, "open_for_us")):
        monkeypatch.setattr(where, name, _Elsewhere(tries, _Held()).holds(getattr(where, name)))
    write_atomically(path, b"after")
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("plan.jsonl", b"after")]
    monkeypatch.setattr(Path, "unlink", _Elsewhere(tries, _Held()).holds(Path.unlink))
    remove_file(path)
    assert waited == list(files.PAUSES[:tries]) * 3
    assert list(tmp_path.iterdir()) == []
    remove_file(path)  # which is not there


class _NotEmpty(OSError):
    """What Windows says of a folder whose files were deleted while somebody had them open."""

    winerror = 145


def test_a_folder_whose_files_others_still_have_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: list[float]
) -> None:
    (tmp_path / "run" / "policy").mkdir(parents=True)
    (tmp_path / "run" / "policy" / "a.policy").write_bytes(b"")
    monkeypatch.setattr(shutil, "rmtree", _Elsewhere(2, _NotEmpty()).holds(shutil.rmtree))
    remove_folder(tmp_path / "run")
    assert (waited, list(tmp_path.iterdir())) == (list(files.PAUSES[:2]), [])


def test_a_folder_is_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: list[float]) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "plan.jsonl").write_bytes(b"")
    monkeypatch.setattr(os, "rename", _Elsewhere(1, _Held()).holds(os.rename))
    move_folder(tmp_path / "run", tmp_path / "aside")
    assert ([path.name for path in tmp_path.rglob("*")], waited) == (["aside", "plan.jsonl"], [files.PAUSES[0]])


def test_one_that_is_never_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waited: list[float]) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_bytes(b"before")
    monkeypatch.setattr(os, "replace", _Elsewhere(1000, _Held(13, "in use")).holds(os.replace))
    with pytest.raises(PermissionError, match="in use"):
        write_atomically(path, b"after")
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("plan.jsonl", b"before")]
    assert sum(waited) == pytest.approx(2)


@pytest.mark.parametrize("error", [PermissionError(errno.EPERM, "not yours"), OSError(errno.ENOSPC, "full")])
def test_for_what_does_not_pass_nobody_waits(tmp_path: Path, waited: list[float], error: OSError) -> None:
    elsewhere = _Elsewhere(1, error)
    with pytest.raises(OSError, match=error.strerror):
        patiently(elsewhere.holds(move_file), tmp_path / "a", tmp_path / "b")
    assert (elsewhere.asked, waited) == (1, [])


def test_windows_tells_open_only_that_it_is_denied(monkeypatch: pytest.MonkeyPatch, waited: list[float]) -> None:
    denied = PermissionError(errno.EACCES, "Permission denied")
    if os.name != "nt":
        with pytest.raises(PermissionError):
            patiently(_Elsewhere(1, denied).holds(int))
        monkeypatch.setattr(files, "os", SimpleNamespace(name="nt"))
    assert patiently(_Elsewhere(1, denied).holds(int)) == 0
    assert waited == [files.PAUSES[0]]


def test_what_a_crash_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".plan.jsonl.part").write_bytes(b"longer than what comes now")
    write_atomically(tmp_path / "plan.jsonl", b"now")
    assert [(left.name, left.read_bytes()) for left in tmp_path.iterdir()] == [("plan.jsonl", b"now")]


@posix
def test_a_file_of_the_users_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"before")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    replace_file(tmp_path / "link", b"after")
    assert (tmp_path / "link").is_symlink()
    assert ((tmp_path / "file").read_bytes(), stat.S_IMODE((tmp_path / "file").stat().st_mode)) == (b"after", 0o640)


def test_all_files_or_none(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    create_files(folder, {"a": b"1", "b": b"2"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a": b"1", "b": b"2"}
    with pytest.raises(FileExistsError):
        create_files(folder, {"c": b"3", "b": b"other"})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a": b"1", "b": b"2"}
    with pytest.raises(FileNotFoundError):
        create_files(tmp_path / "another", {"a": b"1", "no/such": b"2"})
    assert not (tmp_path / "another").exists()
