"""Explanations: the statuses are told apart, and every sentence about another case is true when tried."""

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.disguise import Disguise
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.standing import due_ruling, is_due
from seatwarden.engine.explain.changes import OnList, UsedToday, WithValue
from seatwarden.engine.explain.due import HORIZON_DAYS
from seatwarden.engine.explain.explanation import Explainer, Explanation, explain, explanation_to_json
from seatwarden.engine.facts.day import Day
from seatwarden.engine.plan.plan import Plan
from seatwarden.grammar.ast import LICENSE_TYPES, Boolean, Let, ListOf, Policy, Rule, Text
from tests.engine.explain.changing import changed_policy, changed_site
from tests.engine.support import checked, license_row, plan_of, site_of, user
from tests.profiles import examples
from tests.strategies import NOW, TAGS, comparisons, keep_rules, moments, policies, sites

_DUE = re.compile(
    r"Would be released on (\d{4}-\d\d-\d\d)(?:, when .+,)? if it stays unused and nothing else changes\."
)
TWENTY_DAYS = "last used 2026-11-01, 20 days ago"
NOT_YET = f"no release rule matches: {TWENTY_DAYS}; 30 needed"
_FEW = examples(15)
"""Each explanation decides a thousand days."""


def _explained(plan: Plan) -> Iterator[tuple[int, Decision, Explanation]]:
    for position, decision in enumerate(plan.decisions):
        yield position, decision, explain(decision, plan.policy, plan.day)


def _at(plan: Plan, position: int, day: Day) -> Decision:
    """The decision for the license in that position, on another day."""
    rows = [(t, row) for t in LICENSE_TYPES for row in plan.snapshot.licenses.get(t, [])]
    license_type, row = rows[position]
    return decide(plan.policy, plan.snapshot, license_type, row, day)


@_FEW
@given(policies(), sites(), moments)
def test_the_due_day_is_the_first_day_of_release(policy: Policy, site: dict[str, Any], now: datetime) -> None:
    plan = plan_of(policy, site, now)
    for position, decision, explanation in _explained(plan):
        if explanation.due is None:
            continue
        assert decision.verdict == "keep"
        later = (explanation.due - plan.day.today).days
        assert later > 0
        assert later == _released_in(plan, position, decision, later)


def _released_in(plan: Plan, position: int, today: Decision, upto: int) -> int | None:
    """In how many days, up to so many, the license is released, day by day; people are told at once."""
    told = 0 if today.because == "notice" else None
    for later in range(1, upto + 1):
        then = _at(plan, position, plan.day.later_by(later))
        if then.takes:
            return later
        if then.because == "notice" and then.rule is not None and then.rule.notice is not None:
            told = later if told is None else told
            if later >= told + then.rule.notice.days:
                return later
    return None


@_FEW
@given(policies(), sites(), st.integers(1, HORIZON_DAYS))
def test_what_is_not_due_is_not_released_later(policy: Policy, site: dict[str, Any], later: int) -> None:
    plan = plan_of(policy, site)
    for position, decision, explanation in _explained(plan):
        if explanation.due is None and decision.because in ("keep", "default"):
            assert _at(plan, position, plan.day.later_by(later)).verdict == "keep"


@_FEW
@given(policies(), sites())
def test_statuses(policy: Policy, site: dict[str, Any]) -> None:
    for _, decision, explanation in _explained(plan_of(policy, site)):
        expected = {
            "release": "due",
            "downgrade": "due" if decision.takes else "not now",
            "keep": "protected",
            "guard": decision.guard,
            "notice": "notice",
            "default": "not due" if explanation.due else "no rule",
        }[decision.because]
        assert explanation.status == expected
        assert explanation.headline.startswith("DUE" if decision.takes else "KEPT")
        if explanation.due and decision.because == "default":
            assert explanation.due.isoformat() in explanation.headline


