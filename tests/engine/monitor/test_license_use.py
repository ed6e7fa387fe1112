"""License use, against what Butler 16.0.4 wrote for the same answers."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.errors import RemoteError
from seatwarden.engine.metrics.point import line, merge_tags
from seatwarden.engine.monitor.license_use import license_use
from tests.engine.metrics.databases import Influx
from tests.paths import DATA, load_json

NOW = datetime.now(UTC)
CASES = load_json(DATA / "monitor-cases.json")
TITLES = [case["title"] for case in CASES]


def static(block: dict[str, Any]) -> list[tuple[str, str]]:
    return [(tag["name"], tag["value"]) for tag in block["tag"]["static"] or ()]


def points(case: dict[str, Any]) -> list[dict[str, Any]]:
    tags = merge_tags(static(case["influxDb"]), static(case["licenseMonitor"]["destination"]["influxDb"]))
    found = license_use(json.dumps(case["accesstypeoverview"]).encode(), tags, NOW)
    return [{"measurement": p.measurement, "tags": dict(p.tags), "fields": dict(p.fields)} for p in found]


def as_butler_meant(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Butler's points, mended where Butler is known to be wrong: no field without a number, `usedTokens` read."""
    written = [point for call in case["points"] for point in call]
    for point in written:
        used = case["accesstypeoverview"].get("userAccess", {}).get("usedTokens")
        if point["tags"]["license_type"] == "token_user":
            point["fields"]["used_tokens"] = used
        point["fields"] = {name: v for name, v in point["fields"].items() if isinstance(v, int | float)}
    return written


@pytest.mark.parametrize("case", CASES, ids=TITLES)
def test_the_points_are_butlers(case: dict[str, Any]) -> None:
    expected = as_butler_meant(case)
    if case["title"] == "global InfluxDB disabled":  # the command's to see; the points themselves are made
        expected = [{**p, "tags": {"foo": "bar", **p["tags"]}} for p in as_butler_meant(CASES[0])]
    assert points(case) == expected


def test_the_lines_are_butlers_letter_by_letter() -> None:
    case = CASES[TITLES.index("typical subscription: professional + analyzer")]
    found = license_use(json.dumps(case["accesstypeoverview"]).encode(), (("foo", "bar"),), NOW)
    assert [line(point, with_time=False) for point in found] == case["lines"][0].split("\n")


def test_used_tokens_under_butlers_name_and_tags_of_ours() -> None:
    answer = {"userAccess": {"enabled": True, "userTokens": 3}, "tokensEnabled": True, "totalTokens": 9}
    answer["analyzerTimeAccess"] = {"enabled": True, "allocatedMinutes": 700, "usedMinutes": "5"}
    found = license_use(json.dumps(answer).encode(), (("license_type", "static"),), NOW)
    assert [line(point, with_time=False) for point in found] == [
        "qlik_sense_license,license_type=analyzer_capacity allocated_minutes=700",
        "qlik_sense_license,license_type=token_user used_tokens=3",
        "qlik_sense_license,license_type=tokens_available total_tokens=9",
    ]


@pytest.mark.parametrize("answer", [b"[]", b"null", b"", b"<html>", b'"x"', b"\xff", b"[" * 9999])
def test_what_is_no_object_is_an_error(answer: bytes) -> None:
    with pytest.raises(RemoteError, match="accesstypeoverview` is not a JSON object"):
        license_use(answer, (), NOW)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["enabled", "total", "used"]) | st.text(), inner),
    max_leaves=8,
)
_BLOCKS = st.sampled_from(["professionalAccess", "analyzerAccess", "userAccess", "loginAccess", "analyzerTimeAccess"])


@given(st.dictionaries(_BLOCKS | st.just("tokensEnabled"), _JSON | st.just({"enabled": True, "used": True})))
def test_no_answer_of_wrong_types_makes_a_wrong_line(answer: dict[str, Any]) -> None:
    for point in license_use(json.dumps(answer).encode(), (), NOW):
        assert point.fields
        assert all(isinstance(value, float) for value in point.fields.values())


def test_a_database_that_butler_filled_takes_our_points(influx: Influx) -> None:
    influx.statement("CREATE DATABASE butler")
    for case in CASES:
        for lines in case["lines"]:
            if "undefined" not in lines and "null" not in lines:
                influx.write(lines)
    butlers = len(influx.rows("SELECT * FROM qlik_sense_license"))
    assert butlers == 3
    ours = [line(p) for case in CASES for p in license_use(json.dumps(case["accesstypeoverview"]).encode(), (), NOW)]
    influx.write("\n".join(ours), "ms")
    types = {row["fieldType"] for row in influx.rows("SHOW FIELD KEYS FROM qlik_sense_license")}
    assert types == {"float"}
    assert len(influx.rows("SELECT * FROM qlik_sense_license")) > butlers
