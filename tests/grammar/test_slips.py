"""What people write and what they meant: the help writes it, and it can be read.

The fixtures are grouped by the parts of the table. A mistake stands at the beginning of the line; indented below it,
line, column and message of the first error, and its help.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.grammar import slips
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.errors import PolicySyntaxError, SyntaxProblem
from seatwarden.grammar.parser import MAX_PROBLEMS, in_file, parse_condition, parse_limit, parse_policy, parse_promise
from seatwarden.grammar.printer import print_policy
from seatwarden.grammar.slip_table import SLIPS
from seatwarden.grammar.slips import slip_help
from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text
from tests.grammar.tokens import tokens_of
from tests.strategies import policies

FIXTURES = Path(__file__).parent / "fixtures" / "slips"
_MOST_EXPECTED = 4
_CLOSING = {")": "(", "]": "["}


def _cases() -> Iterator[tuple[str, str, str | None]]:
    """Every mistake with its first error and its help."""
    for path in sorted(FIXTURES.glob("*.txt")):
        for block in re.split(r"\n(?=\S)", path.read_text(encoding="utf-8").rstrip("\n")):
            source, *said = block.split("\n  ")
            yield source, said[0], said[1].removeprefix("= ") if len(said) > 1 else None


CASES = list(_cases())


def _errors(text: str) -> list[Diagnostic]:
    try:
        check_text(text, "p")
    except PolicyError as error:
        return list(error.diagnostics)
    return []


@pytest.mark.parametrize(("source", "said", "help_"), CASES, ids=[source for source, _, _ in CASES])
def test_the_help_says_what_was_meant(source: str, said: str, help_: str | None) -> None:
    first = _errors(source)[0]
    assert f"{first.span.line}:{first.span.column} {first.message}" == said
    assert first.help == help_
    # Behind other statements, and before others, as it stands in a real policy.
    found = _errors(f"# a policy\nkeep when user.blocked\n\n{source}\nkeep when user.blocked\n")
    assert help_ in [diagnostic.help for diagnostic in found]


@pytest.mark.parametrize(
    ("unfinished", "missing"),
    [
        ("release when unused for 30", "expected `days`"),
        ("keep when (user.inactive or user.blocked", "expected `)`"),
        ('keep when user.tags = ["a", "b"', "expected `,` or `]`"),
        ("keep when user.tags =", "expected a value or a field"),
        ("keep when user.inactive and", "expected a condition"),
        ("keep when never", "expected `used`"),
        ("limit release to 10", "expected `%`, `of` or `per`"),
        ('keep "a"', "expected `until` or `when`"),
    ],
)
@pytest.mark.parametrize("behind", ["", " # why", "\n\n# why\n"])
@pytest.mark.parametrize("next_", ["", "keep when user.blocked", 'set a from "b.txt"'])
def test_what_is_missing_is_missed_on_its_own_line(unfinished: str, missing: str, behind: str, next_: str) -> None:
    (error,) = [error for error in _errors(f"\n  {unfinished}{behind}\n{next_}") if error.code == "SW001"]
    assert (error.span.line, error.span.column, error.label) == (2, len(unfinished) + 3, missing)


def test_a_unit_is_missed_before_the_next_line_goes_on() -> None:
    (error,) = _errors("release when unused for 30\n  and user.inactive")
    assert (error.span.line, error.help) == (1, "write `unused for 30 days`")


def test_a_comment_says_nothing_of_whose_days_count() -> None:
    (error,) = _errors("release when  # users on leave\n  unused 60 days")
    assert error.help == "write `unused for 60 days`"


IN_YAML = {
    "condition": {
        "keep when user.inactive": "only the condition stands here, without `keep when`",
        "when user.inactive": "only the condition stands here, without `when`",
        "unless user.inactive": "write `not` for `unless`",
        "user.inactive until 2026-12-31": "the last day has a key of its own, `until: 2026-12-31`",
        "user.inactive regardless of use": "only a release rule says so, by a key: `regardlessOfUse: true`",
        "unused for 30 days after notice of 14 days": "it has a key of its own, `notice: {days: 14}`",
        "user.inactive;": "nothing stands behind a condition: leave it out",
        "user.inactive; user.blocked": "conditions are joined by `and` or `or`",
        "unused for 30": "write `unused for 30 days`",
        "user unused 30 days": "write `user unused for 30 days`",
        'user.tags in ("vip")': 'write `user.tags = ["vip"]`',
    },
    "limit": {
        "limit release to 50 per run": "only what follows stands here: 50 per run",
        "max 50": "write `50 per run`",
        "10% analyzer": "write `10% of analyzer`",
        "50 licenses": "write `50 per run`",
        "10 percent": "write `10%`",
        "50 per day": "write `per 1 days`",
        "50 a week": "write `50 per 7 days`",
    },
}


def _in_yaml(kind: str, text: str) -> SyntaxProblem:
    with pytest.raises(PolicySyntaxError) as caught:
        (parse_condition if kind == "condition" else parse_limit)(text, in_file("p"))
    return caught.value.problems[0]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in IN_YAML.items() for text in texts])
def test_in_yaml_a_help_speaks_of_what_stands_there(kind: str, text: str) -> None:
    problem = _in_yaml(kind, text)
    assert problem.help == IN_YAML[kind][text]
    assert "a statement" not in problem.label


def test_every_slip_of_the_table_is_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each entry helps somebody: none could be taken out unnoticed."""
    met = set()
    find = slips.find_slip

    def finding(text: str, offset: int, expected: set[str]) -> object:
        found = find(text, offset, expected)
        met.add(found and found[0])
        return found

    monkeypatch.setattr(slips, "find_slip", finding)
    for source, _, _ in CASES:
        _errors(source)
    for kind, texts in IN_YAML.items():
        for text in texts:
            _in_yaml(kind, text)
    assert [slip for slip in SLIPS if slip not in met] == []


