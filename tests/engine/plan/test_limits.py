"""The limit: on by default, 0 means none, what the policy says replaces the default."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import OverTheLimit
from seatwarden.engine.plan.limits import (
    DEFAULT_COUNT,
    SiteNumbers,
    allocated_in,
    choose,
    describe_excess,
    describe_limits,
    excesses,
    for_reserves,
    limits_in_force,
    remedy,
)
from seatwarden.engine.plan.plan import Plan, make_plan
from seatwarden.engine.snapshot.model import Seats
from seatwarden.grammar.ast import LICENSE_TYPES, AnyLimit, LicenseType, Limit
from seatwarden.grammar.printer import print_limit
from seatwarden.policy.loading import load_policy
from tests.engine.support import checked, day_of, license_row, plan_of, site_of, snapshot_of, user
from tests.strategies import limits

DEFAULTS = ("10% of professional per run", "10% of analyzer per run", "100 per run")


def _limits(text: str) -> tuple[AnyLimit, ...]:
    return limits_in_force(checked(text).limits)


@pytest.mark.parametrize(
    ("text", "in_force"),
    [
        ("", DEFAULTS),
        ("limit release to 5 per run", ("5 per run",)),
        ("limit release to 50 per run, longest unused first", ("50 per run, longest unused first",)),
        ("limit release to 20% per run", ("20% per run", "100 per run")),
        ("limit release to 20% of analyzer per run", ("20% of analyzer per run", DEFAULTS[0], "100 per run")),
        ("limit release to 7 of analyzer per run", ("7 of analyzer per run", DEFAULTS[0])),
        (
            "limit release to 1% of professional per run\nlimit release to 2 per run",
            ("1% of professional per run", "2 per run"),
        ),
    ],
)
def test_the_policy_replaces_the_defaults_type_by_type(text: str, in_force: tuple[str, ...]) -> None:
    assert tuple(describe_limits(_limits(text))) == in_force


@pytest.mark.parametrize(
    ("text", "allocated", "planned", "over"),
    [
        ("", 100, 10, []),
        ("", 100, 11, [("analyzer", 10)]),
        ("", 109, 11, [("analyzer", 10)]),  # 10.9 licenses are 10
        ("", 9, 1, [("analyzer", 0)]),
        ("", 2000, 100, []),
        ("", 2000, 101, [(None, 100)]),
        ("limit release to 0 per run", 2000, 1, [(None, 0)]),
        ("limit release to 0 per run", 2000, 0, []),
        ("limit release to 0% per run", 2000, 1, [("analyzer", 0)]),
        ("limit release to 100% per run\nlimit release to 5000 per run", 2000, 2000, []),
        ("limit release to 3 of analyzer per run", 2000, 4, [("analyzer", 3)]),
        ("limit release to 3 of professional per run", 2000, 200, []),
    ],
)
def test_over_the_limit(text: str, allocated: int, planned: int, over: list[tuple[LicenseType | None, int]]) -> None:
    if "professional" in text:  # the other type keeps its default
        planned, allocated = 200, 2000
    found = excesses(_limits(text), {"analyzer": allocated}, {"analyzer": planned})
    assert [(excess.license_type, excess.allowed) for excess in found] == over
    assert all(excess.planned == planned for excess in found)


@pytest.mark.parametrize(
    ("text", "planned", "said"),
    [
        ("", 1, "1 analyzer license due; the limit of 10% of analyzer per run allows 0"),
        ("", 2, "2 analyzer licenses due; the limit of 10% of analyzer per run allows 0"),
        ("limit release to 0 per run", 1, "1 license due; the limit of 0 per run allows 0"),
    ],
)
def test_in_words(text: str, planned: int, said: str) -> None:
    (excess,) = excesses(_limits(text), {"analyzer": 9}, {"analyzer": planned})
    assert describe_excess(excess) == said


def test_a_count_is_for_both_types_together_and_a_share_for_each() -> None:
    allocated: dict[LicenseType, int] = {"professional": 1000, "analyzer": 1000}
    planned: dict[LicenseType, int] = {"professional": 60, "analyzer": 60}
    (excess,) = excesses(_limits(""), allocated, planned)
    assert (excess.license_type, excess.allowed, excess.planned) == (None, DEFAULT_COUNT, 120)


@given(st.lists(limits, max_size=3), st.integers(0, 500), st.integers(0, 500))
def test_nothing_to_release_is_never_over(given_limits: list[AnyLimit], professional: int, analyzer: int) -> None:
    in_force = limits_in_force(tuple(given_limits))
    assert excesses(in_force, {"professional": professional, "analyzer": analyzer}, {}) == []


@given(st.lists(limits, max_size=3), st.integers(0, 300))
def test_every_type_is_always_limited(given_limits: list[AnyLimit], more: int) -> None:
    """Whatever the policy says, there is a number of releases that is too many."""
    in_force = limits_in_force(tuple(given_limits))
    for license_type in LICENSE_TYPES:
        assert excesses(in_force, {license_type: 1000}, {license_type: 1001 + more})


def test_a_plan_knows_what_it_is_over() -> None:
    site = site_of([user(1)], [license_row(1)])
    plan = plan_of("release when unused for 30 days", site)
    assert plan.summary()["overLimit"] == ["1 analyzer license due; the limit of 10% of analyzer per run allows 0"]
    assert plan_of("release when unused for 30 days\nlimit release to 1 per run", site).over == []


# Choosing ------------------------------------------------------------------------------------------------

POLICY = 'keep "vips" when user.tags = "vip"\nrelease when unused for 0 days\n'
USED = {"old": "2026-10-01", "mid": "2026-10-10", "new": "2026-10-20", "today": "2026-11-21"}
"""The last day of use behind each license id; ids begin with the word."""


def _row(license_id: str) -> dict[str, Any]:
    return license_row(1, f"{USED[license_id.rstrip('0123456789')]}T00:00:00Z", id=license_id)


def _decided(analyzer: str, professional: str = "", kept: int = 0) -> tuple[Decision, ...]:
    """The decisions on licenses with these ids, all released, and on some analyzer licenses that are kept."""
    rows = [[_row(license_id) for license_id in ids.split()] for ids in (analyzer, professional)]
    rows[0] += [license_row(2, id=f"kept{n}") for n in range(kept)]
    return plan_of(POLICY, site_of([user(1), user(2, tags=[{"name": "vip"}])], *rows)).decisions


def _chosen(text: str, analyzer: str, professional: str = "", kept: int = 0) -> list[str]:
    return [decision.license_id for decision in choose(_decided(analyzer, professional, kept), _limits(text))]


@pytest.mark.parametrize(
    ("text", "ids", "chosen"),
    [
        ("2 per run", ("new old mid today", ""), "old mid"),
        ("2 per run", ("old old2", "old1 old3"), "old old2"),  # as long unused: analyzer first, then by id
        ("3 per run", ("old2 old", "mid old1"), "old old2 old1"),
        ("2 per run", ("mid new", "old mid1"), "old mid"),
        ("0 per run", ("old", ""), ""),
        ("1 per run", ("today", "new"), "new"),
        ("1 of analyzer per run", ("mid old", ""), "old"),
        ("50% of analyzer per run", ("new old mid", ""), "old"),  # 1.5 licenses are 1
        ("50% per run", ("new old", "mid old1"), "old old1"),  # a share of each type
    ],
)
def test_longest_unused_first(text: str, ids: tuple[str, str], chosen: str) -> None:
    more = "" if "% per run" in text else "\nlimit release to 100% per run"
    analyzer, professional = (*ids, "")[:2]
    found = _chosen(f"limit release to {text}, longest unused first{more}", analyzer, professional)
    assert found == chosen.split()


def test_used_today_comes_last() -> None:
    """Unused for no day is a number as well: one day more comes first."""
    site = site_of([user(1)], [_row("today"), license_row(1, "2026-11-20T00:00:00Z", id="yesterday")])
    text = "limit release to 1 per run, longest unused first"
    chosen = choose(plan_of(POLICY, site).decisions, _limits(text))
    assert [decision.license_id for decision in chosen] == ["yesterday"]


def test_two_limits_both_have_room_or_nothing_is_chosen() -> None:
    both = (
        "limit release to 2 per run, longest unused first\nlimit release to 1 of professional per run, "
        "longest unused first\nlimit release to 100% per run"
    )
    assert _chosen(both, "mid new", "old old1") == ["old", "mid"]


def test_what_the_site_says_chooses_and_refuses() -> None:
    """A reserve by the licenses that are free, a limit over time by what was released before."""
    decisions = _decided("mid new old")
    text = "limit release to reach {} free analyzer, longest unused first\nlimit release to 3 of analyzer per 7 days"
    numbers = SiteNumbers({"analyzer": Seats(available=0)}, {7: {"analyzer": 1}})
    whole = text + "\nlimit release to 100% per run"
    assert [one.license_id for one in choose(decisions, _limits(whole.format(2)), numbers)] == ["old", "mid"]
    with pytest.raises(OverTheLimit, match="per 7 days"):
        choose(decisions, _limits(whole.format(3)), numbers)


def test_other_limits_choose_nothing() -> None:
    """A limit without `longest unused first` refuses the whole plan, or lets all of it pass."""
    text = "limit release to 2 per run\nlimit release to 100% per run"
    assert _chosen(text, "new old") == ["old", "new"]
    with pytest.raises(OverTheLimit) as caught:
        _chosen(text, "new old mid")
    assert caught.value.sentences == ["3 licenses due; the limit of 2 per run allows 2"]


def test_a_share_is_of_all_that_are_allocated() -> None:
    """Also of those that are kept, and each type's of its own."""
    text = "limit release to 50% per run\nlimit release to 9 per run"
    assert _chosen(text, "new old", kept=2) == ["old", "new"]
    with pytest.raises(OverTheLimit) as caught:
        _chosen(text, "new old mid", "old1", kept=2)
    assert caught.value.sentences == [
        "1 professional license due; the limit of 50% per run allows 0",
        "3 analyzer licenses due; the limit of 50% per run allows 2",
    ]
    assert allocated_in(_decided("new old mid", "old1", kept=2)) == {"professional": 1, "analyzer": 5}


