"""The JSON Schemas accept what the front ends accept, and reject what they reject.

Left out on purpose: keys given twice, which JSON data cannot have, and what the conditions in `when` say.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from seatwarden.grammar.ast import Policy
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.butler.schema import butler_schema
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.json_form.tables import json_form_schema
from seatwarden.policy.json_form.writer import policy_to_json
from seatwarden.policy.loading import parse_surface
from seatwarden.policy.yaml.nodes import Node, YamlList, YamlMap, read_yaml
from tests.paths import DATA, EXAMPLES, load_json
from tests.strategies import any_policies, butler_maps

CASES: list[dict[str, Any]] = load_json(DATA / "config-cases.json")
WHOLE = next(case["yaml"] for case in CASES if case["title"] == "base: valid")


@lru_cache
def _validator(name: str) -> Draft202012Validator:
    schema = {"butler": butler_schema, "json-form": json_form_schema}[name]()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=FormatChecker())


def _schema_accepts(data: Any, name: str = "butler") -> bool:
    return bool(_validator(name).is_valid(data))


def _front_end_accepts(text: str, file: str = "p.yaml") -> bool:
    try:
        parse_surface(text, file)
    except PolicyError:
        return False
    return True


def _plain(node: Node) -> Any:
    """The data of a YAML text as an editor's YAML 1.2 reader sees it: it has no dates."""
    match node:
        case YamlMap(entries):
            return {entry.key.text: _plain(entry.value) for entry in entries}
        case YamlList(items):
            return [_plain(item) for item in items]
        case _:
            return node.text if node.value != node.value else node.value


def _data(text: str) -> Any:
    return _plain(read_yaml(text, "p.yaml"))


# Butler's YAML -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_config_cases(case: dict[str, Any]) -> None:
    accepted = _front_end_accepts(case["yaml"])
    assert not accepted or case["butlerAccepts"], "what Butler refuses is refused here too"
    if not case["title"].startswith("duplicate key"):
        assert _schema_accepts(_data(case["yaml"])) == accepted


def test_examples() -> None:
    assert _schema_accepts(_data((EXAMPLES / "butler.yaml").read_text(encoding="utf-8")))


@given(butler_maps())
def test_bare_maps(settings: dict[str, Any]) -> None:
    assert _schema_accepts(settings)
    assert _schema_accepts({"licenseRelease": settings})


OURS: dict[str, Any] = {
    "timezone": "Europe/Stockholm",
    "limit": ["10% of analyzer per run", 5],
    "let": {"admins": ["ann", "bob"], "one": 1, "yes": True, "none": None},
    "set": {"vips": "vips.txt"},
    "neverRelease": {
        "user": [{"userDir": "A", "userId": "b"}],
        "tag": ["x"],
        "customProperty": [{"name": "a", "value": "b"}],
        "userDirectory": None,
        "inactive": "Ignore",
        "when": [{"name": "a", "when": "user.inactive", "until": "2027-02-28", "licenseType": ["analyzer"]}],
    },
    "licenseType": {
        "analyzer": {"enable": True, "releaseThresholdDays": 30, "neverUsed": "keep", "when": "user.blocked"},
        "professional": {"enable": False, "releaseThresholdDays": 0},
    },
}


def _whole() -> dict[str, Any]:
    block: dict[str, Any] = _data(WHOLE)["qlikSenseLicense"]
    ours = {key: OURS[key] for key in ("timezone", "limit", "let", "set")}
    block["licenseRelease"] |= ours
    block["licenseRelease"]["neverRelease"]["when"] = OURS["neverRelease"]["when"]
    return block


FORMS: tuple[Any, ...] = (
    OURS,
    {"licenseRelease": OURS},
    {"licenseRelease": OURS, "configQRS": {"host": "x"}, "cert": {}, "influxDb": {}, "seatwarden": {}},
    {"qlikSenseLicense": {"licenseRelease": _whole()["licenseRelease"]}, "configQRS": {"host": "x"}},
    {"qlikSenseLicense": _whole(), "else": 1},
    {"Butler": {"qlikSenseLicense": _whole(), "configQRS": {"host": "x"}}, "else": 1},
)

_UNLIKELY: tuple[Any, ...] = (
    None, True, 5, 0.5, 30.0, -1, 10**10, "text", "No", " YES ", "", "a\nb", "5", "2027-02-28", "2027-02-30",
    "10%", "101%", "50 PER run", "50 per", "analyzer", [], [None], ["x"], ["analyzer", "x"], {}, {"x": 1},
)  # fmt: skip
unlikely = st.sampled_from(_UNLIKELY).map(deepcopy)


