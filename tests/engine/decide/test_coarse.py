"""Coarse facts: every part of every rule is as true on them as on the exact ones, and none of them is one person's."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seatwarden.engine.decide.coarse import Coarsening
from seatwarden.engine.decide.decide import conclude, outcomes_of
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.phrases import phrase
from seatwarden.engine.decide.reasons import leaves
from seatwarden.engine.decide.reference import Trace
from seatwarden.engine.decide.standing import ruled
from seatwarden.engine.decide.text_classes import AskedOfText, TextClasses
from seatwarden.engine.facts.facts import Fact, RecordedFacts
from seatwarden.engine.facts.guards import guard_for
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Policy
from tests.engine.support import checked, day_of, decide, license_row, site_of, user
from tests.strategies import NOW, policies, sites


def _truths(trace: Trace) -> Iterator[bool | None]:
    yield trace.truth
    for part in trace.parts:
        yield from _truths(part)


def _coarse(policy: str, decision: Decision) -> dict[str, Fact]:
    loaded = checked(policy)
    found = Coarsening(loaded, decision.license_type, day_of(loaded)).facts(decision.facts)
    assert found is not None
    return found


def _one(
    policy: str, last_used: str = "2026-01-01T12:00:00Z", row: dict[str, Any] | None = None, **facts: Any
) -> dict[str, Fact]:
    (decision,) = decide(policy, site_of([user(1, **facts)], [license_row(1, last_used) | (row or {})]))
    return _coarse(policy, decision)


@given(policies(), sites())
def test_every_part_of_every_rule_is_as_true_as_on_the_exact_facts(policy: Policy, site: dict[str, Any]) -> None:
    loaded = checked(policy)
    day = day_of(loaded)
    for decision in decide(policy, site):
        coarsening = Coarsening(loaded, decision.license_type, day)
        facts = coarsening.facts(decision.facts)
        assume(facts is not None)
        assert facts is not None
        outcomes = outcomes_of(loaded, decision.license_type, RecordedFacts(facts), day)
        exact = [list(_truths(outcome.trace)) for outcome in decision.outcomes]
        assert [list(_truths(outcome.trace)) for outcome in outcomes] == exact
        assert [list(_truths(outcome.trace)) for outcome in coarsening.outcomes(facts)] == exact
        ruling, _ = conclude(decision.license_type, outcomes, guard_for(decision.row_state))
        ruling, _ = ruled(ruling, "", decision.standing, day)
        assert (ruling.verdict, ruling.guard, ruling.rule) == (decision.verdict, decision.guard, decision.rule)


DAYS = "release when unused for 30 days or license.unusedDays > 59"


@pytest.mark.parametrize(
    ("ago", "stands", "words"),
    [
        (-1, 0, "less than 30 days"),
        (0, 0, "less than 30 days"),
        (29, 0, "less than 30 days"),
        (30, 30, "30 to 59 days"),
        (59, 30, "30 to 59 days"),
        (60, 60, "60 days or more"),
        (900, 60, "60 days or more"),
    ],
)
def test_days_become_the_ranges_between_the_thresholds(ago: int, stands: int, words: str) -> None:
    used = (NOW - timedelta(days=ago)).strftime("%Y-%m-%dT12:00:00Z")
    (decision,) = decide(DAYS, site_of([user()], [license_row(1, used)]))
    loaded = checked(DAYS)
    coarsening = Coarsening(loaded, "analyzer", day_of(loaded))
    facts = coarsening.facts(decision.facts)
    assert facts == {"license.unusedDays": (stands,)}, "neither the last use nor the allocation: no rule compares them"
    assert coarsening.unused_days(facts) == stands
    (outcome,) = coarsening.outcomes(facts)
    said = [phrase(leaf) for leaf in leaves(outcome.trace)]
    assert said[0] == f"unused for {words}; 30 needed"
    assert said[1].startswith(f"license.unusedDays = {words}, ")


@pytest.mark.parametrize(
    ("condition", "day", "stands", "words"),
    [
        ("license.lastUsed < 2026-07-01", "2026-06-30", "1900-01-01", "2026-06-30 or before"),
        ("license.lastUsed < 2026-07-01", "2026-07-01", "2026-07-01", "2026-07-01 or later"),
        ("license.lastUsed = 2026-07-01", "2026-07-01", "2026-07-01", "2026-07-01"),
        ("license.lastUsed = 2026-07-01", "2026-07-09", "2026-07-02", "2026-07-02 or later"),
        ("2026-07-01 <= license.lastUsed and license.lastUsed <= 2026-08-01", "2026-07-09", "2026-07-01",
         "2026-07-01 to 2026-08-01"),
        ("license.lastUsed < today", "2026-11-20", "1900-01-01", "2026-11-20 or before"),
        ("1990-01-01 > license.lastUsed", "1985-05-05", "1900-01-01", "1989-12-31 or before"),
        ("license.lastUsed is empty", "2026-05-05", "1900-01-01", "on any day"),
    ],
)  # fmt: skip
def test_dates_too(condition: str, day: str, stands: str, words: str) -> None:
    policy = f"release when {condition}"
    (decision,) = decide(policy, site_of([user()], [license_row(1, f"{day}T12:00:00Z")]))
    coarsening = Coarsening(checked(policy), "analyzer", day_of(checked(policy)))
    facts = coarsening.facts(decision.facts)
    assert facts is not None
    assert facts["license.lastUsed"] == (date.fromisoformat(stands),)
    assert f"license.lastUsed = {words}" in phrase(next(leaves(coarsening.outcomes(facts)[0].trace)))


def test_days_that_are_compared_stay_in_order() -> None:
    policy = "release when license.lastUsed < user.createdDate or license.createdDate = user.createdDate"
    created = {"createdDate": "2026-03-03T12:00:00Z"}
    assert _one(policy, "2026-01-01T12:00:00Z", created, **created) == {
        "license.lastUsed": (date(1900, 1, 1),),
        "user.createdDate": (date(1900, 1, 2),),
        "license.createdDate": (date(1900, 1, 2),),
    }


TAGS = 'keep when user.tags = ["vip", "board"] or user.tags like "sa_*"\nrelease when true'


@pytest.mark.parametrize(
    ("tags", "stand"),
    [
        ((), ()),
        (("works council", "night shift"), ()),  # what no rule names falls away
        (("VIP",), ("board",)),  # either is in the list: the policy cannot tell them apart
        (("Board", "vip", "x"), ("board",)),
        (("sa_secret",), ("sa_",)),
    ],
)
def test_texts_become_what_the_policy_names(tags: tuple[str, ...], stand: tuple[str, ...]) -> None:
    assert _one(TAGS, tags=[{"name": tag} for tag in tags]) == {"user.tags": stand}


def test_a_text_that_no_rule_names_is_another_one() -> None:
    policy = 'keep when user.userDirectory = "ADMIN" or user == "ACME\\bob"\nrelease when unused for 30 days'
    loaded = checked(policy)
    for directory, told, words in (("ACME", None, "(another)"), ("admin", "ADMIN", "ADMIN")):
        (decision,) = decide(policy, site_of([user(1, userDirectory=directory)], [license_row(1)]))
        coarsening = Coarsening(loaded, "analyzer", day_of(loaded))
        facts = coarsening.facts(decision.facts)
        assert facts is not None
        assert "user1" not in str(facts)
        assert coarsening.directory(facts) == told
        assert f'user.userDirectory = "{words}"' in phrase(next(leaves(coarsening.outcomes(facts)[0].trace)))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ('user.tags = "vip"', 'user.tags = "(none named)", not "vip"'),
        ('user.tags = "vip" and user.tags is empty', 'user.tags has no value, not "vip"'),
    ],
)
def test_what_falls_away_is_not_said_to_be_missing(condition: str, said: str) -> None:
    policy = checked(f"keep when {condition}\nrelease when true")
    tags = [] if "empty" in condition else [{"name": "night shift"}]
    (decision,) = decide(policy.text, site_of([user(1, tags=tags)], [license_row(1)]))
    coarsening = Coarsening(policy, "analyzer", day_of(policy))
    facts = coarsening.facts(decision.facts)
    assert facts == {"user.tags": ()}
    assert phrase(next(leaves(coarsening.outcomes(facts)[0].trace))) == said


def test_what_could_not_be_read_is_not_repeated() -> None:
    facts = _one("release when unused for 30 days", row={"lastUsed": "Jane, on leave"})
    assert facts == {"license.unusedDays": Unknown("`lastUsed` is unreadable")}


def test_texts_that_are_compared_stay_as_equal_as_they_are() -> None:
    policy = "keep when user.name = user.userId or user.name == user.userId or user.tags = user.name\nrelease when true"
    same = _one(policy, name="Jane", userId="JANE", tags=[{"name": "x"}])
    assert same["user.name"] != same["user.userId"]
    assert [str(same[name]).casefold() for name in ("user.name",)] == [str(same["user.userId"]).casefold()]
    assert "jane" not in str(same).casefold()
    assert _one(policy, name="Ann", userId="ANN", tags=[{"name": "y"}]) == same, "the same for everybody like this"


def test_the_same_class_has_the_same_facts() -> None:
    """Whoever a policy cannot tell apart has facts that are one object: so classes are counted."""
    loaded = checked(DAYS)
    coarsening = Coarsening(loaded, "analyzer", day_of(loaded))
    rows = [license_row(n, f"2026-0{n}-01T00:00:00Z") for n in (1, 2, 3)]
    found = [coarsening.facts(decision.facts) for decision in decide(DAYS, site_of([user(n) for n in (1, 2, 3)], rows))]
    assert len({id(facts) for facts in found}) == 1


def test_policies_that_divide_a_field_alike() -> None:
    def classes(policy: str, name: str) -> object:
        loaded = checked(f"{policy}\nrelease when true")
        return Coarsening(loaded, "analyzer", day_of(loaded)).classes_of(name)

    tags = 'keep when user.tags = "vip"'
    assert classes(tags, "user.tags") == classes(f"{tags} or user.inactive", "user.tags")
    assert classes(tags, "user.tags") != classes('keep when user.tags = "board"', "user.tags")
    assert classes(tags, "user.tags") != classes(f"{tags} or user.tags = user.roles", "user.tags")
    days = "keep when license.unusedDays < 9"
    assert classes(days, "license.unusedDays") != classes("keep when license.unusedDays < 8", "license.unusedDays")


def test_texts_that_a_list_names_alike_are_all_said() -> None:
    policy = checked('keep when user.tags = ["vip", "board", "Board", "x", "y"]\nrelease when true')
    (decision,) = decide(policy.text, site_of([user(1, tags=[{"name": "vip"}])], [license_row(1)]))
    coarsening = Coarsening(policy, "analyzer", day_of(policy))
    facts = coarsening.facts(decision.facts)
    assert facts == {"user.tags": ("Board",)}
    said = phrase(coarsening.outcomes(facts)[0].trace)
    assert said == 'user.tags = "Board or vip or x or 1 more", listed'


@given(st.text(max_size=4), st.lists(st.text(max_size=4), max_size=3), st.lists(st.text(max_size=4), max_size=3))
def test_one_text_stands_for_its_class(value: str, named: list[str], patterns: list[str]) -> None:
    asked = [AskedOfText("=", (text,)) for text in named] + [AskedOfText("like", (f"{text}*",)) for text in patterns]
    classes = TextClasses([*asked, AskedOfText("is filled"), *(AskedOfText("==", (text,)) for text in named)])
    stands = classes.of_one(value)
    assume(stands is not None)
    assert stands is not None
    assert classes.mask(stands) == classes.mask(value)
    assert classes.of_one(stands) == stands
