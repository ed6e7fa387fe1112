"""What the page shows: outcomes, changes, pictures, counts, and trees that say what `explain` says."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from seatwarden.engine.decide.decision import is_pseudonym
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.reference import Trace
from seatwarden.engine.explain.explanation import explain, explanation_to_json, found, part_text, tree_parts
from seatwarden.engine.log.lines import OutcomeKind
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.report.charts import WIDTH, thresholds_of
from seatwarden.engine.report.comparison import CHANGES
from seatwarden.engine.report.model import Page, report_of
from seatwarden.engine.report.outcomes import OUTCOMES
from seatwarden.engine.report.render import render
from seatwarden.engine.report.sources import read_sources
from seatwarden.engine.report.visible import shown
from seatwarden.grammar.ast import LICENSE_TYPES, Policy
from seatwarden.grammar.printer import print_policy
from tests.engine.report.runs import LATELY, LONG_AGO, POLICY, report_for, some_site, write_journal, write_run
from tests.engine.support import checked, license_row, site_of, user
from tests.profiles import examples
from tests.strategies import NOW, policies, sites


def _outcomes(report: Page) -> dict[str, str]:
    columns = report.table["columns"]
    return {id_: OUTCOMES[outcome] for id_, outcome in zip(columns["id"], columns["outcome"], strict=True)}


def _changes(report: Page) -> dict[str, str]:
    columns = report.table["columns"]
    pairs = zip(columns["id"], columns["change"], strict=True)
    return {id_: CHANGES[change] for id_, change in pairs if change is not None}


# Outcomes and words ------------------------------------------------------------------------------------------


def test_a_plan(tmp_path: Path) -> None:
    report = report_for(write_run(tmp_path / "run", some_site()))
    assert _outcomes(report) == {"l1": "to release", "l2": "kept"}
    assert report.headline == "1 license would be released"
    assert report.sentences[:2] == (
        "2 licenses are allocated; 1 analyzer license would be released, 1 kept.",
        "Nothing has been released so far: this is a plan.",
    )


def test_a_plan_over_the_limit_releases_nothing(tmp_path: Path) -> None:
    policy = POLICY.replace("100 per run", "1 per run")
    report = report_for(write_run(tmp_path / "run", some_site([LONG_AGO] * 3), policy))
    assert set(_outcomes(report).values()) == {"over the limit"}
    assert report.headline == "Nothing will be released: the plan is over its limit"
    assert "3 licenses to release; the limit of 1 per run allows 1" in " ".join(report.sentences)
    assert [(p.pool.before, p.pool.after) for p in report.types] == [(0, 0), (3, 3)]


def test_a_limit_that_takes_the_longest_unused_first(tmp_path: Path) -> None:
    policy = POLICY.replace("100 per run", "1 per run, longest unused first")
    report = report_for(write_run(tmp_path / "run", some_site([LONG_AGO, "2026-05-01T08:00:00.000Z"]), policy))
    assert _outcomes(report) == {"l1": "waits", "l2": "to release"}
    assert "1 more is due and waits for later runs: a limit takes the longest unused first." in report.sentences


def test_what_became_of_a_run(tmp_path: Path) -> None:
    results: dict[str, OutcomeKind] = {"l1": "released", "l2": "gone", "l3": "skipped", "l4": "failed", "l5": "unknown"}
    run = write_run(tmp_path / "run", some_site([LONG_AGO] * 8))
    write_journal(run, results, chosen=["l1", "l2", "l3", "l4", "l5", "l6", "l7"], intents=["l6"], sealed=False)
    report = report_for(run)
    assert _outcomes(report) == {**results, "l6": "unknown", "l7": "to release", "l8": "waits"}
    assert report.headline == "1 license was released"
    text = " ".join(report.sentences)
    for words in (
        "1 license was gone already",
        "1 license was skipped",
        "1 license could not be released",
        "What became of 2 licenses is not known",
        "1 license of this run is still to be released",
        "1 more was due and left to later runs",
        "not closed",
    ):
        assert words in text
    assert report.types[1].pool.after == 6


def test_nothing_to_release(tmp_path: Path) -> None:
    report = report_for(write_run(tmp_path / "run", some_site([LATELY])))
    assert report.headline == "No license would be released"
    assert "1 license is allocated, and all are kept." in report.sentences


# Changes --------------------------------------------------------------------------------------------------


def test_changes_since_the_run_before(tmp_path: Path) -> None:
    names = range(1, 8)
    users = [user(n) for n in names]
    then = [license_row(n, LONG_AGO) for n in (1, 2, 3, 4, 5)]
    then[0]["lastUsed"] = "2026-11-01T08:00:00.000Z"
    before = write_run(tmp_path / "before", site_of(users, then), now=NOW - timedelta(days=15))
    write_journal(before, {"l4": "released", "l5": "released"})
    users[2]["tags"] = [{"name": "vip"}]
    now = [license_row(n, LONG_AGO) for n in (1, 2, 3, 6)]
    now[0]["lastUsed"] = "2026-10-20T08:00:00.000Z"  # an earlier use has come to light: due now
    now[1]["lastUsed"] = LATELY
    now.append({**license_row(4, LATELY), "id": "l4 again"})
    report = report_for(write_run(tmp_path / "run", site_of(users, now)))
    assert _changes(report) == {
        "l1": "newly released",
        "l2": "back in use",
        "l3": "no longer released",
        "l6": "newly released",
        "l4 again": "back after release",
    }
    comparison = report.comparison
    assert comparison is not None
    assert comparison.folder == "before"
    assert {c.change: c.count for c in comparison.counts} == Counter(_changes(report).values())
    changes = comparison.changes
    assert (changes.added, changes.removed, changes.released_then) == (2, 2, 2)
    assert not changes.policy_changed


def test_another_policy_is_told(tmp_path: Path) -> None:
    write_run(tmp_path / "before", some_site(), POLICY.replace("30", "300"), NOW - timedelta(days=1))
    comparison = report_for(write_run(tmp_path / "run", some_site())).comparison
    assert comparison is not None
    assert comparison.changes.policy_changed


# Pictures -------------------------------------------------------------------------------------------------


@examples(25)
@given(policies(), sites())
def test_pictures_count_every_license_once(policy: Policy, site: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", site, print_policy(policy))
        report, plan = report_for(run), read_plan(run)
    for picture in report.types:
        mine = [d for d in plan.decisions if d.license_type == picture.license_type]
        pool, histogram = picture.pool, picture.histogram
        assert pool.before == len(mine) == sum(segment.before for segment in pool.segments)
        assert pool.after == sum(segment.after for segment in pool.segments)
        assert not mine or sum(segment.width for segment in pool.segments) == pytest.approx(WIDTH, abs=0.1)
        assert sum(bar.kept + bar.release for bar in histogram.bars) + histogram.unknown == len(mine)
        known = [d for d in mine if d.unused_days is not None]
        assert sum(bar.release for bar in histogram.bars) == sum(d.verdict == "release" for d in known)
        assert all(bar.kept_height + bar.release_height <= 133 for bar in histogram.bars)
        assert len(histogram.bars) <= 48


def test_the_threshold_stands_between_two_bars() -> None:
    for days in (2, 7, 14, 30, 45, 60, 90, 365):
        with TemporaryDirectory() as folder:
            run = write_run(Path(folder) / "run", some_site(), f"release analyzer when unused for {days} days")
            histogram = report_for(run).types[1].histogram
        assert [mark.value for mark in histogram.thresholds] == [days]
        assert any(bar.first == days and bar.x == histogram.thresholds[0].at for bar in histogram.bars)


def test_thresholds_are_those_of_release_rules_for_the_type() -> None:
    rules = checked(
        "keep when unused for 5 days\nrelease analyzer when unused for 6 weeks or license.unusedDays >= 10\n"
        "release when not (unused for 90 days)"
    ).rules
    assert thresholds_of("analyzer", rules) == (10, 42, 90)
    assert thresholds_of("professional", rules) == (90,)


# Rules and trees ------------------------------------------------------------------------------------------


def test_counts_by_rule(tmp_path: Path) -> None:
    site = some_site([LONG_AGO, LONG_AGO, LATELY])
    site["users"][0]["tags"] = [{"name": "vip"}]
    site["licenses"]["analyzer"][2]["quarantined"] = True
    report = report_for(write_run(tmp_path / "run", site))
    rules = report.rules
    assert [(rule.title, rule.decided, rule.matched) for rule in rules] == [
        ("quarantined", 1, None),
        ('keep "vip"', 1, 1),
        ('keep "finance in winter"', 0, 0),
        ("release analyzer", 1, 2),
        ('release "long away"', 0, 0),
        ("no release rule matched", 0, None),
    ]
    for rule in rules[1:-1]:
        assert rule.line is not None
        assert report.policy_lines[rule.line - 1].startswith(rule.verdict)
    assert len({rule.line for rule in rules[1:-1]}) == 4


def _shape(table: dict[str, Any], node: int) -> Any:
    truth, text, parts = table["nodes"][node]
    return truth, table["texts"][text], [_shape(table, part) for part in parts]


def _explained(trace: Trace) -> Any:
    return trace.truth, shown(part_text(trace)), [_explained(part) for part in tree_parts(trace)]


@examples(25)
@given(policies(), sites())
def test_trees_are_those_of_explain(policy: Policy, site: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", site, print_policy(policy))
        report, plan = report_for(run), read_plan(run)
    table = report.table
    columns = table["columns"]
    rows = {(columns["type"][n], columns["id"][n]): n for n in range(report.licenses)}
    for decision in plan.decisions:
        row = rows[(LICENSE_TYPES.index(decision.license_type), shown(decision.license_id))]
        if list(rows).count((columns["type"][row], columns["id"][row])) > 1 or len(rows) < len(plan.decisions):
            continue  # a license that is listed twice
        story = explain(decision, plan.policy, plan.day)
        assert table["texts"][columns["headline"][row]] == shown(story.headline)
        assert [table["texts"][n] for n in columns["advice"][row]] == [shown(text) for text in story.advice]
        titles = [table["rules"][n]["title"] for n in table["rulesOf"][columns["type"][row]]]
        told = explanation_to_json(story)["tree"]
        assert titles == [shown(rule["label"]) for rule in told]
        trees = [_shape(table, node) for node in columns["tree"][row]]
        assert [truth for truth, _, _ in trees] == [rule["matched"] for rule in told]
        for tree, outcome in zip(trees, decision.outcomes, strict=True):
            parts = () if outcome.expired else tree_parts(outcome.trace)
            assert tree == (outcome.truth, shown(found(outcome)), [_explained(part) for part in parts])


def test_pseudonyms_stay(tmp_path: Path) -> None:
    policy = 'keep "by hand" when user.userId = "user1" or user.name = "User 1"\nrelease when unused for 30 days'
    site = some_site([LONG_AGO] * 12 + [LATELY] * 3)
    run = write_run(tmp_path / "run", site, policy, pseudonyms=Pseudonyms(b"a key that is long enough"))
    report = report_for(run)
    columns, reasons = report.table["columns"], report.table["reasons"]
    assert all(is_pseudonym(name) for column in ("user", "id") for name in columns[column])
    assert set(columns["name"]) == {""}
    assert Counter(reasons[reason] for reason in columns["reason"])["withheld"] == 1, "she who is protected by name"
    assert [rule.decided for rule in report.rules if rule.title == "withheld"] == [1]
    page = render(report).decode()
    assert [name for name in ("user2", "User 2", "ACME\\user", "2026-06-01") if name in page] == []


def test_runs_of_two_periods_are_not_compared(tmp_path: Path) -> None:
    key = b"a key that is long enough"
    before = write_run(tmp_path / "before", some_site(), now=NOW - timedelta(days=1), pseudonyms=Pseudonyms(key))
    same = write_run(tmp_path / "run", some_site(), pseudonyms=Pseudonyms(key))
    assert report_of(read_sources(same, before)).comparison is not None
    other = write_run(tmp_path / "other", some_site(), pseudonyms=Pseudonyms(key, "run"))
    assert report_of(read_sources(other, before)).comparison is None
    assert "has other pseudonyms" in str(report_of(read_sources(other, before)).not_compared)


def test_the_same_run_gives_the_same_report(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", some_site())
    assert report_for(run) == report_for(run)
