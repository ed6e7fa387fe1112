"""What must hold for every policy and every site."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import assume, given, target
from hypothesis import strategies as st

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.facts.facts import OVER_ALL_LICENSES
from seatwarden.engine.log.writer import plan_lines
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LICENSE_TYPES, Policy, Rule
from tests.engine.support import RECORDING, checked, day_of, decide, plan_of, snapshot_of
from tests.strategies import (
    NEVER,
    UNREADABLE,
    UNREADABLE_USERS,
    WRONG,
    conditions,
    holder_of,
    keep_rules,
    moments,
    policies,
    sites,
)


def _released(decisions: list[Decision]) -> set[int]:
    """Which of a site's licenses are released, by their position: ids may be doubled."""
    return {position for position, decision in enumerate(decisions) if decision.verdict == "release"}


def _with_rule_at(policy: Policy, rule: Rule, position: int) -> Policy:
    statements = list(policy.statements)
    statements.insert(position % (len(statements) + 1), rule)
    return Policy(tuple(statements))


@given(policies(), sites(), moments)
def test_every_license_gets_one_decision_and_no_fact_breaks_it(
    policy: Policy, site: dict[str, Any], now: datetime
) -> None:
    decisions = decide(policy, site, now)
    rows = [(t, row["id"]) for t in LICENSE_TYPES for row in site["licenses"].get(t, [])]
    assert [(d.license_type, d.license_id) for d in decisions] == rows
    target(float(len(_released(decisions))))
    for decision in decisions:
        assert decision.reason
        assert (decision.guard is not None) == (decision.because == "guard")
        assert (decision.rule is not None) == (decision.because in ("keep", "downgrade", "release", "notice"))
        assert [o.rule for o in decision.outcomes] == [
            rule for rule in checked(policy).rules if rule.applies_to(decision.license_type)
        ]


@given(sites(), st.data())
def test_the_last_use_is_a_moment_or_nothing(site: dict[str, Any], data: st.DataObject) -> None:
    """What cannot be read stands in the reason, but not where programs expect a timestamp."""
    rows = [row for t in LICENSE_TYPES for row in site["licenses"].get(t, [])]
    row = data.draw(st.sampled_from(rows))
    row["lastUsed"] = data.draw(st.sampled_from(["x", *UNREADABLE, *WRONG]))
    for decision, raw in zip(decide("release when unused for 1 day", site), rows, strict=True):
        assert decision.last_used in (None, raw.get("lastUsed"))
        assert decision.last_used is None or parse_timestamp(decision.last_used) is not None
        if raw is row:
            assert (decision.verdict, decision.last_used, decision.unused_days) == ("keep", None, None)


@given(policies(), sites(), moments)
def test_taken_means_every_keep_rule_false_and_a_rule_that_takes_true(
    policy: Policy, site: dict[str, Any], now: datetime
) -> None:
    for decision in decide(policy, site, now):
        keeps = [outcome.truth for outcome in decision.outcomes if outcome.rule.kind == "keep"]
        downgrades, releases = (
            [outcome for outcome in decision.outcomes if outcome.rule.kind == kind and outcome.truth is not False]
            for kind in ("downgrade", "release")
        )
        kind = "downgrade" if downgrades else "release"  # what may be downgraded is not released
        taking = [outcome.rule for outcome in downgrades or releases if outcome.truth is True]
        certain = all(truth is False for truth in keeps) and taking and decision.because != "guard"
        at_once = any(rule.notice is None for rule in taking)
        assert decision.verdict == (kind if certain and at_once else "keep")
        assert (decision.because == "notice") == (bool(certain) and not at_once)
        if decision.because == "guard":
            assert decision.verdict == "keep"
        if decision.because == "keep":
            assert decision.rule == next(o.rule for o in decision.outcomes if o.rule.kind == "keep" and o.truth is True)


@given(policies(), sites())
def test_quarantined_userless_unknown_and_doubled_rows_are_kept(policy: Policy, site: dict[str, Any]) -> None:
    ids = [user["id"] for user in site["users"]]
    rows = [(t, row) for t in LICENSE_TYPES for row in site["licenses"].get(t, [])]
    for (license_type, row), decision in zip(rows, decide(policy, site), strict=True):
        unsafe = (
            row.get("quarantined") is not False
            or ids.count(holder_of(row)) != 1
            or sum(r["id"] == row["id"] for t, r in rows if t == license_type) > 1
        )
        if unsafe:
            assert (decision.verdict, decision.because) == ("keep", "guard")
        if row.get("quarantined") is True:
            assert decision.guard == "quarantined"


# Where certainly no license rule gives anything, nobody gets anything back, whosoever the licenses are.
_OVER_ALL_LICENSES = st.sampled_from([name for name in OVER_ALL_LICENSES if name != "license.takenBackBy"])


