"""Names that look alike are found as if each were looked at closely, though most are folded together."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.policy.lint.lookalikes import _ASCII, _is_accented, _prototypes, _shape, find_alike, looks

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


def test_plain_letters_are_those_of_the_table() -> None:
    table = {letter: other for letter, other in _prototypes().items() if letter.isascii() and letter != other}
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
