"""Forms of older Butlers are read as today's, and said where they are rules."""

import pytest

from seatwarden.grammar.printer import print_statement
from seatwarden.policy.butler.front_end import parse_butler, read_butler
from seatwarden.policy.butler.older import todays_form
from seatwarden.policy.errors import PolicyError
from seatwarden.policy.yaml.nodes import Node, YamlList, YamlMap, read_yaml
from seatwarden.policy.yaml.reader import YamlReader

USERS = "[{userDir: INTERNAL, userId: sa_repository}, {userDir: INTERNAL, userId: sa_api}]"
KEPT = 'keep "user" when user == ["INTERNAL\\sa_repository", "INTERNAL\\sa_api"]'
RELEASED = "release analyzer when unused for 30 days"


def _butler(release: str, monitor: str = "enable: false\n      frequency: every 6 hours") -> str:
    return f"""\
Butler:
  qlikSenseLicense:
    licenseMonitor:
      {monitor}
      destination: {{influxDb: {{enable: false, tag: {{static: []}}}}}}
    licenseRelease:
      enable: true
      frequency: every 6 hours
      {release}
      licenseType:
        analyzer: {{enable: true, releaseThresholdDays: 30}}
        professional: {{enable: false, releaseThresholdDays: 30}}
      destination: {{influxDb: {{enable: false, tag: {{static: []}}}}}}
"""


def _rules(text: str) -> list[str]:
    return [print_statement(statement) for statement in parse_butler(text, "b.yaml").statements]


def _warnings(text: str) -> list[tuple[str, str, str]]:
    """Code, marked text and message of every warning."""
    lines = text.split("\n")
    return [
        (w.code, lines[w.span.line - 1][w.span.column - 1 : w.span.end_column - 1], w.message)
        for w in read_butler(read_yaml(text, "b.yaml"), text, "b.yaml")[1]
    ]


def test_a_policy_of_butler_12_1() -> None:
    text = _butler(f"neverReleaseUsers: {USERS}")
    assert _rules(text) == [KEPT, RELEASED]
    assert _warnings(text) == [
        (
            "SW211",
            "licenseRelease",
            "`licenseRelease` has no `dryRun`, as up to Butler 12.1: this is a dry run",
        ),
        ("SW211", "neverReleaseUsers", "`neverReleaseUsers` is the form of Butler 12.1 and older"),
    ]


@pytest.mark.parametrize("users", ["", "[]", "null"])
def test_no_exempt_users(users: str) -> None:
    assert _rules(_butler(f"neverReleaseUsers: {users}")) == [RELEASED]


def test_wrong_users_are_found_where_they_stand() -> None:
    text = _butler("neverReleaseUsers: [{userDir: INTERNAL}]")
    with pytest.raises(PolicyError) as caught:
        parse_butler(text, "b.yaml")
    (finding,) = caught.value.diagnostics
    assert (finding.code, finding.span.line) == ("SW206", 10)


def test_without_any_exempt_users_something_is_missing() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_butler(_butler("timezone: UTC"), "b.yaml")
    assert [d.message for d in caught.value.diagnostics] == ["`licenseRelease` lacks the key `neverRelease`"]


def test_of_both_forms_nobody_is_left_out() -> None:
    text = f"""
licenseRelease:
  neverReleaseUsers: {USERS}
  neverRelease:
    tag: [vip]
    user: [{{userDir: A, userId: b}}]
  licenseType:
    analyzer: {{enable: true, releaseThresholdDays: 30}}
"""
    kept = 'keep "user" when user == ["A\\b", "INTERNAL\\sa_repository", "INTERNAL\\sa_api"]'
    assert _rules(text) == [kept, 'keep "tag" when user.tags == "vip"', RELEASED]
    assert [code for code, _, _ in _warnings(text)] == ["SW211"]


def test_a_bare_map_of_the_old_form() -> None:
    text = f"neverReleaseUsers: {USERS}\nlicenseType:\n  analyzer: {{enable: true, releaseThresholdDays: 30}}\n"
    assert _rules(text) == [KEPT, RELEASED]


def test_a_dry_run_that_is_written_is_no_old_form() -> None:
    new = f"neverRelease: {{user: {USERS}, tag: , customProperty: , userDirectory: , inactive: No, blocked: No, "
    text = _butler(new + "removedExternally: No}\n      dryRun: true")
    assert _warnings(text) == []
    assert _warnings(text.replace("dryRun: true", "dryRun:"))[0][:2] == ("SW211", "licenseRelease")


def test_a_mistyped_dry_run_is_an_error() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_butler(_butler(f"neverReleaseUsers: {USERS}\n      dryrun: false"), "b.yaml")
    assert [d.help for d in caught.value.diagnostics] == ["did you mean `dryRun`?"]


