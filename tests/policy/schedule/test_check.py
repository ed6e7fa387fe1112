"""Findings in schedule texts, word for word, and the schedules of a Butler file."""

import json
from datetime import date, datetime
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from seatwarden.grammar.parser import in_file
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.diagnostics import in_order, render
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import load_policy
from seatwarden.policy.schedule.check import check_schedule, check_syntax
from tests.cases import read_cases
from tests.paths import EXAMPLES, ROOT

FIXTURES = Path(__file__).parent / "fixtures"
NOW = datetime(2026, 11, 21, 2, 0)


@pytest.mark.parametrize(("text", "said"), read_cases(FIXTURES, "schedules.txt"))
def test_word_for_word(text: str, said: str) -> None:
    findings = in_order(check_schedule(text, in_file("p"), NOW))
    assert "\n\n".join(render(finding, {"p": text}) for finding in findings) == said


@pytest.mark.parametrize("code", [f"SW50{n}" for n in range(1, 10)])
def test_every_code_has_a_case_and_a_page(code: str) -> None:
    assert f"[{code}]" in (FIXTURES / "schedules.txt").read_text(encoding="utf-8")
    assert (ROOT / "docs" / "codes" / f"{code}.md").read_text(encoding="utf-8").startswith(f"# {code}: ")


def test_the_empty_text_is_no_error() -> None:
    assert check_syntax("", in_file("p")) == []
    (finding,) = check_schedule("", in_file("p"))
    assert (finding.code, finding.severity) == ("SW504", "warning")


def test_without_a_moment_a_schedule_of_the_past_is_fine() -> None:
    assert check_schedule("in 2021", in_file("p")) == []


def test_a_text_of_many_lines() -> None:
    text = "every 6 hours\nexcept on the 6 hour also\n at 17:00,8:00"
    (finding,) = check_schedule(text, in_file("p"))
    assert (finding.code, finding.span.place) == ("SW508", "p:3:11")


# Butler's settings


def _butler(**frequencies: str) -> str:
    text = (EXAMPLES / "butler.yaml").read_text(encoding="utf-8")
    for old, new in {"every 6 hours": frequencies.get("monitor"), "every 24 hours": frequencies.get("release")}.items():
        text = text.replace(f"frequency: {old}", f"frequency: {new}") if new else text
    return text


def test_malformed_schedules_of_a_butler_file_are_found_in_their_places() -> None:
    text = _butler(monitor="every hour", release='"every 24 hrs"').replace("enable: false", "enable: true")
    with pytest.raises(PolicyError) as caught:
        parse_butler(text, "butler.yaml")
    lines = text.split("\n")
    found = [
        (d.code, lines[d.span.line - 1][d.span.column - 1 : d.span.end_column - 1]) for d in caught.value.diagnostics
    ]
    assert found == [("SW501", "hour"), ("SW501", "hrs")]


@pytest.mark.parametrize("schedule", ["''", "at 2:30 on mon through fri", "on the last day of the month", "in 1999"])
def test_schedules_that_a_butler_file_may_have(schedule: str) -> None:
    parse_butler(_butler(monitor=schedule, release=schedule), "butler.yaml")


@pytest.mark.parametrize("suffix", ["yaml", "json"])
def test_lint_looks_at_the_schedules_of_a_butler_file(suffix: str, tmp_path: Path) -> None:
    text = _butler(monitor="every 1 second", release="every 5 hours")
    if suffix == "json":
        text = json.dumps(YAML(typ="safe").load(text))
    file = tmp_path / f"butler.{suffix}"
    file.write_text(text, encoding="utf-8")
    linted = lint(load_policy(file), date(2026, 11, 21))
    assert sorted(f.code for f in linted.findings if f.code.startswith("SW5")) == ["SW506", "SW507"]
