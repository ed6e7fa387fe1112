"""From Lark's parse tree to the policy tree."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, cast

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from seatwarden.grammar.ast import (
    And,
    Boolean,
    Comparison,
    Date,
    Field,
    IsEmpty,
    Let,
    LicenseType,
    Limit,
    ListOf,
    Name,
    Not,
    Number,
    Operator,
    Or,
    Policy,
    Rule,
    SetFrom,
    Text,
    Timezone,
    UnusedFor,
)
from seatwarden.grammar.errors import SyntaxProblem, shown
from seatwarden.grammar.keywords import RESERVED
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.spans import Span

_RESERVED = re.compile("|".join(RESERVED), re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]\w*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FIELD_NAME = re.compile(r"(?:user|license)(?:\.[^\W\d]\w*)*(?:\.@)?|today|month|weekday")
_KEY = re.compile(r"""\.(@?)("(?:[^"]|"")*"|'(?:[^']|'')*')$|\.(@)(\w+)$""")


def is_name(word: str) -> bool:
    """Whether a `let` or `set` can give a value this name: letters, digits and `_`, and no word of the language."""
    return _NAME.fullmatch(word) is not None and _RESERVED.fullmatch(word) is None


def is_field(field: Field) -> bool:
    """Whether a field can be written; not whether there is such a field."""
    if _FIELD_NAME.fullmatch(field.name) is None or (field.key is None and field.name.endswith("@")):
        return False
    return parse_field(print_field(field), field.span) == field


def unquote(literal: str) -> str:
    """The value of a string literal; the doubled quote is the only escape."""
    mark = literal[0]
    return literal[1:-1].replace(mark * 2, mark)


def date_from(word: str) -> date | None:
    """The date written `2027-02-28`, or None when it is not one."""
    try:
        return date.fromisoformat(word) if _DATE.fullmatch(word) else None
    except ValueError:
        return None


def parse_field(word: str, span: Span) -> Field:
    """A field from its spelling: `user.roles`, `user.@"Odd name"`, `user.attributes.email`."""
    match = _KEY.search(word)
    if match:
        name = word[: match.start()]
        at, quoted, bare_at, bare = match.groups()
        key = bare if bare is not None else unquote(quoted)
        return Field(f"{name}.@" if at or bare_at else name, key, span)
    parts = word.split(".")
    if len(parts) > 2:
        return Field(".".join(parts[:-1]), parts[-1], span)
    return Field(word, None, span)


