"""Butler's YAML: what it accepts and how it is read."""

import json
from typing import Any

import pytest

from seatwarden.grammar.ast import Rule
from seatwarden.grammar.printer import print_statement
from seatwarden.policy.butler.front_end import parse_butler
from seatwarden.policy.errors import PolicyError
from tests.paths import DATA, load_json

STRICTER = {"releaseThresholdDays float 30.5"}
"""What Butler accepts and we refuse: it would cut the fraction without a word."""


def _rules(text: str) -> list[str]:
    return [print_statement(statement) for statement in parse_butler(text, "butler.yaml").statements]


def _findings(text: str) -> list[tuple[str, str]]:
    """Place and message of every finding."""
    with pytest.raises(PolicyError) as caught:
        parse_butler(text, "b")
    return [(d.span.place, d.message) for d in caught.value.diagnostics]


@pytest.mark.parametrize("case", load_json(DATA / "config-cases.json"), ids=lambda case: case["title"])
def test_accepted_and_refused_as_butler_does(case: dict[str, Any]) -> None:
    if case["butlerAccepts"] and case["title"] not in STRICTER:
        assert len(parse_butler(case["yaml"], "butler.yaml").rules) >= 1
        return
    with pytest.raises(PolicyError) as caught:
        parse_butler(case["yaml"], "butler.yaml")
    found = caught.value.diagnostics
    assert len(found) >= len({where for where in case["where"] if where})
    lines = case["yaml"].split("\n")
    for diagnostic in found:
        assert diagnostic.code.startswith("SW2")
        assert 1 <= diagnostic.span.line <= len(lines)
    for where in case["where"]:
        names = {part for part in (where or "").split("/") if part and not part.isdigit()}
        assert not names or any(_speaks_of(names, d.message, lines[d.span.line - 1]) for d in found), where


def _speaks_of(names: set[str], message: str, line: str) -> bool:
    return any(f"`{name}`" in message or f".{name}`" in message or name in line for name in names)


RELEASE = """
neverRelease:
  tag: [vip]
licenseType:
  analyzer: {enable: true, releaseThresholdDays: 30}
"""
SAME = ['keep "tag" when user.tags == "vip"', "release analyzer when unused for 30 days"]


def test_a_bare_map() -> None:
    assert _rules(RELEASE) == SAME


def test_a_map_under_its_name() -> None:
    assert _rules("licenseRelease:\n" + RELEASE.replace("\n", "\n  ")) == SAME


@pytest.fixture(scope="module")
def whole() -> str:
    (base,) = [c["yaml"] for c in load_json(DATA / "config-cases.json") if c["title"] == "base: valid"]
    assert isinstance(base, str)
    return base


def test_a_whole_file_and_its_part_mean_the_same(whole: str) -> None:
    assert whole.startswith("qlikSenseLicense:\n")
    file = "Butler:\n  logLevel: info\n  emailNotification: {anything: [at, all]}\n  " + whole.replace("\n", "\n  ")
    assert _rules(file) == _rules(whole)
    assert len(_rules(whole)) > 3


def test_an_older_butlers_file_had_no_server_license_monitor(whole: str) -> None:
    start, end = whole.index("    serverLicenseMonitor:"), whole.index("    licenseMonitor:")
    older = whole[:start] + whole[end:]
    assert _rules("Butler:\n  " + older.replace("\n", "\n  ")) == _rules(whole)
    ((_, message),) = _findings(older)
    assert message == "`qlikSenseLicense` lacks the key `serverLicenseMonitor`"


def test_rules_are_at_their_keys(whole: str) -> None:
    lines = whole.split("\n")
    rules = parse_butler(whole, "butler.yaml").rules
    assert rules
    for rule in rules:
        marked = lines[rule.span.line - 1][rule.span.column - 1 : rule.span.end_column - 1]
        assert marked == (rule.name or rule.license_types[0])
        assert rule.span.file == "butler.yaml"