@_FEW
@given(policies(), sites())
def test_what_would_change_the_verdict_does(policy: Policy, site: dict[str, Any]) -> None:
    """Each sentence is tried out on a changed policy or a changed site."""
    plan = plan_of(policy, site)
    for position, decision, explanation in _explained(plan):
        said = explanation.advice
        for sentence in said:
            if day := _DUE.match(sentence):
                assert date.fromisoformat(day[1]) == explanation.due
        if decision.because == "keep":
            without = _without_matching_keeps(policy, decision)
            again = plan_of(without, site).decisions[position]
            if again.because == "downgrade" and not again.takes:
                continue  # by what becomes of the person's other license, or of those of others
            assert said[0].startswith(f"Would be {again.verdict}d if " if again.takes else "Would also be kept if ")
        if decision.because == "release":
            kept = not is_due(plan_of(policy, _used_today(site, position)).decisions[position])
            assert ("Would be kept if the license had been used today." in said) == kept


@st.composite
def _one_test_policies(draw: st.DrawFn) -> Policy:
    """A policy that releases all but what one or two keep rules keep, each by a single test."""
    names = {"admins": "text", "vips": "text"}
    lets = [Let(name, ListOf((Text(draw(st.sampled_from(TAGS))), Text("ADMIN\\ann")))) for name in names]
    keeps = draw(st.lists(keep_rules(comparisons(names)), min_size=1, max_size=2))  # type: ignore[arg-type]
    return Policy((*lets, *keeps, Rule("release", (), None, None, Boolean(True))))


@examples(33)
@given(policies() | _one_test_policies(), sites())
def test_every_case_is_decided_as_it_is_told(policy: Policy, site: dict[str, Any]) -> None:
    """Each change is made to the site's JSON or to the policy, and the whole site is decided again."""
    plan = plan_of(policy, site)
    explainer = Explainer(plan.policy, plan.day)
    for decision in plan.decisions:
        for case in explainer.explain(decision, "full").cases:
            assert case.verdict != (due_ruling(decision.ruling).verdict if is_due(decision) else "keep")
            for change in case.changes:
                event(f"{type(change).__name__}: {decision.because}, {case.verdict}")
                after = changed_site(change, site, *decision.key)
                again = plan_of(changed_policy(change, checked(policy).tree), after).decisions
                (then,) = (d for d in again if d.key == decision.key)
                assert is_due(then) is (case.verdict != "keep"), case.sentence
                assert then.because != "guard" or isinstance(change, UsedToday)
                assert (then.rule.title if then.rule else None) == (case.rule.title if case.rule else None)


def _without_matching_keeps(policy: Policy, decision: Decision) -> Policy:
    matched = [rule for rule in decision.matched if rule.kind == "keep"]
    assert matched
    resolved = checked(policy).tree
    return Policy(tuple(s for s in resolved.statements if not (isinstance(s, Rule) and s in matched)))


def _used_today(site: dict[str, Any], position: int) -> dict[str, Any]:
    changed = deepcopy(site)
    rows = [row for t in LICENSE_TYPES for row in changed["licenses"].get(t, [])]
    rows[position]["lastUsed"] = NOW.isoformat().replace("+00:00", "Z")
    return changed


def _one(policy: str, now: datetime = NOW, last_used: str | None = "2026-11-01T00:00:00Z", **facts: Any) -> Explanation:
    plan = plan_of(policy, site_of([user(1, **facts)], [license_row(1, last_used)]), now)
    return explain(plan.decisions[0], plan.policy, plan.day)