_OF_ONE = re.compile(r"`(?:not )?(?:unused for|never used|license\.)")
"""What asks for the use of one license."""


@pytest.mark.parametrize("source", [source for source, _, help_ in CASES if help_ and _OF_ONE.search(help_)])
@pytest.mark.parametrize("user", ["user", "User", "users"])
def test_a_help_never_drops_the_user(source: str, user: str) -> None:
    """Who uses another license keeps both by `user unused for 60 days`; without `user` one would be released."""
    of_user = re.sub(r"\bwhen (?=(?:unused|not used|not-used|used|last used|idle)\b)", f"when {user} ", source)
    for error in _errors(of_user) if of_user != source else ():
        assert not _OF_ONE.search(error.help or ""), f"{of_user}: {error.help}"


@pytest.mark.parametrize("said", sorted({help_ for _, _, help_ in CASES if help_ and "`" in help_}))
def test_what_a_help_writes_can_be_read(said: str) -> None:
    assert not re.search(r"\{[ab]\d\}|None", said)
    for written in re.findall("write `([^`]+)`", said):
        if re.match(r"(?:never|always) release\b", written):
            parse_promise(written, in_file("p"))
        elif re.match(r"(?:user|license|today|month|weekday|unused|never|not)\b", written) and written[-1] != " ":
            parse_condition(written, in_file("p"))
        elif re.match(r"(?:limit|timezone|keep when|set)\b.+", written):
            parse_policy(written, "p")


WORDS = ("when", "days", "for", "30", "(", ")", "[", "]", ",", "=", "like", '"x"', "user.tags", "is", "to", "§", "'")


@given(policies(), st.integers(0), st.sampled_from(("delete", "double", "replace")), st.sampled_from(WORDS))
def test_what_was_expected_is_short_and_possible(policy: Policy, at: int, how: str, word: str) -> None:
    """With one token wrong, a label lists four things at most, and a closing bracket only where one is open."""
    text = print_policy(policy)
    tokens = tokens_of(text)
    if not tokens:
        return
    token = tokens[at % len(tokens)]
    instead = {"delete": "", "double": f"{token} {token}", "replace": f" {word} "}[how]
    text = text[: token.start_pos] + instead + text[token.end_pos :]
    errors = _errors(text)
    assert len(errors) <= MAX_PROBLEMS * 5
    for error in errors:
        _check_label(error, text)


@pytest.mark.parametrize("source", [source for source, _, _ in CASES])
def test_few_things_are_expected(source: str) -> None:
    for error in _errors(source):
        _check_label(error, source)


def _check_label(error: Diagnostic, text: str) -> None:
    if not error.label.startswith("expected "):
        return
    things = re.split(", | or ", error.label.replace("a value or a field", "a value"))
    assert len(things) <= _MOST_EXPECTED, error.label
    lines = text.split("\n")
    before = "\n".join([*lines[: error.span.line - 1], lines[error.span.line - 1][: error.span.column - 1]])
    plain = re.sub(r"\"[^\"\n]*\"|'[^'\n]*'|#[^\n]*", "", before)
    for closing, opening in _CLOSING.items():
        if f"`{closing}`" in error.label:
            assert plain.count(opening) > plain.count(closing), f"{error.label}: {text}"


def test_long_texts_take_no_long_time() -> None:
    for text in ('keep when user.tags = ("' + "a" * 50_000, "month = [" + "nov, " * 20_000, "'" + "a'" * 30_000):
        slip_help(text, len(text) // 2, {"AND", "KEEP", "STRING"})
        slip_help(text, len(text), {"AND", "KEEP", "STRING"})
