"""Lark's complaints in an administrator's words: the one place where syntax errors are translated."""

import re
import unicodedata
from collections.abc import Callable, Iterable

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from seatwarden.grammar.errors import SyntaxProblem, shown
from seatwarden.grammar.keywords import STATEMENTS
from seatwarden.grammar.slips import slip_help
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import NOTHING, did_you_mean, nearest, no_value

_KINDS = {
    "STRING": "a text in quotes",
    "FIELD": "a field like `user.roles`",
    "NAME": "a name",
    "NUMBER": "a number",
    "DATE": "a date like 2027-02-28",
    "UNIT": "`days`",
    "TYPE": "`professional` or `analyzer`",
    "OPERATOR": "an operator like `=`",
    "EQUAL": "`=`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "COMMA": "`,`",
    "PERCENT": "`%`",
    "$END": "the end",
}
_OPERAND = frozenset({"STRING", "FIELD", "NAME", "NUMBER", "DATE", "LSQB", "TRUE", "FALSE"})
_VALUE = _OPERAND - {"FIELD", "NAME", "LSQB"}
_CONDITION = _OPERAND | {"LPAR", "NOT", "UNUSED", "NEVER"}
_COMPARE = frozenset({"OPERATOR", "EQUAL", "LIKE"})
_FOREIGN = {
    "matches": 'there are no regular expressions here; `like` compares with a pattern: user.name like "a*"',
    "in": "write `=`: it holds when any value of a list is equal",
    "contains": 'write `=`: it holds when any value is equal; `like` finds a part: user.name like "*a*"',
    "has": "write `=`: it holds when any value is equal",
    "is": "write `=`",
}
"""Operators of other languages, and what stands for them in this one."""
_EMPTY_BEHIND = re.compile(r"\.?(?:is\s*)?(?:not\s+)?(?:empty|null|none|blank)\b", re.IGNORECASE)
_EMPTY_BEFORE = re.compile(r"\.(?:is)?empty\s*$", re.IGNORECASE)
_CALLED = re.compile(r"\s*\(")
_FIELD_BEFORE = re.compile(r"""(?:user|license)\.[\w.@]*(?:"[^"\n]*")?(?=\s*$)""")
_NEVER_EMPTY = re.compile(r"(?:createdDate|inactive|blocked|removedExternally|Prohibited|neverUsed|excess|Days)$")
"""Fields that always have a value."""
_BRACKETS = ("LSQB", "RSQB", "LPAR", "RPAR", "COMMA")
_CONDITION_ALONE = re.compile(r"[(!]|not\b|user\b|license\b", re.IGNORECASE)
_FIRST_WORDS = ("user", "license")
"""The first words of fields that have a dot."""
_OWNERS = 'let a task of yours tag who owns apps, and write `user.tags = "owns apps"`'
_OF_RESOURCES = {"resource": "leave out what is asked of the resource", "app": _OWNERS, "apps": _OWNERS}
"""Help for what Qlik's rules ask of other things than users."""
_TAIL = re.compile(r"""(?:\.*@?(?:\w+|"[^"\r\n]*"|'[^'\r\n]*'))+""")
"""The rest of a field behind its first word, the dot forgotten or doubled: `.tags`, `@Department`, `.@"Odd name"`."""
_STATEMENT = frozenset(word.upper() for word in STATEMENTS)
_NO_TEXT = _STATEMENT | {"FIELD", "AND", "OR", "NOT", "LIKE", "WHEN"}
"""Tokens that are never a text without its quotes."""
_GROUPS = (
    (_CONDITION, "a condition"),
    (_OPERAND, "a value or a field"),
    (_VALUE, "a value"),
    (_COMPARE, "an operator like `=`"),
    (_STATEMENT, "a statement (`keep`, `release`, `let`, `set`, `limit` or `timezone`)"),
)
_MOST_EXPECTED = 4
"""Most things that a label says were expected: nobody reads more."""


