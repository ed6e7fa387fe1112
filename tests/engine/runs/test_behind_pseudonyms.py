"""Runs on a site that names nobody: what has begun is finished by its own period's key, and changes are still found."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seatwarden.engine.common.files import write_atomically
from tests.engine.apply.applying import LONG_AGO, idle
from tests.engine.runs.running import Running, Site
from tests.engine.support import user
from tests.paths import DATA
from tests.strategies import NOW

KEYED = "parallel: 1\npseudonyms: {key: people.key, k: 1%s}"
LEAVERS = "release analyzer when user.removedExternally and unused for 7 days\nlimit release to 1000 per run\n"


@pytest.fixture
def hidden(tmp_path: Path) -> Callable[..., Running]:
    def make(licenses: int = 3, more: str = "", **given: Any) -> Running:
        write_atomically(tmp_path / "people.key", b"k" * 32)
        return Running(tmp_path, Site(idle(licenses)), ours=KEYED % more, **given)

    return make


@pytest.mark.parametrize("per", ["", ", per: run"])
def test_a_run_that_was_killed_is_finished_in_the_next_month(hidden: Callable[..., Running], per: str) -> None:
    running = hidden(more=per, now=NOW.replace(day=30, hour=23, minute=50))
    folder = running.crash()
    running.now += timedelta(hours=1)
    report = running.run()
    assert (report.outcome, sum(report.counts.values())) == ("done", 3)
    assert running.qrs.site["licenses"]["analyzer"] == []
    headers = [json.loads((run / "plan.jsonl").read_bytes().splitlines()[0]) for run in running.runs]
    assert headers[0]["pseudonyms"] == headers[1]["pseudonyms"]
    assert headers[0]["period"] != headers[1]["period"]
    assert '"released"' in (folder / "outcomes.jsonl").read_text()


def test_with_another_key_an_unfinished_run_is_left_as_it_is(hidden: Callable[..., Running], tmp_path: Path) -> None:
    running = hidden()
    folder = running.crash()
    before = (folder / "outcomes.jsonl").read_bytes()
    write_atomically(tmp_path / "people.key", b"o" * 32)
    report = running.run()
    assert report.outcome == "done"
    (why,) = [facts["why"] for _, said, facts in running.said if said == "an earlier run is left as it is"]
    assert why == "the plan has pseudonyms, and the key that it was made with is not at hand"
    assert (folder / "outcomes.jsonl").read_bytes() == before


def test_the_longest_unused_go_first(hidden: Callable[..., Running]) -> None:
    policy = "release analyzer when unused for 30 days\nlimit release to 2 per run, longest unused first\n"
    running = hidden(6, policy=policy)
    for number, row in enumerate(running.qrs.site["licenses"]["analyzer"]):
        row["lastUsed"] = f"2026-0{(number * 5) % 6 + 1}-01T12:00:00.000Z"
    assert running.run().counts == {"released": 2}
    assert sorted(running.qrs.deletes) == ["l1", "l6"], "used in January and February"


def _mark(running: Running, users: int, **facts: Any) -> None:
    for row in running.qrs.site["users"][:users]:
        row.update(facts)


@pytest.mark.parametrize("per", ["", ", per: run"])
def test_a_change_that_touches_everybody_is_found_across_periods(hidden: Callable[..., Running], per: str) -> None:
    running = hidden(11, per, policy=LEAVERS)
    running.run()
    running.now += timedelta(days=20)
    _mark(running, 11, removedExternally=True)
    report = running.run()
    assert report.outcome == "stopped"
    assert "`user.removedExternally` has changed for 11 of 11 users" in report.why[0]


def test_a_protection_that_all_have_lost_is_found(hidden: Callable[..., Running]) -> None:
    policy = 'keep "t" when user.tags = ["vip", "board"]\nrelease analyzer when unused for 30 days\n'
    running = hidden(9, policy=policy)
    _mark(running, 9, tags=[{"name": "VIP"}])
    running.run()
    _mark(running, 9, tags=[])
    report = running.run()
    assert report.outcome == "stopped"
    assert any("whom `user.tags` = " in why and "have lost it" in why for why in report.why)


def test_what_another_policy_told_apart_otherwise_is_not_compared(hidden: Callable[..., Running]) -> None:
    """The plan before says that nobody had a tag which it names; whether one had the tag of now it does not say."""
    policy = 'keep when user.tags = "%s" or user.inactive\nrelease analyzer when unused for 30 days\n'
    running = hidden(9, policy=policy % "vip")
    _mark(running, 9, inactive=True)
    running.run()
    running.policy = policy % "board"
    _mark(running, 9, tags=[{"name": "board"}])
    report = running.run(dry_run=True)
    assert report.plan is not None
    assert report.plan.compared.endswith("; not recorded there: user.tags")
    assert report.plan.findings == ()


def test_what_was_withheld_is_said(hidden: Callable[..., Running]) -> None:
    running = hidden(7)
    running.ours = running.ours.replace("k: 1", "k: 5")
    _mark(running, 2, tags=[{"name": "vip"}])
    running.policy = 'keep when user.tags = "vip"\nrelease analyzer when unused for 900 days\n'
    running.run()
    report = running.run()
    assert report.plan is not None
    assert report.plan.compared.endswith("; without 2 licenses whose facts it withholds")


@pytest.mark.parametrize("ours", ["parallel: 1", "parallel: 1\npseudonyms: other.key"])
def test_under_another_key_nothing_is_compared(hidden: Callable[..., Running], tmp_path: Path, ours: str) -> None:
    running = hidden(9, policy=LEAVERS)
    running.run()
    write_atomically(tmp_path / "other.key", b"o" * 32)
    running.ours = ours
    report = running.run(dry_run=True)
    assert report.plan is not None
    assert report.plan.compared.endswith(" has pseudonyms of another key: not compared")


def test_a_site_that_begins_with_pseudonyms_is_compared_by_its_exact_facts(hidden: Callable[..., Running]) -> None:
    running = hidden(9, policy=LEAVERS)
    keyed, running.ours = running.ours, "parallel: 1"
    running.run()
    running.ours = keyed
    _mark(running, 9, removedExternally=True)
    assert running.run().outcome == "stopped"


def test_the_log_of_the_service_names_no_license(hidden: Callable[..., Running]) -> None:
    running = hidden()
    running.qrs.site["users"].append(user(4))
    running.run()
    released = [facts for _, said, facts in running.said if said == "released"]
    assert [sorted(facts) for facts in released] == [["detail", "run", "type"]] * 3, "it has the moment of each"
    assert LONG_AGO not in str(running.said)


def test_what_an_older_version_left_is_told_all_the_same(hidden: Callable[..., Running]) -> None:
    """A plan of format 1 in the middle of its apply: not carried on with, and its outcomes are published."""
    running = hidden()
    running.run()
    site = running.settings.site.url
    folder = running.runs[0].with_name("20261121T020000Z-0123456789ab")
    folder.mkdir()
    plan = [json.loads(line) for line in (DATA / "log" / "former-pseudonyms.jsonl").read_bytes().splitlines()]
    plan[0]["site"] = site
    written = _linked_as_before(plan)
    (folder / "plan.jsonl").write_bytes(written)
    released = next(line for line in plan[1:] if line.get("verdict") == "release")
    key = {"licenseType": released["licenseType"], "licenseId": released["licenseId"]}
    journal: list[dict[str, Any]] = [
        {"kind": "apply", "runId": plan[0]["runId"], "planSeal": json.loads(written.splitlines()[-1])["seal"]},
        {"kind": "outcome", **key, "user": "ACME\\p-1", "result": "failed", "detail": "", "at": FIRST_MOMENT},
    ]
    journal[0] |= {"site": site, "limits": [], "chosen": [[*key.values()]], "at": FIRST_MOMENT}
    (folder / "outcomes.jsonl").write_bytes(before := _linked_as_before(journal))
    report = running.run()
    (why,) = [facts["why"] for _, said, facts in running.said if said == "an earlier run is left as it is"]
    assert why == "an older seatwarden has written it, whose runs this one only reads"
    assert (folder / "outcomes.jsonl").read_bytes() == before
    assert [len(applied.outcomes) for applied in report.applied] == [1, 3]


FIRST_MOMENT = "2026-11-21T00:00:00.000Z"


def _linked_as_before(lines: list[dict[str, Any]]) -> bytes:
    """Lines as a chain of format 1: each has the SHA-256 of the one before, and ends with its own."""
    written, prev = b"", "0" * 64
    for n, line in enumerate(lines, 1):
        own = "seal" if line.get("kind") == "seal" else "sum"
        bare = {name: value for name, value in line.items() if name not in ("n", "prev", "seal", "sum")}
        link = msgspec.json.encode({"n": n, **bare, "prev": prev})
        whole = link[:-1] + b',"%b":"%b"}' % (own.encode(), hashlib.sha256(link).hexdigest().encode())
        written, prev = written + whole + b"\n", hashlib.sha256(whole).hexdigest()
    return written
