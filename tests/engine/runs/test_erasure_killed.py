"""Killed while somebody is forgotten, or runs are pruned: after the next command everything is whole again."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.log.register import read_register
from seatwarden.engine.log.verify import verify_record
from seatwarden.engine.metrics.spool import Spool
from seatwarden.engine.report.write import write_report
from seatwarden.engine.runs.traces import find_traces
from tests.engine.runs.recorded import NO_PAGES, RecordedSite, copied, with_kept_snapshot
from tests.engine.runs.test_erasure import GONE, named


class Killed(BaseException):
    """The process is gone."""


_CALLS = ("replace", "rename", "unlink", "rmdir", "write", "fsync", "ftruncate")
"""Everything that changes a disk."""


@contextmanager
def killed_before(call: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A context in which the process dies before so many changes of the disk; a dead process changes nothing more."""
    done: list[str] = []

    def dying(name: str, whole: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            if len(done) >= call:
                raise Killed
            done.append(name)
            return whole(*arguments, **options)

        return run

    with monkeypatch.context() as patch:
        for name in _CALLS:
            patch.setattr(os, name, dying(name, getattr(os, name)))
        yield done


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> RecordedSite:
    """Two runs with kept snapshots, a page, points that wait, and a word in the register."""
    site = RecordedSite(tmp_path_factory.mktemp("before") / "site")
    site.folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        with_kept_snapshot(patch, site)
        site.fail = "l-03"
        site.run()
        site.run(dry_run=True)
    site.hold_for_a_while(f"CORP\\{GONE}", "on leave")
    site.tell(f"CORP\\{GONE}", "l-03", site.now.date(), cancelled="by admin: the mail bounced")
    site.tell("CORP\\user04", "l-04", site.now.date())
    with site.record() as record:
        record.attempt("nothing for CORP\\user03", failed=True)
    write_report(site.runs[0], site.runs[0] / "report.html")
    line = r"qlik_sense_license_release,user=CORP\user0%d days_since_last_use=90 1795939604490"
    Spool(site.state / "influxdb-spool").add([line % 3, line % 1])
    return site


_EVERY = 80
"""More than there are changes of the disk in one erasure; a test holds it."""


@pytest.mark.parametrize("part", [0, *(pytest.param(part, marks=pytest.mark.long) for part in (1, 2, 3))])
def test_forgetting_is_killed_before_every_change_of_the_disk(
    before: RecordedSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """After the next command the person is wholly there, or wholly gone."""
    ends = set()
    for call in range(part, _EVERY, 4):
        site = copied(before, tmp_path / f"{call}")
        died = False
        with killed_before(call, monkeypatch) as done:
            try:
                site.forget(GONE)
            except Killed:
                died = True
        assert died or len(done) < _EVERY - 4
        _check_roots(site, before)
        with site.record():  # what any next command opens first
            pass
        assert site.verified().faults == []
        left = named(site.state)
        assert left in ([], named(before.state)), f"half erased when killed before change {call}: {left}"
        ends.add(bool(left))
        site.forget(GONE) if left else None
        assert named(site.state) == []
        shutil.rmtree(tmp_path / f"{call}")
        if not died:
            break
    assert ends == {True, False}


def _check_roots(site: RecordedSite, before: RecordedSite) -> None:
    """At every moment all chains verify, with their roots."""
    for folder, earlier in zip(site.runs, before.runs, strict=True):
        run, was = verify_record(folder, NO_PAGES).runs[0], verify_record(earlier, NO_PAGES).runs[0]
        assert run.plan is not None
        assert was.plan is not None
        assert run.plan.root == was.plan.root
        assert not any(fault.path.suffix == ".jsonl" for fault in run.faults)


@pytest.mark.long
def test_pruning_is_killed_before_every_change_of_the_disk(
    before: RecordedSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run is there as a whole, or nowhere where runs are looked for; and the next command deletes what is left."""
    keep = timedelta(days=31)
    aged = copied(before, tmp_path / "aged")
    aged.now += timedelta(days=100)
    aged.run(dry_run=True)
    ends = set()
    for call in range(_EVERY):
        site = copied(aged, tmp_path / f"{call}")
        died = False
        with killed_before(call, monkeypatch):
            try:
                with site.record() as record:
                    record.prune(record.old_runs(keep), keep)
            except Killed:
                died = True
        found = verify_record(site.state, NO_PAGES)
        assert not any(run.faults for run in found.runs), "what is there is whole"
        assert all("begun and not finished" in fault.problem for fault in found.others)
        begun = bool(found.others)
        with site.record():
            pass
        assert site.verified().faults == []
        left = len(list((site.state / "runs").iterdir()))
        assert left in (1, 3)
        assert not begun or left == 1
        ends.add(left)
        shutil.rmtree(tmp_path / f"{call}")
        if not died:
            break
    assert ends == {1, 3}
    assert not died


def test_a_dry_look_finishes_nothing(before: RecordedSite, tmp_path: Path) -> None:
    site = copied(before, tmp_path / "site")
    register = (site.state / "runs.jsonl").read_bytes()
    state = read_register(site.state / "runs.jsonl")
    assert state is not None
    assert find_traces(site.person(GONE), site.state, state).lines > 4
    assert (site.state / "runs.jsonl").read_bytes() == register
