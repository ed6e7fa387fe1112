"""Decoding a snapshot piece by piece: what it gives is what the whole gives, or nothing."""

import hashlib
import io
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwarden.engine.common.json_errors import UNREADABLE
from seatwarden.engine.snapshot import packed, pieces
from seatwarden.engine.snapshot.doubled import MOST_CHECKED
from seatwarden.engine.snapshot.model import License, Snapshot, SnapshotFile, UserReference, kinds_of_rows
from seatwarden.engine.snapshot.packed import Unpacking, compress
from seatwarden.engine.snapshot.pieces import MOST_AHEAD, decode_in_pieces
from seatwarden.engine.snapshot.reader import decode_snapshot, load_snapshot
from seatwarden.policy.errors import InputError
from tests.engine.support import license_row, site_of, user
from tests.strategies import sites

NAMES = ("Ann", "[", "]", "},{", "]}", '"users":[', ',"analyzer":[', "a\\", "Å]},{[", "[[[]")
KINDS = kinds_of_rows(attributes=True)


class Slow(io.BytesIO):
    """A source that gives a few bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 0, self.most))


def written(site: dict[str, Any]) -> bytes:
    """A snapshot as `seatwarden snapshot` writes it."""
    return msgspec.json.encode({"takenAt": "2026-11-21T02:00:00Z", "source": "https://qlik.example", **site})


def in_pieces(data: bytes, most: int) -> SnapshotFile | None:
    return decode_in_pieces(Slow(data, most), KINDS, least=0)


def whole(data: bytes) -> SnapshotFile | None:
    try:
        return msgspec.json.decode(data, type=SnapshotFile)
    except UNREADABLE:
        return None


def told(file: SnapshotFile | Snapshot | None) -> object:
    """What a snapshot says: of the user of a license nothing but the id, where that user's own row says it."""
    if file is None:
        return None
    found: dict[str, Any] = {"users": file.users, "taken_at": file.taken_at, "source": file.source}
    known = {user.id for user in file.users}
    of_type = file.licenses if isinstance(file, Snapshot) else msgspec.structs.asdict(file.licenses)
    for name, rows in of_type.items():
        found[name] = [
            (License(**{**msgspec.structs.asdict(row), "user": None}), holder(row, known)) for row in rows or ()
        ]
    return found


def holder(row: License, known: Set[str]) -> object:
    if not isinstance(row.user, UserReference):
        return row.user
    return row.user.id if row.user.id in known else msgspec.structs.asdict(row.user)


def strange(names: list[str]) -> dict[str, Any]:
    """A site whose people are called like parts of JSON."""
    users = [
        user(n, name=name, tags=[{"id": "t", "name": name}, {"id": "s", "name": "[]"}], roles=[name])
        for n, name in enumerate(names)
    ]
    half = len(names) // 2
    rows = [license_row(n) for n in range(len(names))]
    return site_of(users, rows[:half], rows[half:])


@given(sites(nasty=False), st.integers(1, 400))
def test_it_is_what_the_whole_is(site: dict[str, Any], most: int) -> None:
    data = written(site)
    found = in_pieces(data, most)
    assert found is not None
    assert told(found) == told(whole(data))


@given(st.lists(st.sampled_from(NAMES), max_size=12), st.integers(1, 900))
@example(["Ann"] * 12, 900)
def test_texts_that_look_like_json_change_nothing(names: list[str], most: int) -> None:
    data = written(strange(names))
    found = in_pieces(data, most)
    assert found is None or told(found) == told(whole(data))
    if not any(set(name) & set("[]{}") for name in names):
        assert found is not None


@given(sites(nasty=False), st.integers(1, 400), st.randoms(use_true_random=False))
def test_whatever_is_cut_or_changed_is_as_the_whole_has_it_or_left_to_it(site: Any, most: int, random: Any) -> None:
    data = bytearray(written(site))
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(data))
        match random.randrange(3):
            case 0:
                del data[at:]
                data += b" " * (not data)
            case 1:
                data[at] = random.choice(b'[]{},:"x0 ')
            case _:
                to = min(len(data), at + random.randint(1, 60))
                data[at:at] = data[at:to]
    found = in_pieces(bytes(data), most)
    assert found is None or told(found) == told(whole(bytes(data)))