def test_all_limits_hold_for_what_was_chosen() -> None:
    text = "limit release to 2 per run, longest unused first\nlimit release to 1 of analyzer per run"
    all_professional = "\nlimit release to 100% of professional per run"
    assert _chosen(text + all_professional, "old", "old1") == ["old", "old1"]
    with pytest.raises(OverTheLimit) as caught:
        _chosen(text + all_professional, "old mid", "new")
    assert caught.value.sentences == ["2 analyzer licenses due; the limit of 1 of analyzer per run allows 1"]


def test_of_a_type_that_nobody_counted_nothing_is_allowed() -> None:
    (excess,) = excesses(_limits("limit release to 100% per run"), {}, {"analyzer": 1})
    assert (excess.allowed, excess.planned) == (0, 1)


# What helps ----------------------------------------------------------------------------------------------


def _idle(professional: int, analyzer: int) -> dict[str, Any]:
    """A site of so many licenses, all of them unused for long."""
    rows = [license_row(n, "2026-01-01T12:00:00.000Z") for n in range(1, professional + analyzer + 1)]
    users = [user(n) for n in range(1, professional + analyzer + 1)]
    return site_of(users, rows[professional:], rows[:professional])


FIRST = ", longest unused first"
ADD, INTO = f'add "{FIRST}" to', "into the policy"
NONE = "not a single license fits into it; raise the limit in the policy, like"
WRITE = f"write `limit release to 10% of professional per run{FIRST}` {INTO}"


