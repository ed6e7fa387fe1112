"""What people write and what they meant: the help writes it, and it can be read."""

import re

import pytest

from seatwarden.grammar.explain_syntax import _MOST_EXPECTED
from seatwarden.grammar.slips import SLIPS, Slip, slip_help
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text

HELPS = {
    "release when unused 30 days": "write `unused for 30 days`",
    "release when unused since 30 days": "write `unused for 30 days`",
    "release when unused over 4 weeks": "write `unused for 30 days`",
    "release when unused for 30d": "write `unused for 30 days`",
    "release when unused for 4w": "write `unused for 4 weeks`",
    "release when unused for 30 Tage": "write `unused for 30 days`",
    "release when unused for 3 months": "months are not all of one length: write days, like `unused for 90 days`",
    "release when unused for 1 year": "year are not all of one length: write days, like `unused for 365 days`",
    "release when unused for 72 hours": "whole days are counted: `unused for 3 days`",
    "release when unused for 1,5 days": "only whole days are counted",
    "release when not used for 60 days": "write `unused for 60 days`",
    "release when not used": "write `never used`, or `unused for 30 days`",
    "release when unused >= 30": "write `unused for 30 days`, or compare `license.unusedDays > 30`",
    "release when unusedDays > 30": "did you mean `license.unusedDays`?",
    "release when inactive": "did you mean `user.inactive`?",
    "release when license.unusedDays > 45 days": "leave it out: `license.unusedDays > 45`",
    "keep when license.lastUsed > today - 30 days": (
        "there is no arithmetic; write `unused for 30 days`, or compare with a date like 2027-02-28"
    ),
    "release licenses when never used": "name a type, `professional` or `analyzer`, or none for both",
    "release professional and analyzer when never used": "write `professional, analyzer`, or no type for both",
    "never release when user.inactive": "write `keep when`",
    "don't release when user.inactive": "write `keep when`",
    "neverRelease: user": "`neverRelease` is Butler's; here: keep when user.tags = \"some tag\"",
    "protect when user.inactive": "write `keep when`",
    "revoke when user.inactive": "write `release when`",
    "-- why": "comments start with #",
    "// why": "comments start with #",
    "keep when user.inactive /* why */": "comments start with #",
    "keep when user.inactive // why": "comments start with #",
    "keep when user.inactive; keep when user.blocked": (
        "nothing stands between statements: write each on a line of its own"
    ),
    "keep when user = ADMIN\\jdoe": 'text is written in quotes: "ADMIN\\jdoe"',
    'keep when user.tags = ("vip", "x")': 'a list is written in brackets: ["vip", "x"]',
    "keep when user.tags = (vip, x)": 'a list is written in brackets: ["a", "b"]',
    'let a = "x", "y"': 'a list is written in brackets: let a = ["x", "y"]',
    'let a from "x.txt"': 'a list in a file: `set a from "file.txt"`',
    'set a = ["x"]': '`let a = [...]` names a list that stands here, `set a from "file.txt"` one in a file',
    "keep when user.name = 'O'Brien'": 'an apostrophe stands in double quotes: "O\'Brien"',
    'keep when user.@Cost center = "4711"': 'a name with a space is quoted: user.@"Cost center"',
    'keep when user.attributes.job title = "x"': 'a name with a space is quoted: user.attributes."job title"',
    "keep when user.createdDate > 01.07.2026": "dates are written year-month-day: 2026-07-01",
    "keep when user.createdDate > 7/1/2026": "dates are written year-month-day: 2027-02-28",
    "keep until 31.12.2026 when user.inactive": "dates are written year-month-day: 2026-12-31",
    "keep when user.createdDate > 2026-7-1": "months and days have two digits: 2026-07-01",
    "keep when user.createdDate > 2026-02-30": (
        "dates are written year-month-day with two digits each: 2027-02-28"
    ),
    "keep when month = [Nov, Dec]": "months are numbers: 11",
    "keep when month = december": "months are numbers: 12",
    'keep when month = ["Nov", "Dec"]': "months are numbers: [11, 12]",
    "keep when weekday = sat": 'weekdays are written in quotes: "saturday"',
    "keep when weekday = [sat, sun]": 'weekdays are written in quotes: "saturday"',
    "keep when user.inactive = yes": "write `true`, or the field alone, or `not` before it",
    "keep when user.inactive = off": "write `false`, or the field alone, or `not` before it",
    'keep when user.tags = "vip" or "x"': 'write `user.tags = ["vip", "x"]`',
    'keep when user.tags <> "vip"': "write `!=`",
    'keep when user.tags equals "vip"': "write `=`",
    "keep when user.inactive & user.blocked": "write `and`",
    "keep when user.inactive | user.blocked": "write `or`",
    "keep when user.inactive and and user.blocked": "one `and` is enough",
    "keep when (user.inactive))": "there is no `(` for it: remove it, or open one before",
    'keep when user.roles is not "RootAdmin"': (
        "write `!=`: it holds when no value is equal; behind `is` stands `empty` or `not empty`"
    ),
    'keep when user.roles not in ["a"]': "write `user.roles != `: it holds when no value is equal",
    'keep when user.roles does not contain "a"': "write `user.roles != `: it holds when no value is equal",
    'keep when user.tags not = "x"': "write `user.tags != `: it holds when no value is equal",
    'keep when user.tags not like "x*"': (
        "write `not user.tags like `: `not` stands before the whole comparison"
    ),
    "keep when license.unusedDays between 30 and 60": (
        "write `license.unusedDays >= 30 and license.unusedDays <= 60`"
    ),
    "keep when user.inactive unless user.blocked": "write `and not`",
    'keep until "2027-02-28" when user.inactive': "a date has no quotes: until 2027-02-28",
    "release token when never used": "license types are `professional` and `analyzer`",
    "keep service accounts when user.inactive": 'a rule\'s name stands in quotes: keep "service accounts" when',
    "timezone Europe/Stockholm": 'it is written in quotes: timezone "Europe/Stockholm"',
    "limit release to 20 analyzer per run": "write `limit release to 20 of analyzer per run`",
    "limit release to 20 per run longest unused first": "a comma stands before it: `per run, longest unused first`",
    "limit release to 10 percent per run": "write `10%`",
    "limit release to 10": "write `limit release to 10 per run`",
    "limit release to 10%\nkeep when user.inactive": "write `limit release to 10% per run`",
    "limit to 50 per run": "write `limit release to 50 per run`",
    "limit 50": "write `limit release to 50 per run`",
    "limit release to 50 per day": "a limit counts a run: `per run`",
}  # fmt: skip


