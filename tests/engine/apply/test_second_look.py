"""The second look: decided again by the day it is then and there, on all licenses of the person, read again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from seatwarden.engine.common.timestamps import format_instant
from tests.engine.apply.applying import LONG_AGO, MemoryQrs, idle, prepare
from tests.engine.support import license_row

ZONES = ("UTC", "Pacific/Kiritimati", "Asia/Kathmandu", "America/New_York", "Pacific/Pago_Pago")
"""East and west of UTC, up to a day."""

IDLE = "release analyzer when unused for 30 days"
NEXT_DAY: dict[str, tuple[str, str]] = {
    f'keep "winter" when month = 12\n{IDLE}': ("month", 'now kept: keep "winter"'),
    f'keep "tuesdays" when weekday = "tuesday"\n{IDLE}': ("weekday", 'now kept: keep "tuesdays"'),
    f'keep "from then on" when today >= 2026-12-01\n{IDLE}': ("today", 'now kept: keep "from then on"'),
    f'keep "a round number" when license.unusedDays = 334\n{IDLE}': ("days", 'now kept: keep "a round number"'),
}
"""Policies that release on 30 November 2026, a Monday, and not on the day after; what is said then."""


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("policy", NEXT_DAY, ids=[name for name, _ in NEXT_DAY.values()])
@pytest.mark.parametrize(("clock", "result"), [("23:59", "released"), ("00:10", "skipped")])
def test_the_day_of_the_policys_zone_when_it_is_applied(
    tmp_path: Path, zone: str, policy: str, clock: str, result: str
) -> None:
    """Planned ten minutes before midnight; the day is over at midnight there, wherever UTC is."""
    planned = datetime(2026, 11, 30, 23, 50, tzinfo=ZoneInfo(zone))
    applied = planned + timedelta(minutes=9 if clock == "23:59" else 20)
    assert f"{applied:%H:%M}" == clock
    site = idle()
    used = datetime(2026, 1, 1, 12, tzinfo=ZoneInfo(zone))
    site["licenses"]["analyzer"][0]["lastUsed"] = format_instant(used.astimezone(UTC))
    text = f'timezone "{zone}"\n{policy}\nlimit release to 9 per run\n'
    prepared, qrs = prepare(tmp_path, site, text, planned=planned, applied=applied), MemoryQrs(site)
    prepared.apply(qrs)
    journal = prepared.journal
    assert (journal.results["l1"], qrs.deletes) == (result, ["l1"] * (result == "released"))
    assert journal.details["l1"].startswith(NEXT_DAY[policy][1] if result == "skipped" else "")


# The other licenses of the person ------------------------------------------------------------------------

LIMIT = "\nlimit release to 9 per run\n"
OTHERS_IDLE = "release analyzer when user.lastUsed < 2026-09-01" + LIMIT
HOLDS_BOTH = 'release analyzer when user.licenses = "professional"' + LIMIT
HOLDS_ONE = f'keep "both" when user.licenses = "professional"\n{IDLE}{LIMIT}'
LATELY = "2026-11-20T12:00:00.000Z"

Change = Callable[[dict[str, Any]], None]


def _professional(**facts: Any) -> Change:
    return lambda site: site["licenses"]["professional"].append(license_row(1, LONG_AGO, id="p1") | facts)


def _another_analyzer(**facts: Any) -> Change:
    return lambda site: site["licenses"]["analyzer"].append(license_row(1, LONG_AGO, id="l9") | facts)


def _used(license_type: str, license_id: str) -> Change:
    def change(site: dict[str, Any]) -> None:
        for row in site["licenses"][license_type]:
            if row["id"] == license_id:
                row["lastUsed"] = LATELY

    return change


def _given_back(site: dict[str, Any]) -> None:
    site["licenses"]["professional"].clear()


def _nothing(site: dict[str, Any]) -> None:
    """All is as it was."""


@pytest.mark.parametrize(
    ("policy", "before", "change", "said"),
    [
        (OTHERS_IDLE, _nothing, _nothing, ""),
        (OTHERS_IDLE, _professional(), _nothing, ""),
        (OTHERS_IDLE, _another_analyzer(), _nothing, ""),
        (OTHERS_IDLE, _professional(), _used("professional", "p1"), "user.lastUsed was 2026-01-01, is 2026-11-20"),
        (OTHERS_IDLE, _another_analyzer(), _used("analyzer", "l9"), "user.lastUsed was 2026-01-01, is 2026-11-20"),
        (OTHERS_IDLE, _nothing, _professional(lastUsed=LATELY), "user.lastUsed was 2026-01-01, is 2026-11-20"),
        (OTHERS_IDLE, _nothing, _professional(lastUsed="x"), "user.lastUsed was 2026-01-01, is unknown"),
        (HOLDS_BOTH, _professional(), _nothing, ""),
        (HOLDS_BOTH, _professional(), _given_back, 'user.licenses was "professional", "analyzer", is "analyzer"'),
        (HOLDS_ONE, _nothing, _nothing, ""),
        (HOLDS_ONE, _another_analyzer(), _nothing, ""),
        (HOLDS_ONE, _nothing, _professional(), 'user.licenses was "analyzer", is "professional", "analyzer"'),
    ],
)  # fmt: skip
def test_the_other_licenses_are_read_again(
    tmp_path: Path, policy: str, before: Change, change: Change, said: str
) -> None:
    site = idle()
    before(site)
    prepared = prepare(tmp_path, site, policy)
    change(site)
    qrs = MemoryQrs(site)
    first = prepared.apply(qrs).outcomes[0]
    assert (first.key[1], first.result) == ("l1", "skipped" if said else "released")
    assert first.detail.startswith(said)
    assert qrs.events[:4] == ["look l1", "user u1", "licenses professional u1", "licenses analyzer u1"]


def test_they_are_not_asked_for_where_no_rule_reads_them(tmp_path: Path) -> None:
    prepared, qrs = prepare(tmp_path, idle()), MemoryQrs(idle())
    prepared.apply(qrs)
    assert qrs.events == ["look l1", "user u1", "DELETE l1"]


def test_each_license_is_looked_at_right_before_its_own_delete(tmp_path: Path) -> None:
    """What changes while the first is released is seen by the second."""
    site = idle(2)
    prepared, qrs = prepare(tmp_path, site), MemoryQrs(site)
    qrs.on_delete = lambda license_id: qrs.site["licenses"]["analyzer"][-1].update(lastUsed=LATELY)
    prepared.apply(qrs)
    assert prepared.journal.results == {"l1": "released", "l2": "skipped"}
    assert qrs.deletes == ["l1"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda site: site["licenses"]["analyzer"].clear(), "the license is gone: somebody else has released it"),
        (lambda site: site["users"].clear(), "the user is gone"),
        (lambda site: site["licenses"]["analyzer"][0].update(user=None), "the license has no user any more"),
        (lambda site: site["licenses"]["analyzer"][0].pop("user"), "`user` of the license is missing or unreadable"),
        (
            lambda site: site["licenses"]["analyzer"][0].update(quarantined=True),
            "license.quarantined was false, is true; now kept: in quarantine",
        ),
        (
            lambda site: site["licenses"]["analyzer"][0].pop("quarantined"),
            "license.quarantined was false, is unknown; now kept: undetermined",
        ),
    ],
)
def test_what_cannot_be_decided_on_any_more(tmp_path: Path, change: Callable[[Any], Any], said: str) -> None:
    prepared, qrs = prepare(tmp_path, idle()), MemoryQrs(idle())
    change(qrs.site)
    prepared.apply(qrs)
    assert (prepared.journal.results["l1"], qrs.deletes, prepared.journal.intents) == ("skipped", [], {})
    assert prepared.journal.details["l1"].startswith(said)


def test_a_license_that_a_run_of_ours_has_released(tmp_path: Path) -> None:
    prepared, qrs = prepare(tmp_path, idle(2)), MemoryQrs(idle(2))
    qrs.site["licenses"]["analyzer"].clear()
    prepared.apply(qrs, released_by={("analyzer", "l2"): "20261120T020000Z-abc"}.get)
    assert prepared.journal.details == {
        "l1": "the license is gone: somebody else has released it",
        "l2": "the license is gone: run 20261120T020000Z-abc has released it",
    }
