"""The helps of the type check: what was meant by a name or a value that is none, or stands in the wrong place."""

from collections.abc import Callable, Iterable

from seatwarden.grammar.ast import (
    Comparison,
    Condition,
    Field,
    Literal_,
    Operand,
    ReadAs,
    Shifted,
    Text,
)
from seatwarden.grammar.calendar_names import month_number, weekday_of
from seatwarden.grammar.printer import print_field, print_operand, quote
from seatwarden.grammar.suggest import NOTHING, did_you_mean, nearest, no_value
from seatwarden.policy.not_told import not_told
from seatwarden.policy.vocabulary import VOCABULARY, FieldEntry, Type, entry_of, field_help

TYPE_HELP = {
    Type.NUMBER: "write a whole number without quotes",
    Type.DATE: "write a date without quotes: 2026-07-01",
    Type.BOOLEAN: "write true or false without quotes, or the field alone, or `not` before it",
}
"""How a value of that type is written."""


TODAY = Field("today")
READ = {"date": Type.DATE, "number": Type.NUMBER}
"""The type of what is read out of a text, by the word before the parenthesis."""


def read_instead(left: Operand, right: Operand, type_of: Callable[[Operand], Type | None]) -> str | None:
    """The help where a property or an attribute, which is text, stands beside a date or a number."""
    for text, other in ((left, right), (right, left)):
        word = next((word for word, read in READ.items() if read is type_of(other)), None)
        if isinstance(text, Field) and (entry := entry_of(text)) is not None and entry.keyed and word is not None:
            return f"to read the text as a {word}, write `{word}({print_field(text)})`"
    return None


def moved_text(shifted: Shifted) -> str | None:
    """The help where a property or an attribute, which is text, is moved by days."""
    base = shifted.base
    if isinstance(base, Field) and (entry := entry_of(base)) is not None and entry.keyed:
        return f"to read the text as a date, write `date({print_field(base)})`"
    return None


_DAYS = {
    "tomorrow": "today + 1 days", "yesterday": "today - 1 days",
    **dict.fromkeys(("now", "current_date", "currentdate", "getdate", "sysdate"), "today"),
}  # fmt: skip
"""What other languages call the day of the run, and those around it."""


def meant_as_day(word: str, beside: Operand | None) -> str | None:
    """The help for a name that is a day elsewhere, or a day of the week beside `today`."""
    if isinstance(beside, Field) and ((entry := entry_of(beside)) is None or entry.type is not Type.DATE):
        return None
    weekday = weekday_of(word) if beside == TODAY else None
    if weekday:
        return f"the day of the week is `weekday`: write it for `today`, and {quote(weekday)} in quotes"
    return f"write `{_DAYS[word.lower()]}`" if word.lower() in _DAYS else None


def text_beside_day(comparison: Comparison) -> str | None:
    """The help where a date is compared with a text that says `never` or names a day of the week."""
    field, text = comparison.left, comparison.right
    if not isinstance(text, Text) or not isinstance(field, Field):
        return None
    if field == TODAY and (weekday := weekday_of(text.value)):
        return f"write `weekday {comparison.operator} {quote(weekday)}`"
    if text.value.casefold() != "never" or comparison.operator not in ("=", "==", "!=", "!=="):
        return None
    no = "not " if comparison.operator.startswith("!") else ""
    said = {"license.lastUsed": f"{no}never used", "user.lastUsed": f"user.lastUsed is {no}empty"}
    return f"write `{said[field.name]}`" if field.name in said else None


def of_the_user(field: Field) -> str | None:
    """The help for a field of the license that only a user has."""
    meant = field.but(name=field.name.replace("license.", "user.", 1))
    return f"did you mean `{print_field(meant)}`?" if entry_of(field) is None and entry_of(meant) else None


def not_text(read: ReadAs) -> tuple[str, str | None] | None:
    """The label and the help where a field is read as a date or a number that is no text anybody writes."""
    entry = entry_of(read.field)
    if entry is None or (entry.type is Type.TEXT and not entry.values):
        return None
    help_ = f"write `{print_field(read.field)}` alone" if entry.type is READ[read.kind] else None
    return "one of a few words" if entry.values else f"this is {entry.type.value}", help_


def may_be_empty(field: Field) -> bool:
    """Whether somebody may have no value of a field."""
    entry = entry_of(field)
    return entry is not None and (entry.type is Type.TEXT or entry.optional)