def problem_from(error: UnexpectedInput, text: str, locate: Callable[[int, int, int, int], Span]) -> SyntaxProblem:
    """The problem in an administrator's words, from the error that Lark raised on `text`."""
    match error:
        case UnexpectedCharacters():
            return _at_character(error, text, locate)
        case UnexpectedToken(token=token):
            expected = set(error.accepts or error.expected)
            if token.type == "$END":
                return _at_end(expected, text, locate)
            span = locate(token.line or 1, token.column or 1, token.end_line or 1, token.end_column or 1)
            if expected == {"NAME"} and token.isidentifier():
                return SyntaxProblem("SW006", f"`{token}` is a word of the language", "choose another name", None, span)
            place = token.start_pos or 0
            hint = _after_is(token, text, expected) or slip_help(text, place) or _of_qlik(text, place, expected)
            hint = hint or _hint(token, expected)
            return SyntaxProblem("SW001", f"unexpected `{shown(str(token))}`", _expected(expected), hint, span)
        case _:
            raise error


def _at_character(
    error: UnexpectedCharacters, text: str, locate: Callable[[int, int, int, int], Span]
) -> SyntaxProblem:
    line, column = error.line, error.column
    offset = error.pos_in_stream or 0
    character = text[offset] if offset < len(text) else ""
    if character in "\"'" and character:
        end = text.find("\n", offset)
        width = (end if end >= 0 else len(text)) - offset
        help_ = f"close it with {character}; a {character} inside is written twice"
        return SyntaxProblem(
            "SW002", "this text is not closed", "starts here", help_, locate(line, column, line, column + width)
        )
    word = _word_before(offset, text)
    tail = _TAIL.match(text, offset) if character in (".", "@") and "AND" in (error.allowed or ()) else None
    if word and tail:
        return _no_field(word, tail[0], locate(line, column - len(word), line, column + len(tail[0])))
    message = f"unexpected character {_shown_character(character)}"
    expected = _expected(set(error.allowed or ()))
    hint = slip_help(text, offset) or _of_qlik(text, offset, set(error.allowed or ()))
    hint = hint or _character_help(character, text[:offset])
    return SyntaxProblem("SW001", message, expected, hint, locate(line, column, line, column + 1))


def _word_before(offset: int, text: str) -> str:
    """The word that ends there, empty where none does or where it is itself behind a dot."""
    start = offset
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    word = text[start:offset]
    return "" if word[:1].isdigit() or text[start - 1 : start] in (".", "@") else word


def _no_field(word: str, tail: str, span: Span) -> SyntaxProblem:
    """A field whose first word is mistyped. Which fields there are is known on the floor above."""
    if (help_ := _OF_RESOURCES.get(word.lower())) is not None:
        label = "rules speak of users and licenses"
        return SyntaxProblem("SW001", f"unexpected `{shown(word + tail)}`", label, help_, span)
    first = nearest(word, _FIRST_WORDS)
    meant = f"did you mean `{first}.{tail.lstrip('.')}`?" if first else None
    help_ = meant or f'text is written in quotes: "{shown(word + tail)}"'
    label = f"one dot stands behind `{word}`" if word == first else "fields start with `user.` or `license.`"
    return SyntaxProblem("SW001", f"unexpected `{shown(word + tail)}`", label, help_, span)


def _shown_character(character: str) -> str:
    """A character as people see it; one that cannot be seen, or looks like a space, by its number and name."""
    if character.isprintable() or not character:
        return f"`{character}`"
    return f"U+{ord(character):04X}, {unicodedata.name(character, 'a control character').lower()}"


def _character_help(character: str, before: str) -> str | None:
    if unicodedata.category(character or " ") == "Zs":
        return "it looks like a plain space but is none: type the space anew"
    if character and not character.isprintable():
        return "it cannot be seen: type the text around it anew"
    if character and character in "“”„‘’«»":
        return "this is a typographic quote; use a straight one: \" or '"
    if character == "-" and before[-1:].isspace():
        return "there are no negative numbers here"
    if character == "-":
        return 'a name with other characters than letters, digits and _ is quoted: user.@"License-Manage"'
    if character == "*":
        return "comments start with #"
    return None


