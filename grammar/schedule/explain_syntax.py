"""Lark's complaints about a schedule text in an administrator's words, with what to write instead."""

import re
from collections.abc import Callable, Iterable, Mapping

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from seatwarden.grammar.calendar_names import MONTHS, WEEKDAYS
from seatwarden.grammar.errors import SyntaxProblem
from seatwarden.grammar.spans import Span
from seatwarden.grammar.suggest import did_you_mean, nearest

_Locate = Callable[[int, int, int, int], Span]

_DAYS = (WEEKDAYS[-1], *WEEKDAYS[:-1])
_SHORT_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_SHORT_MONTHS = ("jan", "feb", "mar", "apr", "aug", "sept", "oct", "nov", "dec")
_UNITS = ("seconds", "minutes", "hours", "days", "weeks", "months", "years")
_ALL_UNITS = (*_UNITS, "day instance", *(unit[:-1] for unit in _UNITS), "sec", "min")

# What may be written for each terminal: to describe what is expected, and to find what was meant.
_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "EVERY": ("every",),
    "AFTER": ("after",),
    "BEFORE": ("before",),
    "ON_THE": ("on the",),
    "ON": ("on",),
    "OF": ("of",),
    "IN": ("in",),
    "AT": ("at",),
    "AND": ("and",),
    "ALSO": ("also",),
    "EXCEPT": ("except",),
    "THROUGH": ("through",),
    "START": ("starting on the", "starting"),
    "BETWEEN": ("between",),
    "FIRST": ("first",),
    "LAST": ("last",),
    "WEEKDAY": ("weekday",),
    "WEEKEND": ("weekend",),
    "HOURS": _ALL_UNITS,
    "DAY_NAME": (*_DAYS, *_SHORT_DAYS),
    "MONTH_NAME": (*MONTHS, *_SHORT_MONTHS),
}
_KINDS = (
    ({"EVERY"}, "`every`, `at`, `on`, `of`, `in`, `except` or `also`"),
    ({"RANK", "WEEKDAY"}, "a number, `weekday` or `weekend`"),
    ({"RANK", "FIRST"}, "a number, `first` or `last`"),
    ({"RANK", "TIME"}, "a time like 2:30, or a number"),
    ({"HOURS"}, "a unit like `hours` or `days`"),
    ({"TIME"}, "a time like 2:30, 14:05 or 9:15 am"),
    ({"DAY_NAME"}, "a day of the week"),
    ({"MONTH_NAME"}, "a month"),
    ({"YEAR"}, "a year of four digits"),
    ({"RANK"}, "a number"),
)
_EXAMPLES = {
    "EVERY": "for example `every 6 hours`, `at 2:30 on mon through fri`, `on the last day of the month`",
    "HOURS": "units are seconds, minutes, hours, days, weeks, months and years",
    "WEEKDAY": "for example `every 6 hours`",
    "FIRST": "for example `on the 15th day`, `on the last day of the month`",
    "TIME": "for example `at 2:30`, `at 8:00 and 17:00`",
    "DAY_NAME": "for example `on mon`, `on mon-fri`, `on sat and sun`",
    "MONTH_NAME": "for example `of january`, `of jan-mar`",
    "YEAR": "for example `in 2027`",
    "RANK": "for example `every 15 minutes starting on the 5th minute`, `every 2 hours between 8 and 18`",
}
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "ten": 10, "twelve": 12, "thirty": 30}
_ORDINALS = {"second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th", "tenth": "10th"}
_INSTEAD_OF_A_START = {
    "hourly": "every 1 hour",
    "daily": "at 0:00",
    "once": "at 0:00",
    "nightly": "at 2:00",
    "weekly": "on mon",
    "monthly": "on the first day of the month",
    "yearly": "on the first day of the year",
    "or": "also",
    ";": "also",
    "&": "also",
    "exception": "except",
    "excluding": "except",
}
_INSTEAD_OF_A_UNIT = {
    "hr": "hours",
    "hrs": "hours",
    "w": "weeks",
    "wk": "weeks",
    "d": "days",
    "y": "years",
    "quarter": "every 3 months",
    "quarters": "every 3 months",
}
_INSTEAD_OF_A_NAME = {"jun": "june", "jul": "july", "sep": "sept", "weds": "wed", "thurd": "thur"}
_STARTED_BY = {"at": "TIME", "on": "DAY_NAME", "of": "MONTH_NAME", "in": "YEAR"}
_TIMES = {"midnight": "0:00", "noon": "12:00", "midday": "12:00"}
_WORD = re.compile(r"[^\W_]+([:.][^\W_]+)*")
_SPACE = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACE += "\u2028\u2029\u202f\u205f\u3000\ufeff"


