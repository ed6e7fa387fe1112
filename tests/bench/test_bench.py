"""The benchmarks run, at tiny sizes; what they measure is no matter for tests."""

import subprocess
import sys
from itertools import islice
from pathlib import Path

import msgspec
import pytest

from bench import guarantees
from bench.policies import large_policy
from bench.sites import NOW, Site
from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.plan.plan import make_plan
from seatwarden.engine.snapshot.reader import load_snapshot
from tests.engine.support import checked
from tests.paths import ROOT


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
def test_the_report_is_written(tmp_path: Path) -> None:
    report = tmp_path / "results.md"
    command = [sys.executable, "-m", "bench", "--tiny", "--output", str(report)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    text = report.read_text(encoding="utf-8")
    sections = ("The goals", "Whole processes", "The evaluator", "Peers", "A live site", "The page", "In the editor")
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        *(*sections, "Guarantees", "Backtests", "A fleet"),
    ]


def test_a_site_is_the_same_each_time_and_as_large_as_a_real_one(tmp_path: Path) -> None:
    site = Site(300)
    assert list(islice(site.rows(), 5)) == list(islice(Site(300).rows(), 5)) == list(islice(site.rows(), 5))
    site.write(tmp_path / "site.json")
    data = (tmp_path / "site.json").read_bytes()
    assert msgspec.json.decode(data) == site.as_snapshot()
    assert 1_700 < len(data) / 300 < 2_100, "1.5 KB a user, 0.4 KB a license"


def test_a_plan_of_such_a_site_keeps_and_releases_for_every_reason(tmp_path: Path) -> None:
    Site(2_000).write(tmp_path / "site.json")
    snapshot = load_snapshot(tmp_path / "site.json")
    policy = checked((ROOT / "examples" / "butler.policy").read_text(encoding="utf-8"))
    plan = make_plan(policy, snapshot, day_for(policy, NOW, None), "bench")
    assert {'keep "tag"', 'keep "customProperty"', 'keep "userDirectory"', "quarantined"} <= set(
        plan.summary()["byReason"]
    )
    assert 0.15 < plan.summary()["release"] / 2_000 < 0.25


def test_all_guarantees_of_the_policy_that_is_timed_are_proved() -> None:
    assert "; proved. Wanted" in guarantees.measure(20, 1)


def test_half_of_the_users_in_the_large_policy_are_of_the_site(tmp_path: Path) -> None:
    Site(50).write(tmp_path / "site.json")
    policy = checked(large_policy(Site(50), users=40))
    decisions = list(decide_all(policy, load_snapshot(tmp_path / "site.json"), day_for(policy, NOW, None)))
    assert sum("user" in [rule.name for rule in decision.matched] for decision in decisions) == 20
