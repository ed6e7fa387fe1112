"""examples/check_record.py on the register of holds: it finds each edit, and says the same as `log verify`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seatwarden.engine.notice.verify import verify_all
from tests.docs.edits import Line, change, checker, erase, read, relink
from tests.docs.records import make_record


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    return make_record(folder).rename(folder / "moved")


@pytest.fixture
def record(made: Path, tmp_path: Path) -> Path:
    """A state folder of the test's own."""
    return Path(shutil.copytree(made, tmp_path / "state"))


def findings(place: Path) -> list[str]:
    found: list[str] = checker.check(place)[0]
    return found


def agree(record: Path) -> bool:
    """Whether something is found, by the checker and by us."""
    ours = verify_all(record, lambda folder: []).faults
    found = findings(record)
    assert bool(found) == bool(ours), (found, ours)
    return bool(found)


def test_it_is_right(record: Path) -> None:
    assert [line["kind"] for line in read(record / "holds.jsonl")] == [
        *("holds", "hold", "hold"),
        *("ended", "ended", "hold"),
    ]
    assert not agree(record)


def test_a_line_removed_added_or_swapped(record: Path) -> None:
    path = record / "holds.jsonl"
    rows = path.read_bytes().splitlines(keepends=True)
    for n in range(len(rows)):
        removed, doubled = rows[:n] + rows[n + 1 :], rows[: n + 1] + rows[n:]
        swapped = rows[:n] + rows[n : n + 2][::-1] + rows[n + 2 :]
        for edited in (removed, doubled, swapped if n < len(rows) - 1 else doubled):
            path.write_bytes(b"".join(edited))
            assert agree(record), n


def test_a_byte_flipped(record: Path) -> None:
    path = record / "holds.jsonl"
    data = path.read_bytes()
    for at in range(0, len(data), 37):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert agree(record), at


def test_cut_or_gone(record: Path) -> None:
    """The newest line of the register of runs on it knows how far it had come."""
    path = record / "holds.jsonl"
    rows = path.read_bytes().splitlines(keepends=True)
    for size in range(len(rows)):
        path.write_bytes(b"".join(rows[:size]))
        assert agree(record), size
    path.unlink()
    assert agree(record)


def test_relinked_whole(record: Path) -> None:
    path = record / "holds.jsonl"
    lines = read(path)
    for n in range(1, len(lines)):
        relink(path, [*lines[: n - 1], {**lines[n - 1], "at": "2020-01-01T00:00:00.000Z"}, *lines[n:]])
        assert agree(record), n


def test_a_plan_has_seen_more(record: Path) -> None:
    """Whoever takes the lines on it out of the register of runs, too, is found by the plans."""
    (record / "holds.jsonl").unlink()
    change(record / "runs.jsonl", lambda lines: lines.__setitem__(slice(None), _without_heads(lines)))
    assert any("missing" in one or "another line" in one for one in findings(record))
    assert agree(record)


def _without_heads(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line["kind"] != "heads"]


def test_a_stub_that_nobody_has_made(record: Path) -> None:
    erase(record / "holds.jsonl", 2)
    assert findings(record) == [f"{record / 'holds.jsonl'}:2: was erased, and no register says so"]
    assert agree(record)


@pytest.mark.parametrize(
    "forge",
    [
        lambda line: {**line, "until": "2099-01-01"},
        lambda line: {**line, "until": "2020-01-01"},
        lambda line: {**line, "until": "soon"},
        lambda line: {**line, "kind": "holds"},
        lambda line: {name: value for name, value in line.items() if name != "day"},
    ],
)
def test_a_line_that_no_seatwarden_writes(record: Path, forge: Callable[[Line], Line]) -> None:
    """Behind all that anybody knows of."""
    path = record / "holds.jsonl"
    lines = read(path)
    relink(path, [*lines, lines[1]])
    assert not agree(record)
    relink(path, [*lines, forge(lines[1])])
    assert agree(record)