@given(sites(nasty=False), st.sampled_from(UNREADABLE_USERS), _OVER_ALL_LICENSES, st.data())
def test_a_license_of_nobody_knows_whom_may_be_anybodys(
    site: dict[str, Any], unreadable: object, field: str, data: st.DataObject
) -> None:
    """It is kept, and so are all licenses where a rule asks what else their users hold: any of them may hold it."""
    rows = [(t, row) for t in LICENSE_TYPES for row in site["licenses"][t]]
    before = decide("release when true", site)
    spoiled, row = data.draw(st.integers(0, len(rows) - 1).map(lambda n: (n, rows[n][1])))
    row["user"], row["quarantined"] = unreadable, False
    after = decide("release when true", site)
    assert (after[spoiled].verdict, after[spoiled].guard) == ("keep", "undetermined")
    assert [d.verdict for d in after if d is not after[spoiled]] == [
        d.verdict for d in before if d is not before[spoiled]
    ]
    for rules in (f"release when {field} = []", f"release when not {field} = []", f"keep when {field} = []"):
        assert not _released(decide(f"{rules}\nrelease when true" if "keep" in rules else rules, site))


@given(policies(), sites(), keep_rules(conditions()), st.integers(0, 9))
def test_a_further_keep_rule_never_releases(policy: Policy, site: dict[str, Any], rule: Rule, at: int) -> None:
    before = _released(decide(policy, site))
    assert _released(decide(_with_rule_at(policy, rule, at), site)) <= before


@given(policies(), sites(), st.integers(0, 9))
def test_a_keep_rule_less_never_keeps(policy: Policy, site: dict[str, Any], which: int) -> None:
    keeps = [s for s in policy.statements if isinstance(s, Rule) and s.kind == "keep"]
    assume(keeps)
    gone = keeps[which % len(keeps)]
    without = Policy(tuple(s for s in policy.statements if s is not gone))
    assert _released(decide(without, site)) >= _released(decide(policy, site))


@given(policies(), sites(), st.randoms(use_true_random=False))
def test_the_order_of_rules_changes_no_verdict(policy: Policy, site: dict[str, Any], random: Any) -> None:
    statements = list(policy.statements)
    random.shuffle(statements)
    one, other = decide(policy, site), decide(Policy(tuple(statements)), site)
    assert [(d.verdict, d.because, d.guard) for d in one] == [(d.verdict, d.because, d.guard) for d in other]


def _hideable(site: dict[str, Any]) -> Iterator[tuple[list[dict[str, Any]], int, str]]:
    """Every fact of every row: the list, the position and the key."""
    for rows in (site["users"], *site["licenses"].values()):
        for position, row in enumerate(rows):
            for key in row:
                if key != "id" and not (rows is site["users"] and key in ("userId", "userDirectory")):
                    yield rows, position, key


@given(policies(), sites(), st.data())
def test_hiding_a_fact_never_releases(policy: Policy, site: dict[str, Any], data: st.DataObject) -> None:
    """But for one fact: a `lastUsed` that is absent says *never used*, exactly as 1753 does."""
    facts = list(_hideable(site))
    assume(facts)
    before = decide(policy, site)
    rows, position, key = data.draw(st.sampled_from(facts).map(lambda fact: fact))
    row = rows[position]
    absent = data.draw(st.booleans())
    hidden = dict(row)
    del hidden[key]
    if not absent:
        hidden[key] = data.draw(st.sampled_from(WRONG))
    is_license = rows is not site["users"]
    rows[position] = hidden
    after = decide(policy, site)
    if is_license and key == "lastUsed" and key not in hidden:
        rows[position] = hidden | {"lastUsed": NEVER}
        assert [d.verdict for d in after] == [d.verdict for d in decide(policy, site)]
    else:
        assert _released(after) <= _released(before)


@given(policies(), sites(), st.integers(0, 9))
def test_a_user_less_never_releases(policy: Policy, site: dict[str, Any], which: int) -> None:
    before = _released(decide(policy, site))
    ids = [user["id"] for user in site["users"]]
    gone = ids[which % len(ids)]
    site = {**site, "users": [user for user in site["users"] if user["id"] != gone]}
    assert _released(decide(policy, site)) <= before


@given(policies(), sites(), moments)
def test_same_inputs_same_bytes(policy: Policy, site: dict[str, Any], now: datetime) -> None:
    first = b"".join(plan_lines(plan_of(policy, site, now), RECORDING))
    assert b"".join(plan_lines(plan_of(deepcopy(policy), deepcopy(site), now), RECORDING)) == first


NOT_IN_ROWS = ("user.lastReleased", "license.available", "license.total", "license.takenBackBy", "date(", "number(")
"""What rows do not say, and what may be read of a text that says none."""


@given(policies(), sites(nasty=False))
def test_with_all_facts_known_nothing_is_undetermined(policy: Policy, site: dict[str, Any]) -> None:
    assume(not any(word in checked(policy).text for word in NOT_IN_ROWS))
    in_use = snapshot_of(site).site_facts
    assume(all(asked.key in (*in_use.properties, *in_use.attributes) for asked in checked(policy).asked_of_site))
    for decision in decide(policy, site):
        assert decision.guard in (None, "quarantined")
        assert not any(isinstance(fact, Unknown) for fact in decision.facts.values())


@given(policies(), sites())
def test_the_digest_of_a_policy_says_what_it_means(policy: Policy, site: dict[str, Any]) -> None:
    loaded = checked(policy)
    reread = checked(loaded.text)  # through the parser and the type check
    assert reread.digest == loaded.digest
    assert replace(reread, file=loaded.file) == loaded
    assert day_of(reread) == day_of(loaded)
    assert snapshot_of(site).digest == snapshot_of(site).digest
