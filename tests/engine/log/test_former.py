"""Logs of format 1, as seatwarden 0.1 wrote them, are read, shown and verified; none is applied or written."""

from pathlib import Path

import pytest
from msgspec import UNSET

from seatwarden.engine.apply.apply import check_plan
from seatwarden.engine.apply.behind_pseudonyms import check_key
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import Damage, DamagedLog, PlanRefused
from seatwarden.engine.log.history import PastRun, revealed, runs_in
from seatwarden.engine.log.journal import parse_journal
from seatwarden.engine.log.reader import parse_plan, read_plan, recorded_plan
from seatwarden.engine.log.replay import replay
from seatwarden.policy.errors import InputError
from tests.engine.log.golden_site import KEY, SITE_URL, golden_plan
from tests.engine.support import license_row, site_of, snapshot_of, user
from tests.paths import DATA
from tests.strategies import NOW

LOGS = DATA / "log"
PLAN = (LOGS / "former-plan.jsonl").read_bytes()
JOURNAL = (LOGS / "former-outcomes.jsonl").read_bytes()
PATH = Path("plan.jsonl")


def test_a_plan_is_read_as_if_it_were_of_today() -> None:
    former, today = recorded_plan(parse_plan(PATH, PLAN)), golden_plan()
    assert former.log.former
    assert {d.key: (d.verdict, d.because, d.reason, d.facts) for d in former.decisions} == {
        d.key: (d.verdict, d.because, d.reason, d.facts) for d in today.decisions
    }
    assert former.policy.digest == today.policy.digest
    assert former.lines == tuple(range(2, 12))
    assert [finding.code for finding in former.findings] == former.header.found == ["SW404"]
    assert former.log.summary.release == 3


@pytest.mark.parametrize("name", ["former-pseudonyms", "former-plan-of-before"])
def test_others_that_were_written(name: str) -> None:
    log = parse_plan(PATH, (LOGS / f"{name}.jsonl").read_bytes())
    assert (log.former, len(log.decisions)) == (True, 10)
    if name == "former-plan-of-before":
        assert (log.findings, log.header.compared, log.header.accepted, log.summary.remedy) == ([], "", False, "")
        assert {counts.this_run for counts in log.summary.by_type.values()} == {UNSET}


def test_its_journal() -> None:
    log = parse_plan(PATH, PLAN)
    state = parse_journal(Path("outcomes.jsonl"), JOURNAL, log.line_of)
    assert state is not None
    assert (state.sealed, state.former, len(state.chosen)) == (True, True, 3)
    results = {n: (line.result, line.detail) for n, line in state.outcomes.items()}
    assert results == {
        state.chosen[0]: ("released", ""),
        state.chosen[1]: ("skipped", 'user.tags was nothing, is "é"'),
    }
    assert {log.releases[n] for n in results} <= set(log.releases.values())


def test_it_is_not_applied() -> None:
    plan = recorded_plan(parse_plan(PATH, PLAN))
    with pytest.raises(PlanRefused, match="made by an older seatwarden"):
        check_plan(plan, SITE_URL, NOW - NOW, NOW)


@pytest.mark.parametrize("data", [PLAN, JOURNAL], ids=["plan", "journal"])
def test_every_changed_byte_is_found(data: bytes) -> None:
    lines = data.splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        for at in range(0, len(line) - 1, 7):
            changed = bytearray(line)
            changed[at] ^= 0x01
            whole = b"".join([*lines[: number - 1], bytes(changed), *lines[number:]])
            with pytest.raises(DamagedLog) as caught:
                _read(whole, data is PLAN)
            assert number in {damage.line for damage in caught.value.damage}


def _read(data: bytes, is_plan: bool) -> None:
    if is_plan:
        parse_plan(PATH, data)
    else:
        state = parse_journal(PATH, data)
        if state is None or data.count(b"\n") != state.lines:  # a torn last line is cut off, as ever
            raise DamagedLog(PATH, [Damage(data.count(b"\n"), "is torn")])


def test_lost_and_doubled_lines() -> None:
    lines = PLAN.splitlines(keepends=True)
    for n in range(len(lines)):
        for other in ([*lines[:n], *lines[n + 1 :]], [*lines[:n], lines[n], *lines[n:]]):
            with pytest.raises((DamagedLog, InputError)):
                parse_plan(PATH, b"".join(other))


def test_pseudonyms_of_then_are_shown(tmp_path: Path) -> None:
    """They have license ids and facts as they are; only names are hidden, and truths are recorded."""
    (tmp_path / "plan.jsonl").write_bytes((LOGS / "former-pseudonyms.jsonl").read_bytes())
    assert replay(tmp_path) == (10, [], [])
    plan = read_plan(tmp_path)
    assert (plan.header.period, "l1" in {decision.license_id for decision in plan.decisions}) == (None, True)
    assert plan.decisions[0].user.startswith("ACME\\p-")
    (run,) = [found for found in runs_in(tmp_path) if isinstance(found, PastRun)]
    snapshot = snapshot_of(site_of([user(1)], [license_row(1)]))
    (told,) = revealed([run], Pseudonyms(KEY), snapshot)
    assert "user1" in {line.about.user_id for line in told.decisions}
    with pytest.raises(PlanRefused, match="of an older form"):
        check_key(plan, Pseudonyms(KEY))