@v_args(meta=True)
class Builder(Transformer_NonRecursive[Token, Any]):
    """One method a grammar rule. Non-recursive, so that deeply nested text cannot exhaust the stack.

    Tokens of the right kind with an impossible value (30 February, half a day) are noted in `problems`, and a
    stand-in takes their place.
    """

    def __init__(self, locate: Callable[[int, int, int, int], Span]) -> None:
        super().__init__()
        self._locate = locate
        self.problems: list[SyntaxProblem] = []

    # statements

    def policy(self, meta: Meta, statements: list[Any]) -> Policy:
        return Policy(tuple(statements))

    def keep(self, meta: Meta, parts: list[Any]) -> Rule:
        return self._rule("keep", meta, parts)

    def release(self, meta: Meta, parts: list[Any]) -> Rule:
        return self._rule("release", meta, parts)

    def _rule(self, kind: Any, meta: Meta, parts: list[Any]) -> Rule:
        types: tuple[LicenseType, ...] = ()
        name = until = None
        span = name_span = self._span(meta)
        for part in parts[1:-2]:
            match part:
                case Token(type="STRING"):
                    name, name_span = unquote(part), self._token_span(part)
                case Date():
                    until = part
                case _:
                    types = part
        return Rule(kind, types, name, until, parts[-1], span, name_span)

    def types(self, meta: Meta, parts: list[Token]) -> tuple[LicenseType, ...]:
        return tuple(dict.fromkeys(_license_type(part) for part in parts))

    def until(self, meta: Meta, parts: list[Token]) -> Date:
        return self._date(parts[1])

    def let(self, meta: Meta, parts: list[Any]) -> Let:
        return Let(self._new_name(parts[1]), parts[2], self._span(meta), self._token_span(parts[1]))

    def set_from(self, meta: Meta, parts: list[Token]) -> SetFrom:
        return SetFrom(self._new_name(parts[1]), self._text(parts[3]), self._span(meta), self._token_span(parts[1]))

    def timezone(self, meta: Meta, parts: list[Token]) -> Timezone:
        return Timezone(unquote(parts[1]), self._span(meta), self._token_span(parts[1]))

    def limit(self, meta: Meta, parts: list[Any]) -> Limit:
        terms = parts[-1]
        return Limit(terms.count, terms.percent, terms.license_type, terms.longest_unused_first, self._span(meta))

    def limit_terms(self, meta: Meta, parts: list[Any]) -> Limit:
        amount = self._whole(parts[0])
        tokens = {part.type: part for part in parts if isinstance(part, Token)}
        percent = "PERCENT" in tokens
        if percent and amount > 100:
            self._note(parts[0], "SW004", "more than 100 %", "not a share of the licenses", None)
        return Limit(
            count=None if percent else amount,
            percent=amount if percent else None,
            license_type=_license_type(tokens["TYPE"]) if "TYPE" in tokens else None,
            longest_unused_first=parts[-1] is True,
            span=self._span(meta),
        )

    bare_limit = limit_terms

    def longest(self, meta: Meta, parts: list[Token]) -> bool:
        return True

    # conditions

    def condition(self, meta: Meta, parts: list[Any]) -> Any:
        return parts[0]

    def any_of(self, meta: Meta, parts: list[Any]) -> Or:
        return Or(tuple(part for part in parts if not isinstance(part, Token)), self._span(meta))

    def all_of(self, meta: Meta, parts: list[Any]) -> And:
        return And(tuple(part for part in parts if not isinstance(part, Token)), self._span(meta))

    def negated(self, meta: Meta, parts: list[Any]) -> Not:
        return Not(parts[1], self._span(meta))

    def comparison(self, meta: Meta, parts: list[Any]) -> Comparison:
        return Comparison(cast(Operator, str(parts[1]).lower()), parts[0], parts[2], self._span(meta))

    def equal(self, meta: Meta, parts: list[Any]) -> Comparison:
        return Comparison("=", parts[0], parts[1], self._span(meta))

    def empty(self, meta: Meta, parts: list[Any]) -> IsEmpty | Not:
        span = self._span(meta)
        found = IsEmpty(parts[0], span)
        return Not(found, span) if len(parts) == 4 else found

    def unused(self, meta: Meta, parts: list[Token]) -> UnusedFor:
        unit = "weeks" if parts[3].lower().startswith("week") else "days"
        return UnusedFor(self._whole(parts[2]), unit, self._span(meta))  # type: ignore[arg-type]

    def never(self, meta: Meta, parts: list[Token]) -> Field:
        return Field("license.neverUsed", None, self._span(meta))

    # operands

    def field(self, meta: Meta, parts: list[Token]) -> Field:
        return parse_field(str(parts[0]), self._span(meta))

    def name(self, meta: Meta, parts: list[Token]) -> Name:
        return Name(str(parts[0]), self._span(meta))

    def list_of(self, meta: Meta, parts: list[Any]) -> ListOf:
        return ListOf(tuple(parts), self._span(meta))

    def text(self, meta: Meta, parts: list[Token]) -> Text:
        return self._text(parts[0])

    def number(self, meta: Meta, parts: list[Token]) -> Number:
        return Number(self._whole(parts[0]), self._span(meta))

    def date(self, meta: Meta, parts: list[Token]) -> Date:
        return self._date(parts[0])

    def boolean(self, meta: Meta, parts: list[Token]) -> Boolean:
        return Boolean(parts[0].lower() == "true", self._span(meta))

    # values of tokens

    def _text(self, token: Token) -> Text:
        return Text(unquote(token), self._token_span(token))

    def _whole(self, token: Token) -> int:
        if "." in token:
            self._note(token, "SW004", f"`{shown(token)}` is not a whole number", "fractions are not counted", None)
        elif len(token) > 9:
            self._note(token, "SW004", f"`{shown(token)}` is too large", "at most 9 digits", None)
        else:
            return int(token)
        return 0

    def _date(self, token: Token) -> Date:
        day = date_from(token)
        if day is None:
            help_ = "dates are written year-month-day with two digits each: 2027-02-28"
            padded = date_from("-".join(part.zfill(2) for part in token.split("-")))
            if padded is not None:
                help_ = f"months and days have two digits: {padded.isoformat()}"
            self._note(token, "SW003", f"there is no date `{token}`", "not a date", help_)
        return Date(day or date.min, self._token_span(token))

    def _new_name(self, token: Token) -> str:
        if not is_name(token):
            self._note(token, "SW006", f"`{token}` is a word of the language", "choose another name", None)
        return str(token)

    def _note(self, token: Token, code: str, message: str, label: str, help_: str | None) -> None:
        self.problems.append(SyntaxProblem(code, message, label, help_, self._token_span(token)))

    # spans

    def _span(self, meta: Meta) -> Span:
        if meta.empty:
            return self._locate(1, 1, 1, 1)
        return self._locate(meta.line, meta.column, meta.end_line, meta.end_column)

    def _token_span(self, token: Token) -> Span:
        return self._locate(token.line or 1, token.column or 1, token.end_line or 1, token.end_column or 1)


def _license_type(token: Token) -> LicenseType:
    return cast(LicenseType, str(token).lower())
