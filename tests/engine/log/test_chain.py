"""The chain: whatever happens to a sealed log is found, and its line named; what is erased leaves the rest whole."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from seatwarden.engine.errors import Damage
from seatwarden.engine.log.chain import (
    FIRST,
    ChainEnd,
    ChainLine,
    ChainReader,
    ReadChain,
    erased,
    is_erased,
    leaf_data,
    salts,
    shuffled,
    without_sum,
)
from seatwarden.engine.log.lines import PLAN_READER
from seatwarden.engine.log.writer import plan_lines
from tests.engine.log.forging import leaf_of, relinked
from tests.engine.support import RECORDING, SEED, license_row, plan_of, site_of, user


class Part(Struct, kw_only=True):
    """A personal part."""

    salt: bytes
    name: str


class Thing(ChainLine, kw_only=True, rename="camel"):
    """A line of the tests' own."""

    kind: Literal["thing"] = "thing"
    rule: str | int | None
    prev: str = ""
    person: Part | UnsetType = UNSET
    of: str | UnsetType = UNSET


READERS: dict[bool, ChainReader[ChainLine]] = {own: ChainReader((Thing,), own_leaves=own) for own in (False, True)}
TEXTS = st.none() | st.integers(0, 9) | st.text(max_size=3) | st.just('","person":{"')
RECORDS = st.lists(st.tuples(TEXTS, st.none() | st.text(max_size=3)), max_size=6)
_Records = list[tuple[Any, str | None]]


def _lines(records: _Records) -> Iterator[Thing]:
    drawn = salts(SEED)
    for rule, name in records:
        yield Thing(rule=rule, person=Part(salt=next(drawn), name=name) if name is not None else UNSET)


def _log(records: _Records) -> list[bytes]:
    end = ChainEnd()
    return [*(end.link(line) for line in _lines(records)), end.link(end.seal())]


def _journal(records: _Records) -> list[bytes]:
    end = ChainEnd()
    return [end.link_own(line) for line in _lines(records)]


def _read(lines: list[bytes], *, own: bool = False) -> ReadChain[ChainLine]:
    return READERS[own].read(b"".join(lines))


def _named(lines: list[bytes], *, own: bool = False) -> set[int]:
    return {damage.line for damage in _read(lines, own=own).damage}


@given(RECORDS)
def test_what_is_written_verifies_and_is_read(records: _Records) -> None:
    for lines, own in ((_log(records), False), (_journal([(None, None), *records]), True)):
        read = _read(lines, own=own)
        assert read.damage == []
        told = [(line.rule, line.person.name if line.person is not UNSET else None) for line in read.lines]  # type: ignore[attr-defined]
        assert told == ([(None, None), *records] if own else records)
        assert [line.n for line in read.lines] == list(range(1, len(read.lines) + 1))
        assert json.loads(lines[0])["prev"] == FIRST
        assert (read.seal is None) is own


@given(RECORDS)
def test_somebody_else_s_program_makes_the_same_chain(records: _Records) -> None:
    """By what docs/formats.md says, in plain Python."""
    lines = _log(records)
    assert relinked([json.loads(line) for line in lines], own=False) == b"".join(lines)
    journal = _journal(records)
    assert relinked([json.loads(line) for line in journal], own=True) == b"".join(journal)


@pytest.mark.parametrize("own", [False, True])
@given(RECORDS.filter(bool), st.data())
def test_a_changed_byte(own: bool, records: _Records, data: st.DataObject) -> None:
    lines = _journal(records) if own else _log(records)
    number = data.draw(st.integers(1, len(lines)))
    line = bytearray(lines[number - 1])
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    lines[number - 1] = bytes(line)
    assert number in _named(lines, own=own)


@given(RECORDS, st.data())
def test_a_lost_line(records: _Records, data: st.DataObject) -> None:
    """A lost last line is found at the line that is last now."""
    lines = _log(records)
    number = data.draw(st.integers(1, len(lines)))
    del lines[number - 1]
    assert (min(number, max(len(lines), 1))) in _named(lines)


@given(RECORDS, st.data())
def test_a_doubled_line(records: _Records, data: st.DataObject) -> None:
    lines = _log(records)
    number = data.draw(st.integers(1, len(lines)))
    lines.insert(number, lines[number - 1])
    assert number + 1 in _named(lines)


@given(RECORDS.filter(bool), st.data())
def test_swapped_lines(records: _Records, data: st.DataObject) -> None:
    lines = _log(records)
    one, other = data.draw(st.lists(st.integers(1, len(lines)), min_size=2, max_size=2, unique=True))
    lines[one - 1], lines[other - 1] = lines[other - 1], lines[one - 1]
    assert {one, other} & _named(lines)
    assert _named(lines)


@given(RECORDS, st.binary(min_size=1, max_size=8))
@example([], b"\n")
@example([], b"{}\n")
@example([], b'{"kind":"seal"}')
def test_anything_appended(records: _Records, more: bytes) -> None:
    lines = _log(records)
    assert len(lines) + 1 in _named([*lines, more])


@given(RECORDS, st.data())
def test_cut_off(records: _Records, data: st.DataObject) -> None:
    """At any byte: the line that is last then is named."""
    log = b"".join(_log(records))
    left = log[: data.draw(st.integers(0, len(log) - 1))]
    assert max(left.count(b"\n") + (not left.endswith(b"\n")), 1) in _named([left])


