"""From Lark's parse tree to the policy tree."""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date
from typing import Any, cast

from lark import Token, v_args
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive

from seatwarden.grammar.ast import (
    And,
    AnyLimit,
    Boolean,
    Comparison,
    Date,
    Field,
    Guarantee,
    IsEmpty,
    Length,
    Let,
    LicenseType,
    Limit,
    ListOf,
    MonthDay,
    Name,
    Not,
    Notice,
    Number,
    Operator,
    Or,
    Policy,
    Promise,
    ReadAs,
    Reserve,
    Rule,
    Season,
    SetFrom,
    Shifted,
    Text,
    Timezone,
    UnusedFor,
)
from seatwarden.grammar.calendar_names import MONTHS, date_from
from seatwarden.grammar.errors import SyntaxProblem, shown
from seatwarden.grammar.keywords import RESERVED
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.spans import NOWHERE, Span

_RESERVED = re.compile("|".join(RESERVED), re.IGNORECASE)
_NAME = re.compile(r"[^\W\d]\w*")
_MONTH_DAY = re.compile(r"\d\d-\d\d", re.ASCII)
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


def season_problem(season: Season) -> SyntaxProblem | None:
    """What is wrong with a season whose days exist."""
    first, last = season.first, season.last
    if isinstance(first, Date) is not isinstance(last, Date):
        message, help_ = "a season is of every year, or of one", "write both as 12-15, or both as 2026-12-15"
        return SyntaxProblem("SW003", message, "one day with a year, one without", help_, season.span)
    if isinstance(first, Date) and isinstance(last, Date) and first.value > last.value:
        return SyntaxProblem(
            "SW003", "this season ends before it begins", "never", "exchange the two dates", season.span
        )
    return None


