"""A written plan, read back, tells the same decisions."""

import hashlib
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from seatwarden.engine.decide.decide import conclude
from seatwarden.engine.decide.decision import STANDING
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log import decision_lines
from seatwarden.engine.log.reader import read_log, read_plan
from seatwarden.engine.log.run_folder import PLAN_FILE
from seatwarden.engine.log.writer import Recording, write_plan
from seatwarden.engine.plan.findings import Finding
from seatwarden.engine.plan.plan import make_plan
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import load_policy
from tests.engine.log.forging import relinked
from tests.engine.support import RECORDING, SEED, checked, day_of, license_row, plan_of, site_of, snapshot_of, user
from tests.paths import EXAMPLES
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
        write_plan(plan, Path(folder) / "run", "", RECORDING)
        read = read_plan(Path(folder) / "run")
    assert read.day == plan.day
    assert read.policy.digest == plan.policy.digest
    assert read.header.run_id == plan.run_id
    assert read.summary() == plan.summary()
    assert len(read.decisions) == len(plan.decisions)
    before = sorted(plan.decisions, key=lambda d: d.key)
    for now, then in zip(sorted(read.decisions, key=lambda d: d.key), before, strict=True):
        assert {name: getattr(now, name) for name in SAME} == {name: getattr(then, name) for name in SAME}
        assert [o.truth for o in now.outcomes] == [o.truth for o in then.outcomes]
        assert [o.trace for o in now.outcomes] == [o.trace for o in then.outcomes]
        assert [o.rule.place for o in now.outcomes] == [o.rule.place for o in then.outcomes]


@given(policies(), sites())
def test_decided_again_from_the_log_alone(policy: Policy, site: dict[str, Any]) -> None:
    """What `log replay` does: only what is no rule's affair, the guard, is taken from the log."""
    with TemporaryDirectory() as folder:
        write_plan(plan_of(policy, site), Path(folder), "", RECORDING)
        for decision in read_plan(Path(folder)).decisions:
            ruling, _ = conclude(decision.license_type, decision.outcomes, None)
            if decision.because in STANDING and not decision.takes:  # nobody has been told here, and nothing is free
                assert ruling.takes
                assert ruling.rule == decision.rule
            elif decision.because != "guard":
                assert (ruling.verdict, ruling.because) == (decision.verdict, decision.because)
                assert ruling.rule == decision.rule
            else:
                assert decision.verdict == "keep"


def test_the_folder(tmp_path: Path) -> None:
    plan = plan_of(RULES, SITE)
    path = write_plan(plan, tmp_path / "run", "2 licenses\n", RECORDING)
    names = sorted(p.relative_to(tmp_path / "run").as_posix() for p in (tmp_path / "run").rglob("*") if p.is_file())
    assert names == [PLAN_FILE, "policy.policy", "policy/test.policy", "summary.txt"]
    assert checked((tmp_path / "run" / "policy.policy").read_text(encoding="utf-8")).digest == plan.policy.digest
    before = path.read_bytes()
    assert write_plan(plan, tmp_path / "run", "again", Recording(bytes(32))) == path  # the same plan: nothing to do
    with pytest.raises(InputError, match="holds another plan already"):
        write_plan(plan_of("", SITE), tmp_path / "run", "", RECORDING)
    assert path.read_bytes() == before
    assert (tmp_path / "run" / "summary.txt").read_text(encoding="utf-8") == "2 licenses\n"


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    plan = plan_of(RULES, SITE)
    one, same = (write_plan(plan, tmp_path / name, "", RECORDING).read_bytes() for name in ("one", "same"))
    other = write_plan(plan, tmp_path / "other", "", Recording(bytes(32))).read_bytes()
    assert one == same != other
    assert SEED.hex().encode() not in one


@pytest.mark.parametrize("block", [1, 2, 7, 8, 9])
def test_lines_are_the_same_however_many_are_held(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = site_of([user(n) for n in range(8)], [license_row(n) for n in range(8)], [license_row(n) for n in range(3)])
    plan = plan_of(RULES, site)
    whole = write_plan(plan, tmp_path / "whole", "", RECORDING).read_bytes()
    monkeypatch.setattr(decision_lines, "BLOCK", block)
    assert write_plan(plan, tmp_path / "blocks", "", RECORDING).read_bytes() == whole


def test_the_policy_as_it_was(tmp_path: Path) -> None:
    """Every file it was read from, byte for byte, and the digests that `sha256sum` prints."""
    source = b'\xef\xbb\xbf# why: the board said so\r\nset vips from "lists/vips.txt"\r\nkeep when user = vips\r\n'
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "vips.txt").write_bytes(b"ACME\\user1\r\n\r\nACME\\user2")
    (tmp_path / "p.policy").write_bytes(source)
    policy = load_policy(tmp_path / "p.policy")
    plan = make_plan(policy, snapshot_of(SITE), day_of(policy), "test")
    write_plan(plan, tmp_path / "run", "", RECORDING)
    kept = tmp_path / "run" / "policy"
    assert (kept / "p.policy").read_bytes() == source
    assert (kept / "lists" / "vips.txt").read_bytes() == (tmp_path / "lists" / "vips.txt").read_bytes()
    used = read_log(tmp_path / "run").header.policy
    assert used.sources == {
        name: hashlib.sha256((kept / name).read_bytes()).hexdigest() for name in ("p.policy", "lists/vips.txt")
    }
    assert (used.file, used.sha256, used.concealed) == ("p.policy", used.sources["p.policy"], False)
    assert used.canonical_sha256 == policy.digest