@given(RECORDS, RECORDS, st.data())
def test_a_line_of_another_log(records: _Records, others: _Records, data: st.DataObject) -> None:
    lines, foreign = _log(records), _log([*others, ("another", None)])
    number = data.draw(st.integers(1, min(len(lines), len(foreign))))
    if lines[number - 1] != foreign[number - 1]:
        lines[number - 1] = foreign[number - 1]
        assert _named(lines)


@given(st.binary(max_size=60) | st.lists(st.sampled_from([b'{"n":1}', b'{"kind":"seal"}', b"[]", b"\n"])).map(b"".join))
def test_no_bytes_break_the_check(data: bytes) -> None:
    assert READERS[False].read(data).damage
    READERS[True].read(data)


@pytest.mark.parametrize(
    "again",
    [
        lambda line: line.replace(b'{"n":1,', b'{"n": 1,'),
        lambda line: line.replace(b'"rule":"x"', b'"rule":"\\u0078"'),
        lambda line: line.replace(b'"rule":"x"', b'"rule":"y","rule":"x"'),
        lambda line: line.replace(b'"rule":"x"', b'"rule":"x","more":1'),
        lambda line: line.replace(b'"kind":"thing","rule":"x"', b'"rule":"x","kind":"thing"'),
    ],
    ids=["blank", "escape", "twice", "unknown", "order"],
)
def test_a_line_has_one_reading(again: Any) -> None:
    """Whatever JSON allows: only the bytes that our encoder makes are a line. All links are put right here."""
    end = ChainEnd()
    line = again(end.link(Thing(rule="x")))
    assert b'"x"' in line or b"0078" in line
    forged = ChainEnd.after(line)
    damage = READERS[False].read(line + forged.link(forged.seal())).damage
    assert [found.line for found in damage] == [1]


# Erased lines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [False, True])
@given(RECORDS.filter(bool), st.data())
def test_what_is_erased_leaves_everything_else_whole(own: bool, records: _Records, data: st.DataObject) -> None:
    lines = _journal(records) if own else _log(records)
    before = _read(lines, own=own)
    gone = data.draw(st.sets(st.integers(0, len(records) - 1)))
    left = [erased(line[:-1]) + b"\n" if n in gone else line for n, line in enumerate(lines)]
    after = _read(left, own=own)
    assert (after.damage, after.root, after.leaves) == ([], before.root, before.leaves)
    for n, line in enumerate(after.lines):
        assert is_erased(line) is (n in gone and records[n][1] is not None)
        assert getattr(line, "rule") == records[n][0]  # noqa: B009


def test_an_erased_line_is_its_own_leaf_data() -> None:
    line = _journal([("r", "somebody")])[0][:-1]
    stub = erased(line)
    assert b"somebody" not in stub
    assert leaf_data(without_sum(stub)) == without_sum(stub) == leaf_data(without_sum(line))
    assert leaf_of(json.loads(stub)) == leaf_of(json.loads(line))
    assert erased(stub) == stub


def test_salts_and_orders_hang_on_the_seed_alone() -> None:
    drawn = salts(SEED)
    several = [next(drawn) for _ in range(10_000)]
    assert len(set(several)) == 10_000
    assert {len(salt) for salt in several} == {16}
    again = salts(SEED)
    assert [next(again) for _ in range(10_000)] == several
    assert next(salts(bytes(32))) not in several
    order = shuffled(1_000, SEED, "analyzer")
    assert sorted(order) == list(range(1_000)) != list(order)
    assert order == shuffled(1_000, SEED, "analyzer") != shuffled(1_000, SEED, "professional")
    # No place tells of the one before: of 1,000 numbers about 1 stands where it stood.
    assert sum(n == m for n, m in enumerate(order)) < 10


# A real plan ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plan() -> list[bytes]:
    site = site_of([user(1), user(2, userDirectory="Åker")], [license_row(1), license_row(2, quarantined=True)])
    made = plan_of('keep "x" when user.tags = "vip"\nrelease when unused for 30 days', site)
    return list(plan_lines(made, RECORDING))


def _plan_damage(lines: list[bytes]) -> list[Damage]:
    return PLAN_READER.read(b"".join(lines)).damage


def test_every_byte_of_a_real_plan(plan: list[bytes]) -> None:
    assert _plan_damage(plan) == []
    for number, line in enumerate(plan, 1):
        for at in range(len(line)):
            for flip in (0x01, 0x20, 0x80):
                changed = bytearray(line)
                changed[at] ^= flip
                found = _plan_damage([*plan[: number - 1], bytes(changed), *plan[number:]])
                assert number in {damage.line for damage in found}


def test_every_cut_of_a_real_plan(plan: list[bytes]) -> None:
    log = b"".join(plan)
    assert all(PLAN_READER.read(log[:end]).damage for end in range(len(log)))


def test_the_problem_in_words(plan: list[bytes]) -> None:
    assert _plan_damage([b""]) == [Damage(1, "the file is empty")]
    no_end = "is the last line and is no seal: the end of the log is missing"
    assert _plan_damage(plan[:-1]) == [Damage(len(plan) - 1, no_end)]
    edited = [line.replace(b'"name":"User 1"', b'"name":"User 9"') for line in plan]
    edited = [line.replace(b'"verdict":"keep"', b'"verdict":"release"') for line in edited]
    (kept,) = (n for n, line in enumerate(plan, 1) if b'"verdict":"keep"' in line)
    assert _plan_damage(edited) == [Damage(kept, "was changed, or is not the line that stood here"), *_seal_of(edited)]


def _seal_of(lines: list[bytes]) -> list[Damage]:
    return [Damage(len(lines), "is a seal over other lines than these")]
