"""The page of words is current, and no word of the language is without one."""

import pytest

from seatwarden.grammar.keywords import IN_PLACE, KEYWORDS
from seatwarden.policy.loading import check_text
from seatwarden.policy.word_pages import FIELD_PAGES, OPERATOR_PAGES, STATEMENTS, WORD_PAGES, WordPage
from tests.docs.words import PAGE, page

_RULE = {
    "keep",
    "release",
    "downgrade",
    "until",
    "regardless of use",
    "after notice of",
    "when",
    "let",
    "limit release to",
    "limit release to reach",
    "timezone",
    "professional, analyzer",
}


def test_the_page_is_what_editors_show() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m tests.docs.words"


@pytest.mark.parametrize("word", [*KEYWORDS, *IN_PLACE])
def test_every_word_has_a_page(word: str) -> None:
    assert WORD_PAGES[word].doc


@pytest.mark.parametrize("one", [*STATEMENTS, *OPERATOR_PAGES, *FIELD_PAGES.values()], ids=lambda one: one.title)
def test_examples_can_be_written(one: WordPage) -> None:
    if one.title == "set":
        return  # a file stands beside it
    check_text(
        one.example if one.title in _RULE or one.title.startswith("guarantee") else f"keep when {one.example}",
        "example.policy",
    )
