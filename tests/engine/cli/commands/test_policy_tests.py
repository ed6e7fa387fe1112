"""`seatwarden test` from the outside: passing, failing, covering, recording, JUnit."""

import json
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.engine.cli.conftest import Run
from tests.paths import EXAMPLES

POLICY = """\
keep "vips" when user.tags = "vip"
keep "hr" when user.@Department = "HR"
release analyzer when unused for 30 days
"""
HEAD = "policy: p.policy\nnow: 2026-11-21\ncases:\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a policy and the example site."""
    (tmp_path / "p.policy").write_text(POLICY, encoding="utf-8")
    (tmp_path / "site.json").write_bytes((EXAMPLES / "site.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str, name: str = "p.test.yaml") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_the_examples_pass_and_reach_every_rule(run: Run) -> None:
    ran = run("test", EXAMPLES, "--require-all-rules")
    assert (ran.code, ran.err) == (0, "")
    tested = {line.partition(".test.yaml: ")[0].rpartition("/")[2] for line in ran.out.splitlines()}
    policies = {path.stem for path in EXAMPLES.glob("*.policy")}
    assert policies <= tested


def test_a_failed_case_says_what_was_expected_what_came_out_and_why(run: Run, folder: Path) -> None:
    case = (
        "  - {name: vips stay, user: {tags: [ViP, a]}, license: analyzer, verdict: release, rule: release analyzer}\n"
    )
    write(folder, HEAD + case + "  - {name: hr stays, license: analyzer, verdict: keep, rule: hr}\n")
    ran = run("test")
    assert ran.code == 1
    assert ran.out == (
        "FAILED vips stay  (p.test.yaml:4)\n"
        "  expected  release by release analyzer\n"
        '  got       keep by keep "vips" (p.policy:1:1)\n'
        '  why       keep "vips": user.tags has "ViP"\n'
        "\n"
        "FAILED hr stays  (p.test.yaml:5)\n"
        "  expected  keep by hr\n"
        "  got       release by release analyzer (p.policy:3:1)\n"
        "  why       release analyzer: last used 2024-02-25, 1,000 days ago; 30 needed\n"
        '            keep "hr" ✗ user.@Department has no value, not "HR"  (p.policy:2:1)\n'
        "\n"
        "p.test.yaml: 0 passed, 2 failed\n"
    )
    assert ran.err == 'warning: no case reached 1 of 3 rules of p.policy\n  keep "hr"  (p.policy:2:1)\n'


def test_all_matching_rules(run: Run, folder: Path) -> None:
    user = "user: {tags: vip, properties: {Department: hr}}"
    write(
        folder, HEAD + f"  - {{name: a, {user}, license: analyzer, verdict: keep, rules: [vips, release analyzer]}}\n"
    )
    ran = run("test")
    assert ran.code == 1
    assert "  expected  matching rules: release analyzer, vips\n" in ran.out
    assert "  got       matching rules: hr, release analyzer, vips\n" in ran.out


def test_because(run: Run, folder: Path) -> None:
    write(folder, HEAD + "  - {name: a, license: professional, verdict: keep, because: keep}\n")
    ran = run("test")
    assert "  expected  keep, because keep\n" in ran.out
    assert "keep, because default: " in ran.out


def test_rules_that_no_case_reached(run: Run, folder: Path) -> None:
    write(folder, HEAD + "  - {name: a, user: {tags: vip}, license: analyzer, verdict: keep}\n")
    assert run("test").code == 0
    ran = run("test", "--require-all-rules")
    assert ran.code == 1
    assert 'keep "hr"  (p.policy:2:1)' in ran.err
    write(
        folder,
        HEAD + "  - {name: b, user: {properties: {Department: HR}}, license: analyzer, verdict: keep}\n",
        "q.test.yml",
    )
    assert run("test", "--require-all-rules").code == 0, "reached by another file"


@pytest.mark.parametrize("arguments", [[], ["empty"]])
def test_no_test_at_all(run: Run, folder: Path, arguments: list[str]) -> None:
    (folder / "empty").mkdir()
    ran = run("test", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert "no policy test" in ran.err


def test_no_case(run: Run, folder: Path) -> None:
    write(folder, HEAD.replace("cases:", "cases: []"))
    ran = run("test")
    assert ran.code == 1
    assert "no case ran" in ran.out


def test_folders_are_searched_and_hidden_ones_are_not(run: Run, folder: Path) -> None:
    case = "  - {name: a, license: analyzer, verdict: release}\n"
    for name in ("a.test.yaml", "below/b.test.yml", ".venv/c.test.yaml", "d.yaml"):
        write(folder, HEAD.replace("p.policy", "../p.policy" if "/" in name else "p.policy") + case, name)
    ran = run("test", ".", "a.test.yaml", "d.yaml")
    assert (ran.code, ran.out) == (0, "a.test.yaml: 1 passed\nbelow/b.test.yml: 1 passed\nd.yaml: 1 passed\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing.test.yaml"], "`nothing.test.yaml`"),
        (["--record"], "--record needs --policy, --snapshot and -o FILE"),
        (["--record", ".", "-o", "x"], "--record stands alone"),
        (["--policy", "p.policy"], "go with --record"),
        (["--record", "--policy", "p.policy", "--snapshot", "no.json", "-o", "x"], "`no.json`"),
        (["--record", "--policy", "p.policy", "--snapshot", "site.json", "-o", "no/x"], "cannot be written"),
    ],
)
def test_bad_usage(run: Run, folder: Path, arguments: list[str], said: str) -> None:
    ran = run("test", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_all_files_are_read_before_any_is_run(run: Run, folder: Path) -> None:
    write(folder, HEAD + "  - {name: a, license: pro, verdict: keep}\n", "a.test.yaml")
    write(folder, "polcy: p.policy\n", "b.test.yaml")
    ran = run("test")
    assert (ran.code, ran.out) == (2, "")
    assert "a.test.yaml:4:24" in ran.err
    assert "`policy`?" in ran.err


# Snapshots -----------------------------------------------------------------------------------------------


def test_record_then_test(run: Run, folder: Path) -> None:
    ran = run("test", "--record", "--policy", "p.policy", "--snapshot", "site.json", "-o", "tests/site.test.yaml")
    assert ran.code == 2, "folders are not made by the way"
    (folder / "tests").mkdir()
    record = ("test", "--record", "--policy", "p.policy", "--snapshot", "site.json", "-o", "tests/site.test.yaml")
    assert run(*record).out.startswith("13 expectations recorded ")
    assert run("test").out == "tests/site.test.yaml: 13 passed\n"
    again = run(*record)
    assert again.code == 2
    assert "exists already" in again.err
    (folder / "p.policy").write_text(POLICY.replace("30 days", "250 days"), encoding="utf-8")
    changed = run("test")
    assert changed.code == 1
    assert "FAILED PARTNER\\fdubois " in changed.out


def test_recorded_names_are_quoted(run: Run, folder: Path) -> None:
    site = json.loads((folder / "site.json").read_text(encoding="utf-8"))
    for number, user in enumerate(site["users"]):
        user["userId"] = ["it's", "a: b # c", "tab\there", "{x}", "- y", "\u202e", "é"][number % 7] + str(number)
    (folder / "site.json").write_text(json.dumps(site), encoding="utf-8")
    (folder / "p.policy").write_text(
        'keep "it\'s: #1" when user.tags = "x"\nrelease "x" when never used\n', encoding="utf-8"
    )
    assert run("test", "--record", "--policy", "p.policy", "--snapshot", "site.json", "-o", "s.test.yaml").code == 0
    assert run("test").out == "s.test.yaml: 13 passed\n"


def test_what_expectations_do_not_cover(run: Run, folder: Path) -> None:
    expected = (
        "  - {user: CORP\\tyilmaz, verdict: release}\n  - {user: CORP\\pnovack, license: analyzer, verdict: keep}\n"
    )
    write(folder, "policy: p.policy\nsnapshot: site.json\nexhaustive: true\nexpect:\n" + expected)
    ran = run("test")
    assert ran.code == 1
    assert "`CORP\\pnovack`" in ran.out
    assert "`CORP\\pnovak`?" in ran.out
    assert ran.out.count("no expectation covers") == 11
    assert "FAILED CORP\\tyilmaz  (p.test.yaml:5)\n  expected  release\n  got       keep, because default" in ran.out


def test_a_snapshot_that_does_not_say_when(run: Run, folder: Path) -> None:
    site = json.loads((folder / "site.json").read_text(encoding="utf-8"))
    del site["takenAt"]
    (folder / "site.json").write_text(json.dumps(site), encoding="utf-8")
    write(folder, "policy: p.policy\nsnapshot: site.json\nexpect: [{user: CORP\\mlopez, verdict: release}]\n")
    ran = run("test")
    assert ran.code == 2
    assert "has no `now`" in ran.err


# JUnit ---------------------------------------------------------------------------------------------------

NASTY = '  - {name: "a <b> & \\"c\\" \\x01\\uFFFE", license: analyzer, verdict: keep, rule: hr}\n'


def test_junit_is_what_ci_servers_read(run: Run, folder: Path) -> None:
    write(folder, HEAD + NASTY + "  - {name: b, license: analyzer, verdict: release}\n")
    ran = run("test", "--format", "junit", "--require-all-rules")
    assert ran.code == 1
    root = Xml.fromstring(ran.out)  # noqa: S314 - our own output
    assert root.tag == "testsuites"
    shape = [(s.tag, s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped"), s.get("name")) for s in root]
    assert shape == [
        ("testsuite", "2", "1", "0", "0", "p.test.yaml"),
        ("testsuite", "2", "2", "0", "0", "p.policy"),
    ]
    # The attributes and elements that the published schema (junit-10.xsd) knows, and the ones it demands.
    known = {"testsuites": {"name"}, "testsuite": {"name", "tests", "failures", "errors", "skipped"}}
    known |= {"testcase": {"name", "classname"}, "failure": {"type", "message"}}
    assert all(set(element.keys()) == known[element.tag] for element in root.iter())
    first, second = root[0]
    assert [(case.get("name"), len(case)) for case in (first, second)] == [('a <b> & "c" \ufffd\ufffd', 1), ("b", 0)]
    assert first[0].get("message") == "expected  keep by hr"
    assert "p.test.yaml:4\nexpected  keep by hr\ngot       release" in (first[0].text or "")


def test_junit_into_a_file_leaves_the_terminal_its_text(run: Run, folder: Path) -> None:
    write(folder, HEAD + "  - {name: b, license: analyzer, verdict: release}\n")
    ran = run("test", "--format", "junit", "-o", "report.xml")
    assert ran.out == "p.test.yaml: 1 passed\n"
    assert Xml.parse(folder / "report.xml").getroot().tag == "testsuites"  # noqa: S314 - our own output