@pytest.mark.parametrize(
    ("text", "professional", "analyzer", "remedy"),
    [
        ("limit release to 42 per run", 20, 22, ""),
        ("limit release to 10 per run", 20, 22, f"{ADD} `10 per run` to release 10 and leave 32"),
        ("", 20, 0, f"{WRITE} to release 2 and leave 18"),
        (
            "limit release to 3 of analyzer per run", 20, 22,
            f"{ADD} `3 of analyzer per run` and {WRITE} to release 5 and leave 37",
        ),
        (
            f"limit release to 50% per run\nlimit release to 60% of analyzer per run{FIRST}", 100, 300,
            f"{ADD} `50% per run` and write `limit release to 100 per run{FIRST}` {INTO} to release 100 and leave 300",
        ),
        ("", 2, 3, f"{NONE} `limit release to 5 per run{FIRST}`"),
        ("limit release to 0 per run", 9, 9, f"{NONE} `limit release to 10 per run{FIRST}`"),
        (f"limit release to 2 per run{FIRST}", 9, 9, ""),
    ],
)  # fmt: skip
def test_what_helps(text: str, professional: int, analyzer: int, remedy: str) -> None:
    plan = plan_of(f"release when unused for 30 days\n{text}", _idle(professional, analyzer))
    assert plan.remedy == remedy
    assert plan.summary().get("remedy", "") == remedy