def unquote(literal: str) -> str:
    """The value of a string literal; the doubled quote is the only escape."""
    mark = literal[0]
    return literal[1:-1].replace(mark * 2, mark)


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

    def downgrade(self, meta: Meta, parts: list[Any]) -> Rule:
        return self._rule("downgrade", meta, parts)

    def _rule(self, kind: Any, meta: Meta, parts: list[Any]) -> Rule:
        types: tuple[LicenseType, ...] = ()
        name = until = None
        span = name_span = self._span(meta)
        notice = parts.pop() if isinstance(parts[-1], Notice) else None
        regardless = parts.pop() if isinstance(parts[-1], Span) else None
        for part in parts[1:-2]:
            match part:
                case Token(type="STRING"):
                    name, name_span = unquote(part), self._token_span(part)
                case Date():
                    until = part
                case _:
                    types = part
        said, place = regardless is not None, regardless or NOWHERE
        return Rule(kind, types, name, until, parts[-1], span, name_span, said, place, notice)

    def types(self, meta: Meta, parts: list[Token]) -> tuple[LicenseType, ...]:
        return tuple(dict.fromkeys(_license_type(part) for part in parts))

    downgraded = types

    def until(self, meta: Meta, parts: list[Token]) -> Date:
        return self._date(parts[1])

    def regardless(self, meta: Meta, parts: list[Token]) -> Span:
        return self._span(meta)

    def notice(self, meta: Meta, parts: list[Any]) -> Notice:
        reminder = parts[-1] if len(parts) > 4 else None
        return Notice(parts[3], reminder, self._span(meta))

    def reminder(self, meta: Meta, parts: list[Any]) -> Length | Name:
        length: Length | Name = parts[1]
        return length

    def guarantee(self, meta: Meta, parts: list[Any]) -> Guarantee:
        span, promise = self._span(meta), parts[-1]
        name, place = (unquote(parts[1]), self._token_span(parts[1])) if len(parts) == 3 else (None, span)
        guarantee: Guarantee = promise.but(name=name, span=span, name_span=place)
        return guarantee

    def never_release(self, meta: Meta, parts: list[Any]) -> Guarantee:
        return self._promise("never", meta, parts[2:])

    def always_release(self, meta: Meta, parts: list[Any]) -> Guarantee:
        return self._promise("always", meta, parts[2:])

    def never_both(self, meta: Meta, parts: list[Any]) -> Guarantee:
        return self._promise("never both types", meta, [])

    def _promise(self, promise: Promise, meta: Meta, parts: list[Any]) -> Guarantee:
        """Each part is what it was built as: types, the words between, the condition with its `when`."""
        types: tuple[LicenseType, ...] = ()
        before = condition = None
        for part in parts:
            match part:
                case ("before", length):
                    promise, before = "never before", length
                case ("untold",):
                    promise = "never without notice"
                case ("about", said):
                    condition = said
                case _:
                    types = part
        return Guarantee(promise, types, None, before, condition, self._span(meta))

    def before(self, meta: Meta, parts: list[Any]) -> tuple[str, Length | Name]:
        return "before", parts[1]

    def untold(self, meta: Meta, parts: list[Token]) -> tuple[str]:
        return ("untold",)

    def about(self, meta: Meta, parts: list[Any]) -> tuple[str, Any]:
        return "about", parts[1]

    def let(self, meta: Meta, parts: list[Any]) -> Let:
        return Let(self._new_name(parts[1]), parts[2], self._span(meta), self._token_span(parts[1]))

    def set_from(self, meta: Meta, parts: list[Token]) -> SetFrom:
        kind: Any = str(parts[5]).lower() if len(parts) > 4 else "text"
        return SetFrom(
            self._new_name(parts[1]), self._text(parts[3]), kind, self._span(meta), self._token_span(parts[1])
        )

    def timezone(self, meta: Meta, parts: list[Token]) -> Timezone:
        return Timezone(unquote(parts[1]), self._span(meta), self._token_span(parts[1]))

    def limit(self, meta: Meta, parts: list[Any]) -> AnyLimit:
        terms: AnyLimit = parts[-1]
        return terms.but(span=self._span(meta))

    def reserve(self, meta: Meta, parts: list[Any]) -> Reserve:
        return Reserve(self._whole(parts[1]), _license_type(parts[3]), self._span(meta))

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
            over=next((part for part in parts if isinstance(part, Length)), None),
            span=self._span(meta),
        )

    bare_terms = limit_terms

    def bare_limit(self, meta: Meta, parts: list[Any]) -> AnyLimit:
        limit: AnyLimit = parts[0]
        return limit

    def longest(self, meta: Meta, parts: list[Token]) -> bool:
        return True

    # conditions

    def condition(self, meta: Meta, parts: list[Any]) -> Any:
        return parts[0]

    bare_days = bare_promise = condition

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

    def day(self, meta: Meta, parts: list[Token]) -> MonthDay | Date:
        token = parts[0]
        if token.type == "DATE":
            return self._date(token)
        month, day = map(int, token.split("-"))
        if not _MONTH_DAY.fullmatch(token) or date_from(f"2000-{token}") is None:
            self._note(token, "SW003", f"there is no day `{token}`", "not a day", _month_day_help(month, day))
        return MonthDay(month, day, self._token_span(token))

    def season(self, meta: Meta, parts: list[Any]) -> Season:
        field = parts[0]
        season = Season(parts[2], parts[4], self._span(meta))
        problem = season_problem(season)
        if field != Field("today"):
            message, help_ = f"`{print_field(field)}` has no season", "a date lies between two others by `>=` and `<=`"
            problem = SyntaxProblem("SW001", message, "only `today` has one", help_, field.span)
        self.problems += [problem] if problem else []
        return season

    def unused(self, meta: Meta, parts: list[Any]) -> UnusedFor:
        whose = parts[0] if isinstance(parts[0], Field) else None
        if whose is not None and whose != Field("user"):
            message = f"`{print_field(whose)}` cannot be unused"
            of_all = "`user unused for 30 days`"
            of_one = f"write `unused for 30 days`, or {of_all} for all licenses of the user"
            help_ = f"write {of_all}" if whose.name.startswith("user") else of_one
            problem = SyntaxProblem("SW001", message, "only `user` stands before `unused for`", help_, whose.span)
            self.problems.append(problem)
        return UnusedFor(parts[-1], whose is not None, self._span(meta))

    def never(self, meta: Meta, parts: list[Token]) -> Field:
        return Field("license.neverUsed", None, self._span(meta))

    # operands

    def shifted(self, meta: Meta, parts: list[Any]) -> Shifted:
        sign: Any = str(parts[1])
        return Shifted(parts[0], sign, parts[2], self._span(meta))

    def read_as(self, meta: Meta, parts: list[Any]) -> ReadAs:
        kind: Any = str(parts[0]).lower()
        return ReadAs(kind, parts[1], self._span(meta))

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

    def days(self, meta: Meta, parts: list[Token]) -> Length:
        unit: Any = "weeks" if parts[1].lower().startswith("week") else "days"
        return Length(self._whole(parts[0]), unit, self._span(meta))

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
            self._note(token, "SW003", f"there is no date `{token}`", "not a date", _date_help(token))
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


def _month_day_help(month: int, day: int) -> str:
    if month > 12 >= day:
        return f"the month stands first: {day:02}-{month:02}"
    if 1 <= month <= 12 and 1 <= day <= 31 and date_from(f"2000-{month:02}-{day:02}"):
        return f"months and days have two digits: {month:02}-{day:02}"
    if 1 <= month <= 12 and day:
        return f"{MONTHS[month - 1].capitalize()} has {monthrange(2000, month)[1]} days"
    return "days of every year are written month-day with two digits each: 12-15"


def _date_help(token: Token) -> str:
    year, month, day = map(int, token.split("-"))
    padded = date_from("-".join(part.zfill(2) for part in token.split("-")))
    if padded is not None:
        return f"months and days have two digits: {padded.isoformat()}"
    if month > 12 >= day and (turned := date_from(f"{year:04}-{day:02}-{month:02}")) is not None:
        return f"the month stands before the day: {turned.isoformat()}"
    if year and 1 <= month <= 12 and day:
        return f"{MONTHS[month - 1].capitalize()} {year} has {monthrange(year, month)[1]} days"
    return "dates are written year-month-day with two digits each: 2027-02-28"


def _license_type(token: Token) -> LicenseType:
    return cast(LicenseType, str(token).lower())
