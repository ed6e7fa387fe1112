"""The zip for Windows: how it is made, and, where `make windows-zip` has made it, what is in it.

That it works is tried by `.ci/windows_zip`, under Wine.
"""

import importlib
import io
import json
import random
import re
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from seatwarden.engine.version import VERSION
from tests.paths import ROOT
from tests.profiles import examples

_FOLDER = ROOT / "packaging" / "windows"
_MADE = datetime(2026, 11, 29, 12, 30, 10, tzinfo=UTC)
_LIBRARIES = ("jinja2", "requests", "lark", "seatwarden")


def _script(name: str) -> Any:
    sys.path.insert(0, str(_FOLDER))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(_FOLDER))


build_zip, bill = _script("build_zip"), _script("bill")


def _bill() -> str:
    """The bill of a few libraries that are installed here."""
    digests = {name: f"{number:064x}" for number, name in enumerate(_LIBRARIES)}
    packages = [distribution(name) for name in _LIBRARIES]
    return str(bill.bill(packages, "3.13.2", digests, _MADE))


def _check_bill(text: str) -> None:
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert error is None, error


@pytest.mark.parametrize(
    ("marker", "there"),
    [
        ("", True),
        (" ; sys_platform == 'win32'", True),
        (" ; sys_platform != 'win32'", False),
        (" ; os_name == 'nt' and platform_machine == 'AMD64'", True),
        (" ; python_full_version < '3.13'", False),
        (" ; platform_python_implementation != 'PyPy'", True),
    ],
)
def test_libraries_are_those_of_windows(marker: str, there: bool) -> None:
    constraints = f"# made by hand\na-b==1.0{marker} \\\n    --hash=sha256:12 \\\n    --hash=sha256:34\n"
    assert list(build_zip.for_windows(constraints)) == ["a-b==1.0 --hash=sha256:12 --hash=sha256:34"] * there


def test_every_library_has_its_digests() -> None:
    pins = list(build_zip.for_windows((ROOT / "constraints.txt").read_text(encoding="utf-8")))
    assert all(re.fullmatch(r"[a-z\d-]+==\S+( --hash=sha256:[\da-f]{64})+", pin) for pin in pins)
    assert {"pywin32", "colorama", "tzdata", "paho-mqtt"} <= {pin.partition("==")[0] for pin in pins}


