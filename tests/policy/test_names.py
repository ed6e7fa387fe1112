"""Names of conditions and lengths of time: they mean what stands behind them, and no name can make a policy explode."""

import pytest

from seatwarden.policy.diagnostics import Diagnostic
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text
from tests.policy.lint.support import lint_text

RELEASE = "release when unused for 30 days\n"


def _errors(text: str) -> list[Diagnostic]:
    with pytest.raises(PolicyError) as caught:
        check_text(text, "p")
    return list(caught.value.diagnostics)


@pytest.mark.parametrize(
    ("named", "written"),
    [
        ("let a = user.inactive or user.blocked\nkeep when not a", "keep when not (user.inactive or user.blocked)"),
        ("keep when b\nlet b = a and user.blocked\nlet a = user.inactive", "keep when user.inactive and user.blocked"),
        ("let a = true\nlet b = a\nkeep when b", None),
        ("let a = 3 weeks\nkeep when not unused for a", "keep when not unused for 3 weeks"),
        (
            "let a = 2 weeks\nlet b = 3 days\nrelease when never used after notice of a, reminder b before",
            "release when never used after notice of 2 weeks, reminder 3 days before",
        ),
        ('let a = "x"\nlet b = user.tags = a\nkeep when b', 'let a = "x"\nkeep when user.tags = a'),
    ],
)
def test_a_name_is_what_it_stands_for(named: str, written: str | None) -> None:
    if written is None:
        assert [error.code for error in _errors(named)] == ["SW104"]
        return
    one, other = check_text(named, "p"), check_text(written, "p")
    assert one.text == other.text
    assert one.digest == other.digest
    assert one.rules == other.rules


def test_a_notice_has_its_days_once_names_are_resolved() -> None:
    (rule,) = check_text(
        "let a = 2 weeks\nrelease when never used after notice of a, reminder 3 days before", "p"
    ).rules
    assert rule.notice is not None
    assert (rule.notice.days, rule.notice.reminder_days) == (14, 3)
    assert (rule.notice.length.span.line, rule.notice.length.span.column) == (2, 41)


NOTICE = "release when never used after notice of"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        (f"{NOTICE} a", "SW102", "unknown name `a`"),
        (f"{NOTICE} 3 days, reminder a before", "SW102", "unknown name `a`"),
        (f'let a = "x"\n{NOTICE} a', "SW103", "`a` is not a number of days"),
        (f"let a = user.inactive\n{NOTICE} a", "SW103", "`a` is not a number of days"),
        (f"let a = 36501 days\n{NOTICE} a", "SW004", "36,501 days are too many"),
        (f"{NOTICE} 5215 weeks", "SW004", "36,505 days are too many"),
        (f"{NOTICE} 36500 days, reminder 36501 days before", "SW004", "36,501 days are too many"),
        (f"{NOTICE} 1.5 days", "SW004", "`1.5` is not a whole number"),
    ],
)
def test_what_no_notice_can_be(text: str, code: str, message: str) -> None:
    (error,) = _errors(text)
    assert (error.code, error.message) == (code, message)


def test_what_a_name_stands_for_has_the_place_of_the_name() -> None:
    policy = check_text("let a = user.inactive or user.blocked\nkeep when not a", "p")
    assert {(span.line, span.column) for span in policy.uses_of_conditions} == {(2, 15)}
    assert policy.rules[0].condition.operand.span in policy.uses_of_conditions  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "code", "help_"),
    [
        ("let a = a\nkeep when a", "SW109", "say in it what is meant"),
        ("let a = b\nlet b = a", "SW109", "give one of them a condition without the others"),
        ("let a = user.tags\nkeep when a", "SW104", "write the field in the rule"),
        ('let a = "x"\nlet b = a', "SW104", "write `a` in the rule"),
        ("let a = user.inactive\nkeep when a = true", "SW104", "it stands alone: `a`, or `not a`"),
        ("let a = 3 days\nkeep when license.unusedDays > a", "SW104", "write `unused for a`"),
        ("let a = 3 days\nkeep when a", "SW104", "write `unused for a`"),
        ("let a = 3\nkeep when unused for a", "SW103", "write `let a = 3 days`"),
        (
            'let a = "3 days"\nkeep when unused for a',
            "SW103",
            "write `let a = 3 days` without quotes; in YAML it stands under `days`",
        ),
        (
            'let a = "user.inactive"\nkeep when a',
            "SW104",
            "write `let a = user.inactive` without quotes; in YAML it stands under `conditions`",
        ),
        ("let grace = 3 days\nkeep when unused for grase", "SW102", "did you mean `grace`?"),
    ],
)
def test_what_no_name_can_be(text: str, code: str, help_: str) -> None:
    error = _errors(text)[0]
    assert (error.code, error.help) == (code, help_)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("let x = user.createdDate\nkeep when x > today - 3 days", "SW104"),
        ("let x = user.creatdDate\nkeep when x > today", "SW101"),
        ("let x = number(user.@Days)\nkeep when license.unusedDays > x", "SW104"),
        ('let a = "x"\nlet b = a\nlet c = b\nkeep when user.tags = c', "SW104"),
        ("let a = 30 days\nlet b = a\nkeep when not unused for b", "SW104"),
        ("let a = b\nlet b = a\nkeep when user.createdDate > today - a", "SW109"),
        ("let a = b\nkeep when user.tags = a", "SW102"),
    ],
)
def test_a_name_of_no_such_thing_is_reported_where_it_is_given_and_not_where_it_is_used(text: str, code: str) -> None:
    assert [error.code for error in _errors(text)] == [code]


def test_names_of_names_do_not_explode() -> None:
    doubled = "".join(f"let a{n + 1} = a{n} or user.blocked or a{n}\n" for n in range(60))
    (error,) = _errors(f"let a0 = user.inactive\n{doubled}keep when a60")
    assert error.code == "SW005"
    chain = "".join(f"let a{n + 1} = not a{n}\n" for n in range(5_000))
    (error,) = _errors(f"let a0 = user.inactive\n{chain}keep when a5000")
    assert error.code == "SW005"
    assert check_text("let a = user.inactive\n" + "keep when a\n" * 3_000, "p").rules


def test_lint_speaks_of_what_a_rule_means_and_of_what_is_written() -> None:
    """A part of a named condition may matter to another rule; what is written in it is looked at once."""
    text = 'let a = user.inactive or user.inactive and user.tags = ["x", "x"]\nkeep when a\n' + RELEASE
    assert [finding.code for finding in lint_text(text).findings] == ["SW315"]
    text = "let a = user.inactive\nlet b = 3 days\nlet c = user.blocked\nkeep when a\nkeep when a\n" + RELEASE
    assert sorted(finding.code for finding in lint_text(text).findings) == ["SW305", "SW314", "SW314"]
