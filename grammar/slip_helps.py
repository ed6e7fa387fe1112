"""What a slip is, and the helps that are computed from what was typed: days, dates, lists and fields."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from seatwarden.grammar.calendar_names import date_from, month_number, weekday_of
from seatwarden.grammar.errors import shown
from seatwarden.grammar.suggest import no_value

Match: TypeAlias = re.Match[str]
Help: TypeAlias = str | Callable[[Match, Match], str]

FIELD = r"(?:\b(?:user|license)\b[\w.@]*(?:\"[^\"\n]*\")?|\b(?:today|month|weekday)\b)"
TEXT = r"(?:\"[^\"\n]*\"|'[^'\n]*')"
VALUE = rf"(?:{TEXT}|\d{{4}}-\d\d-\d\d|\d{{1,9}})"
VALUES = rf"{VALUE}(?:\s*[,;]\s*{VALUE})*"
TYPE = "(?:professional|analyzer)"
DAYS = r"[\"']?(\d{1,6})[\"']?[ \t_-]*((?:(?:calendar|business|working|full|whole)[ \t]+)?[a-z]+)?"
"""A number and its unit, in quotes or not."""
NEVER_EMPTY = re.compile(r"(?:createdDate|inactive|blocked|removedExternally|Prohibited|neverUsed|excess|Days)$")
"""Fields that always have a value."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip: what stands before the place where reading ended, what stands at it, and the help, whatever the case.

    `where` is a terminal that could have stood there. In `help`, `{a1}` is the first group of `at`, `{b1}` that of
    `before`, and `{user}` what `whose` says, `{whose}` the first word of the fields that go with it.

    The patterns are texts: who makes no mistake does not wait until a hundred of them are compiled.
    """

    before: str
    at: str
    help: Help
    where: str = ""


_CLAUSE = re.compile(r"\b(?:when|and|or|let\s+\w+)\b|&&|\|\|", re.IGNORECASE)
"""What stands before a condition."""
_USER = re.compile(
    r"\b(?:users?(?:'s)?|people|everyone|everybody|who)\b(?!\.(?!un|not|last|inactive|idle|disused|dormant))"
    r"|\b(?:all|every|each|any|both)\s+(?:[a-z]+\s+){0,2}licen[sc]es?\b",
    re.IGNORECASE,
)


def whose(before: Match, at: Match) -> str:
    """`user ` where the disuse of all licenses of a user is asked for; left out, a rule would release more."""
    said = re.sub(r"#[^\n]*", "", before.string)
    return "user " if _USER.search(_CLAUSE.split(said)[-1] + at[0]) else ""


def days_unused(before: Match, at: Match) -> str:
    """The help for disuse, counted in whatever unit."""
    count, unit = _counted(before, at)
    return count if not unit else f"write `{whose(before, at)}unused for {count} {unit}`"


def days_used(before: Match, at: Match) -> str:
    """The help for the opposite of disuse, as in "used in the last 30 days"."""
    count, unit = _counted(before, at)
    if not unit:
        return count
    disuse = f"{whose(before, at)}unused for {count} {unit}`"
    denied = re.search(r"\bnot\s+(?:users?\s+)?\Z", before.string[: before.start()], re.IGNORECASE)
    return f"leave `not` out and write `{disuse}" if denied else f"write `not {disuse}"


def used_since(before: Match, at: Match) -> str:
    """The help for disuse since a day."""
    return f"write `{whose(before, at).strip() or 'license'}.lastUsed < {at[1]}`"


def _counted(before: Match, at: Match) -> tuple[str, str]:
    """The number and the unit that are meant; of a unit that is not counted the help, and no unit."""
    found = [*before.groups(), *at.groups()]
    number = next(n for n, group in enumerate(found) if group and group.isdigit())
    count, rest = int(found[number] or 0), (found[number + 1 :] or [None])[0]
    unit = (rest or "days").split()[-1].lower()
    if unit[0] in "mqy" and not unit.startswith("min"):
        days = {"m": 30, "q": 91, "y": 365}[unit[0]] * count
        named = {"m": "months", "q": "quarters", "y": "years"}[unit[0]]
        return f"{named} are not all of one length: write days, like `{whose(before, at)}unused for {days} days`", ""
    if unit.startswith(("h", "min", "s")):
        return f"whole days are counted: `{whose(before, at)}unused for {max(1, -(-count // 24))} days`", ""
    return str(count), "weeks" if unit.startswith("w") and not unit.startswith("wo") else "days"


_UNITS = {"d": 1, "m": 30, "q": 91, "y": 365}
_NOT_DAYS = {"m": "months", "q": "quarters", "y": "years"}
UNIT = r"(days?|d|weeks?|w|months?|mon|m|quarters?|q|years?|y)\b"


def _in_days(count: str, unit: str, written: str) -> str:
    """The help for a time in any unit; `{}` in `written` is the time in days."""
    letter = unit[0].lower()
    help_ = written.format(f"{count} weeks" if letter == "w" else f"{int(count) * _UNITS[letter]} days")
    named = _NOT_DAYS.get(letter)
    return f"{named} are not all of one length: write days, like `{help_}`" if named else f"write `{help_}`"


def months_as_days(before: Match, at: Match) -> str:
    """The help for a date that is moved by months or years."""
    return _in_days(before[2], at[1], f"today {before[1]} {{}}")


def length_named(before: Match, at: Match) -> str:
    """The help for a name of a time in another unit."""
    return _in_days(before[2], at[1], f"let {shown(before[1])} = {{}}")


def noticed(before: Match, at: Match) -> str:
    """The help for a notice in another unit."""
    return _in_days(before[1], at[1], "after notice of {}")


def reminded(before: Match, at: Match) -> str:
    """The help for a reminder in another unit."""
    return _in_days(before[1], at[1], "reminder {} before")


def guaranteed_before(before: Match, at: Match) -> str:
    """The help for a guarantee with a time in another unit or behind another word."""
    count, unit = [group for group in (*before.groups(), *at.groups()) if group][-2:]
    return _in_days(count, unit, "never release before {}")


def lately(before: Match, at: Match) -> str:
    """The help for a date in the last days."""
    return _in_days(at[1], at[2], f"{shown(before[1])} > today - {{}}")


_SEASON = "days of every year stand in a season, like `today from 12-15 to 01-10`"


def added(before: Match, at: Match) -> str:
    """The help for weeks and days that are counted together."""
    if before[3].lower() == "or":
        return "one number counts, like `30 days`"
    parts = ((before[1], before[2]), (before[4], at[1]))
    return f"one number counts: {sum(int(n) * (7 if unit[0] in 'wW' else 1) for n, unit in parts)} days"


def season(before: Match, at: Match) -> str:
    """The help for a comparison with a day of every year."""
    operator, day = before[1], _month_day(before[2], at[1])
    also = re.match(r"-\d+\s+and\s+today\s*([<>=]+)\s*(\d\d-\d\d)(?!-?\d)", at.string, re.IGNORECASE)
    second = re.search(r"\btoday\s*[<>]=?\s*[\d-]+\s+and\s+\Z", before.string[: before.start()], re.IGNORECASE)
    if day is None or second or (also and {operator, also[1]} != {"<=", ">="}):
        return _SEASON
    ends = {"=": (day, day), "==": (day, day), ">=": (day, also[2] if also else "12-31")}
    ends |= {"!=": (day, day), "<=": (also[2] if also else "01-01", day)}
    if operator not in ends:
        return _SEASON
    return f"write `{'not ' if operator == '!=' else ''}today from {ends[operator][0]} to {ends[operator][1]}`"


def seasons(before: Match, at: Match) -> str:
    """The help for a list of days of every year."""
    days = [_month_day(*found) for found in re.findall(r"(\d{1,2})-(\d{1,2})", before[1] + at[0])]
    joined = " or ".join(f"today from {day} to {day}" for day in days)
    if None in days:
        return _SEASON
    return f"write `({joined})`" if len(days) > 1 else f"write `{joined}`"


def _month_day(month: str, day: str) -> str | None:
    written = f"{int(month):02}-{int(day):02}"
    return written if date_from(f"2000-{written}") else None


def never(before: Match, at: Match) -> str:
    """The help for who never used a license, or none at all."""
    no = "!" in before[0] or re.search(r"\bis\s+not\b|\bisn'?t\b", before[0], re.IGNORECASE)
    if whose(before, at):
        return f"write `user.lastUsed is {'not ' if no else ''}empty`"
    return f"write `{'not ' if no else ''}never used`"


def arithmetic(before: Match, at: Match) -> str:
    """The help for sums: those with the day of the last use are disuse, all others cannot be said."""
    used = re.search(r"license\.lastUsed\s*([<>])=?\s*(?:today|now)\s*\Z", before.string, re.IGNORECASE)
    days = re.match(r"-\s*(\d{1,6})", at.string)
    if used and days:
        return f"write `{'' if used[1] == '<' else 'not '}unused for {days[1]} days`"
    return "there is no arithmetic: compare with a number or a date as it is, like 2027-02-28"


def date(before: Match, at: Match) -> str:
    """The help for dates as other countries, Excel and clocks write them."""
    written = (before[0] + at[0]).strip().lower()
    words = re.findall(r"\d+|[a-z]{3,}", written)
    months = [n for n in map(month_number, words) if n]
    numbers = [word for word in words if word.isdigit()]
    year = next((n for n in numbers if len(n) == 4), None)
    rest = [int(n) for n in numbers if n != year]
    example = "dates are written year-month-day: 2027-02-28"
    if year is None:
        return example
    if months:
        return _iso(year, months[0], rest[0]) if rest else example
    if len(rest) == 1:
        return f"a date has a day, too: {year}-{rest[0]:02}-01" if 1 <= rest[0] <= 12 else example
    # But with points the month may stand first: which of both is meant cannot be known.
    if len(rest) != 2 or (re.search("[/-]", written) and not written.startswith(year)):
        return example
    day, month = reversed(rest) if written.startswith(year) else rest
    return _iso(year, month, day)


def _iso(year: str, month: int, day: int) -> str:
    possible = 1 <= month <= 12 and 1 <= day <= 31
    written = f"{year}-{month:02}-{day:02}" if possible else "2027-02-28"
    return f"dates are written year-month-day: {written}"


def months(before: Match, at: Match) -> str:
    """The help for a span of months: each is listed, also over the turn of the year."""
    first, last = map(int, (*before.groups(), *at.groups()))
    if not (1 <= first <= 12 and 1 <= last <= 12):
        return "a list is written in brackets: [11, 12]"
    listed = [(n - 1) % 12 + 1 for n in range(first, (last if last >= first else last + 12) + 1)]
    equal = "" if "=" in before[0] else "month = "
    return f"months are listed: {equal}[{', '.join(map(str, listed))}]"


def of_calendar(before: Match, at: Match) -> str:
    """The help for names of months and weekdays."""
    number, weekday = month_number(at[1]), weekday_of(at[1])
    if before[1].lower() == "month" and number:
        return f"months are numbers: {number}"
    return f'weekdays are written in quotes: "{weekday}"' if weekday else f'text is written in quotes: "{shown(at[1])}"'


def emptiness(before: Match, at: Match) -> str:
    """How to say that a field has no value; the field is what the patterns caught, if they caught one."""
    field = next((g for g in (*before.groups(), *at.groups()) if g and re.fullmatch(FIELD, g, re.IGNORECASE)), None)
    field = re.sub(r"\.(?:is)?_?(?:empty|null|blank)$", "", field, flags=re.IGNORECASE) if field else None
    return no_value(shown(field)) if field and not NEVER_EMPTY.search(field) else no_value()


def how_many(before: Match, at: Match) -> str:
    """The help for who counts the values of a field: only whether there is one can be asked."""
    field = next(g for g in (*before.groups(), *at.groups()) if g and re.fullmatch(FIELD, g, re.IGNORECASE))
    field = re.sub(r"\.(?:length|len|size|count)$", "", field, flags=re.IGNORECASE)
    asked = re.search(r"(==?|!=|<=?|>=?)\s*([01])\b", at[0])
    none, some = (("=", "0"), ("==", "0"), ("<", "1"), ("<=", "0")), ((">", "0"), (">=", "1"), ("!=", "0"))
    if asked and asked.groups() in none + some:
        return f"write `{shown(field)} is {'' if asked.groups() in none else 'not '}empty`"
    return f"how many values it has is not asked; whether it has any: `{shown(field)} is not empty`"


_OF_USER = {
    "tag": "user.tags", "tags": "user.tags", "role": "user.roles", "roles": "user.roles", "user": "user",
    "users": "user", "userdirectory": "user.userDirectory", "userdir": "user.userDirectory",
    "directory": "user.userDirectory", "userid": "user.userId", "id": "user.userId", "name": "user.name",
    "group": "user.attributes.group",
}  # fmt: skip
"""Fields by what people and Butler call them in a list of exceptions."""
WHO = "(?:" + "|".join(sorted(_OF_USER, key=len, reverse=True)) + ")"


def keep_when(before: Match, at: Match) -> str:
    """The help for a rule that names a word and a value: `keep tag "vip"`."""
    return f"write `keep when {_OF_USER[at[1].lower()]} = {shown(at[2])}`"


def listed(before: Match, at: Match) -> str:
    """The help for a list in other brackets, or with semicolons."""
    return f"a list is written in brackets: [{shown(with_commas(at[1]))}]"


def with_commas(text: str) -> str:
    """Values with commas between them, whatever stood there; any other text as it is."""
    return ", ".join(re.findall(VALUE, text)) if re.fullmatch(VALUES, text) else text


_COMPARED = {
    "more": ">", "greater": ">", "bigger": ">", "higher": ">", "above": ">", "over": ">", "after": ">", "since": ">=",
    "less": "<", "smaller": "<", "fewer": "<", "lower": "<", "below": "<", "under": "<", "before": "<",
    "least": ">=", "most": "<=", "gt": ">", "lt": "<", "gte": ">=", "ge": ">=", "lte": "<=", "le": "<=", "ne": "!=",
}  # fmt: skip
COMPARED = "(" + "|".join(sorted(_COMPARED, key=len, reverse=True)) + ")"


def compared(before: Match, at: Match) -> str:
    """The help for a comparison in words."""
    operator = _COMPARED[at[1].lower()]
    equal = len(operator) == 1 and re.search("or equal", at.string[:40], re.IGNORECASE)
    return f"write `{operator}{'=' if equal else ''}`"


_PERIOD = re.compile(
    r"(?:\b(?:per|an?|each|every|in|within)\s+|/\s*)(?:a\s+)?(\d{1,3})?\s*(day|week|month|quarter|year)s?\b"
    r"|\b(dai|week|month|quarter|year)ly\b",
    re.IGNORECASE,
)
_PERIODS = {"day": 1, "dai": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}


def _per(text: str) -> str:
    """The period of a limit that is written in whatever words; the run where none is."""
    found = _PERIOD.search(text)
    if found is None:
        return "per run"
    return f"per {int(found[1] or 1) * _PERIODS[(found[2] or found[3]).lower()]} days"


def per(before: Match, at: Match) -> str:
    """The help for the period of a limit."""
    return f"write `{_per('per ' + at[0])}`"


def limit_alone(before: Match, at: Match) -> str:
    """The help for what YAML has as a limit."""
    return f"write `{_limit(before, at)}`"


def limit(before: Match, at: Match) -> str:
    """The help for a limit in other words: how many, of what, in which time."""
    return f"write `limit release to {_limit(before, at)}`"


def _limit(before: Match, at: Match) -> str:
    line = before.string.rpartition("\n")[2] + re.split(r"[\n#]", at.string)[0]
    line = line[max(0, line.lower().rfind("limit")) :]
    amount = re.search(r"(\d{1,6})\s*(%|percent|pct|per\s*cent|prozent)?", line, re.IGNORECASE)
    of = re.search(rf"\b{TYPE}", line, re.IGNORECASE)
    count = f"{amount[1]}{'%' if amount[2] else ''}" if amount else "50"
    longest = ", longest unused first" if re.search(r"\blongest\b", line, re.IGNORECASE) else ""
    return f"{count}{f' of {of[0].lower()}' if of else ''} {_per(line)}{longest}"
