"""No command overwrites in silence: every one that writes a file is tried on all that may stand in its place."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from seatwarden.engine.cli.main import app
from seatwarden.engine.history.store import History
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.plan.plan import make_plan
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.report.write import write_report
from seatwarden.engine.simulator.server import SimulatedQrs
from seatwarden.engine.snapshot.reader import load_snapshot
from seatwarden.policy.loading import load_policy
from tests.engine.apply.applying import idle
from tests.engine.cli.conftest import Ran, Run, SiteFile
from tests.engine.runs.running import Running, Site
from tests.engine.support import RECORDING, day_of
from tests.paths import DATA, EXAMPLES
from tests.platforms import WINDOWS

pytestmark = pytest.mark.usefixtures("quick")
SNAPSHOT, BUTLER = EXAMPLES / "site.json", EXAMPLES / "butler.yaml"

WRITERS: dict[str, tuple[str, ...]] = {
    "snapshot": ("snapshot", "--site", "SITE", "-o", "OUT.json"),
    "report": ("report", "RUN", "-o", "OUT.html"),
    "log audit": ("log", "audit", "RUN", "-o", "OUT.html"),
    "log receipt": ("log", "receipt", "REGISTERED", "user1", "-o", "OUT.html"),
    "convert to policy": ("convert", "butler.yaml", "--to", "policy", "-o", "OUT.policy"),
    "convert to yaml": ("convert", "season.policy", "--to", "yaml", "-o", "OUT.yaml"),
    "convert to json": ("convert", "season.policy", "--to", "json", "-o", "OUT.json"),
    "schema": ("schema", "-o", "OUT.json"),
    "test as text": ("test", "season.test.yaml", "-o", "OUT.txt"),
    "test as junit": ("test", "season.test.yaml", "--format", "junit", "-o", "OUT.xml"),
    "test --record": ("test", "--record", "-p", "butler.yaml", "-s", "site.json", "-o", "OUT.test.yaml"),
    "log new-key": ("log", "new-key", "OUT.key"),
    "history show": ("history", "show", "--history", "HISTORY", "--at", "2026-12-31", "-o", "OUT.json"),
    "history export": ("history", "export", "--history", "HISTORY", "--format", "parquet", "-o", "OUT.parquet"),
    "fleet init": ("fleet", "init", "SITES", "-o", "OUT.yaml"),
    "backtest": ("backtest", "--policy", "season.policy", "--history", "HISTORY", "-o", "OUT.html"),
}
"""Each way to write a file that a person names: how it is called."""
ANEW = {"schema", "test as text", "test as junit", "history export"}
"""What can be made again at any time: it is written anew, as the help of the command says."""
FORCE = {
    *("snapshot", "history show", "backtest", "report", "log audit", "log receipt"),
    *("convert to policy", "convert to yaml", "convert to json", "fleet init"),
}
"""What needs --force; all others never replace anything."""
FOLDERS = {"plan", "init", "demo", "fleet plan", "fleet report"}
"""Commands that write a folder, see below."""
IN_PLACE = {"fmt"}
"""What writes a policy's own text back to it, which is what it is for."""

