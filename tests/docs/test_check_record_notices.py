"""examples/check_record.py on the register of notices: it finds each edit, and says the same as `log verify`."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.edits import Line, erase, read, relink
from tests.docs.records import make_told_record
from tests.docs.test_check_record_holds import agree, findings

FILE = "notices.jsonl"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    return make_told_record(folder).rename(folder / "moved")


@pytest.fixture
def record(made: Path, tmp_path: Path) -> Path:
    """A state folder of the test's own."""
    return Path(shutil.copytree(made, tmp_path / "state"))


def test_it_is_right(record: Path) -> None:
    kinds = [line["kind"] for line in read(record / FILE)]
    assert kinds[:5] == ["notices", "damage-accepted", "seen", "intent", "outcome"]
    assert kinds[-1] == "ended"
    assert (record / f"{FILE}.damaged-1").exists()
    assert not agree(record)


def test_a_line_removed_added_or_swapped(record: Path) -> None:
    path = record / FILE
    rows = path.read_bytes().splitlines(keepends=True)
    for n in range(len(rows)):
        removed, doubled = rows[:n] + rows[n + 1 :], rows[: n + 1] + rows[n:]
        swapped = rows[:n] + rows[n : n + 2][::-1] + rows[n + 2 :]
        for edited in (removed, doubled, swapped if n < len(rows) - 1 else doubled):
            path.write_bytes(b"".join(edited))
            assert agree(record), n


def test_a_byte_flipped(record: Path) -> None:
    path = record / FILE
    data = path.read_bytes()
    for at in range(0, len(data), 211):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert agree(record), at


def test_cut_or_gone(record: Path) -> None:
    path = record / FILE
    rows = path.read_bytes().splitlines(keepends=True)
    for size in range(0, len(rows), 3):
        path.write_bytes(b"".join(rows[:size]))
        assert agree(record), size
    path.unlink()
    assert agree(record)


def test_the_register_of_before_is_no_fault_and_does_not_come_back(record: Path) -> None:
    """Who puts back the file that was set aside is found, though plans of before have seen it."""
    shutil.copy(record / f"{FILE}.damaged-1", record / FILE)
    assert agree(record)


def test_a_stub_that_nobody_has_made(record: Path) -> None:
    erase(record / FILE, 4)
    assert findings(record) == [f"{record / FILE}:4: was erased, and no register says so"]
    assert agree(record)


def _last(lines: list[Line], kind: str) -> Line:
    return [line for line in lines if line["kind"] == kind][-1]


@pytest.mark.parametrize(
    ("kind", "forge"),
    [
        ("intent", lambda line: {**line, "notice": 9}),
        ("intent", lambda line: {**line, "announced": "2020-01-01"}),
        ("intent", lambda line: {**line, "announced": "soon"}),
        ("intent", lambda line: {**line, "redirected": True}),
        ("intent", lambda line: {**line, "licenseType": "professional"}),
        ("intent", lambda line: {name: value for name, value in line.items() if name != "day"}),
        ("outcome", lambda line: line),
        ("outcome", lambda line: {**line, "intent": 1}),
        ("ended", lambda line: line),
        ("ended", lambda line: {**line, "notice": 77}),
        ("notices", lambda line: line),
        ("seen", lambda line: {**line, "day": "never"}),
        ("seen", lambda line: {**line, "kind": "hold"}),
    ],
)
def test_a_line_that_no_seatwarden_writes(record: Path, kind: str, forge: Callable[[Line], Line]) -> None:
    """Behind all that anybody knows of."""
    path = record / FILE
    lines = read(path)
    relink(path, [*lines, _last(lines, "seen"), _last(lines, "intent")])
    assert not agree(record)
    relink(path, [*lines, forge(_last(lines, kind))])
    assert agree(record)
