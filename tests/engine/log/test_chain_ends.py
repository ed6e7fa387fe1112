"""The ends of a chain: its first line, its last, and the seal, which stands once and last."""

import json
from typing import Any

import pytest

from seatwarden.engine.errors import Damage
from seatwarden.engine.log.chain import FIRST, ChainEnd, ChainLine
from seatwarden.engine.log.journal_lines import JOURNAL_READER, Closed, Resume
from seatwarden.engine.log.lines import PLAN_READER
from seatwarden.engine.log.writer import plan_lines
from seatwarden.engine.plan.circumstances import Clocks
from tests.engine.log.forging import relinked
from tests.engine.support import RECORDING, license_row, plan_of, site_of, user

NO_SEAL = "is the last line and is no seal: the end of the log is missing"
BEHIND = "stands behind the seal"
CHANGED = "was changed, or is not the line that stood here"
UNFIT = "was changed: its own digest does not fit"


def _plan() -> list[bytes]:
    site = site_of([user(1), user(2)], [license_row(1), license_row(2)])
    return list(plan_lines(plan_of("release when unused for 30 days", site), RECORDING))


def _resume(second: int = 0) -> Resume:
    return Resume(at=f"2026-11-21T03:00:0{second}.000Z", clocks=Clocks(""))


def _journal(count: int, *, sealed: bool = False) -> list[bytes]:
    """The lines of a journal; the last two are its end, if it is sealed."""
    end = ChainEnd()
    lines = [end.link_own(_resume(n)) for n in range(count)]
    return [*lines, end.link_own(Closed(summary={}, files={}, at="")), end.link_own(end.seal())] if sealed else lines


def _problems(lines: list[bytes], *, own: bool = False) -> list[tuple[int, str]]:
    reader = JOURNAL_READER if own else PLAN_READER
    return [(found.line, found.problem) for found in reader.read(b"".join(lines)).damage]


def test_as_it_was_written() -> None:
    assert _problems(_plan()) == []
    assert _problems(_journal(3), own=True) == []
    assert _problems(_journal(3, sealed=True), own=True) == []


@pytest.mark.parametrize("old", [b"resume", b"T03", b'"n":3'])
def test_an_edited_last_line_of_a_journal_without_its_seal(old: bytes) -> None:
    """No line behind it carries its leaf; it carries its own."""
    lines = _journal(3)
    new = {b'"n":3': b'"n":4', b"T03": b"T04"}.get(old, b"resumE")
    lines[-1] = lines[-1].replace(old, new)
    assert 3 in {line for line, _ in _problems(lines, own=True)}


def test_a_last_line_whose_own_digest_was_taken_away() -> None:
    """Who edits the last line and drops the digest that does not fit any more has not made it whole."""
    lines = _journal(3)
    record = json.loads(lines[-1])
    del record["sum"]
    lines[-1] = json.dumps({**record, "at": "now"}, separators=(",", ":")).encode() + b"\n"
    assert _problems(lines, own=True) == [(3, "has no digest of its own")]


def test_a_last_digest_that_is_not_at_the_end() -> None:
    lines = _journal(2)
    record = json.loads(lines[-1])
    lines[-1] = json.dumps({"sum": record.pop("sum"), **record}, separators=(",", ":")).encode() + b"\n"
    assert _problems(lines, own=True) == [(2, "is not a line of this log")]


def test_an_edited_line_in_the_middle_of_a_journal() -> None:
    lines = _journal(3)
    lines[1] = lines[1].replace(b"T03", b"T04")
    assert sorted(_problems(lines, own=True)) == [(2, CHANGED), (2, UNFIT)]


def test_an_edited_summary() -> None:
    lines = _plan()
    lines[-2] = lines[-2].replace(b'"release":2', b'"release":1', 1)
    assert (len(lines) - 1, CHANGED) in _problems(lines)


@pytest.mark.parametrize("field", ["size", "root"])
def test_an_edited_seal(field: str) -> None:
    lines = _plan()
    seal = json.loads(lines[-1])
    seal[field] = 4 if field == "size" else "0" * 64
    lines[-1] = json.dumps(seal, separators=(",", ":")).encode() + b"\n"
    assert _problems(lines) == [(6, "is a seal over other lines than these")]


def test_a_plan_without_its_seal() -> None:
    assert _problems(_plan()[:-1]) == [(5, NO_SEAL)]
    assert _problems(_plan()[:1]) == [(1, NO_SEAL)]


@pytest.mark.parametrize("own", [False, True])
def test_lines_behind_the_seal(own: bool) -> None:
    """However well they are linked; also a second seal."""
    lines = _journal(1, sealed=True) if own else _plan()
    end, count = ChainEnd.after(b"".join(lines)), len(lines)
    more: tuple[ChainLine, ...] = (_resume(), end.seal())
    lines += [end.link_own(line) if own else end.link(line) for line in more]
    found = _problems(lines, own=own)
    assert [problem for problem in found if problem[1] == BEHIND] == [(count + 1, BEHIND), (count + 2, BEHIND)]


def test_a_seal_in_the_middle() -> None:
    """Linked as it must be; the true seal is still there."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in _plan()]
    forged = relinked([lines[0], lines[-1], *lines[1:]], own=False).splitlines(keepends=True)
    assert _problems(forged) == [(n, BEHIND) for n in range(3, 8)]


def test_a_doubled_seal() -> None:
    lines = _plan()
    assert _problems([*lines, lines[-1]]) == [(7, BEHIND)]


def test_a_beginning_that_is_lost() -> None:
    """What is left is linked as it was."""
    lines = _plan()
    found = _problems(lines[1:])
    assert (1, "is not the first line of this log") in found
    assert json.loads(lines[0])["prev"] == FIRST


def test_a_last_line_without_its_line_break() -> None:
    for lines, own in ((_plan(), False), (_journal(2), True)):
        reader = JOURNAL_READER if own else PLAN_READER
        assert reader.read(b"".join(lines)[:-1]).damage == [Damage(len(lines), "is cut off")]


def test_a_line_that_was_taken_out_with_its_number_put_right() -> None:
    """The leaf of the line before tells."""
    lines = _plan()
    left = [*lines[:2], *(line.replace(b'{"n":%d,' % n, b'{"n":%d,' % (n - 1)) for n, line in enumerate(lines[3:], 4))]
    assert {2, 3} <= {line for line, _ in _problems(left)}


@pytest.mark.parametrize("own", [False, True])
def test_nothing_at_all(own: bool) -> None:
    assert _problems([], own=own) == [(1, "the file is empty")]