def test_what_a_license_repeats_of_its_user_is_read_where_nobody_else_says_it() -> None:
    known, unlisted = license_row(1), license_row(7, user={"id": "u7", "userId": "gone", "userDirectory": "CORP"})
    for rows, names in (([known], ["u1", None]), ([known, unlisted], ["u7", "gone"])):
        found = in_pieces(written(site_of([user(1)], rows)), 400)
        assert found is not None
        (*_, last) = [row.user for row in found.licenses.analyzer or ()]
        assert isinstance(last, UserReference)
        assert [last.id, last.user_id] == names


ROW = msgspec.json.encode(user(1))
BEGINS = b'{"takenAt":"x","source":"y",'
OTHER_ROW = msgspec.json.encode(user(2))


@pytest.mark.parametrize(
    "data",
    [
        b'{"source":"y","takenAt":"x","users":[],"licenses":{"analyzer":[]}}',
        BEGINS + b'"users":[],"licenses":{}}',
        BEGINS + b'"users":[]}',
        BEGINS + b'"licenses":{"analyzer":[]}}',
        BEGINS + b'"users":[%b],"licenses":{"analyzer":[]},"users":[]}' % ROW,
        BEGINS + b'"users":[%b],"licenses":{"analyzer":[]},"users":null}' % ROW,
        BEGINS + b'"users":[%b],"licenses":{"analyzer":[]},"u\\u0073ers":[]}' % ROW,
        BEGINS + b'"x":{"users":[%b]},"users" : [],"licenses":{"analyzer":[]}}' % ROW,
        BEGINS + b'"x":[{"users":[%b]}],"users" : [],"licenses":{"analyzer":[]}}' % ROW,
        BEGINS + b'"users":[],"licenses":{"professional" : []},"x":{"professional":[{"id":"l"}]}}',
        BEGINS + b'"users":[],"licenses":{"analyzer":[]},"licenses":{"professional":[{"id":"l"}]}}',
        BEGINS + b'"users":[],"licenses":{"professional":{"analyzer":[]}}}',
        BEGINS + b'"users":[],"licenses":{"analyzer":[]},"analyzer":{"analyzer":[{"id":"l"}]}}',
        BEGINS + b'"users":[],"licenses":{"analyzer" : []},"analyzer":{"analyzer":[{"id":"l"}]}}',
        BEGINS + b'"users":[],"licenses":{"analyzer":[]},"professional":{"professional":[{"id":"l"}]}}',
        BEGINS + b'"users":{"users":[]},"licenses":{"analyzer":[]}}',
        BEGINS + b'"users":[%b],"licenses":{"analyzer":[]}} ]' % ROW,
        BEGINS + b'"users":[%b}' % ROW,
        BEGINS + b'"users":[%b %b],"licenses":{"analyzer":[]}}' % (ROW, OTHER_ROW),
        BEGINS + b'"users":[%b,],"licenses":{"analyzer":[]}}' % ROW,
        BEGINS + b'"users":[{"id":1}],"licenses":{"analyzer":[]}}',
    ],
)
@pytest.mark.parametrize("most", [5, 100, 10_000])
def test_what_seatwarden_does_not_write_is_left_to_who_reads_the_whole(data: bytes, most: int) -> None:
    assert in_pieces(data, most) is None


def test_lists_that_come_again_and_again_cost_no_more_than_the_first() -> None:
    data = BEGINS + b'"users":[],"licenses":{' + b'"analyzer":[],' * 200_000 + b'"professional":[]}}'
    source = Slow(data, 10_000)
    assert decode_in_pieces(source, KINDS, least=0) is None
    assert source.tell() == 10_000


@pytest.mark.parametrize("groups", [100, 1_000, 20_000])
def test_rows_of_users_in_very_many_groups(groups: int) -> None:
    attributes = [{"attributeType": "group", "attributeValue": f"group {n}"} for n in range(groups)]
    count = 2 * MOST_AHEAD // (groups * 60)
    users = [user(n, attributes=attributes) for n in range(count)]
    data = written(site_of(users, [license_row(n) for n in range(count)]))
    found = decode_in_pieces(io.BytesIO(data), KINDS)
    assert found is not None
    assert [one.id for one in found.users] == [f"u{n}" for n in range(count)]


