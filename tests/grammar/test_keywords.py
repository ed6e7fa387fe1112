"""The words of the language stand in one list, and in the grammar: both are the same."""

import re

from seatwarden.grammar.ast import Let
from seatwarden.grammar.builder import is_name
from seatwarden.grammar.keywords import FIELDS, IN_PLACE, KEYWORDS, RESERVED, STATEMENTS
from seatwarden.grammar.parser import parse_policy
from seatwarden.grammar.tables import load_parser


def _words_of(name: str) -> set[str]:
    """The words a terminal matches, from a list of all words there are."""
    pattern = re.compile(load_parser("policy").get_terminal(name).pattern.to_regexp())
    words = (*KEYWORDS, *IN_PLACE, *FIELDS)
    found = {word: pattern.match(f"{word}(") for word in words}  # some are words before a parenthesis only
    return {word for word, match in found.items() if match and match.group() == word}


def test_each_keyword_is_a_terminal_and_each_terminal_a_keyword() -> None:
    spelled = [terminal for terminal in load_parser("policy").terminals if terminal.name not in ("NAME", "FIELD")]
    words: set[str] = set()
    for terminal in spelled:
        matched = _words_of(terminal.name)
        if re.match(r"\(\?i:\(?[a-z]", terminal.pattern.to_regexp()):  # written in letters
            assert matched, f"{terminal.name} matches no word of the list"
        words |= matched
    assert words == {*KEYWORDS, *IN_PLACE}


def test_no_keyword_is_a_name() -> None:
    assert not _words_of("NAME") & set(KEYWORDS)
    assert not any(is_name(word) or is_name(word.upper()) for word in RESERVED)
    assert is_name("admins")


def test_words_that_mean_something_in_their_place_are_names_anywhere_else() -> None:
    text = "\n".join(f'let {word} = "a"\nkeep when user.tags = {word} and user.@A is empty' for word in IN_PLACE)
    assert [s.name for s in parse_policy(text, "p").statements if isinstance(s, Let)] == list(IN_PLACE)
    assert set(IN_PLACE) <= _words_of("NAME")
    assert all(map(is_name, IN_PLACE))


def test_statements_begin_with_these_words() -> None:
    parsed = ("rule", "let", "set_from", "timezone", "limit", "guarantee")
    first = {rule.expansion[0].name for rule in load_parser("policy").rules if rule.origin.name in parsed}
    assert {name.lower() for name in first} == set(STATEMENTS)
