"""The formatter: one layout, no comment lost or moved past another, and stable."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.grammar.ast import Policy
from seatwarden.grammar.comments import find_comments
from seatwarden.grammar.errors import Defect, PolicySyntaxError
from seatwarden.grammar.formatter import format_policy
from seatwarden.grammar.parser import parse_policy
from seatwarden.grammar.printer import print_policy
from tests.grammar.tokens import tokens_of
from tests.paths import EXAMPLES, ROOT
from tests.strategies import any_policies


def _cases() -> Iterator[tuple[str, str, str]]:
    text = (ROOT / "tests/grammar/formatting.txt").read_text(encoding="utf-8")
    for case in text.split("\n=== ")[1:]:
        title, rest = case.split("\n", 1)
        before, after = rest.split("\n---\n")
        yield title, before, after.strip("\n") + "\n"


@pytest.mark.parametrize(("title", "before", "after"), list(_cases()))
def test_layout(title: str, before: str, after: str) -> None:
    assert format_policy(before, "f") == after, title
    assert format_policy(after, "f") == after, title


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.policy")), ids=lambda path: path.name)
def test_examples_are_formatted(example: str) -> None:
    text = (EXAMPLES / example).read_text(encoding="utf-8")
    assert format_policy(text, "f") == text


@given(any_policies())
def test_without_comments_the_layout_is_the_printer_s(policy: Policy) -> None:
    canonical = print_policy(policy)
    assert parse_policy(canonical, "f") == policy
    assert format_policy(canonical, "f") == canonical


_BETWEEN = (
    " ",
    " ",
    " ",
    "\n",
    "\n\n\n",
    " # {}\n",
    "# {}\r\n",
    "\n# {}\n",
    "\n\n  # {}  \n",
    " #{}\n#{}\n",
    "\r# {}\r",
)


@given(any_policies(), st.integers(0, 2**32))
def test_comments_anywhere(policy: Policy, seed: int) -> None:
    """Between any two words of any policy may stand comments and line ends."""
    chance = random.Random(seed)  # noqa: S311 - hypothesis chooses the seed
    number = 0
    text = ""
    for word in ["", *map(str, tokens_of(print_policy(policy)))]:
        between = chance.choice(_BETWEEN)
        for _ in range(between.count("{}")):
            between = between.replace("{}", f"c{number}", 1)
            number += 1
        text += word + between
    comments = [comment.text.lstrip("# ") for comment in find_comments(text, "f")]
    assert comments == [f"c{n}" for n in range(number)]
    assert parse_policy(text, "f") == policy
    formatted = format_policy(text, "f")  # which proves that meaning and comments are the same, and stay so
    assert "\n\n\n" not in formatted
    assert not any(line != line.rstrip() for line in formatted.split("\n") if "#" in line)


def test_a_comment_may_touch_a_sign() -> None:
    touched = "keep when user.createdDate > today -# why\n 9 days or user.createdDate > today +# why\n 9 days"
    assert parse_policy(touched, "f") == parse_policy(touched.replace("# why\n", ""), "f")


def test_a_comment_ends_where_editors_end_the_line() -> None:
    policy = parse_policy('# old Mac\rkeep "a" when user.inactive', "f")
    assert len(policy.rules) == 1, "a rule must not hide in a comment"
    with pytest.raises(PolicySyntaxError):
        parse_policy('keep "a\rb" when user.inactive', "f")


def test_places_of_comments() -> None:
    one, two = find_comments('timezone "#1" # one \n\t# two', "f")
    assert (one.text, one.span.place, one.own_line) == ("# one", "f:1:15", False)
    assert (two.text, two.span.place, two.own_line) == ("# two", "f:2:2", True)


def test_what_is_no_policy_is_not_formatted() -> None:
    with pytest.raises(PolicySyntaxError):
        format_policy("keep when", "f")


def test_the_proof_stops_a_formatter_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'keep "a" when user.inactive  # why\n'
    for wrong in (text.replace("inactive", "blocked"), text.replace("  # why", ""), text + "\n\n"):
        answers = iter([wrong, text])
        monkeypatch.setattr(
            "seatwarden.grammar.formatter.weave", lambda policy, comments, answers=answers: next(answers)
        )
        with pytest.raises(Defect):
            format_policy(text, "f")