@pytest.mark.parametrize(
    ("policy", "status", "headline", "advice"),
    [
        (
            "release when unused for 30 days",
            "not due",
            "KEPT — not due yet, due on 2026-12-01",
            ["Would be released on 2026-12-01 if it stays unused and nothing else changes."],
        ),
        (
            "release professional when unused for 30 days",
            "no rule",
            "KEPT — no release rule speaks of analyzer licenses",
            ["Would not be released within three years, however long it stays unused."],
        ),
        (
            "release when unused for 20 days",
            "due",
            f"DUE — release: {TWENTY_DAYS}; 20 needed",
            ["Would be kept if the license had been used today."],
        ),
        (
            'keep "a" when user.tags = "x"\nrelease when unused for 1 day',
            "due",
            f"DUE — release: {TWENTY_DAYS}; 1 needed",
            [
                "Would be kept if the license had been used today.",
                'Would be kept if the user were tagged "x" (keep "a").',
            ],
        ),
        (
            'keep "acme" when user.userDirectory = "ACME"\nrelease when unused for 1 day',
            "protected",
            'KEPT — protected by keep "acme"',
            ['Would be released if keep "acme" did not match.'],
        ),
        (
            'keep "a" when user = "acme\\user1"\nkeep "b" when not user.inactive\nrelease when unused for 1 day',
            "protected",
            'KEPT — protected by keep "a"',
            ['Would be released if neither keep "a" nor keep "b" matched.'],
        ),
        (
            'keep "a" until 2026-11-30 when user.userDirectory = "ACME"\nrelease when unused for 1 day',
            "protected",
            'KEPT — protected by keep "a"',
            [
                'Would be released if keep "a" did not match.',
                'The protection by keep "a" ends after 2026-11-30.',
                (
                    'Would be released on 2026-12-01, when keep "a" has ended, '
                    "if it stays unused and nothing else changes."
                ),
            ],
        ),
        (
            'keep "a" when user.userDirectory = "ACME"\nrelease when unused for 30 days',
            "protected",
            'KEPT — protected by keep "a"',
            [
                'Would also be kept if keep "a" did not match: not due either (' + NOT_YET + ").",
            ],
        ),
    ],
)
def test_in_words(policy: str, status: str, headline: str, advice: list[str]) -> None:
    explanation = _one(policy)
    assert (explanation.status, explanation.headline, list(explanation.advice)) == (status, headline, advice)


def test_undetermined() -> None:
    explanation = _one('keep "a" when user.inactive\nrelease when unused for 1 day', inactive=None)
    assert explanation.status == "undetermined"
    assert "`user.inactive` is missing or unreadable, needed by keep" in explanation.headline
    assert explanation.advice == (
        'Unknown never releases: `user.inactive` must be readable before keep "a" can decide.',
        "Would be released if `user.inactive` were readable and false.",
    )


@pytest.mark.parametrize(
    ("policy", "facts", "sentences"),
    [
        (
            'keep "listed" when user = ["ACME\\ann"]\nrelease when unused for 1 day',
            {},
            ['Would be kept if "ACME\\user1" were listed in keep "listed" (keep "listed").'],
        ),
        (
            'let vips = ["ann"]\nkeep "vips" when user.userId = vips\nrelease when unused for 1 day',
            {},
            ['Would be kept if "user1" were listed in vips (keep "vips").'],
        ),
        (
            'keep "a" when user.userDirectory = ["INTERNAL", "ADMIN"]\nrelease when unused for 1 day',
            {},
            ['Would be kept if the user directory were "INTERNAL" or "ADMIN" (keep "a").'],
        ),
        (
            'keep "a" when user.roles like "*Admin"\nrelease when unused for 1 day',
            {},
            ['Would be kept if the user had the admin role "Admin" (keep "a").'],
        ),
        (
            'keep "a" when user.attributes.group = "x" and user.inactive\nrelease when unused for 1 day',
            {"inactive": True},
            ['Would be kept if the user had the attribute group = "x" (keep "a").'],
        ),
        (
            'keep "a" when user.blocked or user.licenses = "professional"\nrelease when unused for 1 day',
            {},
            [
                'Would be kept if the user were marked Blocked (keep "a").',
                'Would be kept if the user also held a professional license (keep "a").',
            ],
        ),
        (
            'keep "both needed" when user.inactive and user.blocked\nrelease when unused for 1 day',
            {},
            ["Would be kept if any keep rule above matched."],
        ),
    ],
)
def test_what_would_keep_a_release(policy: str, facts: dict[str, Any], sentences: list[str]) -> None:
    assert list(_one(policy, **facts).advice) == ["Would be kept if the license had been used today.", *sentences]


