"""What is written on another surface says the same there."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.grammar.ast import Policy
from seatwarden.grammar.errors import Defect
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.butler.writer import in_yaml_order
from seatwarden.policy.conversion import Surface, convert, surface_of
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.json_form.writer import policy_to_json, print_json_form
from seatwarden.policy.loading import check_text, parse_surface
from tests.paths import EXAMPLES
from tests.strategies import any_policies, any_text, butler_maps, policies


@given(any_policies())
def test_json_says_the_same(policy: Policy) -> None:
    assert parse_surface(print_json_form(policy), "p.json") == policy


@given(any_policies())
def test_programs_may_write_their_json_as_they_like(policy: Policy) -> None:
    value = policy_to_json(policy)
    for text in (
        json.dumps(value),
        json.dumps(value, indent="\t", ensure_ascii=False),
        json.dumps(value).replace("/", "\\/"),
    ):
        assert parse_surface(text, "p.json") == policy


@given(butler_maps())
def test_butler_s_settings_survive_the_way_over_policy_text(settings: dict[str, Any]) -> None:
    tree = parse_butler(json.dumps(settings), "p.yaml")
    text = convert(tree, "policy", "p.yaml", "")
    again = parse_surface(text, "p.policy")
    assert again == tree
    assert parse_surface(convert(again, "yaml", "p.policy", text), "p.yaml") == tree


nasty = any_text | st.sampled_from(
    ["No", "1e5", "0x10", " x ", "", "~", "null", "a: b", "a #b", "- a", "y", "12:30:45", "2026-01-01", "'", '"', "\\",
     "*a", "\x85", "\u2028", "\x7f", "\x00", "\ufeff", "…", "😀", "<<", "=", "[a]", "{a}", "%a", "a:", "a\tb", "a  b"]
)  # fmt: skip


@given(st.lists(nasty, min_size=1, max_size=4), st.lists(nasty, min_size=2, max_size=2))
def test_any_text_is_quoted_well(texts: list[str], pair: list[str]) -> None:
    settings = {
        "neverRelease": {
            "user": [{"userDir": pair[0], "userId": pair[1]}],
            "tag": texts,
            "customProperty": [{"name": text, "value": pair[0]} for text in texts],
            "when": [{"name": pair[0], "when": "user.inactive"}],
        },
        "let": {"one": texts[0], "all": texts},
        "licenseType": {},
    }
    tree = parse_butler(json.dumps(settings), "p.yaml")
    for surface in ("policy", "yaml", "json"):
        convert(tree, surface, "p.yaml", "")  # which proves itself


@given(policies())
def test_yaml_says_the_same_or_what_it_cannot_say(policy: Policy) -> None:
    text = convert(policy, "policy", "p.policy", "")
    tree = parse_surface(text, "p.policy")
    try:
        yaml = convert(tree, "yaml", "p.policy", text)
    except PolicyError as error:
        for diagnostic in error.diagnostics:
            assert diagnostic.code == "SW210"
            assert diagnostic.help
            place = diagnostic.span
            assert any(
                (s.span.line, s.span.column) <= (place.line, place.column)
                and (place.end_line, place.end_column) <= (s.span.end_line, s.span.end_column)
                for s in tree.statements
            )
    else:
        assert parse_surface(yaml, "p.yaml") == in_yaml_order(tree)


@pytest.mark.parametrize("surface", ["policy", "yaml", "json"])
@pytest.mark.parametrize("example", ["butler.yaml", "butler.policy", "season.policy"])
def test_examples_can_be_converted(example: str, surface: Surface) -> None:
    text = (EXAMPLES / example).read_text(encoding="utf-8")
    assert convert(parse_surface(text, example), surface, example, text)


def test_the_butler_example_says_what_its_policy_says() -> None:
    """The pair in examples/ is one policy on two surfaces."""
    butler, policy = ((EXAMPLES / name).read_text(encoding="utf-8") for name in ("butler.yaml", "butler.policy"))
    assert parse_surface(butler, "butler.yaml") == parse_surface(policy, "butler.policy")


def test_yaml_as_it_is_written() -> None:
    text = r"""
    limit release to 10% of analyzer per run
    limit release to 5 per run
    timezone "UTC"
    let admins = ["ann", "No"]
    let cutoff = 2026-07-01
    set vips from "vips.txt"
    guarantee "root admins" never release when user.roles = "RootAdmin"
    guarantee "45 days" never release professional before 45 days when user.inactive
    guarantee "one stays" never release both types
    keep "user" when user == ["A\b", "C\d"] or (user.userDirectory == "E\F" and user.userId == "g")
    keep "customProperty" when user.@A == ["1", "2"] or user.@"b c" == "x"
    keep "inactive" when not user.inactive
    keep "by name" when user = admins
    keep analyzer "out of order" until 2027-02-28 when user.tags == "x"
    keep "blocked" when user.blocked
    release professional when unused for 60 days and not never used and user.roles != "RootAdmin" and user.@A like "a*"
    release analyzer when unused for 30 days or never used
    """
    tree = check_text(text.replace('set vips from "vips.txt"', ""), "p").tree
    assert convert(tree, "yaml", "p", text) == (
        """\
timezone: UTC
limit:
  - 10% of analyzer per run
  - 5 per run
