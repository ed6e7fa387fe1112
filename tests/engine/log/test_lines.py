"""The lines of plans and journals are what they always were, and what is no such line is named."""

import json
from pathlib import Path

import pytest

from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import FOREIGN
from seatwarden.engine.log.journal import parse_journal, read_journal
from seatwarden.engine.log.reader import parse_plan
from seatwarden.engine.log.writer import plan_lines
from seatwarden.policy.errors import InputError
from tests.engine.log.forging import Line, relinked
from tests.engine.log.golden_site import KEY, golden_plan, write_golden_journal
from tests.engine.support import RECORDING
from tests.paths import DATA

LOGS = DATA / "log"
PATH = Path("plan.jsonl")


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version that wrote the logs which are kept: it is part of each plan and of its id."""
    monkeypatch.setattr("seatwarden.engine.plan.plan.VERSION", "0.1.0")


@pytest.mark.usefixtures("version")
@pytest.mark.parametrize(("name", "pseudonyms"), [("plan", None), ("pseudonyms", Pseudonyms(KEY, k=1))])
def test_a_plan_is_written_as_ever(name: str, pseudonyms: Pseudonyms | None) -> None:
    assert b"".join(plan_lines(golden_plan(pseudonyms), RECORDING)) == (LOGS / f"{name}.jsonl").read_bytes()


@pytest.mark.usefixtures("version")
def test_a_journal_is_written_as_ever(tmp_path: Path) -> None:
    plan, path = golden_plan(), tmp_path / "outcomes.jsonl"
    log = parse_plan(PATH, b"".join(plan_lines(plan, RECORDING)))
    write_golden_journal(path, plan, log)
    assert path.read_bytes() == (LOGS / "outcomes.jsonl").read_bytes()
    state, chosen = read_journal(path), [log.line_of[decision.key] for decision in plan.chosen]
    assert state is not None
    assert (state.chosen, state.sealed) == (chosen, True)
    assert {n: (line.n, line.result) for n, line in state.outcomes.items()} == {
        chosen[0]: (5, "released"),
        chosen[1]: (6, "skipped"),
    }


def _plan() -> list[Line]:
    return [json.loads(line) for line in (LOGS / "plan.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize("text", [b'"\\ud800"', b"1e999", b"[" * 100_000])
def test_a_text_that_nobody_can_read(text: bytes) -> None:
    data = (LOGS / "plan.jsonl").read_bytes().replace(b'"User 1"', text).replace(b'"seatwarden 0.1.0"', text)
    with pytest.raises(DamagedLog) as caught:
        parse_plan(PATH, data)
    numbers = {damage.line for damage in caught.value.damage}
    assert {1, *(n for n, line in enumerate(_plan(), 1) if "User 1" in json.dumps(line))} <= numbers


@pytest.mark.parametrize("within", ["", "person", "policy"])
def test_a_field_that_we_do_not_know_is_not_ours(within: str) -> None:
    """A later version has a higher format; what says that it is of this one has this one's fields."""
    lines = _plan()
    place = lines[0][within] if within else lines[3]
    place["colour"] = {"of": ["a", "line"]}
    with pytest.raises(DamagedLog, match="it is not written as we write it"):
        parse_plan(PATH, relinked(lines, own=False))


def test_all_lines_that_do_not_fit_are_named() -> None:
    lines = _plan()
    one, other = [line for line in lines if line["kind"] == "decision"][:2]
    one["person"]["raw"] = one["person"].pop("row")
    other["person"]["unusedDays"] = "173"
    with pytest.raises(DamagedLog) as caught:
        parse_plan(PATH, relinked(lines, own=False))
    assert caught.value.damage == [
        (one["n"], f"{FOREIGN}: Object missing required field `row` - at `$.person`"),
        (
            other["n"],
            f"{FOREIGN}: Expected `int | null`, got `str` - at `$.person.unusedDays`",
        ),
    ]


@pytest.mark.parametrize("moved", ["plan", "policy", "decision", "summary"])
def test_lines_that_stand_where_none_of_their_kind_can(moved: str) -> None:
    """All links are right: what is damaged is the order."""
    lines = _plan()
    line = next(line for line in lines if line["kind"] == moved)
    lines.remove(line)
    place = 2 if moved == "summary" else 1 if moved == "decision" else 5
    lines.insert(place, line)
    if moved == "plan":
        with pytest.raises((DamagedLog, InputError), match="not of a plan"):
            parse_plan(PATH, relinked(lines, own=False))
        return
    with pytest.raises(DamagedLog, match="does not belong here") as caught:
        parse_plan(PATH, relinked(lines, own=False))
    # The first line that stands where another kind was due: behind a policy that is gone it is the second.
    assert [damage.line for damage in caught.value.damage] == [2 if moved == "policy" else place + 1]


def test_a_journal_whose_seal_has_nothing_before_it() -> None:
    """It would be written on behind its seal."""
    lines: list[Line] = [json.loads(line) for line in (LOGS / "outcomes.jsonl").read_bytes().splitlines()]
    assert [line["kind"] for line in lines[-2:]] == ["closed", "seal"]
    with pytest.raises(DamagedLog, match="before a seal stands a line of kind `closed`"):
        parse_journal(Path("outcomes.jsonl"), relinked([*lines[:-2], lines[-1]], own=True))
