"""What Qlik gives back by itself, beside what `plan` and `explain` say; and not a word where there are no rules."""

import csv
import io
import json
import os
import re
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from seatwarden.engine.log.reader import read_log, read_plan
from seatwarden.engine.simulator.certificates import CertificateFiles
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run, SiteFile
from tests.engine.idle import idle_site
from tests.engine.simulator.test_license_audit import rule_row
from tests.paths import EXAMPLES, load_json

BUTLER = EXAMPLES / "butler.yaml"
SITE = EXAMPLES / "site.json"
RULES = [
    rule_row(1, '((user.userDirectory="CORP") and !(user.name like "*ar*"))', name="Analyzer for all"),
    rule_row(2, '((user.environment.os="Windows") and (user.userId="asvensson"))', "Professional", name="At work"),
]
COUNTS = "4 due: 1 not given back by a rule, 1 given back if they log in (rule `Analyzer for all`), 2 cannot say"


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return _written(tmp_path, RULES)


def _written(folder: Path, rules: Any) -> Path:
    file = folder / "rules.json"
    file.write_text(json.dumps({**load_json(SITE), "licenseRules": rules}), encoding="utf-8")
    return file


def test_a_column_and_three_counts_that_add_up(run: Run, snapshot: Path) -> None:
    said = run("plan", "-p", BUTLER, "-s", snapshot).out
    due, _, others = said.partition("Undetermined, so kept: 1")
    rows = {line.split()[0]: line for line in due.split("\n") if "\\" in line}
    assert "Given back by" in due
    assert "Given back" not in others
    assert rows["CORP\\obrien"].endswith("Analyzer for all")
    assert rows["CORP\\pnovak"].endswith("no rule")
    assert rows["CORP\\tyilmaz"].endswith("cannot say")
    lines = [line.strip() for line in said.split("\n")]
    counts, first, second = lines[lines.index(COUNTS) :][:3]
    assert counts == COUNTS
    assert first == "cannot say of 1: rule `At work`: `user.environment.os` is known at log-in only"
    assert second == "cannot say of 1: another license is left: professional"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders are POSIX")
def test_a_snapshot_through_a_pipe_is_read_once(run: Run, tmp_path: Path) -> None:
    """Also where it is rules that ask for attributes, and not the policy."""
    file, pipe = _written(tmp_path, [rule_row(1, '((user.group="Sales"))', name="Sales")]), tmp_path / "pipe.json"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(file.read_bytes()), daemon=True)
    writer.start()
    piped = json.loads(run("plan", "-p", BUTLER, "-s", pipe, "--format", "json").out)
    writer.join(20)
    assert piped["decisions"] == json.loads(run("plan", "-p", BUTLER, "-s", file, "--format", "json").out)["decisions"]
    assert any(one.get("takeBack") for one in piped["decisions"])


def test_json_and_csv_say_it_too(run: Run, snapshot: Path) -> None:
    told = json.loads(run("plan", "-p", BUTLER, "-s", snapshot, "--format", "json").out)
    assert told["summary"]["takeBack"] == {"notGivenBack": 1, "givenBack": 1, "cannotSay": 2}
    answers = {one["userId"]: one["takeBack"] for one in told["decisions"] if "takeBack" in one}
    assert answers.keys() == {one["userId"] for one in told["decisions"] if one["verdict"] == "release"}
    assert answers["obrien"] == {"answer": "given back", "rules": ["Analyzer for all"], "gives": ["analyzer"]}
    rows = list(csv.DictReader(io.StringIO(run("plan", "-p", BUTLER, "-s", snapshot, "--format", "csv").out)))
    assert {row["takeBack"] for row in rows if row["verdict"] == "keep"} == {""}
    assert sorted(row["takeBack"] for row in rows if row["verdict"] == "release") == [
        "Analyzer for all",
        "cannot say",
        "cannot say",
        "no rule",
    ]


def test_explain_says_it(run: Run, snapshot: Path) -> None:
    said = run("explain", "obrien", "-p", BUTLER, "-s", snapshot, "--brief").out
    assert said.rstrip().endswith("; given again if they log in: analyzer, by rule `Analyzer for all`")
    (license_,) = json.loads(run("explain", "pnovak", "-p", BUTLER, "-s", snapshot, "--format", "json").out)["licenses"]
    assert license_["takeBack"] == {"answer": "not given back", "instead": ["Analyzer for all"]}
    assert "given" not in run("explain", "kchen", "-p", BUTLER, "-s", snapshot, "--brief").out


@pytest.mark.parametrize("format_", ["table", "json", "csv"])
def test_without_rules_not_a_word_changes(run: Run, tmp_path: Path, format_: str) -> None:
    def said(file: Path) -> list[str]:
        lines = run("plan", "-p", BUTLER, "-s", file, "--format", format_).out.split("\n")
        return [line for line in lines if not re.search('"(?:runId|sha256|ours)"', line) and line[:5] != "Plan "]

    before = said(SITE)
    for rules in ([], [{**RULES[0], "disabled": True}]):
        assert said(_written(tmp_path, rules)) == before
    assert "takeBack" not in run("explain", "obrien", "-p", BUTLER, "-s", SITE, "--format", "json").out