def problem_from(error: UnexpectedInput, text: str, locate: _Locate) -> SyntaxProblem:
    """The problem in an administrator's words, from the error that Lark raised on `text`."""
    match error:
        case UnexpectedCharacters():
            offset, expected = error.pos_in_stream or 0, set(error.allowed or ())
        case UnexpectedToken(token=Token(type="$END")):
            offset, expected = len(text), set(error.accepts or error.expected)
        case UnexpectedToken(token=token):
            offset, expected = token.start_pos or 0, set(error.accepts or error.expected)
        case _:
            raise error
    label = _expected(expected)
    if offset >= len(text):
        span = _at(text, offset, 1, locate)
        return SyntaxProblem("SW501", "the schedule is unfinished", label, _example(expected), span)
    word = _WORD.match(text, offset)
    shown = word[0] if word else text[offset]
    help_ = _help(shown.lower(), text[:offset].lower(), text, expected) or _example(expected)
    return SyntaxProblem("SW501", f"unexpected `{shown[:40]}`", label, help_, _at(text, offset, len(shown), locate))


def trailing_space(text: str, locate: _Locate) -> SyntaxProblem | None:
    """The problem of a text that ends in space, which `later` refuses too."""
    kept = len(text.rstrip(_SPACE))
    if kept == len(text):
        return None
    if not kept:
        help_ = "write a schedule like `every 6 hours`, or nothing at all"
        return SyntaxProblem("SW501", "the schedule is blank", "only space", help_, _at(text, 0, 1, locate))
    span = _at(text, kept, len(text) - kept, locate)
    return SyntaxProblem("SW501", "the schedule ends in space", "remove it", None, span)


def _at(text: str, offset: int, length: int, locate: _Locate) -> Span:
    before = text[:offset]
    line = before.count("\n") + 1
    column = offset - (before.rfind("\n") + 1) + 1
    return locate(line, column, line, column + length)


def _expected(expected: set[str]) -> str:
    for kind, words in _KINDS:
        if kind <= expected:
            return f"expected {words}"
    spelled = sorted(f"`{_SPELLINGS[terminal][0]}`" for terminal in expected if terminal in _SPELLINGS)
    return f"expected {' or '.join(spelled)}" if spelled else "not expected here"


def _example(expected: set[str]) -> str | None:
    return next((example for terminal, example in _EXAMPLES.items() if terminal in expected), None)


def _help(word: str, before: str, text: str, expected: set[str]) -> str | None:
    """A help line: what to write instead of `word`, behind `before`; None where nothing is known to be meant."""
    if re.match(r"[\d*]\S*(\s+[\d*]\S*){4}", text) or before.endswith("@"):
        return "this is cron's language; here it is `every 6 hours`, `at 2:30 on mon through fri`"
    if (found := _superfluous(word, before, expected)) is not None:
        return found
    if "EVERY" in expected and (found := _instead_of_start(word, before)):
        return found
    if "WEEKDAY" in expected and (found := _instead_of_step(word)):
        return found
    if "TIME" in expected and (found := _instead_of_time(word)):
        return found
    if "HOURS" in expected and (found := _instead_of_unit(word)):
        return found
    if "FIRST" in expected and word in _ORDINALS:
        return f"write `{_ORDINALS[word]}`"
    if "DAY_NAME" in expected and ":" in word:
        return f"write `at {word}`"
    if "DAY_NAME" in expected and word[:1].isdigit():
        return f"write `on the {word} day`"
    if "YEAR" in expected and nearest(word, (*MONTHS, *_SHORT_MONTHS)):
        return f"write `of {_month(word)}`"
    if "MONTH_NAME" in expected and re.fullmatch(r"\d{4}", word):
        return f"write `in {word}`"
    if expected & {"DAY_NAME", "MONTH_NAME"} and word in _INSTEAD_OF_A_NAME:
        return f"did you mean `{_INSTEAD_OF_A_NAME[word]}`?"
    # Of the words that start a part many are short, and near to any other short word.
    return did_you_mean(word, [known for known in _spelled(expected) if "EVERY" not in expected or known[0] == word[0]])


