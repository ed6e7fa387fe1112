"""What lint finds about meaning: simple cases are found, and near misses are not."""

from datetime import timedelta

import pytest

from seatwarden.policy.lint.linter import lint
from seatwarden.policy.loading import check_text
from seatwarden.policy.worlds.search import _Search
from tests.policy.lint.support import TODAY, codes, findings, lint_text

FOUND = {
    'keep "x" when user.userDirectory = "A" and user.userDirectory = "B"': ["SW301"],
    'keep "x" when user.tags = []': ["SW301", "SW321"],
    'keep analyzer "x" when license.type = "professional"': ["SW301"],
    'keep "x" until 2027-01-31 when today >= 2027-02-01': ["SW301"],
    'keep "x" when never used and license.lastUsed < 2026-01-01': ["SW301"],
    'keep "x" when user = "ADMIN\\jdoe" and user.userDirectory = "CORP"': ["SW301"],
    'keep "x" when user.userId like "sa_*" and user.userId = "jdoe"': ["SW301"],
    'keep "x" when user.tags = "a" or not user.tags = "A"': ["SW302"],
    'keep "x" when user.userDirectory != "A" or user.userDirectory != "B"': ["SW302"],
    'keep analyzer "x" when user.licenses = "analyzer"': ["SW302"],
    "release professional when license.unusedDays >= 0 or license.unusedDays < 0": ["SW312", "SW302"],
    'keep "x" when user.roles = "r" or (user.inactive and user.inactive = false)': ["SW303"],
    'keep "x" when user.roles = "r" and (user.tags = "t" or user.roles != "r")': ["SW303"],
    'keep "x" when user.tags = "a" and user.tags = ["a", "b"]': ["SW304"],
    'keep "x" when user.tags = ["a", "b"] or user.tags = "B"': ["SW304"],
    'keep "x" when user.roles = "r"\nkeep "y" when not user.roles != "R"': ["SW305"],
    'keep "x" when user = "A\\a"\nkeep "y" when user.userDirectory = "a" and user.userId = "A"': ["SW305"],
    'keep "x" when user.tags = "vip"\nkeep "y" when user.tags = ["VIP", "board"]': ["SW306"],
    'keep "x" until 2027-01-31 when user.inactive\nkeep "y" when user.inactive or user.blocked': ["SW306"],
    "release analyzer when unused for 60 days": ["SW306"],
    "release when unused for 30 days": ["SW306"],
    'keep "x" when user.tags = "a"\nkeep "x" when user.tags = "b"': ["SW307"],
    'keep "x" when user.inactive\nrelease "y" when user.inactive and unused for 9 days': ["SW308"],
    'keep "x" when user.inactive\nkeep "y" when user.blocked\nrelease "z" when user.inactive or user.blocked': [
        "SW308"
    ],
    'downgrade "x" when user.inactive\nrelease professional "y" when user.inactive and unused for 9 days': [
        "SW322",
        "SW308",
    ],
    'keep "x" when user.inactive\ndowngrade "y" when user.inactive and unused for 9 days': ["SW308"],
    'downgrade "x" when user.inactive and unused for 9 days\ndowngrade "y" when user.inactive and unused for 8 days': [
        "SW306"
    ],
    'downgrade "x" when user.inactive': ["SW322"],
    "downgrade when unused for 5 days": ["SW313"],
    'downgrade "x" when license.type = "analyzer"': ["SW301"],
    'keep "x" until 2026-11-20 when user.tags = "a"': ["SW310"],
    'keep "inactive" when not user.inactive': ["SW311"],
    'keep "x" when user.blocked = false or user.tags = "a"': ["SW311"],
    "release professional when unused for 0 days": ["SW312"],
    "release professional when license.unusedDays > 5": ["SW313"],
    "release professional when not (user.tags = 'a' or not unused for 6 days)": ["SW313"],
    "let spare = [1]": ["SW314"],
    'let a = ["x", "x"]\nkeep "x" when user.tags = a': ["SW315"],
    'keep "x" when user.tags = ["x", "X"]': ["SW315"],
    'keep "x" when user.tags == ["x", "X"]': ["SW316"],
    'keep "x" when user.tags = "x\u200b"': ["SW317"],
    'keep "x" when user.tags = "x\u00a0y"': ["SW317"],
    'keep "x" when user.tags = ["x*"]': ["SW318"],
    'keep "x" when user.@Department = ""': ["SW321"],
    'release analyzer "holds both" when user.licenses = "professional"': ["SW322"],
    "release when unused for 20 days and user.inactive regardless of use": ["SW326"],
    'keep "x" when not unused for 7 days\nrelease "z" when user.inactive regardless of use': ["SW326"],
    'release "z" when user.inactive or unused for 40 days': ["SW322"],
    'keep "x" until 2026-11-30 when user.inactive\nrelease "z" when user.inactive': ["SW322"],
    'keep "x" when license.unusedDays < 7 and month != 12\nrelease "z" when user.inactive': ["SW322"],
    'keep "y" when user.tags = "x"\nkeep "z" when user.tags = "x"\nkeep "x" when user.tags = ["x", "y"]': [
        "SW306",
        "SW305",
    ],
    "release professional when license.unusedDays >= 0 and license.unusedDays >= 5": ["SW304", "SW313"],
    'keep "x" when "" !== user.attributes.group': ["SW321"],
    'keep "x" when user.roles == ["a", ""]': ["SW321"],
    'keep "x" when user.tags like "v%"': ["SW318"],
    'keep "x" when user = "A\\\\b"': ["SW323"],
    'keep "Analyzer" when user.tags = "a"': ["SW324"],
    'keep "x" when user = ["A\\b", "c"]': ["SW325"],
    'let a = ["A\\b", "c"]\nkeep "x" when user != a and user.tags = "t"': ["SW325"],
}

