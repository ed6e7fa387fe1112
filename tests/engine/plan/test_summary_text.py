"""The last lines of a plan are true of the run that it makes."""

import re
from typing import Any

import pytest
from msgspec import UNSET

from seatwarden.engine.plan.findings import mass_change_finding
from seatwarden.engine.plan.summary_text import conclusion, plan_text
from seatwarden.policy.guarantees import outcomes
from tests.engine.support import license_row, plan_of, site_of, user
from tests.policy.guarantees.hard import HARD


def _idle(count: int) -> dict[str, Any]:
    numbers = range(1, count + 1)
    return site_of([user(n) for n in numbers], [license_row(n, "2026-01-01T12:00:00.000Z") for n in numbers])


RELEASE = "release analyzer when unused for 30 days\nlimit release to "
NONE = "not a single license fits into it; raise the limit in the policy, like "
YET = "Nothing has been released yet."
FIRST, WOULD = ", longest unused first", "would be released. Nothing has been released."
OVER = "Nothing is released: over the limit; "


@pytest.mark.parametrize(
    ("licenses", "limit", "last", "now"),
    [
        (22, f"2 per run{FIRST}", f"2 of 22 due are in this run; 20 wait. {YET}", 2),
        (2, f"1 per run{FIRST}", f"1 of 2 due is in this run; 1 waits. {YET}", 1),
        (
            42,
            "10 per run",
            f'{OVER}add "{FIRST}" to `10 per run` to release 10 and leave 32.',
            0,
        ),
        (3, "0 per run", f"{OVER}{NONE}`limit release to 3 per run{FIRST}`.", 0),
        (22, "22 per run", f"22 licenses {WOULD}", 22),
        (1, f"22 per run{FIRST}", f"1 license {WOULD}", 1),
    ],
)
def test_the_last_line(licenses: int, limit: str, last: str, now: int) -> None:
    plan = plan_of(RELEASE + limit, _idle(licenses))
    lines = plan_text(plan).splitlines()
    assert lines[-1] == conclusion(plan) == last
    assert f"analyzer {licenses} allocated, {licenses} due, {now} in this run, 0 kept" in [
        re.sub(" +", " ", line.strip()) for line in lines
    ]


def test_a_change_that_touches_everybody_comes_first() -> None:
    plan = plan_of(RELEASE + "0 per run", _idle(3)).with_findings(mass_change_finding("a", "b"))
    assert conclusion(plan).startswith("Nothing is released without --accept-mass-change")
    assert plan.is_stopped


def test_findings_stand_above_the_last_line_and_rules_that_decide_nothing_are_shown() -> None:
    text = 'keep "k" when user.tags = "x"\nkeep "l" when user.tags = "y" # seatwarden: allow SW404 soon\n' + RELEASE
    lines = plan_text(plan_of(text + "9 per run", _idle(3))).splitlines()
    assert lines[-8:-4] == ["", 'warning[SW404]: keep "k" protects nobody on this site (test.policy:1:1)',
        "  = help: check its names, and its condition", ""]  # fmt: skip
    assert [line.split(None, 1) for line in lines if line.startswith("        ") and line.strip()] == [
        *_TOTALS, ["3", "release analyzer"], ["0", 'keep "k"'], ["0", 'keep "l"'], *_TOTALS
    ]  # fmt: skip


_TOTALS = [["3", "due                     3 analyzer"], ["0", "kept"], ["0", "undetermined, so kept"]]


def test_with_which_run_it_was_compared() -> None:
    from dataclasses import replace

    plan = plan_of(RELEASE + "9 per run", _idle(3))
    assert "  before  " not in plan_text(plan)
    assert "\n  before  compared with run x\n" in plan_text(replace(plan, compared="compared with run x"))


def test_what_is_guaranteed_and_what_became_of_it() -> None:
    promise = 'guarantee "admins" never release when user.roles = "RootAdmin"\n'
    text = plan_text(plan_of(promise + 'keep "a" when user.roles = "RootAdmin"\n' + RELEASE + "9 per run", _idle(3)))
    assert '\nGuarantees\n  proved       guarantee "admins" never release when user.roles = "RootAdmin"\n' in text
    assert "3 licenses would be released." in text
    broken = plan_text(plan_of(promise + RELEASE + "9 per run", _idle(3)))
    assert '\n  REFUTED      guarantee "admins"' in broken
    assert '\n               for example: license.type = "analyzer", user.roles = "RootAdmin", ' in broken
    assert broken.endswith("Nothing is released: the rules do not keep what the policy guarantees.\n")


def test_whose_proof_it_is_where_it_is_not_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(HARD + 'guarantee "days" never release before 30 days\nlimit release to 9 per run\n', _idle(3))
    assert [one.judge for one in plan.guarantees] == ["Z3", UNSET]
    text = plan_text(plan)
    assert '\n  proved (by Z3)  guarantee "all" never release when (user.tags' in text
    assert '\n  proved          guarantee "days" never release before 30 days\n' in text
    monkeypatch.setattr(outcomes, "find_spec", lambda _: None)
    without = plan_text(plan_of(HARD + "limit release to 9 per run\n", _idle(3)))
    assert '\n  NOT DECIDED  guarantee "all"' in without
    assert without.endswith("Nothing is released: the rules do not keep what the policy guarantees.\n")