@examples(4)
@given(
    files=st.dictionaries(st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?\.x", fullmatch=True), st.binary()), seed=st.randoms()
)
def test_the_same_files_give_the_same_bytes(
    files: dict[str, bytes], seed: random.Random, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the order in which they came to the disk, and when."""
    packed = []
    for order in (sorted(files), seed.sample(sorted(files), len(files))):
        folder = tmp_path_factory.mktemp("packed") / "seatwarden"
        for name in order:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(files[name])
        build_zip.pack(folder, folder.parent / "made.zip", _MADE)
        packed.append((folder.parent / "made.zip").read_bytes())
    assert packed[0] == packed[1]
    with zipfile.ZipFile(io.BytesIO(packed[0])) as archive:
        assert {name.removeprefix("seatwarden/"): archive.read(name) for name in archive.namelist()} == files
        assert {entry.date_time for entry in archive.infolist()} <= {(2026, 11, 29, 12, 30, 10)}


def test_the_launcher_runs_seatwarden(tmp_path: Path) -> None:
    """Python runs what it carries; the line before that says which Python, in UTF-8 mode."""
    made = build_zip.launcher(b"MZ, a program\n", _MADE)
    assert made == build_zip.launcher(b"MZ, a program\n", _MADE)
    program, line, _ = made.split(b"\n", 2)
    assert (program, line) == (b"MZ, a program", rb"#!<launcher_dir>\python\python.exe -X utf8")
    (tmp_path / "seatwarden.exe").write_bytes(made)
    told = subprocess.run([sys.executable, tmp_path / "seatwarden.exe", "--version"], capture_output=True, check=True)
    assert told.stdout.decode().strip() == f"seatwarden {VERSION}"


def test_wheels_are_unpacked_without_what_nobody_needs(tmp_path: Path) -> None:
    names = ("win32/a.pyd", "pythonwin/b.py", "PyWin32.chm", "p-1.data/scripts/c.py", "p-1.dist-info/METADATA")
    with zipfile.ZipFile(tmp_path / "p.whl", "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    build_zip.unpack_wheel(tmp_path / "p.whl", tmp_path / "library")
    library = tmp_path / "library"
    unpacked = {path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()}
    assert unpacked == {"win32/a.pyd", "p-1.dist-info/METADATA"}


def test_the_bill_is_one_in_cyclonedx() -> None:
    _check_bill(_bill())
    assert _bill() == _bill()
    told = json.loads(_bill())
    assert told["metadata"]["component"]["name"] == "seatwarden"
    assert {part["name"] for part in told["components"]} == {"python", "jinja2", "requests", "lark"}
    (requests,) = (part for part in told["components"] if part["name"] == "requests")
    assert requests["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert requests["purl"] == f"pkg:pypi/requests@{distribution('requests').version}"


def test_a_library_without_a_license_is_refused(tmp_path: Path) -> None:
    (tmp_path / "LICENSE.txt").write_text("of Python")
    texts = bill.licenses([distribution(name) for name in _LIBRARIES], tmp_path)
    assert "of Python" in texts
    assert "Apache License" in texts  # of requests
    assert "seatwarden" not in texts
    (tmp_path / "bare-1.dist-info").mkdir()
    (tmp_path / "bare-1.dist-info" / "METADATA").write_text("Name: bare\nVersion: 1\n")
    (tmp_path / "bare-1.dist-info" / "RECORD").write_text("bare-1.dist-info/METADATA,,\n")
    bare = importlib.metadata.Distribution.at(tmp_path / "bare-1.dist-info")
    with pytest.raises(SystemExit, match="bare comes without its license"):
        bill.licenses([bare], tmp_path)


@pytest.fixture(scope="module")
def made() -> zipfile.ZipFile:
    """The zip; `.ci/windows_zip` has made it before."""
    return zipfile.ZipFile(ROOT / "dist" / f"seatwarden-{VERSION}-windows-x64.zip")


@pytest.mark.windows_zip
def test_the_zip_has_all_and_nothing_else(made: zipfile.ZipFile) -> None:
    names = made.namelist()
    assert names == sorted(names)
    python, library = "seatwarden/python/", "seatwarden/python/Lib/site-packages/"
    assert {name for name in names if not name.startswith(python)} == {
        f"seatwarden/{name}" for name in ("LICENSE", "THIRD-PARTY-LICENSES.txt", "sbom.cdx.json", "seatwarden.exe")
    }
    assert {f"{python}python.exe", f"{library}seatwarden/engine/cli/main.py", f"{library}win32/win32api.pyd"} <= set(
        names
    )
    assert not [name for name in names if name.endswith(".pyc") or name.startswith(f"{library}pythonwin")]
    assert b"import site" in made.read(f"{python}python313._pth")
    assert f"FileVersion\0\0{build_zip.PYTHON}\0".encode("utf-16-le") in made.read(f"{python}python313.dll")
    assert made.filename is not None
    assert Path(made.filename).stat().st_size < 30e6
    # Windows takes 260 characters: so many are left for the folder that it is unpacked into.
    assert 260 - max(map(len, names)) > 120


@pytest.mark.windows_zip
def test_the_zip_tells_what_is_in_it(made: zipfile.ZipFile) -> None:
    text = made.read("seatwarden/sbom.cdx.json").decode()
    _check_bill(text)
    found = re.findall(
        r"^seatwarden/python/Lib/site-packages/([^/]+)-([^/-]+)\.dist-info/METADATA$",
        "\n".join(made.namelist()),
        re.MULTILINE,
    )
    inside = {(canonicalize_name(name), version) for name, version in found} - {("seatwarden", VERSION)}
    told = {(part["name"], part["version"]) for part in json.loads(text)["components"]}
    assert told - inside == {("python", build_zip.PYTHON), ("distlib", "0.4.4")}
    assert inside < told
    licenses = made.read("seatwarden/THIRD-PARTY-LICENSES.txt").decode()
    assert [name for name, version in told if f"{name} {version}, " not in licenses] == ["python"]
