"""Settings as data: what a table says is what is read, told and put into a schema."""

from textwrap import dedent
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from seatwarden.policy.yaml.kinds import (
    PORT,
    SECRET,
    SWITCH,
    TEXT,
    between,
    list_of,
    map_of,
    maps,
    one_of,
    within_folder,
)
from seatwarden.policy.yaml.nodes import read_yaml
from seatwarden.policy.yaml.reader import YamlReader
from seatwarden.policy.yaml.settings import Section, Setting, Values, need

LOGIN = Section((need("user", TEXT, "the user"), Setting("password", SECRET)))
SERVER = Section(
    (
        Setting("enable", SWITCH, "whether it is used", False),
        need("host", TEXT.must(str.strip, "`{what}` ({key}) is empty", "nothing", "write one"), "its name"),
        Setting("port", PORT, default=80),
        Setting("way", one_of(("plain", "login")), default="plain"),
        Setting("login", map_of(LOGIN), only=("way", "login")),
        Setting("tries", between(1, 9, "tries"), default=3),
        Setting("names", list_of(TEXT), default=()),
        Setting("file", TEXT.then(within_folder)),
    ),
    "A server.",
)


def read(section: Section, text: str) -> tuple[Values | None, list[str]]:
    reader = YamlReader({"PASSWORD": "HIDDEN"})
    values = section.read(reader, read_yaml(dedent(text), "p.yaml"), "server")
    return values, [f"{f.span.line} {f.message}" + (f" ({f.help})" if f.help else "") for f in reader.findings]


def test_what_is_said_and_what_counts_without_it() -> None:
    values, findings = read(SERVER, "host: a\nway: LOGIN\nlogin: {user: ann, password: '${PASSWORD}'}\nnames: [b, c]\n")
    assert values is not None
    assert findings == []
    assert values.take("host", "port", "tries", "names", "file") == ("a", 80, 3, ("b", "c"), None)
    assert values["login"].by_key == {"user": "ann", "password": "HIDDEN"}
    assert (values.span("host").line, values.span("port")) == (1, values.map.span)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", ["1 `server` must be a map"]),
        ("{}", ["1 `server` lacks the key `host`"]),
        ("hsot: a", ["1 unknown key `hsot` in `server` (did you mean `host`?)"]),
        ("host: ' '", ["1 `server.host` (host) is empty (write one)"]),
        ("host: a\nport: 0", ["2 `server.port` is from 1 to 65535"]),
        ("host: a\ntries: 10", ["2 `tries` is from 1 to 9"]),
        ("host: a\nnames: [b, 1, 2]", ["2 `server.names` must be text (put it in quotes: '1')",
                                       "2 `server.names` must be text (put it in quotes: '2')"]),
        ("host: a\nlogin: {user: 1}", []),
        ("host:", ["1 `server` lacks the key `host`"]),
        ("host: ~\nport: x", ["1 `server` lacks the key `host`", "2 `server.port` must be a number"]),
        ("host: a\nnames: [b, ~]", ["2 `server.names` must be text (remove it, or write what is meant)"]),
        ("host: a\nnames:\n- b\n-\n- null", ["4 `server.names` must be text (remove it, or write what is meant)",
                                            "5 `server.names` must be text (remove it, or write what is meant)"]),
        ("host: a\nhots:", ["2 unknown key `hots` in `server` (did you mean `host`?)"]),
        ("host: a\nway: login\nlogin: {user: 1}", ["3 `server.login.user` must be text (put it in quotes: '1')"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_and_its_default_counts(text: str, said: list[str]) -> None:
    values, findings = read(SERVER, text)
    assert findings == said
    assert values is None or (values["port"], values["tries"]) == (80, 3)


def test_null_is_not_set() -> None:
    """A key with nothing behind it is as if it were absent, to whoever asks for it; the required are in `said`."""
    keys = [key for key in SERVER.keys if key != "host"]
    for nothing in ("", "~", "null"):
        values, findings = read(SERVER, "host: a\n" + "".join(f"{key}: {nothing}\n" for key in keys))
        without, _ = read(SERVER, "host: a\n")
        assert (findings, values and values.by_key) == ([], without and without.by_key)
        assert values is not None
        assert all(values.map.get(key) is None and values.span(key) == values.map.span for key in keys)


def test_an_empty_list_that_must_be_there_may_be_null() -> None:
    section = Section((need("pairs", maps(need("name", TEXT)), default=()), need("host", TEXT)))
    assert read(section, "pairs:\nhost: a")[1] == []
    assert read(section, "host: a")[1] == ["1 `server` lacks the key `pairs`"]


def test_a_brief_section_calls_a_setting_by_its_key() -> None:
    assert read(Section((Setting("a", TEXT),), brief=True), "a: 1")[1] == ["1 `a` must be text (put it in quotes: '1')"]


def test_another_program_s_keys_are_let_be_but_for_mistyped_ones() -> None:
    section = Section((Setting("token", TEXT), Setting("tag", TEXT)), others=("tag", "tokens"), also=("database",))
    assert read(section, "tokens: 1\nelse: 2\ntags: a")[1] == []
    assert read(section, "tokne: 1\ndatabas: a")[1] == [
        "1 unknown key `tokne` in `server` (did you mean `token`?)",
        "2 unknown key `databas` in `server` (did you mean `database`?)",
    ]


def test_what_stands_behind_a_switch_that_is_off_is_not_checked() -> None:
    section = Section((Setting("tag", TEXT), Setting("enable", SWITCH), Setting("host", TEXT)), switch="enable")
    for text in ("tag: 1\nhost: 2", "tag: 1\nenable: false\nhost: 2"):
        assert [line.split(" must")[0] for line in read(section, text)[1]] == ["1 `server.tag`"]
    assert len(read(section, "tag: 1\nenable: true\nhost: 2")[1]) == 2


def test_the_schema_says_the_same() -> None:
    schema = SERVER.schema()
    assert schema["description"] == "A server."
    described = {"default": False, "description": "whether it is used"}
    assert schema["properties"]["enable"] == {"type": ["boolean", "null"], **described}
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    nulls = dict.fromkeys(key for key in SERVER.keys if key != "host")
    right: tuple[Any, ...] = (
        {"host": "a"},
        {"host": "a"} | nulls,
        {"host": "a", "way": " LOGIN ", "names": None, "tries": 9},
    )
    wrong: tuple[Any, ...] = (
        {},
        {"host": None},
        {"host": "a", "x": 1},
        {"host": "a", "tries": 10},
        {"host": "a", "login": {}},
    )
    assert [validator.is_valid(data) for data in (*right, *wrong)] == [True] * len(right) + [False] * len(wrong)
    assert Draft202012Validator(dict(maps(need("a", TEXT)).schema)).is_valid([{"a": "b"}])
