"""`until` names the last day of a protection: it holds on that day to its last second, and no longer on the next.

Wherever the rule is looked at: both evaluators, plans and their replay, the second look of an apply, explanations.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.apply.one_by_one import OneByOne
from seatwarden.engine.apply.releaser import Release
from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import decide, decide_all, outcomes_of
from seatwarden.engine.explain.changes import UsedToday, WithValue
from seatwarden.engine.explain.due import DueDays
from seatwarden.engine.explain.explanation import explain
from seatwarden.engine.explain.explanation import found as found_words
from seatwarden.engine.explain.what_if import WhatIfs
from seatwarden.engine.facts.facts import SnapshotFacts, subject_of
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.replay import replay
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.snapshot.model import License, Snapshot, User
from seatwarden.grammar.ast import LICENSE_TYPES, LicenseType
from tests.engine.support import RECORDING, SEED, checked, day_of, license_row, plan_of, site_of, snapshot_of, user

LAST = date(2026, 11, 21)
POLICY = (
    'timezone "Europe/Stockholm"\nlimit release to 100% per run\n'
    'keep "leave" until 2026-11-21 when user.tags = "leave"\nrelease when unused for 30 days'
)
SITE = site_of(
    [user(1, tags=[{"name": "leave"}])],
    [license_row(1, "2026-01-01T00:00:00Z")],
    [license_row(1, "2026-01-01T00:00:00Z", id="p1")],
)

MOMENTS = [
    pytest.param(datetime(2026, 11, 20, 12, tzinfo=UTC), True, id="the day before"),
    pytest.param(datetime(2026, 11, 20, 23, tzinfo=UTC), True, id="its first second"),
    pytest.param(datetime(2026, 11, 21, 12, tzinfo=UTC), True, id="on the day"),
    pytest.param(datetime(2026, 11, 21, 22, 59, 59, 999999, tzinfo=UTC), True, id="its last moment"),
    pytest.param(datetime(2026, 11, 21, 23, tzinfo=UTC), False, id="the next day's first second"),
    pytest.param(datetime(2026, 11, 22, 12, tzinfo=UTC), False, id="the day after"),
]
KEPT_NOW = 'now kept: keep "leave": user.tags = "leave"'
protected_at = pytest.mark.parametrize(("now", "protected"), MOMENTS)


@protected_at
def test_both_evaluators(now: datetime, protected: bool) -> None:
    policy, snapshot = checked(POLICY), snapshot_of(SITE)
    day = day_of(policy, now)
    fast = list(decide_all(policy, snapshot, day))
    for license_type, by_columns in zip(LICENSE_TYPES, fast, strict=True):
        (row,) = snapshot.licenses[license_type]
        slow = decide(policy, snapshot, license_type, row, day)
        assert (slow.verdict, by_columns.verdict) == (("keep", "keep") if protected else ("release", "release"))
        facts = SnapshotFacts(subject_of(snapshot, license_type, row, day))
        rules = CompiledRules(policy, license_type, day)
        (values,) = rules.read([facts.subject]).rows()
        for outcome in (outcomes_of(policy, license_type, facts, day)[0], rules.outcome(0, values)):
            assert (outcome.truth, outcome.expired, outcome.trace.truth) == (protected, not protected, True)


@protected_at
def test_a_plan_and_its_replay(now: datetime, protected: bool, tmp_path: Path) -> None:
    plan = plan_of(POLICY, SITE, now)
    assert plan.released.total() == (0 if protected else 2)
    recorded = read_plan(write_plan(plan, tmp_path / "run", "", RECORDING))
    assert len(recorded.log.releases) == (0 if protected else 2)
    assert [d.outcomes[0].expired for d in recorded.decisions] == [not protected] * 2
    assert replay(tmp_path / "run") == (2, [], [])


class _Qrs:
    """A QRS that has the site, and remembers what is deleted."""

    def __init__(self) -> None:
        self._snapshot: Snapshot = snapshot_of(SITE)
        self.deleted: list[str] = []

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        return next(row for row in self._snapshot.licenses[license_type] if row.id == license_id)

    def user(self, user_id: str) -> User | None:
        return self._snapshot.users_by_id.get(user_id)

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        return list(self._snapshot.licenses[license_type])

    def licenses(self, license_type: LicenseType) -> list[License]:
        return list(self._snapshot.licenses[license_type])

    def license_rules(self) -> bytes | None:
        return None

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        self.deleted.append(license_id)
        return 204, ""


@protected_at
def test_the_second_look_of_an_apply(now: datetime, protected: bool, tmp_path: Path) -> None:
    """The plan is of a day on which nothing was protected; what counts is the day on which it is applied."""
    plan = read_plan(
        write_plan(plan_of(POLICY, SITE, datetime(2026, 11, 25, tzinfo=UTC)), tmp_path / "run", "", RECORDING)
    )
    qrs, outcomes = _Qrs(), list[Outcome]()
    journal = Journal.create(tmp_path / "journal", SEED)
    clock = lambda: now  # noqa: E731
    release = Release(plan, qrs, pseudonyms=None, clock=clock)
    OneByOne(lambda key: release, journal, attempted=(), clock=clock, progress=outcomes.append).run(
        sorted(plan.log.releases.values()), 1
    )
    journal.close()
    assert qrs.deleted == ([] if protected else ["l1", "p1"])
    assert [outcome.result for outcome in outcomes] == ["skipped" if protected else "released"] * 2
    assert [outcome.detail for outcome in outcomes] == [KEPT_NOW if protected else ""] * 2


@protected_at
def test_an_explanation(now: datetime, protected: bool) -> None:
    plan = plan_of(POLICY, SITE, now)
    explained = explain(plan.decisions[0], plan.policy, plan.day)
    rule = explained.decision.outcomes[0]
    assert explained.status == ("protected" if protected else "due")
    assert explained.due == (LAST + timedelta(days=1) if protected else None)
    assert DueDays(plan.policy, plan.day).of(plan.decisions[0]) == explained.due
    assert found_words(rule) == ('user.tags = "leave"' if protected else "ended on 2026-11-21")
    ends = 'The protection by keep "leave" ends after 2026-11-21.'
    assert (ends in explained.advice) is protected


@pytest.mark.parametrize("tagged", [True, False])
@protected_at
def test_what_would_change_the_verdict(now: datetime, protected: bool, tagged: bool) -> None:
    """A rule that is over suggests no tag, and a tag that it speaks of keeps nobody."""
    site = SITE if tagged else site_of([user(1)], [license_row(1, "2026-01-01T00:00:00Z")])
    plan = plan_of(POLICY, site, now)
    found = [change for case in WhatIfs(plan.policy, plan.day).of(plan.decisions[0], 9) for change in case.changes]
    if protected and tagged:
        assert [(type(change).__name__, change.values) for change in found] == [("WithoutValues", ("leave",))]  # type: ignore[union-attr]
    elif protected:
        assert [type(change) for change in found] == [UsedToday, WithValue]
    else:
        assert [type(change) for change in found] == [UsedToday]


@protected_at
def test_what_another_rules_list_would_change(now: datetime, protected: bool) -> None:
    """A longer list keeps whom it names, but only while its rule holds."""
    policy = POLICY.replace("user.tags =", 'user.userId = ["ann"] or user.tags =')
    site = site_of([user(1)], [license_row(1, "2026-01-01T00:00:00Z")])
    (decision,) = plan_of(policy, site, now).decisions
    sentences = explain(decision, checked(policy), day_of(checked(policy), now)).advice
    listed = 'Would be kept if "user1" were listed in keep "leave" (keep "leave").'
    assert (listed in sentences) is protected


def test_what_is_over_suggests_nothing_and_decides_nothing() -> None:
    """Not even where another rule would keep for the same change."""
    policy = (
        'let vips = ["ann"]\nkeep "over" until 2026-11-20 when user.userId = vips or user.tags = "longer"\n'
        'keep "listed" when user.userId = vips or user.tags like "long*"\nrelease when unused for 30 days'
    )
    plan = plan_of(policy, site_of([user(1)], [license_row(1, "2026-01-01T00:00:00Z")]))
    assert [case.sentence for case in WhatIfs(plan.policy, plan.day).of(plan.decisions[0], 9)] == [
        "Would be kept if the license had been used today.",
        'Would be kept if the user were tagged "long" (keep "listed").',
        'Would be kept if "user1" were listed in vips (keep "listed").',
    ]


@pytest.mark.parametrize("last", [LAST + timedelta(days=days) for days in (0, 1, 7, 8, 9, 10)])
def test_the_due_day_is_after_the_last_day_and_after_the_wait(last: date) -> None:
    """Unused for 21 days of 30, so due on 30 November; or on the day after the last one, when that is later."""
    policy = f'keep "leave" until {last} when user.tags = "leave"\nrelease when unused for 30 days'
    site = site_of([user(1, tags=[{"name": "leave"}])], [license_row(1, "2026-10-31T00:00:00Z")])
    plan = plan_of(policy, site, datetime(2026, 11, 21, 12, tzinfo=UTC))
    explained = explain(plan.decisions[0], plan.policy, plan.day)
    assert explained.due == max(date(2026, 11, 30), last + timedelta(days=1))
    kept = "; the license would still be kept on the day after" if last + timedelta(days=1) < explained.due else ""
    assert f'The protection by keep "leave" ends after {last}{kept}.' in explained.advice
    ended = explained.due == last + timedelta(days=1)
    why = " and it has been unused for 30 days," if explained.due == date(2026, 11, 30) else ","
    when = f', when keep "leave" has ended{why}' if ended else ""
    told = f"Would be released on {explained.due}{when} if it stays unused and nothing else changes."
    assert told in explained.advice
