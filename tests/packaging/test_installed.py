"""What users install, the sdist and the wheel of it: each is installed into an empty environment, and run there.

That needs the package index. Where it cannot be reached, these tests are skipped.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from seatwarden.engine.version import VERSION
from tests.paths import ROOT

STRANGERS = {"policy": "1.0.0", "grammar": "1.6"}
"""Packages of PyPI that have the names of our folders."""
HOSTILE = "raise SystemExit(f'{__file__} was run')\n"


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


@pytest.fixture(scope="module")
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


@pytest.fixture(scope="module")
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


def test_the_wheel_has_all_that_is_read_and_one_name(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        names = archive.namelist()
    packed = {name.removeprefix("seatwarden/") for name in names}
    assert {name.split("/")[0] for name in names} == {"seatwarden", f"seatwarden-{VERSION}.dist-info"}
    floors = {path for floor in ("grammar", "policy", "engine") for path in (ROOT / floor).rglob("*.*")}
    files = {path.relative_to(ROOT).as_posix() for path in floors if path.suffix != ".pyc"}
    assert {Path(name).suffix for name in files} >= {".lark", ".tables", ".css", ".j2", ".js"}
    assert files <= packed
    pages = {page.name for page in (ROOT / "docs" / "codes").iterdir()}
    assert pages == {name.removeprefix("policy/pages/") for name in packed if name.startswith("policy/pages/")}
    beside = packed - files - {f"policy/pages/{page}" for page in pages}
    assert {name for name in beside if ".dist-info/" not in name} == {
        "__init__.py",
        "__main__.py",
        "api.py",
        "py.typed",
    }


def test_the_wheel_works_where_nothing_else_is(built: Built, strangers: Path, environment: Environment) -> None:
    environment.install(built.wheel)
    _check_commands(environment)
    _check_demo(environment)
    # Packages of the same names beside it, and files of the same names in the working folder.
    environment.install("--no-deps", *strangers.iterdir())
    find = "from importlib.util import find_spec as find; print(*(find(name).name for name in ('policy', 'grammar')))"
    assert environment.run("python", "-c", find) == "policy grammar\n"
    _check_commands(environment)
    shutil.rmtree(environment.here / "seatwarden-demo")
    for name in ("policy", "grammar", "engine", "seatwarden"):
        (environment.here / f"{name}.py").write_text(HOSTILE, encoding="utf-8")
    assert environment.run("seatwarden", "--version") == f"seatwarden {VERSION}\n"
    _check_demo(environment)


@pytest.mark.usefixtures("strangers")
def test_the_sdist_works_where_nothing_else_is(built: Built, environment: Environment) -> None:
    environment.install(built.sdist)
    _check_commands(environment)


def _check_commands(environment: Environment) -> None:
    """The command is there by both names, with the files that it reads."""
    assert environment.run("seatwarden", "--version") == f"seatwarden {VERSION}\n"
    assert environment.run("python", "-m", "seatwarden", "--version") == f"seatwarden {VERSION}\n"
    page = (ROOT / "docs" / "codes" / "SW301.md").read_text(encoding="utf-8")
    assert environment.run("seatwarden", "lint", "--explain", "SW301").strip() == page.strip()
    policy = environment.here / "written.policy"
    policy.write_text("release analyzer when unused for 30 days\n", encoding="utf-8")
    assert environment.run("seatwarden", "lint", policy.name) == "no findings in 1 file\n"
    assert environment.run("seatwarden", "schema").startswith("{")


def _check_demo(environment: Environment) -> None:
    """The whole tour; the process in it has done a part of the work before it was killed."""
    told = environment.run("seatwarden", "demo")
    killed = re.search(r"^Killed\n  QRS has deleted (\d+) licenses", told, re.MULTILINE)
    assert killed is not None
    assert 7 <= int(killed[1]) < 19
    assert "19 licenses were deleted on the simulated site, 19 different ones." in told
