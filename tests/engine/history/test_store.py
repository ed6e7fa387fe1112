"""Any snapshot comes back as it was, whatever was added before or after it."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwarden.engine.history.packing import unpack_changes
from seatwarden.engine.history.store import History, KeptSnapshot
from seatwarden.engine.snapshot.packed import compress
from seatwarden.engine.snapshot.reader import decode_snapshot
from seatwarden.policy.errors import InputError
from tests.engine.history.sites import START, at, license_row, snapshot_of, user_row

PEOPLE = ["ada", "bo", "cleo", "100%", 'q"uote', "é"]


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    who = draw(st.lists(st.sampled_from(PEOPLE), max_size=5))  # somebody may be there twice
    tags = [[], [{"name": "vip"}], [{"name": "%b"}]]
    users = [user_row(name, tags=draw(st.sampled_from(tags)), modifiedDate=at(draw(_DAYS))) for name in who]
    licenses = [license_row(name, at(draw(_DAYS)), quarantined=draw(st.booleans())) for name in reversed(who)]
    if draw(st.booleans()):
        licenses.append({"lastUsed": at(3)})  # no id
    return users, licenses


_DAYS = st.sampled_from([-3, -2.5, 0, 1])


@st.composite
def snapshots(draw: st.DrawFn) -> list[bytes]:
    days = draw(st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=14))
    found = []
    for day in days:
        users, licenses = draw(rows())
        data = snapshot_of(day, users, licenses, accessTypeOverview={"analyzerAccess": {"total": day}})
        kind = draw(st.sampled_from(["plain", "compact", "pretty", "odd"]))
        if kind != "plain":
            layout: dict[str, Any] = {"indent": 2} if kind == "pretty" else {"separators": (",", ":")}
            data = json.dumps(json.loads(data), ensure_ascii=False, **layout).encode()
        if kind == "odd" and data.count(b'},{"id"') > 1:
            data = data.replace(b'},{"id"', b'} ,\n{"id"', 1)  # rows that stand in no regular way
        found.append(data)
    return found


def _added(path: Path, data: Sequence[bytes]) -> list[KeptSnapshot | None]:
    with History(path, write=True) as history:
        return [history.add(one, "it") for one in data]


@settings(max_examples=40)
@given(snapshots())
def test_every_snapshot_comes_back_in_whatever_order_they_came(tmp_path_factory: Any, data: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("history") / "history.sqlite"
    _added(path, data)
    with History(path) as history:
        moments = history.moments()
        brought = {moment.digest: history.snapshot_json(moment) for moment in moments}
        taken = [moment.at for moment in moments]
    assert taken == sorted(taken)
    assert brought == {hashlib.sha256(one).hexdigest(): one for one in data}


@settings(max_examples=40)
@given(snapshots(), st.lists(st.integers(0, 41), min_size=1, max_size=3))
def test_what_is_left_by_pruning_comes_back(tmp_path_factory: Any, data: list[bytes], days: list[int]) -> None:
    path = tmp_path_factory.mktemp("history") / "history.sqlite"
    _added(path, data)
    gone = 0
    for limit in [START + timedelta(days=day) for day in sorted(days)]:
        with History(path, write=True) as history:
            gone += history.prune(limit)
            left = [history.snapshot_json(moment) for moment in history.moments()]
            assert all(moment.at >= limit for moment in history.moments())
        assert set(left) <= set(data)
        assert len(left) + gone == len(data)


@pytest.mark.parametrize("absent", [1, 2, 3])
def test_who_was_away_for_nights_and_came_back_as_before_is_there_after_pruning(tmp_path: Path, absent: int) -> None:
    """The nights between say nothing of what had changed before, and are the first to stay."""
    path = tmp_path / "history.sqlite"
    nobody = [snapshot_of(day, [], []) for day in range(2, 2 + absent)]
    later = [_site(day, ["ada"] if day == 1 else []) for day in (0, 1)] + nobody
    back = json.loads(_site(1, ["ada"])) | {"takenAt": at(2 + absent)}
    later.append(json.dumps(back).encode())
    _added(path, later)
    for limit in range(1, 3 + absent):
        with History(path, write=True) as history:
            history.prune(START + timedelta(days=limit))
            assert [history.snapshot_json(moment) for moment in history.moments()] == later[limit:]


def test_what_nobody_has_any_more_is_in_no_change_either(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    renamed = _site(1).replace(b'"name": "Ada"', b'"name": "Ada Lovelace"')
    assert renamed != _site(1)
    _added(path, [_site(0), renamed, snapshot_of(2, [], [])])
    with History(path, write=True) as history:
        history.prune(START + timedelta(days=2))
        (changes,) = history.connection.execute("SELECT changes FROM snapshots").fetchone()
        assert (unpack_changes(changes).numbers(), [row for row in history.first_rows().first if row]) == (set(), [])


def test_only_what_is_odd_is_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    _added(path, [_site(1), json.dumps(json.loads(_site(2)), indent=2).encode(), _site(3).replace(b"}, {", b"} ,{", 1)])
    with History(path) as history:
        whole = history.connection.execute("SELECT whole NOT NULL FROM snapshots ORDER BY at").fetchall()
    assert whole == [(0,), (0,), (1,)]


def _site(day: int, used: Sequence[str] = ()) -> bytes:
    names = ["ada", "bo", "cleo"]
    return snapshot_of(day, [user_row(n) for n in names], [license_row(n, at(day if n in used else -9)) for n in names])


def test_what_is_there_already_is_added_once(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    added = _added(path, [_site(1), compress(_site(1))])
    assert added[0] is not None
    assert added[1] is None
    with pytest.raises(InputError, match="another snapshot of 2026-01-06"):
        _added(path, [_site(1, ["ada"])])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"users": [], "licenses": {}}', "does not say when it was taken"),
        (b"[]", "it is not a snapshot"),
        (b'{"users": {}, "licenses": {}}', "it is not a snapshot"),
        (
            snapshot_of(1, [], []).replace(b'"analyzer": []', b'"analyzer": [null]'),
            r"^it: licenses\.analyzer\[0\] is not an object: expected an object, found `null`$",
        ),
        (snapshot_of(1, [], []).replace(b'"users": []', b'"users": [{}, 7]'), r"it: users\[1\] is not an object"),
        (snapshot_of(1, [], [], license={"key": "1"}), "it has `license.key`"),
        (snapshot_of(2, [], []).replace(b"qlik.", b"other."), "is of another site: https://other.example.com"),
    ],
)
def test_what_cannot_be_added_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "history.sqlite"
    _added(path, [_site(1)])
    with History(path, write=True) as history, pytest.raises(InputError, match=message):
        history.add(data, "it")
    with History(path) as history:
        assert len(history.moments()) == 1


def test_another_name_of_the_site_is_taken_when_asked(tmp_path: Path) -> None:
    with History(tmp_path / "history.sqlite", write=True) as history:
        history.add(_site(1), "it")
        assert history.add(snapshot_of(2, [], []).replace(b"qlik.", b"other."), "it", other_source=True)


def test_killed_at_any_statement_it_is_as_before_or_whole(tmp_path: Path) -> None:
    """The files as they lie on the disk before each statement are what a killed process leaves."""
    path = tmp_path / "history.sqlite"
    before, after = [_site(1), _site(2, ["ada"])], _site(3, ["bo"])
    _added(path, before)
    left: list[Path] = []

    def kill(statement: str) -> None:
        place = tmp_path / f"kill-{len(left)}"
        place.mkdir()
        for file in tmp_path.glob("history.sqlite*"):
            shutil.copy(file, place)
        left.append(place)

    with History(path, write=True) as history:
        history.connection.set_trace_callback(kill)
        history.add(after, "it")
        kill("the end")
        history.connection.set_trace_callback(None)
    assert len(left) > 5
    found = []
    for place in left:
        with History(place / "history.sqlite", write=True) as history:
            found.append([history.snapshot_json(moment) for moment in history.moments()])
            assert history.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert {len(one) for one in found} == {2, 3}
    assert all(one in (before, [*before, after]) for one in found)


def test_two_writers_wait_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda start: _added(path, [_site(day) for day in range(start, 24, 3)]), range(3)))
    with History(path) as history:
        assert [history.snapshot_json(moment) for moment in history.moments()] == [_site(day) for day in range(24)]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    path.write_bytes(b"SQLite format 3\x00" + b"\x01" * 5000)
    with pytest.raises(InputError, match=r"history\.sqlite` (is damaged|cannot be used)"), History(path):
        pass
    path.write_text("no history")
    with pytest.raises(InputError, match=r"history\.sqlite` is damaged"), History(path):
        pass


def test_a_row_that_was_changed_by_hand_is_found(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    _added(path, [_site(1), _site(2, ["ada"])])
    with History(path, write=True) as history:
        history.connection.execute("UPDATE snapshots SET changes = (SELECT changes FROM snapshots WHERE number = 1)")
        first, second = history.moments()
        assert history.snapshot_json(first) == _site(1)
        with pytest.raises(InputError, match="is damaged: the snapshot of 2026-01-07"):
            history.snapshot_json(second)
        history.connection.execute("UPDATE packs SET rows = x'00'")
        with pytest.raises(InputError, match="is damaged: what is packed"):
            history.snapshot_json(second)


def test_another_database_is_no_history(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t(a)")
    other.close()
    for write in (False, True):
        with pytest.raises(InputError, match="is no history"):
            History(path, write=write)
    with pytest.raises(InputError, match="there is no history"):
        History(tmp_path / "none.sqlite")


def test_the_moment_before_is_found(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    _added(path, [_site(1), _site(5)])
    with History(path) as history:
        moment = history.moment_at(START + timedelta(days=4))
        assert moment.taken_at == at(1)
        assert moment.counts == {"users": 3, "professional": 0, "analyzer": 3}
        assert len(decode_snapshot(history.snapshot_json(moment), "it").users) == 3
        with pytest.raises(InputError, match="no snapshot of 2026-01-05"):
            history.moment_at(START)


@pytest.mark.parametrize(
    "data",
    [
        b'{"takenAt":5,"users":[],"licenses":{"analyzer":[]}}',
        b'{"takenAt":"2026-11-21T02:00:00.000Z","source":5,"license":7,"users":[],"licenses":{"analyzer":[]}}',
        b'{"takenAt":"2026-11-21T02:00:00.000Z","users":[{"name":"\\ud800"}],"licenses":{"analyzer":[]}}',
        b'{"takenAt":"2026-11-21T02:00:00.000Z","users":[{"name":"x',
        b'{"takenAt":' + b"[" * 100_000,
        b"[]",
        b"7",
    ],
    ids=["number", "wrong license", "half a character", "cut", "deep", "list", "no object"],
)
def test_what_is_no_snapshot_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    with History(tmp_path / "history.sqlite", write=True) as history, pytest.raises(InputError):
        history.add(data, "it")
