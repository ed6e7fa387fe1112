"""`seatwarden fix` from the outside."""

from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES

UNTIDY = 'let x = ["å"]\r\nkeep "a" when user.inactive or (user.inactive and user.tags = "x")  # why\r\n'
RELEASE = "release when unused for 30 days\r\n"
TIDY = 'keep "a" when user.inactive  # why\r\n' + RELEASE


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_tidied_up_in_its_encoding(run: Run, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.policy"
    path.write_bytes((UNTIDY + RELEASE).encode(encoding))
    ran = run("fix", path)
    assert (ran.code, ran.err) == (0, "1 file changed\n")
    assert ran.out == (
        f"fixed {path}:1:5: SW314 `x` is never used: Remove `x`\n"
        f'fixed {path}:2:33: SW304 a part of `keep "a"` changes nothing: Remove this part\n'
    )
    assert path.read_bytes() == TIDY.encode(encoding)
    assert run("fix", path).err == "0 files changed\n"


def test_diff_changes_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.policy"
    path.write_bytes((UNTIDY + RELEASE).encode())
    ran = run("fix", "--diff", path)
    assert (ran.code, ran.err) == (0, "1 file would change\n")
    assert '-let x = ["å"]\n' in ran.out
    assert '+keep "a" when user.inactive  # why\n' in ran.out
    assert path.read_bytes() == (UNTIDY + RELEASE).encode()


def test_what_only_the_writer_can_decide_is_shown(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.policy"
    path.write_text('keep when user.tgas = "x"\n', encoding="utf-8")
    ran = run("fix", path)
    assert ran.code == 1, "an error is left"
    assert ran.out.splitlines()[0] == (
        f"left to you: {path}:1:11: SW101 unknown field `user.tgas`: Write user.tags — "
        "what the policy means has to be said by you"
    )
    assert ran.err == "0 files changed; 2 left to you\n1 error left; `seatwarden lint` shows where\n"


def test_names_of_a_snapshot_are_offered(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.policy"
    path.write_text('keep when user.roles = "RootAdmn"\nrelease when unused for 30 days\n', encoding="utf-8")
    ran = run("fix", path, "--snapshot", EXAMPLES / "site.json")
    assert ran.code == 0
    assert 'Write "RootAdmin" — the policy would mean something else' in ran.out


def test_a_file_that_cannot_be_read_stops_no_other(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.policy"
    path.write_bytes((UNTIDY + RELEASE).encode())
    ran = run("fix", tmp_path / "none.policy", path)
    assert ran.code == 2
    assert "does not exist" in ran.err
    assert path.read_bytes() == TIDY.encode()


def test_a_key_of_butler_is_offered(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "butler.yaml"
    text = (EXAMPLES / "butler.yaml").read_text(encoding="utf-8").replace("userDirectory:", "userDirectry:")
    path.write_text(text, encoding="utf-8")
    assert "Write userDirectory" in run("fix", path).out
    assert path.read_text(encoding="utf-8") == text
