"""The register of holds: what stands in it, what is damage to it, and that nothing is released beside a damaged one."""

import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.errors import DamagedLog, UntrustedRecord
from seatwarden.engine.facts.day import make_day
from seatwarden.engine.log.chain import erased
from seatwarden.engine.log.heads import ChainHead, Heads
from seatwarden.engine.log.reader import read_plan
from seatwarden.engine.log.register import REGISTER_FILE, NotedHeads, read_register
from seatwarden.engine.notice.holds import HOLDS_FILE, MOST_DAYS, Hold, last_day, parse_holds, read_holds
from seatwarden.engine.notice.standings import standings_of
from seatwarden.engine.runs.record import SiteRecord, locked_record
from seatwarden.engine.runs.run_report import RunReport
from seatwarden.grammar.ast import LicenseType
from tests.engine.apply.applying import idle
from tests.engine.log.forging import relinked
from tests.engine.runs.running import Running, Site
from tests.engine.support import SEED, license_row, site_of, snapshot_of, user
from tests.strategies import NOW

TODAY = NOW.date()
USER = "ACME\\user1"


@pytest.fixture
def running(tmp_path: Path) -> Running:
    policy = "release when unused for 30 days\nlimit release to 100% per run\n"
    return Running(tmp_path, Site(idle(2)), policy=policy)


def hold(
    running: Running, user: str = USER, days: int = 10, type_: LicenseType | None = None, reason: str = "on leave"
) -> None:
    with _record(running) as record, record.holds() as register:
        today = running.now.date()
        register.hold(user, type_, today + timedelta(days=days), reason, today)


def end(running: Running) -> None:
    with _record(running) as record, record.holds() as register:
        (one,) = register.state.in_force(running.now.date())
        register.end(one, "back", running.now.date())


def _record(running: Running) -> Any:
    return locked_record(running.settings.folder, running.settings.site.url, running.hand)


def path_of(running: Running) -> Path:
    return running.settings.folder / HOLDS_FILE


def kept(report: RunReport) -> dict[str, str]:
    assert report.plan is not None
    return {one.license_id: one.because for one in report.plan.decisions}


# What it says --------------------------------------------------------------------------------------------


def test_a_hold_keeps_until_its_last_day(running: Running) -> None:
    hold(running, days=10)
    report = running.run()
    assert kept(report) == {"l1": "hold", "l2": "release"}
    assert running.qrs.deletes == ["l2"]
    running.now = NOW + timedelta(days=10)
    assert kept(running.run()) == {"l1": "hold"}
    running.now = NOW + timedelta(days=11)
    assert kept(running.run()) == {"l1": "release"}
    assert running.qrs.deletes == ["l1"]


def test_it_says_who_and_why(running: Running) -> None:
    hold(running)
    report = running.run()
    assert report.plan is not None
    words = f"held until {TODAY + timedelta(days=10)} by admin (uid 1000): on leave; due: release: last used"
    assert next(one.reason for one in report.plan.decisions if one.license_id == "l1").startswith(words)


def test_an_ended_one_keeps_no_more(running: Running) -> None:
    hold(running)
    end(running)
    assert kept(running.run()) == {"l1": "release", "l2": "release"}
    (found,) = read_holds(path_of(running)).holds()
    assert (found.ended, found.in_force(TODAY)) == (TODAY.isoformat(), False)


def _of(type_: LicenseType | None, until: date = TODAY, user: str = USER, line: int = 2) -> Hold:
    return Hold(line, user, type_, until.isoformat(), f"line {line}", "admin", TODAY.isoformat())


def test_of_one_type_or_of_both() -> None:
    snapshot = snapshot_of(site_of([user(1)], [license_row(1)], [license_row(1, id="p1")]))
    both = {("analyzer", "l1"), ("professional", "p1")}
    assert set(standings_of([_of(None)], snapshot)) == both
    assert set(standings_of([_of("analyzer")], snapshot)) == {("analyzer", "l1")}
    assert set(standings_of([_of(None, user="acme\\USER1")], snapshot)) == both  # as in QRS, case does not matter
    assert standings_of([_of(None, user="ACME\\user11")], snapshot) == {}


