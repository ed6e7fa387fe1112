"""`seatwarden fmt` from the outside."""

import os
import stat
import sys
from pathlib import Path

import pytest

from seatwarden.grammar.errors import Defect
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES

UGLY = 'keep   "a" when user.inactive # why\nrelease when unused for 30 days\n'
NEAT = 'keep "a" when user.inactive  # why\nrelease when unused for 30 days\n'


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    path = tmp_path / "ugly.policy"
    path.write_bytes(UGLY.encode())
    return path


def test_a_file_is_formatted_once(run: Run, ugly: Path) -> None:
    ran = run("fmt", ugly)
    assert (ran.code, ran.out, ran.err) == (0, f"formatted {ugly}\n", "1 file formatted\n")
    assert ugly.read_bytes() == NEAT.encode()
    assert run("fmt", ugly).out == ""


def test_check_changes_nothing(run: Run, ugly: Path) -> None:
    ran = run("fmt", "--check", ugly, EXAMPLES / "season.policy")
    assert (ran.code, ran.out) == (1, f"would change {ugly}\n")
    assert ugly.read_bytes() == UGLY.encode()
    assert run("fmt", "--check", *EXAMPLES.glob("*.policy")).code == 0


def test_diff_shows_what_would_change(run: Run, ugly: Path) -> None:
    ran = run("fmt", "--diff", ugly)
    assert ran.code == 0
    assert '-keep   "a" when user.inactive # why\n+keep "a" when user.inactive  # why\n' in ran.out
    assert run("fmt", "--diff", "--check", ugly).code == 1
    assert ugly.read_bytes() == UGLY.encode()


def test_diff_says_where_the_last_line_has_no_end(run: Run, ugly: Path) -> None:
    ugly.write_text(NEAT.rstrip("\n"), encoding="utf-8")
    assert "\\ No newline at end of file\n+release" in run("fmt", "--diff", ugly).out


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (UGLY.replace("\n", "\r\n").encode(), NEAT.replace("\n", "\r\n").encode()),
        (UGLY.replace("\n", "\r").encode(), NEAT.encode()),
        ((NEAT.replace("\n", "\r\n", 1)).encode(), NEAT.replace("\n", "\r\n").encode()),
        (b"\xef\xbb\xbf" + NEAT.encode(), NEAT.encode()),
        (UGLY.replace("\n", "\r\n").encode("utf-16"), NEAT.replace("\n", "\r\n").encode()),
        (b"", b""),
        (b"\n\n", b""),
        ("# Åsa\n".encode(), "# Åsa\n".encode()),
    ],
)
def test_line_ends_stay_and_utf_8_is_written(run: Run, tmp_path: Path, before: bytes, after: bytes) -> None:
    path = tmp_path / "a.policy"
    path.write_bytes(before)
    assert run("fmt", "--check", path).code == (before != after)
    assert run("fmt", "--diff", path).code == 0
    assert run("fmt", path).code == 0
    assert path.read_bytes() == after


def test_every_file_is_looked_at(run: Run, ugly: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.policy"
    broken.write_text('keep "x" whn user.inactive\nrelease when\n', encoding="utf-8")
    ran = run("fmt", broken, tmp_path / "ulgy.policy", ugly)
    assert ran.code == 2
    assert "broken.policy:1:10" in ran.err
    assert "`when`?" in ran.err
    assert "broken.policy:2" in ran.err, "all errors, not only the first"
    assert "ulgy.policy`" in ran.err
    assert broken.read_text(encoding="utf-8").startswith("keep"), "a file with errors stays as it is"
    assert ugly.read_bytes() == NEAT.encode()
    assert run("fmt", "--check", broken, ugly).code == 2


def test_yaml_is_left_alone(run: Run, tmp_path: Path) -> None:
    for name in ("butler.yaml", "b.yml", "b.JSON"):
        path = tmp_path / name
        path.write_text("licenseType:   {}\n", encoding="utf-8")
        ran = run("fmt", "--check", path)
        assert ran.code == 0
        assert str(path) in ran.err
        assert path.read_text(encoding="utf-8") == "licenseType:   {}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="such modes and links are POSIX")
def test_permissions_and_links_stay(run: Run, ugly: Path, tmp_path: Path) -> None:
    ugly.chmod(0o640)
    link = tmp_path / "link.policy"
    link.symlink_to(ugly)
    assert run("fmt", link).code == 0
    assert link.is_symlink()
    assert ugly.read_bytes() == NEAT.encode()
    assert stat.S_IMODE(ugly.stat().st_mode) == 0o640


def test_a_defect_leaves_the_file_as_it_was(run: Run, ugly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(text: str, file: str) -> str:
        raise Defect("the formatted text would mean something else")

    monkeypatch.setattr("seatwarden.engine.cli.commands.fmt.format_policy", wrong)
    ran = run("fmt", ugly)
    assert ran.code == 2
    assert "cannot be formatted" in ran.err
    assert ugly.read_bytes() == UGLY.encode()


def test_a_file_that_cannot_be_written(run: Run, ugly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(source: object, target: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "replace", denied)
    ran = run("fmt", ugly)
    assert ran.code == 2
    assert "cannot be written" in ran.err
    assert ugly.read_bytes() == UGLY.encode()
