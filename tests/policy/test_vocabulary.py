"""One table of fields: each entry's own example is right, and the generated policies speak of all of them."""

import pytest
from hypothesis import given

from seatwarden.grammar.ast import Comparison, Field, Let, Policy, Text
from seatwarden.grammar.builder import parse_field
from seatwarden.grammar.parser import in_file, parse_condition
from seatwarden.grammar.printer import print_field
from seatwarden.grammar.spans import NOWHERE
from seatwarden.policy.check import check
from seatwarden.policy.loading import check_text
from seatwarden.policy.names import PolicyNames
from seatwarden.policy.vocabulary import VOCABULARY, FieldEntry, entry_of, field_help
from tests.strategies import FIELDS, policies


@pytest.mark.parametrize("entry", VOCABULARY.values(), ids=lambda entry: entry.name)
def test_every_entry(entry: FieldEntry) -> None:
    (rule,) = check_text(f"keep when {entry.example}", "p").rules
    condition = rule.condition
    field = condition.left if isinstance(condition, Comparison) else condition
    assert isinstance(field, Field)
    assert entry_of(field) is entry
    assert entry.doc
    assert not entry.doc.endswith(".")
    assert entry.source
    assert all(value == value.casefold() for value in entry.values)


def test_families_need_a_key_and_others_take_none() -> None:
    assert entry_of(parse_field("user.@Department", NOWHERE)) is VOCABULARY["user.@"]
    assert entry_of(parse_field("user.attributes.email", NOWHERE)) is VOCABULARY["user.attributes"]
    assert entry_of(Field("user.attributes")) is None
    assert entry_of(Field("user.tags", "x")) is None


def test_the_generated_policies_speak_of_every_field() -> None:
    assert {pool.field.name for pool in FIELDS} == set(VOCABULARY)
    for pool in FIELDS:
        entry = entry_of(pool.field)
        assert entry is not None
        assert entry.type.value == ("true or false" if pool.kind == "boolean" else pool.kind)
        assert bool(entry.values) == pool.closed
        assert not pool.closed or set(pool.texts) <= set(entry.values)


@given(policies())
def test_the_generated_policies_are_right(policy: Policy) -> None:
    names = PolicyNames.of({s.name: s for s in policy.statements if isinstance(s, Let)})
    assert check(policy, names) == []


def test_a_field_has_one_spelling() -> None:
    """Fields are names and tell capitals apart; a mistyped capital has a hint."""
    condition = parse_condition('user.Tags = "x"', in_file("p"))
    assert condition == Comparison("=", Field("user.Tags"), Text("x"))
    assert entry_of(Field("user.Tags")) is None


@pytest.mark.parametrize("entry", [entry for entry in VOCABULARY.values() if "." in entry.name and not entry.keyed])
def test_a_slip_in_a_field_is_put_right(entry: FieldEntry) -> None:
    first, _, word = entry.name.partition(".")
    for slip in (word[:-1], word.upper(), f"{word[0]}{word[2:]}", f"{word}s"):
        assert field_help(f"{first}.{slip}") == f"did you mean `{entry.name}`?"


@pytest.mark.parametrize("word", ["email", "group", "Department", "foo", "Odd name"])
def test_what_is_like_no_field_of_the_user_may_be_a_property_or_an_attribute(word: str) -> None:
    """That both start with `user.` is no likeness."""
    property_, attribute = Field("user.@", word), Field("user.attributes", word)
    help_ = field_help(f"user.{word}" if word.isidentifier() else f'user."{word}"')
    assert help_ is not None
    assert f"`{print_field(property_)}`" in help_
    assert f"`{print_field(attribute)}`" in help_


@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("user.id", "did you mean `user.userId`?"),
        ("user.removed", "did you mean `user.removedExternally`?"),
        ("user.attribute.email", "did you mean `user.attributes.email`?"),
        ("user.attributes.a.b", 'did you mean `user.attributes."a.b"`?'),
        ("user.tags.x", "did you mean `user.tags`?"),
        ("wekday", "did you mean `weekday`?"),
        ("zzz", None),
    ],
)
def test_what_to_write_instead(name: str, help_: str | None) -> None:
    assert field_help(name) == help_


def test_a_license_has_few_fields() -> None:
    for name in ("license", "license.foo"):
        assert str(field_help(name)).startswith("its fields are license.type, license.lastUsed, ")


@pytest.mark.parametrize("word", ["licensetype", "locale", "level", "country"])
def test_what_is_only_a_little_like_a_field_may_be_an_attribute(word: str) -> None:
    help_ = str(field_help(f"user.{word}"))
    assert help_.startswith(
        f"a custom property is written `user.@{word}`, an attribute of the user directory `user.attrib"
    )


@pytest.mark.parametrize(
    ("name", "field"), [("active", "not user.inactive"), ("roleName", "user.roles"), ("blacklisted", "user.blocked")]
)
def test_names_that_the_field_has_for_facts_that_are_here(name: str, field: str) -> None:
    assert field_help(f"user.{name}") == f"write `{field}`"
    parse_condition(field, in_file("p"))
