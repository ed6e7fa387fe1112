"""The lines of plans and journals are what they always were, and what is no such line is named."""

import hashlib
from pathlib import Path

import pytest
from msgspec import UNSET

from seatwarden.engine.apply.behind_pseudonyms import check_key
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import DamagedLog, PlanRefused
from seatwarden.engine.log.chain import ChainEnd
from seatwarden.engine.log.history import PastRun, revealed, runs_in
from seatwarden.engine.log.journal import parse_journal, read_journal
from seatwarden.engine.log.lines import read_plan_lines
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.replay import replay
from seatwarden.engine.log.writer import plan_lines
from tests.engine.log.golden_site import KEY, golden_plan, write_golden_journal
from tests.engine.support import license_row, site_of, snapshot_of, user
from tests.paths import DATA

LOGS = DATA / "log"


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version that wrote the logs which are kept: it is part of each plan and of its id."""
    monkeypatch.setattr("seatwarden.engine.plan.plan.VERSION", "0.1.0")


@pytest.mark.usefixtures("version")
@pytest.mark.parametrize(("name", "pseudonyms"), [("plan", None), ("pseudonyms", Pseudonyms(KEY, k=1))])
def test_a_plan_is_written_as_ever(name: str, pseudonyms: Pseudonyms | None) -> None:
    assert b"".join(plan_lines(golden_plan(pseudonyms))) == (LOGS / f"{name}.jsonl").read_bytes()


@pytest.mark.usefixtures("version")
def test_a_journal_is_written_as_ever(tmp_path: Path) -> None:
    plan, path = golden_plan(), tmp_path / "outcomes.jsonl"
    write_golden_journal(path, plan, "5ea1")
    assert path.read_bytes() == (LOGS / "outcomes.jsonl").read_bytes()
    state, chosen = read_journal(path), [decision.key for decision in plan.chosen]
    assert state is not None
    assert (state.chosen, state.sealed) == (chosen, True)
    assert {key: (line.n, line.result) for key, line in state.outcomes.items()} == {
        chosen[0]: (5, "released"),
        chosen[1]: (6, "skipped"),
    }


@pytest.mark.parametrize("text", [b'"\\ud800"', b"1e999", b"[" * 100_000])
def test_a_text_that_nobody_can_read(text: bytes) -> None:
    """All digests are right: the chain passes by what is not its own."""
    header, *decisions, seal = (LOGS / "plan.jsonl").read_bytes().splitlines()
    decisions[1] = decisions[1].replace(b'"User 1"', text)
    header = header.replace(b'"seatwarden 0.1.0"', text)
    with pytest.raises(DamagedLog) as caught:
        read_plan_lines(Path("plan.jsonl"), [header, *decisions, seal])
    assert [damage.line for damage in caught.value.damage] == [1, 3]


def test_a_plan_of_before_is_read() -> None:
    """Plans had no findings, and did not say by type what the run releases."""
    log = read_plan_lines(Path("plan.jsonl"), (LOGS / "plan-of-before.jsonl").read_bytes().splitlines())
    assert (log.header.findings, log.header.compared, log.header.accepted) == ([], "", False)
    assert {counts.this_run for counts in log.seal.summary.by_type.values()} == {UNSET}
    assert log.seal.summary.remedy == ""
    now = read_plan_lines(Path("plan.jsonl"), (LOGS / "plan.jsonl").read_bytes().splitlines())
    assert [finding.code for finding in now.header.findings] == ["SW404"]
    assert sum(counts.this_run for counts in now.seal.summary.by_type.values() if counts.this_run is not UNSET) == 3


def test_pseudonyms_of_before_are_shown(tmp_path: Path) -> None:
    """Format 1 has license ids and facts as they are; only names are hidden, and truths are recorded."""
    (tmp_path / "plan.jsonl").write_bytes((LOGS / "pseudonyms-of-before.jsonl").read_bytes())
    assert replay(tmp_path) == (10, [], [])
    plan = read_plan(tmp_path)
    assert (plan.header.period, "l1" in {decision.license_id for decision in plan.decisions}) == (None, True)
    assert plan.decisions[0].user.startswith("ACME\\p-")
    (run,) = [found for found in runs_in(tmp_path) if isinstance(found, PastRun)]
    snapshot = snapshot_of(site_of([user(1)], [license_row(1)]))
    (told,) = revealed([run], Pseudonyms(KEY), snapshot)
    assert "user1" in {line.user_id for line in told.decisions}
    with pytest.raises(PlanRefused, match="of an older form"):
        check_key(plan, Pseudonyms(KEY))


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


@pytest.mark.parametrize(
    ("more", "is_passed_by"),
    [(b"[" * 100 + b"]" * 100, True), (b"1" * 40, True), (b"1e999", True), (b"[" * 50_000 + b"]" * 50_000, False)],
    ids=["deep", "long number", "large number", "too deep"],
)
def test_a_journal_line_with_more_than_anybody_writes(more: bytes, is_passed_by: bool) -> None:
    """Its own digest is one of bytes, whatever they say."""
    first, _ = (LOGS / "outcomes.jsonl").read_bytes().splitlines(keepends=True)[:2]
    end = ChainEnd.after(first)
    bare = b'{"n":2,"kind":"resume","at":"now","more":%b,"prev":"%b"}' % (more, end.digest.encode())
    line = b'%b,"sum":"%b"}' % (bare[:-1], hashlib.sha256(bare).hexdigest().encode())
    end = ChainEnd(2, hashlib.sha256(line).hexdigest())
    data = first + line + b"\n" + end.link({"kind": "resume", "at": "now"}, "sum")
    if is_passed_by:
        assert parse_journal(Path("outcomes.jsonl"), data) is not None
    else:
        with pytest.raises(DamagedLog, match="line 2 is not a line of this log"):
            parse_journal(Path("outcomes.jsonl"), data)
