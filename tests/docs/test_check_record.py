"""examples/check_record.py: it accepts what we write, finds each edit, and says the same as `log verify`."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.log.verify import VerifiedRecord
from seatwarden.engine.notice.verify import verify_all
from seatwarden.policy.errors import InputError
from tests.docs.edits import Line, change, checker, erase, read, relink
from tests.docs.records import make_approved_record, make_old_record, make_record, make_restored_record, running_site
from tests.paths import DATA, EXAMPLES
from tests.profiles import examples

CHECKER = EXAMPLES / "check_record.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    return make_record(folder).rename(folder / "moved")  # no plan leads to this register


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("old")
    return make_old_record(folder).rename(folder / "moved")


@pytest.fixture
def record(made: Path, tmp_path: Path) -> Path:
    """A state folder of the test's own."""
    return Path(shutil.copytree(made, tmp_path / "state"))


def test_what_is_signed_and_approved_is_no_other_file(tmp_path: Path) -> None:
    record = make_approved_record(tmp_path)
    assert findings(record) == []
    assert verified(record).faults == []
    (runs_in(record)[0] / "approval.note").write_bytes(b"x")
    assert findings(record)


def runs_in(record: Path) -> list[Path]:
    return sorted(path.parent for path in record.rglob("plan.jsonl"))


def files_of(record: Path) -> list[Path]:
    """Plan and journal of the first run, and the register."""
    first = runs_in(record)[0]
    return [first / "plan.jsonl", first / "outcomes.jsonl", record / "runs.jsonl"]


def findings(place: Path, *given: Any) -> list[str]:
    found: list[str] = checker.check(place, *given)[0]
    return found


def verified(place: Path) -> VerifiedRecord:
    return verify_all(place, lambda folder: [])


# What is right -------------------------------------------------------------------------------------------


