"""`seatwarden explain` from the outside."""

import json
import re
import sys
from io import StringIO
from pathlib import Path

import pytest

from tests.engine.cli.conftest import Run
from tests.engine.report.runs import LONG_AGO, some_site, write_journal, write_run
from tests.engine.report.runs import POLICY as REPORTED
from tests.engine.support import site_of, user
from tests.paths import EXAMPLES
from tests.strategies import as_json

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
        ("CORP\\pnovak", "due", "DUE — release professional: last used 2026-06-30, 144 days ago; 30 needed"),
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
    assert "speaks of professional" in out


def test_both_licenses_of_a_user(run: Run) -> None:
    out = run("explain", "CORP\\tyilmaz", *GIVEN).out
    assert "professional · KEPT" in out
    assert "analyzer · DUE" in out


def test_values_hang_under_the_parts_of_a_condition(run: Run) -> None:
    given = ("--policy", EXAMPLES / "season.policy", "--snapshot", EXAMPLES / "site.json")
    out = run("explain", "CORP\\asvensson", *given).out
    assert "✓ user.@Department = " in out
    assert "✗ license.unusedDays = 303" in out
    assert "on 2027-03-01" in out


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
    assert "`ADMIN\\jdoe`?" in ran.err
    assert "`tyilmaz`?" in run("explain", "tylmaz", *GIVEN).err
    assert "as DIRECTORY\\id" in run("explain", "Xzzw", *GIVEN).err
    site = json.loads((EXAMPLES / "site.json").read_text(encoding="utf-8"))
    site["users"][2]["name"] = "Jane Doe"
    (tmp_path / "site.json").write_text(json.dumps(site))
    ran = run("explain", "Jane Doe", "-p", EXAMPLES / "butler.yaml", "-s", tmp_path / "site.json")
    assert ran.code == 2
    assert "`Jane Doe` can be 2 users" in ran.err
    assert _listed(ran.err) == ["ADMIN\\jdoe", "CORP\\mlopez"]


def _listed(text: str) -> list[str]:
    """The users among whom one must be chosen."""
    return re.findall(r"^ {6}(\w+\\\w+) ", text, re.MULTILINE)