def test_strange_names_beside_a_long_row_take_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long row makes it look further; the fewest brackets are open at the first of many rows then."""
    looked_at = []
    last_row_end = pieces._last_row_end

    def counting(data: bytearray, start: int, end: int) -> int | None:
        looked_at.append(end - start)
        return last_row_end(data, start, end)

    monkeypatch.setattr(pieces, "_last_row_end", counting)
    attributes = [{"attributeType": "group", "attributeValue": f"group {n}"} for n in range(30_000)]
    users = [user(n, name="[x", attributes=[] if n else attributes) for n in range(12_000)]
    data = written(site_of(users, [license_row(1)]))
    found = decode_in_pieces(io.BytesIO(data), KINDS)
    assert found is None or told(found) == told(whole(data))
    assert sum(looked_at) < 10 * len(data)


def test_a_row_without_end_is_not_read_for_ever() -> None:
    class Endless:
        given = 0

        def read(self, size: int, /) -> bytes:
            self.given += size
            return (BEGINS + b'"users":[{"id":"' if self.given == size else b"").ljust(size, b"a")

    source = Endless()
    assert decode_in_pieces(source, KINDS, least=0) is None
    assert source.given < 2 * MOST_AHEAD


# Files ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> bytes:
    """A snapshot that is large enough."""
    rows = [user(n, name=f"Ann {n} [x", tags=[{"id": "t", "name": "VIP"}] * (n % 3)) for n in range(12_000)]
    licenses = [license_row(n) for n in range(12_000)]
    data = written(site_of(rows, licenses[:9_000], licenses[9_000:]))
    assert len(data) > MOST_CHECKED
    return data


@contextmanager
def never_whole(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails whoever reads a snapshot as a whole."""

    def refuse(path: Path) -> bytes:
        raise AssertionError(f"{path} is read as a whole")

    with monkeypatch.context() as patched:
        patched.setattr("seatwarden.engine.snapshot.reader.snapshot_data", refuse)
        yield


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("attributes", [False, True])
def test_a_large_file_is_read_in_pieces(
    large: bytes, is_packed: bool, attributes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = compress(large) if is_packed else large
    file = tmp_path / "site.json"
    file.write_bytes(data)
    with never_whole(monkeypatch):
        found = load_snapshot(file, attributes=attributes)
    wanted = decode_snapshot(data, "it", attributes=attributes)
    assert told(found) == told(wanted)
    assert not found.remarks
    assert found.digest == wanted.digest == hashlib.sha256(data).hexdigest()
    assert not found.data
    assert load_snapshot(file, keep=True).data == data


def test_a_large_file_that_is_damaged_is_complained_of_as_ever(large: bytes, tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    for data in (large[:-5], large[:4_000_000], large.replace(b'"userDirectory"', b'"userDir"')[:-5]):
        for form in (data, compress(data), compress(large)[:-100], compress(large) + b"more"):
            file.write_bytes(form)
            with pytest.raises(InputError) as by_path:
                load_snapshot(file)
            with pytest.raises(InputError) as by_data:
                decode_snapshot(form, f"snapshot `{file}`")
            assert by_path.value.message == by_data.value.message


def test_no_thread_waits_for_more_of_what_is_given_up(large: bytes, tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    file.write_bytes(large[:-5])
    before = set(threading.enumerate())
    with pytest.raises(InputError):
        load_snapshot(file)
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive()


def test_one_bad_fact_of_a_large_file_costs_that_fact(large: bytes, tmp_path: Path) -> None:
    file = tmp_path / "site.json"
    file.write_bytes(large.replace(b'"Ann 77 [x"', b"77"))
    found = load_snapshot(file)
    assert found.users[77].name is msgspec.UNSET
    assert len(found.users) == 12_000


def test_a_bomb_is_not_unpacked_to_its_end(monkeypatch: pytest.MonkeyPatch, large: bytes) -> None:
    monkeypatch.setattr(packed, "MAX_SNAPSHOT_BYTES", 3_000_000)
    bomb = Unpacking(io.BytesIO(compress(large)), 1_000)
    assert len(bomb.read(1_000_000)) == 1_000_000
    with pytest.raises(EOFError):
        bomb.read(3_000_000)
    assert decode_in_pieces(Unpacking(io.BytesIO(compress(large)), 1_000), KINDS) is None