let:
  admins:
    - ann
    - 'No'
  cutoff: 2026-07-01
guarantees:
  root admins: never release when user.roles = "RootAdmin"
  '45 days': never release professional before 45 days when user.inactive
  one stays: never release both types
neverRelease:
  user:
    - userDir: A
      userId: b
    - userDir: C
      userId: d
    - userDir: 'E\\F'
      userId: g
  customProperty:
    - name: A
      value: '1'
    - name: A
      value: '2'
    - name: b c
      value: x
  inactive: 'No'
  when:
    - name: by name
      when: user = admins
    - name: out of order
      licenseType: analyzer
      until: 2027-02-28
      when: user.tags == "x"
    - name: blocked
      when: user.blocked
licenseType:
  professional:
    enable: true
    releaseThresholdDays: 60
    neverUsed: keep
    when: user.roles != "RootAdmin" and user.@A like "a*"
  analyzer:
    enable: true
    releaseThresholdDays: 30
    neverUsed: release
"""
    )


@pytest.mark.parametrize(
    ("statement", "title", "why"),
    [
        ("keep when user.inactive", "`keep`", "keep rules have names there"),
        ("release when unused for 30 days", "`release`", "release rules speak of one license type there"),
        ("release analyzer, professional when unused for 30 days", "`release", "speak of one license type"),
        ('release analyzer "old" when unused for 30 days', "release rule `old`", "release rules have no names there"),
        ("release analyzer when user.inactive", "`release analyzer`", "it does not start with `unused for`"),
        ("release analyzer when unused for 2 weeks", "`release analyzer`", "YAML counts days"),
        ("release analyzer when unused for 9 days after notice of 1 week", "`release analyzer`", "YAML counts days"),
        ("release analyzer when unused for 9 days or user.inactive", "`release analyzer`", "does not start"),
        (
            "release analyzer when unused for 9 days and (user.inactive and user.blocked)",
            "`release analyzer`",
            "an `and` in parentheses",
        ),
        ('keep "deep" when ' + "not " * 63 + "user.inactive", "keep rule `deep`", "nested too deep"),
        ("guarantee never release before 3 days", "`guarantee never release before 3 days`", "guarantees have names"),
        ('guarantee "a" never release guarantee "a" never release', '`guarantee "a"`', "YAML has one place for it"),
        ('guarantee "deep" never release when ' + "not " * 63 + "user.inactive", "`guarantee", "nested too deep"),
        ('timezone "UTC" timezone "UTC"', "this time zone", "YAML has one place for it"),
        ("let x = 1 let x = 2", "`x`", "YAML has one place for it"),
        (
            "release analyzer when unused for 9 days release analyzer when unused for 8 days",
            "`release analyzer`",
            "YAML has one place for it",
        ),
    ],
)
def test_what_yaml_cannot_say_is_named(statement: str, title: str, why: str) -> None:
    text = f"# above\n{statement}"
    with pytest.raises(PolicyError) as caught:
        convert(parse_surface(text, "p.policy"), "yaml", "p.policy", text)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message.startswith(title)
    assert diagnostic.message.endswith("cannot be written in YAML")
    assert why in diagnostic.label
    assert diagnostic.span.line == 2
    assert caught.value.sources == {"p.policy": text}


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ('release analyzer "old" when unused for 30 days', '"old"'),
        ("release analyzer when user.inactive and unused for 9 days", "user.inactive"),
        ("release analyzer when unused for 2 weeks and user.inactive", "unused for 2 weeks"),
        ("release analyzer when unused for 9 days after notice of 8 days, reminder 1 week before", "1 week"),
        (
            "release analyzer when unused for 9 days and (user.inactive and user.blocked)",
            "user.inactive and user.blocked",
        ),
        ('keep "deep" when ' + "not " * 63 + "user.inactive", "not " * 63 + "user.inactive"),
        (
            "release analyzer when unused for 9 days and user.blocked and " + "not " * 62 + "user.inactive",
            "user.blocked and " + "not " * 62 + "user.inactive",
        ),
    ],
)
def test_of_what_yaml_cannot_say_the_part_is_marked(statement: str, part: str) -> None:
    with pytest.raises(PolicyError) as caught:
        convert(parse_surface(statement, "p.policy"), "yaml", "p.policy", statement)
    (diagnostic,) = caught.value.diagnostics
    assert statement[diagnostic.span.column - 1 : diagnostic.span.end_column - 1] == part


def test_everything_that_yaml_cannot_say_is_named_at_once() -> None:
    text = 'keep when user.inactive\nkeep "a" when user.blocked\nrelease when unused for 3 days'
    with pytest.raises(PolicyError) as caught:
        convert(parse_surface(text, "p.policy"), "yaml", "p.policy", text)
    assert [diagnostic.span.line for diagnostic in caught.value.diagnostics] == [1, 3]


def test_the_proof_stops_a_writer_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwarden.policy.conversion.print_policy", lambda policy: "")
    with pytest.raises(Defect):
        convert(parse_surface("release when unused for 3 days", "p"), "policy", "p", "")


def test_surfaces_by_suffix() -> None:
    assert [surface_of(s) for s in (".policy", "", ".txt", ".yaml", ".YML", ".json")] == [
        "policy", "policy", "policy", "yaml", "yaml", "json",
    ]  # fmt: skip