@pytest.mark.parametrize("typed", ["*", "~", "$USERNAME", "%USERNAME%"])
def test_names_are_taken_as_typed(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    """Also on Windows, where programs are expected to expand such words themselves."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "jdoe").touch()
    monkeypatch.setenv("USERNAME", "jdoe")
    ran = run("explain", typed, *GIVEN)
    assert (ran.code, f"`{typed}`" in ran.err) == (2, True)


def test_a_user_without_license(run: Run, tmp_path: Path) -> None:
    site = json.loads((EXAMPLES / "site.json").read_text(encoding="utf-8"))
    site["licenses"]["professional"] = []
    (tmp_path / "site.json").write_text(json.dumps(site))
    ran = run("explain", "ADMIN\\jdoe", "-p", EXAMPLES / "butler.yaml", "-s", tmp_path / "site.json")
    assert (ran.code, ran.out) == (0, "ADMIN\\jdoe (Jane Doe) has no license: nothing to release.\n")


def _brief(text: str) -> list[tuple[str, ...]]:
    """Each line of a brief explanation: user, type of the license, verdict."""
    return re.findall(r"^(\S+) \(.*\) · (\w+) · ([A-Z]+) — .+$", text, re.MULTILINE)


def test_a_part_of_a_name_is_enough(run: Run) -> None:
    ran = run("explain", "doe", *GIVEN)
    assert (ran.code, ran.err, ran.out) == (0, "`doe` is ADMIN\\jdoe (Jane Doe)\n", JDOE)
    ran = run("explain", "NOVÁ", *GIVEN, "--brief")
    assert _brief(ran.out) == [("CORP\\pnovak", "professional", "DUE")]


def test_a_part_of_several_names(run: Run) -> None:
    ran = run("explain", "an", *GIVEN)
    assert (ran.code, ran.out) == (2, "")
    assert "`an`" in ran.err
    assert "4 users" in ran.err
    assert _listed(ran.err) == ["ADMIN\\jdoe", "CORP\\obrien", "CORP\\rhaddad", "PARTNER\\fdubois"]


def test_choices_are_bounded(run: Run, tmp_path: Path) -> None:
    users = [user(n) for n in range(30)]
    (tmp_path / "site.json").write_bytes(as_json(site_of(users)))
    ran = run("explain", "ser", "-p", EXAMPLES / "butler.yaml", "-s", tmp_path / "site.json")
    assert "30 users" in ran.err
    assert ran.err.count("no license") == 12
    assert ran.err.endswith("      and 18 more\n")


@pytest.mark.parametrize("typed", ["2", "none\n9\n2"])
def test_on_a_terminal_one_is_chosen(run: Run, monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", Terminal(f"{typed}\n"))
    ran = run("explain", "an", *GIVEN, "--brief")
    assert ran.code == 0
    assert "   2  CORP\\obrien " in ran.err
    assert ran.err.count("Which one? (1-4) ") == len(typed.split())
    assert _brief(ran.out) == [("CORP\\obrien", "analyzer", "DUE")]


def test_nothing_is_chosen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", Terminal())
    ran = run("explain", "an", *GIVEN)
    assert (ran.code, ran.out) == (2, "")
    assert "nothing was chosen" in ran.err


class Terminal(StringIO):
    """Somebody at the keyboard."""

    def isatty(self) -> bool:
        return True


def test_several_users_each_once(run: Run) -> None:
    ran = run("explain", "tyilmaz", "doe", "ADMIN\\jdoe", *GIVEN, "--brief")
    assert _brief(ran.out) == [
        ("CORP\\tyilmaz", "professional", "KEPT"),
        ("CORP\\tyilmaz", "analyzer", "DUE"),
        ("ADMIN\\jdoe", "professional", "KEPT"),
    ]
    several = json.loads(run("explain", "tyilmaz", "jdoe", *GIVEN, "--format", "json").out)
    alone = [json.loads(run("explain", name, *GIVEN, "--format", "json").out) for name in ("tyilmaz", "jdoe")]
    assert several == alone
    assert run("explain", "tyilmaz", "nobody-here", *GIVEN).code == 2


@pytest.mark.parametrize("past", [False, True])
def test_all_releases_longest_unused_first(run: Run, tmp_path: Path, past: bool) -> None:
    planned = json.loads(run("plan", *GIVEN, "-o", tmp_path / "run", "--format", "json").out)
    given = ("--plan", tmp_path / "run") if past else GIVEN
    released = [d for d in planned["decisions"] if d["verdict"] == "release"]
    shown = json.loads(run("explain", "--releases", *given, "--format", "json").out)
    licenses = [license_ for user_ in shown for license_ in user_["licenses"]]
    assert {d["licenseId"] for d in licenses} == {d["licenseId"] for d in released}
    days = [d["unusedDays"] for d in licenses]
    assert days == sorted(days, reverse=True)
    text = run("explain", "--releases", "--brief", *given).out.splitlines()
    assert len(text) == len(released)
    assert all(" · DUE — " in line for line in text)


def test_all_that_a_rule_matches(run: Run) -> None:
    by_label, by_title = (run("explain", "--rule", name, *GIVEN, "--brief").out for name in ("tag", 'keep "tag"'))
    assert by_label == by_title
    assert by_label.splitlines()
    assert all('keep "tag"' in line for line in by_label.splitlines())
    assert run("explain", "--rule", "tag", "--releases", *GIVEN).out == "Nothing is released.\n"
    assert "`customProperty`?" in run("explain", "--rule", "custmProperty", *GIVEN).err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "nobody to explain"),
        (("jdoe", "--releases"), "name users, or a selection, not both"),
        (("jdoe", "--brief", "--full"), "--brief and --full exclude each other"),
        (("jdoe", "--plan", "x"), "--plan stands alone"),
    ],
)
def test_what_does_not_go_together(run: Run, arguments: tuple[str, ...], problem: str) -> None:
    ran = run("explain", *arguments, *GIVEN)
    assert ran.code == 2
    assert problem in ran.err


def test_everything(run: Run) -> None:
    given = ("--policy", EXAMPLES / "season.policy", "--snapshot", EXAMPLES / "site.json", "--now", "2027-03-05")
    out = run("explain", "CORP\\asvensson", *given, "--full").out
    assert [line for line in out.splitlines() if line and not line.startswith(" ")][1:] == [
        "Guards",
        "Rules",
        "Facts",
        "What if",
        "Decided",
    ]
    for words in (
        "✓ the license is not in quarantine",
        "✗ ended on 2027-02-28",
        '✓ user.@Department = "Finance", listed in finance',
        '✗ user.roles has no value, not "RootAdmin"',
        "season.policy:12:1",
        '  user.@Department     "Finance"\n',
        "Would be kept if the license had been used today.",
        "moment   2027-03-04T23:00:00.000Z, friday 2027-03-05 in Europe/Stockholm",
        "SHA-256 ",
    ):
        assert words in out


def test_a_release_that_is_meant_says_so(run: Run) -> None:
    given = ("--policy", EXAMPLES / "both-types.policy", "--snapshot", EXAMPLES / "site.json")
    assert "  regardless of use\n" in run("explain", "CORP\\tyilmaz", *given, "--full").out


def test_sizes_as_json(run: Run) -> None:
    brief, default, full = (
        json.loads(run("explain", "pnovak", *GIVEN, "--format", "json", *size).out)["licenses"][0]
        for size in (("--brief",), (), ("--full",))
    )
    assert set(default) - set(brief) == {"wouldChange", "tree"}
    assert set(full) - set(default) == {"cases", "facts", "standing"}
    assert full["facts"]["user"] == ["CORP\\pnovak"]
    assert full["cases"][1]["anyOf"][0] == {
        "change": "value added",
        "field": "user.tags",
        "value": "License do not release",
    }
    assert [case["sentence"] for case in full["cases"]][:3] == default["wouldChange"]


def test_the_state_in_the_run(run: Run, tmp_path: Path) -> None:
    """What is due is in the run, or waits, until the run is applied; then its end is said."""
    policy = REPORTED.replace("100 per run", "2 per run, longest unused first")
    folder = write_run(tmp_path / "run", some_site([LONG_AGO] * 3), policy)

    def states() -> list[str]:
        out = run("explain", "--releases", "--brief", "--plan", folder).out
        return [line.split(" · ")[2].partition(" — ")[0] for line in out.splitlines()]

    assert states() == ["IN THIS RUN", "IN THIS RUN", "DUE"]
    write_journal(folder, {"l1": "released", "l2": "skipped"})
    assert states() == ["RELEASED", "SKIPPED", "DUE"]
    for limit, state in (("3 per run", "IN THIS RUN"), ("2 per run", "DUE")):
        folder = write_run(tmp_path / limit, some_site([LONG_AGO] * 3), REPORTED.replace("100 per run", limit))
        assert states() == [state] * 3
