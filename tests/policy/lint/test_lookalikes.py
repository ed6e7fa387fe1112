"""Names that look alike are found as if each were looked at closely, though most are folded together."""

import unicodedata

import pytest
from confusable_homoglyphs.confusables import confusables_data
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.policy.lint.lookalikes import _ASCII, _is_accented, _prototype, _shape, find_alike, looks

_LETTERS = st.text(alphabet="aAiIlL1|oO0mMrnRN`'\"% \u0430\u0410\u00e5\u00c5\u00df\ufb01\u200b\n\\_", max_size=6)


@given(st.lists(_LETTERS, max_size=8), st.lists(_LETTERS, min_size=1, max_size=4))
def test_the_quick_way_finds_what_the_close_look_finds(texts: list[str], sought: list[str]) -> None:
    values = frozenset(texts)
    cased, alike = find_alike(values, sought)
    for text in sought:
        same = sorted(value for value in values if value.casefold() == text.casefold())
        assert cased.get(text) == (same[0] if same else None)
        near = {value for value in values if set(looks(value)) & set(looks(text))}
        assert (alike.get(text) in near) if near else (text not in alike)


def test_it_is_the_table_of_the_library() -> None:
    singles = {letter: others for letter, others in confusables_data.items() if len(letter) == 1}
    assert len(singles) > 7_000
    for letter, others in singles.items():
        if len(others) != 1:
            assert _prototype(letter) == letter
            continue
        other = others[0]["c"]
        mutual = len(confusables_data.get(other, ())) == 1
        assert _prototype(letter) == (min(letter, other) if mutual else other)


def test_a_letter_that_looks_like_no_other_stands_for_itself() -> None:
    assert [
        letter for letter in map(chr, range(0x2000)) if letter not in confusables_data and _prototype(letter) != letter
    ] == []


def test_plain_letters_are_those_of_the_table() -> None:
    table = {chr(code): _prototype(chr(code)) for code in range(128) if _prototype(chr(code)) != chr(code)}
    assert {chr(code): other for code, other in _ASCII.items()} == table


@pytest.mark.parametrize("text", ["I1|l", "rnodern", '"quoted"', "100 %", "a  b ", "Mm"])
def test_a_plain_text_is_shaped_by_the_table(text: str) -> None:
    visible = " ".join(text.split())
    assert looks(text) == (_shape(visible), _shape(visible.casefold()))


def test_an_accented_letter_looks_like_no_plain_one() -> None:
    accented = [chr(code) for code in range(128, 0x2000) if _is_accented(chr(code))]
    assert len(accented) > 300
    for letter in accented:
        assert all(not shape.isascii() for shape in looks(unicodedata.normalize("NFC", letter))), letter