@pytest.mark.parametrize(
    ("policy", "facts", "sentences"),
    [
        (
            'keep "a" when user.tags = ["x", "y"]\nrelease when unused for 1 day',
            {"tags": [{"name": "Y"}, {"name": "x"}, {"name": "z"}]},
            ['Would be released if the user were not tagged "Y" or "x".'],
        ),
        (
            'keep "a" when not user.inactive\nrelease when unused for 1 day',
            {},
            ["Would be released if the user were marked Inactive."],
        ),
        ('keep "a" when user.userDirectory = "acme"\nrelease when unused for 1 day', {}, []),
    ],
)
def test_what_would_release_a_kept_license(policy: str, facts: dict[str, Any], sentences: list[str]) -> None:
    assert list(_one(policy, **facts).advice) == ['Would be released if keep "a" did not match.', *sentences]


def test_what_would_release_what_no_rule_releases() -> None:
    assert _one("release when user.inactive and unused for 2 days").advice == (
        "Would not be released within three years, however long it stays unused.",
        "Would be released if the user were marked Inactive.",
    )


def test_the_end_of_a_protection_that_changes_nothing() -> None:
    policy = 'keep "a" until 2026-11-30 when not user.inactive\nrelease when unused for 60 days'
    end, due = _one(policy).advice[-2:]
    assert end == (
        'The protection by keep "a" ends after 2026-11-30; the license would still be kept on the day after.'
    )
    assert due == "Would be released on 2026-12-31 if it stays unused and nothing else changes."


def test_of_a_long_list_a_few_values_are_tried() -> None:
    tags = ", ".join(f'"t{n}"' for n in range(5000))
    policy = f'keep "a" when user.tags = [{tags}]\nrelease when unused for 1 day'
    assert _one(policy).advice[1] == 'Would be kept if the user were tagged "t0", "t1" or "t2" (keep "a").'


def test_sizes() -> None:
    plan = plan_of(
        'keep "a" when user.tags = "x"\nkeep "b" when user.blocked\nkeep "c" when user.roles = "r"\n'
        'keep "d" when user.inactive\nrelease when unused for 1 day',
        site_of([user(1)], [license_row(1, "2026-11-01T00:00:00Z")]),
    )
    explainer = Explainer(plan.policy, plan.day)
    cases = {size: explainer.explain(plan.decisions[0], size).cases for size in ("brief", "default", "full")}
    assert {size: len(found) for size, found in cases.items()} == {"brief": 0, "default": 3, "full": 5}
    assert cases["full"][:3] == cases["default"]


def test_what_stands_behind_a_pseudonym_is_not_guessed() -> None:
    """A recorded plan with pseudonyms cannot tell what would be otherwise."""
    site = site_of([user(1)], [license_row(1, "2026-11-01T00:00:00Z")])
    policy = 'keep "a" when user = "ACME\\ann" or user.tags = "x"\nrelease when unused for 1 day'
    plan = plan_of(policy, site)
    pseudonyms = Pseudonyms(b"0123456789abcdef").at(plan.day)
    hidden = Disguise(pseudonyms, plan.policy, plan.day).of_decision(plan.decisions[0])
    explainer = Explainer(plan.policy, plan.day)
    assert [type(c.changes[0]) for c in explainer.explain(plan.decisions[0]).cases] == [UsedToday, WithValue, OnList]
    assert [type(c.changes[0]) for c in explainer.explain(hidden).cases] == [UsedToday]
    withheld = Disguise(pseudonyms, plan.policy, plan.day).withheld(hidden)
    told = explainer.explain(withheld)
    assert (told.status, told.headline) == ("due", "DUE — withheld: fewer than 5 licenses say the same")
    assert told.advice == ("The log does not say what was read of this license: too few others are like it.",)


