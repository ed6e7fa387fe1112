"""`seatwarden explain` from the outside."""

import json
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES

GIVEN = ("--policy", EXAMPLES / "butler.yaml", "--snapshot", EXAMPLES / "site.json")

JDOE = """\
ADMIN\\jdoe (Jane Doe) · professional · KEPT — protected by keep "userDirectory"

  keep "user"            ✗ user = "ADMIN\\jdoe", not listed                         butler.yaml:19
  keep "tag"             ✗ user.tags has no value, not listed                      butler.yaml:26
  keep "customProperty"  ✗ user.@LicenseManage has no value, not "do-not-release"  butler.yaml:29
  keep "userDirectory"   ✓ user.userDirectory = "ADMIN", listed                    butler.yaml:32
  release professional   ✓ last used 2026-09-01, 81 days ago; 30 needed            butler.yaml:42

Would be released if keep "userDirectory" did not match.
"""


@pytest.mark.parametrize("user", ["ADMIN\\jdoe", "admin\\JDOE", "Jane Doe", "jdoe", "the QRS id"])
def test_a_user_is_found_by_any_name(run: Run, user: str) -> None:
    if user == "the QRS id":
        site = json.loads((EXAMPLES / "site.json").read_text(encoding="utf-8"))
        user = next(u["id"] for u in site["users"] if u["userId"] == "jdoe")
    ran = run("explain", user, *GIVEN)
    assert (ran.code, ran.err, ran.out) == (0, "", JDOE)


@pytest.mark.parametrize(
    ("user", "status", "words"),
    [
        ("ADMIN\\jdoe", "protected", "protected by keep"),
        ("CORP\\pnovak", "released", "RELEASED — release professional: last used 2026-06-30, 144 days ago; 30 needed"),
        ("CORP\\rhaddad", "not due", "due on 2026-12-11"),
        ("PARTNER\\lnguyen", "undetermined", "`user.tags` is missing or unreadable"),
        ("CORP\\hmeyer", "quarantined", "in quarantine until 2026-11-23"),
    ],
)
def test_verdicts_are_told_apart_in_words(run: Run, user: str, status: str, words: str) -> None:
    assert words in run("explain", user, *GIVEN).out
    explained = json.loads(run("explain", user, *GIVEN, "--format", "json").out)
    assert [license_["status"] for license_ in explained["licenses"]] == [status]


def test_no_rule_speaks_of_the_type(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "p.policy"
    policy.write_text("release analyzer when unused for 30 days\n")
    out = run("explain", "ADMIN\\jdoe", "-p", policy, "-s", EXAMPLES / "site.json").out
    assert "KEPT — no release rule speaks of professional licenses" in out


def test_both_licenses_of_a_user(run: Run) -> None:
    out = run("explain", "CORP\\tyilmaz", *GIVEN).out
    assert "· professional · KEPT — not due yet" in out
    assert "· analyzer · RELEASED" in out


def test_values_hang_under_the_parts_of_a_condition(run: Run) -> None:
    given = ("--policy", EXAMPLES / "season.policy", "--snapshot", EXAMPLES / "site.json")
    out = run("explain", "CORP\\asvensson", *given).out
    assert '✓ user.@Department = "Finance", listed in finance' in out
    assert "✗ license.unusedDays = 303, not < 270" in out
    assert "Would be released on 2027-03-01 if it stays unused and nothing else changes." in out


def test_from_a_past_plan(run: Run, tmp_path: Path) -> None:
    """By the plan's own facts: neither policy nor snapshot is needed any more."""
    run("plan", *GIVEN, "-o", tmp_path / "run")
    ran = run("explain", "ADMIN\\jdoe", "--plan", tmp_path / "run")
    assert (ran.code, ran.out) == (0, JDOE)
    live = json.loads(run("explain", "CORP\\tyilmaz", *GIVEN, "--format", "json").out)
    past = json.loads(run("explain", "CORP\\tyilmaz", "--plan", tmp_path / "run", "--format", "json").out)
    assert past["licenses"] == live["licenses"]


def test_unknown_and_ambiguous_users(run: Run, tmp_path: Path) -> None:
    ran = run("explain", "ADMIN\\jdo", *GIVEN)
    assert ran.code == 2
    assert "there is no user `ADMIN\\jdo`" in ran.err
    assert "did you mean `ADMIN\\jdoe`?" in ran.err
    site = json.loads((EXAMPLES / "site.json").read_text(encoding="utf-8"))
    site["users"][2]["name"] = "Jane Doe"
    (tmp_path / "site.json").write_text(json.dumps(site))
    ran = run("explain", "Jane Doe", "-p", EXAMPLES / "butler.yaml", "-s", tmp_path / "site.json")
    assert ran.code == 2
    assert "ADMIN\\jdoe (Jane Doe), CORP\\mlopez (Jane Doe)" in ran.err


def test_a_user_without_license(run: Run, tmp_path: Path) -> None:
    site = json.loads((EXAMPLES / "site.json").read_text(encoding="utf-8"))
    site["licenses"]["professional"] = []
    (tmp_path / "site.json").write_text(json.dumps(site))
    ran = run("explain", "ADMIN\\jdoe", "-p", EXAMPLES / "butler.yaml", "-s", tmp_path / "site.json")
    assert (ran.code, ran.out) == (0, "ADMIN\\jdoe (Jane Doe) has no license: nothing to release.\n")
