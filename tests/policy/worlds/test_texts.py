"""Patterns and spellings against what the operators mean."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from seatwarden.policy.operators import matches
from seatwarden.policy.worlds.patterns import START, combinations, compile_pattern
from seatwarden.policy.worlds.spellings import another_spelling, spellings

_patterns = st.text("ab*", min_size=1, max_size=4).map(lambda text: text + "*")


@given(st.text("abAB", max_size=6), st.text("abAB*", max_size=6))
def test_automata_match_as_the_operator_does(text: str, pattern: str) -> None:
    automaton, state = compile_pattern(pattern.casefold()), START
    for character in text.casefold():
        state = automaton.step(state, character)
    assert automaton.accepts(state) is matches(text, pattern)


@given(st.lists(_patterns, max_size=3), st.sets(st.text("ab", max_size=3), max_size=4))
def test_every_combination_of_patterns_is_found(patterns: list[str], named: set[str]) -> None:
    """Against all words of up to five letters; `z` stands for any other letter."""
    found, complete = combinations(patterns, named)
    for length in range(5):
        for letters in product("abz", repeat=length):
            word = "".join(letters)
            if word not in named:
                signature = sum(matches(word, pattern) << n for n, pattern in enumerate(patterns))
                assert signature in found or not complete
    for signature, word in found.items():
        assert word not in named
        assert signature == sum(matches(word, pattern) << n for n, pattern in enumerate(patterns))


@given(st.text("aAsSßẞſkK\u0130\u01491é", max_size=4))
def test_spellings_fold_to_the_same_text(text: str) -> None:
    folded = text.casefold()
    for _, spelling in zip(range(20), spellings(folded), strict=False):
        assert spelling.casefold() == folded


def test_other_spellings() -> None:
    assert another_spelling("ab", {"ab", "AB", "Ab"}) == "aB"
    assert another_spelling("ab", {"ab", "AB", "Ab", "aB"}) is None
    assert another_spelling("30", {"30"}) is None
    assert another_spelling("", {""}) is None
    taken = set(spellings("ss"))
    assert {"ss", "SS", "ß", "ẞ"} <= taken
    assert another_spelling("ss", taken) is None
