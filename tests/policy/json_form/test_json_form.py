"""Reading the JSON form: every mistake is found, with its place."""

import json
from typing import Any

import pytest

from seatwarden.grammar.printer import print_policy
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.loading import load_policy, parse_surface

KEEP: dict[str, Any] = {"kind": "keep", "name": "a", "when": {"field": "user.inactive"}}
RELEASE: dict[str, Any] = {"kind": "release", "when": True}


def _policy(*statements: object) -> str:
    return json.dumps({"seatwarden": 1, "statements": statements}, indent=1)


def _when(condition: object) -> str:
    return _policy({"kind": "keep", "name": "a", "when": condition})


def _nested(depth: int) -> Any:
    condition: Any = {"field": "user.inactive"}
    for _ in range(depth - 1):
        condition = {"not": condition}
    return condition


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"seatwarden": 2, "statements": []}', "this is not format 1 of the JSON form"),
        ('{"seatwarden": "1", "statements": []}', "this is not format 1 of the JSON form"),
        ('{"seatwarden": true, "statements": []}', "this is not format 1 of the JSON form"),
        ('{"seatwarden": 1}', "`the policy` lacks the key `statements`"),
        ('{"seatwarden": 1, "statement": [], "statements": []}', "unknown key `statement`"),
        ('{"seatwarden": 1, "statements": {}}', "`statements` must be a list"),
        ('{"seatwarden": 1, "seatwarden": 1, "statements": []}', "key `seatwarden` is given twice"),
        ('{"seatwarden": 1, "statements": [}', "this is not JSON"),
        (_policy("keep"), "a statement must be an object"),
        (_policy({"name": "a"}), "a statement lacks the key `kind`"),
        (_policy({"kind": "kepe"}), "`kind` is one of keep, downgrade, release"),
        (_policy({"kind": "keep"}), "`keep` lacks the key `when`"),
        (_policy({"kind": "release", "until": "2026-01-01", "when": True}), "unknown key `until`"),
        (_policy(KEEP | {"regardlessOfUse": True}), "unknown key `regardlessOfUse`"),
        (_policy({"kind": "release", "when": True, "regardlessOfUse": "x"}), "`regardlessOfUse` must be true or false"),
        (_policy(KEEP | {"notice": {"of": {"days": 14}}}), "unknown key `notice`"),
        (_policy(RELEASE | {"notice": 14}), "`notice` must be an object"),
        (_policy(RELEASE | {"notice": {"reminder": {"days": 3}}}), "`notice` lacks the key `of`"),
        (_policy(RELEASE | {"notice": {"of": 14}}), "a length of time belongs here"),
        (_policy(RELEASE | {"notice": {"of": {"name": "b c"}}}), "`b c` cannot be a name"),
        (_policy(RELEASE | {"notice": {"of": {"days": 14}, "reminder": {"days": "3"}}}), "must be a number of days"),
        (_policy(KEEP | {"until": "2026-02-30"}), "`until` must be a date"),
        (_policy(KEEP | {"until": 5}), "`until` must be a date"),
        (_policy(KEEP | {"name": "a\nb"}), "`name` contains a line break"),
        (_policy(KEEP | {"name": "\ud800"}), "half of a character"),
        (_policy(KEEP | {"licenseTypes": ["Analyzer"]}), "`licenseTypes` is one of professional, analyzer"),
        (_policy(KEEP | {"licenseTypes": "analyzer"}), "`licenseTypes` must be a list"),
        (_policy({"kind": "let", "name": "keep", "value": 1}), "`keep` cannot be a name"),
        (_policy({"kind": "let", "name": "ſet", "value": 1}), "`ſet` cannot be a name"),
        (_policy({"kind": "let", "name": "a", "value": None}), "`let` lacks the key `value`"),
        (_policy({"kind": "let", "name": "a", "value": {"days": "3"}}), "`days` must be a number of days"),
        (_when({"unusedFor": {"name": "b c"}}), "`b c` cannot be a name"),
        (_policy({"kind": "let", "name": "a", "value": [["b"]]}), "no condition and no value"),
        (_policy({"kind": "let", "name": "a", "value": 1.5}), "must be a whole number"),
        (_policy({"kind": "let", "name": "a", "value": -1}), "must not be negative"),
        (_policy({"kind": "set", "name": "a"}), "`set` lacks the key `from`"),
        (_policy({"kind": "limit"}), "either a `count` or a `percent`"),
        (_policy({"kind": "limit", "count": 1, "percent": 1}), "either a `count` or a `percent`"),
        (_policy({"kind": "limit", "percent": 101}), "more than 100 %"),
        (_policy({"kind": "limit", "count": 1, "longestUnusedFirst": "yes"}), "must be true or false"),
        (_policy({"kind": "timezone", "name": 1}), "`name` must be text"),
        (_policy({"kind": "guarantee"}), "`guarantee` lacks the key `promise`"),
        (_policy({"kind": "guarantee", "promise": "nevr"}), "`promise` is one of never, always"),
        (_policy({"kind": "guarantee", "promise": "never before"}), "how long before is said of another guarantee"),
        (_policy({"kind": "guarantee", "promise": "never", "before": {"days": 3}}), "said of another guarantee"),
        (_policy({"kind": "guarantee", "promise": "never before", "before": 3}), "a length of time belongs here"),
        (_policy({"kind": "guarantee", "promise": "never both types", "when": True}), "about everybody who holds both"),
        (_policy({"kind": "guarantee", "promise": "never", "when": {"text": "a"}}), "no condition and no value"),
        (_when({"and": [True]}), "`and` joins two conditions or more"),
        (_when({"or": None}), "no condition and no value"),
        (_when({"and": [True, True], "or": [True, True]}), "unknown key `or`"),
        (_when({"operator": "<>", "left": 1, "right": 2}), "`operator` is one of"),
        (_when({"operator": "=", "left": 1}), "`a comparison` lacks the key `right`"),
        (_when({"unusedFor": 30}), "`unusedFor` lacks the key `unit`"),
        (_when({"unusedFor": 30, "unit": "months"}), "`unit` is one of days, weeks"),
        (_when({"field": "user.tags or true"}), "cannot be a field"),
        (_when({"field": "user.attributes.email"}), "cannot be a field"),
        (_when({"field": "user.@"}), "cannot be a field"),
        (_when({"field": "today", "key": "x"}), "cannot be a field"),
        (_when({"field": "user.tags", "keys": "x"}), "unknown key `keys`"),
        (_when({"name": "a b"}), "`a b` cannot be a name"),
        (_when({"date": "2026-W01-1"}), "`date` must be a date"),
        (_when({"date": "2026-1-1"}), "`date` must be a date"),
        (_when({"text": "a"}), "no condition and no value"),
        (_when(_nested(65)), "nested more than 64 deep"),
        (_when({"not": {"not": _nested(63)}}), "nested more than 64 deep"),
    ],
)  # fmt: skip
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_surface(text, "p.json")
    diagnostic = caught.value.diagnostics[0]
    assert message in diagnostic.message
    assert diagnostic.span.file == "p.json"
    assert diagnostic.span.line >= 1


