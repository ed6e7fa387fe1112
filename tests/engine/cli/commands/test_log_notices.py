"""`log verify` on the register of notices: alone, in a state folder, and after its damage was accepted."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seatwarden.engine.log.chain import erased
from seatwarden.engine.log.register import REGISTER_FILE
from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.notice.register import NOTICES_FILE
from seatwarden.engine.notice.verify import (
    NOTICES,
    kind_of_register,
    verify_all,
    verify_beside,
    verify_registers_beside,
)
from tests.engine.cli.conftest import Run
from tests.engine.log.forging import relinked
from tests.engine.notice.telling import Telling
from tests.engine.runs.recorded import NO_PAGES
from tests.engine.runs.test_damage import accept


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Telling:
    site = Telling(tmp_path_factory.mktemp("told"))
    site.days(4)
    return site


@pytest.fixture
def state(told: Telling, tmp_path: Path) -> Path:
    """A state folder of somebody who was told."""
    shutil.copytree(told.folder / "state", tmp_path / "state")
    return tmp_path / "state"


def problems(place: Path) -> list[str]:
    return [fault.problem for fault in verify_all(place, NO_PAGES).faults]


def test_as_it_was_written(run: Run, state: Path) -> None:
    path = state / NOTICES_FILE
    assert problems(state) == []
    lines = run("log", "verify", path).out.splitlines()
    assert lines[0] == f"{path}: verified"
    assert lines[1].startswith("  notices   ")
    assert lines[1].endswith(", 1 notice, line 7, as the register of runs has it")
    whole = json.loads(run("log", "verify", state, "--format", "json").out)
    assert (whole["notices"]["path"], whole["notices"]["head"]["lines"]) == (str(path), 7)
    assert (whole["holds"], whole["setAside"]) == (None, [])


def test_an_auditor_may_ask_without_the_register_of_runs(run: Run, state: Path) -> None:
    (state / REGISTER_FILE).unlink()
    ran = run("log", "verify", state / NOTICES_FILE)
    assert (ran.code, "the register of runs was not asked" in ran.out) == (0, True)


def _cut(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b'{"n":8,')


def _edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"days":14', b'"days":13'))


def _anew(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    lines[2]["days"] = 13
    path.write_bytes(relinked(lines, own=True))


def _blanked(path: Path) -> None:
    lines = path.read_bytes().splitlines()
    lines[2] = erased(lines[2])
    path.write_bytes(b"\n".join(lines) + b"\n")


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_cut, "had 7 once: its end was cut off"),
        (_torn, "is torn: by a crash, and the next run cuts it off"),
        (_edited, "its own digest does not fit"),
        (_anew, "than it had once: it was written anew"),
        (_blanked, "no line of the register"),
        (Path.unlink, "is missing, and had 7 lines"),
    ],
)
def test_what_is_not_as_it_was(state: Path, harm: Callable[[Path], None], said: str) -> None:
    path = state / NOTICES_FILE
    harm(path)
    assert any(said in problem for problem in problems(state))
    assert any(said in fault.problem for fault in verify_beside(NOTICES, path).faults)


def test_a_plan_has_seen_more(state: Path) -> None:
    """Somebody puts both registers back from a backup: each plan has the head that it saw."""
    lines = (state / NOTICES_FILE).read_bytes().splitlines(keepends=True)
    (state / NOTICES_FILE).write_bytes(b"".join(lines[:-1]))
    register = [json.loads(line) for line in (state / REGISTER_FILE).read_bytes().splitlines()]
    kept = [line for line in register if line["kind"] != "heads"]
    (state / REGISTER_FILE).write_bytes(relinked(kept, own=True))
    (state / NOTICES_FILE).write_bytes(b"".join(lines[:2]))
    assert any("its end was cut off" in problem for problem in problems(state))


def test_accepted_damage_is_no_fault_and_the_old_file_is_named(told: Telling, run: Run, tmp_path: Path) -> None:
    """Plans of before have seen a register that is gone for good: that is no fault either."""
    shutil.copytree(told.folder, tmp_path / "site")
    site = Telling(tmp_path / "site")
    site.now = told.now
    _cut(site.folder / "state" / NOTICES_FILE)
    accept(site)
    site.days(2)
    state = site.folder / "state"
    assert problems(state) == []
    aside = state / f"{NOTICES_FILE}.damaged-1"
    (found,) = verify_registers_beside(verify_record(state, NO_PAGES))
    assert found.aside == [aside]
    assert f"{aside}: set aside when its damage was accepted" in run("log", "verify", state).out
    assert kind_of_register(aside) is NOTICES
    assert verify_beside(NOTICES, aside).faults == []  # its end is missing, which only its head showed
