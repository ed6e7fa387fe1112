"""A plan behind pseudonyms: whatever a line says, k lines say it; one that says nothing has a mark of its facts."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.class_counts import ClassCounts
from seatwarden.engine.decide.decision import Decision, is_pseudonym
from seatwarden.engine.decide.disguise import Disguise
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.withheld import is_withheld
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import Policy
from tests.engine.support import checked, day_of, decide, license_row, site_of, user
from tests.strategies import policies, sites

KEY = Pseudonyms(b"0123456789abcdef")
POLICY = 'keep "vip" when user.tags = "vip"\nrelease when unused for 30 days'
OLD, NEW = "2026-01-01T12:00:00Z", "2026-11-20T12:00:00Z"


def _disguised(site: dict[str, Any], policy: str = POLICY, k: int = 5) -> tuple[tuple[Decision, ...], ClassCounts]:
    loaded = checked(policy)
    day = day_of(loaded)
    return Disguise(replace(KEY, k=k).at(day), loaded, day).of_all(decide(policy, site))


def _site(old: int, new: int = 0, vips: int = 0) -> dict[str, Any]:
    """So many licenses unused for long, in use, and protected by a tag."""
    users = [user(n, tags=[{"name": "vip"}] if n > old + new else []) for n in range(1, old + new + vips + 1)]
    return site_of(users, [license_row(n, OLD if n <= old else NEW) for n in range(1, len(users) + 1)])


def _said(decision: Decision) -> tuple[object, ...]:
    """All that somebody without the key reads in a line."""
    facts = None if is_withheld(decision) else tuple(sorted((n, str(fact)) for n, fact in decision.facts.items()))
    rule, state, reason = decision.rule_name, decision.row_state, decision.reason
    numbers = decision.user_directory, decision.unused_days, decision.last_used, decision.user_id is None
    return decision.license_type, decision.verdict, decision.because, rule, state, reason, numbers, facts


def test_everything_but_ids_is_coarse() -> None:
    (decision, *_), counts = _disguised(_site(6))
    assert (decision.verdict, decision.rule_name, decision.unused_days) == ("release", None, 30)
    assert (decision.user_directory, decision.user_name, decision.last_used) == (None, None, None)
    assert is_pseudonym(decision.license_id)
    assert is_pseudonym(decision.user)
    assert decision.reason == "release: unused for 30 days or more; 30 needed"
    assert dict(decision.facts) == {"user.tags": (), "license.unusedDays": (30,)}
    assert counts == ClassCounts(5, classes=1, smallest=6, one_verdict=1, withheld=0, snapshot_per_mille=167)


def test_what_fewer_than_k_say_is_withheld() -> None:
    decisions, counts = _disguised(_site(6, 5, vips=4))
    assert Counter(map(is_withheld, decisions)) == {False: 11, True: 4}
    assert counts == ClassCounts(5, classes=3, smallest=4, one_verdict=3, withheld=4, alone=4, snapshot_per_mille=200)
    one = next(filter(is_withheld, decisions))
    assert (one.verdict, one.because, one.rule, one.matched, one.outcomes) == ("keep", "keep", None, (), ())
    assert one.reason == "withheld: fewer than 5 licenses say the same"
    (mark,) = one.facts.values()
    assert isinstance(mark, Unknown)
    assert mark.reason.startswith("fewer than 5 licenses say the same; mark ")
    assert counts.sentence == (
        "3 classes of licenses that say the same, the smallest of 4 (k is 5); 3 with one verdict; "
        "4 licenses of smaller classes without facts, 4 of them alone with type and verdict; "
        "who has the snapshot finds the person of 20.0% of the lines"
    )


def test_who_is_withheld_is_not_alone_either() -> None:
    """Three vips by one tag, six by another: the six are withheld with the three, who would be found by it."""
    policy = 'keep "a" when user.tags = "vip"\nkeep "b" when user.tags = "board"\nrelease when unused for 30 days'
    tags = [["vip"]] * 3 + [["board"]] * 6 + [[]] * 7
    users = [user(n, tags=[{"name": tag} for tag in own]) for n, own in enumerate(tags, 1)]
    decisions, counts = _disguised(site_of(users, [license_row(n, OLD) for n in range(1, 17)]), policy)
    assert Counter((d.because, is_withheld(d)) for d in decisions) == {("keep", True): 9, ("release", False): 7}
    assert (counts.withheld, counts.alone, counts.smallest) == (9, 0, 7)


def test_a_user_with_two_licenses_is_as_many_as_have_the_same_two() -> None:
    """Both lines have her pseudonym: together they would say more than either class."""
    users = [user(n) for n in range(1, 9)]
    site = site_of(users, [license_row(n, OLD) for n in range(1, 9)], [license_row(1, OLD, id="p1")])
    decisions, counts = _disguised(site)
    held = [decision for decision in decisions if is_withheld(decision)]
    assert Counter(decision.license_type for decision in held) == {"professional": 1, "analyzer": 8}
    assert len({decision.user_id for decision in decisions}) == 9, "nor do two withheld lines have one pseudonym"
    assert counts.alone == 1


def test_in_an_order_that_tells_nothing() -> None:
    decisions, _ = _disguised(_site(9, 9))
    ids = [decision.license_id for decision in decisions]
    assert ids == sorted(ids)


def test_guards_say_no_day_and_no_name() -> None:
    rows = [
        license_row(1, quarantined=True, quarantineEnd="2026-11-25T00:00:00Z"),
        license_row(2, user=None, deletedUserId="gone", deletedUserDirectory="OLD"),
        license_row(3, user=None),
    ]
    decisions, _ = _disguised(site_of([user(1)], rows), k=1)
    assert {decision.reason for decision in decisions} == {
        "in quarantine: Qlik Sense has taken this license back already",
        "undetermined: held by nobody: its user (behind a pseudonym) was deleted, and it is not in quarantine",
        "undetermined: the license has no user",
    }
    assert not {"2026", "gone", "OLD"} & set(str(decisions).replace("'", " ").replace("-", " ").split())


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"name": "Other"}, True),
        ({"tags": [{"name": "x"}]}, True),
        ({"userId": "other"}, False),
        ({"tags": [{"name": "vip"}]}, False),
    ],
)
def test_the_mark_holds_what_the_policy_tells_apart(change: dict[str, Any], same: bool) -> None:
    (one,), _ = _disguised(_site(1))
    site = _site(1)
    site["users"][0].update(change)
    (other,), _ = _disguised(site)
    assert (one.facts == other.facts) is same
    (of_another_key,), _ = _disguised(site, k=4)
    assert of_another_key.facts != other.facts


def test_what_cannot_be_coarsened_is_withheld() -> None:
    """Patterns that are too many to look through."""
    patterns = " or ".join(f'user.tags like "*{a}*{b}*"' for a in "abcdefg" for b in "hijklmn")
    policy = f"keep when {patterns}\nrelease when unused for 30 days"
    site = site_of([user(1, tags=[{"name": "ah bi cj dk el fm gn"}])], [license_row(1, OLD)])
    (decision,), counts = _disguised(site, policy, k=1)
    assert (decision.verdict, is_withheld(decision), counts.withheld) == ("keep", True, 1)
    assert "ah bi" not in str(decision)


@given(policies(), sites(), st.sampled_from([1, 2, 3]))
def test_k_lines_say_whatever_one_says(policy: Policy, site: dict[str, Any], k: int) -> None:
    loaded = checked(policy)
    day = day_of(loaded)
    exact = decide(policy, site)
    decisions, counts = Disguise(replace(KEY, k=k).at(day), loaded, day).of_all(exact)
    assert Counter((d.license_type, d.verdict, d.because, d.guard) for d in decisions) == Counter(
        (d.license_type, d.verdict, d.because, d.guard) for d in exact
    )
    # A pseudonym that several lines have says of each what the others say; withheld lines have none in common.
    whose = [n if is_withheld(d) or d.user_id is None else d.user_id for n, d in enumerate(decisions)]
    of_user: dict[object, list[str]] = {}
    for user_id, decision in zip(whose, decisions, strict=True):
        of_user.setdefault(user_id, []).append(str(_said(decision)))
    together = [(str(_said(d)), *sorted(of_user[one])) for one, d in zip(whose, decisions, strict=True)]
    classes = Counter(together)
    short = sum(size for said, size in classes.items() if size < k)
    assert short == counts.alone
    assert all(is_withheld(d) for one, d in zip(together, decisions, strict=True) if classes[one] < k)
    assert (counts.classes, counts.smallest) == (len(classes), min(classes.values(), default=0))
    assert counts.withheld == sum(map(is_withheld, decisions))
