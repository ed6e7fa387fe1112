"""The dashboard: every one of its queries is run on a real InfluxDB with weeks of the demo site's history."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ruamel.yaml import YAML

from seatwarden.engine.metrics.delivery import send
from seatwarden.engine.metrics.point import Point
from tests.engine.metrics.databases import Influx
from tests.engine.metrics.history import history
from tests.paths import EXAMPLES, ROOT, load_json

PROVISIONED = EXAMPLES / "grafana" / "provisioning"
DASHBOARD = load_json(EXAMPLES / "grafana" / "seatwarden.json")
WEEKS = 5
END = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
START = END - timedelta(weeks=WEEKS)


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> Iterator[Any]:
    for panel in panels():
        for target in panel["targets"]:
            yield pytest.param(target["query"], target, id=f"{panel['title']} {target['refId']}")


def as_grafana_sends_it(query: str, sites: list[str]) -> str:
    """The query with Grafana's macros and variables filled in; `All` sites is an alternative of escaped names."""
    ends = [int(moment.timestamp() * 1000) for moment in (START, END + timedelta(days=1))]
    query = query.replace("$timeFilter", f"time >= {ends[0]}ms and time <= {ends[1]}ms").replace("$__interval", "6h")
    escaped = "|".join(re.sub(r"[\\^$*+?.()|[\]{}/]", r"\\\g<0>", site) for site in sites)
    query = query.replace("$site", f"({escaped})")
    assert "$" not in query.replace("$/", ""), "a variable that the dashboard does not have"
    return query


@pytest.fixture(scope="module")
def filled(running_influx: Influx, tmp_path_factory: pytest.TempPathFactory) -> Influx:
    """A database with the history in it, delivered as the service delivers."""
    running_influx.empty()
    points: list[Point] = list(history(START, WEEKS * 7))
    report = send(points, running_influx.target(), tmp_path_factory.mktemp("state"))
    assert (report.sent, report.problem) == (len(points), None)
    return running_influx


@pytest.fixture(scope="module")
def sites(filled: Influx) -> list[str]:
    (variable,) = [v for v in DASHBOARD["templating"]["list"] if v["name"] == "site"]
    return [row["value"] for row in filled.rows(variable["query"])]


def test_the_site_variable_finds_the_site(sites: list[str]) -> None:
    assert sites == ["https://qlik.example.com:4242"]


@pytest.mark.parametrize(("query", "target"), list(queries()))
def test_every_query_has_an_answer(filled: Influx, sites: list[str], query: str, target: dict[str, Any]) -> None:
    series = filled.statement(as_grafana_sends_it(query, sites))
    values = [row[1:] for one in series for row in one["values"]]
    assert values, "no rows"
    assert any(value is not None for row in values for value in row)
    for tag in re.findall(r"\$tag_(\w+)", target["alias"]):
        assert {one["tags"][tag] for one in series} - {""}, f"no tag {tag}"


def answer(filled: Influx, sites: list[str], title: str) -> list[dict[str, Any]]:
    (panel,) = [panel for panel in panels() if panel["title"] == title]
    return filled.rows(as_grafana_sends_it(panel["targets"][0]["query"], sites))


def test_the_numbers_are_those_of_the_runs(filled: Influx, sites: list[str]) -> None:
    released = len(filled.rows("SELECT * FROM qlik_sense_license_release"))
    assert released > 50
    by_rule = {row["rule"]: row["sum"] for row in answer(filled, sites, "Releases by rule")}
    assert by_rule.keys() >= {"release analyzer", 'release "idle professionals"'}
    assert sum(by_rule.values()) == released
    assert sum(row["sum"] for row in answer(filled, sites, "Releases over time by rule")) == released
    assert sum(row["count"] for row in answer(filled, sites, "Releases over time")) == released
    runs = {row["outcome"]: row["count"] for row in answer(filled, sites, "Runs")}
    assert runs == {"done": WEEKS * 7 - 2, "failed": 1, "incomplete": 1}
    assert [row["sum"] for row in answer(filled, sites, "Failures")] == [2]
    rules = {(row["verdict"], row["rule"]) for row in answer(filled, sites, "Decisions by rule")}
    assert ("keep", 'keep "marked in the QMC"') in rules
    assert ("release", "release analyzer") in rules


