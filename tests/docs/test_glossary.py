"""Each page leads to the glossary, and the words that pages use without explaining them are in it."""

import re
from pathlib import Path

import pytest

from tests.docs.blocks import pages
from tests.paths import ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
_TEXT = GLOSSARY.read_text(encoding="utf-8")
_GROUPS = [re.findall(r"^### (.+)$", group, re.MULTILINE) for group in _TEXT.split("\n## ")[1:]]
WORDS = {word.lower() for group in _GROUPS for word in group}
# The pages of the codes are packed with the program, and printed by `lint --explain`.
_PAGES = [page for page in pages() if page != GLOSSARY and not page.stem.startswith("SW")]


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_leads_to_it(page: Path) -> None:
    links = re.findall(r"\]\([\w./]*glossary\.md(?:#([\w-]+))?\)", page.read_text(encoding="utf-8"))
    assert links
    assert {link.replace("-", " ") for link in links if link} <= WORDS


@pytest.mark.parametrize(
    "word",
    [
        *(
            "allocation",
            "deallocate",
            "excess",
            "license rule",
            "QMC",
            "QRS",
            "quarantined",
            "user directory connector",
        ),
        *("dry run", "due", "guard", "journal", "plan", "policy", "release", "seal", "site file", "snapshot"),
        *("undetermined", "unknown", "verdict"),
    ],
)
def test_a_word_is_explained(word: str) -> None:
    explained = re.split(rf"^### {word}$", _TEXT, flags=re.MULTILINE | re.IGNORECASE)[1].partition("\n#")[0].strip()
    assert len(explained.split()) >= 10


def test_words_stand_in_order_and_once() -> None:
    assert [group for group in _GROUPS if group != sorted(group, key=str.casefold)] == []
    assert len(WORDS) == sum(map(len, _GROUPS))


def test_links_within_the_page() -> None:
    anchors = {word.replace(" ", "-") for word in WORDS} | {"words-of-qlik-sense", "words-of-seatwarden"}
    assert set(re.findall(r"\(#([\w-]+)\)", _TEXT)) <= anchors
