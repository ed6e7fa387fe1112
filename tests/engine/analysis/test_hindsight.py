"""The same numbers, in however many parts the people are asked, and wherever."""

from collections.abc import Iterator

import msgspec
import pytest

from bench.past_sites import daily_snapshots
from seatwarden.engine.analysis.hindsight import Hindsight, Spread, answer, here, look_back
from seatwarden.engine.cli.cluster import LOCAL, spread_over
from seatwarden.engine.history.store import History
from seatwarden.grammar.ast import Field
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import check_text

POLICY = check_text(
    'let kept = ["License do not release", "External"]\nkeep "tags" when user.tags = kept\n'
    'keep when user.createdDate > today - 5 days and weekday != "monday"\nrelease when unused for 9 days',
    "a.policy",
)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """Two months of a site of 200 licenses."""
    with History(tmp_path_factory.mktemp("hindsight") / "history.sqlite", write=True) as history:
        for data in daily_snapshots(200, 60, sync=True):
            history.add(data, "it")
        yield history


def _found(history: History, spread: Spread) -> bytes:
    field = Field("user.userDirectory")
    found = look_back(history, {"a": POLICY}, {"analyzer": (5, 9, 20)}, group=field, spread=spread)
    assert isinstance(found, Hindsight)
    assert any(row.all.releases for row in found.rows)
    return msgspec.json.encode(found)


@pytest.mark.parametrize("size", [1, 30, 10_000])
def test_in_however_many_parts(history: History, size: int) -> None:
    found = _found(history, lambda question, timeline: [answer(question, part) for part in timeline.parts(size)])
    assert found == _found(history, here)


@pytest.fixture
def cluster() -> Iterator[str]:
    """The address of two workers."""
    distributed = pytest.importorskip("distributed", reason="needs the extra scale")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        assert len(cluster.scheduler_info["workers"]) == 2
        yield cluster.scheduler_address


def test_on_two_workers(history: History, cluster: str) -> None:
    with spread_over(cluster) as spread:
        assert _found(history, spread) == _found(history, here)


@pytest.mark.long
def test_on_all_cores(history: History) -> None:
    pytest.importorskip("distributed", reason="needs the extra scale")
    with spread_over(LOCAL) as spread:
        assert _found(history, spread) == _found(history, here)


@pytest.mark.long
def test_a_cluster_that_cannot_answer_is_said(history: History) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra scale")
    with distributed.LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        with pytest.raises(InputError, match="has no workers"), spread_over(address, seconds=1):
            pass
    with pytest.raises(InputError, match="no scheduler answers"), spread_over(address, seconds=1):
        pass


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwarden.engine.cli.cluster.find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs the extra `scale`"), spread_over(LOCAL):
        pass
    with pytest.raises(InputError, match="`two` is no cluster"), spread_over("two"):
        pass
