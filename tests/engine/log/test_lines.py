"""The lines of plans and journals are what they always were, and what is no such line is named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import ChainEnd
from seatwarden.engine.log.journal import Journal, parse_journal, read_journal
from seatwarden.engine.log.lines import ApplyHeader, Intent, OutcomeLine, Resume, read_plan_lines
from seatwarden.engine.log.writer import plan_lines
from seatwarden.engine.plan.plan import Plan, make_plan
from tests.engine.log.golden_site import KEY, POLICY, SITE
from tests.engine.support import checked, day_of, snapshot_of
from tests.paths import DATA

LOGS = DATA / "log"


def _plan(pseudonyms: Pseudonyms | None = None) -> Plan:
    policy = checked(POLICY)
    return make_plan(policy, snapshot_of(SITE), day_of(policy), "https://qlik.example.com:4242", pseudonyms)


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version that wrote the logs which are kept: it is part of each plan and of its id."""
    monkeypatch.setattr("seatwarden.engine.plan.plan.VERSION", "0.1.0")


@pytest.mark.usefixtures("version")
@pytest.mark.parametrize(("name", "pseudonyms"), [("plan", None), ("pseudonyms", Pseudonyms(KEY))])
def test_a_plan_is_written_as_ever(name: str, pseudonyms: Pseudonyms | None) -> None:
    assert b"".join(plan_lines(_plan(pseudonyms))) == (LOGS / f"{name}.jsonl").read_bytes()


@pytest.mark.usefixtures("version")
def test_a_journal_is_written_as_ever(tmp_path: Path) -> None:
    plan, path = _plan(), tmp_path / "outcomes.jsonl"
    moments = (f"2026-11-21T03:00:0{second}.000Z" for second in range(9))
    chosen = [decision.key for decision in plan.chosen]
    header = ApplyHeader(
        run_id=plan.run_id,
        plan_seal="5ea1",
        site=plan.source,
        limits=["100 per run"],
        chosen=chosen,
        at=next(moments),
    )
    one, other = (
        {"license_type": decision.license_type, "license_id": decision.license_id, "user": decision.user}
        for decision in plan.chosen[:2]
    )
    journal = Journal.create(path, header)
    journal.append(_intent(one, next(moments)))
    journal.append(_outcome(one, next(moments), result="failed", detail="QRS answered 400", status=400, body="no"))
    journal.append(Resume(at=next(moments)))
    journal.append(_outcome(one, next(moments), result="released", detail="", status=204))
    journal.append(_outcome(other, next(moments), result="skipped", detail='user.tags was nothing, is "é"'))
    journal.seal({"released": 1, "gone": 0, "skipped": 1, "failed": 0, "unknown": 0})
    journal.close()
    assert path.read_bytes() == (LOGS / "outcomes.jsonl").read_bytes()
    state = read_journal(path)
    assert state is not None
    assert (state.chosen, state.sealed) == (chosen, True)
    assert {key: (line.n, line.result) for key, line in state.outcomes.items()} == {
        chosen[0]: (5, "released"),
        chosen[1]: (6, "skipped"),
    }


def _intent(names: Mapping[str, Any], at: str) -> Intent:
    return Intent(**names, at=at)


def _outcome(names: Mapping[str, Any], at: str, **facts: Any) -> OutcomeLine:
    return OutcomeLine(**names, at=at, **facts)


@pytest.mark.parametrize("text", [b'"\\ud800"', b"1e999", b"[" * 100_000])
def test_a_text_that_nobody_can_read(text: bytes) -> None:
    """All digests are right: the chain passes by what is not its own."""
    header, *decisions, seal = (LOGS / "plan.jsonl").read_bytes().splitlines()
    decisions[1] = decisions[1].replace(b'"User 1"', text)
    with pytest.raises(DamagedLog) as caught:
        read_plan_lines(Path("plan.jsonl"), [header, *decisions, seal])
    assert [damage.line for damage in caught.value.damage] == [3]


def test_fields_of_a_later_version_are_passed_by() -> None:
    lines = [line[:-1] + b',"colour":{"of":["a","line"]}}' for line in (LOGS / "plan.jsonl").read_bytes().splitlines()]
    log = read_plan_lines(Path("plan.jsonl"), lines)
    assert (log.header.timezone, len(log.decisions), log.seal.summary.release) == ("Europe/Stockholm", 10, 3)


def test_all_lines_that_do_not_fit_are_named() -> None:
    header, one, other, *decisions, seal = (LOGS / "plan.jsonl").read_bytes().splitlines()
    one, other = one.replace(b'"row":', b'"raw":'), other.replace(b'"unusedDays":173', b'"unusedDays":"173"')
    with pytest.raises(DamagedLog) as caught:
        read_plan_lines(Path("plan.jsonl"), [header, one, other, *decisions, seal])
    assert caught.value.damage == [
        (2, "is damaged or made by another program: Object missing required field `row`"),
        (3, "is damaged or made by another program: Expected `int | null`, got `str` - at `$.unusedDays`"),
    ]


def test_a_journal_whose_seal_is_of_another_kind() -> None:
    """It would be written on behind its seal."""
    *lines, _ = (LOGS / "outcomes.jsonl").read_bytes().splitlines(keepends=True)
    end = ChainEnd.after(b"".join(lines))
    sealed = end.link({"kind": "resume", "at": "2026-11-21T03:00:05.000Z"}, "seal")
    with pytest.raises(DamagedLog, match="line 7 is damaged or made by another program: only the last line"):
        parse_journal(Path("outcomes.jsonl"), b"".join([*lines, sealed]))