def _spelled(expected: Iterable[str]) -> list[str]:
    return [spelling for terminal in sorted(expected) for spelling in _SPELLINGS.get(terminal, ())]


def _superfluous(word: str, before: str, expected: set[str]) -> str | None:
    """Help for words that are right in English, and wrong here."""
    behind = before.split()[-1:] or [""]
    if behind[0].endswith(("and", ",")) and word in ("at", "on", "of", "in", "every"):
        if expected == {_STARTED_BY.get(word)}:
            return f"leave out the second `{word}`: the list goes on"
        return "leave out the `and`: parts follow one another, and `also` joins schedules"
    if re.search(r"\bbetween\b[^a-z]*$", before):
        if word == "to":
            return "write `and`: `between 5 and 10`"
        if word[0] == ":" or word in ("am", "pm"):
            return "between stand whole numbers of the unit, hours from 0 to 23: `every 1 hour between 9 and 17`"
    if word == "the" and "MONTH_NAME" in expected:
        return "`of` takes a month: `of january`"
    if word == "the" and "RANK" in expected:
        return "leave out `the`"
    return None


def _instead_of_start(word: str, before: str) -> str | None:
    if word in _INSTEAD_OF_A_START:
        return f"write `{_INSTEAD_OF_A_START[word]}`"
    if word.startswith(":") and before[-1:].isdigit():
        return "a time has no seconds here; add `on the 30th second` to fire on one"
    if word.startswith(("am", "pm", "a.m", "p.m")):
        return "am and pm stand behind an hour from 1 to 12, with at most one space"
    if re.fullmatch(r"\d?\d:\d\d", word):
        return f"write `at {word}`"
    if word in (*_DAYS, *_SHORT_DAYS):
        return f"write `on {word}`"
    if word in (*MONTHS, *_SHORT_MONTHS):
        return f"write `of {word}`"
    if re.fullmatch(r"every\d+", word):
        return f"put a space behind `every`: `every {word[5:]}`"
    if re.fullmatch(r"\d+", word) and not before.strip():
        return "put `every` in front"
    return None


def _instead_of_step(word: str) -> str | None:
    if word in _ALL_UNITS:
        return f"write the number too: `every 1 {word}`"
    if (joined := re.fullmatch(r"(\d+)([a-z]+)", word)) is not None:
        return f"put a space between number and unit: `{joined[1]} {joined[2]}`"
    if word in _NUMBERS:
        return f"write `{_NUMBERS[word]}`"
    if word == "other":
        return "write `every 2`"
    if word in ("first", "last"):
        return f"write `on the {word}`"
    if (day := nearest(word, (*_DAYS, *_SHORT_DAYS))) is not None:
        return f"write `on {day}`"
    return None


def _instead_of_time(word: str) -> str | None:
    if word in _TIMES:
        return f"write `{_TIMES[word]}`"
    if (hour := re.fullmatch(r"(\d?\d)(am|pm)?", word)) is not None and int(hour[1]) < 24:
        return f"write the minutes too: `{hour[1]}:00{' ' + hour[2] if hour[2] else ''}`"
    if (dotted := re.fullmatch(r"(\d?\d)[.h](\d\d)", word)) is not None:
        return f"write `{dotted[1]}:{dotted[2]}`"
    if re.match(r"(0?0|1[3-9]|2[0-3]):\d\d[ap]m", word):
        return "am and pm stand behind an hour from 1 to 12"
    if word[:1].isdigit():
        return "hours go from 0 to 23, minutes from 00 to 59"
    return None


def _instead_of_unit(word: str) -> str | None:
    if word in _INSTEAD_OF_A_UNIT:
        return f"write `{_INSTEAD_OF_A_UNIT[word]}`"
    if word in (*_DAYS, *_SHORT_DAYS):
        return f"the first {word} of a month is `on the first day instance on {word}`"
    return None


def _month(word: str) -> str:
    return _INSTEAD_OF_A_NAME.get(word) or nearest(word, (*MONTHS, *_SHORT_MONTHS)) or word
