"""What Butler's settings do to licenses, where Butler itself is no oracle: its defects, and our own keys."""

import json
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.decide.decide import decide_all
from seatwarden.policy.loading import load_policy
from tests.engine.support import day_of, license_row, site_of, snapshot_of, user
from tests.strategies import NEVER

RELEASE_ALL = {"analyzer": {"enable": True, "releaseThresholdDays": 0}}


def _decided(folder: Path, settings: dict[str, Any], site: dict[str, Any]) -> list[str]:
    """The rule that keeps each license, or `release`, or `keep`."""
    path = folder / "butler.yaml"
    path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
    policy = load_policy(path)
    decisions = decide_all(policy, snapshot_of(site), day_of(policy))
    return [d.rule_name or d.verdict if d.verdict == "keep" else "release" for d in decisions]


def _of(*users: dict[str, Any], last_used: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    numbered = [row | {"id": f"u{n}"} for n, row in enumerate(users, 1)]
    return site_of(numbered, [license_row(n, last_used) for n in range(1, len(users) + 1)])


def test_a_backslash_in_a_user_id_is_not_the_one_between_directory_and_id(tmp_path: Path) -> None:
    site = _of(
        user(userDirectory="A\\B", userId="c"),
        user(userDirectory="A", userId="B\\c"),
        user(userDirectory="A", userId="c"),
        user(userDirectory="a\\b", userId="c"),
    )
    for pair, kept in (("A\\B", "c"), 0), (("A", "B\\c"), 1), (("A", "c"), 2):
        settings = {
            "neverRelease": {"user": [{"userDir": pair[0], "userId": pair[1]}]},
            "licenseType": RELEASE_ALL,
        }
        expected = ["release"] * 4
        expected[kept] = "user"
        assert _decided(tmp_path, settings, site) == expected


def test_a_padded_yes_protects(tmp_path: Path) -> None:
    """Butler accepts it and then never matches: the protection is silently off."""
    site = _of(user(inactive=True), user(inactive=False))
    settings = {"neverRelease": {"inactive": " YES "}, "licenseType": RELEASE_ALL}
    assert _decided(tmp_path, settings, site) == ["inactive", "release"]
    settings["neverRelease"] = {"inactive": "\tno "}
    assert _decided(tmp_path, settings, site) == ["release", "inactive"]


def test_null_tags_and_properties_are_none(tmp_path: Path) -> None:
    """They crash Butler's run."""
    site = _of(user(tags=None, customProperties=None), user(tags=[{"name": "vip"}]))
    settings = {
        "neverRelease": {"tag": ["vip"], "customProperty": [{"name": "a", "value": "b"}]},
        "licenseType": RELEASE_ALL,
    }
    assert _decided(tmp_path, settings, site) == ["release", "tag"]


def test_comparison_is_exact(tmp_path: Path) -> None:
    site = _of(user(tags=[{"name": "VIP"}]), user(userDirectory="acme"), user(userDirectory="ACME"))
    settings = {"neverRelease": {"tag": ["vip"], "userDirectory": ["ACME"]}, "licenseType": RELEASE_ALL}
    assert _decided(tmp_path, settings, site) == ["userDirectory", "release", "userDirectory"]


@pytest.mark.parametrize(
    ("never_used", "verdicts"),
    [
        (None, ["release", "keep", "release"]),
        ("fromAllocation", ["release", "keep", "release"]),
        ("release", ["release", "release", "release"]),
        ("keep", ["keep", "keep", "release"]),
    ],
)
def test_licenses_that_were_never_used(tmp_path: Path, never_used: str | None, verdicts: list[str]) -> None:
    rows = [
        license_row(1, NEVER, createdDate="2026-01-01T00:00:00Z"),
        license_row(2, NEVER, createdDate="2026-11-20T23:59:00Z"),
        license_row(3, "2026-01-01T00:00:00Z"),
    ]
    analyzer: dict[str, Any] = {"enable": True, "releaseThresholdDays": 30}
    if never_used:
        analyzer["neverUsed"] = never_used
    site = site_of([user(1), user(2), user(3)], rows)
    assert _decided(tmp_path, {"licenseType": {"analyzer": analyzer}}, site) == verdicts


@pytest.mark.parametrize(("timezone", "verdict"), [("UTC", "release"), ("America/New_York", "keep")])
def test_days_are_counted_in_the_time_zone(tmp_path: Path, timezone: str, verdict: str) -> None:
    """It is 02:00 UTC on the 21st; in New York it is still the 20th, the day of the last use."""
    settings = {"timezone": timezone, "licenseType": {"analyzer": {"enable": True, "releaseThresholdDays": 1}}}
    assert _decided(tmp_path, settings, _of(user(), last_used="2026-11-20T23:00:00Z")) == [verdict]


def test_our_conditions(tmp_path: Path) -> None:
    site = _of(user(roles=["RootAdmin"]), user(tags=[{"name": "Intern"}]), user(userDirectory="X"))
    settings = {
        "neverRelease": {
            "when": [
                {"name": "interns", "when": 'user.tags = "intern"'},
                {"name": "over", "when": "true", "until": "2026-11-20"},
            ]
        },
        "licenseType": {"analyzer": RELEASE_ALL["analyzer"] | {"when": 'not user.roles = "rootadmin"'}},
    }
    assert _decided(tmp_path, settings, site) == ["keep", "interns", "release"]
