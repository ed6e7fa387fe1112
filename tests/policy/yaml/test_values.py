"""Values, tags and tabs as js-yaml reads them."""

from math import inf
from typing import Any

import pytest

from seatwarden.grammar.printer import print_policy
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.yaml.nodes import Node, YamlList, YamlMap, read_yaml

_DATE = object()


def data(node: Node) -> Any:
    """A node as plain data; what is no number, text or the like, as a date."""
    match node:
        case YamlMap(entries):
            return {entry.key.text: data(entry.value) for entry in entries}
        case YamlList(items):
            return [data(item) for item in items]
        case scalar:
            return _DATE if scalar.value != scalar.value else scalar.value


def finding(text: str) -> tuple[str, str, str | None]:
    """Place, message and help of the one finding."""
    with pytest.raises(PolicyError) as caught:
        read_yaml(text, "b")
    (found,) = caught.value.diagnostics
    assert found.code in ("SW201", "SW205")
    return found.span.place, found.message, found.help


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0", 0),
        ("012", 12),
        ("-5", -5),
        ("+5", 5),
        ("0o14", 12),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1.5E-1", 0.15),
        (".5", 0.5),
        ("1.", 1.0),
        (".inf", inf),
        ("-.INF", -inf),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("", None),
        ("2026-01-01", _DATE),
        ("!!str 123", "123"),
        ("! 123", "123"),
        ("!!int 30", 30),
        ("!!int '30'", 30),
        ("!!float 5e0", 5.0),
        ("!!bool true", True),
        ("!!null", None),
        ("!!seq [!!str 1]", ["1"]),
        ("!!map {!!str a: b}", {"a": "b"}),
        ("&x !!str 1", "1"),
    ],
)
def test_values(written: str, value: Any) -> None:
    found = data(read_yaml(f"a: {written}", "b"))["a"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "written", ["1_000", "0b11", "0o19", "0XFF", "0x_f", "1_0.5", "1:30", "yes", "No", "on", "tRUE", "nULL", "=", "e3"]
)
def test_forms_of_older_yaml_are_text(written: str) -> None:
    assert data(read_yaml(f"a: {written}", "b")) == {"a": written}
    assert data(read_yaml(f"%YAML 1.1\n---\na: {written}", "b")) == {"a": written}


def test_a_number_with_underscores_is_told_how_to_write_it() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_butler("licenseType: {analyzer: {enable: true, releaseThresholdDays: 1_0}}", "b")
    (found,) = caught.value.diagnostics
    assert (found.code, found.label) == ("SW204", "this is the text `1_0`")
    assert found.help == "write 10: YAML 1.2 has no _ in numbers"


@pytest.mark.parametrize(
    ("text", "place", "tag"),
    [
        ("a: !ENV X", "b:1:4", "!ENV"),
        ("a:\n  - !Ref X", "b:2:5", "!Ref"),
        ("a: &x !secret y", "b:1:7", "!secret"),
        ("!include\na: 1", "b:1:1", "!include"),
        ("a: !vault |\n  x", "b:1:4", "!vault"),
        ("{a: !x {b: c}}", "b:1:5", "!x"),
        ("a: !x [b]", "b:1:4", "!x"),
        ("? !k a\n: b", "b:1:3", "!k"),
        ("a: !env_var", "b:1:4", "!env_var"),
        ("a: !!binary aGk=", "b:1:4", "!!binary"),
        ("a: !!set {a}", "b:1:4", "!!set"),
        ("a: !!python/object:os.system x", "b:1:4", "!!python/object:os.system"),
        ("a: !!str [x]", "b:1:4", "!!str"),
    ],
)
def test_tags_of_other_programs(text: str, place: str, tag: str) -> None:
    found, message, help_ = finding(text)
    assert found == place
    assert tag in message
    assert help_


def test_what_is_said_of_a_tag() -> None:
    help_ = "a value from the environment is written ${NAME} (site file); text that starts with ! is put in quotes"
    assert finding("a: !ENV X") == ("b:1:4", "the tag `!ENV` means nothing here", help_)
    assert finding("a: !!int abc") == ("b:1:4", "this is not what the tag `!!int` says", "remove the tag")
    assert finding("a: !!float x") == ("b:1:4", "this is not what the tag `!!float` says", "remove the tag")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a:\t# c", {"a": None}),
        ("a:\t\n  - b\t# c\n  - d\t", {"a": ["b", "d"]}),
        ("a: b\t", {"a": "b"}),
        ("a:\tb", {"a": "b"}),
        ("a \t : \t b \t c \t # d", {"a": "b \t c"}),
        ("-\ta\n-\t[b]", ["a", ["b"]]),
        ("{a:\tb,\tc:\td}", {"a": "b", "c": "d"}),
        ('"a"\t: "b\tc"\t# d', {"a": "b\tc"}),
        ("? a\n:\tb", {"a": "b"}),
        ("a: [x,\n\ty]", {"a": ["x", "y"]}),
        ("\t# c\na: 1\n\t# c\n\t\nb: 2", {"a": 1, "b": 2}),
        ("a:\t&x b\nc:\t*x", {"a": "b", "c": "b"}),
        ("---\t# c\na: x#y\tz\n...\t# c\n", {"a": "x#y\tz"}),
        ("a: |\n  x\ty\n", {"a": "x\ty\n"}),
    ],
)
def test_tabs_between_tokens(text: str, value: Any) -> None:
    assert data(read_yaml(text, "b")) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n\t- b", "b:2:1"),
        ("a:\n \t- b", "b:2:2"),
        ("a:\n  b: 1\n\tc: 2", "b:3:1"),
        ("\ta: 1", "b:1:1"),
        ("a: x\n\ty", "b:2:1"),
        ("-\ta: 1", "b:1:4"),
        ("-\t- a", "b:1:3"),
    ],
)
def test_tabs_in_indentation(text: str, place: str) -> None:
    assert finding(text) == (place, "this is not YAML: a tab is used for indentation", "indent with spaces")