def test_a_record_is_right(record: Path) -> None:
    ran = subprocess.run([sys.executable, CHECKER, record], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("ok: 4 runs, register ")
    (first, *_) = runs_in(record)
    assert findings(first) == findings(first, record / "runs.jsonl") == []


def test_roots_are_those_of_rfc_6962() -> None:
    """The lists and roots that implementations of Certificate Transparency are tested with."""
    data = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
    roots = {
        1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    }
    leaves = [bytes.fromhex(checker.sha256(b"\0" + bytes.fromhex(one))) for one in data]
    assert {size: checker.root_of(leaves[:size]).hex() for size in roots} == roots


def test_it_is_plain_python() -> None:
    """Nothing of ours, and nothing that has to be installed."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); import check_record; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code, EXAMPLES], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in ran.stdout.split()} - {"check_record", "sitecustomize"}
    assert loaded <= sys.stdlib_module_names | {"__main__"}


def test_seals_that_were_kept(tmp_path: Path) -> None:
    with running_site(tmp_path) as (_, command):
        log = command("run --site SITE")
        state = tmp_path / "state"
        assert findings(state, None, log) == []
        command("run --site SITE")
        assert findings(state, None, log) == [f"{state / 'runs.jsonl'}: has run 2, of which no seal stands there"]
        shutil.rmtree(state / "runs")
        (state / "runs.jsonl").unlink()
        command("run --site SITE")
    forged = log.replace(log.partition("register ")[2][:16], read(state / "runs.jsonl")[0]["id"])
    assert findings(state, None, forged) == [f"{state / 'runs.jsonl'}: has not what was sealed of run 1"]


def test_kinds_of_lines_that_the_register_may_get(record: Path) -> None:
    """What a later version notes there; links and leaves are held as those of every other line."""

    def note(lines: list[Line]) -> None:
        lines.append({"n": 0, "kind": "notice", "head": "x", "prev": "", "person": {"salt": "x"}, "sum": ""})

    change(record / "runs.jsonl", note)
    assert findings(record) == []


def test_a_plan_of_format_1(tmp_path: Path) -> None:
    shutil.copy(DATA / "log" / "former-plan.jsonl", tmp_path / "plan.jsonl")
    (found,) = findings(tmp_path)
    assert "is of another format than 2" in found


# What is not ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_line_removed_added_or_swapped(record: Path, which: int) -> None:
    path = files_of(record)[which]
    rows = path.read_bytes().splitlines(keepends=True)
    for n in range(len(rows)):
        removed, doubled = rows[:n] + rows[n + 1 :], rows[: n + 1] + rows[n:]
        swapped = rows[:n] + rows[n : n + 2][::-1] + rows[n + 2 :]
        for edited in (removed, doubled, swapped if n < len(rows) - 1 else doubled):
            if which == 2 and edited == rows[:-1]:
                continue  # nothing but a seal knows the last line, see below
            path.write_bytes(b"".join(edited))
            assert findings(record), n


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_byte_flipped(record: Path, which: int) -> None:
    path = files_of(record)[which]
    data = path.read_bytes()
    for at in range(0, len(data), 29):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert findings(record), at


def test_a_plan_relinked_whole(record: Path) -> None:
    """Alone it is a plan like any other; the register knows that it is not the one."""
    run = next(run for run in runs_in(record) if not (run / "outcomes.jsonl").exists())

    def spare(lines: list[Line]) -> None:
        line = next(line for line in lines if line.get("verdict") == "release")
        line |= {"verdict": "keep", "because": "default"}
        lines[-2]["summary"]["release"] -= 1

    change(run / "plan.jsonl", spare)
    assert findings(run) == []
    (found,) = findings(run, record / "runs.jsonl")
    assert "is not the plan that the register has as run 2" in found


def test_a_release_taken_out_of_the_journal(record: Path) -> None:
    path = files_of(record)[1]

    def spare(lines: list[Line]) -> None:
        gone = lines[0]["chosen"].pop()
        lines[:] = [line for line in lines if line.get("line") != gone]
        lines[-2]["summary"]["released"] -= 1

    change(path, spare)
    assert findings(path.parent) == []
    assert findings(record) == [f"{path}: is not the journal that the register knows"]


def test_the_register_removed(record: Path) -> None:
    """In a state folder it has to be; of runs alone nobody can say."""
    (record / "runs.jsonl").unlink()
    assert findings(record) == [f"{record / 'runs.jsonl'}: is missing, with what it says of these runs"]
    assert findings(record / "runs") == []


def test_the_register_removed_where_no_lock_is(tmp_path: Path) -> None:
    """Windows has none while nobody holds it: the plan says that its register was here."""
    with running_site(tmp_path) as (_, command):
        command("run --site SITE --dry-run")
    state = tmp_path / "state"
    (state / "runs.jsonl").unlink()
    (state / "lock").unlink(missing_ok=True)
    assert findings(state) == [f"{state / 'runs.jsonl'}: is missing, with what it says of these runs"]


@pytest.mark.parametrize("folder", ["D:\\plans\\last", "\\\\server\\plans\\last", "/var/plans/last"])
def test_a_run_kept_elsewhere_on_any_system_is_not_missed(record: Path, folder: str) -> None:
    def elsewhere(lines: list[Line]) -> None:
        next(line for line in reversed(lines) if line["kind"] == "planned")["folder"] = folder

    change(record / "runs.jsonl", elsewhere)
    shutil.rmtree(runs_in(record)[-1])
    assert findings(record) == [str(fault) for fault in verified(record).faults] == []


def test_the_register_cut(record: Path) -> None:
    """Its last line is a failed attempt, which nothing else knows of: neither runs nor a seal."""
    path = record / "runs.jsonl"
    rows = path.read_bytes().splitlines(keepends=True)
    assert read(path)[-1]["kind"] == "attempt"
    for size in range(len(rows)):
        path.write_bytes(b"".join(rows[:size]))
        assert bool(findings(record)) is (size < len(rows) - 1), size


@pytest.mark.parametrize("torn", [b'{"n":17,"kind":"attem', b"\xff\n", b"{\n"])
def test_the_register_torn(record: Path, torn: bytes) -> None:
    with (record / "runs.jsonl").open("ab") as file:
        file.write(torn)
    assert len(findings(record)) == len(verified(record).faults) == 1


def test_a_line_of_the_register_taken_out(record: Path) -> None:
    """Relinked whole: later plans know the line that stood there."""
    path = record / "runs.jsonl"
    lines = read(path)
    known = max(read(run / "plan.jsonl")[0]["register"]["lines"] for run in runs_in(record))
    for n in range(1, known):
        relink(path, lines[:n] + lines[n + 1 :])
        assert findings(record), n


def test_a_run_removed_or_added(record: Path) -> None:
    first, *_, last = runs_in(record)
    shutil.copytree(first, record / "runs" / "copy")
    assert any("2 folders have the run id" in found for found in findings(record))
    shutil.rmtree(record / "runs" / "copy")
    shutil.rmtree(last)
    (found,) = findings(record)
    assert "run 4 is missing" in found


def test_a_run_that_was_interrupted(tmp_path: Path) -> None:
    with running_site(tmp_path) as (_, command):
        command("run --site SITE")
        state = tmp_path / "state"
    register = state / "runs.jsonl"
    register.write_bytes(b"".join(register.read_bytes().splitlines(keepends=True)[:-1]))
    assert findings(state) == [f"{register}:4: run 1 was begun and never closed: it is under way, or was interrupted"]


@pytest.mark.parametrize("name", ["policy/p.policy", "policy.policy", "more.txt"])
def test_files_beside_the_plan(record: Path, name: str) -> None:
    (runs_in(record)[0] / name).write_text("release when unused for 1 days\n", encoding="utf-8")
    (found,) = findings(record)
    assert name in found


# Agreement -----------------------------------------------------------------------------------------------


def _flip(data: bytes, at: int, other: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1 << other % 8]) + data[at + 1 :]


def _rows(data: bytes, at: int, other: int, edit: str) -> bytes:
    rows = data.splitlines(keepends=True)
    at, other = at % len(rows), other % len(rows)
    if edit == "removed":
        del rows[at]
    elif edit == "added":
        rows.insert(other, rows[at])
    elif edit == "swapped":
        rows[at], rows[other] = rows[other], rows[at]
    else:
        del rows[at:]
    return b"".join(rows)


def _numbers(value: Line) -> Iterator[tuple[Line, str]]:
    """The numbers that a line says, and what is true or false, but for what is computed anew."""
    for key, one in value.items():
        if isinstance(one, int) and key not in ("n", "size"):
            yield value, key
        elif isinstance(one, dict):
            yield from _numbers(one)


def _edit(path: Path, edit: str, at: int, other: int) -> None:
    """One edit of a file; `at` and `other` are any places in it."""
    data = path.read_bytes()
    match edit:
        case "flipped":
            path.write_bytes(_flip(data, at, other))
        case "torn":
            path.write_bytes(data[: at % len(data)])
        case "relinked":
            lines = read(path)
            del lines[at % len(lines)]
            relink(path, lines)
        case "recounted":
            lines = read(path)
            numbers = [(one, key) for line in lines for one, key in _numbers(line)]
            one, key = numbers[at % len(numbers)]
            one[key] = not one[key] if isinstance(one[key], bool) else one[key] + 1
            relink(path, lines)
        case "erased":
            erase(path, 1 + at % len(read(path)))
        case "file removed":
            path.unlink()
        case "of another":
            alike = sorted(path.parent.parent.glob(f"*/{path.name}"))
            path.write_bytes(alike[at % len(alike)].read_bytes())
        case _:
            path.write_bytes(_rows(data, at, other, edit))


ROWS = ("removed", "added", "swapped", "cut")
EDITS = (*ROWS, "flipped", "torn", "relinked", "recounted", "erased", "file removed", "of another")


@pytest.mark.parametrize("which_record", ["made", "old"])
@examples(20)
@given(
    edits=st.lists(
        st.tuples(st.sampled_from(EDITS), st.integers(0, 99), st.integers(0, 1 << 20), st.integers(0, 1 << 20)),
        min_size=1,
        max_size=2,
    )
)
def test_both_say_the_same(
    which_record: str, edits: list[tuple[str, int, int, int]], request: pytest.FixtureRequest
) -> None:
    with TemporaryDirectory() as name:
        state = Path(shutil.copytree(request.getfixturevalue(which_record), Path(name) / "state"))
        paths = sorted(state.rglob("*.jsonl"))
        for edit, which, at, other in edits:
            path = paths[which % len(paths)]
            if path.exists() and path.stat().st_size:
                try:
                    _edit(path, edit, at, other)
                except (ValueError, KeyError):  # after another edit it cannot be read
                    return
        assert bool(findings(state)) is bool(list(_faults(state))), (findings(state), list(_faults(state)))


def _faults(state: Path) -> Iterator[str]:
    try:
        found = verified(state)
    except InputError as error:
        yield error.message
    else:
        yield from map(str, found.faults)
        yield from (f"{run.folder} is torn" for run in found.runs if run.torn)


# Restores ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_back(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("back")
    return make_restored_record(folder).rename(folder / "moved")


@pytest.fixture
def back(made_back: Path, tmp_path: Path) -> Path:
    """A state folder with a restore, of the test's own."""
    return Path(shutil.copytree(made_back, tmp_path / "state"))


def test_a_restore_is_right(back: Path) -> None:
    assert findings(back) == []
    assert verified(back).faults == []
    (path,) = back.rglob("restore.jsonl")
    assert checker.read_chain(path, grows=False).erased, "somebody is erased from it"


@pytest.mark.parametrize("name", ["restore.jsonl", "outcomes.jsonl"])
def test_a_byte_of_a_restore_flipped(back: Path, name: str) -> None:
    (path,) = (one for one in back.rglob(name) if (one.parent / "restore.jsonl").exists())
    data = path.read_bytes()
    for at in range(0, len(data), 17):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert findings(back), at
        assert verified(back).faults, at


def test_a_restore_that_is_gone(back: Path) -> None:
    (path,) = back.rglob("restore.jsonl")
    shutil.rmtree(path.parent)
    assert any("run 2 is missing" in one for one in findings(back))
    assert any("run 2 is missing" in fault.problem for fault in verified(back).faults)


def test_a_file_beside_a_restore(back: Path) -> None:
    (path,) = back.rglob("restore.jsonl")
    path.with_name("summary.txt").write_text("hello", encoding="utf-8")
    assert any("knows nothing of summary.txt" in one for one in findings(back))
    assert any("is no file of this run" in fault.problem for fault in verified(back).faults)
