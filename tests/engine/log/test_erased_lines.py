"""Whatever lines are erased: root, links and counts stay, and nothing else of the chain changes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.log.chain import ChainLine, ChainReader, is_erased, split_lines
from seatwarden.engine.log.erasures import erase_lines, root_over, stubs_in
from seatwarden.engine.log.growing import GrowingChain
from seatwarden.engine.log.journal import parse_journal
from seatwarden.engine.log.journal_lines import JOURNAL_READER
from seatwarden.engine.log.lines import PLAN_READER
from seatwarden.engine.log.reader import parse_plan
from seatwarden.engine.log.register import Attempt, Register, RegisterOrigin, parse_register
from seatwarden.engine.plan.circumstances import NOBODY
from tests.engine.runs.recorded import RecordedSite


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A plan, its journal with a failure, and the register, as a run leaves them."""
    site = RecordedSite(tmp_path_factory.mktemp("site"))
    site.fail = "l-02"
    site.run()
    (folder,) = site.runs
    return {name: (folder / name).read_bytes() for name in ("plan.jsonl", "outcomes.jsonl")} | {
        "runs.jsonl": (site.state / "runs.jsonl").read_bytes()
    }


@given(data=st.data())
@pytest.mark.parametrize("name", ["plan.jsonl", "outcomes.jsonl"])
def test_roots_links_and_counts_stay(chains: dict[str, bytes], name: str, data: st.DataObject) -> None:
    whole = chains[name]
    count = len(split_lines(whole))
    numbers = data.draw(st.sets(st.integers(1, count)), label="erased")
    left = erase_lines(whole, numbers)
    reader: ChainReader[ChainLine] = PLAN_READER if name == "plan.jsonl" else JOURNAL_READER
    before, after = reader.read(whole), reader.read(left)
    assert after.damage == []
    assert (after.root, after.seal, after.leaves) == (before.root, before.seal, before.leaves)
    assert root_over(left) == root_over(whole) == before.root
    assert [line.kind for line in after.lines] == [line.kind for line in before.lines]
    personal = {line.n for line in before.lines if hasattr(line, "person")}
    assert stubs_in(after.lines) == numbers & personal
    assert erase_lines(left, numbers) == left
    kept = [line for line in before.lines if line.n not in stubs_in(after.lines)]
    assert [line for line in after.lines if not is_erased(line)] == kept


@given(data=st.data())
def test_what_is_left_is_read_as_ever(chains: dict[str, bytes], data: st.DataObject) -> None:
    path = Path("plan.jsonl")
    numbers = data.draw(st.sets(st.integers(1, len(split_lines(chains["plan.jsonl"])))))
    before, after = parse_plan(path, chains["plan.jsonl"]), parse_plan(path, erase_lines(chains["plan.jsonl"], numbers))
    assert (after.summary, after.root, after.header.run_id) == (before.summary, before.root, before.header.run_id)
    assert len(after.decisions) + len(after.erased) == len(before.decisions)
    assert {line.n for line in after.erased} == {line.n for line in before.decisions} & numbers
    assert [line.n for line in after.decisions] == [line.n for line in before.decisions if line.n not in numbers]
    assert [line.n for line in after.finding_lines] == [line.n for line in before.finding_lines]
    personal = {1, *(line.n for line in (*before.decisions, *before.finding_lines))}
    assert set(after.stubs) == numbers & personal
    assert not before.stubs
    numbers = data.draw(st.sets(st.integers(1, len(split_lines(chains["outcomes.jsonl"])))))
    journal = parse_journal(path, erase_lines(chains["outcomes.jsonl"], numbers))
    whole = parse_journal(path, chains["outcomes.jsonl"])
    assert journal is not None
    assert whole is not None
    assert {n: line.result for n, line in journal.outcomes.items()} == {n: o.result for n, o in whole.outcomes.items()}
    assert (journal.chosen, journal.leaf, journal.root) == (whole.chosen, whole.leaf, whole.root)


def test_a_register_goes_on_behind_its_erased_lines(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("register") / "runs.jsonl"
    origin = RegisterOrigin("site", "tool", NOBODY, bytes(32), "0123456789abcdef")
    at = "2026-11-21T02:00:00.000Z"
    register = Register.open(path, origin, at)
    for _ in range(3):
        register.add(Attempt(result="refused", run=None, at=at), "somebody")
    head = register.head(1)
    register.rewrite(lambda data: erase_lines(data, [2, 3]))
    assert register.head(1) == head
    register.add(Attempt(result="failed", run=None, at=at), "another")
    register.close()
    state = parse_register(path, path.read_bytes())
    assert stubs_in(state.lines) == {2, 3}
    assert (len(state.lines), path.read_bytes().count(b"somebody")) == (5, 1)


def test_a_register_that_cannot_be_replaced_stays_as_it_was(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("register") / "runs.jsonl"
    chain = GrowingChain.create(path, bytes(32))

    def held(data: bytes) -> bytes:
        raise PermissionError(13, "held")

    chain.append(Attempt(result="refused", run=None, at=""))
    with pytest.raises(PermissionError):
        chain.rewrite(held)
    chain.append(Attempt(result="refused", run=None, at=""))
    chain.close()
    assert len(split_lines(path.read_bytes())) == 2
