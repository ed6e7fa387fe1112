"""examples/check_record.py on files that were forged whole: every digest is right, and what they say is not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.edits import Line, change, checker, read
from tests.docs.records import make_record

Edit = Callable[[list[Line]], object]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_record(tmp_path_factory.mktemp("record"))


@pytest.fixture
def record(made: Path, tmp_path: Path) -> Path:
    """A state folder of the test's own."""
    return Path(shutil.copytree(made, tmp_path / "state"))


def first_run(record: Path) -> Path:
    return min((record / "runs").iterdir())


def findings(*given: Path) -> list[str]:
    found: list[str] = checker.check(*given)[0]
    return found


def of(lines: list[Line], kind: str, at: int = -1) -> Line:
    """One of the lines of a kind; without `at` the last."""
    return [line for line in lines if line["kind"] == kind][at]


def swapped(lines: list[Line], one: int, other: int) -> None:
    lines[one], lines[other] = lines[other], lines[one]


PLANS: dict[str, Edit] = {
    "is no plan, whose lines have their order": lambda lines: swapped(lines, 1, 2),
    "has another policy than its first line says": lambda lines: lines[1].update(
        text="release when not user.inactive\n"
    ),
    "counts other decisions than there are": lambda lines: lines.remove(of(lines, "decision")),
    "has not one of `person` and `of`": lambda lines: of(lines, "decision").pop("person"),
    "a line lacks what lines of its kind have": lambda lines: lines[0].pop("snapshot"),
    "lists policy/p.policy, which is missing or was changed": lambda lines: lines[0]["policy"]["sources"].update(
        {"p.policy": "0" * 64}
    ),
    "is of another format than 2": lambda lines: lines[0].update(format=3),
}


@pytest.mark.parametrize("problem", PLANS)
def test_a_plan(record: Path, problem: str) -> None:
    run = first_run(record)
    (run / "outcomes.jsonl").unlink()
    (run / "policy.policy").unlink()
    change(run / "plan.jsonl", PLANS[problem])
    (found,) = findings(run)
    assert problem in found


JOURNALS: dict[str, tuple[str, Edit]] = {
    "order": ("is no journal, whose lines have their order", lambda lines: swapped(lines, 0, 1)),
    "two": ("is no journal, whose lines have their order", lambda lines: lines.insert(1, dict(lines[0]))),
    "not closed": ("is no journal, whose lines have their order", lambda lines: lines.remove(of(lines, "closed"))),
    "plan": ("belongs to another plan", lambda lines: lines[0].update(planRoot="0" * 64)),
    "run": ("belongs to another plan", lambda lines: lines[0].update(runId="another")),
    "twice": ("chooses what the plan does not", lambda lines: lines[0]["chosen"].append(lines[0]["chosen"][0])),
    "not released": ("chooses what the plan does not", lambda lines: lines[0]["chosen"].append(1)),
    "stranger": ("about a license that was not chosen", lambda lines: of(lines, "intent").update(line=1)),
    "another": (
        "is about another license than that line",
        lambda lines: of(lines, "outcome")["person"].update(licenseId="x"),
    ),
    "type": (
        "is about another license than that line",
        lambda lines: of(lines, "outcome").update(licenseType="professional"),
    ),
    "counts": ("is closed, with other outcomes", lambda lines: of(lines, "closed")["summary"].update(failed=1)),
    "no outcome": ("is closed, with other outcomes", lambda lines: lines.remove(of(lines, "outcome"))),
    "files": ("is closed over other files", lambda lines: of(lines, "closed")["files"].clear()),
    "less": ("a line lacks what lines of its kind have", lambda lines: lines[0].pop("chosen")),
    "format": ("is of another format than 2", lambda lines: lines[0].update(format=3)),
}


@pytest.mark.parametrize("forged", JOURNALS)
def test_a_journal(record: Path, forged: str) -> None:
    problem, edit = JOURNALS[forged]
    path = first_run(record) / "outcomes.jsonl"
    change(path, edit)
    found = findings(path.parent)
    assert found
    assert all(problem in one for one in found), found


