"""The words of a policy as our own lexer reads them, in its context."""

from lark import Token

from seatwarden.grammar.parser import _lark


def tokens_of(text: str) -> list[Token]:
    """Every token of a text that is a policy, comments left out."""
    reading = _lark().parse_interactive(text, start="policy")
    return list(reading.iter_parse())