@pytest.mark.parametrize(
    ("own", "limit", "counts"),
    [
        ("limit: 10 per run", None, "to release 10 and leave 32"),
        ("", [f"10% of {t} per run{FIRST}" for t in LICENSE_TYPES], "to release 4 and leave 38"),
        (
            "limit: 3 of analyzer per run",
            [f"3 of analyzer per run{FIRST}", f"10% of professional per run{FIRST}"],
            "to release 5 and leave 37",
        ),
    ],
)
def test_what_helps_in_yaml(tmp_path: Path, own: str, limit: list[str] | None, counts: str) -> None:
    types = "\n".join(f"  {t}: {{enable: true, releaseThresholdDays: 30}}" for t in LICENSE_TYPES)
    plan = _in_yaml(tmp_path, f"licenseType:\n{types}\n{own}\n", _idle(20, 22))
    listed = ", ".join(f'"{text}"' for text in limit or ())
    step = f"set `limit: [{listed}]` in the policy" if limit else f"{ADD} `10 per run`"
    assert plan.remedy == f"{step} {counts}"


def test_no_license_fits_in_yaml(tmp_path: Path) -> None:
    text = "licenseType:\n  analyzer: {enable: true, releaseThresholdDays: 30}\n"
    assert _in_yaml(tmp_path, text, _idle(0, 3)).remedy == f"{NONE} `limit: 3 per run{FIRST}`"


def test_one_limit_in_yaml(tmp_path: Path) -> None:
    text = "licenseType:\n  analyzer: {enable: true, releaseThresholdDays: 30}\n"
    plan = _in_yaml(tmp_path, text, _idle(0, 20))
    assert plan.remedy == f'set `limit: "10% of analyzer per run{FIRST}"` in the policy to release 2 and leave 18'


def _in_yaml(folder: Path, text: str, site: dict[str, Any]) -> Plan:
    path = folder / "butler.yaml"
    path.write_text(text, encoding="utf-8")
    policy = load_policy(path)
    return make_plan(policy, snapshot_of(site), day_of(policy), "test")


def _subject(limit: AnyLimit) -> tuple[object, ...]:
    of_run = isinstance(limit, Limit) and (limit.count is None, limit.over and limit.over.days)
    return limit.license_type, of_run


@given(st.lists(limits, max_size=3), st.integers(0, 130), st.integers(0, 30))
def test_what_helps_does_what_it_says(several: list[AnyLimit], professional: int, analyzer: int) -> None:
    """The policy as it is after that: a run releases as many as was said."""
    own = tuple({_subject(limit): limit for limit in several}.values())
    site = _idle(professional, analyzer)
    before = ["release when unused for 30 days", *(f"limit release to {print_limit(limit)}" for limit in own)]
    plan = plan_of("\n".join(before), site)
    due = [decision for decision in plan.decisions if decision.verdict == "release"]
    wanted = Counter(decision.license_type for decision in for_reserves(plan.limits, due, plan.numbers))
    found = remedy(plan.limits, plan.allocated, wanted, plan.numbers) if plan.over else None
    if found is None:
        return
    changed = [print_limit(x.but(longest_unused_first=True) if x in found.limits else x) for x in own]
    written = re.findall(r"`limit release to (.*?)`", plan.remedy)
    after = ["release when unused for 30 days", *(f"limit release to {text}" for text in (*changed, *written))]
    then = plan_of("\n".join(after), site).summary()
    assert (then["thisRun"], then["overLimit"]) == (found.released, [])
    assert plan.remedy.endswith(f" to release {found.released:,} and leave {then['release'] - found.released:,}")
