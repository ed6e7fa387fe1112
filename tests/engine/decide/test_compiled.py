"""The fast evaluator says exactly what the reference evaluator says."""

from datetime import datetime
from typing import Any

from hypothesis import given

from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import decide, decide_all, outcomes_of
from seatwarden.engine.facts.facts import SnapshotFacts, subject_of
from seatwarden.grammar.ast import LICENSE_TYPES, Policy
from tests.engine.support import checked, day_of, license_row, site_of, snapshot_of, user
from tests.strategies import moments, policies, sites


@given(policies(), sites(), moments)
def test_every_truth_trace_and_fact_is_that_of_the_reference(
    policy: Policy, site: dict[str, Any], now: datetime
) -> None:
    loaded, snapshot = checked(policy), snapshot_of(site)
    day = day_of(loaded, now)
    for license_type in LICENSE_TYPES:
        rules = CompiledRules(loaded, license_type, day)
        for license_ in snapshot.licenses.get(license_type, []):
            facts = SnapshotFacts(subject_of(snapshot, license_type, license_, day))
            expected = outcomes_of(loaded, license_type, facts, day)
            batch = rules.read([facts.subject])
            (values,) = batch.rows()
            assert rules.truths(batch) == [tuple(outcome.truth for outcome in expected)]
            assert rules.outcomes(values) == expected
            assert list(rules.facts(values).items()) == list(facts.seen.items())


@given(policies(), sites(), moments)
def test_every_decision_is_that_of_the_reference(policy: Policy, site: dict[str, Any], now: datetime) -> None:
    loaded, snapshot = checked(policy), snapshot_of(site)
    day = day_of(loaded, now)
    rows = [(t, row) for t in LICENSE_TYPES for row in snapshot.licenses.get(t, [])]
    for (license_type, row), fast in zip(rows, decide_all(loaded, snapshot, day), strict=True):
        slow = decide(loaded, snapshot, license_type, row, day)
        for name in ("verdict", "because", "guard", "rule", "matched", "reason", "facts", "outcomes"):
            assert getattr(fast, name) == getattr(slow, name), name
        for name in ("key", "user", "user_directory", "user_id", "user_name", "row_state", "unused_days", "last_used"):
            assert getattr(fast, name) == getattr(slow, name), name


def test_a_reason_told_before_is_told_only_where_it_is_the_same() -> None:
    """Reasons are remembered by what they depend on; a license that was never used shows its allocation."""
    policy = checked("release analyzer when unused for 30 days and license.createdDate < 2026-06-01")
    users = [user(number) for number in range(8)]
    dates = ["2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z"]
    used = [None, "2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z", "2026-10-01T05:00:00Z"]
    rows = [license_row(n, used[n // 2], createdDate=dates[n % 2]) for n in range(8)]
    snapshot = snapshot_of(site_of(users, rows))
    fast = [decision.reason for decision in decide_all(policy, snapshot, day_of(policy))]
    slow = [decide(policy, snapshot, "analyzer", row, day_of(policy)).reason for row in snapshot.licenses["analyzer"]]
    assert fast == slow
    assert len(set(fast)) == 6


def test_a_hundred_properties_are_one_place() -> None:
    condition = " or ".join(f'user.@P{number} = "x{number}"' for number in range(100))
    policy = checked(f'keep "properties" when {condition}\nrelease when unused for 30 days')
    rules = CompiledRules(policy, "analyzer", day_of(policy))
    properties = [{"value": "x7", "definition": {"name": "P7"}}, {"value": "y", "definition": {"name": "other"}}]
    snapshot = snapshot_of(site_of([user(1, customProperties=properties)], [license_row(1)]))
    batch = rules.read([subject_of(snapshot, "analyzer", snapshot.licenses["analyzer"][0], day_of(policy))])
    (values,) = batch.rows()
    assert values[0] == (("P7", "x7"),)
    assert rules.truths(batch) == [(True, True)]
    assert rules.facts(values)["user.@P7"] == ("x7",)
    assert rules.facts(values)["user.@P8"] == ()
