"""Asking a plan about somebody finds what reading all of it finds."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.explain.people import AmbiguousUser, Holder, People, people_of_plan
from seatwarden.engine.log import skimmed
from seatwarden.engine.log.chain import split_lines
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import read_log, recorded_plan
from seatwarden.engine.log.skimmed import skim_plan
from seatwarden.engine.log.writer import write_plan
from tests.engine.log.forging import relinked
from tests.engine.support import RECORDING, license_row, plan_of, site_of, user
from tests.strategies import sites

POLICY = 'keep "vip" when user.tags = "vip"\nrelease when unused for 30 days'
NAMES = ["Straße", "STRASSE", "Kelvin", "Jane Doe", 'O"Brien', "a\\b", "ÅKE", "İpek", "ﬁn", "q\u0001x", "Σίσυφος"]


def _people(log: PlanLog) -> People[Decision]:
    return people_of_plan(recorded_plan(log).decisions)


def _found(people: People[Decision], query: str) -> tuple[tuple[Holder, ...], list[tuple[str, str]]]:
    """Whom a query means, and the licenses that they hold."""
    if not people.means_anybody(query):
        return (), []
    try:
        holders: tuple[Holder, ...] = (people.find(query)[0],)
    except AmbiguousUser as error:
        holders = error.holders
    return holders, sorted(decision.key for holder in holders for decision in people.held_by(holder))


def _site(names: list[str]) -> dict[str, Any]:
    """Somebody of each name, by user id and by name, with both licenses; the first row of each says no name."""
    users = [user(n, userId=name, name=names[n - 1]) for n, name in enumerate(names)]
    rows = [license_row(n) for n in range(len(names))]
    return site_of(users, rows, [license_row(n, id=f"p{n}") for n in range(len(names))])


@given(sites(), st.lists(st.sampled_from(NAMES), unique=True), st.data())
@example({"users": [], "licenses": {}}, ["Straße"], None)
def test_the_same_as_of_all(site: dict[str, Any], names: list[str], data: st.DataObject | None) -> None:
    content = _site(names) if names else site
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_plan(plan_of(POLICY, content), folder, "", RECORDING)
        log, some = read_log(folder), skim_plan(folder)
    assert some.whole() == log
    everybody = _people(log)
    known = [
        text for d in recorded_plan(log).decisions for text in (d.user, d.user_id, d.user_name, d.license_id) if text
    ]
    queries = ["strasse", "kelvin", *known] if data is None else [data.draw(_queries(known))]
    for query in queries:
        assert _found(_people(some.naming([query])), query) == _found(everybody, query), query


def _queries(known: list[str]) -> st.SearchStrategy[str]:
    """Names as people type them: whole, a part, in another case."""
    names = st.sampled_from([*NAMES, *known])
    part = names.flatmap(lambda name: st.integers(0, len(name)).map(lambda at: name[at:] or name))
    return st.one_of(names, part, part.map(str.upper), part.map(str.lower), part.map(str.casefold), st.text(max_size=3))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_plan(plan_of(POLICY, _site(["Ann", "Bea", "Cem"])), tmp_path, "", RECORDING)
    return tmp_path


def test_only_what_names_somebody_is_read(folder: Path) -> None:
    plan = skim_plan(folder)
    assert (plan.log.decisions, len(plan.waiting)) == ([], 6)
    assert {line.about.user_id for line in plan.naming(["ann"]).decisions} == {"Ann", "Bea"}, "by id and by name"
    assert len(plan.naming(["l0"]).decisions) == 2, "by the id of one license: all that the person holds"
    assert plan.naming(["nobody"]).decisions == []
    assert len(plan.naming([""]).decisions) == 6


def test_very_many_are_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(skimmed, "_MOST", 1)
    assert len(skim_plan(folder).naming(["ann"]).decisions) == 6


def test_every_byte_is_held_against_the_chain(folder: Path) -> None:
    path = folder / "plan.jsonl"
    whole = path.read_bytes()
    start = whole.index(b'{"n":4,')
    for at in range(start, whole.index(b"\n", start)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DamagedLog):
            skim_plan(folder)


def test_a_line_that_is_asked_for_must_be_as_we_write_it(folder: Path) -> None:
    path = folder / "plan.jsonl"
    lines = [msgspec.json.decode(line) for line in split_lines(path.read_bytes())]
    forged = next(line for line in lines if line["kind"] == "decision" and line["person"]["userId"] == "Ann")
    forged["person"]["shoeSize"] = 45
    path.write_bytes(relinked(lines, own=False))
    plan = skim_plan(folder)
    assert plan.naming(["bea"]).decisions
    with pytest.raises(DamagedLog, match="not written as we write it"):
        plan.naming(["ann"])
