"""The texts that we bring: as they stand in the files beside this, the same in plain and in HTML, and complete.

`python -m tests.engine.notice.test_texts` writes the files anew.
"""

import html
import re
from collections.abc import Mapping
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any, cast

import pytest

from seatwarden.engine.notice.languages import LANGUAGES, language
from seatwarden.engine.notice.recipient import RecipientKind
from seatwarden.engine.notice.templates import NoticeWords, load_templates
from tests.engine.notice.people import SETTINGS, facts

FOLDER = Path(__file__).parent / "texts"
TEMPLATES = load_templates(SETTINGS)
KINDS: tuple[RecipientKind, ...] = ("own", "manager", "fallback")


DOWNGRADED: Mapping[str, Any] = {"license_type": "professional", "becomes": "analyzer"}


def told(tag: str, kind: RecipientKind, reminder: bool, used: bool = True, **more: Any) -> NoticeWords:
    never = {} if used else {"last_used": None, "days_unused": None}
    return TEMPLATES.words(facts(reminder=reminder, **never, **more), kind, tag)


def shown(tag: str) -> str:
    """All messages of a language, one below the other."""
    cases = [("own", False, True), ("own", True, True), ("own", False, False)]
    cases += [("manager", True, True), ("fallback", False, False)]
    found = [told(tag, cast(RecipientKind, kind), reminder, used) for kind, reminder, used in cases]
    found += [told(tag, "own", False, **DOWNGRADED), told(tag, "manager", True, **DOWNGRADED)]
    return "\n==========\n\n".join(f"{words.subject}\n\n{words.text}" for words in found)


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_texts(tag: str) -> None:
    expected = (FOLDER / f"{tag}.txt").read_text(encoding="utf-8")
    assert shown(tag) == expected, "write them anew: python -m tests.engine.notice.test_texts"


@pytest.mark.parametrize("more", [{}, DOWNGRADED], ids=["released", "downgraded"])
@pytest.mark.parametrize(
    ("tag", "kind", "reminder", "used"), list(product(LANGUAGES, KINDS, (False, True), (False, True)))
)
def test_plain_and_html_say_the_same(
    tag: str, kind: RecipientKind, reminder: bool, used: bool, more: dict[str, Any]
) -> None:
    words = told(tag, kind, reminder, used, **more)
    assert words.html is not None
    body = words.html.partition("<body>")[2]
    assert _words_of(html.unescape(re.sub(r"<[^>]+>", " ", body))) == _words_of(words.text)


def _words_of(text: str) -> list[str]:
    """The words, in any case; a dash alone is the line above a signature."""
    return re.sub(r"\s+([.,])", r"\1", " ".join(text.casefold().split()).replace("-- ", "")).split()


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("reminder", [False, True])
def test_it_says_what_happens_when_and_what_to_do(tag: str, reminder: bool) -> None:
    words, day = told(tag, "own", reminder), language(tag).day(date(2026, 12, 10))
    assert day in words.subject
    assert words.text.count(day) == 2
    for part in ("Anna Berg", "Qlik Sense", "https://qlik.example.com/hub", "IT service desk, 4711", "45"):
        assert part in words.text
    assert (language(tag).day(date(2026, 11, 26)) in words.text) == reminder
    assert told(tag, "own", False).subject != told(tag, "own", True).subject


@pytest.mark.parametrize("tag", LANGUAGES)
def test_others_are_told_of_whom_it_speaks(tag: str) -> None:
    for kind in ("manager", "fallback"):
        words = told(tag, kind, False)
        assert "Anna Berg" in words.subject
        assert "CORP\\anna" in words.text


@pytest.mark.parametrize("tag", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_who_is_downgraded_is_told_what_they_get(tag: str, kind: RecipientKind) -> None:
    words, lost = told(tag, kind, False, **DOWNGRADED), told(tag, kind, False, license_type="professional")
    for text in (words.subject, words.text, words.html):
        assert text is not None
        assert language(tag).licenses["analyzer"] in text
    assert language(tag).licenses["analyzer"] not in lost.subject + lost.text + (lost.html or "")


@pytest.mark.parametrize("tag", LANGUAGES)
def test_dates(tag: str) -> None:
    days = {language(tag).day(date(2026, month, day)) for month in range(1, 13) for day in range(1, 29)}
    assert len(days) == 12 * 28
    assert language("fr").day(date(2026, 12, 1)) == "1er décembre 2026"
    assert language("de").day(date(2026, 3, 1)) == "1. März 2026"
    assert language("nl").day(date(2026, 3, 1)) == "2026-03-01"
    assert language("de").reason(1) == "sie wird seit einem Tag nicht benutzt"


if __name__ == "__main__":
    for tag in LANGUAGES:
        (FOLDER / f"{tag}.txt").write_text(shown(tag), encoding="utf-8")