NOT_FOUND = (
    'keep "x" when not user.@Department like "*"',
    'keep "x" when user.name = ""',
    'keep "x" when user.tags = "a" and user.tags = "b"',
    'keep "x" when user.tags == "a" and user.tags == "A"',
    'keep "x" when user.tags != "a" or user.tags != "b"',
    'keep "x" when license.type = "professional"',
    'keep "x" when user.userId like "*sa*" and not user.userId like "sa*"',
    'keep "x" when user.name = user.userId and user.name = "x"',
    'keep "x" when unused for 3 days and not never used',
    'keep "x" when not unused for 3 days',
    'keep "freeze" until 2026-12-31 when true',
    'keep "x" until 2026-11-21 when user.tags = "a"',
    'keep "x" when user.tags = "a"\nkeep "y" until 2027-01-31 when user.tags = ["a", "b"]',
    'keep analyzer "x" when user.tags = ["a", "b"]\nkeep "y" when user.tags = "a"',
    'keep "x" when not user.inactive and user.tags = "a"',
    'keep professional "x" when user.inactive\nrelease professional when user.inactive or unused for 40 days',
    'release analyzer "y" when user.inactive and unused for 20 days',
    'keep "x" when not user.inactive and user.tags = "b"\nrelease "z" when never used and user.inactive',
    'release professional "z" when not license.unusedDays < 40',
    'release "z" when user.inactive and user.lastUsed < 2026-11-01',
    'keep "x" when license.unusedDays < 7\nrelease "z" when user.inactive',
    'release analyzer "holds both" when user.licenses = "professional" regardless of use',
    "release professional when unused for 0 days regardless of use",
    'keep "x" when user.tags = "a"\nrelease "z" when user.inactive or unused for 40 days regardless of use',
    'keep "x" when user.tags = "a"\nrelease "z" when user.tags = "a" or unused for 40 days',
    'release professional when not (unused for 3 days and user.tags = "t") and unused for 9 days',
    'keep "x" when user.tags like "x*"',
    'keep "x" when license.unusedDays < 9\nrelease professional when license.unusedDays >= 0 and user.inactive',
    'keep "x" when license.unusedDays < 7\nrelease professional when unused for 5 days',
    'release professional when license.unusedDays > 2 and user.lastUsed < today and user.lastUsed < 2026-01-01',
    'keep "x" when user like ["A\\b", "c"]',
    'keep "x" when user.userId = ["A\\b", "c"]',
)  # fmt: skip


@pytest.mark.parametrize("text", FOUND)
def test_found(text: str) -> None:
    assert codes(text) == FOUND[text]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_not_found(text: str) -> None:
    assert codes(text) == []


def test_a_finding_names_the_other_rule_and_shows_both_places() -> None:
    (found,) = findings('keep "vips" when user.tags = "vip"\nkeep "all" when user.tags = ["vip", "board"]')
    assert found.message == '`keep "vips"` is shadowed by `keep "all"`'
    assert [span.line for span, _ in found.related] == [2]
    assert found.span.line == 1


@pytest.mark.parametrize(
    "condition", ['user = "jdoe"', 'user.inactive or user == "jdoe"', 'user.inactive and user != "jdoe"']
)
def test_a_user_without_a_directory(condition: str) -> None:
    """Whether the part is never or always true: what is wrong is the directory."""
    (found,) = findings(f'keep "x" when {condition}')
    assert found.help == "`user` is DIRECTORY\\userId; the id alone is `user.userId`"


def test_a_slash_behind_the_directory() -> None:
    (found,) = findings('keep "x" when user = "ADMIN/jdoe"')
    assert found.help == 'the directory ends with a backslash: "ADMIN\\jdoe"'


def test_of_a_value_that_nobody_uses_the_name_is_marked() -> None:
    (found,) = findings("let spare = [1]")
    assert (found.span.column, found.span.end_column) == (5, 10)


def test_a_contradiction_shows_both_sides() -> None:
    (found,) = findings('keep "x" when user.userDirectory = "A" and user.tags = "t" and user.userDirectory = "B"')
    assert found.span.column > found.related[0][0].column
    assert "user.tags" not in str(found)


