"""What a run saw is kept in the history; whatever is the matter with that, the run ends as it would have."""

import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from seatwarden.engine.common.rights import open_for_us
from seatwarden.engine.history.store import History
from seatwarden.engine.snapshot.model import Snapshot
from tests.engine.runs.recorded import RecordedSite
from tests.engine.runs.test_erasure import GONE, named
from tests.strategies import as_json


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordedSite:
    """A site that gives a snapshot with its bytes, as QRS's client does."""
    made = RecordedSite(tmp_path)
    whole = made.snapshot

    def snapshot(now: object) -> Snapshot:
        taken = whole(made.now)
        at_ = made.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        taken.data = as_json({"takenAt": at_, **made.content})
        return taken

    monkeypatch.setattr(made, "snapshot", snapshot)
    return made


def _kept(site: RecordedSite) -> list[bytes]:
    with History(site.state / "history.sqlite") as history:
        return [history.snapshot_json(moment) for moment in history.moments()]


def test_every_run_keeps_what_it_saw_and_notes_what_it_released(site: RecordedSite) -> None:
    before = as_json(msgspec.json.decode(as_json(site.content)))
    site.run(dry_run=True)
    site.fail = "l-03"
    report = site.run()
    kept = _kept(site)
    assert len(kept) == 2
    assert all(before[1:-1] in one for one in kept)
    with History(site.state / "history.sqlite") as history:
        released = {license_ for _, license_, _ in history.releases()}
    outcomes = [outcome for applied in report.applied for outcome in applied.outcomes]
    done = {outcome.key[1] for outcome in outcomes if outcome.result == "released"}
    assert released == done
    assert done


@pytest.mark.parametrize("ours", ["history: {keep: false}", "pseudonyms: site.key"])
def test_nothing_is_kept_where_nothing_is_to_be(site: RecordedSite, ours: str) -> None:
    with open(open_for_us(site.folder / "site.key", os.O_WRONLY | os.O_CREAT), "w", encoding="ascii") as key:
        key.write("0123456789abcdef0123456789abcdef")
    site.ours = ours
    site.run(dry_run=True)
    assert not (site.state / "history.sqlite").exists()


def test_a_damaged_history_stops_no_run_and_is_said(site: RecordedSite) -> None:
    site.state.mkdir()
    (site.state / "history.sqlite").write_text("no history")
    assert site.run().outcome == "done"
    assert any("not kept in the history" in said and "is damaged" in said for said in site.said)
    assert any("not noted in the history" in said for said in site.said)


def test_what_was_kept_long_enough_goes_once_a_week(site: RecordedSite) -> None:
    site.ours = "history: {keepDays: 31}"
    counts = []
    for _ in range(5):
        site.run(dry_run=True)
        counts.append(len(_kept(site)))
        site.now += timedelta(days=17)
    assert counts == [1, 2, 3, 2, 3]


def test_a_person_is_forgotten_in_the_history_too(site: RecordedSite) -> None:
    site.run(dry_run=True)
    site.run(dry_run=True)
    assert any(b'"user03"' in one for one in _kept(site))
    site.forget(GONE)
    assert not any(b"user03" in one for one in _kept(site))
    assert all(b"user01" in one for one in _kept(site))
    assert named(site.state) == []
    line = (site.state / "runs.jsonl").read_bytes().splitlines()[-1]
    assert b'"history.sqlite":[]' in line


def _forget_killed(site: RecordedSite, monkeypatch: pytest.MonkeyPatch, before: str) -> None:
    """Forgets somebody in a process that ends before it calls that."""

    def killed(*of: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(before, killed)
        with pytest.raises(MemoryError):
            site.forget(GONE)


def test_forgetting_is_finished_after_a_kill(site: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site.run(dry_run=True)
    _forget_killed(site, monkeypatch, "seatwarden.engine.runs.erasure._Erasing.erase")
    assert any(b"user03" in one for one in _kept(site))
    with site.record():
        pass
    assert not any(b"user03" in one for one in _kept(site))


def test_what_was_marked_and_never_begun_is_taken_back(site: RecordedSite, monkeypatch: pytest.MonkeyPatch) -> None:
    site.run(dry_run=True)
    _forget_killed(site, monkeypatch, "seatwarden.engine.log.register.Register.add")
    with site.record():
        pass
    with History(site.state / "history.sqlite") as history:
        assert history.connection.execute("SELECT count(*) FROM to_erase").fetchone() == (0,)
    assert any(b"user03" in one for one in _kept(site))
