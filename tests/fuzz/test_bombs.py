"""What is made to exhaust a parser is refused with a message, within seconds and 200 MB, each in its own process."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from seatwarden.grammar.parser import parse_policy
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.loading import check_text
from tests.fuzz.bombs import BOMBS, MEGABYTES, SECONDS
from tests.paths import ROOT


def _set_off() -> dict[str, dict[str, Any]]:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.bombs"], cwd=ROOT, capture_output=True, timeout=300, check=False
    )
    measured = {line["name"]: line for line in map(json.loads, ran.stdout.splitlines())}
    assert set(measured) == set(BOMBS), ran.stderr.decode()
    return measured


def _dangerous(line: dict[str, Any]) -> bool:
    return "died" in line or not line["said"] or line["seconds"] > SECONDS or line["megabytes"] > MEGABYTES


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="NOT CHECKED HERE: limits and memory are measured on Linux only")
def test_every_bomb_is_refused_in_time_and_memory() -> None:
    assert {name: line for name, line in _set_off().items() if _dangerous(line)} == {}


@pytest.mark.long
def test_what_a_large_site_needs_is_read(tmp_path: Path) -> None:
    """5,000 protected users in Butler's YAML and in policy text, 20,000 in a list file."""
    names = [(f"CORP{n % 7}", f"user.number.{n:05d}") for n in range(5_000)]
    users = "".join(f"        - userDir: '{directory}'\n          userId: '{user}'\n" for directory, user in names)
    types = "licenseType: {analyzer: {enable: true, releaseThresholdDays: 30}}\n"
    (keep, _) = parse_butler(f"neverRelease:\n      user:\n{users}{types}", "p.yaml").rules
    listed = ", ".join(f'"{directory}\\{user}"' for directory, user in names)
    (same,) = parse_policy(f'keep "user" when user == [{listed}]', "p.policy").rules
    assert keep == same
    (tmp_path / "staff.txt").write_text("".join(f"CORP\\{n}\n" for n in range(20_000)), encoding="utf-8")
    checked = check_text('set staff from "staff.txt"\nrelease when user != staff', "p.policy", tmp_path)
    assert parse_policy(checked.text, "p.policy") == checked.tree
