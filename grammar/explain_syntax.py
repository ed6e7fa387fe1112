"""Lark's complaints in an administrator's words: the one place where syntax errors are translated."""

import re
import unicodedata
from collections.abc import Set

from lark import Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from seatwarden.grammar.errors import SyntaxProblem, shown
from seatwarden.grammar.expected import COMPARE, CONDITION, KINDS, STATEMENT, expected_label
from seatwarden.grammar.slips import slip_help
from seatwarden.grammar.spans import Locate, Span
from seatwarden.grammar.suggest import did_you_mean, nearest

_SIGN = re.compile(r"<!--|<>|=>|=<|=~|~=|!~|<-|->|--|/\*|//|\*\*|\?\?|:=|={3}|\.{2}")
"""Signs of other languages that are more than one character; here reading may end in their midst."""
_CALLED = re.compile(r"\.\w+\s*(?=\()")
"""A function behind a field that takes no dot; known by its parenthesis, as behind others."""
_FIRST_WORDS = ("user", "license")
"""The first words of fields that have a dot."""
_OWNERS = 'let a task of yours tag who owns apps, and write `user.tags = "owns apps"`'
_OF_RESOURCES = {"resource": "leave out what is asked of the resource", "app": _OWNERS, "apps": _OWNERS}
"""Help for what Qlik's rules ask of other things than users."""
_TAIL = re.compile(r"""(?:\.*@?(?:\w+|"[^"\r\n]*"|'[^'\r\n]*'))+""")
"""The rest of a field behind its first word, the dot forgotten or doubled: `.tags`, `@Department`, `.@"Odd name"`."""
_FIELD_WITHIN = re.compile(r"\.(?:user|license)\.\w+$")
_VALUE_BEFORE = re.compile(r"(?:[=<>,\[(]|\blike)\s*\Z", re.IGNORECASE)
_LENGTH_BEFORE = re.compile(r"(?:[-+]|\bfor)\s+\Z", re.IGNORECASE)
"""Where a length of time stands, and no field."""
_NO_TEXT = STATEMENT | {"FIELD", "AND", "OR", "NOT", "LIKE", "WHEN"}
"""Tokens that are never a text without its quotes."""
_LET = re.compile(r"\blet\s+\w+\s*=\s*\Z", re.IGNORECASE)
_NAMED = "expected a value, a length of time or a condition"
_OPENING = {"RPAR": "(", "RSQB": "["}
_MEANT = {"UNIT": ("days", "weeks"), "TYPE": ("professional", "analyzer"), "KIND": ("dates", "numbers", "text")}
"""The words of a terminal that has several."""


def problem_from(error: UnexpectedInput, text: str, locate: Locate) -> SyntaxProblem:
    """The problem in an administrator's words, from the error that Lark raised on `text`."""
    expected = _expected(error)
    match error:
        case UnexpectedCharacters():
            return _at_character(error, expected, text, locate)
        case UnexpectedToken(token=token):
            if token.type == "$END":
                return _at_end("unexpected end", expected, text[: _end_of_read(error)], locate)
            if _is_of_the_next_line(token, expected, text[: _end_of_read(error)], text):
                message = "unexpected end of the statement" if token.type in STATEMENT else "unexpected end of the line"
                return _at_end(message, expected, text[: _end_of_read(error)], locate)
            return _at_token(token, expected, text, locate)
        case _:
            raise error


def _expected(error: UnexpectedInput) -> set[str]:
    """The terminals that could have stood there: a closing bracket only where one is open."""
    accepted: set[str] = error.interactive_parser.accepts()  # type: ignore[no-untyped-call]
    return accepted


def _end_of_read(error: UnexpectedInput) -> int:
    """Where the last token ends that was read without error; comments behind it are not counted."""
    stack = error.interactive_parser.parser_state.value_stack
    last: Token | Tree[Token] | None = stack[-1] if stack else None
    end = last.end_pos if isinstance(last, Token) else last.meta.end_pos if last and not last.meta.empty else None
    return end or 0


def _is_of_the_next_line(token: Token, expected: Set[str], before: str, text: str) -> bool:
    """Whether what is missing belongs to the line above: a statement begins, or a number still lacks its unit."""
    start = token.start_pos or 0
    missing = token.type in STATEMENT or expected == {"UNIT"}
    return missing and _is_first(start, text) and bool(before) and "\n" in text[len(before) : start]


def _is_first(start: int, text: str) -> bool:
    """Whether nothing stands before that place in its line."""
    return not text[text.rfind("\n", 0, start) + 1 : start].strip()


def _at_end(message: str, expected: Set[str], before: str, locate: Locate) -> SyntaxProblem:
    """Something is missing behind `before`."""
    line, column = _place(len(before), before)
    help_ = slip_help(before + " ", len(before) + 1, expected)
    return SyntaxProblem("SW001", message, _label(expected, before), help_, locate(line, column, line, column + 1))


def _at_token(token: Token, expected: Set[str], text: str, locate: Locate) -> SyntaxProblem:
    place = token.start_pos or 0
    if (sign := _sign_at(place, text)) is not None:
        return _at_sign(sign, place, expected, text, locate)
    span = locate(token.line or 1, token.column or 1, token.end_line or 1, token.end_column or 1)
    if expected == {"NAME"} and token.isidentifier():
        return SyntaxProblem("SW006", f"`{token}` is a word of the language", "choose another name", None, span)
    hint = slip_help(text, place, expected) or _hint(token, expected, first=_is_first(place, text))
    return SyntaxProblem("SW001", f"unexpected `{shown(str(token))}`", _label(expected, text[:place]), hint, span)