def nearest_value(text: str, entry: FieldEntry) -> str | None:
    """The help for a text that is none of the few that a field can have, if it is like one."""
    weekday = weekday_of(text) if entry.name == "weekday" else None
    return f"did you mean `{weekday}`?" if weekday else did_you_mean(text, entry.values)


def meant_as_text(name: str, beside: Field | None) -> str:
    """The help for a name where a value stands."""
    if beside == Field("user"):
        return f'text is written in quotes, a user with the directory: "DIRECTORY\\{name}"'
    entry = entry_of(beside) if beside else None
    if entry and entry.type is not Type.TEXT:
        return TYPE_HELP[entry.type]
    return f'text is written in quotes: "{name}"'


def meant_as_field(name: str, beside: Field | None) -> str:
    """The help for a name that something is compared with: a field, unless a field is what it is compared with."""
    if beside:
        return meant_as_text(name, beside)
    found = nearest(name, VOCABULARY, least=0.85)
    return f"did you mean `{found}`?" if found else field_help(f"user.{name}") or meant_as_text(name, beside)


def one_more_value(value: Operand, before: Condition | None, both: bool) -> str:
    """The help for a value alone, as in `user.tags = "a" or "b"`; `before` is the condition it is joined to.

    A list holds when any of its values does, so `a and b` is one only where it is denied.
    """
    written = print_operand(value)
    if not isinstance(before, Comparison) or not isinstance(before.left, Field):
        return (
            f"compare a field with it, like `user.tags = {written}`"
            if isinstance(value, Text)
            else "compare a field with it"
        )
    listed = (
        f"[{print_operand(before.right)}, {written}]"
        if isinstance(before.right, Literal_) and (not both or before.operator in ("!=", "!=="))
        else written
    )
    return f"write `{print_field(before.left)} {before.operator} {listed}`"


_BARE_FIELDS = tuple(name for name in VOCABULARY if "." not in name)
_TRUTHS = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}
"""Words of other languages for true and false."""
_MORE = "leave it out: `for 30 days` holds from 30 days on"
_WEEKEND = 'write `weekday = ["saturday", "sunday"]`'
_ADDED = {"more": _MORE, "longer": _MORE, "older": _MORE, "weekend": _WEEKEND, "weekends": _WEEKEND}
"""What people add in words of their own."""
MONTH, _WEEKDAY = Field("month"), Field("weekday")
_READABLE = {"date": "user.@ContractEnd", "number": "user.@KeepDays"}
"""Fields that are often read as a date or a number."""
_BEHIND_A_DOT = {name.rpartition(".")[2].casefold(): name for name in VOCABULARY if name[-1] != "@" and "." in name}
"""Fields by what stands behind their first word, which is easily forgotten."""


def meant_by_name(
    name: str, beside: Operand | None, names: Iterable[str], else_: Callable[[str, Field | None], str]
) -> str:
    """The help for a name that nothing has, compared with `beside`; `names` are those that there are, `else_` says
    what to do where it is like no other."""
    word = name.lower()
    field = beside if isinstance(beside, Field) else None
    if word in NOTHING:
        return no_value(print_field(field)) if field and may_be_empty(field) else no_value()
    if word in _TRUTHS and field and (entry := entry_of(field)) and entry.type is Type.BOOLEAN:
        return f"write `{_TRUTHS[word]}`, or the field alone, or `not` before it"
    if (day := meant_as_day(name, beside)) is not None:
        return day
    if word in READ and field and (entry := entry_of(field)) and entry.type is not READ[word]:
        return else_(name, field)
    if word in READ:
        return f"what is read stands behind it, in parentheses: {word}({_READABLE[word]})"
    if field == MONTH and (number := month_number(name)):
        return f"months are numbers: {number}"
    if field == _WEEKDAY and (weekday := weekday_of(name)):
        return f"weekdays are written in quotes: {quote(weekday)}"
    if field is None and word in _ADDED:
        return _ADDED[word]
    if field is None and word in _BEHIND_A_DOT:
        return f"did you mean `{_BEHIND_A_DOT[word]}`?"
    # Beside a field it is a value, whatever it is called.
    untold = None if field else not_told(name)
    known = [bare for bare in (*names, *_BARE_FIELDS) if field is None or bare != field.name]
    return did_you_mean(name, known) or untold or else_(name, field)
