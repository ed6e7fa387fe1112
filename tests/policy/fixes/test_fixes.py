"""Quick fixes: what is applied keeps every verdict, and what is offered mends its finding."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.grammar.ast import Policy
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.fixes.edits import apply_edits
from seatwarden.policy.fixes.fixes import FixedText, Fixer
from seatwarden.policy.fixes.same_meaning import means_the_same
from seatwarden.policy.loading import check_text
from tests.engine.support import decide
from tests.policy.lint.support import TODAY
from tests.profiles import examples
from tests.strategies import conditions, keep_rules, sites, taking_rules

RELEASE = "release when unused for 30 days\n"
_crowded = st.builds(
    lambda keeps, releases: Policy((*keeps, *releases)),
    st.lists(keep_rules(conditions()), min_size=1, max_size=4),
    st.lists(taking_rules(conditions()), min_size=1, max_size=3),
)


def fix(text: str, file: str = "a.policy") -> FixedText:
    return Fixer(file, TODAY).fix(text)


@examples(12)
@given(_crowded, sites())
def test_what_is_applied_changes_no_verdict(tree: Policy, site: dict[str, Any]) -> None:
    """Also on sites with facts that are missing or cannot be read."""
    text = print_policy(tree)
    before, after = decide(text, site), decide(fix(text).text, site)
    assert [(one.license_id, one.verdict) for one in before] == [(one.license_id, one.verdict) for one in after]


TIDIED = [
    ('let x = ["a"]\n', ""),
    ('keep when user.inactive or (user.inactive and user.tags = "a")  # why\n', "keep when user.inactive  # why\n"),
    ('keep when (user.tags = "a" or user.inactive) and user.inactive\n', "keep when user.inactive\n"),
    ('keep when user.tags = ["a", "b", "a"]\n', 'keep when user.tags = ["a", "b"]\n'),
    ('let x = ["a", "A"]\nkeep when user.tags = x\n', 'let x = ["a"]\nkeep when user.tags = x\n'),
    ('keep when user.tags = [\n "a", # 1\n "b",\n "a",\n]\n', 'keep when user.tags = [\n "a", # 1\n "b",\n]\n'),
    ('keep "a" when user.inactive\nkeep "b" when user.inactive # HR\n', 'keep "a" when user.inactive\n# HR\n'),
    ('keep when user.inactive let x = ["a"] # why\n', "keep when user.inactive # why\n"),
    ('let x = [ # one\n  "a"] keep when user.inactive # why\n', "# one\n keep when user.inactive # why\n"),
    ("keep when user.inactive # seatwarden: allow SW301 why\n", "keep when user.inactive\n"),
    ("# seatwarden: allow SW301 why\nkeep when user.inactive\n", "keep when user.inactive\n"),
    ("release when unused for 9 days\n  regardless of use  # why\n", "release when unused for 9 days\n  # why\n"),
    ('let x = ["a"]\r\nkeep when user.inactive\r\n', "keep when user.inactive\r\n"),
]


@pytest.mark.parametrize(("before", "after"), TIDIED)
def test_tidied(before: str, after: str) -> None:
    assert fix(before + RELEASE).text == after + RELEASE


OFFERED = [
    ('keep when user.tags <> "x"\n', "Write !=", 'keep when user.tags != "x"\n'),
    ('keep when user.tgas = "x"\n', "Write user.tags", 'keep when user.tags = "x"\n'),
    ('keep when weekday = "sundey"\n', 'Write "sunday"', 'keep when weekday = "sunday"\n'),
    ("keep when weekday = 'sundey'\n", "Write 'sunday'", "keep when weekday = 'sunday'\n"),
    ('keep when user.tags = " x"\n', 'Write "x"', 'keep when user.tags = "x"\n'),
    ('keep when user = "A\\\\b"\n', 'Write "A\\b"', 'keep when user = "A\\b"\n'),
    ('keep when user.tags = "a" and user.inactive\nkeep "b" when user.inactive\n', "Remove the rule", None),
]


@pytest.mark.parametrize(("before", "title", "after"), OFFERED)
def test_what_the_writer_decides_is_offered(before: str, title: str, after: str | None) -> None:
    fixed = fix(before + RELEASE)
    assert fixed.text == before + RELEASE, "nothing is applied"
    (offered, *_) = fixed.offered
    assert offered.title == title
    if after is not None:
        assert apply_edits(fixed.text, offered.edits) == after + RELEASE


def test_butler_s_yaml_is_mended_by_its_keys_and_in_its_conditions() -> None:
    text = (
        "neverRelease:\n  tagg: [a]\n  when:\n    - name: x\n      when: 'user.tgas = \"a\"'\n"
        "licenseType:\n  analyzer: {enable: true, releaseThresholdDays: 30}\n"
    )
    fixed = fix(text, "a.yaml")
    titles = [offered.title for offered in fixed.offered]
    assert titles[0] == "Write tag"
    assert "  tag: [a]" in apply_edits(text, fixed.offered[0].edits)
    only = fix(text.replace("tagg", "tag"), "a.yaml")
    assert "'user.tags = \"a\"'" in apply_edits(only.text, only.offered[0].edits)


THE_SAME = [
    ("release when user.inactive after notice of 2 weeks", "release when user.inactive after notice of 14 days"),
    (
        "release when user.inactive after notice of 14 days\nrelease when user.blocked after notice of 14 days",
        "release when user.blocked or user.inactive after notice of 14 days",
    ),
]


@pytest.mark.parametrize(("one", "other"), THE_SAME)
def test_a_notice_is_the_same_however_it_is_written(one: str, other: str) -> None:
    assert means_the_same(check_text(one, "a.policy"), check_text(other, "a.policy"))


DIFFERENT = [
    # The same on all facts that are known: with a tag that cannot be read, only one of them releases.
    ('release when user.inactive and (user.tags = "x" or user.tags != "x")', "release when user.inactive"),
    ('keep when user.tags = "x" and user.tags != "x"\nrelease when user.inactive', "release when user.inactive"),
    ("release when user.@A is empty or user.@A is not empty", "release when today > 2000-01-01 or today <= 2000-01-01"),
    # The same rules, other limits, notices and days.
    ("release when user.inactive after notice of 14 days", "release when user.inactive"),
    (
        "release when user.inactive after notice of 14 days, reminder 3 days before",
        "release when user.inactive after notice of 14 days, reminder 2 days before",
    ),
    (
        "release when user.inactive after notice of 14 days\nrelease when user.blocked",
        "release when user.inactive\nrelease when user.blocked after notice of 14 days",
    ),
    ("release when user.inactive\nlimit release to 5 per run", "release when user.inactive"),
    ('timezone "Europe/Oslo"\nrelease when user.inactive', "release when user.inactive"),
    ('let x = ["a"]\nrelease when user.tags = x', 'let x = ["b"]\nrelease when user.tags = x'),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_policies_that_differ_are_never_taken_for_the_same(one: str, other: str) -> None:
    one_policy, other_policy = check_text(one, "a.policy"), check_text(other, "a.policy")
    assert not means_the_same(one_policy, other_policy)
    assert means_the_same(one_policy, one_policy)
