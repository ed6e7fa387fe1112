"""Explanations of held licenses: what they say of the days to come is true when those days are decided."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.disguise import Disguise
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.standing import is_due
from seatwarden.engine.explain.explanation import explain, explanation_to_json
from seatwarden.engine.facts.day import Day
from seatwarden.engine.facts.standing import HoldInForce, Standing
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.grammar.ast import LICENSE_TYPES, Policy
from seatwarden.policy.loading import CheckedPolicy
from tests.engine.apply.applying import idle
from tests.engine.support import checked, day_of, license_row, site_of, snapshot_of, user
from tests.profiles import examples
from tests.strategies import policies, sites

POLICY = 'keep "tag" when user.tags = "x"\nrelease when unused for 30 days\n'


def held(until: date) -> Standing:
    return Standing(HoldInForce(until.isoformat(), "on leave", "ACME\\admin", "2026-11-01"))


def _decisions(policy: CheckedPolicy, snapshot: Snapshot, day: Day) -> list[Decision]:
    rows = [(t, row) for t in LICENSE_TYPES for row in snapshot.licenses.get(t, [])]
    return [decide(policy, snapshot, *row, day) for row in rows]


@examples(12)
@given(policies(), sites(), st.integers(0, 40), st.data())
def test_the_due_day_is_the_first_day_of_release_behind_the_hold(
    policy: Policy, site: dict[str, Any], days: int, data: st.DataObject
) -> None:
    loaded, snapshot = checked(policy), snapshot_of(site)
    day = day_of(loaded)
    until = held(day.today + timedelta(days=days))
    keys = [(t, row.id) for t in LICENSE_TYPES for row in snapshot.licenses.get(t, [])]
    snapshot = snapshot.with_standings(dict.fromkeys(keys, until))
    for position, decision in enumerate(_decisions(loaded, snapshot, day)):
        assert decision.verdict == "keep"
        told = explain(decision, loaded, day)
        if decision.because != "guard":
            assert told.advice
            assert any("hold" in one or "held" in one for one in told.advice)
        assert not told.cases
        if told.due is None:
            continue
        later = (told.due - day.today).days
        assert later > days
        assert is_due(_decisions(loaded, snapshot, day.later_by(later))[position])  # who is told before, was by then
        before = data.draw(st.integers(1, later - 1)) if later > 1 else 0
        assert _decisions(loaded, snapshot, day.later_by(before))[position].verdict == "keep"


def _one(site: dict[str, Any], days: int = 10) -> tuple[Decision, CheckedPolicy, Day]:
    loaded = checked(POLICY)
    day = day_of(loaded)
    snapshot = snapshot_of(site).with_standings({("analyzer", "l1"): held(day.today + timedelta(days=days))})
    (decision,) = _decisions(loaded, snapshot, day)
    return decision, loaded, day


WORDS = "held until 2026-12-01 by ACME\\admin: on leave"
DISUSE = "last used 2026-01-01, 324 days ago; 30 needed"


def test_in_words() -> None:
    told = explain(*_one(idle(1)))
    assert (told.status, told.headline) == ("held", f"KEPT — {WORDS}")
    assert told.advice == (
        f"Would be released without the hold: release: {DISUSE}.",
        "Would be released on 2026-12-02, when the hold has ended, if it stays unused and nothing else changes.",
    )
    assert explanation_to_json(told)["hold"]["until"] == "2026-12-01"


def test_not_due_and_held_too() -> None:
    told = explain(*_one(site_of([user(1)], [license_row(1, "2026-11-20T12:00:00.000Z")])))
    assert (told.status, told.due) == ("not due", date(2026, 12, 20))
    assert told.advice[-1] == f"The license is held, too, whatever the rules say: {WORDS}."


def test_protected_and_held_too() -> None:
    site = idle(1)
    site["users"][0]["tags"] = [{"name": "x"}]
    told = explain(*_one(site))
    assert told.advice[0] == (
        f'Would also be kept if keep "tag" did not match: held ({WORDS}; due: release: {DISUSE}).'
    )


def test_a_hold_that_is_over_says_nothing() -> None:
    told = explain(*_one(idle(1), days=-1))
    assert (told.status, any("hold" in one for one in told.advice)) == ("due", False)


def test_behind_a_pseudonym_no_day_is_promised() -> None:
    decision, policy, day = _one(idle(1))
    hidden = Disguise(Pseudonyms(b"k" * 32, k=1).at(day), policy, day).of_decision(decision)
    told = explain(hidden, policy, day)
    assert (told.status, told.headline, told.due) == ("held", "KEPT — held", None)
    assert not any("leave" in one or "admin" in one or "2026-12" in one for one in told.advice)
