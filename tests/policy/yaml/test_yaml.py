"""YAML as people write it: duplicates, aliases, merges, places; and YAML that nobody should write."""

import json
from contextlib import suppress
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwarden.grammar.ast import Policy
from seatwarden.grammar.bounds import MAX_DEPTH
from seatwarden.grammar.parser import parse_policy
from seatwarden.grammar.printer import print_policy
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.diagnostics import render
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import check_text
from tests.strategies import butler_maps


def _finding(text: str) -> str:
    with pytest.raises(PolicyError) as caught:
        parse_butler(text, "b")
    (diagnostic,) = caught.value.diagnostics
    return f"{diagnostic.code} {diagnostic.span.place} {diagnostic.message}"


@given(butler_maps())
def test_yaml_means_the_same_as_its_text(settings: dict[str, Any]) -> None:
    tree = parse_butler(json.dumps(settings, ensure_ascii=False), "b.json")
    text = print_policy(tree)
    assert parse_policy(text, "p") == tree
    assert check_text(text, "p").tree == tree


@given(butler_maps())
def test_the_form_of_the_yaml_means_nothing(settings: dict[str, Any]) -> None:
    """One line or many, under its name or bare."""
    tree = parse_butler(json.dumps(settings), "b")
    assert parse_butler(json.dumps(settings, indent=2), "b") == tree
    assert parse_butler(json.dumps({"licenseRelease": settings}, ensure_ascii=False), "b") == tree


@given(butler_maps())
def test_every_rule_stands_at_its_key(settings: dict[str, Any]) -> None:
    text = json.dumps(settings, indent=1)
    lines = text.split("\n")
    for rule in parse_butler(text, "b").rules:
        line = lines[rule.span.line - 1]
        marked = line[rule.span.column - 1 :]
        if rule.name in ("user", "tag", "customProperty", "userDirectory", "inactive", "blocked", "removedExternally"):
            assert marked.startswith(f'"{rule.name}"')
        elif rule.kind in ("release", "downgrade"):
            assert marked.startswith(f'"{rule.license_types[0]}"')
        else:
            assert marked.startswith("{")


def _spans(policy: Policy) -> list[str]:
    return [rule.span.place for rule in policy.rules]


def test_aliases_are_what_they_name() -> None:
    text = """
neverRelease:
  tag: &names [a, b]
  userDirectory: *names
licenseType:
  analyzer: &both {enable: true, releaseThresholdDays: 30}
  professional: *both
"""
    policy = parse_butler(text, "b")
    assert print_policy(policy).split("\n")[:2] == [
        'keep "tag" when user.tags == ["a", "b"]',
        'keep "userDirectory" when user.userDirectory == ["a", "b"]',
    ]
    assert _spans(policy) == ["b:3:3", "b:4:3", "b:6:3", "b:7:3"]


def test_merged_keys_give_way_to_written_ones() -> None:
    text = """
neverRelease: {}
licenseType:
  analyzer: &base {enable: true, releaseThresholdDays: 30}
  professional:
    <<: *base
    releaseThresholdDays: 60
"""
    assert [rule.condition for rule in parse_butler(text, "b").rules] == [
        rule.condition
        for rule in parse_policy("release when unused for 30 days\nrelease when unused for 60 days", "p").rules
    ]


_LISTED = "user: [], customProperty: [], inactive: ignore, blocked: ignore, removedExternally: ignore"


def _never_release(more: str, elsewhere: str = "{}") -> str:
    """Settings with anchors, and something else that is ignored, beside them."""
    return f"""\
shared: [&vip {{tag: [vip]}}, &finance {{userDirectory: [FIN], tag: [fin]}}]
ignored: {elsewhere}
Butler:
  qlikSenseLicense:
    licenseRelease:
      enable: true
      frequency: every 6 hours
      neverRelease: {{{more}}}
      licenseType:
        analyzer: {{enable: true, releaseThresholdDays: 30}}
        professional: {{enable: false, releaseThresholdDays: 30}}
      dryRun: true
      destination: {{influxDb: {{enable: false, tag: {{static: []}}}}}}
"""


@pytest.mark.parametrize(
    ("merge", "tags"),
    [
        ("<<: *vip, userDirectory: [FIN]", ["vip"]),
        ("<<: *finance", ["fin"]),
        ("<<: [*vip, *finance]", ["vip"]),
        ("<<: [*finance, *vip]", ["fin"]),
        ("<<: [*vip, {tag: [x], userDirectory: [FIN]}]", ["vip"]),
        ("<<: {tag: [x], userDirectory: [FIN]}", ["x"]),
        ("<<: [], <<: {}, tag: [x], userDirectory: [FIN]", ["x"]),
    ],
)
def test_what_is_merged_keeps(merge: str, tags: list[str]) -> None:
    text = print_policy(parse_butler(_never_release(f"{_LISTED}, {merge}"), "b"))
    assert f'keep "tag" when user.tags == "{tags[0]}"' in text
    assert 'keep "userDirectory" when user.userDirectory == "FIN"' in text


