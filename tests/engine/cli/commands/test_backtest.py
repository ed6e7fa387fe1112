"""`seatwarden backtest` from the outside."""

import csv
import io
import json
from pathlib import Path

import pytest

from seatwarden.engine.history.store import History
from tests.engine.cli.conftest import Run
from tests.engine.history.sites import at, license_row, snapshot_of, user_row

POLICY = "release when unused for 10 days\n"
_ASKED = ("--threshold", "analyzer=10,40", "--by", "user.@Department")


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Sixty days: Ada works each day, Bo is away from the 5th to the 25th, Cleo never comes."""
    department = {"customProperties": [{"value": "Sales", "definition": {"name": "Department"}}]}
    users = [user_row("ada"), user_row("bo", **department), user_row("cleo")]
    with History(tmp_path / "history.sqlite", write=True) as history:
        for day in range(60):
            last = {"ada": day - 1, "bo": min(day - 1, 5) if day <= 25 else day - 1, "cleo": -100}
            rows = [license_row(name, at(used + 0.3)) for name, used in last.items()]
            history.add(snapshot_of(day, users, rows), "it")
    (tmp_path / "site.policy").write_text(POLICY)
    return tmp_path / "history.sqlite"


def test_says_what_would_have_been(run: Run, history: Path) -> None:
    ran = run("backtest", "-p", history.with_name("site.policy"), "--history", history)
    assert ran.code == 0
    assert "60 snapshots, 2026-01-05 02:00Z to 2026-03-05 02:00Z" in ran.out
    (row,) = [line.split() for line in ran.out.splitlines() if "analyzer   " in line and "%" in line]
    assert row == ["site", "analyzer", "1", "0", "%", "1", "0", "%", "100", "%", "2", "0", "71"]
    said = " ".join(ran.out.split())
    assert (
        "site: 1 analyzer license would have been released on the first day, 1 later; on an average day 1.2 seats "
        "would have been free by that. Of the 1 released later that could be followed for 30 days, 1 was used again by "
        "then. Of the 1 released on the first day that could be followed for 30 days, 0 were used again by then."
    ) in said
    assert "site: no professional license would have been released." in said
    assert "analyzer license lay unused for 10 days is not known, because only" in said, "the policy's own threshold"


def test_thresholds_and_groups(run: Run, history: Path) -> None:
    policy = history.with_name("site.policy")
    given = ("backtest", "-p", policy, "--history", history, *_ASKED)
    found = json.loads(run(*given, "--format", "json").out)
    assert found["policies"] == ["analyzer 10 days", "analyzer 40 days"]
    counted = {(row["policy"], row["group"]): row["all"]["releases"] for row in found["rows"]}
    assert counted == {
        ("analyzer 10 days", ""): 2,
        ("analyzer 40 days", ""): 1,
        ("analyzer 10 days", "(none)"): 1,
        ("analyzer 10 days", "Sales"): 1,
        ("analyzer 40 days", "(none)"): 1,
    }
    assert {(row["threshold"], row["file"]) for row in found["rows"]} == {(10, str(policy)), (40, str(policy))}
    assert (found["ownThresholds"], found["days"]) == ({"analyzer": [10]}, 60)
    assert "not known, because only 0 people" in found["chances"][0]["words"]
    rows = list(csv.DictReader(io.StringIO(run(*given, "--format", "csv").out)))
    assert {row["part"] for row in rows} == {"all", "backlog", "later"}


def test_a_property_that_nobody_has_is_told(run: Run, history: Path) -> None:
    given = ("backtest", "-p", history.with_name("site.policy"), "--history", history, "--by")
    said = "nobody in the history has the custom property `Departmnet`, so that there is one group"
    ran = run(*given, "user.@Departmnet")
    assert (ran.code, ran.err) == (0, f"warning: {said}; did you mean `Department`?\n")
    told = json.loads(run(*given, "user.@Departmnet", "--format", "json").out)
    assert told["warnings"] == [f"{said}; did you mean `Department`?"]
    for known in ("user.@Department", "user.userDirectory"):
        assert json.loads(run(*given, known, "--format", "json").out)["warnings"] == []
    assert "has the attribute `Region`" in run(*given, "user.attributes.Region").err


def test_writes_a_page_and_nothing_over_another_file(run: Run, history: Path) -> None:
    policy, page = history.with_name("site.policy"), history.with_name("page.html")
    given = ("backtest", "-p", policy, "--history", history, *_ASKED)
    ran = run(*given, "--format", "html", "-o", page)
    assert (ran.code, ran.out) == (0, f"Backtest written to {page}\n")
    text = page.read_text(encoding="utf-8")
    assert "By user.@Department" in text
    assert text.count('<svg class="curve"') == 3
    again = run(*given, "-o", page)
    assert (again.code, "exists already" in again.err) == (2, True)
    assert run(*given, "-o", page, "--force").code == 0
    assert page.read_text(encoding="utf-8").count("<tr") == text.count("<tr")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--format", "html"), "no file is named for it"),
        (("--format", "csv", "-o", "page.html"), "`-o` writes a page, and CSV is printed"),
        (("-p", "POLICY", "--history", "HISTORY", "-o", "POLICY"), "is a policy, not a report"),
        ((), "no policy"),
        (("-p", "POLICY"), "no history"),
        (("-p", "POLICY", "--history", "none.sqlite"), "there is no history"),
        (("-p", "POLICY", "--history", "HISTORY", "--by", "user.departmnet"), "there is no field `user.departmnet`"),
        (
            ("-p", "POLICY", "--history", "HISTORY", "--by", "user.@Department", "--by", "user.userDirectory"),
            "groups are by one field, and here are `user.@Department` and `user.userDirectory`",
        ),
        (("-p", "POLICY", "--history", "HISTORY", "--threshold", "analyzer=x"), "is no type with days"),
    ],
)
def test_wrong_input_is_said(run: Run, history: Path, options: tuple[str, ...], said: str) -> None:
    places = {"POLICY": history.with_name("site.policy"), "HISTORY": history}
    ran = run("backtest", *[places.get(option, option) for option in options])
    assert ran.code == 2
    assert said in ran.err


def test_a_policy_that_gives_notice_is_said_to_release_later(run: Run, history: Path) -> None:
    policy = history.with_name("site.policy")
    policy.write_text("release when unused for 10 days\n  after notice of 14 days\n")
    ran = run("backtest", "-p", policy, "--history", history)
    assert ran.code == 0
    said = "`site` gives notice: its releases are counted on the day on which they are due; they come 14 days later"
    assert said in " ".join(ran.err.split())
    row = [line.split() for line in ran.out.splitlines() if "analyzer   " in line and "%" in line]
    assert row[0][2:6] == ["1", "0", "%", "1"], "counted as without notice"