def _label(expected: Set[str], before: str) -> str:
    """What was expected behind that text."""
    return _NAMED if _LET.search(before[-200:]) and "NUMBER" in expected else expected_label(expected)


def _at_character(error: UnexpectedCharacters, expected: Set[str], text: str, locate: Locate) -> SyntaxProblem:
    line, column = error.line, error.column
    offset = error.pos_in_stream or 0
    character = text[offset : offset + 1]
    if (sign := _sign_at(offset, text)) is not None:
        return _at_sign(sign, offset, expected, text, locate)
    called = _CALLED.match(text, offset)
    hint = slip_help(text, called.end() if called else offset, expected)
    if character and character in "\"'":
        end = text.find("\n", offset)
        width = (end if end >= 0 else len(text)) - offset
        hint = hint or f"close it with {character}; a {character} inside is written twice"
        span = locate(line, column, line, column + width)
        return SyntaxProblem("SW002", "this text is not closed", "starts here", hint, span)
    word = _word_before(offset, text)
    tail = _TAIL.match(text, offset) if character in (".", "@") and "AND" in expected else None
    if word and tail:
        span = locate(line, column - len(word), line, column + len(tail[0]))
        if hint and _LENGTH_BEFORE.search(text, max(0, offset - len(word) - 20), offset - len(word)):
            label = expected_label({"NUMBER", "NAME"})
            return SyntaxProblem("SW001", f"unexpected `{shown(word + tail[0])}`", label, hint, span)
        return _no_field(word, tail[0], span, value=bool(_VALUE_BEFORE.search(text[: offset - len(word)])))
    message = f"unexpected character {_shown_character(character)}"
    hint = hint or _character_help(character)
    return SyntaxProblem("SW001", message, expected_label(expected), hint, locate(line, column, line, column + 1))


def _sign_at(offset: int, text: str) -> re.Match[str] | None:
    """The sign of another language around that place."""
    found = _SIGN.finditer(text, max(0, offset - 3), offset + 4)
    return next((sign for sign in found if sign.start() <= offset < sign.end()), None)


def _at_sign(sign: re.Match[str], offset: int, expected: Set[str], text: str, locate: Locate) -> SyntaxProblem:
    line, column = _place(sign.start(), text)
    span = locate(line, column, line, column + len(sign[0]))
    # Where the first half of it was read, an operator was: what could follow that is of no use.
    said = COMPARE if sign.start() < offset else expected
    hint = slip_help(text, sign.start(), said)
    return SyntaxProblem("SW001", f"unexpected `{sign[0]}`", expected_label(said), hint, span)


def _place(offset: int, text: str) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _word_before(offset: int, text: str) -> str:
    """The word that ends there, empty where none does or where it is itself behind a dot."""
    start = offset
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    word = text[start:offset]
    return "" if word[:1].isdigit() or text[start - 1 : start] in (".", "@") else word


def _no_field(word: str, tail: str, span: Span, *, value: bool) -> SyntaxProblem:
    """A field whose first word is mistyped; with `value`, it stands where a text without its quotes may stand.

    Which fields there are is known on the floor above.
    """
    if (help_ := _OF_RESOURCES.get(word.lower())) is not None:
        label = "rules speak of users and licenses"
        return SyntaxProblem("SW001", f"unexpected `{shown(word + tail)}`", label, help_, span)
    first = nearest(word, _FIRST_WORDS)
    inner = _FIELD_WITHIN.search(tail)
    meant = f"{first}.{tail.lstrip('.')}" if first else inner[0].lstrip(".") if inner else None
    quoted = f'text is written in quotes: "{shown(word + tail)}"' if value else None
    help_ = f"did you mean `{meant}`?" if meant else quoted
    label = f"one dot stands behind `{word}`" if word == first else "fields start with `user.` or `license.`"
    return SyntaxProblem("SW001", f"unexpected `{shown(word + tail)}`", label, help_, span)


def _shown_character(character: str) -> str:
    """A character as people see it; one that cannot be seen, or looks like a space, by its number and name."""
    if character.isprintable() or not character:
        return f"`{character}`"
    return f"U+{ord(character):04X}, {unicodedata.name(character, 'a control character').lower()}"


def _character_help(character: str) -> str | None:
    """The help for a character that looks like another, or like none."""
    if unicodedata.category(character or " ") == "Zs":
        return "it looks like a plain space but is none: type the space anew"
    if character and not character.isprintable():
        return "it cannot be seen: type the text around it anew"
    return None


def _hint(token: Token, expected: Set[str], *, first: bool) -> str | None:
    """The help for a word that is no known slip: a mistyped one, one without its quotes; `first` of its line or not."""
    if token.type in ("NAME", "FIELD"):
        possible = expected - STATEMENT if "AND" in expected and not first else expected
        known = [word for name in possible if name not in KINDS or name in _MEANT for word in _words(name)]
        found = did_you_mean(str(token), known)
        if found:
            return found
    if token.type in _OPENING and "KEEP" in expected:
        return f"there is no `{_OPENING[token.type]}` for it: remove it, or open one before"
    if "WHEN" in expected and token.type in CONDITION:
        return "a rule's condition starts with `when`"
    if _may_be_text(token, expected):
        return f'text is written in quotes: "{shown(str(token))}"'
    return None


def _may_be_text(token: Token, expected: Set[str]) -> bool:
    """Whether it is a word that lacks its quotes: any name, and a word of the language where a value must stand."""
    if token.type == "NAME":
        return "STRING" in expected
    value = "TRUE" in expected and "NOT" not in expected
    return value and token.isidentifier() and token.type not in _NO_TEXT


def _words(terminal: str) -> tuple[str, ...]:
    return _MEANT.get(terminal, (terminal.lower(),))