Call = Callable[..., Ran]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of every kind and a run."""
    folder = tmp_path_factory.mktemp("made") / "here"
    folder.mkdir()
    for name in ("season.policy", "season.test.yaml", "butler.yaml", "site.json"):
        (folder / name).write_bytes((EXAMPLES / name).read_bytes())
    (folder / "notes.txt").write_text("call Ann about the licenses\n", encoding="utf-8")
    (folder / "photo.bin").write_bytes(bytes(range(256)) * 4)
    policy = load_policy(folder / "butler.yaml")
    plan = make_plan(policy, load_snapshot(folder / "site.json"), day_of(policy), "site.json")
    write_plan(plan, folder / "RUN", plan_text(plan), RECORDING)
    write_report(folder / "RUN", folder / "RUN" / "report.html")
    (folder / "SITES").mkdir()
    (folder / "SITES" / "berlin.yaml").write_text("configQRS: {host: localhost}\ncert: {}\n", encoding="utf-8")
    (folder / "fleet.yaml").write_text("sites: {berlin: SITES/berlin.yaml}\n", encoding="utf-8")
    with History(folder / "HISTORY", write=True) as history:
        history.add((folder / "site.json").read_bytes(), "site.json")
    running = Running(tmp_path_factory.mktemp("registered"), Site(idle(1)))
    running.run()
    shutil.copytree(running.runs[0], folder / "REGISTERED")
    (folder / "APPLIED").mkdir()
    for name in ("plan.jsonl", "outcomes.jsonl"):
        (folder / "APPLIED" / name).write_bytes((DATA / "log" / name).read_bytes())
    return folder


@pytest.fixture
def here(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which commands are called."""
    folder = tmp_path / "here"
    shutil.copytree(made, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def call(run: Run, site_file: SiteFile, qrs: SimulatedQrs) -> Call:
    """Calls a writer with a name in the place of its output."""
    site = site_file(qrs.port)

    def calling(writer: str, out: str, *more: str) -> Ran:
        words = [out if word.startswith("OUT") else str(site) if word == "SITE" else word for word in WRITERS[writer]]
        return run(*words, *(more if writer in FORCE else ()))

    return calling


def _usual(writer: str) -> str:
    return WRITERS[writer][-1]


def _content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for inner in command.list_commands(None):
            yield from _commands(command.commands[inner], f"{name} {inner}".strip())
    else:
        yield name, command


def _name(words: tuple[str, ...]) -> str:
    return " ".join(words[: 2 if words[0] in ("log", "history", "fleet") else 1])


def test_every_command_with_an_output_is_tried_here() -> None:
    found = dict(_commands(typer.main.get_command(app), ""))
    writing = {name for name, command in found.items() if any("--output" in p.opts for p in command.params)}
    tried = {_name(words) for words in WRITERS.values() if "-o" in words}
    assert writing == tried | {"plan", "fleet plan", "fleet report"}
    forced = {name for name, command in found.items() if any("--force" in p.opts for p in command.params)}
    assert forced - FOLDERS == {_name(words) for name, words in WRITERS.items() if name in FORCE}
    assert {"log new-key", *FOLDERS, *IN_PLACE} <= set(found)


@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_of_another_kind_is_replaced(writer: str, here: Path, call: Call) -> None:
    made = call(writer, _usual(writer))
    assert made.code == 0, made.err
    own = (here / _usual(writer)).read_bytes()
    suffix = "".join(Path(_usual(writer)).suffixes)
    for kind, data in _content(here).items():
        if data == own or (kind, writer) in _SAME_KIND:
            continue
        target = here / f"taken{suffix}"
        target.write_bytes(data)
        ran = call(writer, target.name, "--force")
        assert (ran.code, ran.out) == (2, ""), (kind, ran)
        assert f"`taken{suffix}`" in ran.err
        assert len(ran.err.splitlines()) == 2
        assert target.read_bytes() == data
        target.unlink()


_SAME_KIND = {
    ("site.json", "snapshot"), ("RUN/report.html", "report"), ("RUN/report.html", "log audit"),
    ("RUN/report.html", "backtest"), ("fleet.yaml", "fleet init"),
    ("season.policy", "convert to policy"),
    ("RUN/policy.policy", "convert to policy"),
    ("REGISTERED/policy.policy", "convert to policy"), ("REGISTERED/policy/p.policy", "convert to policy"),
}  # fmt: skip


@pytest.mark.parametrize("writer", WRITERS)
def test_no_file_of_a_run_is_replaced(writer: str, here: Path, call: Call) -> None:
    before = _content(here)
    suffix = "".join(Path(_usual(writer)).suffixes)
    names = [name for name in before if name.startswith(("RUN", "APPLIED"))]
    assert len(names) == 7
    for name in names:
        places = [name]
        if not WINDOWS and (not writer.startswith("convert") or suffix == Path(name).suffix):  # links need rights there
            os.symlink(here / name, here / f"link{suffix}")
            places.append(f"link{suffix}")
        for place in places:
            ran = call(writer, place, "--force")
            assert (ran.code, ran.out) == (2, ""), ran
        (here / f"link{suffix}").unlink(missing_ok=True)
    assert _content(here) == before


@pytest.mark.parametrize("name", ["outcomes.jsonl", "published"])
def test_nor_is_one_put_where_a_run_will_have_it(name: str, here: Path, call: Call) -> None:
    for more in ((), ("--force",)):
        ran = call("report", f"RUN/{name}", *more)
        assert (ran.code, "is a file of the run" in ran.err) == (2, True)
    assert not (here / "RUN" / name).exists()
    assert call("report", "RUN/another.html").code == 0


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("place", [".", "RUN", "season.policy/x"])
def test_a_folder_is_named_as_such(writer: str, place: str, here: Path, call: Call) -> None:
    before = _content(here)
    ran = call(writer, place)
    assert (ran.code, ran.out) == (2, "")
    if place != "season.policy/x":
        assert f"`{place}` is a folder, not a file" in ran.err
        assert f"name a file in it: {'' if place == '.' else f'RUN{os.sep}'}" in ran.err
    assert _content(here) == before


@pytest.mark.parametrize("writer", WRITERS)
def test_one_of_its_own_kind(writer: str, here: Path, call: Call) -> None:
    name = _usual(writer)
    assert call(writer, name).code == 0
    first = (here / name).read_bytes()
    (here / name).chmod(0o640)
    again = call(writer, name)
    assert again.code == (0 if writer in ANEW else 2)
    if writer not in ANEW:
        assert "exists already" in again.err
        assert ("--force" in again.err) == (writer in FORCE)
        assert (here / name).read_bytes() == first
    if writer in FORCE:
        assert call(writer, name, "--force").code == 0
        assert os.name == "nt" or (here / name).stat().st_mode & 0o777 == 0o640
    assert [path.name for path in here.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("writer", sorted(ANEW | FORCE))
def test_an_empty_file_is_nobodys(writer: str, here: Path, call: Call) -> None:
    (here / _usual(writer)).write_bytes(b"")
    assert call(writer, _usual(writer)).code == 0
    assert (here / _usual(writer)).read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="there are no such files on Windows")
@pytest.mark.parametrize("writer", ["schema", "snapshot", "report"])
def test_devices_take_what_comes(writer: str, here: Path, call: Call) -> None:
    assert call(writer, "/dev/null").code == 0
    assert not Path("/dev/null").is_file()


@pytest.mark.skipif(os.name == "nt", reason="permissions are other ones there")
def test_who_may_read_what_is_written(here: Path, call: Call) -> None:
    before = os.umask(0o022)
    try:
        modes = {writer: _mode_of(here / _usual(writer), call(writer, _usual(writer))) for writer in WRITERS}
    finally:
        os.umask(before)
    assert {writer for writer, mode in modes.items() if mode == 0o600} == {
        *("snapshot", "history show", "history export", "backtest", "report", "log audit", "log receipt"),
        "log new-key",
    }
    assert set(modes.values()) == {0o600, 0o644}


def _mode_of(path: Path, ran: Ran) -> int:
    assert ran.code == 0, ran.err
    mode = path.stat().st_mode & 0o777
    path.unlink()
    return mode


def test_the_page_of_a_run_is_made_anew(here: Path, run: Run) -> None:
    page = here / "RUN" / "report.html"
    page.write_bytes(page.read_bytes().replace(b"<body>", b"<body>old"))
    assert run("report", "RUN").code == 0
    assert b"<body>old" not in page.read_bytes()
    page.write_text("call Ann\n", encoding="utf-8")
    ran = run("report", "RUN")
    assert (ran.code, "is another file, not a report" in ran.err) == (2, True)
    assert page.read_text(encoding="utf-8") == "call Ann\n"


# Folders -------------------------------------------------------------------------------------------------


def test_a_plan_replaces_nothing(here: Path, run: Run) -> None:
    plan = ("plan", "-p", "butler.yaml", "-s", "site.json", "-o")
    for name in ("policy.policy", "summary.txt"):
        (here / "mine").mkdir(exist_ok=True)
        (here / "mine" / name).write_bytes(b"keep me\n")
        ran = run(*plan, "mine")
        assert (ran.code, f"holds another `{name}`" in ran.err) == (2, True)
        assert _content(here / "mine") == {name: b"keep me\n"}
        (here / "mine" / name).unlink()
    ran = run(*plan, "notes.txt")
    assert (ran.code, "`notes.txt` is a file, not a folder" in ran.err) == (2, True)
    before = _content(here / "RUN")
    assert run("plan", "-p", "season.policy", "-s", "site.json", "-o", "RUN").code == 2
    assert _content(here / "RUN") == before


def test_first_files_replace_nothing(here: Path, run: Run) -> None:
    (here / "license.policy").write_text("# mine\n", encoding="utf-8")
    ran = run("init", ".", "--host", "q", "--yes")
    assert (ran.code, "nothing is overwritten" in ran.err) == (2, True)
    assert (here / "license.policy").read_text(encoding="utf-8") == "# mine\n"


def test_the_pages_of_a_fleet_replace_no_other_file(here: Path, run: Run) -> None:
    pages = here / "pages"
    pages.mkdir()
    (pages / "overview.html").write_bytes((here / "notes.txt").read_bytes())
    before = _content(here)
    for more in ((), ("--force",)):
        ran = run("fleet", "report", "-o", pages, *more)
        assert (ran.code, "it is not overwritten" in ran.err) == (2, True)
    assert _content(here) == before