def test_butlers_order_whatever_the_files() -> None:
    text = """
neverRelease:
  removedExternally: yes
  blocked: No
  inactive: "Yes"
  userDirectory: [ADMIN, INTERNAL]
  customProperty:
    - {name: LicenseManage, value: do-not-release}
    - {name: Odd name, value: x}
    - {name: LicenseManage, value: keep}
  tag: [a]
  user:
    - {userDir: ADMIN, userId: jdoe}
    - {userId: sa_api, userDir: INTERNAL}
licenseType:
  professional: {enable: true, releaseThresholdDays: 60}
  analyzer: {enable: true, releaseThresholdDays: 30}
"""
    assert _rules(text) == [
        'keep "user" when user == ["ADMIN\\jdoe", "INTERNAL\\sa_api"]',
        'keep "tag" when user.tags == "a"',
        'keep "customProperty"\n  when user.@LicenseManage == ["do-not-release", "keep"] or user.@"Odd name" == "x"',
        'keep "userDirectory" when user.userDirectory == ["ADMIN", "INTERNAL"]',
        'keep "inactive" when user.inactive',
        'keep "blocked" when not user.blocked',
        'keep "removedExternally" when user.removedExternally',
        "release professional when unused for 60 days",
        "release analyzer when unused for 30 days",
    ]


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("No", "not user.inactive"),
        ("no", "not user.inactive"),
        ("'No'", "not user.inactive"),
        ("Yes", "user.inactive"),
        ("' YES '", "user.inactive"),
        ('"yes\\t"', "user.inactive"),
        ("Ignore", None),
        ("IGNORE", None),
    ],
)
def test_flags_are_words_in_any_case_and_padding(written: str, rule: str | None) -> None:
    expected = [f'keep "inactive" when {rule}'] if rule else []
    assert _rules(f"neverRelease: {{inactive: {written}}}\nlicenseType: {{}}") == expected


@pytest.mark.parametrize("empty", ["", "null", "~", "[]", "Null"])
@pytest.mark.parametrize("key", ["user", "tag", "customProperty", "userDirectory", "when"])
def test_null_and_empty_lists_are_the_same(key: str, empty: str) -> None:
    assert _rules(f"neverRelease:\n  {key}: {empty}\nlicenseType: {{}}") == []


def test_words_of_yaml_1_1_are_text() -> None:
    text = "neverRelease:\n  tag: [yes, No, on, off, y, 12:30, 010x]\nlicenseType: {}"
    assert _rules(text) == ['keep "tag" when user.tags == ["yes", "No", "on", "off", "y", "12:30", "010x"]']


@pytest.mark.parametrize(
    "value", ["5", "0o17", "1e5", "true", "2026-01-01", "null", "[a]", "{a: b}", "0x10", ".inf", "-1"]
)
def test_what_is_no_text_is_refused_with_its_place(value: str) -> None:
    ((place, message),) = _findings(f"neverRelease:\n  tag: [ok, {value}]\nlicenseType: {{}}")
    assert (place, message) == ("b:2:13", "`neverRelease.tag` must be text")


@pytest.mark.parametrize("value", ["[~]", "{}", "true", "[[5]]"])
def test_what_is_no_limit_is_told_all_that_may_be(value: str) -> None:
    ((_, message),) = _findings(f"limit: {value}\nlicenseType: {{}}")
    assert message == "`limit` must be a number, a text or a list of them"


def test_quoted_it_is_text() -> None:
    assert _rules("neverRelease: {tag: ['5', \"true\", '2026-01-01']}\nlicenseType: {}") == [
        'keep "tag" when user.tags == ["5", "true", "2026-01-01"]'
    ]


def test_every_problem_is_told_at_once() -> None:
    text = """\
frequncy: every 6 hours
dryRun: no
timezone: Europe/Stokholm
neverRelease:
  user: [ADMIN\\jdoe]
  tags: [vip]
  inactive: maybe
licenseType:
  analyser: {enable: true, releaseThresholdDays: 30}
  professional:
    enable: "true"
    releaseThresholdDays: -5
    releaseTresholdDays: 5
"""
    assert _findings(text) == [
        ("b:1:1", "unknown key `frequncy` in `licenseRelease`"),
        ("b:2:9", "`licenseRelease.dryRun` must be true or false"),
        ("b:5:10", "`neverRelease.user` must be a map"),
        ("b:6:3", "unknown key `tags` in `neverRelease`"),
        ("b:7:13", "`neverRelease.inactive` is one of yes, no, ignore"),
        ("b:9:3", "unknown key `analyser` in `licenseType`"),
        ("b:11:13", "`licenseType.professional.enable` must be true or false"),
        ("b:12:27", "`licenseType.professional.releaseThresholdDays` must not be negative"),
        ("b:13:5", "unknown key `releaseTresholdDays` in `licenseType.professional`"),
    ]