def _after_is(token: Token, text: str, expected: set[str]) -> str | None:
    """The help for what other languages write behind `is`; here that is `empty` and `not empty`."""
    if "EMPTY" not in expected:
        return None
    if token.type in ("TRUE", "FALSE"):
        return "a field that is true or false stands alone: `user.inactive`, `not user.inactive`"
    if token.lower() in NOTHING or token in ('""', "''", "["):
        field = _FIELD_BEFORE.search(re.sub(r"\s+is(\s+not)?\s*$", "", text[: token.start_pos], flags=re.IGNORECASE))
        return no_value(field[0]) if field else no_value()
    return "write `=`: it holds when any value is equal; behind `is` stands `empty` or `not empty`"


def _of_qlik(text: str, offset: int, expected: set[str]) -> str | None:
    """The help for what is right in Qlik's rules, and not here: functions, `is empty`, and a condition alone."""
    before, behind = text[max(0, offset - 200) : offset], text[offset : offset + 200]
    empty = _EMPTY_BEHIND.match(behind) or (_CALLED.match(behind) and _EMPTY_BEFORE.search(before))
    if empty:
        field = _FIELD_BEFORE.search(before[: len(before) if empty.re is _EMPTY_BEHIND else empty.start()])
        return no_value(field[0]) if field and not _NEVER_EMPTY.search(field[0]) else no_value()
    call = re.search(r"(\w+)$", before) if _CALLED.match(behind) else None
    if call and "AND" in expected:
        return f"there are no functions here: leave `{shown(call[1])}(` out, and compare with `=` or `like`"
    if "KEEP" in expected and "AND" not in expected and _CONDITION_ALONE.match(behind):
        return "a condition stands in a rule: put `keep when` or `release when` before it"
    return None


def _at_end(expected: set[str], text: str, locate: Callable[[int, int, int, int], Span]) -> SyntaxProblem:
    ending = text.rstrip()
    line = ending.count("\n") + 1
    column = len(ending) - (ending.rfind("\n") + 1) + 1
    help_ = slip_help(ending + " ", len(ending) + 1)
    return SyntaxProblem("SW001", "unexpected end", _expected(expected), help_, locate(line, column, line, column + 1))


def _hint(token: Token, expected: set[str]) -> str | None:
    if expected >= _COMPARE and token.lower() in _FOREIGN:
        return _FOREIGN[token.lower()]
    if token.type in ("NAME", "FIELD"):
        words = [_word(name) for name in expected if name not in _KINDS or name in ("UNIT", "TYPE")]
        found = did_you_mean(str(token), [w for word in words for w in word])
        if found:
            return found
    if token.type == "RPAR" and "KEEP" in expected:
        return "there is no `(` for it: remove it, or open one before"
    if "WHEN" in expected and token.type in _CONDITION:
        return "a rule's condition starts with `when`"
    if _may_be_text(token, expected):
        return f'text is written in quotes: "{shown(str(token))}"'
    return None


def _may_be_text(token: Token, expected: set[str]) -> bool:
    """Whether it is a word that lacks its quotes: any name, and a word of the language where a value must stand."""
    if token.type == "NAME":
        return "STRING" in expected
    value = "TRUE" in expected and "NOT" not in expected
    return value and token.isidentifier() and token.type not in _NO_TEXT


def _word(terminal: str) -> tuple[str, ...]:
    return {"UNIT": ("days", "weeks"), "TYPE": ("professional", "analyzer")}.get(terminal, (terminal.lower(),))


def _expected(terminals: Iterable[str]) -> str:
    left = {t for t in terminals if t not in ("COMMENT", "$END")}
    if left >= _COMPARE:
        left.discard("IS")  # one more operator, to who reads a list
    words = []
    for group, word in _GROUPS:
        if group <= left:
            words.append(word)
            left -= group
    joining = [f"`{word.lower()}`" for word in ("AND", "OR") if word in left]
    # Brackets last: which of them are open is not looked at.
    rest = sorted((terminal in _BRACKETS, _KINDS.get(terminal, f"`{terminal.lower()}`")) for terminal in left)
    named = (word for _, word in rest if word not in joining)
    words = list(dict.fromkeys([*words, *named]))[: _MOST_EXPECTED - bool(joining)] + joining
    if not words:
        return "not expected here"
    return "expected " + (", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0])