def test_quarantined() -> None:
    row = license_row(1, quarantined=True, quarantineEnd="2026-11-25T00:00:00Z")
    plan = plan_of("release when unused for 1 day", site_of([user(1)], [row]))
    explanation = explain(plan.decisions[0], plan.policy, plan.day)
    assert explanation.status == "quarantined"
    assert "in quarantine until 2026-11-25" in explanation.headline
    assert explanation.due is None


def test_the_due_day_across_a_change_of_the_clocks() -> None:
    """Half past midnight in Stockholm; in UTC the day later is another one after the clocks went back."""
    now = datetime(2026, 10, 20, 22, 30, tzinfo=UTC)
    policy = 'timezone "Europe/Stockholm"\nkeep "x" until 2026-10-31 when not user.inactive\nrelease '
    assert _one(policy + "when unused for 1 day", now, "2026-10-01T00:00:00Z").due == date(2026, 11, 1)


def test_the_last_days_of_the_calendar_break_nothing() -> None:
    now = datetime(9999, 12, 20, tzinfo=UTC)
    assert _one("release when unused for 30 days", now, "9999-12-20T00:00:00Z").status == "no rule"
    assert _one("release when unused for 3 days", now, "9999-12-20T00:00:00Z").due == date(9999, 12, 23)


@pytest.mark.parametrize(
    ("policy", "advice"),
    [
        ("downgrade when unused for 30 days", "Would be downgraded on 2026-12-01 if"),
        (
            "downgrade when unused for 30 days\nrelease when unused for 90 days",
            "Would be released or downgraded on 2026-12-01 if",
        ),
        ("downgrade when unused for 30 days\nrelease analyzer when unused for 9 days", "Would be downgraded on"),
        ("downgrade when unused for 2000 days", "Would not be downgraded within three years"),
    ],
)
def test_what_becomes_of_it_is_said_with_the_day(policy: str, advice: str) -> None:
    plan = plan_of(policy, site_of([user(1)], professional=[license_row(1, "2026-11-01T00:00:00Z")]))
    (decision,) = plan.decisions
    assert explain(decision, plan.policy, plan.day).advice[0].startswith(advice)


def test_thresholds_beyond_the_horizon_are_not_promised() -> None:
    explanation = _one(f"release when unused for {HORIZON_DAYS + 100} days")
    assert explanation.due is None
    assert explanation.advice == ("Would not be released within three years, however long it stays unused.",)


def test_as_json() -> None:
    tree = explanation_to_json(_one('keep "a" when not user.inactive and user.tags = ["x", "y"]', tags=[{"name": "y"}]))
    assert (tree["status"], tree["dueOn"], tree["verdict"]) == ("protected", None, "keep")
    (rule,) = tree["tree"]
    assert (rule["label"], rule["matched"], rule["at"]) == ('keep "a"', True, "test.policy:1:1")
    assert [part["truth"] for part in rule["condition"]["parts"]] == [True, True]
    assert rule["condition"]["parts"][1]["found"] == 'user.tags = "y", listed'


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("unused for 5 days", True),
        ("license.unusedDays > 5", True),
        ("license.lastUsed < 2026-11-10", True),
        ("user.lastUsed < 2026-11-10", True),
        ("never used or not never used", False),
        ("not never used and month = 11", False),
        ("license.createdDate < 2026-01-01", False),
        ("license.lastUsed != today", True),
        ("user.lastUsed != today", True),
    ],
)
def test_had_it_been_used_today(condition: str, kept: bool) -> None:
    explanation = _one(f"release when {condition}")
    assert explanation.status == "due"
    assert ("Would be kept if the license had been used today." in explanation.advice) is kept
    changed = _one(f"release when {condition}", last_used="2026-11-21T01:00:00Z")
    assert (changed.decision.verdict == "keep") is kept


def test_never_used_had_it_been_used_today() -> None:
    assert _one("release when never used", last_used=None).advice == (
        "Would be kept if the license had been used today.",
    )