@pytest.mark.parametrize(
    ("key", "help_"),
    [
        ("neverRelase", "did you mean `neverRelease`?"),
        ("licensetype", "did you mean `licenseType`?"),
        ("butler", "did you mean `Butler`?"),
        ("QlikSenseLicense", "did you mean `qlikSenseLicense`?"),
        ("zzz", "it has `Butler:`, `qlikSenseLicense:`, `licenseRelease:` or `licenseType:` at the top"),
    ],
)
def test_no_policy_but_nearly(key: str, help_: str) -> None:
    with pytest.raises(PolicyError) as caught:
        parse_butler(f"{key}: {{}}", "b")
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.help, diagnostic.span.place) == ("SW209", help_, "b:1:1")


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]", "5", "just text", "{}", "Butler: {}", "Butler: 5", "a: 1"])
def test_no_policy_at_all(text: str) -> None:
    assert len(_findings(text)) == 1


def test_mistyped_settings_have_hints() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_butler("neverRelease: {tagz: [a], inactive: ignor}\nlicenseType: {}", "b")
    assert [d.help for d in caught.value.diagnostics] == ["did you mean `tag`?", "did you mean `ignore`?"]


@pytest.mark.parametrize(
    ("threshold", "message"),
    [
        ("30.5", "must be a whole number"),
        (".nan", "must be a whole number"),
        (".inf", "must be a whole number"),
        ("-1", "must not be negative"),
        ("1e12", "is too large"),
        ("'30'", "must be a number of days"),
        ("true", "must be a number of days"),
        ("2026-01-01", None),
    ],
)
def test_thresholds(threshold: str, message: str | None) -> None:
    text = f"licenseType:\n  analyzer:\n    enable: true\n    releaseThresholdDays: {threshold}\n"
    ((place, said),) = _findings(text)
    assert place == "b:4:27"
    assert message is None or said == f"`licenseType.analyzer.releaseThresholdDays` {message}"


@pytest.mark.parametrize("threshold", ["30", "30.0", "3e1", "0x1e", "0o36", "030"])
def test_one_number_in_many_forms(threshold: str) -> None:
    assert _rules(f"licenseType: {{analyzer: {{enable: true, releaseThresholdDays: {threshold}}}}}") == [
        "release analyzer when unused for 30 days"
    ]


def test_a_type_that_is_off_releases_nothing() -> None:
    assert _rules("licenseType: {analyzer: {enable: false, releaseThresholdDays: 30}}") == []


def test_users_with_backslashes_are_compared_part_by_part() -> None:
    """`A\\B` + `c` and `A` + `B\\c` are written alike as DIRECTORY\\userId."""

    def read(*pairs: tuple[str, str]) -> list[str]:
        users = [{"userDir": directory, "userId": user_id} for directory, user_id in pairs]
        return _rules(json.dumps({"neverRelease": {"user": users}, "licenseType": {}}))

    one = 'user.userDirectory == "A\\B" and user.userId == "c"'
    other = 'user.userDirectory == "A" and user.userId == "B\\c"'
    assert read(("A\\B", "c")) == [f'keep "user" when {one}']
    assert read(("A", "B\\c")) == [f'keep "user" when {other}']
    assert read(("A\\B", "c"), ("X", "y")) == [f'keep "user" when user == "X\\y" or {one}']


# Keys of ours --------------------------------------------------------------------------------------------


