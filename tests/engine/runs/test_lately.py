"""What earlier runs have released within some days: what limits over time are held against."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.log.register import (
    REGISTER_FILE,
    Begun,
    ClosedRun,
    Planned,
    PlannedRestore,
    Register,
    RegisterOrigin,
)
from seatwarden.engine.log.register_line import RegisterLine
from seatwarden.engine.plan.circumstances import Circumstances
from seatwarden.engine.runs.lately import released_lately
from seatwarden.grammar.ast import LicenseType

_WHO = Circumstances(account="tester", host="here", command="seatwarden run", interactive=False)
NOW = datetime(2026, 11, 21, 2, tzinfo=UTC)


def _at(days: float) -> str:
    return format_instant(NOW - timedelta(days=days))


def _planned(run: int) -> Planned:
    return Planned(
        run=run, run_id=str(run), root=f"root {run}", mode="live", folder=str(run), licenses=9, release=9, at=_at(1)
    )


def _begun(run: int) -> Begun:
    return Begun(run=run, run_id=str(run), root=f"root {run}", chosen=9, resumed=False, at=_at(1))


def _closed(run: int, days: float, **released: int) -> ClosedRun:
    by_type: dict[LicenseType, int] = {"analyzer": released.get("analyzer", 0)}
    return ClosedRun(
        run=run,
        run_id=str(run),
        released=by_type,
        results={},
        settled=True,
        journal_lines=1,
        journal_leaf="x",
        journal_root=None,
        at=_at(days),
    )


def _written(folder: Path, *lines: RegisterLine) -> Path:
    origin = RegisterOrigin("https://q", "seatwarden", _WHO, b"s" * 32, "id")
    register = Register.open(folder / REGISTER_FILE, origin, _at(99))
    for line in lines:
        register.add(line)
    register.close()
    return folder


def test_within_the_days_asked_for(tmp_path: Path) -> None:
    folder = _written(tmp_path, _closed(1, 8, analyzer=1), _closed(2, 7, analyzer=10), _closed(3, 6.9, analyzer=100))
    assert released_lately(folder, (7, 30), NOW) == {7: {"analyzer": 100}, 30: {"analyzer": 111}}


def test_a_run_that_was_gone_on_with_counts_once(tmp_path: Path) -> None:
    folder = _written(tmp_path, _begun(1), _closed(1, 3, analyzer=4), _begun(1), _closed(1, 2, analyzer=6))
    assert released_lately(folder, (7,), NOW) == {7: {"analyzer": 6}}


def test_its_own_releases_do_not_count_against_a_run(tmp_path: Path) -> None:
    folder = _written(tmp_path, _planned(1), _begun(1), _closed(1, 3, analyzer=4), _planned(2), _begun(2))
    assert released_lately(folder, (7,), NOW, but="root 2") == {7: {"analyzer": 4}}


def test_a_site_without_runs_has_released_nothing(tmp_path: Path) -> None:
    assert released_lately(tmp_path, (7,), NOW) == {7: {}}


def test_while_a_run_is_open_nothing_is_known(tmp_path: Path) -> None:
    assert released_lately(_written(tmp_path, _begun(1)), (7,), NOW) == {7: None}


def test_a_register_that_was_changed_says_nothing(tmp_path: Path) -> None:
    path = _written(tmp_path, _closed(1, 3, analyzer=4), _closed(2, 3)) / REGISTER_FILE
    path.write_bytes(path.read_bytes().replace(b'"analyzer":4', b'"analyzer":3'))
    assert released_lately(tmp_path, (7,), NOW) == {7: None}


def test_a_restore_under_way_hides_nothing(tmp_path: Path) -> None:
    """It gives licenses back: what was released is known all the same."""
    restore = PlannedRestore(run=2, run_id="2", root="root 2", of_root="root 1", folder="2", licenses=1, at=_at(1))
    state = _written(tmp_path, _planned(1), _begun(1), _closed(1, 3, analyzer=4), restore, _begun(2))
    assert released_lately(state, [7], NOW) == {7: {"analyzer": 4}}
