"""Points of released licenses, against the lines that Butler 16.0.4 wrote."""

import re
from collections import Counter
from datetime import datetime
from typing import Any

import pytest

from seatwarden.engine.apply.actions import Outcome
from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.metrics.point import line, merge_tags
from seatwarden.engine.metrics.releases import UNKNOWN_USE, days_since_last_use, release_points
from tests.engine.support import decide, license_row, site_of, user
from tests.paths import DATA, load_json_lines

CASES = [case for case in load_json_lines(DATA / "release-cases.jsonl.gz") if case.get("releaseLines")]
RELEASE_ALL = "release analyzer, professional when unused for 0 days\n"


def moment(text: str) -> datetime:
    instant = parse_timestamp(text)
    assert instant is not None
    return instant


def static(block: dict[str, Any]) -> list[tuple[str, str]]:
    return [(tag["name"], str(tag["value"])) for tag in block["tag"]["static"] or ()]


def tags_and_fields(text: str) -> tuple[frozenset[str], str]:
    """A line's measurement and tags in no order, and its fields."""
    text = re.sub(r"(user=[^ ]*?tail\\)(?!\u200b)", "\\1\u200b", text)  # a trailing backslash, which ends nothing
    head, fields = re.split(r"(?<!\\) ", text, maxsplit=1)
    return frozenset(re.split(r"(?<!\\),", head)), fields


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['case']}-{case['focus']}")
def test_butlers_lines_again(case: dict[str, Any]) -> None:
    """Every release that Butler wrote down is ours, tag by tag; numbers too, but for licenses never used."""
    now = moment(case["now"])
    decisions = {d.license_id: d for d in decide(RELEASE_ALL, case["snapshot"], now)}
    verdicts = {e["licenseId"]: e.get("butlerVerdict", e["verdict"]) for e in case["expect"]}
    released = [decisions[id_] for id_, verdict in verdicts.items() if verdict == "release"]
    outcomes = [Outcome(decision.key, decision.user, "released", "") for decision in released]
    ours = ("license_type", "user")
    feature = static(case["licenseRelease"]["destination"]["influxDb"])
    made = release_points(released, outcomes, merge_tags(static(case["influxDb"]), feature), now)
    lines: Counter[Any] = Counter()
    for point, decision in zip(made, released, strict=True):
        found, fields = tags_and_fields(line(point, with_time=False))
        if decision.last_used is None:
            since_allocation = fields
            fields = f"days_since_last_use={(now - moment('1753-01-01T00:00:00Z')).days}"
            assert since_allocation != fields
        lines[found, fields] += 1
    if any(name in ours for name, _ in feature):
        # A static tag of Butler's feature writes over the license type and the user; ours never do.
        assert sum(lines.values()) == len(case["releaseLines"])
        return
    assert lines == Counter(map(tags_and_fields, case["releaseLines"]))


def test_the_recordings_have_all_there_is() -> None:
    lines = [text for case in CASES for text in case["releaseLines"]]
    assert len(lines) == 703
    assert any("=99" in text for text in lines)


NOW = moment("2026-11-21T02:00:00Z")


def decision(**row: Any) -> Decision:
    return decide(RELEASE_ALL, site_of([user()], [license_row(**row)]), NOW)[0]


def test_days_are_whole_spans_of_24_hours() -> None:
    assert days_since_last_use(decision(last_used="2026-11-19T02:00:00.001Z"), NOW) == 1
    assert days_since_last_use(decision(last_used="2026-11-19T02:00:00Z"), NOW) == 2


def test_never_used_counts_from_the_day_it_was_allocated() -> None:
    assert days_since_last_use(decision(createdDate="2026-11-01T23:00:00Z"), NOW) == 20
    assert days_since_last_use(decision(createdDate="gone"), NOW) == UNKNOWN_USE


def test_only_released_licenses_have_a_point_and_two_of_one_user_are_two() -> None:
    rows = [license_row() | {"id": f"l{n}"} for n in range(4)]
    made = decide(RELEASE_ALL, site_of([user()], rows), NOW)
    results = ["released", "failed", "released", "gone"]
    outcomes = [Outcome(d.key, d.user, r, "") for d, r in zip(made, results, strict=True)]  # type: ignore[arg-type]
    points = release_points(made, outcomes, (("user", "static"), ("foo", "bar")), NOW)
    assert [line(point).rsplit(" ", 1)[1] for point in points] == ["1795226400000", "1795226400001"]
    assert {point.tags for point in points} == {(("user", "ACME\\user1"), ("foo", "bar"), ("license_type", "analyzer"))}