# What is switched off ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("monitor", "found"),
    [
        ("frequency: never", "never"),
        ("frequency: every hour", "hour"),
        ("frequency: 5", "5"),
        ("frequency: x\n      alert: 5", "alert"),
    ],
)
def test_what_is_switched_off_stops_nothing(monitor: str, found: str) -> None:
    users = f"neverReleaseUsers: {USERS}"
    off = _butler(users, f"enable: false\n      {monitor}")
    assert _rules(off) == [KEPT, RELEASED]
    assert ("SW213", found) in [(code, marked) for code, marked, _ in _warnings(off)]
    on = _butler(users, f"enable: true\n      {monitor}")
    with pytest.raises(PolicyError):
        parse_butler(on, "b.yaml")


def test_the_rules_of_a_release_that_is_off_are_rules_still() -> None:
    text = _butler(f"neverReleaseUsers: {USERS}").replace(
        "enable: true\n      frequency: every 6", "enable: false\n      frequency: 6", 1
    )
    assert _rules(text) == [KEPT, RELEASED]
    with pytest.raises(PolicyError) as caught:
        parse_butler(text.replace("releaseThresholdDays: 30", "releaseThresholdDays: x", 1), "b.yaml")
    assert [d.code for d in caught.value.diagnostics] == ["SW204"]


# Sites ---------------------------------------------------------------------------------------------------


def _data(node: Node) -> object:
    match node:
        case YamlMap(entries):
            return {entry.key.text: _data(entry.value) for entry in entries}
        case YamlList(items):
            return [_data(item) for item in items]
        case _:
            return node.value


def _today(text: str) -> object:
    reader = YamlReader()
    found = _data(todays_form(reader, read_yaml(text, "b.yaml")))
    assert reader.warnings == []
    return found


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("cert: {rejectUnauthorized: false}\nconfigQRS: {host: q}", ({}, {"host": "q", "rejectUnauthorized": False})),
        (
            "cert: {rejectUnauthorized: false}\nconfigQRS: {rejectUnauthorized: true}",
            ({}, {"rejectUnauthorized": True}),
        ),
        ("cert: {rejectUnauthorized: false}\nconfigQRS: 5", ({}, 5)),
        ("cert: 5\nconfigQRS: {}", (5, {})),
    ],
)
def test_certificates_of_butler_6(written: str, read: tuple[object, object]) -> None:
    cert, qrs = read
    assert _today(written) == {"cert": cert, "configQRS": qrs}
    framed = "Butler:\n  " + written.replace("\n", "\n  ")
    assert _today(framed) == {"Butler": {"cert": cert, "configQRS": qrs}}


INSTANCE = {"name": "butler_instance", "value": "DEV"}


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("instanceTag: DEV", {"static": [INSTANCE]}),
        ("instanceTag: 5", {"static": [{"name": "butler_instance", "value": "5"}]}),
        ("instanceTag: DEV, tag: ", {"static": [INSTANCE]}),
        ("instanceTag: DEV, tag: {static: }", {"static": [INSTANCE]}),
        ("instanceTag: DEV, tag: {static: [{name: a, value: b}]}", {"static": [INSTANCE, {"name": "a", "value": "b"}]}),
        ("instanceTag: DEV, tag: {static: [{name: butler_instance, value: x}]}",
         {"static": [INSTANCE, {"name": "butler_instance", "value": "x"}]}),
        ("instanceTag: ' '", None),
        ("instanceTag: ''", None),
    ],
)  # fmt: skip
def test_the_instance_s_tag(written: str, tag: object) -> None:
    influx = {"enable": True} | ({"tag": tag} if tag else {})
    assert _today(f"influxDb: {{enable: true, {written}}}") == {"influxDb": influx}


def test_no_instance_no_tag() -> None:
    assert _today("influxDb: {enable: true, instanceTag: }") == {"influxDb": {"enable": True, "instanceTag": None}}


def test_a_database_of_butler_8() -> None:
    text = "uptimeMonitor: {enable: true, storeInInfluxdb: {enable: true, hostIP: i}}"
    section = {"enable": True, "hostIP": "i"}
    assert _today(text) == {"uptimeMonitor": {"enable": True, "storeInInfluxdb": section}, "influxDb": section}
    for today in (
        "uptimeMonitor: {storeInInfluxdb: {enable: true}}",
        "uptimeMonitor: {storeInInfluxdb: {hostIP: i}}\ninfluxDb: {enable: false}",
    ):
        assert "hostIP" not in str(_data(read_yaml(today, "b.yaml"))) or _today(today) == _data(read_yaml(today, "b"))


def test_a_block_alone_had_no_server_license_monitor() -> None:
    block = _butler(f"neverReleaseUsers: {USERS}").split("\n", 1)[1].replace("\n  ", "\n").removeprefix("  ")
    assert _rules(block) == [KEPT, RELEASED]
    with pytest.raises(PolicyError) as caught:
        parse_butler(block.replace("neverReleaseUsers", "dryRun: true\n    neverRelease"), "b.yaml")
    assert "`qlikSenseLicense` lacks the key `serverLicenseMonitor`" in [d.message for d in caught.value.diagnostics]