def test_it_is_part_of_the_record(run: Run, snapshot: Path, tmp_path: Path) -> None:
    """What was said when the plan was made can be shown again, from the plan alone."""
    said = run("plan", "-p", BUTLER, "-s", snapshot, "-o", tmp_path / "p").out
    assert COUNTS in (tmp_path / "p" / "summary.txt").read_text(encoding="utf-8")
    assert COUNTS in said
    log = read_log(tmp_path / "p")
    assert log.header.license_rules
    assert len([one for one in read_plan(tmp_path / "p").decisions if one.take_back]) == 4
    told = run("explain", "obrien", "--plan", tmp_path / "p", "--brief").out
    assert told.rstrip().endswith("by rule `Analyzer for all`")
    assert run("log", "verify", tmp_path / "p").code == 0
    assert run("log", "replay", tmp_path / "p").code == 0


def test_the_page_says_it(run: Run, snapshot: Path, tmp_path: Path) -> None:
    run("plan", "-p", BUTLER, "-s", snapshot, "-o", tmp_path / "p", "--report")
    page = (tmp_path / "p" / "report.html").read_text(encoding="utf-8")
    assert "1 given back if they log in (rule <code>Analyzer for all</code>), 2 cannot say" in page
    assert "Given again if they log in: analyzer, by rule `Analyzer for all`." in page
    run("plan", "-p", BUTLER, "-s", SITE, "-o", tmp_path / "q", "--report")
    assert "iven back" not in (tmp_path / "q" / "report.html").read_text(encoding="utf-8")


def test_behind_pseudonyms_nobody_is_named(run: Run, snapshot: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    run("log", "new-key", key)
    said = run("plan", "-p", BUTLER, "-s", snapshot, "--pseudonymize", key)
    assert said.code == 0, said.err
    assert "iven back" not in said.out


def test_a_rule_can_speak_of_it(run: Run, snapshot: Path, tmp_path: Path) -> None:
    """Only who would not get it back is released; of whom nobody can say, the license is kept."""
    policy = tmp_path / "stays.policy"
    policy.write_text("release analyzer when unused for 30 days and license.takenBackBy is empty\n")
    rows = {
        one["userId"]: one
        for one in json.loads(run("plan", "-p", policy, "-s", snapshot, "--format", "json").out)["decisions"]
        if one["licenseType"] == "analyzer"
    }
    assert rows["obrien"]["verdict"] == "keep"
    assert rows["obrien"]["because"] == "default"
    assert rows["tyilmaz"]["because"] == "guard"
    assert "another license is left: professional" in rows["tyilmaz"]["reason"]
    assert {one["takeBack"]["answer"] for one in rows.values() if "takeBack" in one} == {"not given back"}


def test_where_the_rules_cannot_be_read_nothing_is_released_by_them(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "stays.policy"
    policy.write_text("release analyzer when unused for 30 days and license.takenBackBy is empty\n")
    told = json.loads(run("plan", "-p", policy, "-s", SITE, "--format", "json").out)
    assert told["summary"]["release"] == 0
    assert told["summary"]["undetermined"] > 0


def test_a_reserve_counts_on_no_license_that_is_given_back(run: Run, tmp_path: Path) -> None:
    """All six are due and three are wanted; of the three longest unused, a rule gives two back."""
    site = idle_site()
    rows = site["licenses"]["analyzer"] = site["licenses"]["analyzer"][:6]
    for n, row in enumerate(rows):
        row["lastUsed"] = f"2026-0{n + 1}-01T00:00:00.000Z"
    first, second = (next(one for one in site["users"] if one["id"] == row["user"]["id"])["userId"] for row in rows[:2])
    overview = {"enabled": True, "total": 10, "allocated": 6, "available": 4, "quarantined": 0, "excess": 0}
    site["accessTypeOverview"] = {"analyzerAccess": overview}
    site["licenseRules"] = [rule_row(1, f'((user.userId="{first}") or (user.userId="{second}"))', name="Both")]
    file, policy = tmp_path / "site.json", tmp_path / "reserve.policy"
    file.write_text(json.dumps(site), encoding="utf-8")
    limits = "limit release to 10 per run\nlimit release to reach 7 free analyzer, longest unused first\n"
    policy.write_text(f"release analyzer when unused for 30 days\n{limits}")
    told = run("plan", "-p", policy, "-s", file)
    assert "3 are needed, 3 in this run; 2 due are left, since license rules give them back" in told.out


def test_lint_looks_at_the_license_rules_too(run: Run, snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    file = _written(tmp_path / "odd", [rule_row(1, '((user.usrId="ann"))', name="Ann")])
    odd = "license rule `Ann`: nobody at the site has `user.usrId`; did you mean `user.userId`?"
    assert f"warning: {odd}" in run("lint", BUTLER, "--snapshot", file).err
    assert odd in json.loads(run("lint", BUTLER, "--snapshot", file, "--format", "json").out)["warnings"]
    assert "license rule" not in run("lint", BUTLER, "--snapshot", SITE).err


def test_an_attribute_is_read_where_a_rule_asks_for_it(
    run: Run, site_file: SiteFile, certificates: CertificateFiles
) -> None:
    """The policy asks for none, and then those of a site are not decoded."""
    site = idle_site()
    for row in site["users"][:5]:
        row["attributes"] = [{"attributeType": "group", "attributeValue": "Sales"}]
    site["licenseRules"] = [rule_row(1, '((user.group="Sales"))', name="Sales")]
    with SimulatedQrs(site, certificates=certificates) as qrs:
        live = run("plan", "-p", BUTLER, "--site", site_file(qrs.port)).out
    total = len(site["licenses"]["analyzer"])
    assert f"{total} due: {total - 5} not given back by a rule, 5 given back if they log in (rule `Sales`)" in live
