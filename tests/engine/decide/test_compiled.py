"""The fast evaluator says exactly what the reference evaluator says."""

from datetime import datetime
from typing import Any

from hypothesis import given

from seatwarden.engine.decide.compiled import CompiledRules
from seatwarden.engine.decide.decide import decide, decide_all, outcomes_of
from seatwarden.engine.decide.decision import BATCH, Compact, Decision, Evaluated, facts_of
from seatwarden.engine.facts.facts import Fact, RecordedFacts, SnapshotFacts, subject_of
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, Policy
from seatwarden.policy.loading import CheckedPolicy
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


def test_two_values_of_one_property_are_one_entry() -> None:
    """Joined by `or`, in the same case and not; each still counts."""
    policy = checked(
        'keep "folded" when user.@A = "x" or user.@B = "b" or user.@A = "y" or user.inactive\n'
        'keep "exact" when user.@A == "X" or user.@A = "z"\nrelease when true'
    )
    site = site_of([], [])
    for number, value in enumerate(("X", "y", "z", "w")):
        site["users"].append(user(number, customProperties=[{"value": value, "definition": {"name": "A"}}]))
        site["licenses"]["analyzer"].append(license_row(number))
    site["users"].append(user(4, customProperties=[{"value": "b", "definition": {"name": "B"}}]))
    site["licenses"]["analyzer"].append(license_row(4))
    matched = [[rule.name for rule in decision.matched] for decision in _decided(policy, site)]
    assert matched == [["folded", "exact", None], ["folded", None], ["exact", None], [None], ["folded", None]]


def _decided(policy: CheckedPolicy, site: dict[str, Any]) -> list[Decision]:
    return list(decide_all(policy, snapshot_of(site), day_of(policy)))


@given(policies(), sites(), moments)
def test_facts_of_another_source_are_read_as_those_of_a_snapshot(
    policy: Policy, site: dict[str, Any], now: datetime
) -> None:
    loaded, snapshot = checked(policy), snapshot_of(site)
    day = day_of(loaded, now)
    for license_type in LICENSE_TYPES:
        rules = CompiledRules(loaded, license_type, day)
        several = [
            SnapshotFacts(subject_of(snapshot, license_type, row, day))
            for row in snapshot.licenses.get(license_type, [])
        ]
        again = rules.read_again(several)
        assert again.size == len(several)
        assert rules.truths(again) == rules.truths(rules.read([facts.subject for facts in several]))


def test_facts_of_another_source_may_be_none_at_all() -> None:
    """A field that always has a value and has none in a record is unknown; properties keep to their keys."""
    policy = checked('keep when user.@A = "1" and user.@B = ["2", "3"]\nrelease when not user.name = "x"')
    rules = CompiledRules(policy, "analyzer", day_of(policy))
    record: dict[str, Fact] = {"user.@A": ("1",), "user.@B": ("0", "3"), "user.name": ()}
    hidden = {**record, "user.@A": Unknown("hidden"), "user.name": ("y",)}
    batch = rules.read_again([RecordedFacts(record), RecordedFacts(hidden)])
    assert batch.rows() == [
        ((("A", "1"), ("B", "0"), ("B", "3")), Unknown("`user.name` has no value")),
        (Unknown("hidden"), "y"),
    ]
    assert rules.truths(batch) == [(True, None), (None, True)]


def test_a_decision_is_worked_out_once() -> None:
    (decision,) = _decided(checked("release when user.inactive"), site_of([user(1)], [license_row(1)]))
    assert isinstance(decision.evaluation, Compact)
    worked_out = decision.worked_out()
    assert isinstance(worked_out.evaluation, Evaluated)
    assert (worked_out.facts, worked_out.outcomes) == (decision.facts, decision.outcomes)
    assert worked_out.worked_out() is worked_out


def test_many_licenses_are_decided_in_batches_in_their_order() -> None:
    """One more than fit into two; facts found together are those found one by one."""
    count = 2 * BATCH + 1
    users = [user(n, tags=[{"name": "vip"}] if n % 3 else []) for n in range(count)]
    site = site_of(users, [license_row(n) for n in range(count)], [license_row(n) for n in range(3)])
    decisions = _decided(checked('keep when user.tags = "vip"\nrelease when true'), site)
    assert [d.license_id for d in decisions] == [f"l{n}" for n in (*range(3), *range(count))]
    assert [d.verdict for d in decisions[3:]] == ["keep" if n % 3 else "release" for n in range(count)]
    mixed = [decisions[0].worked_out(), *decisions[1:]]
    assert list(facts_of(mixed)) == [d.facts for d in decisions]


def test_rules_that_read_nothing() -> None:
    policy = checked('keep "none" when false\nrelease when true')
    site = site_of([user(1), user(2)], [license_row(1), license_row(2)])
    decisions = _decided(policy, site)
    assert [(d.verdict, dict(d.facts)) for d in decisions] == [("release", {})] * 2
    assert list(facts_of(decisions)) == [{}, {}]
    (undecided,) = _decided(checked(""), site_of([user(1)], [license_row(1)]))
    assert (undecided.verdict, undecided.because, undecided.outcomes) == ("keep", "default", ())
    assert undecided.reason == "no release rule speaks of analyzer licenses"