@pytest.mark.parametrize(
    "text",
    [
        '{"licenseType": ',
        '{"licenseType": {}, "licenseType": {}}',
        '{"licenseType": {}, "neverRelease": {"tag": [5], "userDirectory": "x"}}',
        '{"licenseType": {}, "limit": ' + "[" * 99 + "]" * 99 + "}",
        '{"licenseType": {}, "limit": "\\x"}',
        '{"seatwarden": 1, "statements": [}',
    ],
)
def test_mistakes_are_told_in_the_words_of_json(text: str) -> None:
    """Though it is read as YAML."""
    with pytest.raises(PolicyError) as caught:
        parse_surface(text, "p.JSON")
    for diagnostic in caught.value.diagnostics:
        said = f"{diagnostic.message} {diagnostic.label} {diagnostic.help}"
        assert "YAML" not in said
        assert "'" not in said
        assert "`- `" not in said


def test_all_mistakes_at_once_and_where() -> None:
    text = _policy({"kind": "keep"}, KEEP, {"kind": "timezone", "name": 1})
    with pytest.raises(PolicyError) as caught:
        parse_surface(text, "p.json")
    assert [d.span.line for d in caught.value.diagnostics] == [5, 16]


def test_nesting_as_deep_as_policy_text_may() -> None:
    policy = parse_surface(_when(_nested(64)), "p.json")
    assert parse_surface(print_policy(policy), "p.policy") == policy


def test_what_only_yaml_has_is_refused() -> None:
    bomb = '{"field": "user.inactive"}'
    for n in range(60):
        bomb = f'{{"and": [&a{n}\n{bomb}, *a{n}]}}'
    with pytest.raises(PolicyError) as caught:
        parse_surface(f'{{"seatwarden": 1, "statements": [\n{{"kind": "keep", "when": {bomb}}}]}}', "p.json")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "this is not JSON: expecting value"
    assert diagnostic.span.line == 2
    with pytest.raises(PolicyError, match="this is not JSON"):
        parse_surface('{"seatwarden": 1, "statements": [],}', "p.json")


def test_json_without_the_mark_is_butler_s(tmp_path: Any) -> None:
    path = tmp_path / "p.json"
    path.write_text(
        '{\n\t"licenseType": {"analyzer": {"enable": true, "releaseThresholdDays": 30}}\n}', encoding="utf-8"
    )
    assert load_policy(path).text == "release analyzer when unused for 30 days\n"
    path.write_text(_policy(KEEP), encoding="utf-8")
    assert load_policy(path).text == 'keep "a" when user.inactive\n'


def test_types_are_checked_with_places(tmp_path: Any) -> None:
    path = tmp_path / "p.json"
    path.write_text(_when({"field": "user.inactiv"}), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line, diagnostic.help) == ("SW101", 7, "did you mean `user.inactive`?")
