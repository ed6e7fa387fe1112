"""What Qlik gives back by itself, beside what `plan` and `explain` say; and not a word where there are no rules."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.log.reader import read_log
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
    *_, counts, first, second = said.rstrip("\n").split("\n")
    given = "1 given back if they log in (rule `Analyzer for all`)"
    assert counts == f"4 due: 1 not given back by a rule, {given}, 2 cannot say"
    assert first == "  cannot say of 1: rule `At work`: `user.environment.os` is known at log-in only"
    assert second == "  cannot say of 1: another license is left: professional"


def test_json_and_csv_say_it_too(run: Run, snapshot: Path) -> None:
    told = json.loads(run("plan", "-p", BUTLER, "-s", snapshot, "--format", "json").out)["takeBack"]
    assert (told["notGivenBack"], told["givenBack"], told["cannotSay"]) == (1, 1, 2)
    obrien = next(one for one in told["licenses"] if one["answer"] == "given back")
    assert (obrien["rules"], obrien["gives"], obrien["reason"]) == (["Analyzer for all"], ["analyzer"], None)
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
    other = "a license of the other type is given if they log in, by rule `Analyzer for all`"
    assert license_["takeBack"] == f"not given back by a rule; {other}"
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


def test_the_record_is_of_what_was_decided_only(run: Run, snapshot: Path, tmp_path: Path) -> None:
    """What Qlik does is no part of a plan: its text is made of the record again, which does not have it."""
    said = run("plan", "-p", BUTLER, "-s", snapshot, "-o", tmp_path / "p").out
    assert "given back if they log in" in said
    assert "iven back" not in (tmp_path / "p" / "summary.txt").read_text(encoding="utf-8")
    assert read_log(tmp_path / "p").summary.release == 4
    assert "iven back" not in run("plan", "-p", BUTLER, "-s", tmp_path / "p").out


def test_behind_pseudonyms_nobody_is_named(run: Run, snapshot: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    run("log", "new-key", key)
    said = run("plan", "-p", BUTLER, "-s", snapshot, "--pseudonymize", key)
    assert said.code == 0, said.err
    assert "iven back" not in said.out


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
