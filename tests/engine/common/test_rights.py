"""Who can read a file: by its mode, by the list of rights of Windows, and where nobody can tell."""

import sys
from pathlib import Path

import pytest

from seatwarden.engine.common import rights
from seatwarden.engine.common.files import make_private_folder, replace_file, write_atomically
from seatwarden.engine.common.key_file import read_key
from seatwarden.engine.common.rights import give_rights, lets_everybody, open_to_all, take_off_read_only
from seatwarden.policy.errors import InputError
from tests.engine.support import let_others_in
from tests.platforms import WINDOWS

KEY = b"k" * 32
windows = pytest.mark.windows
READ, WRITE, NOTHING_MUCH = 0x1, 0x2, 0x120088


@pytest.mark.skipif(WINDOWS, reason="on Windows a file has no mode that says it")
@pytest.mark.parametrize(
    ("mode", "folder", "to_all", "to_change"),
    [
        (0o600, 0o755, False, False),
        (0o640, 0o755, False, False),
        (0o660, 0o755, False, False),
        (0o644, 0o755, True, False),
        (0o602, 0o755, True, True),
        (0o644, 0o700, False, False),
        (0o646, 0o711, True, True),
    ],
)
def test_by_mode(tmp_path: Path, mode: int, folder: int, to_all: bool, to_change: bool) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "key").write_bytes(KEY)
    let_others_in(tmp_path)
    (inner / "key").chmod(mode)
    inner.chmod(folder)
    (tmp_path / "link").symlink_to(inner / "key")
    for path in (inner / "key", tmp_path / "link"):
        assert open_to_all(path) is to_all
        assert open_to_all(path, to_change=True) is to_change


@pytest.mark.parametrize("many", ["S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-21-1-2-3-513"])
@pytest.mark.parametrize("few", ["S-1-5-18", "S-1-5-32-544", "S-1-5-21-1-2-3-1113", "S-1-5-32-551"])
def test_by_whom_the_rights_are_given(many: str, few: str) -> None:
    assert lets_everybody([(few, READ), (many, READ)])
    assert lets_everybody([(many, WRITE)], WRITE)
    assert not lets_everybody([(many, READ)], WRITE)
    assert not lets_everybody([(few, READ | WRITE), (many, NOTHING_MUCH)])


def _open_to_everybody(path: Path) -> None:
    """Lets every user read a file, as folders on C: do."""
    if sys.platform != "win32":
        let_others_in(path.parent)
        path.chmod(0o644)
        return
    import win32security

    sddl = "D:(A;;FA;;;BA)(A;;FA;;;OW)(A;;FR;;;WD)"
    give_rights(path, win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(sddl, 1))


def test_a_key_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.key"
    write_atomically(path, KEY)
    assert read_key(path) == KEY
    _open_to_everybody(path)
    with pytest.raises(InputError, match="every user of this machine can read or change the key file") as refused:
        read_key(path)
    assert str(path) in (refused.value.help or "")


@windows
def test_made_for_us_alone(tmp_path: Path) -> None:
    _open_to_everybody(tmp_path)
    make_private_folder(tmp_path / "state" / "run")
    make_private_folder(tmp_path / "state" / "run")
    write_atomically(tmp_path / "plan.jsonl", b"names")
    (tmp_path / "other").write_bytes(b"")
    assert not open_to_all(tmp_path / "state" / "run")
    assert not open_to_all(tmp_path / "plan.jsonl")
    assert (tmp_path / "plan.jsonl").read_bytes() == b"names"
    with pytest.raises(FileExistsError):
        make_private_folder(tmp_path / "other")


@windows
@pytest.mark.parametrize("private", [False, True])
def test_what_is_replaced_keeps_its_rights(tmp_path: Path, private: bool) -> None:
    path = tmp_path / "site.json"
    write_atomically(path, b"before")
    if not private:
        _open_to_everybody(path)
    replace_file(path, b"after")
    assert (path.read_bytes(), open_to_all(path)) == (b"after", not private)


def test_what_is_marked_read_only_can_be_deleted(tmp_path: Path) -> None:
    path = tmp_path / "run" / "policy" / "a.policy"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")
    path.chmod(0o400)
    if WINDOWS:
        with pytest.raises(PermissionError):
            path.unlink()
    take_off_read_only(tmp_path / "run")
    path.unlink()


@pytest.mark.usefixtures("without_pywin32")
def test_without_pywin32_nobody_can_tell(tmp_path: Path) -> None:
    assert not rights.left_to_folders()
    make_private_folder(tmp_path / "run")
    write_atomically(tmp_path / "run" / "key", KEY)
    assert rights.left_to_folders()
    assert open_to_all(tmp_path / "run" / "key") is None
    assert read_key(tmp_path / "run" / "key") == KEY
