"""What users install, the sdist and the wheel of it: each is installed into an empty environment, and run there.

That needs the package index. Where it cannot be reached, these tests are skipped.
"""

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from seatwarden.engine.version import VERSION
from tests.packaging.conftest import Built, Environment
from tests.paths import ROOT

HOSTILE = "raise SystemExit(f'{__file__} was run')\n"


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


@pytest.mark.long
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


@pytest.mark.long
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