def test_our_keys() -> None:
    text = """
timezone: Europe/Stockholm
limit: [10% of analyzer, "50 per run, longest unused first"]
neverRelease:
  when:
    - name: year-end close
      when: user.@Department = "Finance" and month = [11, 12, 1]
      until: 2027-02-28
    - {name: by hand, when: 'user.tags = "x"', until: '2027-03-01'}
licenseType:
  analyzer: {enable: true, releaseThresholdDays: 30, neverUsed: release, regardlessOfUse: true}
  professional:
    enable: true
    releaseThresholdDays: 60
    neverUsed: keep
    when: not user.inactive
    notice: {days: 14, reminderDays: 3}
"""
    assert _rules(text) == [
        'timezone "Europe/Stockholm"',
        "limit release to 10% of analyzer per run",
        "limit release to 50 per run, longest unused first",
        'keep "year-end close" until 2027-02-28 when user.@Department = "Finance" and month = [11, 12, 1]',
        'keep "by hand" until 2027-03-01 when user.tags = "x"',
        "release analyzer when unused for 30 days or never used regardless of use",
        (
            "release professional when unused for 60 days and not never used and not user.inactive\n"
            "  after notice of 14 days, reminder 3 days before"
        ),
    ]


@pytest.mark.parametrize(("limit", "said"), [("50", "50"), ("'50'", "50"), ("10%", "10%"), ("0", "0")])
def test_limits(limit: str, said: str) -> None:
    assert _rules(f"limit: {limit}\nlicenseType: {{}}") == [f"limit release to {said} per run"]


_NOTICE = "licenseType: {analyzer: {enable: true, releaseThresholdDays: 5, notice: "


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("limit: many\nlicenseType: {}", "b:1:8"),
        ("limit: '10% of all'\nlicenseType: {}", "b:1:16"),
        ("limit: 5.5\nlicenseType: {}", "b:1:8"),
        ("limit: true\nlicenseType: {}", "b:1:8"),
        ("timezone: 5\nlicenseType: {}", "b:1:11"),
        ("neverRelease: {when: [{name: a, when: user.tags =}]}\nlicenseType: {}", "b:1:50"),
        ("neverRelease: {when: [{name: a, when: 'user.tags = \"x'}]}\nlicenseType: {}", "b:1:52"),
        ("neverRelease: {when: [{name: a, when: true}]}\nlicenseType: {}", "b:1:39"),
        ("neverRelease: {when: [{name: a}]}\nlicenseType: {}", "b:1:24"),
        ("neverRelease: {when: [{name: a, when: 'true', until: 2027-02-30}]}\nlicenseType: {}", "b:1:54"),
        ("neverRelease: {when: [{name: a, when: 'true', until: soon}]}\nlicenseType: {}", "b:1:54"),
        (
            "licenseType: {analyzer: {enable: true, releaseThresholdDays: 5, neverUsed: alwys}}",
            "b:1:76",
        ),
        ("guarantees: [never release]\nlicenseType: {}", "b:1:13"),
        ("guarantees: {a: 5}\nlicenseType: {}", "b:1:17"),
        ("guarantees: {a: never relese}\nlicenseType: {}", "b:1:23"),
        ("guarantees: {a: never release when user.tags = }\nlicenseType: {}", "b:1:47"),
        (_NOTICE + "14}}", "b:1:73"),
        (_NOTICE + "{}}}", "b:1:73"),
        (_NOTICE + "{days: 2 weeks}}}", "b:1:80"),
        (_NOTICE + "{days: 36501}}}", "b:1:80"),
        (_NOTICE + "{days: 14, reminderDays: -3}}}", "b:1:98"),
        (_NOTICE + "{days: 14, reminder: 3}}}", "b:1:84"),
    ],
)
def test_our_keys_given_wrongly(text: str, place: str) -> None:
    assert [where for where, _ in _findings(text)] == [place]


def test_conditions_know_their_place_in_the_yaml() -> None:
    text = "neverRelease:\n  when:\n    - name: a\n      when: 'user.directory = \"x\"'\nlicenseType: {}"
    (rule,) = parse_butler(text, "b").rules
    assert isinstance(rule, Rule)
    line = text.split("\n")[3]
    span = rule.condition.span
    assert (span.line, line[span.column - 1 : span.end_column - 1]) == (4, 'user.directory = "x"')