def without_run(number: int) -> Edit:
    """Takes out that a run was begun, and how it ended."""

    def edit(lines: list[Line]) -> None:
        kinds = ("begun", "closed")
        lines[:] = [line for line in lines if line["kind"] not in kinds or line["run"] != number]

    return edit


REGISTERS: dict[str, tuple[str, Edit]] = {
    "another kind": ("is no register of runs", lambda lines: lines.pop(0)),
    "numbers": ("its runs are not numbered one by one", lambda lines: of(lines, "planned").update(run=9)),
    "id": ("is no run of this register", lambda lines: lines[0].update(id="0" * 16)),
    "mode": ("has other numbers than the register", lambda lines: of(lines, "planned").update(mode="dry run")),
    "licenses": ("has other numbers than the register", lambda lines: of(lines, "planned").update(licenses=99)),
    "chosen": ("has other numbers than the register", lambda lines: of(lines, "begun").update(chosen=9)),
    "released": ("has other numbers than the register", lambda lines: of(lines, "closed").update(released={})),
    "results": ("has other numbers than the register", lambda lines: of(lines, "closed")["results"].update(failed=1)),
    "settled": ("has other numbers than the register", lambda lines: of(lines, "closed").update(settled=False)),
    "format": ("is of another format than 2", lambda lines: lines[0].update(format=3)),
    "leaf": ("is not the journal that", lambda lines: of(lines, "closed").update(journalLeaf="0" * 64)),
    "root": ("is not the journal that", lambda lines: of(lines, "closed").update(journalRoot="0" * 64)),
    "fewer": ("has lines that the register does not know", lambda lines: shortened(of(lines, "closed"))),
    "not begun": ("is unknown to the register: no release was begun", without_run(4)),
    "not closed": ("was begun and never closed", lambda lines: lines.remove(of(lines, "closed"))),
    "less": ("a line lacks what lines of its kind have", lambda lines: of(lines, "planned").pop("run")),
}


def shortened(closed: Line) -> None:
    """The journal as if it had ended a line earlier."""
    closed.update(journalLines=closed["journalLines"] - 1, journalLeaf=closed.pop("earlier"), journalRoot=None)


@pytest.mark.parametrize("forged", REGISTERS)
def test_a_register(record: Path, forged: str) -> None:
    problem, edit = REGISTERS[forged]
    register, last = record / "runs.jsonl", max((record / "runs").iterdir())

    def forge(lines: list[Line]) -> None:
        if forged == "fewer":
            of(lines, "closed")["earlier"] = read(last / "outcomes.jsonl")[-3]["sum"]
        edit(lines)

    change(register, forge)
    assert any(problem in one for one in findings(record)), findings(record)


def test_a_what_if_is_in_no_register(record: Path) -> None:
    """A plan of a live site that is in none is a finding."""
    path = first_run(record) / "plan.jsonl"
    (path.parent / "outcomes.jsonl").unlink()
    change(path, lambda lines: lines[0].update(register=None))
    assert findings(path.parent, record / "runs.jsonl") == [f"{path}: is no run of this register"]
    change(path, lambda lines: lines[0].update(mode="what-if"))
    assert findings(path.parent, record / "runs.jsonl") == []


@pytest.mark.parametrize(
    "line",
    [
        b'{"n":1, "kind":"x"}',
        b'{"n":1,"n":1}',
        b'{"n":1.0}',
        b'{"n":1e999}',
        b'{"n":NaN}',
        b'{"a":"\\u00e9"}',
        b'{"a":"\\u000A"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"[" * 100_000,
    ],
)
def test_there_is_one_way_to_write_a_line(line: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        checker.read_line(line)


def test_a_journal_removed(record: Path) -> None:
    run = first_run(record)
    (run / "outcomes.jsonl").unlink()
    assert findings(record) == [f"{run / 'plan.jsonl'}: has no journal, and the register knows how it ended"]
