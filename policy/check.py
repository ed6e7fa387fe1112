"""The type check: every name exists, every comparison compares what can be compared.

Runs before anything is evaluated, on the tree, whichever surface it came from. All findings are reported.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from seatwarden.grammar.ast import (
    And,
    Boolean,
    Comparison,
    Condition,
    Date,
    Field,
    IsEmpty,
    Let,
    Limit,
    ListOf,
    Literal_,
    Name,
    Not,
    Number,
    Operand,
    Or,
    Policy,
    SetFrom,
    Text,
    Timezone,
    UnusedFor,
)
from seatwarden.grammar.calendar_names import month_number, weekday_of
from seatwarden.grammar.printer import print_field, print_operand, quote
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import NOTHING, did_you_mean, no_value
from seatwarden.policy.diagnostics import MAX_FINDINGS, Diagnostic
from seatwarden.policy.not_told import not_told
from seatwarden.policy.vocabulary import VOCABULARY, Type, entry_of, field_help
from seatwarden.policy.zones import is_timezone, timezone_help

MAX_COMPARED = 1_000
"""Most names among which the nearest to a mistyped one is looked for."""
_BARE_FIELDS = tuple(name for name in VOCABULARY if "." not in name)
_ORDERED = ("<", "<=", ">", ">=")
_LITERAL_TYPES = {Text: Type.TEXT, Number: Type.NUMBER, Date: Type.DATE, Boolean: Type.BOOLEAN}
_TYPE_HELP = {
    Type.NUMBER: "write a whole number without quotes",
    Type.DATE: "write a date without quotes: 2026-07-01",
    Type.BOOLEAN: "write true or false without quotes, or the field alone, or `not` before it",
}
_TRUTHS = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}
"""Words of other languages for true and false."""
_MONTH, _WEEKDAY = Field("month"), Field("weekday")
_BEHIND_A_DOT = {name.rpartition(".")[2].casefold(): name for name in VOCABULARY if name[-1] != "@" and "." in name}
"""Fields by what stands behind their first word, which is easily forgotten."""
_SAMPLES = {Type.TEXT: '"…"', Type.NUMBER: "12", Type.DATE: "2026-07-01"}


def check(policy: Policy, names: dict[str, ListOf | Text | Number | Date | Boolean]) -> list[Diagnostic]:
    """The findings of the type check, not sorted; of very many the first.

    `names` are the values of `let` and `set` that could be read.
    """
    return list(islice(_Checker(policy, names).findings(), MAX_FINDINGS))


class _Checker:
    def __init__(self, policy: Policy, names: dict[str, ListOf | Text | Number | Date | Boolean]) -> None:
        self._policy = policy
        self._names = names
        self._different: dict[str, tuple[Literal_, ...]] = {}
        # A `set` whose file could not be read is reported where it is read, not again at each use.
        self._declared = {s.name for s in policy.statements if isinstance(s, Let | SetFrom)}
        # Looking for the nearest of very many names, for each of many unknown ones, would take minutes.
        self._similar = self._declared if len(self._declared) <= MAX_COMPARED else frozenset()

    def findings(self) -> Iterator[Diagnostic]:
        yield from self._statements()
        for rule in self._policy.rules:
            yield from self._condition(rule.condition)

    # statements

    def _statements(self) -> Iterator[Diagnostic]:
        named: dict[str, Let | SetFrom] = {}
        zones: list[Timezone] = []
        limits: dict[tuple[object, ...], Limit] = {}
        for statement in self._policy.statements:
            match statement:
                case Let() | SetFrom():
                    if statement.name in named:
                        yield _twice(
                            f"`{statement.name}` is given a value twice",
                            statement.name_span,
                            named[statement.name].name_span,
                        )
                    named.setdefault(statement.name, statement)
                    if isinstance(statement, Let):
                        yield from self._value(statement.value)
                case Timezone():
                    if zones:
                        yield _twice("the time zone is set twice", statement.span, zones[0].span)
                    zones.append(statement)
                    if not is_timezone(statement.name):
                        message = f"there is no time zone `{statement.name}`"
                        yield _error(
                            "SW208", message, statement.name_span, "not in the IANA list", timezone_help(statement.name)
                        )
                case Limit():
                    key = (statement.license_type, statement.percent is None)
                    if key in limits:
                        yield _twice("the same limit is set twice", statement.span, limits[key].span)
                    limits.setdefault(key, statement)
                case _:
                    pass

    def _value(self, value: Operand) -> Iterator[Diagnostic]:
        if isinstance(value, ListOf):
            first = value.items[0] if value.items else None
            for item in value.items[1:]:
                if type(item) is not type(first):
                    expected = _LITERAL_TYPES[type(first)].value
                    yield _error(
                        "SW103",
                        "the values of a list are of one type",
                        item.span,
                        f"not {expected} like the first",
                        None,
                    )

    # conditions

    def _condition(self, condition: Condition, before: Condition | None = None) -> Iterator[Diagnostic]:
        """Findings of a condition; `before` is the one that `and` or `or` joins it to."""
        match condition:
            case And(operands) | Or(operands):
                for before, operand in zip((None, *operands), operands, strict=False):
                    yield from self._condition(operand, before)
            case Not(operand):
                yield from self._condition(operand)
            case UnusedFor():
                pass
            case IsEmpty(field):
                yield from self._emptiness(field, condition.span)
            case Comparison():
                yield from self._comparison(condition)
            case _:
                yield from self._names_in(condition)
                kind = self._type(condition)
                if kind is not None and kind is not Type.BOOLEAN:
                    shown = print_operand(condition)
                    label = f"{kind.value}, not true or false"
                    help_ = (
                        f"compare it, like `{shown} = {_SAMPLES[kind]}`"
                        if isinstance(condition, Field)
                        else _one_more_value(condition, before)
                    )
                    yield _error("SW104", f"`{shown}` alone is not a condition", condition.span, label, help_)

    def _emptiness(self, field: Field, span: Span) -> Iterator[Diagnostic]:
        """`is empty` asks for what a user may have none of."""
        yield from self._names_in(field)
        entry = entry_of(field)
        if entry is not None and not _may_be_empty(field):
            shown = f"`{print_field(field)}`"
            help_ = f"{shown} is {entry.type.value}: compare it, or leave the question out"
            yield _error("SW105", f"{shown} always has a value", span, "never empty", help_)

    def _comparison(self, comparison: Comparison) -> Iterator[Diagnostic]:
        found = False
        for operand, beside in ((comparison.left, None), (comparison.right, comparison.left)):
            for diagnostic in self._names_in(operand, beside):
                found = True
                yield diagnostic
        left, right = self._type(comparison.left), self._type(comparison.right)
        if found or left is None or right is None:
            return
        operator = comparison.operator
        if left is not right:
            label = f"{right.value}, but {_describe(comparison.left)} is {left.value}"
            help_ = self._type_help(comparison, left)
            yield _error("SW103", f"{left.value} is compared with {right.value}", comparison.right.span, label, help_)
        elif operator == "like" and left is not Type.TEXT:
            yield _error("SW105", f"`like` compares text, not {left.value}", comparison.span, "not text", "use `=`")
        elif operator in _ORDERED and left not in (Type.NUMBER, Type.DATE):
            yield _error(
                "SW105", f"`{operator}` compares numbers and dates", comparison.span, f"this is {left.value}", "use `=`"
            )
        else:
            yield from self._possible_values(comparison)

    def _type_help(self, comparison: Comparison, wanted: Type) -> str | None:
        """A help line: how to write the right side in the type of the left; None where the right side is a field."""
        if isinstance(comparison.right, Field):
            return None
        if comparison.left == _MONTH and (numbers := self._months(comparison.right)):
            return f"months are numbers: {numbers}"
        if isinstance(comparison.right, Name) and wanted in (Type.NUMBER, Type.DATE):
            given = f"`let {comparison.right.name} = [{_SAMPLES[wanted]}]`"
            return f"give the values without quotes, as in {given}; what `set` reads from a file is text"
        if wanted is not Type.TEXT:
            return _TYPE_HELP[wanted]
        entry = entry_of(comparison.left) if isinstance(comparison.left, Field) else None
        if entry and entry.values:
            return f"it is one of {', '.join(quote(value) for value in entry.values)}"
        items = self._items(comparison.right)
        return f"write text in quotes: {quote(print_operand(items[0]))}"

    def _months(self, names: Operand) -> str:
        """The numbers of the months whose names are given; empty where one is none."""
        numbers = [month_number(text.value) for text in self._texts(names)]
        if None in numbers or not numbers:
            return ""
        listed = ", ".join(map(str, numbers))
        return f"[{listed}]" if len(numbers) > 1 else listed

    def _possible_values(self, comparison: Comparison) -> Iterator[Diagnostic]:
        """A field with few possible values is compared with one of them."""
        if comparison.operator == "like":
            return
        for one, other in ((comparison.left, comparison.right), (comparison.right, comparison.left)):
            entry = entry_of(one) if isinstance(one, Field) else None
            for text in self._texts(other) if entry and entry.values else ():
                if entry and text.value.casefold() not in entry.values:
                    help_ = did_you_mean(text.value, entry.values) or f"it is one of {', '.join(entry.values)}"
                    yield _error("SW107", f"`{entry.name}` is never `{text.value}`", text.span, "no such value", help_)
                elif entry and comparison.operator in ("==", "!==") and text.value not in entry.values:
                    label = f"`{comparison.operator}` tells capitals apart"
                    yield _error(
                        "SW107",
                        f"`{entry.name}` is never `{text.value}`",
                        text.span,
                        label,
                        f"write {text.value.casefold()}",
                    )
            if isinstance(one, Field) and one.name == "month" and comparison.operator not in _ORDERED:
                for number in self._numbers(other):
                    if not 1 <= number.value <= 12:
                        yield _error(
                            "SW107", f"there is no month {number.value}", number.span, "months are 1 to 12", None
                        )

    def _texts(self, operand: Operand) -> Iterator[Text]:
        for item in self._items(operand):
            if isinstance(item, Text):
                yield item

    def _numbers(self, operand: Operand) -> Iterator[Number]:
        for item in self._items(operand):
            if isinstance(item, Number):
                yield item

    def _items(self, operand: Operand) -> tuple[Operand, ...]:
        """The values of an operand, each once; named ones at the place that uses the name."""
        if isinstance(operand, Name):
            return tuple(replace(item, span=operand.span) for item in self._named(operand.name))
        return operand.items if isinstance(operand, ListOf) else (operand,)

    def _named(self, name: str) -> tuple[Literal_, ...]:
        """The different values of a name; many rules may use one long list."""
        if name not in self._different:
            value = self._names.get(name)
            items = value.items if isinstance(value, ListOf) else (value,) if value is not None else ()
            self._different[name] = tuple(dict.fromkeys(items))
        return self._different[name]

    def _meant(self, name: str, beside: Operand | None) -> str:
        """The help for a name that nothing has, compared with `beside`."""
        word = name.lower()
        field = beside if isinstance(beside, Field) else None
        if word in NOTHING:
            return no_value(print_field(field)) if field and _may_be_empty(field) else no_value()
        if word in _TRUTHS and field and (entry := entry_of(field)) and entry.type is Type.BOOLEAN:
            return f"write `{_TRUTHS[word]}`, or the field alone, or `not` before it"
        if field == _MONTH and (number := month_number(name)):
            return f"months are numbers: {number}"
        if field == _WEEKDAY and (weekday := weekday_of(name)):
            return f"weekdays are written in quotes: {quote(weekday)}"
        if beside is None and word in _BEHIND_A_DOT:
            return f"did you mean `{_BEHIND_A_DOT[word]}`?"
        # Beside a field it is a value, whatever it is called.
        untold = None if field else not_told(name)
        return did_you_mean(name, (*self._similar, *_BARE_FIELDS)) or untold or f'text is written in quotes: "{name}"'

    def _names_in(self, operand: Operand, beside: Operand | None = None) -> Iterator[Diagnostic]:
        match operand:
            case Field() if entry_of(operand) is None:
                yield _unknown_field(operand)
            case Name(name) if name not in self._declared:
                help_ = self._meant(name, beside)
                yield _error(
                    "SW102", f"unknown name `{name}`", operand.span, "no `let` or `set` gives it a value", help_
                )
            case ListOf():
                yield from self._value(operand)
            case _:
                pass

    def _type(self, operand: Operand) -> Type | None:
        """The type, or None when it is not known (an error reported elsewhere, or an empty list)."""
        match operand:
            case Field():
                entry = entry_of(operand)
                return entry.type if entry else None
            case ListOf(items):
                return self._type(items[0]) if items else None
            case Name(name):
                value = self._names.get(name)
                return self._type(value) if value is not None else None
            case _:
                return _LITERAL_TYPES[type(operand)]


def _may_be_empty(field: Field) -> bool:
    entry = entry_of(field)
    return entry is not None and (entry.type is Type.TEXT or entry.optional)


def _one_more_value(value: Operand, before: Condition | None) -> str:
    """The help for a value alone: `user.tags = "a" or "b"`."""
    if not isinstance(before, Comparison) or not isinstance(before.left, Field) or not isinstance(before.right, Text):
        return "compare a field with it"
    listed = f"[{print_operand(before.right)}, {print_operand(value)}]"
    return f"write `{print_field(before.left)} {before.operator} {listed}`"


def _unknown_field(field: Field) -> Diagnostic:
    shown = print_field(field)
    entry = VOCABULARY.get(field.name)
    if entry is not None and entry.keyed:
        return _error("SW106", f"`{shown}` needs a name", field.span, "which one?", f"like `{entry.example}`")
    return _error("SW101", f"unknown field `{shown}`", field.span, "not a field", field_help(shown))


def _describe(operand: Operand) -> str:
    return f"`{print_field(operand)}`" if isinstance(operand, Field) else "the other side"


def _twice(message: str, span: Span, first: Span) -> Diagnostic:
    return Diagnostic("SW108", "error", message, span, "here again", "remove one of them", ((first, "first here"),))


def _error(code: str, message: str, span: Span, label: str, help_: str | None) -> Diagnostic:
    return Diagnostic(code, "error", message, span, label, help_)
