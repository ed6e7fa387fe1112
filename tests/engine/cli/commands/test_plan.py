"""`seatwarden plan` from the outside: formats, files, determinism, live sites."""

import csv
import hashlib
import io
import json
import os
import re
import stat
from pathlib import Path

import pytest
from msgspec import structs

from seatwarden.engine.log.reader import read_log
from seatwarden.engine.simulator.server import SimulatedQrs
from tests.engine.cli.conftest import Run, SiteFile
from tests.paths import EXAMPLES, load_json

SNAPSHOT = EXAMPLES / "site.json"
BUTLER = EXAMPLES / "butler.yaml"

EXPECTED = {
    "ADMIN\\jdoe": ("keep", "keep", "userDirectory"),
    "CORP\\asvensson": ("release", "release", None),
    "CORP\\hmeyer": ("keep", "guard", "quarantined"),
    "CORP\\kchen": ("keep", "default", None),
    "CORP\\mlopez": ("keep", "keep", "tag"),
    "CORP\\obrien": ("release", "release", None),
    "CORP\\pnovak": ("release", "release", None),
    "CORP\\rhaddad": ("keep", "default", None),
    "INTERNAL\\sa_api": ("keep", "keep", "user"),
    "PARTNER\\fdubois": ("keep", "keep", "customProperty"),
    "PARTNER\\lnguyen": ("keep", "guard", "undetermined"),
}


