"""The past of a fleet: each site's own history, gone through by the same function, and the sum of all."""

import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from bench.past_sites import daily_snapshots
from seatwarden.engine.analysis.hindsight import Hindsight, HistoryAnswer, HistoryQuestion, answer, look_back
from seatwarden.engine.cli.cluster import spread_over
from seatwarden.engine.fleet.past import IN_FORCE, PastQuestion, fleet_hindsight, fleet_history
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.history.store import History
from seatwarden.engine.history.timeline import Timeline
from seatwarden.policy.loading import check_text
from tests.engine.fleet.fleets import SimulatedFleet, by_name, simulated_fleet

POLICY = check_text("release when unused for 10 days", "plain.policy")


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedFleet]:
    """Two sites with histories of their own, and one without."""
    with simulated_fleet(tmp_path_factory.mktemp("past"), 3) as one:
        for number, name in enumerate(("s0", "s1"), 1):
            folder = one.folder / name / "state"
            folder.mkdir()
            with History(folder / HISTORY_FILE, write=True) as history:
                for snapshot in daily_snapshots(30 * number, 20, sync=False):
                    history.add(snapshot, "made up", other_source=True)
        yield one


def _of_site(one: SimulatedFleet, name: str, policies: PastQuestion) -> Hindsight:
    with History(one.folder / name / "state" / HISTORY_FILE) as history:
        return look_back(history, policies.policies, policies.thresholds)


def test_what_each_site_has_kept(past: SimulatedFleet) -> None:
    fleet = past.fleet()
    found = fleet_history(fleet, fleet.sites, past.means())
    assert {name: one.snapshots for name, one in found.kept.items()} == {"s0": 20, "s1": 20}
    assert all(one.bytes > 0 and one.since and one.until and one.since < one.until for one in found.kept.values())
    assert by_name(found.report.results)["s2"].words == "no history"
    assert all(not qrs.requests for qrs in past.sites.values())


@pytest.mark.parametrize("thresholds", [{}, {"analyzer": (5, 12)}])
def test_each_site_says_what_it_says_alone_and_the_sum_is_the_sum(
    past: SimulatedFleet, thresholds: dict[str, tuple[int, ...]]
) -> None:
    question = PastQuestion({"plain": POLICY}, thresholds)  # type: ignore[arg-type]
    fleet = past.fleet()
    found = fleet_hindsight(fleet, fleet.sites, past.means(), question)
    alone = {name: _of_site(past, name, question) for name in ("s0", "s1")}
    assert found.sites == alone
    for total in found.total:
        rows = [
            row
            for one in alone.values()
            for row in one.rows
            if (row.policy, row.license_type) == (total.policy, total.license_type)
        ]
        assert len(rows) == 2
        for part in ("all", "backlog", "later"):
            counts = [getattr(row, part) for row in rows]
            for name in ("releases", "people", "repeats", "seat_days"):
                assert getattr(getattr(total, part), name) == sum(getattr(one, name) for one in counts)
            for place, back in enumerate(getattr(total, part).back):
                backs = [one.back[place] for one in counts]
                assert (back.followed, back.back) == (sum(b.followed for b in backs), sum(b.back for b in backs))
                assert back.share == (back.back / back.followed if back.followed else None)
                assert (back.low, back.high) == (None, None)


def test_without_a_policy_it_is_the_one_in_force_at_each(past: SimulatedFleet) -> None:
    fleet = past.fleet()
    found = fleet_hindsight(fleet, fleet.sites, past.means(), PastQuestion({}, {}))
    assert {tuple(one.policies) for one in found.sites.values()} == {(IN_FORCE,)}
    assert {row.file for row in found.sites["s0"].rows} == {str(past.folder / "s0" / "p.policy")}
    assert {row.file for row in found.total} == {""}


def test_spread_over_others_it_says_the_same(past: SimulatedFleet) -> None:
    parts: list[int] = []

    def spread(question: HistoryQuestion, timeline: Timeline) -> Iterator[HistoryAnswer]:
        for part in timeline.parts(7):
            parts.append(len(part.people))
            yield answer(question, part)

    fleet, question = past.fleet(), PastQuestion({"plain": POLICY}, {})
    here = fleet_hindsight(fleet, fleet.sites, past.means(), question)
    spread_out = fleet_hindsight(fleet, fleet.sites, past.means(), question, nullcontext(spread))
    assert spread_out.sites == here.sites
    assert spread_out.total == here.total
    assert len(parts) > 8


@pytest.mark.long
def test_on_dask_to_the_digit(past: SimulatedFleet) -> None:
    fleet, question = past.fleet(), PastQuestion({"plain": POLICY}, {})
    here = fleet_hindsight(fleet, fleet.sites, past.means(), question)
    on_dask = fleet_hindsight(fleet, fleet.sites, past.means(), question, spread_over("local"))
    assert msgspec.json.encode([on_dask.sites, on_dask.total]) == msgspec.json.encode([here.sites, here.total])


def test_a_damaged_history_is_that_sites_alone(past: SimulatedFleet, tmp_path: Path) -> None:
    path = past.folder / "s0" / "state" / HISTORY_FILE
    whole = path.read_bytes()
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5_000)
    try:
        fleet = past.fleet()
        found = fleet_hindsight(fleet, fleet.sites, past.means(), PastQuestion({"plain": POLICY}, {}))
    finally:
        path.write_bytes(whole)
    assert set(found.sites) == {"s1"}
    result = by_name(found.report.results)["s0"]
    assert (result.outcome, result.bad_input) == ("failed", True)
    assert str(path) in result.why[0]


def test_asked_to_stop_it_ends(past: SimulatedFleet) -> None:
    fleet, means = past.fleet(), past.means()
    means.stop.set()
    found = fleet_history(fleet, fleet.sites, means)
    assert {result.outcome for result in found.report.results} == {"failed"}
    assert isinstance(means.stop, threading.Event)
