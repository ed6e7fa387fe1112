"""Slips: what people write, brought along from other languages or half remembered, and what they meant.

One table. A slip is known by the text where reading ended and by what stands before it; its help writes what was meant
in the words of the language.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from seatwarden.grammar.calendar_names import month_number, weekday_of
from seatwarden.grammar.errors import shown

MOST = 200
"""Most characters before and behind the place that are looked at."""


@dataclass(frozen=True, slots=True)
class Slip:
    """A slip. `at` matches where reading ended, `before` what stands before it, whatever the case; in `help`, `{a1}` is
    the first group of `at`, `{b1}` that of `before`.

    The patterns are texts: who makes no mistake does not wait until a hundred of them are compiled.
    """

    at: str
    before: str
    help: str | Callable[[re.Match[str], re.Match[str]], str]


def _slip(before: str, at: str, help_: str | Callable[[re.Match[str], re.Match[str]], str]) -> Slip:
    return Slip(at, rf"(?:{before})\Z", help_)


def _in_days(before: re.Match[str], at: re.Match[str]) -> str:
    """The help for months, years and hours: how long those are is not said, so nobody counts them."""
    count, unit = int(before[1][:6]), at[1].lower()
    days = {"m": 30, "y": 365, "q": 91}.get(unit[0])
    if unit.startswith(("h", "min", "s")) or days is None:
        return f"whole days are counted: `unused for {max(1, count // 24)} days`"
    return f"{unit} are not all of one length: write days, like `unused for {count * days} days`"


def _date(before: re.Match[str], at: re.Match[str]) -> str:
    parts = (before[0] + at[0]).strip().split(".")
    if len(parts) != 3 or int(parts[1]) > 12:  # with slashes the month may stand first
        return "dates are written year-month-day: 2027-02-28"
    day, month, year = parts
    return f"dates are written year-month-day: {year}-{int(month):02}-{int(day):02}"


def _of_calendar(before: re.Match[str], at: re.Match[str]) -> str:
    number, weekday = month_number(at[1]), weekday_of(at[1])
    if before[1].lower() == "month" and number:
        return f"months are numbers: {number}"
    return f'weekdays are written in quotes: "{weekday}"' if weekday else f'text is written in quotes: "{shown(at[1])}"'


_FIELD = r"(?:user|license)[\w.@]*"
_TEXT = r"(?:\"[^\"\n]*\"|'[^'\n]*')"
_TYPE = "(?:professional|analyzer)"

SLIPS = (
    # Disuse
    _slip(r"\bunused\s+(?:since\s+|over\s+|more than\s+)?", r"(\d{1,6})\s*(day|week)?", "write `unused for {a1} days`"),
    _slip(r"\bunused\s+", r"(?:since|over|more|longer|at)\b", "write `unused for 30 days`"),
    _slip(r"\bnot\s+", r"used\s+for\s+(\d{1,6})", "write `unused for {a1} days`"),
    _slip(r"\bnot\s+", r"used\b", "write `never used`, or `unused for 30 days`"),
    _slip(r"\bunused\s+", r"[<>=!]+\s*(\d{1,6})",
          "write `unused for {a1} days`, or compare `license.unusedDays > {a1}`"),
    _slip(r"\bfor\s+(\d{1,6})\s*", r"(month|months|mo|m|quarter|quarters|q|year|years|y|hour|hours|h)\b", _in_days),
    _slip(r"\bfor\s+(\d{1,6})\s*", r"(?:d|dd|tage?n?|jours?|d[ií]as?)\b", "write `unused for {b1} days`"),
    _slip(r"\bfor\s+(\d{1,6})\s*", r"(?:w|wk|wks)\b", "write `unused for {b1} weeks`"),
    _slip(r"\bfor\s+\d{1,6}", r",\d", "only whole days are counted"),
    _slip(rf"({_FIELD})\s*(<=|>=|=|<|>)\s*(\d{{1,6}})\s+", r"(?:days?|weeks?)\b", "leave it out: `{b1} {b2} {b3}`"),
    _slip(r"\b(?:today|Date)\s*", r"[-+]\s*(\d{1,6})", "there is no arithmetic; write `unused for {a1} days`, "
          "or compare with a date like 2027-02-28"),
    _slip(rf"({_FIELD})\s+", r"between\s+(\d{1,9})\s+and\s+(\d{1,9})", "write `{b1} >= {a1} and {b1} <= {a2}`"),
    _slip(r"\buntil\s+", r"[\"'](\d{4}-\d\d-\d\d)[\"']", "a date has no quotes: until {a1}"),
    # How a rule begins
    _slip(r"(?:^|\n)\s*release\s+", r"(?:token|user|login)s?\b(?!\.)",
          "license types are `professional` and `analyzer`"),
    _slip(r"(?:^|\n)\s*(keep|release)\s+(?:(?:professional|analyzer)\s+)?",
          r"(?!when\b|until\b|if\b|unused\b|never\b|not\b|analys|analiz|prof|licen|user\b|license\b|and\b|or\b)"
          r"([a-z][\w-]*(?:[ \t]+(?!when\b)[\w-]+){0,4})[ \t]+when\b",
          'a rule\'s name stands in quotes: {b1} "{a1}" when'),
    _slip(r"\b(?:keep|release)\s+", r"licen[sc]es?\b", "name a type, `professional` or `analyzer`, or none for both"),
    _slip(rf"\b({_TYPE})\s+", rf"(?:and|or|&)\s+({_TYPE})", "write `{b1}, {a1}`, or no type for both"),
    _slip(r"(?:^|\n)\s*", r"never\s*release\s+when\b", "write `keep when`"),
    _slip(r"(?:^|\n)\s*", r"never\s*release\b", "`neverRelease` is Butler's; here: keep when user.tags = \"some tag\""),
    _slip(r"(?:^|\n)\s*", r"(?:do\s+not|don'?t)\s+release\b", "write `keep when`"),
    _slip(r"(?:^|\n)\s*", r"(?:delete|remove|revoke|deallocate|free|drop)\b", "write `release when`"),
    _slip(r"(?:^|\n)\s*", r"(?:protect|exclude|except|exempt|allow)\b", "write `keep when`"),
    _slip(r"(?:^|\n)\s*", r"(?:--|//)", "comments start with #"),
    _slip(r"", r"/\*|//", "comments start with #"),
    _slip(r"", r";", "nothing stands between statements: write each on a line of its own"),
    # Values
    _slip(r"=\s*([\w.-]+)", r"\\([\w.$@-]+)", 'text is written in quotes: "{b1}\\{a1}"'),
    _slip(r"=\s*", rf"\(\s*({_TEXT}(?:\s*,\s*{_TEXT})*)\s*\)", "a list is written in brackets: [{a1}]"),
    _slip(r"=\s*", r"\(", 'a list is written in brackets: ["a", "b"]'),
    _slip(rf"let\s+(\w+)\s*=\s*({_TEXT})\s*", rf",\s*({_TEXT})",
          "a list is written in brackets: let {b1} = [{b2}, {a1}]"),
    _slip(r"set\s+(\w+)\s*", r"=",
          '`let {b1} = [...]` names a list that stands here, `set {b1} from "file.txt"` one in a file'),
    _slip(r"let\s+(\w+)\s+", r"from\b", 'a list in a file: `set {b1} from "file.txt"`'),
    _slip(r"\btimezone\s+", r"([\w+-]+/[\w/+-]+)", 'it is written in quotes: timezone "{a1}"'),
    _slip(rf"({_FIELD})\s+", r"(?:does\s+)?not\s*(?:in\b|contains?\b|has\b|equals?\b|=)",
          "write `{b1} != `: it holds when no value is equal"),
    _slip(rf"({_FIELD})\s+", r"not\s+like\b", "write `not {b1} like `: `not` stands before the whole comparison"),
    _slip(r"", r"unless\b", "write `and not`"),
    _slip(r"'([^'\n]*)'", r"(\w+)'", "an apostrophe stands in double quotes: \"{b1}'{a1}\""),
    _slip(r"(user(?:\.attributes)?\.@?)([\w]+)\s+", r"(\w+)\s*(?:!?=|like\b|is\b)",
          'a name with a space is quoted: {b1}"{b2} {a1}"'),
    _slip(r"", r"\d{1,2}[./]\d{1,2}[./]\d{4}", _date),
    _slip(r"\d{1,2}\.\d{1,2}|\d{1,2}", r"[./]\d{1,2}[./]\d{4}|[./]\d{4}", _date),
    _slip(r"\b(month|weekday)\s*!?={1,2}\s*\[?[\w\s,\"']*", r"([a-z]{2,9})\b", _of_calendar),
    # Operators
    _slip(r"<", r">", "write `!=`"),
    _slip(r"", r"<>", "write `!=`"),
    _slip(r"", r"&(?!&)", "write `and`"),
    _slip(r"", r"\|(?!\|)", "write `or`"),
    _slip(r"\b(and|or)\s+", r"(?:and|or)\b", "one `{b1}` is enough"),
    _slip(r"", r"(?:equals?|eq)\b", "write `=`"),
    # Limits
    _slip(r"\blimit\s+release\s+to\s+(\d{1,6}%?)\s+", rf"({_TYPE})\b", "write `limit release to {b1} of {a1} per run`"),
    _slip(r"\bper\s+run\s+", r"longest\b", "a comma stands before it: `per run, longest unused first`"),
    _slip(r"\blimit\s+release\s+to\s+(\d{1,6})\s*", r"(?:percent|pct|per\s*cent|prozent)\b", "write `{b1}%`"),
    _slip(r"\blimit\s+release\s+to\s+(\d{1,6}%?)\s+(?:of\s+\w+\s+)?", r"(?!of\b|per\b|,)",
          "write `limit release to {b1} per run`"),
    _slip(r"\blimit\s+", r"to\s+(\d{1,6}%?)", "write `limit release to {a1} per run`"),
    _slip(r"\blimit\s+", r"(\d{1,6}%?)", "write `limit release to {a1} per run`"),
    _slip(r"\bper\s+", r"(?:day|week|month)\b", "a limit counts a run: `per run`"),
)  # fmt: skip


def slip_help(text: str, offset: int) -> str | None:
    """The help for the slip at that place, if it is one that is known."""
    before, behind = text[max(0, offset - MOST) : offset], text[offset : offset + MOST]
    for slip in SLIPS:
        at = re.match(slip.at, behind, re.IGNORECASE)
        stands = re.search(slip.before, before, re.IGNORECASE) if at else None
        if at is None or stands is None:
            continue
        if callable(slip.help):
            return slip.help(stands, at)
        groups = {f"b{n}": shown(group or "") for n, group in enumerate(stands.groups(), 1)}
        groups |= {f"a{n}": shown(group or "") for n, group in enumerate(at.groups(), 1)}
        return slip.help.format_map(groups)
    return None