def test_of_several_the_longest_counts() -> None:
    snapshot = snapshot_of(idle(1))
    several = [_of(None, TODAY, line=2), _of("analyzer", TODAY + timedelta(days=3), line=3), _of(None, TODAY, line=4)]
    (standing,) = standings_of(several, snapshot).values()
    assert standing.hold is not None
    assert (standing.hold.until, standing.hold.reason) == ((TODAY + timedelta(days=3)).isoformat(), "line 3")


def test_a_hold_lasts_a_year_at_most() -> None:
    assert last_day(TODAY) - TODAY == timedelta(days=MOST_DAYS)
    assert last_day(date.max - timedelta(days=3)) == date.max


# Between plan and apply ----------------------------------------------------------------------------------


def test_a_hold_made_after_the_plan_keeps_all_the_same(running: Running) -> None:
    """The chain is looked at again before each DELETE, also in the middle of a run."""
    names: list[str] = []

    def on_delete(license_id: str) -> None:
        names.append(license_id)
        # As another process would that has the lock; this one holds it.
        _append_hold(running, "ACME\\user2")

    running.qrs.on_delete = on_delete
    report = running.run()
    assert (names, report.counts) == (["l1"], {"released": 1, "skipped": 1})
    (skipped,) = [one for applied in report.applied for one in applied.outcomes if one.result == "skipped"]
    assert skipped.detail.startswith("now kept: held until ")


def _append_hold(running: Running, user: str) -> None:
    from seatwarden.engine.notice.holds import HoldsOrigin, HoldsRegister
    from tests.engine.support import MADE

    origin = HoldsOrigin(running.settings.site.url, "seatwarden", MADE, SEED, "id")
    register = HoldsRegister(path_of(running), read_holds(path_of(running)), origin, lambda: "2026-11-21T02:00:00.000Z")
    register.hold(user, None, TODAY + timedelta(days=3), "in between", TODAY)
    register.close()


def test_an_interrupted_run_that_is_gone_on_with_heeds_a_hold(running: Running) -> None:
    running.crash()
    hold(running)
    running.run()
    assert "l1" not in running.qrs.deletes


# Heads ---------------------------------------------------------------------------------------------------


def _heads(running: Running) -> list[NotedHeads]:
    state = read_register(running.settings.folder / REGISTER_FILE)
    assert state is not None
    return list(state.of_kind(NotedHeads))


def test_where_it_ends_stands_in_the_register_and_in_the_plan(running: Running) -> None:
    hold(running)
    state = read_holds(path_of(running))
    (head,) = _heads(running)
    assert head.holds == state.head == ChainHead(2, state.leaves[-1])
    running.run()
    assert len(_heads(running)) == 1  # nothing is added that is known
    assert read_plan(running.runs[0]).header.heads == Heads(state.head)


def test_without_holds_nothing_is_written(running: Running) -> None:
    running.run()
    assert (_heads(running), path_of(running).exists()) == ([], False)
    assert b'"heads"' not in (running.runs[0] / "plan.jsonl").read_bytes()


def test_a_line_that_the_register_does_not_know_yet_is_noted_by_the_next_run(running: Running) -> None:
    """As after a kill between the two lines of a hold."""
    running.settings.folder.mkdir(parents=True, exist_ok=True)
    _append_hold(running, USER)
    assert kept(running.run())["l1"] == "hold"
    (head,) = _heads(running)
    assert head.holds == read_holds(path_of(running)).head


def _gone(path: Path) -> None:
    path.unlink()


def _shorter(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def _torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def _edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"user1", b"user9"))


def _written_anew(path: Path) -> None:
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    lines[1]["person"]["user"] = "ACME\\user9"
    path.write_bytes(relinked(lines, own=True))