@pytest.mark.parametrize(
    ("merge", "marked"),
    [
        ("<<: vip", "vip"),
        ("<<: ", "<<"),
        ("<<: ~", "~"),
        ("<<: ''", "<<"),
        ("<<: 5", "5"),
        ("<<: [vip, {tag: [x]}]", "vip"),
        ("<<: [*vip, [*finance]]", "[*finance]"),
    ],
)
def test_what_is_no_map_cannot_be_merged(merge: str, marked: str) -> None:
    """`<<: vip` without its star would lose the rules that `vip` has. Where we read nothing it is an error too:
    js-yaml, and so Butler, refuses the file (`cannot merge mappings`)."""
    inside = _never_release(f"{merge}, tag: [], userDirectory: [], {_LISTED}")
    outside = _never_release(f"tag: [], userDirectory: [], {_LISTED}", f"{{{merge}, a: b}}")
    for text in (inside, outside):
        with pytest.raises(PolicyError) as caught:
            parse_butler(text, "b")
        (finding,) = caught.value.diagnostics
        assert (finding.code, finding.help) == ("SW204", "write an alias: <<: *name")
        line = text.split("\n")[finding.span.line - 1]
        assert line[finding.span.column - 1 : finding.span.end_column - 1] == marked


@pytest.mark.parametrize(
    "text",
    [
        "neverRelease: &a {tag: *a}\nlicenseType: {}",
        "neverRelease: &a\n  tag: *a\n  user: *a\nlicenseType: {}",
        "neverRelease:\n  tag: &a [x, *a]\nlicenseType: {}",
        "neverRelease: &a {<<: *a}\nlicenseType: {}",
        "neverRelease: &a {when: [{name: *a}], tag: [[*a]]}\nlicenseType: {}",
    ],
)
def test_an_alias_to_itself_is_no_empty_list(text: str) -> None:
    finding = _finding(text)
    assert finding.startswith("SW205 b:")
    assert finding.endswith(" `&a` contains itself")


def test_duplicate_keys() -> None:
    text = "neverRelease:\n  tag: [a]\n  tag: [b]\nlicenseType: {}"
    with pytest.raises(PolicyError) as caught:
        parse_butler(text, "b")
    assert [render(d, caught.value.sources) for d in caught.value.diagnostics] == [
        """\
error[SW202]: key `tag` is given twice
 --> b:3:3
  |
3 |   tag: [b]
  |   ^^^ again here
 ::: b:2:3
  |
2 |   tag: [a]
  |   --- first here
  = help: remove one of them; YAML does not say which would count"""
    ]


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        ("user: [{userDirectory: D, userId: u}]", "SW203 b:1:24 unknown key `userDirectory` in `neverRelease.user`"),
        ("customProperty: [{Name: P, value: x}]", "SW203 b:1:34 unknown key `Name` in `neverRelease.customProperty`"),
        ("when: [{name: P, whn: user.blocked}]", "SW203 b:1:33 unknown key `whn` in `neverRelease.when`"),
    ],
)
def test_a_mistyped_key_is_one_finding(entry: str, finding: str) -> None:
    """That the right one is absent is the same slip."""
    assert _finding(f"neverRelease: {{{entry}}}\nlicenseType: {{}}") == finding


@pytest.mark.parametrize("near", ["userDir: D, userDirr: D", "user: D"])
def test_a_key_that_was_not_meant_is_said_to_lack(near: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_butler(f"neverRelease: {{user: [{{{near}}}]}}\nlicenseType: {{}}", "b")
    assert sorted(d.code for d in caught.value.diagnostics) == ["SW203", "SW206"]


def test_all_duplicate_keys_are_told() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_butler("a: {x: 1, x: 2}\na: {y: 1, y: 2}\n", "b")
    assert [d.span.place for d in caught.value.diagnostics] == ["b:1:11", "b:2:11", "b:2:1"]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("neverRelease:\n\ttag: [a]", "SW201 b:2:1 this is not YAML: a tab is used for indentation"),
        ("a: b: c", "SW201 b:1:5 this is not YAML: a `:` stands where no map can start"),
        ("tag: *nobody", "SW201 b:1:6 this is not YAML: found undefined alias 'nobody'"),
        ("? [a, b]\n: c", "SW203 b:1:3 a key is a word, not a list or a map"),
        ("a: \x07", "SW201 b:1:1 character U+0007 is not allowed in YAML"),
    ],
)
def test_no_yaml(text: str, finding: str) -> None:
    assert _finding(text) == finding