def test_a_tab_that_cannot_be_read_is_not_called_indentation() -> None:
    assert finding("a: |\t\n  x") == ("b:1:5", "this is not YAML: a tab stands where none can", "put a space there")


def test_a_policy_with_tabs_before_its_comments() -> None:
    policy = parse_butler("neverRelease:\t# who\n  tag:\t\n    - vip\t# in the QMC\nlicenseType: {}", "b")
    assert print_policy(policy) == 'keep "tag" when user.tags == "vip"\n'
    assert policy.rules[0].span.place == "b:2:3"


# Backslashes, and lines that examples leave out

_PATHS = r"write paths in single quotes, or with `/` or `\\`"


@pytest.mark.parametrize("escape", ["Q", "Users", "xyz", "UFFFFFFFF", "d"])
def test_escapes_that_do_not_exist(escape: str) -> None:
    assert finding(f'a: "C:\\{escape}"')[2] == _PATHS


@pytest.mark.parametrize("escape", ["t", "b", "a", "x41", "f", "v", "e", "0", "P", "L", "N", "_", " "])
def test_escapes_that_exist_are_not_meant_in_a_path(escape: str) -> None:
    value = f'"A\\{escape}b"'
    with pytest.raises(PolicyError) as caught:
        parse_butler(f"set: {{a: {value}}}\nlicenseType: {{}}", "b")
    (found,) = caught.value.diagnostics
    assert (found.code, found.help) == ("SW205", _PATHS)
    assert found.message == f"`\\{escape}` in double quotes is another character"


@pytest.mark.parametrize("user", ["'A\\tb'", '"A\\\\tb"', "A\\tb", '"A\\u00e4\\/\\"b"'])
def test_backslashes_that_are_meant(user: str) -> None:
    parse_butler(f"neverRelease: {{user: [{{userDir: A, userId: {user}}}]}}\nlicenseType: {{}}", "b")


def test_a_tag_may_have_any_escape() -> None:
    assert '"a\tb"' in print_policy(parse_butler('neverRelease: {tag: ["a\\tb"]}\nlicenseType: {}', "b"))


def test_json_has_no_single_quotes() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_butler(r'{"set": {"a": "A\tb"}, "licenseType": {}}', "b.json")
    assert [found.help for found in caught.value.diagnostics] == [r"write each backslash twice: `\\`"]


def test_a_line_break_in_double_quotes_is_told_as_a_backslash() -> None:
    for text, help_ in (('"a\\nb"', _PATHS), ("|\n  a\n  b", "write it on one line, in quotes")):
        with pytest.raises(PolicyError) as caught:
            parse_butler(f"timezone: {text}\nlicenseType: {{}}", "b")
        assert [found.help for found in caught.value.diagnostics] == [help_]


@pytest.mark.parametrize("text", ["a: [@vip]", "a: %ProgramData%\\Qlik", "a: `x`"])
def test_signs_that_no_text_begins_with(text: str) -> None:
    assert finding(text)[2] == "put it in single quotes"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n  - b\n  ...\nc: d", "b:3:3"),
        ("a: b\n...\nc: d", "b:2:1"),
        ("a:\n  b: c\n    ...\n  d: e", "b:3:5"),
        ("a:\n  b: c\n  …\n  d: e", "b:3:3"),
        ("...\na: b\n...\nc: d", "b:1:1"),
    ],
)
def test_lines_that_an_example_leaves_out(text: str, place: str) -> None:
    found, message, help_ = finding(text)
    assert (found, help_) == (place, "remove the line, or write what is meant")
    assert message == "this is not YAML: `...` stands here for what an example leaves out"


def test_the_end_of_a_document_is_no_example() -> None:
    assert data(read_yaml("a: '...'\nb: x ... y\n...\n", "b")) == {"a": "...", "b": "x ... y"}