def _blanked(path: Path) -> None:
    first, last = path.read_bytes().splitlines()
    path.write_bytes(first + b"\n" + erased(last) + b"\n")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_gone, "is missing, and had 2 lines"),
        (_empty, "is missing, and had 2 lines"),
        (_shorter, "has 1 line, and had 2 once: its end was cut off"),
        (_torn, "has 1 line, and had 2 once: its end was cut off"),
        (_edited, "is not as it was written: line 2 was changed: its own digest does not fit"),
        (_written_anew, "has another line 2 than it had once: it was written anew"),
        (_blanked, "has line 2 without its personal part, and no line of the register of runs says so"),
    ],
)
def test_a_damaged_register_stops_every_release(running: Running, damage: Callable[[Path], None], said: str) -> None:
    hold(running)
    damage(path_of(running))
    report = running.run()
    assert (report.outcome, running.qrs.deletes) == ("failed", [])
    assert isinstance(report.error, UntrustedRecord)
    assert report.why[0] == f"the register of holds `{path_of(running)}` {said}"
    with pytest.raises(UntrustedRecord), _record(running) as record, record.holds():
        pass  # nor is anything added to it


def test_one_that_is_taken_away_in_the_middle_of_a_run_ends_it(running: Running) -> None:
    hold(running, "ACME\\user9")
    running.qrs.on_delete = lambda license_id: path_of(running).unlink()
    report = running.run()
    assert (report.outcome, running.qrs.deletes) == ("failed", ["l1"])
    assert isinstance(report.error, UntrustedRecord)


def test_an_older_register_with_its_own_heads_is_found_by_the_plan(running: Running) -> None:
    """Who puts back both from a backup is found where a plan has seen more."""
    running.run(dry_run=True)
    before = (running.settings.folder / REGISTER_FILE).read_bytes()
    hold(running)
    running.crash()
    plan = read_plan(running.runs[-1])
    path_of(running).unlink()
    (running.settings.folder / REGISTER_FILE).write_bytes(before)
    with _record(running) as record:
        assert isinstance(record, SiteRecord)
        day = make_day(running.now, "UTC")
        with pytest.raises(UntrustedRecord, match="is missing, and had 2 lines"):
            record.standings(plan.header).now(snapshot_of(idle(2)), day)


# Forged --------------------------------------------------------------------------------------------------


def _forgeries() -> Iterator[tuple[Callable[[list[dict[str, Any]]], object], str]]:
    yield lambda lines: lines[1].update(until="2030-01-01"), "line 2 is damaged .*`until` is no day within 366 days"
    yield lambda lines: lines[1].update(until="2026-02-30"), "line 2 is damaged .*`until`"
    yield lambda lines: lines[1].update(until="20261122"), "line 2 is damaged .*`until`"
    yield lambda lines: lines[1].update(until="2026-11-20"), "line 2 is damaged .*`until`"
    yield lambda lines: lines.pop(0), "line 1 is damaged .*it is no register of holds"
    yield lambda lines: lines.append(dict(lines[0])), "line 4 is damaged .*does not belong here"
    yield lambda lines: lines[2].update(hold=1), "line 3 is damaged .*it ends no hold that runs"
    yield lambda lines: lines.append(dict(lines[2])), "line 4 is damaged .*it ends no hold that runs"
    yield lambda lines: lines[1].update(licenseType="all"), "line 2 is damaged"
    yield lambda lines: lines[1]["person"].pop("reason"), "line 2 is damaged"
    yield lambda lines: lines[1].update(more=1), "line 2 is damaged .*not written as we write it"
    yield lambda lines: lines[0].update(format=3), "was written by a newer seatwarden"
    yield lambda lines: lines.append({"kind": "seal", "size": 3, "root": ""}), "line 1 is damaged .*no register of"


@pytest.mark.parametrize(("forge", "said"), list(_forgeries()))
def test_a_forged_line_is_named(running: Running, forge: Callable[[list[dict[str, Any]]], object], said: str) -> None:
    hold(running)
    end(running)
    path = path_of(running)
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    forge(lines)
    with pytest.raises(DamagedLog, match=said):
        parse_holds(path, relinked(lines, own=True))


def test_nothing_of_a_person_stands_outside_the_personal_part(running: Running) -> None:
    hold(running, reason="maternity")
    end(running)
    bare = b"\n".join(erased(line) for line in path_of(running).read_bytes().splitlines())
    for word in (b"user1", b"maternity", b"admin", b"back"):
        assert word not in bare
    assert len(parse_holds(path_of(running), bare + b"\n").lines) == 3