@pytest.mark.parametrize(
    "text", ["a: [1", "a: 'x", "a: b\n c: d", "--- a\n--- b", "%YAML 9.9\n---\na: b", "&a *a", "@"]
)
def test_no_yaml_in_other_ways(text: str) -> None:
    assert _finding(text).startswith("SW20")


@pytest.mark.parametrize("bracket", ["[]", "{}"])
@pytest.mark.parametrize("depth", [50, 200, 300, 350, 400, 450, 500, 600])
def test_deep_yaml_is_refused(bracket: str, depth: int) -> None:
    opening = {"[]": "[", "{}": "{a: "}[bracket]
    assert _finding("x: " + opening * depth + bracket[1] * depth)[:5] in ("SW205", "SW209")


def test_a_node_within_itself_and_a_bomb_of_aliases() -> None:
    began = process_time()
    with pytest.raises(PolicyError):
        parse_butler("neverRelease: &a {tag: [*a], userDirectory: *a}\nlicenseType: {}", "b")
    laughs = "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40))
    with pytest.raises(PolicyError):
        parse_butler("a0: &a0 [ha]\n" + laughs, "b")
    assert process_time() - began < 10  # a hang is meant, not a speed


def test_folded_text_is_marked_where_it_stands() -> None:
    text = """\
neverRelease:
  when:
    - name: folded
      when: >
        user.tags =
        vip x
licenseType: {}
"""
    with pytest.raises(PolicyError) as caught:
        parse_butler(text, "b")
    assert [(d.span.line, d.span.column) for d in caught.value.diagnostics] == [(6, 13)], "the x"


def test_the_deepest_condition_can_be_read_again_from_its_text() -> None:
    """`when` is joined to the threshold; the whole must not be too deep for policy text."""

    def deep(depth: int) -> str:
        when = "not " * (depth - 1) + "user.inactive"
        both = f"enable: true, releaseThresholdDays: 30, neverUsed: keep, when: {when}"
        return f"neverRelease: {{when: [{{name: a, when: {when}}}]}}\nlicenseType: {{analyzer: {{{both}}}}}"

    tree = parse_butler(deep(MAX_DEPTH - 1), "b")
    assert parse_policy(print_policy(tree), "p") == tree
    with pytest.raises(PolicyError) as caught:
        parse_butler(deep(MAX_DEPTH), "b")
    assert [d.code for d in caught.value.diagnostics] == ["SW005", "SW005"]


_KEYS = [
    "neverRelease",
    "licenseType",
    "licenseRelease",
    "tag",
    "user",
    "when",
    "analyzer",
    "limit",
    "<<",
    "a",
    "until",
]
_trees: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["x", "yes", "5%", "true", "", "\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
    max_leaves=10,
)
_MARKS = """: - [ ] { } , &a *a !!int !!x ' " | > # ? --- ... %YAML 0o9 1:30 2026-01-01 .nan 0x - 1_ + = ~"""
_PIECES = st.lists(st.sampled_from([*_KEYS, *_MARKS.split(), ": ", "\n", "\n  ", " "]), max_size=14).map("".join)


@given(_PIECES | st.text(max_size=30) | _trees.map(json.dumps) | _trees.map(repr))
@example("!!timestamp x")
@example("!!binary ä: !!set {a, b}")
@example("!!float x")
@example("!!null x")
@example("licenseType: {analyzer: {enable: true, releaseThresholdDays: !!int abc}}")
@example("licenseType: {analyzer: {enable: true, releaseThresholdDays: " + "9" * 5000 + "}}")
@example("%YAML 1.1\n---\nlicenseType: {analyzer: {enable: yes, releaseThresholdDays: 1:30}}")
@example("%TAG ! tag:x,2000:\n---\na: !b c")
@example("licenseType: {<<: 5}")
@example("licenseType: {<<: [*a]}")
@example("\ufefflicenseType: {}")
@example("a: \ud800")
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    with suppress(PolicyError):
        assert parse_butler(text, "b") is not None


@given(butler_maps(), st.integers(0, 500), st.integers(0, 3), st.text(max_size=2))
def test_settings_with_a_slip(settings: dict[str, Any], at: int, lost: int, more: str) -> None:
    text = json.dumps(settings, indent=1)
    at %= len(text) + 1
    spoiled = text[:at] + more + text[at + lost :]
    try:
        tree = parse_butler(spoiled, "b")
    except PolicyError as error:
        refused: PolicyError | None = error
    else:
        refused = None
        assert parse_policy(print_policy(tree), "p") == tree
    for diagnostic in refused.diagnostics if refused else ():
        assert 1 <= diagnostic.span.line <= spoiled.count("\n") + 2
        assert diagnostic.message in render(diagnostic, {"b": spoiled})