def test_what_a_part_is_never_true_beside_is_shown() -> None:
    (found,) = findings('keep "x" when user.roles = "r" and (user.tags = "t" or user.roles != "r")')
    assert found.message == 'a part of `keep "x"` is never true beside the rest'
    assert found.label == "never true here"
    assert [(span.column, why) for span, why in found.related] == [(15, "because of this")]


def test_what_was_not_decided_is_said() -> None:
    text = """
        keep "a" when (user.inactive or user.blocked) and (user.tags = "a" or user.tags = "b") and user.roles = "c"
        release "b" when unused for 30 days
    """
    policy = check_text(text, "test.policy")
    found = lint(policy, TODAY, steps=60).findings
    assert [(one.code, one.message, one.span.line) for one in found] == [
        ("SW399", 'not decided: what lint looks for in `keep "a"`', 2)
    ]
    assert lint(policy, TODAY).findings == ()
    (both,) = (one for one in lint(policy, TODAY, steps=1).findings if one.code == "SW399")
    assert both.message.endswith("and 1 more rule")
    assert [span.line for span, _ in both.related] == [3]


def test_the_keeps_that_cover_a_release_are_named() -> None:
    text = """
        keep "i" when user.inactive
        keep "t" when user.tags = "t"
        keep "a" when not user.inactive and user.tags = "v"
    """
    (found,) = [f for f in findings(text + 'release "z" when user.inactive or user.tags = "v"') if f.code == "SW308"]
    assert [label for _, label in found.related] == ['by `keep "i"`', 'by `keep "a"`']


def test_one_cause_is_one_finding() -> None:
    """A keep rule that always matches shadows all others and leaves no release: that is said once."""
    assert codes('keep "all" when true\nkeep "some" when user.tags = "a"') == ["SW302"]
    assert codes('keep "never" when false\nkeep "some" when user.tags = "a"') == ["SW301"]


def test_no_release() -> None:
    assert [f.code for f in lint_text('keep "x" when user.inactive').findings] == ["SW309"]
    (found,) = lint_text("").findings
    assert (found.code, found.span.line) == ("SW309", 1)


def test_a_policy_of_fifty_rules_with_long_lists_needs_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    spend = _Search._spend

    def spending(search: _Search, steps: int) -> None:
        tried.append(steps)
        spend(search, steps)

    monkeypatch.setattr(_Search, "_spend", spending)
    users = ", ".join(f'"DIR{n % 7}\\user{n}"' for n in range(2000))
    tags = ", ".join(f'"tag{n}"' for n in range(2000))
    lines = [f"let users = [{users}]", f"let tags = [{tags}]"]
    lines += ['keep "users" when user = users', 'keep "tags" when user.tags = tags']
    for n in range(15):
        until, either = f"until 2027-0{n % 9 + 1}-01", f'user.userDirectory = ["A{n}", "B{n}"] or user.name = "n{n}"'
        lines.append(f'keep "p{n}" when user.@P{n} = "x" and month = [1, 2, {n % 9 + 3}]')
        lines.append(f'keep "l{n}" when user.userId like "sa{n}_*" and not user.roles = "R{n}"')
        lines.append(f'keep "d{n}" {until} when {either}')
    lines += [f'release professional when unused for {30 - n} days and user.@Q = "{n}"' for n in range(4)]
    text = "\n".join(lines)
    policy = check_text(text, "big.policy")
    assert lint(policy, TODAY).findings == ()
    assert 0 < sum(tried) < 3_000, "half of that today, for some five hundred questions; 500,000 are allowed"


@pytest.mark.parametrize(("offset", "over"), [(-1, True), (0, False), (1, False)])
def test_a_rule_is_over_on_the_day_after_its_last(offset: int, over: bool) -> None:
    last = TODAY + timedelta(days=offset)
    found = [f for f in findings(f'keep "x" until {last} when user.tags = "a"') if f.code == "SW310"]
    assert [f.message for f in found] == ([f'`keep "x"` is over: its last day was {last}'] if over else [])


@pytest.mark.parametrize(("offset", "never"), [(0, False), (1, True)])
def test_a_rule_that_begins_after_its_last_day(offset: int, never: bool) -> None:
    last = TODAY + timedelta(days=10)
    found = codes(f'keep "x" until {last} when user.tags = "a" and today >= {last + timedelta(days=offset)}')
    assert found == (["SW301"] if never else [])


@pytest.mark.parametrize(("days", "code"), [(-1, None), (0, "SW312"), (1, "SW313"), (6, "SW313"), (7, None), (8, None)])
def test_thresholds_at_their_edges(days: int, code: str | None) -> None:
    for condition in (f"unused for {days} days", f"license.unusedDays >= {days}", f"license.unusedDays > {days - 1}"):
        if "-" not in condition:
            assert [c for c in codes(f"release professional when {condition}") if c in ("SW312", "SW313")] == (
                [code] if code else []
            ), condition
