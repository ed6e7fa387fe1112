"""The record of a site against forgers: every file of two runs and their register, in every way that files change.

What no program on this machine can find is tested, too, and stands in docs/threat-model.md.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.common.seals import Seals, seals_in
from seatwarden.engine.log.verify import VerifiedRecord, against_seals, verify_record
from seatwarden.engine.runs.record import SiteRecord
from tests.engine.apply.applying import idle
from tests.engine.log.forging import Line, relinked
from tests.engine.runs.running import Running, Site
from tests.paths import ROOT

ONLY_A_COPY = "Only a seal that was kept elsewhere shows it."
"""What docs/threat-model.md says of what is written anew as a whole."""


ONE_A_RUN = "release analyzer when unused for 30 days\nlimit release to 1 per run, longest unused first\n"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of a site with two runs that have released somebody, and a dry run."""
    running = Running(tmp_path, Site(idle(3)), policy=ONE_A_RUN)
    for _ in range(2):
        assert running.run().outcome == "done"
    assert running.run(dry_run=True).outcome == "dry-run"
    return running.settings.folder


def _verified(place: Path) -> VerifiedRecord:
    return verify_record(place, lambda folder: ())


def _named(place: Path) -> set[str]:
    """The files that are named, from the state folder."""
    return {str(fault.path) for fault in _verified(place).faults}


def _runs(state: Path) -> list[Path]:
    return sorted((state / "runs").iterdir())


def test_what_nobody_has_touched(state: Path) -> None:
    found = _verified(state)
    assert (found.faults, found.notes, len(found.runs)) == ([], [], 3)
    assert found.register is not None
    assert [line.kind for line in found.register.lines] == [
        *("register", "settings"),
        *("planned", "begun", "closed") * 2,
        "planned",
    ]
    for place in (state / "runs", *_runs(state), state / "runs.jsonl"):
        assert _verified(place).faults == []
        assert _verified(place).register is not None