def test_json_has_the_documented_shape(run: Run) -> None:
    ran = run("plan", "--policy", BUTLER, "--snapshot", SNAPSHOT, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    plan = json.loads(ran.out)
    assert list(plan) == ["run", "decisions", "summary", "findings", "allowed", "compared", "free", "warnings"]
    keys = (
        "licenseId licenseType userDirectory userId userName verdict because rule rules reason unusedDays lastUsed at"
    )
    assert all(list(decision) == keys.split() for decision in plan["decisions"])
    found = {
        f"{d['userDirectory']}\\{d['userId']}": (d["verdict"], d["because"], d["rule"])
        for d in plan["decisions"]
        if d["userId"] != "tyilmaz"
    }
    assert found == EXPECTED
    jdoe = next(d for d in plan["decisions"] if d["userId"] == "jdoe")
    assert (jdoe["unusedDays"], jdoe["lastUsed"], jdoe["at"]) == (81, "2026-09-01T13:05:11.327Z", "butler.yaml:32:9")
    assert jdoe["rules"] == ["userDirectory", "release professional"]
    assert plan["summary"]["release"] == 4
    assert plan["run"]["now"] == "2026-11-21T02:00:00.000Z", "a snapshot is decided as of the moment it was taken"


def test_csv_says_the_same(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--format", "csv").out)))
    plan = json.loads(run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--format", "json").out)
    assert [row["reason"] for row in rows] == [decision["reason"] for decision in plan["decisions"]]
    assert [row["verdict"] for row in rows] == [decision["verdict"] for decision in plan["decisions"]]


def test_table_shows_reasons_and_counts(run: Run) -> None:
    out = run("plan", "-p", BUTLER, "-s", SNAPSHOT).out
    assert re.search(r"CORP\\asvensson +Åsa Svensson +professional +303 +last used 2026-01-22\n", out)
    assert "`user.tags` is missing" in out
    assert "professional  5 allocated, 2 due, 0 in this run, 3 kept" in out
    assert "8 other licenses are not listed: --show all lists every one" in out
    assert out.splitlines()[-1].startswith("Nothing is released: over the limit; ")
    assert "\x1b" not in out, "no escape codes where no terminal is"
    released = run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--show", "release").out
    assert "CORP\\obrien" in released
    assert "ADMIN\\jdoe" not in released


def test_attributes_are_read_where_a_rule_asks_for_them(run: Run, tmp_path: Path) -> None:
    site = load_json(SNAPSHOT)
    for person in site["users"]:
        person["attributes"] = [{"attributeType": "group", "attributeValue": "Everyone"}]
    path, policy = tmp_path / "site.json", tmp_path / "p.policy"
    path.write_text(json.dumps(site), encoding="utf-8")
    policy.write_text('keep "group" when not user.attributes.group != "everyone"\nrelease when true\n')
    reasons = json.loads(run("plan", "-p", policy, "-s", path, "--format", "json").out)["summary"]["byReason"]
    assert reasons['keep "group"'] > 8


def test_a_long_table_is_cut_and_says_so(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("plan", "-p", BUTLER, "-s", SNAPSHOT, "-o", tmp_path / "whole").out
    monkeypatch.setattr("seatwarden.engine.plan.summary_text.MOST_IN_FILE", 3)
    cut = run("plan", "-p", BUTLER, "-s", SNAPSHOT, "-o", tmp_path / "cut").out
    assert "Due: 4 licenses, the first 3: --format csv and json list all" in cut
    assert "the first" not in whole
    listed = [line.split()[0] for line in cut.splitlines()[8:11]]
    assert listed == [line.split()[0] for line in whole.splitlines()[8:11]] != []
    for text in (cut, (tmp_path / "cut" / "summary.txt").read_text(encoding="utf-8")):
        assert "Nothing is released: over the limit" in text
    whole_log, cut_log = (read_log(tmp_path / name) for name in ("whole", "cut"))
    assert len(cut_log.decisions) == len(whole_log.decisions) == 13
    assert len(json.loads(run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--format", "json").out)["decisions"]) == 13
    assert "the first" not in run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--format", "csv").out
    kept = run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--show", "kept").out
    assert "Kept: 8 licenses, the first 3" in kept


def test_same_inputs_give_the_same_plan(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        options = ("--now", "2026-11-21T02:00:00Z", "-o", tmp_path / name)
        assert run("plan", "-p", BUTLER, "-s", SNAPSHOT, *options).code == 0
    for file in ("policy.policy", "policy/butler.yaml", "summary.txt"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    # Salts and order are drawn anew each time: what was decided is the same.
    one, two = (_decided(tmp_path / name) for name in ("one", "two"))
    assert one == two
    assert _header(tmp_path / "one")["runId"] == _header(tmp_path / "two")["runId"]
    other = json.loads(run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--now", "2026-11-22", "--format", "json").out)
    assert other["run"]["runId"] != _header(tmp_path / "one")["runId"]


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("UTC", "2026-11-21T00:00:00.000Z"),
        ("Pacific/Pago_Pago", "2026-11-21T11:00:00.000Z"),
        ("Asia/Tokyo", "2026-11-20T15:00:00.000Z"),
    ],
)
def test_a_day_is_its_midnight_in_the_zone(run: Run, zone: str, midnight: str) -> None:
    given = ("plan", "-p", BUTLER, "-s", SNAPSHOT, "--timezone", zone, "--format", "json", "--now")
    assert json.loads(run(*given, "2026-11-21").out)["run"]["now"] == midnight
    one, same = (json.loads(run(*given, moment).out) for moment in ("2026-11-21", midnight))
    del one["run"]["clocks"], same["run"]["clocks"]
    assert one == same


def test_a_plan_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    run("plan", "-p", BUTLER, "-s", SNAPSHOT, "-o", tmp_path / "run")
    before = (tmp_path / "run" / "plan.jsonl").read_bytes()
    assert run("plan", "-p", BUTLER, "-s", SNAPSHOT, "-o", tmp_path / "run").code == 0, "the same plan is no change"
    ran = run("plan", "-p", EXAMPLES / "season.policy", "-s", SNAPSHOT, "-o", tmp_path / "run")
    assert ran.code == 2
    assert "holds another plan" in ran.err
    assert (tmp_path / "run" / "plan.jsonl").read_bytes() == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_plans_are_private(run: Run, tmp_path: Path) -> None:
    run("plan", "-p", BUTLER, "-s", SNAPSHOT, "-o", tmp_path / "run")
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "run").rglob("*")}
    assert modes.pop("policy") == 0o700
    assert set(modes.values()) == {0o600}


def test_text_and_yaml_say_the_same(run: Run) -> None:
    plans = [
        json.loads(run("plan", "-p", EXAMPLES / name, "-s", SNAPSHOT, "--format", "json").out)
        for name in ("butler.yaml", "butler.policy")
    ]
    used = [plan["run"]["policy"] for plan in plans]
    assert used[0]["canonicalSha256"] == used[1]["canonicalSha256"]
    for one in used:
        assert one["sha256"] == hashlib.sha256((EXAMPLES / one["file"]).read_bytes()).hexdigest()
    without_place = [[{**d, "at": None} for d in plan["decisions"]] for plan in plans]
    assert without_place[0] == without_place[1]


def test_the_time_zone_moves_the_day(run: Run) -> None:
    """Sean O'Brien's last use, 23:59 UTC on 22 October, was the 23rd in Stockholm."""
    for zone, days in (("UTC", 30), ("Europe/Stockholm", 29)):
        plan = json.loads(run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--timezone", zone, "--format", "json").out)
        assert next(d["unusedDays"] for d in plan["decisions"] if d["userId"] == "obrien") == days


def test_detailed_exitcode(run: Run, tmp_path: Path) -> None:
    assert run("plan", "-p", BUTLER, "-s", SNAPSHOT, "--detailed-exitcode").code == 5
    nothing = tmp_path / "nothing.policy"
    nothing.write_text("release analyzer when unused for 9000 days\n")
    assert run("plan", "-p", nothing, "-s", SNAPSHOT, "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "season.policy",
            {"pnovak": "release professional", "fdubois": "release analyzer", "tyilmaz": "release analyzer"},
        ),
        (
            "both-types.policy",
            {"tyilmaz": "holds both", "pnovak": "release professional", "obrien": "release analyzer"},
        ),
    ],
)
def test_examples(run: Run, name: str, expected: dict[str, str]) -> None:
    plan = json.loads(run("plan", "-p", EXAMPLES / name, "-s", SNAPSHOT, "--format", "json").out)
    released = {d["userId"]: d["rules"][0] for d in plan["decisions"] if d["verdict"] == "release"}
    assert expected.items() <= released.items()


def test_hostile_names_cannot_fool_a_terminal(run: Run, tmp_path: Path) -> None:
    site = load_json(SNAPSHOT)
    site["users"][3]["name"] = "\x1b[2J\u202eevil\nrow"
    path = tmp_path / "site.json"
    path.write_text(json.dumps(site), encoding="utf-8")
    out = run("plan", "-p", BUTLER, "-s", path).out
    assert "evil" in out
    assert not {"\x1b", "\u202e"} & set(out)


def test_live_plan_equals_the_plan_from_a_file(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    now = ("--now", "2026-11-21T02:00:00Z", "--format", "json")
    live = run("plan", "--policy", BUTLER, "--site", site_file(qrs.port), *now)
    assert (live.code, live.err) == (0, "")
    filed = run("plan", "--policy", BUTLER, "--snapshot", SNAPSHOT, *now)
    assert json.loads(live.out)["decisions"] == json.loads(filed.out)["decisions"]
    assert json.loads(live.out)["run"]["site"] == f"https://localhost:{qrs.port}"


def test_a_live_plan_costs_a_handful_of_requests(run: Run, qrs: SimulatedQrs, site_file: SiteFile) -> None:
    run("plan", "--policy", BUTLER, "--site", site_file(qrs.port))
    assert len(qrs.requests) == 7, "of a site without license rules one more: whether we may see any rule"
    assert {method for method, _ in qrs.requests} == {"GET"}
    assert qrs.deleted == []


def _decided(folder: Path) -> dict[object, object]:
    lines = (structs.replace(line.about, salt=b"") for line in read_log(folder).decisions)
    return {about.license_id: about for about in lines}


def _header(folder: Path) -> dict[str, object]:
    header: dict[str, object] = json.loads((folder / "plan.jsonl").read_text(encoding="utf-8").split("\n")[0])
    return header