def _places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield from _places(value, (*path, key))


def _at(data: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        data = data[key]
    return data


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A right configuration with one or two things changed, added or taken away."""
    data = deepcopy(draw(st.sampled_from(FORMS)))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(_places(data))))
        change = draw(st.sampled_from(["replace", "delete", "add", "rename"]))
        target = _at(data, path)
        value = draw(unlikely)
        if change == "add" and isinstance(target, dict):
            key = draw(st.sampled_from(["x", "when", "timezone", "licenseType", "keep", "enable", "a b", "Butler"]))
            if not (key == "when" and isinstance(value, str)):
                target[key] = value
        elif change == "add" and isinstance(target, list):
            target.append(value)
        elif path and change == "delete":
            del _at(data, path[:-1])[path[-1]]
        elif path and change == "rename" and isinstance(_at(data, path[:-1]), dict):
            above = _at(data, path[:-1])
            above[f"{path[-1]}s"] = above.pop(path[-1])
        elif path and not (path[-1] in ("when", "frequency") and isinstance(value, str)):  # texts of a language
            _at(data, path[:-1])[path[-1]] = value
    return data


def test_the_forms_are_right() -> None:
    for form in FORMS:
        assert _schema_accepts(form)
        assert _front_end_accepts(json.dumps(form))


@given(mutated())
def test_the_schema_agrees_with_the_front_end(data: Any) -> None:
    assert _schema_accepts(data) == _front_end_accepts(json.dumps(data)), data


def test_a_name_that_is_a_word_of_the_language() -> None:
    for name, right in (
        ("admins", True),
        ("keep", False),
        ("1st", False),
        ("a-b", False),
        ("ärzte_2", True),
        ("_", True),
    ):
        for data in ({"let": {name: 1}, "licenseType": {}}, {"set": {name: "x"}, "licenseType": {}}):
            assert _schema_accepts(data) is right, name
            assert _front_end_accepts(json.dumps(data)) is right, name


# The JSON form -------------------------------------------------------------------------------------------


@given(any_policies())
def test_every_policy_in_json_form(policy: Policy) -> None:
    assert _schema_accepts(policy_to_json(policy), "json-form")


JSON_FORM: dict[str, Any] = {
    "$schema": "urn:x",
    "seatwarden": 1,
    "statements": [
        {"kind": "keep", "licenseTypes": ["analyzer"], "name": "a", "until": "2027-02-28", "when": {"name": "always"}},
        {"kind": "release", "when": {"and": [{"unusedFor": 3, "unit": "weeks"}, {"not": {"field": "user.tags"}}]}},
        {"kind": "release", "when": {"or": [{"field": "user.@", "key": "a"}, {"field": "user.inactive"}]}},
        {"kind": "release", "when": {"operator": "=", "left": {"field": "today"}, "right": [{"date": "2026-01-01"}]}},
        {"kind": "let", "name": "always", "value": True},
        {"kind": "set", "name": "vips", "from": "vips.txt"},
        {"kind": "limit", "percent": 10, "licenseType": "analyzer", "longestUnusedFirst": True},
        {"kind": "timezone", "name": "UTC"},
    ],
}  # fmt: skip


@st.composite
def mutated_json_form(draw: st.DrawFn) -> Any:
    """A right policy in JSON form with something changed."""
    data = deepcopy(JSON_FORM)
    path = draw(st.sampled_from([place for place in _places(data) if place and place != ("seatwarden",)]))
    above = _at(data, path[:-1])
    match draw(st.sampled_from(["replace", "delete", "rename"])):
        case "replace":
            # `user.x.y` is a spelling that a pattern does not tell from a name
            above[path[-1]] = draw(unlikely | st.sampled_from(["user.tags", "keep", "days", "release"]))
        case "delete":
            del above[path[-1]]
        case _ if isinstance(above, dict):
            above[f"{path[-1]}s"] = above.pop(path[-1])
    return data


@example({"seatwarden": 1, "statements": [{"kind": "release", "when": {"field": "user.@", "key": None}}]})
@given(mutated_json_form())
def test_the_schema_of_the_json_form_agrees_with_its_reader(data: Any) -> None:
    assert _schema_accepts(data, "json-form") == _front_end_accepts(json.dumps(data), "p.json"), data


def test_parse_butler_is_what_a_yaml_file_goes_through() -> None:
    assert parse_butler(WHOLE, "p.yaml") == parse_surface(WHOLE, "p.yaml")
