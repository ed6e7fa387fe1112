"""Butler 16.0.4's own verdicts, recorded by running it: ours are the same, rule by rule, through the command line."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.cli.conftest import Run
from tests.paths import DATA

BUTLERS = ("user", "tag", "customProperty", "userDirectory", "inactive", "blocked", "removedExternally", "quarantined")


def _cases() -> Iterator[Any]:
    with gzip.open(DATA / "release-cases.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            yield pytest.param(case, id=f"{case['case']}-{case['focus']}")


@pytest.mark.parametrize("case", list(_cases()))
def test_same_verdict_and_same_leading_rule(run: Run, case: dict[str, Any], tmp_path: Path) -> None:
    config = {"Butler": {"qlikSenseLicense": {"licenseRelease": case["licenseRelease"]}}}
    for name, content in (("butler.json", config), ("site.json", case["snapshot"])):  # JSON is YAML
        (tmp_path / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    given = ("--policy", tmp_path / "butler.json", "--snapshot", tmp_path / "site.json")
    ran = run("plan", *given, "--now", case["now"], "--timezone", case["timezone"], "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    decisions = {decision["licenseId"]: decision for decision in json.loads(ran.out)["decisions"]}
    assert case["expect"]  # fewer than there are licenses where Butler gave up
    for expected in case["expect"]:
        decision = decisions[expected["licenseId"]]
        verdict = (decision["licenseType"], decision["verdict"])
        assert verdict == (expected["licenseType"], expected["verdict"]), decision["reason"]
        if expected["rule"] in BUTLERS:
            assert decision["rule"] == expected["rule"]
        if "daysSinceLastUse" in expected and decision["lastUsed"] is not None:
            # Butler reports whole spans of 24 hours, we count calendar days as both do for the verdict.
            assert decision["unusedDays"] in (expected["daysSinceLastUse"], expected["daysSinceLastUse"] + 1)


def test_the_oracle_tells_all_rules() -> None:
    rules = {expected["rule"] for case in _cases() for expected in case.values[0]["expect"]}
    assert rules >= set(BUTLERS)