def test_a_site_file_is_kept_without_its_secrets(tmp_path: Path) -> None:
    secret = "Butler:\n  influxDb:\n    auth: {enable: true, username: me, password: hunter2}\n"
    text = (EXAMPLES / "butler.yaml").read_text(encoding="utf-8").replace("Butler:\n", secret, 1)
    (tmp_path / "butler.yaml").write_text(text, encoding="utf-8")
    policy = load_policy(tmp_path / "butler.yaml")
    write_plan(make_plan(policy, snapshot_of(SITE), day_of(policy), "test"), tmp_path / "run", "", RECORDING)
    used, kept = read_log(tmp_path / "run").header.policy, tmp_path / "run" / "policy" / "butler.yaml"
    assert b"hunter2" not in b"".join(path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file())
    assert used.concealed
    assert used.sha256 == hashlib.sha256(kept.read_bytes()).hexdigest()
    shown = kept.read_text(encoding="utf-8").splitlines()
    assert len(shown) == len(text.splitlines())
    for rule in read_log(tmp_path / "run").policy.rules:
        line = int(rule.at.split(":")[-2]) - 1
        assert shown[line] == text.splitlines()[line]


def test_rules_have_the_places_where_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "p.policy").write_text(f"# whose this is\n\n{RULES}", encoding="utf-8")
    policy = load_policy(tmp_path / "p.policy")
    write_plan(make_plan(policy, snapshot_of(SITE), day_of(policy), "test"), tmp_path / "run", "", RECORDING)
    spans = [rule.span for rule in read_plan(tmp_path / "run").policy.rules]
    starts = [("p.policy", rule.span.line, rule.span.column) for rule in policy.rules]
    assert [(span.file, span.line, span.column) for span in spans] == starts
    assert [(span.file, span.end_line, span.end_column) for span in spans] == starts


def test_a_log_that_was_touched_is_not_read(tmp_path: Path) -> None:
    path = write_plan(plan_of(RULES, SITE), tmp_path, "", RECORDING)
    lines = path.read_bytes().split(b"\n")
    (n,) = (n for n, line in enumerate(lines, 1) if b'"verdict":"release"' in line)
    path.write_bytes(path.read_bytes().replace(b'"verdict":"release"', b'"verdict":"keep"'))
    with pytest.raises(DamagedLog, match=f"line {n} was changed") as caught:
        read_plan(tmp_path)
    assert [damage.line for damage in caught.value.damage] == [n, len(lines) - 1]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"kind": "outcomes"}, "is a sealed log, but not of a plan"),
        ({"kind": "plan", "format": 99, "tool": "seatwarden 9"}, r"written by a newer seatwarden \(seatwarden 9\)"),
    ],
)
def test_logs_of_another_kind(tmp_path: Path, record: dict[str, Any], message: str) -> None:
    (tmp_path / PLAN_FILE).write_bytes(relinked([record], own=False))
    with pytest.raises(InputError, match=message):
        read_log(tmp_path)


def test_no_log(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no plan"):
        read_log(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        read_log(tmp_path / "none.jsonl")


def test_rules_from_yaml_keep_their_places(tmp_path: Path) -> None:
    plan = plan_of(RULES, SITE)
    write_plan(plan, tmp_path, "", RECORDING)
    read = read_plan(tmp_path)
    assert [rule.place for rule in read.policy.rules] == ["test.policy:1:1", "test.policy:2:1"]


def test_what_was_found_is_recorded(tmp_path: Path) -> None:
    finding = Finding("SW402", "warning", "m", "h", "p:1:2", "vip", ("a", "b"))
    plan = replace(plan_of(RULES, SITE).with_findings(finding), compared="with the run before", accepted=True)
    write_plan(plan, tmp_path / "run", "", RECORDING)
    read = read_plan(tmp_path / "run")
    assert (read.findings, read.header.found) == ([finding], ["SW402"])
    assert (read.compared, read.header.accepted) == ("with the run before", True)


def test_what_helps_is_recorded(tmp_path: Path) -> None:
    plan = plan_of(RULES.replace("30 days", "0 days") + "\nlimit release to 0 per run", SITE)
    write_plan(plan, tmp_path / "run", "", RECORDING)
    summary = read_plan(tmp_path / "run").log.summary
    assert summary.remedy == plan.remedy != ""
    assert {t: counts.this_run for t, counts in summary.by_type.items()} == {"professional": 0, "analyzer": 0}
