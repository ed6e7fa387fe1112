"""Logs with pseudonyms from the outside: what they say, who is found again, and what cannot be decided again."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from seatwarden.engine.log.run_folder import PLAN_FILE
from tests.engine.cli.conftest import Run
from tests.engine.log.forging import relinked
from tests.paths import EXAMPLES

GIVEN = ("-p", EXAMPLES / "butler.yaml", "-s", EXAMPLES / "site.json")

NAMES = re.compile(
    r"jdoe|jane|asvensson|åsa|mlopez|lópez|pnovak|kchen|rhaddad|obrien|tyilmaz|fdubois|lnguyen|hmeyer|@example", re.I
)


def test_pseudonyms_name_nobody(run: Run, tmp_path: Path) -> None:
    key, folder = tmp_path / "site.key", tmp_path / "run"
    assert run("log", "new-key", key).code == 0
    policy = tmp_path / "p.policy"
    policy.write_text(
        'keep when user.attributes.email like "*@nowhere"\nrelease when unused for 30 days and user.name != "x"\n'
    )
    for given in (GIVEN, ("-p", policy, "-s", EXAMPLES / "site.json")):
        ran = run("plan", *given, "--pseudonymize", key, "-o", folder)
        assert ran.code == 0
        written = ran.out + "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.*"))
        # The salt is random letters, which may be a short name by chance.
        assert NAMES.findall(re.sub(r'"salt":"[^"]*"', "", written)) == []
        assert run("log", "replay", folder).code == 0
        folder = tmp_path / "second"


@pytest.mark.parametrize("k", [1, 5])
def test_pseudonyms_change_no_verdict(run: Run, tmp_path: Path, k: int) -> None:
    run("log", "new-key", tmp_path / "key")
    plain = json.loads(run("plan", *GIVEN, "--format", "json").out)
    pseudonymize = ("--pseudonymize", tmp_path / "key", "--pseudonyms-k", k)
    hidden = json.loads(run("plan", *GIVEN, "--format", "json", *pseudonymize).out)
    fields = ("licenseType", "verdict", "because") + (("rule", "at") if k == 1 else ())
    found, wanted = (Counter(str([d[f] for f in fields]) for d in plan["decisions"]) for plan in (hidden, plain))
    assert found == wanted
    numbers = {**hidden["summary"], "pseudonyms": None}
    assert numbers == plain["summary"]
    classes = {"smallest": 1, "withheld": 0} if k == 1 else {"smallest": 1, "withheld": 13, "alone": 13}
    assert hidden["summary"]["pseudonyms"].items() >= ({"k": k} | classes).items()
    ids = Counter(d["userId"] for d in hidden["decisions"])
    # One person has one pseudonym; unless nothing is said of her, when even that would say that she has both types.
    assert sorted(ids.values())[-1] == (2 if k == 1 else 1)


@pytest.mark.parametrize("given", [(), ("--pseudonyms-k", 1), ("--pseudonyms-per", "run")])
def test_the_person_is_found_again(run: Run, tmp_path: Path, given: tuple[object, ...]) -> None:
    key, other = tmp_path / "key", tmp_path / "other"
    run("log", "new-key", key)
    run("log", "new-key", other)
    run("plan", *GIVEN, "--pseudonymize", key, *given, "-o", tmp_path / "run")
    reveal = ("--reveal", key, EXAMPLES / "site.json")
    ran = run("log", "show", tmp_path / "run", "--user", "ADMIN\\jdoe")
    assert ran.code == 2
    assert "there is no user `ADMIN\\jdoe`: there are pseudonyms for names here" in ran.err
    assert "--reveal KEYFILE SNAPSHOT finds the people" in ran.err
    ran = run("explain", "ADMIN\\jdoe", "--plan", tmp_path / "run")
    assert (ran.code, "`ADMIN\\jdoe`: " in ran.err) == (2, True)
    assert "--reveal KEYFILE SNAPSHOT" in ran.err
    rows = json.loads(run("log", "show", tmp_path / "run", *reveal, "--user", "ADMIN\\jdoe", "--format", "json").out)[
        "decisions"
    ]
    assert [row["name"] for row in rows] == ["Jane Doe"]
    rows = json.loads(run("log", "show", tmp_path / "run", *reveal, "--user", "CORP\\hmeyer", "--format", "json").out)[
        "decisions"
    ]
    assert len(rows) == 1, "a deleted user too"
    assert run("explain", rows[0]["licenseId"], "--plan", tmp_path / "run").code == 0
    both = run("log", "show", tmp_path / "run", *reveal, "--user", "tyilmaz", "--format", "json").out
    assert len(json.loads(both)["decisions"]) == 2, "both licenses, whatever pseudonyms their lines have"
    wrong = ("--reveal", other, EXAMPLES / "site.json")
    assert run("log", "show", tmp_path / "run", *wrong, "--user", "jdoe").code == 2


def test_runs_of_two_months_are_revealed_together(run: Run, tmp_path: Path) -> None:
    run("log", "new-key", tmp_path / "key")
    for now in ("2026-11-21T02:00:00Z", "2026-12-01T02:00:00Z"):
        key = ("--pseudonymize", tmp_path / "key", "--now", now)
        run("plan", *GIVEN, *key, "-o", tmp_path / "runs" / now[:10])
    reveal = ("--reveal", tmp_path / "key", EXAMPLES / "site.json")
    shown = ("log", "show", tmp_path / "runs", "--format", "json")
    rows = json.loads(run(*shown, *reveal, "--user", "ADMIN\\jdoe").out)["decisions"]
    assert [(row["now"][:10], row["user"]) for row in rows] == [
        ("2026-11-21", "ADMIN\\jdoe"),
        ("2026-12-01", "ADMIN\\jdoe"),
    ]
    hidden = json.loads(run(*shown).out)["decisions"]
    november, december = (
        {row[name] for row in hidden if row["now"].startswith(month) for name in ("user", "licenseId")}
        for month in ("2026-11", "2026-12")
    )
    assert (len(november), len(december), november & december) == (26, 26, set())


def test_what_cannot_be_decided_again_is_said(run: Run, tmp_path: Path) -> None:
    run("log", "new-key", tmp_path / "key")
    run("plan", *GIVEN, "--pseudonymize", tmp_path / "key", "-o", tmp_path / "run")
    ran = run("log", "replay", tmp_path / "run")
    assert (ran.code, "0 decisions decided again, all agree" in ran.out) == (0, True)
    said = "13 decisions cannot be decided again: the log withholds the facts of line 3, 4, 5, 6, 7, 8, 9, 10, 11, 12"
    assert f"{said} and 3 more" in " ".join(ran.out.split())
    told = json.loads(run("log", "replay", tmp_path / "run", "--format", "json").out)
    assert told == {"decisions": 13, "differences": [], "withheld": list(range(3, 16)), "erased": 0, "warnings": []}


def test_a_coarse_line_that_was_changed_is_found_by_replay(run: Run, tmp_path: Path) -> None:
    run("log", "new-key", tmp_path / "key")
    run("plan", *GIVEN, "--pseudonymize", tmp_path / "key", "--pseudonyms-k", 1, "-o", tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / PLAN_FILE).read_text().splitlines()]
    for person in [line["person"] for line in lines if line["kind"] == "decision"]:
        if person["facts"].get("license.unusedDays") == [30]:
            person["facts"]["license.unusedDays"] = [0]
    (tmp_path / "run" / PLAN_FILE).write_bytes(relinked(lines, own=False))
    ran = run("log", "replay", tmp_path / "run")
    assert ran.code == 1
    assert "would be different" in ran.err
