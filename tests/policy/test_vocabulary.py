"""One table of fields: each entry's own example is right, and the generated policies speak of all of them."""

import pytest
from hypothesis import given

from grammar.ast import Comparison, Field, Let, Policy, Text
from grammar.builder import parse_field
from grammar.parser import in_file, parse_condition
from grammar.spans import NOWHERE
from policy.check import check
from policy.loading import check_text
from policy.vocabulary import VOCABULARY, Entry, entry_of
from tests.strategies import FIELDS, policies


@pytest.mark.parametrize("entry", VOCABULARY.values(), ids=lambda entry: entry.name)
def test_every_entry(entry: Entry) -> None:
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
    names = {s.name: s.value for s in policy.statements if isinstance(s, Let)}
    assert check(policy, names) == []


def test_a_field_has_one_spelling() -> None:
    """Fields are names and tell capitals apart; a mistyped capital has a hint."""
    condition = parse_condition('user.Tags = "x"', in_file("p"))
    assert condition == Comparison("=", Field("user.Tags"), Text("x"))
    assert entry_of(Field("user.Tags")) is None
