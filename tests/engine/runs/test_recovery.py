"""What earlier runs have left: which runs are looked at, whether they are carried on with, what was not published."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import RemoteError
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.runs.recovery import unfinished_runs, unpublished, why_withdrawn
from seatwarden.policy.errors import InputError
from tests.engine.apply.applying import MemoryQrs, Prepared, idle, prepare
from tests.engine.support import SEED
from tests.strategies import NOW

KEY = Pseudonyms(b"k" * 32)


def _run(runs: Path, planned: datetime = NOW, licenses: int = 2) -> Prepared:
    """A run under the name that its plan has."""
    draft = prepare(runs.parent / "draft" / f"{planned:%H%M%S}", idle(licenses), planned=planned)
    runs.mkdir(exist_ok=True)
    folder = runs / draft.plan.header.run_id
    draft.folder.rename(folder)
    return replace(draft, folder=folder)


def _state(run: Prepared) -> Path:
    """The state folder of the site."""
    return run.folder.parent.parent


def _mark(run: Prepared) -> Path:
    return _state(run) / "published" / run.folder.name


def _published(prepared: Prepared) -> None:
    unpublished(prepared.plan, prepared.path, _state(prepared)).mark_published()


# Which runs ----------------------------------------------------------------------------------------------


def _not_begun(run: Prepared) -> None:
    """There is a plan, and that is all."""


def _first_line_torn(run: Prepared) -> None:
    run.path.write_bytes(b'{"n":1,')


def _nothing_done(run: Prepared) -> None:
    stop = threading.Event()
    stop.set()
    run.apply(MemoryQrs(idle(2)), stop=stop)


def _half_done(run: Prepared) -> None:
    stop = threading.Event()
    run.apply(MemoryQrs(idle(2), lambda license_id: stop.set()), stop=stop)
    _published(run)


def _in_the_middle(run: Prepared) -> None:
    def crash(license_id: str) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        run.apply(MemoryQrs(idle(2), crash))


def _one_unknown(run: Prepared) -> None:
    def blind(license_id: str) -> None:
        if license_id in qrs.deletes:
            raise RemoteError("answered 500")

    qrs = MemoryQrs(idle(2), lambda license_id: (500, "") if license_id == "l1" else None, blind)
    run.apply(qrs)
    _published(run)


def _one_failed(run: Prepared) -> None:
    run.apply(MemoryQrs(idle(2), lambda license_id: (409, "") if license_id == "l1" else None))
    _published(run)


def _done(run: Prepared) -> None:
    run.apply(MemoryQrs(idle(2)))
    _published(run)


def _not_published(run: Prepared) -> None:
    run.apply(MemoryQrs(idle(2)))


def _partly_published(run: Prepared) -> None:
    _half_done(run)
    run.apply(MemoryQrs(idle(2)))


def _damaged(run: Prepared) -> None:
    _done(run)
    run.path.write_bytes(run.path.read_bytes().replace(b"released", b"replaced", 1))


def _without_a_plan(run: Prepared) -> None:
    _half_done(run)
    (run.folder / "plan.jsonl").unlink()


def _sealed_too_early(run: Prepared) -> None:
    """No apply of ours does; whatever is missing, a seal is the end."""
    _nothing_done(run)
    journal = Journal.reopen(run.path, run.path.read_bytes(), SEED)
    journal.seal({}, {}, "")
    journal.close()


def _published_unreadable(run: Prepared) -> None:
    _done(run)
    _mark(run).write_bytes(b"many")


def _published_under_its_former_name(run: Prepared) -> None:
    _done(run)
    _mark(run).rename(run.folder / "told")


UNFINISHED: dict[Callable[[Prepared], None], bool] = {
    _not_begun: False,
    _first_line_torn: False,
    _nothing_done: True,
    _half_done: True,
    _in_the_middle: True,
    _one_unknown: True,
    _one_failed: False,  # the next plan decides on it anew
    _done: False,
    _not_published: True,
    _partly_published: True,
    _damaged: True,  # whoever reads it next will say so
    _without_a_plan: False,
    _sealed_too_early: False,
    _published_unreadable: True,  # better told twice than never
    _published_under_its_former_name: False,
}


@pytest.mark.parametrize("left", UNFINISHED)
def test_what_is_unfinished(tmp_path: Path, left: Callable[[Prepared], None]) -> None:
    run = _run(tmp_path / "runs")
    left(run)
    assert unfinished_runs(tmp_path, NOW) == [run.folder] * UNFINISHED[left]


def test_the_oldest_first(tmp_path: Path) -> None:
    """Whatever the order in which the disk lists them."""
    runs = tmp_path / "runs"
    planned = [NOW - timedelta(hours=hours) for hours in (5, 1, 7, 3, 9, 2)]
    folders = [_run(runs, moment) for moment in planned]
    for run in folders:
        _nothing_done(run)
    assert unfinished_runs(runs.parent, NOW) == [
        run.folder for _, run in sorted(zip(planned, folders, strict=True), key=lambda pair: pair[0])
    ]


@pytest.mark.parametrize(("days", "seen"), [(0, True), (2, True), (31, True), (32, False)])
def test_for_a_month(tmp_path: Path, days: int, seen: bool) -> None:
    run = _run(tmp_path / "runs")
    _nothing_done(run)
    assert unfinished_runs(tmp_path, NOW + timedelta(days=days)) == [run.folder] * seen


@pytest.mark.parametrize("name", ["{} copy", "copy of {}", "20261121T020000Z", "99991231T235959Z-notofours", "x"])
def test_only_what_runs_have_made(tmp_path: Path, name: str) -> None:
    run = _run(tmp_path / "runs")
    _nothing_done(run)
    run.folder.rename(run.folder.with_name(name.format(run.folder.name)))
    assert unfinished_runs(tmp_path, NOW) == []


def test_no_runs(tmp_path: Path) -> None:
    assert unfinished_runs(tmp_path, NOW) == []


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        unfinished_runs(tmp_path, NOW)


# Whether they are carried on with ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pseudonyms", "now_under", "digest", "age", "why"),
    [
        (None, None, None, timedelta(), None),
        (None, None, None, timedelta(hours=24), None),
        (None, None, None, timedelta(hours=24, seconds=1), "the plan is not of the last 24 hours"),
        (None, None, None, -timedelta(minutes=5), None),
        (None, None, None, -timedelta(minutes=5, seconds=1), "the plan is not of the last 24 hours"),
        (None, None, "another", timedelta(), "the policy has changed since the plan was made"),
        (None, KEY, None, timedelta(), "the pseudonyms have changed since the plan was made"),
        (KEY, None, None, timedelta(), "the pseudonyms have changed since the plan was made"),
        (KEY, Pseudonyms(b"j" * 32), None, timedelta(), "the pseudonyms have changed since the plan was made"),
        (KEY, KEY, None, timedelta(), None),
    ],
)
def test_why_a_plan_is_withdrawn(
    tmp_path: Path,
    pseudonyms: Pseudonyms | None,
    now_under: Pseudonyms | None,
    digest: str | None,
    age: timedelta,
    why: str | None,
) -> None:
    plan = prepare(tmp_path, idle(), pseudonyms=pseudonyms).plan
    assert why_withdrawn(plan, digest or plan.policy.digest, now_under, timedelta(hours=24), NOW + age) == why


# What was not published ----------------------------------------------------------------------------------


def test_each_outcome_is_published_once(tmp_path: Path) -> None:
    run = _run(tmp_path / "runs")
    qrs = MemoryQrs(idle(2), {"l1": (409, "in use")}.get)
    run.apply(qrs)
    first = unpublished(run.plan, run.path, _state(run))
    assert [(outcome.key[1], outcome.result) for outcome in first.outcomes] == [("l1", "failed"), ("l2", "released")]
    assert first.outcomes == tuple(run.told)
    first.mark_published()
    assert unpublished(run.plan, run.path, _state(run)).outcomes == ()
    assert unpublished(run.plan, run.path, _state(run)).upto == first.upto == 5
    qrs.on_delete = lambda license_id: None
    run.apply(qrs)
    second = unpublished(run.plan, run.path, _state(run))
    assert [(outcome.key[1], outcome.result) for outcome in second.outcomes] == [("l1", "released")]
    second.mark_published()
    assert unfinished_runs(tmp_path, NOW) == []


@pytest.mark.parametrize("data", [None, b"", b"not ours\n"])
def test_of_a_journal_that_cannot_be_read_there_are_none(tmp_path: Path, data: bytes | None) -> None:
    run = _run(tmp_path / "runs")
    if data is not None:
        run.path.write_bytes(data)
    assert unpublished(run.plan, run.path, _state(run)).outcomes == ()
