"""Downgrading on a site: the five rules, one by one, by the code that runs on real ones."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.facts.downgrade import REST_DAYS
from seatwarden.engine.log.journal_lines import GivenLine, GivingLine, Intent, OutcomeLine
from seatwarden.engine.log.register import REGISTER_FILE, ClosedRun, Planned, read_register
from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.simulator.repository import Allocations
from tests.engine.runs.exchanging import DOWNGRADE, ExchangingSite, one_person
from tests.engine.runs.recorded import NO_PAGES

NEVER_USED = "release analyzer when never used regardless of use\n"
BOTH, DOWN, STILL = ({"professional": p, "analyzer": a} for p, a in ((1, 1), (0, 1), (1, 0)))
EVERYBODY = {
    "id": "00000000-0000-4000-a000-000000000001",
    "category": "License",
    "type": "Custom",
    "name": "Professionals",
    "rule": '((user.userDirectory="CORP"))',
    "resourceFilter": "License.ProfessionalAccessGroup_1",
    "actions": 1,
    "disabled": False,
}


def analyzer(site: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """An Analyzer license of the first user."""
    row = dict(site["licenses"]["professional"][0], id="00000000-0000-4000-b000-000000000001")
    return row | facts


def test_a_license_is_given_and_then_the_other_is_taken(tmp_path: Path) -> None:
    site = ExchangingSite(tmp_path)
    report = site.night()
    assert report is not None
    assert (report.outcome, site.held(), site.results()) == ("done", DOWN, ["downgraded"])
    kinds = [
        type(line) for line in site.journal().events if isinstance(line, GivingLine | GivenLine | Intent | OutcomeLine)
    ]
    assert kinds == [GivingLine, GivenLine, Intent, OutcomeLine]
    register = read_register(site.state / REGISTER_FILE)
    assert register is not None
    (planned,), (closed,) = register.of_kind(Planned), register.of_kind(ClosedRun)
    assert (planned.downgrade, closed.released, closed.open) == (1, {"professional": 1}, 0)
    assert verify_record(site.state, NO_PAGES).faults == []


def test_a_dry_run_gives_nobody_anything(tmp_path: Path) -> None:
    site = ExchangingSite(tmp_path)
    report = site.night(dry_run=True)
    assert report is not None
    assert (report.outcome, site.held(), site.sent) == ("dry-run", STILL, 0)


def test_a_run_in_two_steps_downgrades_those_who_are_allowed(tmp_path: Path) -> None:
    site = ExchangingSite(tmp_path, one_person(3))
    first, second = site.night_in_two_steps(2)
    assert (first.outcome, second.outcome, second.counts) == ("planned", "done", {"downgraded": 2})
    assert [site.held(n) for n in (1, 2, 3)].count(DOWN) == 2
    assert verify_record(site.state, NO_PAGES).faults == []


# 1: one after the other, each looked at --------------------------------------------------------------------


def test_who_uses_the_license_meanwhile_is_left_with_both_and_named(tmp_path: Path) -> None:
    clean = ExchangingSite(tmp_path / "clean")
    clean.night()
    found = []
    for step in range(clean.count):
        site = ExchangingSite(tmp_path / str(step), steps={step: ExchangingSite.log_in})
        report = site.night()
        assert report is not None
        assert site.held() in (STILL, BOTH, DOWN)
        if site.held() == BOTH:
            found.append(step)
            assert (report.outcome, site.results()) == ("incomplete", ["left"])
            assert report.why == ("somebody was left with both licenses: see the outcomes",)
    assert found, "between the POST and the last look somebody can log in"


def test_two_of_a_person_are_never_handled_at_the_same_time(tmp_path: Path) -> None:
    """Whatever is done with them: by the order of the requests, with many threads."""
    content = one_person(3)
    rows = content["licenses"]["professional"]
    content["licenses"]["analyzer"] = [dict(row, id=row["id"].replace("9000", "b000")) for row in rows]
    site = ExchangingSite(tmp_path, content, policy="release when unused for 60 days\nlimit release to 100% per run\n")
    site.threads = 8
    report = site.night()
    assert report is not None
    assert report.outcome == "done"
    assert site.together == 0
    assert [site.held(n) for n in (1, 2, 3)] == [{"professional": 0, "analyzer": 0}] * 3


@pytest.mark.parametrize("second", ["refused", "doubled"])
def test_a_post_without_an_answer_is_looked_up(tmp_path: Path, second: Any) -> None:
    site = ExchangingSite(tmp_path, allocations=Allocations(second=second), lose=frozenset({0}))
    site.night()
    assert (site.held(), site.results()) == (DOWN, ["downgraded"])
    (given,) = [line for line in site.journal().events if isinstance(line, GivenLine)]
    assert given.result == "given"
    assert given.person.detail.endswith("looked up: it is there")  # type: ignore[union-attr]


def test_a_post_that_is_under_way_is_not_sent_again_in_the_same_run(tmp_path: Path) -> None:
    site = ExchangingSite(tmp_path, delay=frozenset({0}))
    report = site.night()
    assert report is not None
    assert (report.outcome, site.held(), site.posted, site.results()) == ("incomplete", STILL, 1, ["unknown"])
    site.arrive()
    site.night()  # it is looked up, and gone on with
    assert (site.held(), site.posted) == (DOWN, 1)


def test_two_licenses_after_the_post_leave_both(tmp_path: Path) -> None:
    """The first POST arrives late, between the look and the second POST of the run that goes on."""
    doubled = Allocations(second="doubled")
    clean = ExchangingSite(tmp_path / "clean", allocations=doubled, delay=frozenset({0}))
    clean.night()
    begin = clean.count
    clean.night()
    ends = []
    for step in range(begin, clean.count):
        site = ExchangingSite(tmp_path / str(step), allocations=doubled, delay=frozenset({0}))
        site.steps = {step: ExchangingSite.arrive}
        site.night()
        site.night()
        ends.append((site.held(), site.results()[0]))
    two = {"professional": 1, "analyzer": 2}
    assert (two, "left") in ends
    assert all(held["professional"] == (result == "left") and held["analyzer"] for held, result in ends)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"quarantined": True}, "the analyzer license of the person is in quarantine"),
        ({"excess": True}, "the analyzer license of the person is in excess"),
        ({"quarantined": None}, "it is not known whether it is"),
    ],
)
def test_an_analyzer_license_that_is_not_sound_keeps_the_other(tmp_path: Path, facts: dict[str, Any], why: str) -> None:
    content = one_person()
    content["licenses"]["analyzer"] = [analyzer(content, **facts)]
    site = ExchangingSite(tmp_path, content)
    report = site.night(dry_run=True)
    assert report is not None
    assert report.plan is not None
    kept = next(one for one in report.plan.decisions if one.license_type == "professional")
    assert (kept.verdict, kept.because) == ("keep", "downgrade")
    assert why in kept.reason


def test_who_holds_an_analyzer_license_already_is_given_none(tmp_path: Path) -> None:
    content = one_person()
    content["licenses"]["analyzer"] = [analyzer(content)]
    site = ExchangingSite(tmp_path, content)
    site.qrs.buy("analyzer", 1)  # none is free, and none is needed
    site.night()
    assert (site.held(), site.posted, site.results()) == (DOWN, 0, ["downgraded"])
    (given,) = [line for line in site.journal().events if isinstance(line, GivenLine)]
    assert given.result == "there"


# 2: what is open ------------------------------------------------------------------------------------------


def test_a_delete_without_an_answer_stays_open_and_nothing_else_is_taken(tmp_path: Path) -> None:
    """The process is killed with a DELETE under way; then somebody logs in, so that the run ends with both licenses."""
    policy = DOWNGRADE + NEVER_USED
    site = ExchangingSite(tmp_path, policy=policy, delay=frozenset({1, 2, 3}))
    site.night()
    assert (site.held(), site.results()) == (BOTH, ["unknown"])
    site.log_in()
    site.night()
    assert site.results()[0] == "left"
    register = read_register(site.state / REGISTER_FILE)
    assert register is not None
    assert [line.open for line in register.of_kind(ClosedRun)] == [1, 1]
    for _ in range(70):
        site.sleep()
    report = site.night(dry_run=True)
    assert report is not None
    assert report.plan is not None
    by_type = {one.license_type: one for one in report.plan.decisions}
    assert (by_type["analyzer"].verdict, by_type["analyzer"].because) == ("keep", "downgrade")
    assert "has deleted another license of the person, and has no answer" in by_type["analyzer"].reason
    site.arrive()  # weeks later
    assert site.held() == DOWN
    report = site.night(dry_run=True)
    assert report is not None
    assert report.plan is not None
    assert [one.because for one in report.plan.decisions] == ["release"]


# 3: giving back -------------------------------------------------------------------------------------------


def test_only_the_license_that_we_gave_is_taken_back(tmp_path: Path) -> None:
    site = ExchangingSite(tmp_path)
    site.night()
    site.sleep()
    back = site.give_back(site.runs[0])
    assert back is not None
    assert (site.held(), back.counts["restored"]) == (STILL, 1)
    assert site.give_back(site.runs[0]) is None
    site.sleep()
    site.night()
    assert site.held() == STILL, "who was given it back rests"


def test_who_had_an_analyzer_license_before_keeps_it(tmp_path: Path) -> None:
    content = one_person()
    content["licenses"]["analyzer"] = [analyzer(content)]
    site = ExchangingSite(tmp_path, content)
    site.night()
    back = site.give_back(site.runs[0])
    assert back is not None
    assert (site.held(), back.counts["restored"]) == (BOTH, 1)


def test_who_was_left_with_both_loses_what_was_given(tmp_path: Path) -> None:
    clean = ExchangingSite(tmp_path / "clean")
    clean.night()
    for step in range(clean.count):
        site = ExchangingSite(tmp_path / str(step), steps={step: ExchangingSite.log_in})
        site.night()
        if site.held() == BOTH:
            site.steps = {}
            back = site.give_back(site.runs[0])
            assert back is not None
            assert (site.held(), back.counts["restored"]) == (STILL, 1)
            return
    pytest.fail("nobody was left with both")


def test_giving_back_is_killed_anywhere_and_goes_on(tmp_path: Path) -> None:
    first = ExchangingSite(tmp_path / "first")
    first.night()
    begin = first.count
    first.give_back(first.runs[0])
    for step in range(begin, first.count):
        site = ExchangingSite(tmp_path / str(step))
        site.night()
        site.steps = {step: ExchangingSite.kill}
        assert site.give_back(site.runs[0]) is None
        assert sum(site.held().values()) >= 1
        site.steps = {}
        site.give_back(site.runs[0])
        assert site.held() == STILL


# 4: the rest ----------------------------------------------------------------------------------------------


def test_nothing_is_taken_from_who_was_downgraded_for_a_while(tmp_path: Path) -> None:
    policy = DOWNGRADE + NEVER_USED
    site = ExchangingSite(tmp_path, policy=policy)
    lost = None
    for day in range(REST_DAYS + 5):
        site.night()
        if not site.held()["analyzer"]:
            lost = day
            break
        site.sleep()
    assert lost == REST_DAYS


def test_a_longer_threshold_is_counted_anew(tmp_path: Path) -> None:
    """`user unused for` looks at all licenses of the person: the last use of the one that is gone is not counted."""
    content = one_person()
    content["licenses"]["analyzer"] = [analyzer(content)]
    site = ExchangingSite(tmp_path, content, policy=f"{DOWNGRADE}release analyzer when unused for 90 days\n")
    site.night()
    assert site.held() == DOWN
    site.sleep(89)
    site.night()
    assert site.held() == DOWN
    site.sleep(1)
    site.night()
    assert site.held() == {"professional": 0, "analyzer": 0}


def test_a_journal_that_cannot_be_read_keeps_everything(tmp_path: Path) -> None:
    site = ExchangingSite(tmp_path, one_person(2), policy=f"{DOWNGRADE}release analyzer when true regardless of use\n")
    site.night()
    (site.runs[0] / "outcomes.jsonl").write_bytes(b"x\n")
    site.sleep(100)
    report = site.night(dry_run=True)
    assert report is not None
    assert report.plan is not None
    assert {one.because for one in report.plan.decisions} == {"downgrade"}
    assert "cannot be read" in report.plan.decisions[0].reason


# 5: kept, and said ----------------------------------------------------------------------------------------


def test_a_license_that_a_rule_gives_back_is_not_taken(tmp_path: Path) -> None:
    site = ExchangingSite(tmp_path, one_person(licenseRules=[EVERYBODY]))
    report = site.night()
    assert report is not None
    assert report.plan is not None
    assert (site.held(), site.sent) == (STILL, 0)
    assert "by rule `Professionals`" in report.plan.decisions[0].reason


def test_a_rule_that_is_made_after_the_plan_keeps_the_license(tmp_path: Path) -> None:
    clean = ExchangingSite(tmp_path / "clean")
    clean.night()
    ends = []
    for step in range(clean.count):
        site = ExchangingSite(tmp_path / str(step), steps={step: ExchangingSite.make_rule})
        site.made_rule = EVERYBODY
        site.night()
        ends.append(site.held())
    assert ends[0] == STILL
    assert ends[-1] == DOWN


@pytest.mark.parametrize("empty", ["refused", "excess"])
def test_no_more_are_downgraded_than_licenses_are_free_beside_the_reserve(tmp_path: Path, empty: Any) -> None:
    policy = f"{DOWNGRADE}limit release to reach 2 free analyzer, longest unused first\n"
    site = ExchangingSite(tmp_path, one_person(5), policy=policy, allocations=Allocations(empty_pool=empty))
    site.qrs.buy("analyzer", 5)
    report = site.night()
    assert report is not None
    assert report.plan is not None
    assert sorted(one.because for one in report.plan.decisions) == ["downgrade"] * 5
    assert [one.verdict for one in report.plan.decisions].count("downgrade") == 3
    assert [site.held(n) for n in range(1, 6)].count(DOWN) == 3
    assert "2 of them reserved" in next(one.reason for one in report.plan.decisions if one.verdict == "keep")


@pytest.mark.parametrize("empty", ["refused", "excess"])
def test_a_pool_that_others_empty_meanwhile_takes_nothing(tmp_path: Path, empty: Any) -> None:
    clean = ExchangingSite(tmp_path / "clean")
    clean.night()
    ends = set()
    for step in range(clean.count):
        site = ExchangingSite(
            tmp_path / str(step), allocations=Allocations(empty_pool=empty), steps={step: ExchangingSite.empty_pool}
        )
        site.night()
        ends.add((site.held()["professional"], site.held()["analyzer"]))
        assert sum(site.held().values()) >= 1
    # Where the pool is empty between our look and our POST, QRS refuses, or gives one in excess: then it is left.
    assert ends == ({(1, 0), (0, 1)} if empty == "refused" else {(1, 0), (0, 1), (1, 1)})


def test_a_site_that_does_not_say_what_is_free_downgrades_nobody(tmp_path: Path) -> None:
    site = ExchangingSite(tmp_path)
    site.content["accessTypeOverview"] = {}
    report = site.night(dry_run=True)
    assert report is not None
    assert report.plan is not None
    assert "QRS does not say how many analyzer licenses are free" in report.plan.decisions[0].reason


# All together ---------------------------------------------------------------------------------------------


def _year(folder: Path, nights: Iterable[int], rules: list[dict[str, Any]], more: str) -> int:
    """How often somebody is downgraded in the nights of a year who is given the license again each month."""
    site = ExchangingSite(folder, one_person(licenseRules=rules), policy=DOWNGRADE + more)
    downgrades, wanted = 0, set(nights)
    for day in range(365):
        before = site.held()
        if day in wanted:
            site.night()
        downgrades += before["professional"] > site.held()["professional"]
        if day % 30 == 29 and not site.held()["professional"]:
            site.content["licenses"]["professional"].append(one_person()["licenses"]["professional"][0])
        if day < REST_DAYS:
            assert sum(site.held().values()) >= 1
        site.sleep()
    return downgrades


YEARS = pytest.mark.parametrize("more", ["", NEVER_USED], ids=["alone", "never used"])


@YEARS
def test_a_year_in_which_a_rule_gives_it_back_has_no_downgrade(tmp_path: Path, more: str) -> None:
    assert _year(tmp_path, range(0, 365, 15), [EVERYBODY], more) == 0


@YEARS
def test_a_year_in_which_it_comes_back_all_the_same_has_one_each_time_it_was_unused(tmp_path: Path, more: str) -> None:
    """Once in the rest and the threshold behind it, and never from night to night."""
    assert _year(tmp_path, sorted({*range(0, 365, 15), *range(25, 35), *range(85, 95)}), [], more) <= 365 // 60 + 1


@pytest.mark.long
@pytest.mark.parametrize("rules", [[], [EVERYBODY]], ids=["no rule", "a rule gives it back"])
@YEARS
def test_a_year_of_nights_is_no_loop(tmp_path: Path, rules: list[dict[str, Any]], more: str) -> None:
    downgrades = _year(tmp_path, range(365), rules, more)
    assert downgrades == 0 if rules else downgrades <= 365 // 60 + 1


def test_the_checker_in_plain_python_says_the_same(tmp_path: Path) -> None:
    """Of a downgrade, one that is open, and one that was given back."""
    checker = Path(__file__).parents[3] / "examples" / "check_record.py"
    late = ExchangingSite(tmp_path / "late", policy=DOWNGRADE + NEVER_USED, delay=frozenset({1, 2, 3}))
    late.night()
    late.log_in()
    late.night()
    back = ExchangingSite(tmp_path / "back")
    back.night()
    back.give_back(back.runs[0])
    for site in (late, back):
        ran = subprocess.run([sys.executable, checker, site.state], capture_output=True, text=True, check=False)
        assert (ran.returncode, verify_record(site.state, NO_PAGES).faults) == (0, []), ran.stdout + ran.stderr
