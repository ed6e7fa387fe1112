"""Butler 16.0.4's own verdicts, recorded by running it: ours are the same, rule by rule."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.days import make_day, parse_timestamp
from engine.decide import decide_all
from policy.loading import load_policy
from tests.engine.support import snapshot_of
from tests.paths import DATA

BUTLERS = ("user", "tag", "customProperty", "userDirectory", "inactive", "blocked", "removedExternally", "quarantined")


def _cases() -> Iterator[Any]:
    with gzip.open(DATA / "release-cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            yield pytest.param(case, id=f"{case['case']}-{case['focus']}")


@pytest.mark.parametrize("case", list(_cases()))
def test_same_verdict_and_same_leading_rule(case: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "butler.json"  # JSON is YAML
    path.write_text(json.dumps(case["licenseRelease"], ensure_ascii=False), encoding="utf-8")
    policy = load_policy(path)
    now = parse_timestamp(case["now"])
    assert now is not None
    day = make_day(now, case["timezone"])
    decisions = {d.license_id: d for d in decide_all(policy, snapshot_of(case["snapshot"]), day)}
    assert case["expect"]  # fewer than there are licenses where Butler gave up
    for expected in case["expect"]:
        decision = decisions[expected["licenseId"]]
        verdict = (decision.license_type, decision.verdict)
        assert verdict == (expected["licenseType"], expected["verdict"]), decision.reason
        if expected["rule"] in BUTLERS:
            assert decision.rule_name == expected["rule"]
        if "daysSinceLastUse" in expected and decision.last_used is not None:
            # Butler reports whole spans of 24 hours, we count calendar days as both do for the verdict.
            assert decision.unused_days in (expected["daysSinceLastUse"], expected["daysSinceLastUse"] + 1)


def test_the_oracle_tells_all_rules() -> None:
    rules = {expected["rule"] for case in _cases() for expected in case.values[0]["expect"]}
    assert rules >= set(BUTLERS)
