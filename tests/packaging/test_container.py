"""The Dockerfile: in order, and made of files that are enough to build seatwarden. No image is built."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from seatwarden.engine.cli.main import app
from seatwarden.engine.service.state import ServiceState
from seatwarden.engine.service.status_page import ServicePages
from seatwarden.engine.service.status_server import status_server
from tests.engine.service.test_status_server import NOW
from tests.packaging.conftest import Built
from tests.paths import ROOT
from tests.platforms import WINDOWS

_DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
_IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
_PAGE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")


def _command(instruction: str) -> list[str]:
    """The words of an instruction that is written as a list."""
    found = re.search(rf"^{instruction} (\[.+\])$", _DOCKERFILE, re.MULTILINE)
    assert found is not None
    return [str(word) for word in json.loads(found[1])]


@pytest.mark.skipif(WINDOWS, reason="hadolint has no wheel for Windows")
def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    ran = subprocess.run([hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")


def test_what_is_copied_makes_the_wheel(built: Built, tmp_path: Path) -> None:
    context = tmp_path / "context"
    for line in re.findall(r"^COPY (?!--from)(.+)$", _DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            place = context / target
            _copy(source, place / Path(source).name if target.endswith("/") else place)
    build = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, context)
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as copied, zipfile.ZipFile(built.wheel) as whole:
        assert sorted(copied.namelist()) == sorted(whole.namelist())


def test_health_is_that_of_the_service() -> None:
    state = ServiceState(NOW)
    with status_server(0, state, ServicePages(state, pytest.fail), lambda: NOW) as port:
        assert _health(port) == 0
        state.refused_change = "it has 1 error"
        assert _health(port) == 1
    assert _health(port) != 0


def test_it_runs_the_service_as_the_page_says() -> None:
    (name,) = _command("ENTRYPOINT")
    assert name == app.info.name
    assert _command("CMD")[0] == "serve"
    for said in (_command("CMD")[-1], "/var/lib/seatwarden", "10001", "HEALTH_PORT"):
        assert said in _PAGE.partition("## A container")[2].partition("\n## ")[0], said
    user = re.search(r"^USER (\d+):(\d+)$", _DOCKERFILE, re.MULTILINE)
    assert user is not None
    assert "0" not in user.groups()


def _health(port: int) -> int:
    python, *arguments = _command("    CMD")  # of HEALTHCHECK
    assert python == "python"
    environment = {**os.environ, "HEALTH_PORT": str(port)}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False).returncode


def _copy(source: str, place: Path) -> None:
    """As Docker does, which sees only what `.dockerignore` lets through."""
    seen = [line[1:] for line in _IGNORED if line.startswith("!")]
    if source in seen:
        places = [(ROOT / source, place)]
    else:
        patterns = [pattern.removeprefix(f"{source}/") for pattern in seen if pattern.startswith(f"{source}/")]
        files = [file for pattern in patterns for file in (ROOT / source).glob(pattern)]
        assert files, f".dockerignore hides {source}"
        places = [(file, place / file.name) for file in files]
    for this, there in places:
        there.parent.mkdir(parents=True, exist_ok=True)
        if this.is_dir():
            shutil.copytree(this, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(this, there)
