"""Holds: what a register says of a license turns a release into a keep, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.decide import decide as decide_one
from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.decide.decision import Decision, reason_label
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.standing import due_reason, is_due
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.facts.standing import NO_STANDING, HoldInForce, Standing, Standings
from seatwarden.engine.log.past_site import past_site
from seatwarden.engine.log.reader import read_log, read_plan
from seatwarden.engine.log.replay import replay
from seatwarden.engine.log.run_folder import PLAN_FILE
from seatwarden.engine.log.told import told_plan
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.plan.plan import Plan, make_plan
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.grammar.ast import LICENSE_TYPES, Policy
from tests.engine.apply.applying import idle
from tests.engine.log.forging import relinked
from tests.engine.support import RECORDING, checked, day_of, license_row, site_of, snapshot_of, user
from tests.strategies import NOW, moments, policies, sites

TODAY = NOW.date()
ALL = "release when unused for 30 days\nlimit release to 100% per run\n"


def held(until: date) -> Standing:
    """A hold until that day."""
    return Standing(HoldInForce(until.isoformat(), "parental leave", "ACME\\admin", "2026-11-01"))


def _key(snapshot: Snapshot) -> list[tuple[Any, str]]:
    return [(t, row.id) for t in LICENSE_TYPES for row in snapshot.licenses.get(t, ())]


@st.composite
def standings(draw: st.DrawFn, snapshot: Snapshot, today: date) -> dict[tuple[Any, str], Standing]:
    """Holds of some of the licenses, most of them in force."""
    days = st.integers(-2, 400).map(lambda n: held(today + timedelta(days=n)))
    keys = _key(snapshot)
    return draw(st.dictionaries(st.sampled_from(keys), days)) if keys else {}


def _plain(decision: Decision) -> tuple[object, ...]:
    ruling = decision.ruling
    return decision.key, ruling.verdict, ruling.because, ruling.guard, ruling.rule, decision.reason, decision.standing


@given(policies(), sites(), moments, st.data())
def test_both_evaluators_hold_alike(policy: Policy, site: dict[str, Any], now: datetime, data: st.DataObject) -> None:
    loaded, snapshot = checked(policy), snapshot_of(site)
    day = day_of(loaded, now)
    snapshot = snapshot.with_standings(data.draw(standings(snapshot, day.today)))
    slow = [decide_one(loaded, snapshot, t, row, day) for t in LICENSE_TYPES for row in snapshot.licenses.get(t, ())]
    assert [_plain(one) for one in decide_all(loaded, snapshot, day)] == [_plain(one) for one in slow]


@given(policies(), sites(), moments, st.data())
def test_a_hold_only_keeps(policy: Policy, site: dict[str, Any], now: datetime, data: st.DataObject) -> None:
    loaded, snapshot = checked(policy), snapshot_of(site)
    day = day_of(loaded, now)
    given_ = data.draw(standings(snapshot, day.today))
    without = list(decide_all(loaded, snapshot, day))
    for before, after in zip(without, decide_all(loaded, snapshot.with_standings(given_), day), strict=True):
        hold = given_.get(before.key, NO_STANDING).hold
        if is_due(before) and hold is not None and hold.until >= day.today.isoformat():
            assert (after.verdict, after.because, after.rule) == ("keep", "hold", before.rule)
            assert after.reason == f"held until {hold.until} by ACME\\admin: parental leave; due: {due_reason(before)}"
            assert (after.matched, after.decided_by) == (before.matched, before.decided_by)
            assert reason_label(after) == "hold"
        else:
            assert (after.ruling.verdict, after.ruling.because, after.reason) == (
                before.ruling.verdict,
                before.ruling.because,
                before.reason,
            )


@pytest.mark.parametrize(("until", "verdict"), [(-1, "release"), (0, "keep"), (1, "keep")])
def test_it_holds_on_its_last_day(until: int, verdict: str) -> None:
    snapshot = snapshot_of(idle(1)).with_standings({("analyzer", "l1"): held(TODAY + timedelta(days=until))})
    (decision,) = decide_all(checked(ALL), snapshot, day_of(checked(ALL)))
    assert decision.verdict == verdict


# Recorded ------------------------------------------------------------------------------------------------


def _plan(count: int, pseudonyms: Pseudonyms | None = None) -> Plan:
    """A plan of some users who are due: the first two are held, and one whose license is used is, too."""
    users = [user(n) for n in range(1, count + 2)]
    rows = [license_row(n) for n in range(1, count + 1)]
    rows.append(license_row(count + 1, "2026-11-20T08:00:00.000Z"))
    until = held(TODAY + timedelta(days=30))
    holds: Standings = {("analyzer", f"l{n}"): until for n in (1, 2, count + 1)}
    snapshot = snapshot_of(site_of(users, rows)).with_standings(holds)
    policy = checked(ALL)
    return make_plan(policy, snapshot, day_of(policy), "test", pseudonyms)


def _written(plan: Plan, folder: Path) -> Path:
    write_plan(plan, folder, "", RECORDING)
    return folder


@pytest.mark.parametrize("reference", [False, True])
def test_a_record_decides_again_alike(tmp_path: Path, reference: bool) -> None:
    plan = _plan(4)
    folder = _written(plan, tmp_path / "run")
    assert replay(folder, reference=reference) == (5, [], [])
    recorded = {one.key: one for one in read_plan(folder).decisions}
    told = {one.key: one for one in told_plan(read_log(folder)).decisions}
    for one in plan.decisions:
        assert _plain(recorded[one.key])[1:3] == _plain(told[one.key])[1:3] == _plain(one)[1:3]
        assert recorded[one.key].standing == one.standing
    assert plan.summary()["byReason"] == {"hold": 2, "release": 2, "no release rule matched": 1}
    lines = read_log(folder).decisions
    assert {line.about.license_id for line in lines if line.about.standing} == {"l1", "l2", "l5"}


def test_behind_pseudonyms_only_the_fact_is_told(tmp_path: Path) -> None:
    plan = _plan(4, Pseudonyms(b"k" * 32, k=2))
    folder = _written(plan, tmp_path / "run")
    assert replay(folder).differences == []
    said = (folder / PLAN_FILE).read_text()
    assert "parental" not in said
    assert "admin" not in said
    assert "2026-12" not in said
    holds = [line.about.standing for line in read_log(folder).decisions if line.about.standing]
    assert holds == [Standing(HoldInForce("2026-11-21", "", "", "2026-11-21"))] * 2
    assert {one.reason for one in read_plan(folder).decisions if one.because == "hold"} == {
        "held; due: release: unused for 30 days or more; 30 needed"
    }


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, (folder / PLAN_FILE).read_bytes().splitlines())


def _forge(folder: Path, change: dict[str, Any], **of_person: Any) -> None:
    """The plan with the line of `l1` changed, and linked anew as somebody would who can write the file."""
    found = list(_lines(folder))
    for line in found:
        if line["kind"] == "decision" and line["person"]["licenseId"] == "l1":
            line.update(change)
            line["person"].update(of_person)
            line["person"] = {name: value for name, value in line["person"].items() if value is not ...}
    (folder / PLAN_FILE).write_bytes(relinked(found, own=False))


def test_a_release_that_a_recorded_hold_forbids_is_refused(tmp_path: Path) -> None:
    folder = _written(_plan(4), tmp_path / "run")
    _forge(folder, {"verdict": "release", "because": "release"})
    with pytest.raises(DamagedLog, match="on these facts the registers say keep"):
        read_plan(folder)


def test_a_hold_that_no_register_knows_is_refused(tmp_path: Path) -> None:
    folder = _written(_plan(4), tmp_path / "run")
    _forge(folder, {}, standing=...)
    with pytest.raises(DamagedLog, match="no register kept the license that the policy takes"):
        read_plan(folder)


@pytest.mark.parametrize("until", ["x", "", "2026-02-30", "20261221", 7, None])
def test_a_day_that_is_none_is_damage(tmp_path: Path, until: object) -> None:
    folder = _written(_plan(4), tmp_path / "run")
    hold = {"until": until, "reason": "x", "by": "y", "since": "2026-11-01"}
    _forge(folder, {}, standing={"hold": hold})
    with pytest.raises(DamagedLog, match="is damaged or made by another program"):
        read_log(folder)


def test_the_same_policy_on_a_past_run_holds_as_the_run_did(tmp_path: Path) -> None:
    folder = _written(_plan(4), tmp_path / "run")
    past = past_site(folder)
    again = list(past.decide_all(checked(ALL), past.opened.day))
    assert sorted(one.license_id for one in again if one.because == "hold") == ["l1", "l2"]
    later = replace(past, is_whole=False)
    assert [one.verdict for one in later.decide_all(checked(ALL), past.opened.day)] == [one.verdict for one in again]


# Holds that end -----------------------------------------------------------------------------------------


def _ending(days: dict[int, int], pseudonyms: Pseudonyms | None = None) -> list[str]:
    """What a plan says of holds, by the number of each user and the days up to its end."""
    holds: Standings = {("analyzer", f"l{n}"): held(TODAY + timedelta(days=later)) for n, later in days.items()}
    policy = checked(ALL)
    plan = make_plan(policy, snapshot_of(idle(9)).with_standings(holds), day_of(policy), "test", pseudonyms)
    return [finding.message for finding in plan.findings if finding.code == "SW410"]


def test_holds_that_end_within_a_week_are_named_the_first_in_front() -> None:
    assert _ending({1: 7, 2: 8}) == ["the hold of 1 person ends within 7 days: `ACME\\user1` on 2026-11-28"]
    assert _ending({1: 3, 2: 0}) == [
        "the hold of 2 people ends within 7 days: `ACME\\user2` on 2026-11-21 and `ACME\\user1` on 2026-11-24"
    ]
    (many,) = _ending(dict.fromkeys(range(1, 8), 1))
    assert many.endswith(" and 2 more")
    assert _ending({1: 8, 2: -1}) == []


def test_behind_pseudonyms_they_are_counted() -> None:
    assert _ending({1: 7, 2: 3}, Pseudonyms(b"k" * 32, k=2)) == ["the hold of 2 people ends within 7 days"]
