"""What users install, built once, and empty environments to install it into."""

import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.paths import ROOT

STRANGERS = {"policy": "1.0.0", "grammar": "1.6"}
"""Packages of PyPI that have the names of our folders."""


@dataclass(frozen=True)
class Built:
    """What is uploaded."""

    sdist: Path
    wheel: Path


@dataclass(frozen=True)
class Environment:
    """A virtual environment in `folder`, whose commands run in `here` and do not know of this checkout."""

    folder: Path
    here: Path

    @property
    def programs(self) -> Path:
        """Where its commands are."""
        return self.folder / ("Scripts" if os.name == "nt" else "bin")

    def install(self, *what: object) -> None:
        """Install packages, by the pip of the tests: a venv without its own is made in no time."""
        pip = [sys.executable, "-m", "pip", "--python", self.programs / "python", "install", "--quiet"]
        _run(*pip, "--no-warn-script-location", *what)

    def run(self, program: str, *arguments: str) -> str:
        """What a command prints. It must end with 0."""
        home = str(self.folder.with_name("home"))
        return _run(self.programs / program, *arguments, here=self.here, HOME=home, XDG_STATE_HOME=home)


def _run(*command: object, here: Path | None = None, **variables: str) -> str:
    """The output of a command that ends with 0."""
    ended = _try(*command, here=here, **variables)
    assert ended.returncode == 0, f"{ended.args}\n{ended.stdout}\n{ended.stderr}"
    return ended.stdout


def _try(*command: object, here: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [str(word) for word in command],
        cwd=here,
        env={**environment, "PYTHONUTF8": "1", **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The sdist of this checkout, and the wheel of that sdist, as pip would build it."""
    folder = tmp_path_factory.mktemp("built")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder]
    _run(*build, "--sdist", ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    _run(*build, "--wheel", folder / sdist.name.removesuffix(".tar.gz"))
    (wheel,) = folder.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="session")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the same names, downloaded; that they can be shows that the index answers."""
    folder = tmp_path_factory.mktemp("strangers")
    wanted = [f"{name}=={version}" for name, version in STRANGERS.items()]
    fetched = _try(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, *wanted)
    if fetched.returncode != 0:
        pytest.skip(f"NOT RUN: what users install is tried with the package index:\n{fetched.stderr}")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """An environment with nothing in it, and a working folder that is empty, too."""
    _run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    (tmp_path / "here").mkdir()
    return Environment(tmp_path / "venv", tmp_path / "here")
