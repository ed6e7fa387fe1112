"""`seatwarden diff`."""

import json
import re
from pathlib import Path

import pytest

from seatwarden.engine.cli.views.diff_markdown import code_span
from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES

SNAPSHOT = EXAMPLES / "site.json"
OLD, NEW = EXAMPLES / "butler.yaml", EXAMPLES / "season.policy"


@pytest.fixture
def policies(tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old.policy", tmp_path / "new.policy"
    old.write_text('keep "vips" when user.tags = ["vip", "board"]\nrelease analyzer when unused for 30 days\n')
    new.write_text('keep "vips" when user.tags = "vip"\nrelease analyzer when unused for 30 days\n')
    return old, new


def test_butler_yaml_and_its_policy_text_mean_the_same(run: Run) -> None:
    ran = run("diff", OLD, EXAMPLES / "butler.policy")
    assert (ran.code, ran.err) == (0, "")
    assert "the same verdicts" in ran.out


def test_an_example_of_a_difference(run: Run, policies: tuple[Path, Path]) -> None:
    ran = run("diff", *policies)
    assert ran.code == 1
    assert (
        ran.out
        == """\
The policies differ. A smallest example, everything else being false or without a value:

  license.type        "analyzer"
  user                "ACME\\somebody"
  user.tags           "board"
  license.unusedDays  30

  old.policy: KEPT — keep "vips": user.tags = "board", listed  (old.policy:1:1)
  new.policy: DUE — release analyzer: last used 2026-05-16, 30 days ago; 30 needed  (new.policy:2:1)
"""
    )


def test_an_example_as_json(run: Run, policies: tuple[Path, Path]) -> None:
    ran = run("diff", *policies, "--format", "json")
    answer = json.loads(ran.out)
    assert (ran.code, answer["same"]) == (1, False)
    assert answer["example"]["facts"]["user.tags"] == ["board"]
    assert answer["example"]["old"]["rule"] == "vips"
    assert answer["example"]["new"]["verdict"] == "release"


def test_on_a_snapshot(run: Run) -> None:
    ran = run("diff", OLD, NEW, "--snapshot", SNAPSHOT)
    assert ran.code == 1
    assert "keep → release" in ran.out
    assert "Also: they limit" in ran.out
    assert "unchanged." in ran.out


def test_on_a_snapshot_as_json(run: Run) -> None:
    answer = json.loads(run("diff", OLD, NEW, "--snapshot", SNAPSHOT, "--format", "json").out)
    assert answer["same"] is False
    change = answer["changes"][0]
    assert change["old"]["verdict"] != change["new"]["verdict"]
    summary = answer["summary"]
    assert summary["toRelease"] + summary["toNotice"] + summary["toKeep"] == len(answer["changes"])
    assert sum(reason["licenses"] for reason in summary["byReason"]) == len(answer["changes"])


def test_plans_agree_with_the_diff(run: Run) -> None:
    def verdicts(policy: Path) -> dict[str, str]:
        plan = json.loads(run("plan", "-p", policy, "-s", SNAPSHOT, "--format", "json").out)
        return {d["licenseId"]: d["verdict"] for d in plan["decisions"]}

    old, new = verdicts(OLD), verdicts(NEW)
    answer = json.loads(run("diff", OLD, NEW, "-s", SNAPSHOT, "--format", "json").out)
    listed = {c["licenseId"]: (c["old"]["verdict"], c["new"]["verdict"]) for c in answer["changes"]}
    assert listed == {i: (old[i], new[i]) for i in old if old[i] != new[i]}


def test_the_same_policy(run: Run) -> None:
    assert run("diff", NEW, NEW).code == 0
    ran = run("diff", NEW, NEW, "--snapshot", SNAPSHOT)
    assert ran.code == 0
    assert ran.out.startswith("0 licenses ")


def test_one_day_only(run: Run, tmp_path: Path, policies: tuple[Path, Path]) -> None:
    dated = tmp_path / "dated.policy"
    dated.write_text(
        'keep "vips" when user.tags = "vip"\nkeep "year-end" until 2026-12-31 when user.tags = "board"\n'
        "release analyzer when unused for 30 days\n"
    )
    assert run("diff", policies[0], dated, "--now", "2026-12-31").code == 0
    assert run("diff", policies[0], dated, "--now", "2027-01-01").code == 1


def test_time_zones(run: Run, tmp_path: Path, policies: tuple[Path, Path]) -> None:
    zoned = tmp_path / "zoned.policy"
    zoned.write_text('timezone "Asia/Tokyo"\n' + policies[0].read_text())
    ran = run("diff", policies[0], zoned)
    assert ran.code == 1
    assert re.findall(r"in (UTC|Asia/Tokyo)\b", ran.out) == ["UTC", "Asia/Tokyo"]
    assert run("diff", policies[0], zoned, "--timezone", "UTC").code == 0


def test_unreadable(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.policy"
    bad.write_text("keep wen")
    for pair in ((bad, OLD), (OLD, tmp_path / "none.policy")):
        ran = run("diff", *pair)
        assert (ran.code, ran.out) == (2, "")
        assert "error" in ran.err


def test_a_comment_on_a_pull_request(run: Run, policies: tuple[Path, Path]) -> None:
    ran = run("diff", *policies, "--format", "markdown")
    assert ran.code == 1
    assert ran.out == (
        "### What `new.policy` would change after `old.policy`\n\n"
        "The policies differ. A smallest example, everything else being false or without a value:\n\n"
        "| Fact | Value |\n| --- | --- |\n"
        '| `license.type` | `"analyzer"` |\n| `user` | `"ACME\\somebody"` |\n| `user.tags` | `"board"` |\n'
        "| `license.unusedDays` | `30` |\n\n"
        "| Policy | Verdict | Why |\n| --- | --- | --- |\n"
        '| `old.policy` | **kept** | `keep "vips": user.tags = "board", listed` |\n'
        "| `new.policy` | **released** | `release analyzer: last used 2026-05-16, 30 days ago; 30 needed` |\n"
    )
    same = run("diff", policies[0], policies[0], "--format", "markdown")
    assert (same.code, same.out.splitlines()[0]) == (0, "### What `old.policy` would change")


def test_a_comment_on_a_snapshot_says_how_many_why_and_whose(run: Run) -> None:
    ran = run("diff", OLD, NEW, "--snapshot", SNAPSHOT, "--format", "markdown")
    why, _, whose = ran.out.partition("<details>")
    assert " would be released instead of kept**, " in why
    assert "| Licenses | Now | Before, by | Now, by |\n" in why
    assert "CORP" not in why, "who it is stands below"
    assert whose.count("keep → release") + whose.count("release → keep") == sum(
        int(number) for number in re.findall(r"^\| (\d+) \|", why, re.MULTILINE)
    )


def test_names_are_no_markup_in_a_comment() -> None:
    """What people are called makes neither a table nor mentions somebody."""
    assert code_span("@root") == "`@root`"
    assert code_span("a|b `c`") == "`` a\\|b `c` ``"
    assert code_span("") == "`  `"


def test_due_after_notice_is_neither_kept_nor_released(run: Run, tmp_path: Path) -> None:
    """A rule that gives notice is told from one that does not, and from none at all."""
    plain, told, none = (tmp_path / f"{name}.policy" for name in ("plain", "told", "none"))
    plain.write_text("release analyzer when unused for 30 days\n")
    told.write_text("release analyzer when unused for 30 days\n  after notice of 14 days\n")
    none.write_text("release analyzer when unused for 3000 days\n")
    added = run("diff", none, told, "--snapshot", SNAPSHOT)
    assert added.code == 1
    assert "keep → due after notice" in added.out
    assert "newly due after notice: no release rule matched → release analyzer" in added.out
    assert "0 licenses newly due, 6 newly due after notice, 0 newly kept" in added.out
    softer = run("diff", plain, told, "--snapshot", SNAPSHOT)
    assert "release → due after notice" in softer.out
    summary = json.loads(run("diff", plain, told, "--snapshot", SNAPSHOT, "--format", "json").out)["summary"]
    assert (summary["toRelease"], summary["toNotice"], summary["toKeep"]) == (0, 6, 0)
    assert [reason["to"] for reason in summary["byReason"]] == ["notice"]
    shown = run("diff", plain, told, "--snapshot", SNAPSHOT, "--format", "markdown").out
    assert "**6 due after notice**" in shown


# A gate --------------------------------------------------------------------------------------------------

_OLD = 'keep "a" when user.tags = "a"\nrelease when unused for 60 days\nlimit release to 5 per run\n'


@pytest.mark.parametrize(
    ("new", "releases", "keeps"),
    [
        (_OLD, 0, 0),
        (_OLD.replace("60", "30"), 1, 0),
        (_OLD.replace("60", "90"), 0, 1),
        (_OLD.replace('"a" when user.tags = "a"', '"b" when user.tags = "b"'), 1, 1),
        (_OLD.replace("5 per run", "9 per run"), 0, 0),
        (f'timezone "Asia/Tokyo"\n{_OLD}', 1, 1),
        (_OLD.replace("60 days", "60 days after notice of 7 days"), 1, 1),
    ],
)
def test_what_must_not_change_unseen(run: Run, tmp_path: Path, new: str, releases: int, keeps: int) -> None:
    (tmp_path / "old.policy").write_text(_OLD)
    (tmp_path / "new.policy").write_text(new)
    for option, code in (("--no-new-releases", releases), ("--no-new-keeps", keeps)):
        ran = run("diff", tmp_path / "old.policy", tmp_path / "new.policy", option)
        assert ran.code == code, ran.out
        assert code or ran.out.startswith("The new policy ")


def test_the_gate_on_a_snapshot_lists_only_what_counts(run: Run, tmp_path: Path) -> None:
    (tmp_path / "old.policy").write_text("release when unused for 30 days\nlimit release to 5 per run\n")
    (tmp_path / "new.policy").write_text("release when unused for 60 days\nlimit release to 5 per run\n")
    policies = tmp_path / "old.policy", tmp_path / "new.policy"
    for new, old, option, code in (
        (1, 0, "releases", 0),
        (0, 1, "releases", 1),
        (1, 0, "keeps", 1),
        (0, 1, "keeps", 0),
    ):
        ran = run("diff", policies[old], policies[new], "--snapshot", EXAMPLES / "site.json", f"--no-new-{option}")
        assert (ran.code, "→" in ran.out) == (code, bool(code))


def test_both_gates_at_once_are_no_gate(run: Run, policies: tuple[Path, Path]) -> None:
    assert run("diff", *policies, "--no-new-releases", "--no-new-keeps").code == 2