@pytest.mark.parametrize("text", HELPS)
def test_the_help_says_what_was_meant(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        check_text(text, "p")
    first = caught.value.diagnostics[0]
    assert first.help == HELPS[text]
    # Behind other statements, and before others, as it stands in a real policy.
    with pytest.raises(PolicyError) as caught:
        check_text(f"# a policy\nkeep when user.blocked\n\n{text}\n", "p")
    assert HELPS[text] in [diagnostic.help for diagnostic in caught.value.diagnostics]


@pytest.mark.parametrize("text", HELPS)
def test_few_things_are_expected(text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        check_text(text, "p")
    for diagnostic in caught.value.diagnostics:
        label = re.sub(r"\(.*?\)", "", diagnostic.label).replace("`and` or `or`", "`and`")
        things = re.split(", | or ", label.replace("a value or a field", "a value").replace("`professional` or", ""))
        assert len(things) <= _MOST_EXPECTED, diagnostic.label


def test_every_slip_of_the_table_is_met() -> None:
    """Each entry helps somebody: none could be taken out unnoticed."""
    met = {slip for text in HELPS for offset in range(len(text) + 1) for slip in SLIPS if _fits(slip, text, offset)}
    assert [slip for slip in SLIPS if slip not in met] == []


def _fits(slip: Slip, text: str, offset: int) -> bool:
    at, before = (re.compile(pattern, re.IGNORECASE) for pattern in (slip.at, slip.before))
    return bool(at.match(text[offset:]) and before.search(text[:offset]))


def test_long_texts_take_no_long_time() -> None:
    for text in ('keep when user.tags = ("' + "a" * 50_000, "month = [" + "nov, " * 20_000, "'" + "a'" * 30_000):
        slip_help(text, len(text) // 2)
        slip_help(text, len(text))
