"""A written plan, read back, tells the same decisions."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given

from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import chain_lines
from seatwarden.engine.log.reader import read_log, read_plan
from seatwarden.engine.log.run_folder import PLAN_FILE
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.plan.findings import Finding
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.errors import InputError
from tests.engine.support import checked, license_row, plan_of, site_of, user
from tests.strategies import policies, sites

RULES = 'keep "vip" when user.tags = "vip"\nrelease analyzer when unused for 30 days'
SITE = site_of([user(1), user(2, tags=[{"name": "VIP"}])], [license_row(1), license_row(2)])
SAME = (
    *("license_id", "license_type", "user", "user_name", "verdict", "because", "guard", "reason", "unused_days"),
    *("last_used", "rule", "rule_name", "matched", "facts"),
)


@given(policies(), sites())
def test_what_is_read_is_what_was_written(policy: Policy, site: dict[str, Any]) -> None:
    plan = plan_of(print_policy(policy), site)
    with TemporaryDirectory() as folder:
        write_plan(plan, Path(folder) / "run", "")
        read = read_plan(Path(folder) / "run")
    assert read.day == plan.day
    assert read.policy.digest == plan.policy.digest
    assert read.header.run_id == plan.run_id
    assert msgspec.to_builtins(read.seal.summary) == plan.summary()
    assert len(read.decisions) == len(plan.decisions)
    for now, then in zip(read.decisions, plan.decisions, strict=True):
        assert {name: getattr(now, name) for name in SAME} == {name: getattr(then, name) for name in SAME}
        assert [o.truth for o in now.outcomes] == [o.truth for o in then.outcomes]
        assert [o.trace for o in now.outcomes] == [o.trace for o in then.outcomes]
        assert [o.rule.place for o in now.outcomes] == [o.rule.place for o in then.outcomes]


@given(policies(), sites())
def test_decided_again_from_the_log_alone(policy: Policy, site: dict[str, Any]) -> None:
    """What `log replay` does: only what is no rule's affair, the guard, is taken from the log."""
    with TemporaryDirectory() as folder:
        write_plan(plan_of(policy, site), Path(folder), "")
        for decision in read_plan(Path(folder)).decisions:
            ruling, _ = conclude(decision.license_type, decision.outcomes, None)
            if decision.because != "guard":
                assert (ruling.verdict, ruling.because) == (decision.verdict, decision.because)
                assert ruling.rule == decision.rule
            else:
                assert decision.verdict == "keep"


def test_the_folder(tmp_path: Path) -> None:
    plan = plan_of(RULES, SITE)
    path = write_plan(plan, tmp_path / "run", "2 licenses\n")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [PLAN_FILE, "policy.policy", "summary.txt"]
    assert checked((tmp_path / "run" / "policy.policy").read_text(encoding="utf-8")).digest == plan.policy.digest
    before = path.read_bytes()
    assert write_plan(plan, tmp_path / "run", "again") == path  # the same plan: nothing to do
    with pytest.raises(InputError, match="holds another plan already"):
        write_plan(plan_of("", SITE), tmp_path / "run", "")
    assert path.read_bytes() == before
    assert (tmp_path / "run" / "summary.txt").read_text(encoding="utf-8") == "2 licenses\n"


def test_a_log_that_was_touched_is_not_read(tmp_path: Path) -> None:
    path = write_plan(plan_of(RULES, SITE), tmp_path, "")
    path.write_bytes(path.read_bytes().replace(b'"verdict":"release"', b'"verdict":"keep"'))
    with pytest.raises(DamagedLog, match="line 2 was changed") as caught:
        read_plan(tmp_path)
    assert [damage.line for damage in caught.value.damage] == [2]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"kind": "outcomes"}, "is a sealed log, but not of a plan"),
        ({"kind": "plan", "format": 99, "tool": "seatwarden 9"}, r"written by a newer seatwarden \(seatwarden 9\)"),
    ],
)
def test_logs_of_another_kind(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    (tmp_path / PLAN_FILE).write_bytes(b"".join(chain_lines([record], {"kind": "seal"})))
    with pytest.raises(InputError, match=message):
        read_log(tmp_path)


def test_no_log(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no plan"):
        read_log(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_log(tmp_path / "none.jsonl")


def test_rules_from_yaml_keep_their_places(tmp_path: Path) -> None:
    plan = plan_of(RULES, SITE)
    write_plan(plan, tmp_path, "")
    read = read_plan(tmp_path)
    assert [rule.place for rule in read.policy.rules] == ["test.policy:1:1", "test.policy:2:1"]


def test_what_was_found_is_recorded(tmp_path: Path) -> None:
    finding = Finding("SW402", "warning", "m", "h", "p:1:2", "vip", ("a", "b"))
    plan = replace(plan_of(RULES, SITE).with_findings(finding), compared="with the run before", accepted=True)
    write_plan(plan, tmp_path / "run", "")
    header = read_plan(tmp_path / "run").header
    assert (header.findings, header.compared, header.accepted) == ([finding], "with the run before", True)
    plain = plan_of(RULES, SITE)
    write_plan(plain, tmp_path / "plain", "")
    first = (tmp_path / "plain" / "plan.jsonl").read_bytes().partition(b"\n")[0]
    assert not any(name in first for name in (b'"findings"', b'"compared"', b'"accepted"')), "as plans always were"


def test_what_helps_is_recorded(tmp_path: Path) -> None:
    plan = plan_of(RULES.replace("30 days", "0 days") + "\nlimit release to 0 per run", SITE)
    write_plan(plan, tmp_path / "run", "")
    summary = read_plan(tmp_path / "run").seal.summary
    assert summary.remedy == plan.remedy != ""
    assert {t: counts.this_run for t, counts in summary.by_type.items()} == {"professional": 0, "analyzer": 0}
