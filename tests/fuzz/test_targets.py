"""No bytes crash a parser: real files with slips in them, and words of each format in any order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS, words_of
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
@given(st.data())
def test_any_bytes(name: str, data: st.DataObject) -> None:
    TARGETS[name](data.draw(st.binary(max_size=60)))


@pytest.mark.parametrize("name", TARGETS)
@given(st.data())
def test_words_of_the_format(name: str, data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(words_of(name)), max_size=15))
    TARGETS[name](data.draw(st.sampled_from([" ", ""])).join(words).encode())


@pytest.mark.parametrize("name", TARGETS)
@given(st.data())
def test_real_files_with_slips(name: str, data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(SEEDS[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        lost = data.draw(st.sampled_from([0, 0, 1, 2, 5, 40]))
        word = data.draw(
            st.sampled_from(words_of(name)).map(str.encode) | st.binary(max_size=3) | st.just(text[at : at + 30])
        )
        text = text[:at] + word + text[at + lost :]
    TARGETS[name](text)


@pytest.mark.parametrize("name", TARGETS)
def test_the_files_they_start_from_are_read(name: str) -> None:
    assert [TARGETS[name](seed) for seed in SEEDS[name]] == [None] * len(SEEDS[name])
