"""The public face: cheap to import, careful with moments, and nothing in it that releases."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import seatwarden
from tests.paths import EXAMPLES, ROOT

NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


def test_importing_it_imports_nothing_else() -> None:
    code = "import seatwarden, sys; print([name for name in sys.modules if name.startswith('seatwarden.')])"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_all_names_are_there_and_no_others() -> None:
    assert set(seatwarden.__all__) <= set(dir(seatwarden))
    assert seatwarden.__version__
    with pytest.raises(AttributeError, match="no attribute 'apply'"):
        _ = seatwarden.apply


def test_a_moment_without_zone_and_a_zone_that_is_none_are_refused() -> None:
    policy = seatwarden.parse_policy("release analyzer when unused for 30 days")
    snapshot = seatwarden.load_snapshot(EXAMPLES / "site.json")
    with pytest.raises(seatwarden.InputError, match="no time zone"):
        seatwarden.make_plan(policy, snapshot, now=NOW.replace(tzinfo=None), zone="UTC")
    with pytest.raises(seatwarden.InputError, match="Europe/Stokholm") as caught:
        seatwarden.make_plan(policy, snapshot, now=NOW, zone="Europe/Stokholm")
    assert "Europe/Stockholm" in str(caught.value.help)


@pytest.mark.parametrize(
    ("text", "code"), [("release when", "SW001"), ("release when user.tag = 1", "SW101"), ('set a from "b"', "SW207")]
)
def test_a_policy_that_cannot_be_used_is_one_kind_of_error(text: str, code: str) -> None:
    with pytest.raises(seatwarden.PolicyError) as caught:
        seatwarden.parse_policy(text)
    assert code in [finding.code for finding in caught.value.diagnostics]


def test_names_that_a_site_does_not_know_are_found_with_its_snapshot() -> None:
    policy = seatwarden.parse_policy('keep "x" when user.tags = "nobody has this"')
    snapshot = seatwarden.load_snapshot(EXAMPLES / "site.json")
    alone = seatwarden.lint(policy, now=NOW, zone="UTC")
    assert {finding.code for finding in seatwarden.lint(policy, now=NOW, zone="UTC", snapshot=snapshot)} > {
        finding.code for finding in alone
    }


def test_a_plan_is_never_written_over_another(tmp_path: Path) -> None:
    snapshot = seatwarden.load_snapshot(EXAMPLES / "site.json")
    for days, fails in ((30, False), (30, False), (31, True)):
        policy = seatwarden.parse_policy(f"release analyzer when unused for {days} days")
        plan = seatwarden.make_plan(policy, snapshot, now=NOW, zone="UTC")
        if fails:
            with pytest.raises(seatwarden.InputError, match="holds another plan"):
                seatwarden.write_plan(plan, tmp_path / "run")
        else:
            assert seatwarden.write_plan(plan, str(tmp_path / "run")) == tmp_path / "run" / "plan.jsonl"
    assert seatwarden.replay(tmp_path / "run") == []
