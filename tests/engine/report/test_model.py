"""What the page shows: outcomes, changes, pictures and counts; what is told of each license is in `test_told`."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given

from seatwarden.engine.decide.decision import is_pseudonym
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.states import STATES
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.report.band import Breach
from seatwarden.engine.report.comparison import CHANGES
from seatwarden.engine.report.histogram import edges_for
from seatwarden.engine.report.model import Page, report_of
from seatwarden.engine.report.pool import WIDTH
from seatwarden.engine.report.render import render
from seatwarden.engine.report.sources import read_sources
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.printer import print_policy
from tests.engine.report.runs import LATELY, LONG_AGO, POLICY, report_for, some_site, write_journal, write_run
from tests.engine.support import license_row, site_of, user
from tests.profiles import examples
from tests.strategies import NOW, policies, sites


def _states(report: Page) -> dict[str, str]:
    columns = report.table["columns"]
    return {id_: STATES[state] for id_, state in zip(columns["id"], columns["state"], strict=True)}


def _changes(report: Page) -> dict[str, str]:
    columns = report.table["columns"]
    pairs = zip(columns["id"], columns["change"], strict=True)
    return {id_: CHANGES[change] for id_, change in pairs if change is not None}


# States and words ------------------------------------------------------------------------------------------


def test_a_plan(tmp_path: Path) -> None:
    report = report_for(write_run(tmp_path / "run", some_site()))
    assert _states(report) == {"l1": "in this run", "l2": "kept"}
    assert report.headline == "1 license would be released"
    assert report.sentences[0] == "2 licenses are allocated."
    assert (report.band.word, report.band.steps[0].command) == ("To be approved", "seatwarden apply . --site SITE")
    assert [state.state for state in report.states] == ["in this run", "kept"]
    assert [(one.license_type, one.counts, one.free) for one in report.totals] == [
        ("professional", (0, 0), None),
        ("analyzer", (1, 1), None),
    ]


def test_a_plan_over_the_limit_releases_nothing(tmp_path: Path) -> None:
    policy = POLICY.replace("100 per run", "1 per run")
    report = report_for(write_run(tmp_path / "run", some_site([LONG_AGO] * 3), policy))
    assert set(_states(report).values()) == {"due"}
    assert report.headline == "Nothing will be released: 3 licenses are due, more than the limit allows"
    assert report.band.word == "Over the limit"
    assert report.breaches == (Breach("1 per run", "both types", 3, 1),)
    assert report.band.steps[1].command == "seatwarden apply . --site SITE --limit 3"
    assert [picture.pool.allocated for picture in report.types] == [(0, 0), (3, 3)]
    # Without overview all is allocated: the limit leaves a third of the bar to its right.
    assert report.types[1].pool.limit_at == pytest.approx(WIDTH * 2 / 3, abs=0.01)
    assert report.types[1].limit_words == "the limit allows 1 of both types"


def test_a_limit_that_takes_the_longest_unused_first(tmp_path: Path) -> None:
    policy = POLICY.replace("100 per run", "1 per run, longest unused first")
    report = report_for(write_run(tmp_path / "run", some_site([LONG_AGO, "2026-05-01T08:00:00.000Z"]), policy))
    assert _states(report) == {"l1": "due", "l2": "in this run"}
    assert "1 more is due and waits for later runs: a limit takes the longest unused first." in report.sentences


def test_what_became_of_a_run(tmp_path: Path) -> None:
    results: dict[str, OutcomeKind] = {"l1": "released", "l2": "gone", "l3": "skipped", "l4": "failed", "l5": "unknown"}
    run = write_run(tmp_path / "run", some_site([LONG_AGO] * 8))
    write_journal(run, results, chosen=["l1", "l2", "l3", "l4", "l5", "l6", "l7"], intents=["l6"], sealed=False)
    report = report_for(run)
    assert _states(report) == {**results, "l6": "unknown", "l7": "in this run", "l8": "due"}
    assert report.headline == "1 license was released"
    text = " ".join(report.sentences)
    for words in (
        "1 license was gone already",
        "1 license was skipped",
        "1 license could not be released",
        "What became of 2 licenses is not known",
        "1 license is still in this run",
        "1 more was due and left to later runs",
        "not closed",
    ):
        assert words in text
    assert report.types[1].pool.allocated == (8, 6)
    assert report.band.word == "Applied in part"
    assert [one.state for one in report.taken] == [
        "released",
        "gone",
        "skipped",
        "failed",
        "unknown",
        "unknown",
        "in this run",
    ]


def test_nothing_to_release(tmp_path: Path) -> None:
    report = report_for(write_run(tmp_path / "run", some_site([LATELY])))
    assert (report.headline, report.band.word) == ("No license is due", "Nothing is due")
    assert report.taken == ()


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
        "l1": "newly due",
        "l2": "back in use",
        "l3": "no longer due",
        "l6": "newly due",
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


@examples(17)
@given(policies(), sites())
def test_pictures_count_every_license_once(policy: Policy, site: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        run = write_run(Path(folder) / "run", site, print_policy(policy))
        report, plan = report_for(run), read_plan(run)
    for picture in report.types:
        mine = [d for d in plan.decisions if d.license_type == picture.license_type]
        pool, histogram = picture.pool, picture.histogram
        assert pool.allocated[0] == len(mine) == sum(row.before for row in pool.rows if row.kind != "free")
        assert pool.allocated[1] == sum(row.after for row in pool.rows if row.kind != "free")
        for bar in (pool.before, pool.after):
            assert all(one.x + one.width <= other.x + 1.5 for one, other in pairwise(bar))
        assert sum(bar.kept + bar.due for bar in histogram.bars) + histogram.unknown == len(mine)
        known = [d for d in mine if d.unused_days is not None]
        assert sum(bar.due for bar in histogram.bars) == sum(
            d.because in ("release", "downgrade", "notice") for d in known
        )
        assert all(bar.lift + bar.due_height <= 135 for bar in histogram.bars)
        assert len(histogram.bars) <= 22


def test_the_threshold_stands_between_two_bars() -> None:
    for days in (2, 7, 14, 30, 45, 60, 90, 365):
        with TemporaryDirectory() as folder:
            run = write_run(Path(folder) / "run", some_site(), f"release analyzer when unused for {days} days")
            histogram = report_for(run).types[1].histogram
        assert [mark.value for mark in histogram.thresholds] == [days]
        assert any(bar.first == days and 0 < bar.x - histogram.thresholds[0].at < 4 for bar in histogram.bars)


def test_bars_widen_beyond_the_threshold() -> None:
    assert edges_for((30,), 400) == [0, 5, 10, 15, 20, 25, 30, 45, 60, 90, 120, 180, 240, 360]
    assert edges_for((2,), 0) == [0, 1, 2, 3, 4]
    assert edges_for((), 10)[-1] == 120
    for most in (0, 100, 5_000):
        edges = edges_for((7, 30, 90), most)
        assert {7, 30, 90} <= set(edges)
        assert edges == sorted(set(edges))


def test_what_other_thresholds_would_do_is_decided_again(tmp_path: Path) -> None:
    """As a plan by the other policy decides; keep rules stay as they are."""
    ages = (20, 40, 50, 70, 100, 400)
    used = [(NOW - timedelta(days=days)).strftime("%Y-%m-%dT08:00:00.000Z") for days in ages]
    site = some_site([*used, LONG_AGO])
    site["users"][-1]["tags"] = [{"name": "vip"}]
    policy = 'keep "vip" when user.tags = "vip"\nrelease analyzer when {} and not user.name = "User 6"\n'
    tried = report_for(write_run(tmp_path / "run", site, policy.format("unused for 60 days"))).types[1].histogram
    assert [(other.days, other.due) for other in tried.others] == [(45, 3), (90, 1)]
    for days, due in ((45, 3), (90, 1), (60, 2)):
        run = write_run(tmp_path / str(days), site, policy.format(f"license.unusedDays >= {days}"))
        assert report_for(run).types[1].histogram.due == due
    two = write_run(tmp_path / "two", site, "release when unused for 30 days or unused for 60 days")
    assert report_for(two).types[1].histogram.others == ()


@pytest.mark.parametrize(
    ("ages", "said"),
    [
        ((), ""),
        ((10,), "With 45 or 90 days no license would be due, either."),
        ((70, 100), "With another threshold other licenses would be due: 1 with 90 days; as many as now with 45 days."),
        ((100,), "With 45 or 90 days as many licenses would be due."),
        ((50, 70, 100), "With another threshold other licenses would be due: 3 with 45 days and 1 with 90 days."),
    ],
)
def test_another_threshold_is_said_to_change_what_it_changes(tmp_path: Path, ages: tuple[int, ...], said: str) -> None:
    used = [(NOW - timedelta(days=days)).strftime("%Y-%m-%dT08:00:00.000Z") for days in ages]
    run = write_run(tmp_path / "run", some_site(used), "release analyzer when unused for 60 days")
    assert report_for(run).types[1].others_words == said


@pytest.mark.parametrize(("count", "said"), [(1, "1 user is due to lose"), (2, "2 users are due to lose")])
def test_who_loses_all_is_counted_in_words(tmp_path: Path, count: int, said: str) -> None:
    run = write_run(tmp_path / "run", some_site([LONG_AGO] * count))
    assert f"{said} every license they hold." in report_for(run).sentences
    write_journal(run, {f"l{n}": "released" for n in range(1, count + 1)})
    was = said.replace("is due", "was due").replace("are due", "were due")
    assert f"{was} every license they hold." in report_for(run).sentences


def test_the_sites_own_numbers(tmp_path: Path) -> None:
    """Free afterwards are those that are free now, and those of this run that were not used in the last seven days."""
    yesterday = (NOW - timedelta(days=1)).strftime("%Y-%m-%dT08:00:00.000Z")
    access = {"enabled": True, "total": 5, "allocated": 3, "available": 2, "quarantined": 0}
    site = {**some_site([LONG_AGO, yesterday, LATELY]), "accessTypeOverview": {"analyzerAccess": access}}
    report = report_for(
        write_run(tmp_path / "run", site, "release analyzer when license.unusedDays >= 0\nlimit release to 3 per run")
    )
    professional, analyzer = report.types
    assert (professional.pool.free, professional.seats_words) == (None, "")
    assert (analyzer.pool.free, analyzer.pool.allocated) == ((2, 3), (3, 0))
    assert analyzer.seats_words == "5 in all, 3 allocated, 2 free, 0 in quarantine"
    assert [(row.kind, row.before, row.after) for row in analyzer.pool.rows] == [("freed", 3, 0), ("free", 2, 5)]


# Rules -------------------------------------------------------------------------------------------------------


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
        (line,) = (line for line in report.policy_files[0].lines if line.anchor == rule.anchor)
        assert line.text.startswith(rule.verdict)
        assert line.rules == (rule.index,)


def test_pseudonyms_stay(tmp_path: Path) -> None:
    policy = 'keep "by hand" when user.userId = "user1" or user.name = "User 1"\nrelease when unused for 30 days'
    site = some_site([LONG_AGO] * 12 + [LATELY] * 3)
    run = write_run(tmp_path / "run", site, policy, pseudonyms=Pseudonyms(b"a key that is long enough"))
    report = report_for(run)
    columns, reasons = report.table["columns"], report.table["reasons"]
    assert all(is_pseudonym(name) for column in ("user", "id") for name in columns[column])
    assert set(columns["name"]) == {""}
    assert Counter(reasons[reason] for reason in columns["by"])["withheld"] == 1, "she who is protected by name"
    counted = {rule.title: rule.decided for rule in report.rules}
    assert counted == read_plan(run).log.summary.by_reason, "the page says what the summary says, also of her"
    assert counted['keep "by hand"'] == 1
    assert {rule.matched for rule in report.rules} == {None}
    assert report.types[1].histogram_words.endswith(" Of 4 licenses the last use is withheld.")
    page = render(report).decode()
    assert [name for name in ("user2", "User 2", "ACME\\user", "2026-06-01") if name in page] == []


def test_rules_of_one_name_are_counted_as_the_lines_say(tmp_path: Path) -> None:
    policy = (
        "".join(f'keep "by hand" when user.userId = "user{n}"\n' for n in (1, 2)) + "release when unused for 30 days"
    )
    site = some_site([LONG_AGO] * 12)
    report = report_for(write_run(tmp_path / "run", site, policy, pseudonyms=Pseudonyms(b"a key that is long enough")))
    assert [(rule.title, rule.decided) for rule in report.rules if rule.decided] == [("withheld", 2), ("release", 10)]


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