def _flip(path: Path, state: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _cut(path: Path, state: Path) -> None:
    """Its last line is gone; a file of one line is empty then."""
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _drop(path: Path, state: Path) -> None:
    """A line in the middle is gone."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[: len(lines) // 2], *lines[len(lines) // 2 + 1 :]]))


def _remove(path: Path, state: Path) -> None:
    path.unlink()


def _of_another_run(path: Path, state: Path) -> None:
    mine, other = _runs(state)[:2]
    if path.is_relative_to(mine):
        shutil.copy(other / path.relative_to(mine), path)
    else:
        path.write_bytes(path.read_bytes().replace(b"runs/2", b"runs/3"))


def _redigested(path: Path, state: Path) -> None:
    """One of whom a license was taken is left out, and every digest of the file put right."""
    if path.suffix != ".jsonl":
        path.write_bytes(path.read_bytes() + b"# harmless\n")
        return
    lines: list[Line] = [json.loads(line) for line in path.read_bytes().splitlines()]
    if path.name == "plan.jsonl":
        victim = next(line for line in lines if line.get("verdict") == "release")
        victim |= {"verdict": "keep", "because": "default"}
        victim["person"] |= {"rule": None, "rules": [], "at": None}
    else:
        lines = [line for line in lines if line["kind"] not in ("intent", "outcome", "begun")]
    path.write_bytes(relinked(lines, own=path.name != "plan.jsonl"))


FILES = ("plan.jsonl", "outcomes.jsonl", "policy.policy", "summary.txt", "policy/*", "runs.jsonl")
WAYS: tuple[Callable[[Path, Path], None], ...] = (_flip, _cut, _drop, _remove, _redigested, _of_another_run)
DERIVED = ("policy.policy", "summary.txt")
"""Made of the plan for people: where one is deleted, nothing is lost. It is made again by nobody who decides."""
ALIKE = {("policy.policy", "_of_another_run"), ("policy/*", "_of_another_run")}
"""Both runs were decided by one policy."""


def _place(state: Path, file: str) -> Path:
    if file == "runs.jsonl":
        return state / file
    (found,) = _runs(state)[0].glob(file)
    return found


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__[1:])
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_was_changed_is_named(state: Path, file: str, way: Callable[[Path, Path], None]) -> None:
    path = _place(state, file)
    before = path.read_bytes()
    way(path, state)
    if (file, way.__name__) in ALIKE:
        assert path.read_bytes() == before
        return
    named = _named(state)
    if way is _remove and file in DERIVED:
        assert named == set()
    elif way in (_remove, _of_another_run) and file == "plan.jsonl":
        assert str(path.parent) in named
    elif way is _cut and file == "runs.jsonl":  # the last line says that the dry run was planned
        assert str(_runs(state)[2] / "plan.jsonl") in named
    else:
        assert str(path) in named or (file == "runs.jsonl" and named)


def test_the_register_is_missed_without_a_lock_too(state: Path, tmp_path: Path) -> None:
    """Windows has none while nobody holds it."""
    (state / "runs.jsonl").unlink()
    (state / "lock").unlink(missing_ok=True)
    assert _named(state / "runs") == {str(state / "runs.jsonl")}
    shutil.copytree(state / "runs", tmp_path / "elsewhere" / "runs")
    found = _verified(tmp_path / "elsewhere")
    assert (found.faults, len(found.notes)) == ([], 3)


@pytest.mark.parametrize("folder", ["D:\\plans\\first", "\\\\server\\plans\\first", "/var/plans/first"])
def test_runs_elsewhere_on_another_system_are_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """A record of Windows is looked at on Linux, and the other way about."""
    monkeypatch.setattr(SiteRecord, "_named", lambda self, place: folder)
    running = Running(tmp_path, Site(idle(2)))
    running.run(dry_run=True)
    (run,) = running.runs
    shutil.rmtree(run)
    found = _verified(running.settings.folder)
    assert (found.faults, len(found.runs)) == ([], 0)


@pytest.mark.windows
def test_a_register_is_one_in_any_case(state: Path) -> None:
    found = _verified(state / "RUNS.jsonl")
    assert (found.faults, found.notes, len(found.runs)) == ([], [], 3)


def test_an_older_copy_of_the_register(state: Path) -> None:
    """Put back after the next run: the runs that it does not know are named."""
    older = b"".join((state / "runs.jsonl").read_bytes().splitlines(keepends=True)[:5])
    (state / "runs.jsonl").write_bytes(older)
    first, *others = _runs(state)
    named = _named(state)
    assert {str(run / "plan.jsonl") for run in others} <= named
    assert str(first / "plan.jsonl") not in named


def test_an_older_copy_of_a_journal(state: Path) -> None:
    path = _runs(state)[0] / "outcomes.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:2]))
    assert str(path) in _named(state)


def test_a_run_that_is_deleted_added_or_copied(state: Path) -> None:
    first, second, third = _runs(state)
    shutil.copytree(first, first.with_name("copy"))
    assert [fault.problem for fault in _verified(state).faults] == [
        f"has the run id {first.name} of another folder: {first}"
    ]
    shutil.rmtree(first.with_name("copy"))
    shutil.rmtree(second)
    assert [fault.problem for fault in _verified(state).faults] == [
        "run 2 is missing: the register has it, and nobody has pruned it"
    ]
    (third / "notes.txt").write_text("harmless")
    assert str(third / "notes.txt") in _named(state)


def test_runs_that_were_exchanged(state: Path) -> None:
    first, second, _ = _runs(state)
    for name in ("plan.jsonl", "outcomes.jsonl"):
        held = (first / name).read_bytes()
        (first / name).write_bytes((second / name).read_bytes())
        (second / name).write_bytes(held)
    assert str(first / "summary.txt") in _named(state)


# What leaves the machine ---------------------------------------------------------------------------------


def _written_anew(state: Path) -> None:
    """Somebody who can write everything takes a release out of the whole record, and puts every digest right."""
    first = _runs(state)[0]
    plan: list[Line] = [json.loads(line) for line in (first / "plan.jsonl").read_bytes().splitlines()]
    victim = next(line for line in plan if line.get("verdict") == "release")
    plan.remove(victim)
    (first / "plan.jsonl").write_bytes(relinked(plan, own=False))
    root = json.loads((first / "plan.jsonl").read_bytes().splitlines()[-1])["root"]
    register: list[Line] = [json.loads(line) for line in (state / "runs.jsonl").read_bytes().splitlines()]
    register = [line for line in register if line.get("run") != 1 or line["kind"] == "planned"]
    next(line for line in register if line.get("run") == 1)["root"] = root
    (state / "runs.jsonl").write_bytes(relinked(register, own=True))


def test_what_is_written_anew_as_a_whole_is_found_by_a_seal_kept_elsewhere(state: Path, tmp_path: Path) -> None:
    seals = [_seal(state, number) for number in (1, 2, 3)]
    assert against_seals(_verified(state), seals) == []
    _written_anew(state)
    found = _verified(state)
    assert any("sealed with another plan" in fault.problem for fault in against_seals(found, seals))
    page = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    assert ONLY_A_COPY in page


def _seal(state: Path, number: int) -> Seals:
    """The seal that a run gives out, put together from the register as it was then."""
    found: Any = _verified(state).register
    assert found is not None
    until = [n for n, line in enumerate(found.lines, 1) if getattr(line, "run", 0) <= number][-1]
    of_run = [line for line in found.lines[:until] if getattr(line, "run", 0) == number]
    journal = next((line.journal_root for line in of_run if line.kind == "closed"), None)
    return Seals(found.id, number, of_run[0].root, journal, until, found.leaves[until - 1])


def test_a_run_s_own_seals_are_those_of_the_record(tmp_path: Path) -> None:
    running = Running(tmp_path, Site(idle(2)))
    seals = running.run().seals
    assert seals is not None
    assert seals == _seal(running.settings.folder, 1)
    assert against_seals(_verified(running.settings.folder), [seals]) == []


def test_numbers_that_nobody_has_a_seal_of(state: Path) -> None:
    faults = against_seals(_verified(state), [_seal(state, 1)])
    assert [fault.problem for fault in faults] == ["no seal stands there of 2 runs: 2, 3"]


@pytest.mark.parametrize(
    "form",
    [
        "2026-11-21T02:00:00 INFO {} job=licenseRelease\n",
        "> {}\r\n",
        '"seal","{}"\r\n',
    ],
)
def test_seals_are_found_wherever_they_were_kept(state: Path, form: str) -> None:
    seals = [_seal(state, number) for number in (1, 2, 3)]
    assert seals_in("".join(form.format(seal) for seal in seals)) == seals
    mail = "\r\n".join(["Subject: x", "", *seals[0].paragraph, "", "bye"])
    assert max(map(len, seals[0].paragraph)) <= 76
    assert seals_in(mail) == seals[:1]
    quoted = "\r\n".join(f"> {line}" for line in seals[0].paragraph)
    assert seals_in(quoted) == seals[:1]
    folded = str(seals[0])
    assert seals_in("=\r\n".join(folded[at : at + 70] for at in range(0, len(folded), 70))) == seals[:1]
