"""The ends of a chain: its first line, its last, and the seal, which stands once and last."""

import hashlib
import json
from typing import Any

import pytest

from seatwarden.engine.errors import Damage
from seatwarden.engine.log.chain import FIRST, SEAL, SUM, ChainEnd, read_chain, verify_chain
from seatwarden.engine.log.writer import plan_lines
from tests.engine.support import license_row, plan_of, site_of, user

NO_SEAL = "is the last line and is no seal: the end of the log is missing"
BEHIND = "stands behind the seal"
CHANGED = "was changed, or is not the line that stood here"
UNFIT = "was changed: its own digest does not fit"


def _plan() -> list[bytes]:
    site = site_of([user(1), user(2)], [license_row(1), license_row(2)])
    return list(plan_lines(plan_of("release when unused for 30 days", site)))


def _journal(*ends: str | None) -> list[bytes]:
    """The lines of a chain whose lines carry these digests of themselves."""
    end = ChainEnd()
    return [end.link({"kind": "outcome", "result": "released"}, witness) for witness in ends]


def _behind(lines: list[bytes], record: dict[str, Any], witness: str | None) -> bytes:
    """The line that fits behind these."""
    return ChainEnd.after(b"".join(lines)).link(record, witness)


def _problems(lines: list[bytes], *, sealed: bool = True) -> list[tuple[int, str]]:
    data = b"".join(lines)
    damage = verify_chain(data, sealed=sealed)
    assert read_chain(data, sealed=sealed) == (([], damage) if damage else ([x.rstrip(b"\n") for x in lines], []))
    return [(found.line, found.problem) for found in damage]


def test_as_it_was_written() -> None:
    assert _problems(_plan()) == []
    assert _problems(_journal(SUM, SUM), sealed=False) == []
    assert _problems(_journal(SUM, SUM, SEAL), sealed=False) == []
    assert _problems(_journal(SUM, SUM, SEAL)) == []


@pytest.mark.parametrize("old", [b"outcome", b"released", b'"n":3'])
def test_an_edited_last_line_of_a_journal_without_its_seal(old: bytes) -> None:
    """No line behind it carries its digest; it carries its own."""
    lines = _journal(SUM, SUM, SUM)
    lines[-1] = lines[-1].replace(old, b'"n":4' if old == b'"n":3' else old.swapcase())
    assert (3, UNFIT) in _problems(lines, sealed=False)


def test_a_last_line_whose_own_digest_was_taken_away() -> None:
    """Who edits the last line and drops the digest that does not fit any more has not made it whole."""
    lines = _journal(SUM, SUM, SUM)
    record = json.loads(lines[-1])
    del record[SUM]
    lines[-1] = json.dumps({**record, "result": "skipped"}, separators=(",", ":")).encode() + b"\n"
    assert _problems(lines, sealed=False) == [(3, "has no digest of its own")]


def test_a_last_digest_that_is_not_at_the_end() -> None:
    lines = _journal(SUM, SUM)
    record = json.loads(lines[-1])
    lines[-1] = json.dumps({SUM: record.pop(SUM), **record}, separators=(",", ":")).encode() + b"\n"
    assert _problems(lines, sealed=False) == [(2, UNFIT)]


def test_an_edited_line_in_the_middle_of_a_journal() -> None:
    lines = _journal(SUM, SUM, SUM)
    lines[1] = lines[1].replace(b"released", b"skipped")
    assert sorted(_problems(lines, sealed=False)) == [(2, CHANGED), (2, UNFIT)]


def test_an_edited_seal() -> None:
    lines = _plan()
    lines[-1] = lines[-1].replace(b'"release":2', b'"release":1', 1)
    assert _problems(lines) == [(4, UNFIT)]


def test_a_plan_without_its_seal() -> None:
    assert _problems(_plan()[:-1]) == [(3, NO_SEAL)]
    assert _problems(_plan()[:1]) == [(1, NO_SEAL)]


@pytest.mark.parametrize("witness", [None, SUM])
def test_a_last_line_that_only_says_it_is_a_seal(witness: str | None) -> None:
    """The kind does not make it one: its digest does."""
    lines = _plan()[:-1]
    assert _problems([*lines, _behind(lines, {"kind": "seal"}, witness)]) == [(4, NO_SEAL)]


@pytest.mark.parametrize("witness", [None, SUM, SEAL])
@pytest.mark.parametrize("sealed", [True, False])
def test_lines_behind_the_seal(witness: str | None, sealed: bool) -> None:
    """However well they are linked; also a second seal."""
    lines = _journal(SUM, SEAL)
    for _ in range(2):
        lines.append(_behind(lines, {"kind": "outcome"}, witness))
    found = _problems(lines, sealed=sealed)
    assert [problem for problem in found if problem[1] == BEHIND] == [(3, BEHIND), (4, BEHIND)]


@pytest.mark.parametrize("sealed", [True, False])
def test_a_seal_in_the_middle(sealed: bool) -> None:
    """Between the header and the rest, linked as it must be; the true seal is still there."""
    assert _problems(_journal(SUM, SEAL, SUM, SEAL), sealed=sealed) == [(3, BEHIND), (4, BEHIND)]
    assert _problems(_journal(SEAL, SUM), sealed=sealed) == [(2, BEHIND)]


def test_a_doubled_seal() -> None:
    lines = _plan()
    found = _problems([*lines, lines[-1]])
    assert (5, BEHIND) in found
    assert (5, "says it is line 4: lines were lost, added or moved before it") in found


def test_a_beginning_that_is_lost() -> None:
    """What is left is linked anew but for the first link, or not at all."""
    lines = _plan()
    assert (1, "is not the first line of this log") in _problems(lines[1:])
    end = ChainEnd(0, hashlib.sha256(lines[0].rstrip(b"\n")).hexdigest())
    relinked = [end.link({"kind": "decision"}), end.link({"kind": "seal"}, SEAL)]
    assert _problems(relinked) == [(1, "is not the first line of this log")]
    assert json.loads(lines[0])["prev"] == FIRST


def test_a_last_line_without_its_line_break() -> None:
    for lines, sealed in ((_plan(), True), (_journal(SUM, SUM), False)):
        data = b"".join(lines)[:-1]
        assert verify_chain(data, sealed=sealed) == [Damage(len(lines), "is cut off")]


def test_a_line_that_was_taken_out_with_its_number_put_right() -> None:
    """The digest of the line before tells."""
    lines = _plan()
    left = [lines[0], lines[2].replace(b'{"n":3', b'{"n":2'), lines[3].replace(b'{"n":4', b'{"n":3')]
    assert {1, 2} <= {line for line, _ in _problems(left)}


@pytest.mark.parametrize("sealed", [True, False])
def test_nothing_at_all(sealed: bool) -> None:
    assert verify_chain(b"", sealed=sealed) == [Damage(1, "the file is empty")]
