"""examples/check_record.py on a record from which something is gone: somebody was forgotten, a run was pruned."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.log.verified_run import UNEXPLAINED
from seatwarden.engine.log.verify import verify_record
from tests.docs.edits import Line, change, checker, erase, read
from tests.docs.records import make_old_record, make_record


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_record(tmp_path_factory.mktemp("record"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    return make_old_record(folder).rename(folder / "moved")  # no plan leads to this register


@pytest.fixture
def record(made: Path, tmp_path: Path) -> Path:
    """A state folder of the test's own: its first run was pruned, a person was erased from the two others."""
    return Path(shutil.copytree(made, tmp_path / "state"))


@pytest.fixture
def run(record: Path) -> Path:
    """The run of which plan, journal and kept snapshot have lost somebody."""
    return next(record.rglob("outcomes.jsonl")).parent


def findings(place: Path, *given: Any) -> list[str]:
    """What is found, without the places."""
    found: list[str] = [one.partition(": ")[2] for one in checker.check(place, *given)[0]]
    return found


def faults(place: Path) -> list[str]:
    return [str(fault) for fault in verify_record(place, lambda folder: []).faults]


UNSAID = "was erased, and no register says so"


def test_a_record_of_which_something_is_gone(record: Path, run: Path) -> None:
    assert findings(record) == findings(run, record / "runs.jsonl") == faults(record) == faults(run) == []


def test_without_the_register_it_is_damage(run: Path, tmp_path: Path) -> None:
    """Nobody can say whether it was meant to be erased."""
    alone = Path(shutil.copytree(run, tmp_path / "alone"))
    kept = "lists snapshot.json.zst, which is missing or was changed"
    assert sorted(findings(alone)) == [kept, UNSAID, UNSAID, UNSAID]
    assert len(faults(alone)) == 4


def test_the_folder_may_have_moved(record: Path, run: Path) -> None:
    run.rename(record / "elsewhere")
    assert findings(record) == faults(record) == []


def test_a_kept_snapshot_is_the_one_that_the_register_has(record: Path, run: Path) -> None:
    (other,) = {*record.rglob("snapshot.json.zst")} - {run / "snapshot.json.zst"}
    shutil.copy(other, run / "snapshot.json.zst")
    assert findings(record) == ["lists snapshot.json.zst, which is missing or was changed"]
    assert len(faults(record)) == 1


@pytest.mark.parametrize("name", ["plan.jsonl", "outcomes.jsonl"])
def test_a_line_more(record: Path, run: Path, name: str) -> None:
    # Of a license that was chosen the journal would say so, too, and plans stand in an order that is drawn.
    chosen = {line.get("line") for line in read(run / "outcomes.jsonl")} if name == "plan.jsonl" else set()
    lines = [line for line in read(run / name) if line["kind"] in ("decision", "outcome") and line["n"] not in chosen]
    erase(run / name, max(line["n"] for line in lines if "person" in line))
    assert findings(record) == [UNSAID]
    assert UNEXPLAINED in faults(record)[0]


def test_a_line_of_the_register(record: Path) -> None:
    """A reason may name somebody; then the register's own line is erased, and a later one says so."""
    register = record / "runs.jsonl"
    erase(register, 3)
    assert findings(record) == [UNSAID]
    assert len(faults(record)) == 1

    def entered(lines: list[Line]) -> None:
        lines.append({**lines[-1], "files": {"runs.jsonl": [3]}, "roots": {}, "digests": {}})

    change(register, entered)
    assert findings(record) == faults(record) == []


@pytest.mark.parametrize("kind", ["erased", "pruned"])
def test_not_finished(record: Path, kind: str) -> None:
    def begun(lines: list[Line]) -> None:
        [line for line in lines if line["kind"] == kind][-1]["done"] = False

    change(record / "runs.jsonl", begun)
    assert findings(record) == [f"what was to be {kind} is not all gone yet: the next run goes on with it"]
    assert len(faults(record)) == 1


def test_a_run_that_is_gone_and_was_not_pruned(record: Path) -> None:
    def another(lines: list[Line]) -> None:
        for line in lines:
            if line["kind"] == "pruned":
                line["runs"] = dict.fromkeys(line["runs"], "0" * 64)

    change(record / "runs.jsonl", another)
    assert any(found.startswith("run 1 is missing") for found in findings(record))
    assert any("run 1 is missing" in fault for fault in faults(record))


def test_what_is_on_its_way_out_is_no_run(record: Path, run: Path) -> None:
    shutil.copytree(run, run.with_name(f".{run.name}.pruned"))
    assert findings(record) == faults(record) == []


@pytest.mark.parametrize("name", ["plan.jsonl", "outcomes.jsonl", "runs.jsonl"])
def test_every_personal_part_can_be_taken_out(whole: Path, tmp_path: Path, name: str) -> None:
    path = Path(shutil.copy(next(whole.rglob(name)), tmp_path))
    for n, line in enumerate(read(path), 1):
        if "person" in line:
            erase(path, n)
    assert b'"person"' not in path.read_bytes()
    found = checker.read_chain(path, name != "plan.jsonl")
    assert found.findings == []
    assert found.erased
