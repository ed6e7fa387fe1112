"""What Qlik Sense does not tell is answered by what it does tell, wherever somebody asks for it."""

import re

import pytest

from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text
from seatwarden.policy.not_told import _ANSWERS, not_told
from seatwarden.policy.vocabulary import VOCABULARY, field_help

_ASKED = [
    ("ownsApps", "stands at the app"),
    ("owner", "stands at the app"),
    ("apps", "stands at the app"),
    ("isAppOwner", "stands at the app"),
    ("app.count", "stands at the app"),
    ("onLeave", "who is on leave"),
    ("on_leave", "who is on leave"),
    ("parentalLeave", "who is on leave"),
    ("lastLogin", "when a user logged in"),
    ("lastlogin", "when a user logged in"),
    ("lastSeen", "when a user logged in"),
    ("sessions", "not how often"),
    ("hireDate", "user.createdDate"),
    ("hiredate", "user.createdDate"),
    ("contractEnd", "no last day of work"),
    ("manager", "user.attributes.manager"),
    ("departmentManager", "user.attributes.manager"),
    ("environment.group", "belongs to the session"),
]


def _help(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        check_text(text, "p")
    return str(caught.value.diagnostics[0].help)


@pytest.mark.parametrize(("name", "answer"), _ASKED)
def test_a_field_that_cannot_be(name: str, answer: str) -> None:
    assert answer in _help(f"keep when user.{name}")
    assert "user.@own" not in _help(f"keep when user.{name}")


@pytest.mark.parametrize("name", ["ownsApps", "onLeave", "lastLogin", "hireDate"])
def test_the_same_without_user_before_it(name: str) -> None:
    assert _help(f"keep when {name}") == _help(f"keep when user.{name}") == field_help(name)
    assert _help(f"keep when {name} < 2026-01-01") == field_help(name)


def test_how_many_are_free_is_asked_of_a_license() -> None:
    assert "limit release to" in _help("keep when license.free > 10")


def test_what_somebody_named_so_is_not_asked_for() -> None:
    """A value beside a field, a name with `let`, a custom property and an attribute may be called anything."""
    assert _help("keep when user.tags = vacation") == 'text is written in quotes: "vacation"'
    assert _help('let onLeave = "x" keep when user.tags = onLeaves') == "did you mean `onLeave`?"
    check_text('keep when user.@ownsApps = "yes" and user.attributes.manager = "x" release when never used', "p")


@pytest.mark.parametrize("words", _ANSWERS)
def test_an_answer_names_what_there_is(words: str) -> None:
    """Each field in it is one, and each condition can be written."""
    written = re.findall(r"`([^`]+)`", _ANSWERS[words])
    for text in written:
        if text.startswith(("user.", "license.", "unused", "never")):
            condition = text if " " in text else f"not {text} = {text}"
            check_text(f"keep when {condition} release when never used", "p")
    assert written
    assert {not_told(word) for word in words.split()} == {_ANSWERS[words]}


def test_no_field_is_taken_for_something_untold() -> None:
    for name in VOCABULARY:
        assert not_told(name.rpartition(".")[2]) is None, name


@pytest.mark.parametrize("word", ["email", "group", "Department", "country", "costCenter", "title", "office"])
def test_what_a_directory_may_well_bring(word: str) -> None:
    assert not_told(word) is None
