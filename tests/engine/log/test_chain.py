"""The hash chain: whatever happens to a sealed log is found, and its line named."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwarden.engine.errors import Damage
from seatwarden.engine.log.chain import FIRST, ChainEnd, chain_lines, read_chain, verify_chain
from seatwarden.engine.log.writer import plan_lines
from tests.engine.support import license_row, plan_of, site_of, user

_RECORDS = st.lists(
    st.dictionaries(st.sampled_from(["kind", "rule", "n°"]), st.none() | st.integers(0, 9) | st.text(max_size=3)),
    max_size=5,
)
_SEAL: Mapping[str, Any] = {"kind": "seal", "summary": {}}


def _log(records: list[dict[str, Any]]) -> list[bytes]:
    return list(chain_lines(records, _SEAL))


def _named(lines: list[bytes]) -> set[int]:
    return {damage.line for damage in verify_chain(b"".join(lines))}


@given(_RECORDS)
def test_what_is_written_verifies_and_is_read(records: list[dict[str, Any]]) -> None:
    lines = _log(records)
    assert verify_chain(b"".join(lines)) == []
    found, damage = read_chain(b"".join(lines))
    assert damage == []
    read = [json.loads(line) for line in found]
    assert [{k: v for k, v in r.items() if k not in ("n", "prev", "seal")} for r in read] == [*records, _SEAL]
    assert [r["n"] for r in read] == list(range(1, len(records) + 2))
    assert read[0]["prev"] == FIRST


@given(_RECORDS, st.data())
def test_a_changed_byte(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = _log(records)
    number = data.draw(st.integers(1, len(lines)))
    line = bytearray(lines[number - 1])
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    lines[number - 1] = bytes(line)
    assert number in _named(lines)


@given(_RECORDS, st.data())
def test_a_lost_line(records: list[dict[str, Any]], data: st.DataObject) -> None:
    """A lost last line is found at the line that is last now."""
    lines = _log(records)
    number = data.draw(st.integers(1, len(lines)))
    del lines[number - 1]
    assert (min(number, max(len(lines), 1))) in _named(lines)


@given(_RECORDS, st.data())
def test_a_doubled_line(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = _log(records)
    number = data.draw(st.integers(1, len(lines)))
    lines.insert(number, lines[number - 1])
    assert number + 1 in _named(lines)


@given(_RECORDS.filter(bool), st.data())
def test_swapped_lines(records: list[dict[str, Any]], data: st.DataObject) -> None:
    lines = _log(records)
    one, other = data.draw(st.lists(st.integers(1, len(lines)), min_size=2, max_size=2, unique=True))
    lines[one - 1], lines[other - 1] = lines[other - 1], lines[one - 1]
    assert {one, other} <= _named(lines)


@given(_RECORDS, st.binary(min_size=1, max_size=8))
@example([], b"\n")
@example([], b"{}\n")
@example([], b'{"seal": 1}')
def test_anything_appended(records: list[dict[str, Any]], more: bytes) -> None:
    lines = _log(records)
    assert len(lines) + 1 in _named([*lines, more])


@given(_RECORDS, st.data())
def test_cut_off(records: list[dict[str, Any]], data: st.DataObject) -> None:
    """At any byte: the line that is last then is named."""
    log = b"".join(_log(records))
    left = log[: data.draw(st.integers(0, len(log) - 1))]
    assert max(left.count(b"\n") + (not left.endswith(b"\n")), 1) in {d.line for d in verify_chain(left)}


@given(_RECORDS, _RECORDS, st.data())
def test_a_line_of_another_log(
    records: list[dict[str, Any]], others: list[dict[str, Any]], data: st.DataObject
) -> None:
    lines, foreign = _log(records), _log([*others, {"kind": "other"}])
    number = data.draw(st.integers(1, min(len(lines), len(foreign))))
    if lines[number - 1] != foreign[number - 1]:
        lines[number - 1] = foreign[number - 1]
        named = _named(lines)
        assert named
        # A whole foreign seal is right in itself: then the line before it is the one that does not fit.
        assert number in named or number == len(lines)


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b'{"n":1}', b'{"seal":0}', b"[]", b"\n"])).map(b"".join))
def test_no_bytes_break_the_check(data: bytes) -> None:
    assert verify_chain(data)


@pytest.fixture(scope="module")
def plan() -> list[bytes]:
    site = site_of([user(1), user(2, userDirectory="Åker")], [license_row(1), license_row(2, quarantined=True)])
    return list(plan_lines(plan_of('keep "x" when user.tags = "vip"\nrelease when unused for 30 days', site)))


def test_every_byte_of_a_real_plan(plan: list[bytes]) -> None:
    assert verify_chain(b"".join(plan)) == []
    for number, line in enumerate(plan, 1):
        for at in range(len(line)):
            for flip in (0x01, 0x20, 0x80):
                changed = bytearray(line)
                changed[at] ^= flip
                assert number in _named([*plan[: number - 1], bytes(changed), *plan[number:]])


def test_every_cut_of_a_real_plan(plan: list[bytes]) -> None:
    log = b"".join(plan)
    assert all(verify_chain(log[:end]) for end in range(len(log)))


def test_the_problem_in_words(plan: list[bytes]) -> None:
    assert [(d.line, d.problem) for d in verify_chain(b"")] == [(1, "the file is empty")]
    lost = verify_chain(b"".join(plan[:-1]))
    assert [(d.line, d.problem) for d in lost] == [
        (3, "is the last line and is no seal: the end of the log is missing")
    ]
    edited = verify_chain(b"".join(plan).replace(b'"verdict":"keep"', b'"verdict":"kept"'))
    assert [(d.line, d.problem) for d in edited] == [(3, "was changed, or is not the line that stood here")]


def test_a_line_that_was_forged_to_fit() -> None:
    """All digests are right, but what the chain itself passes by is no text."""
    end = ChainEnd()
    first = end.link({"kind": "plan"})
    second = end.link({"q": "x"}).replace(b'"x"', b'"\xff"')
    end.digest = hashlib.sha256(second.rstrip(b"\n")).hexdigest()
    log = b"".join([first, second, end.link({"kind": "seal"}, "seal")])
    assert read_chain(log) == ([], [Damage(2, "is not a line of this log")])
