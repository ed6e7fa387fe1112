"""Running the command line in this process, and sites for it to read."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

import seatwarden.engine.cli.state_folder
from seatwarden.engine.cli.main import main
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.paths import EXAMPLES, load_json


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]
Processes = Callable[..., BaseProcess]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries without pauses."""
    monkeypatch.setattr("urllib3.util.retry.Retry.sleep", lambda *args: None)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command: `run("plan", "--policy", path)`. No traceback is ever right.

    The record of sites, and their locks, lie in a folder of the test's own.
    """
    monkeypatch.setattr(seatwarden.engine.cli.state_folder, "user_state_path", lambda *args, **options: tmp_path)

    def runner(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["seatwarden", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 1 if code else 0, printed.out, printed.err)

    return runner


@pytest.fixture
def example_site() -> dict[str, Any]:
    """The site of examples/site.json."""
    site: dict[str, Any] = load_json(EXAMPLES / "site.json")
    return site


@pytest.fixture
def qrs(example_site: dict[str, Any], certificates: CertificateFiles) -> Iterator[SimulatedQrs]:
    """A simulated QRS with that site."""
    with SimulatedQrs(example_site, certificates=certificates) as server:
        yield server


@pytest.fixture(scope="session")
def processes() -> Processes:
    """Processes that have imported what commands need, so that a kill hits the work and not the start."""
    if sys.platform == "win32":  # has no such thing; each of them imports all that before it begins
        return multiprocessing.get_context("spawn").Process
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.engine.cli.warm"])
    return context.Process


SiteFile = Callable[..., Path]


@pytest.fixture
def site_file(tmp_path: Path, certificates: CertificateFiles) -> SiteFile:
    """Writes a site file for a QRS; keywords change single settings."""

    def write(port: int, *, host: str = "localhost", files: CertificateFiles | None = None, **settings: object) -> Path:
        files = files or certificates
        qrs = {"host": host, "port": port, **settings}
        lines = ["Butler:", "  configQRS:", *(f"    {key}: {value}" for key, value in qrs.items())]
        lines += ["  cert:", f"    clientCert: {files.client}", f"    clientCertKey: {files.client_key}"]
        lines += [f"    clientCertCA: {files.root}"]
        path = tmp_path / "site.yaml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
