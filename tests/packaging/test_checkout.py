"""A checkout as it is on Windows, where Git is often set up to write CRLF."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.paths import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("git") is None or not (ROOT / ".git").exists(), reason="needs Git and its repository"
)


def test_files_have_the_same_bytes_everywhere(tmp_path: Path) -> None:
    """Tests compare many of them byte for byte, and so do the digests of a package."""
    _git("clone", "--quiet", "--shared", "--config", "core.autocrlf=true", str(ROOT), str(tmp_path / "there"))
    differing = [
        line
        for line in _git("-C", str(tmp_path / "there"), "ls-files", "--eol").splitlines()
        if line.split()[1] in ("w/crlf", "w/mixed")
    ]
    assert differing == []


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, encoding="utf-8").stdout  # noqa: S607 - the user's Git