def test_capacity_and_tokens_are_those_of_the_site(filled: Influx, sites: list[str]) -> None:
    """Of the last day in the history; what the panels over time show last, those of the moment show too."""
    day = (END - timedelta(days=1)).day
    (used,) = answer(filled, sites, "Capacity minutes now")
    assert used["last"] == 60 * day
    assert answer(filled, sites, "Analyzer capacity minutes")[-1]["max"] == 60 * day
    (available,) = answer(filled, sites, "Tokens now")
    assert available["last"] == 40 + day == answer(filled, sites, "Tokens")[-1]["last"]
    kinds = {row["license_type"]: row["last"] for row in answer(filled, sites, "Tokens used now")}
    assert kinds == {"token_user": 10 + day % 7, "token_login": 10 + day % 7}


def test_days_left_are_those_of_the_last_run(filled: Influx, sites: list[str]) -> None:
    now = {row["license_type"]: row["last"] for row in answer(filled, sites, "Days left, at the earliest")}
    assert now == {"professional": 40, "analyzer": 9}
    going_on = {row["last"] for row in answer(filled, sites, "Days left with the policy going on")}
    assert going_on == {365}, "as many as the horizon: not within it"


def _rules() -> list[Any]:
    (group,) = YAML(typ="safe").load(PROVISIONED / "alerting" / "seatwarden.yaml")["groups"]
    return list(group["rules"])


@pytest.mark.parametrize(
    ("uid", "answered", "alarms"),
    [
        ("low", {-5.0}, True),
        ("days-left", {40.0, 9.0}, True),
        ("expiry", None, False),
        ("failures", {0.0}, False),
        ("refused", {0.0}, False),
        ("silent", {2.0}, False),
    ],
)
def test_an_alert_asks_what_it_says(filled: Influx, uid: str, answered: set[float] | None, alarms: bool) -> None:
    """Each rule's query, as Grafana sends it after the last run, and the threshold held against the answer."""
    (rule,) = [rule for rule in _rules() if rule["uid"] == f"seatwarden-{uid}"]
    query, reduced, threshold = rule["data"]
    last = int((END - timedelta(hours=12)).timestamp() * 1000)
    begin = last - query["relativeTimeRange"]["from"] * 1000
    asked = query["model"]["query"].replace("$timeFilter", f"time >= {begin}ms and time <= {last}ms")
    found = [row[-1] for one in filled.statement(asked) for row in one["values"]]
    assert found
    assert answered is None or set(found) == answered
    (condition,) = threshold["model"]["conditions"]
    kind, (value,) = condition["evaluator"]["type"], condition["evaluator"]["params"]
    assert any(one < value if kind == "lt" else one > value for one in found) == alarms
    assert (reduced["model"]["expression"], threshold["model"]["expression"], rule["condition"]) == ("A", "B", "C")
    assert [part["refId"] for part in rule["data"]] == [part["model"]["refId"] for part in rule["data"]] == list("ABC")


def test_rules_are_told_apart() -> None:
    uids = [rule["uid"] for rule in _rules()]
    assert len(set(uids)) == len(uids)
    assert {part["datasourceUid"] for rule in _rules() for part in rule["data"]} == {"influxdb", "__expr__"}
    (provider,) = YAML(typ="safe").load(PROVISIONED / "dashboards" / "seatwarden.yaml")["providers"]
    assert provider["type"] == "file"


def test_the_dashboard_can_be_imported() -> None:
    """What Grafana 10 and 11 ask of a file: ids of its own, a data source to choose, no place of ours in it."""
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    assert DASHBOARD["id"] is None
    assert 36 <= DASHBOARD["schemaVersion"] <= 39
    assert {v["name"]: v["type"] for v in DASHBOARD["templating"]["list"]} == {
        "datasource": "datasource",
        "site": "query",
    }
    for part in (*panels(), *(target for panel in panels() for target in panel["targets"])):
        assert part["datasource"] == {"type": "influxdb", "uid": "${datasource}"}
    for panel in panels():
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs)
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
    assert "http" not in json.dumps(DASHBOARD)


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


def test_the_page_names_every_field_that_is_written(filled: Influx) -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    for kind in ("FIELD", "TAG"):
        for series in filled.statement(f"SHOW {kind} KEYS"):
            assert f"`{series['name']}`" in page
            for row in series["values"]:
                assert f"`{row[0]}`" in page or row[0] == "butler_instance", (series["name"], row[0])
