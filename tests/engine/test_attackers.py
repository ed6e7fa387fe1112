"""Who would find people in a log with pseudonyms: a colleague, a thief of a month of logs, the holder of a snapshot.

Each of them is set on a log without pseudonyms, too, where they succeed: an attack that never does would prove nothing.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from seatwarden.engine.decide.coarse import Coarsening
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.facts import fact_to_json
from seatwarden.engine.log.writer import plan_lines, write_plan
from seatwarden.engine.plan.plan import Plan, make_plan
from seatwarden.engine.plan.summary_text import plan_text
from tests.engine.office import PEOPLE, POLICY, office
from tests.engine.support import RECORDING, checked, day_of, decide, snapshot_of
from tests.paths import ROOT
from tests.strategies import NOW

KEY = Pseudonyms(b"0123456789abcdef0123456789abcdef")
Line = dict[str, Any]


def _plan(pseudonyms: Pseudonyms | None, days_later: int = 0) -> Plan:
    policy, now = checked(POLICY), NOW + timedelta(days=days_later)
    return make_plan(policy, snapshot_of(office(days_later)), day_of(policy, now), "https://qlik.example", pseudonyms)


@cache
def _lines(pseudonyms: Pseudonyms | None, days_later: int = 0) -> list[Line]:
    """What stands in the log about each license."""
    lines = map(json.loads, plan_lines(_plan(pseudonyms, days_later), RECORDING))
    return [{**line, **line.pop("person")} for line in lines if line["kind"] == "decision"]


@cache
def _people(days_later: int = 0) -> list[Decision]:
    """The truth, license by license."""
    return decide(POLICY, office(days_later), NOW + timedelta(days=days_later))


# A colleague ---------------------------------------------------------------------------------------------


FACTS = ("type", "license.unusedDays", "license.lastUsed", "user.tags", "user.@Department", "user.userDirectory")


def _may_be(lines: list[Line], person: Decision) -> dict[str, frozenset[int]]:
    """For each fact that somebody may know of a person: the lines that can be the person's, by the policy's classes."""
    policy = checked(POLICY)
    coarse = Coarsening(policy, person.license_type, day_of(policy)).facts(person.facts)
    assert coarse is not None
    found = {"type": frozenset(n for n, line in enumerate(lines) if line["licenseType"] == person.license_type)}
    for name in FACTS[1:]:
        told = [fact_to_json(facts[name]) for facts in (person.facts, coarse) if name in facts]
        # Of a fact that a line does not say nothing follows.
        found[name] = frozenset(n for n, line in enumerate(lines) if line["facts"].get(name, told[0]) in told)
    return found


def test_a_colleague_who_knows_three_facts_finds_nobody_more_closely_than_a_class() -> None:
    lines = _lines(KEY)
    for person in _people():
        may_be = _may_be(lines, person)
        for known in combinations(FACTS, 3):
            found = frozenset.intersection(*(may_be[name] for name in known))
            assert len(found) >= KEY.k, (person, known)
    assert min(len(frozenset.intersection(*_may_be(lines, person).values())) for person in _people()) >= KEY.k


def test_without_pseudonyms_three_facts_are_enough() -> None:
    lines, known = _lines(None), ("license.lastUsed", "user.@Department", "user.userDirectory")
    found = [frozenset.intersection(*(_may_be(lines, one)[name] for name in known)) for one in _people()]
    assert sum(len(lines) == 1 for lines in found) > PEOPLE / 4


def _all_said(line: Line) -> str:
    said = {name: value for name, value in line.items() if name not in _OF_ONE_LINE}
    return json.dumps({**said, "facts": "withheld"} if "withheld" in said["facts"] else said, sort_keys=True)


_OF_ONE_LINE = ("n", "prev", "salt", "person", "licenseId", "userId")


def test_every_line_says_what_k_lines_say() -> None:
    plan = _plan(KEY)
    assert plan.classes is not None
    sizes = Counter(map(_all_said, _lines(KEY)))
    short = sum(size for size in sizes.values() if size < KEY.k)
    assert short == plan.classes.alone
    assert len(Counter(map(_all_said, _lines(None)))) > PEOPLE * 0.9, "without pseudonyms nearly every line is unique"


@pytest.mark.parametrize("per", ["month", "run"])
def test_no_byte_of_a_run_says_a_day_or_a_name(tmp_path: Path, per: Any) -> None:
    plan = _plan(replace(KEY, per=per))
    write_plan(plan, tmp_path, plan_text(plan, "all"), RECORDING)
    written = "".join(path.read_text() for path in tmp_path.rglob("*.*"))
    people = _people()
    names = {
        text for one in people for text in (one.license_id, one.user_id or "", one.user_name or "", one.last_used or "")
    }
    words = set(re.findall(r"[\w.:-]+", written))
    assert names & words == set()
    assert "CORP" not in words, "a directory that no rule names"
    assert "night shift" not in written
    days = {one.last_used[:10] for one in people if one.last_used} - {NOW.date().isoformat()}
    assert [day for day in days if day in written] == []


# A thief -------------------------------------------------------------------------------------------------


def _ids(lines: list[Line]) -> set[str]:
    return {line[name] for line in lines for name in ("licenseId", "userId")}


def test_a_thief_of_a_month_of_runs_links_nobody_by_id_where_pseudonyms_hold_for_a_run() -> None:
    runs = [_lines(replace(KEY, per="run"), day) for day in range(30)]
    assert len(set().union(*map(_ids, runs))) == sum(len(_ids(lines)) for lines in runs)


def test_where_they_hold_for_a_month_he_links_within_the_month() -> None:
    by_month: dict[str, list[set[str]]] = {}
    for day in range(30):
        month = f"{NOW + timedelta(days=day):%Y-%m}"
        by_month.setdefault(month, []).append({line["licenseId"] for line in _lines(KEY, day)})
    assert {month: len(runs) for month, runs in by_month.items()} == {"2026-11": 10, "2026-12": 20}
    november, december = ({*runs[0]}.union(*runs) for runs in by_month.values())
    assert (len(november), len(december), november & december) == (PEOPLE, PEOPLE, set())


def test_nor_does_the_place_of_a_line_say_whose_it_is() -> None:
    """Twenty runs laid beside each other, and beside the site's own order: a line in the same place is another's."""
    key = replace(KEY, per="run")
    real = [(one.license_type, one.license_id) for one in _people()]
    in_place = []
    for day in range(20):
        plan = _plan(key, day)
        assert plan.pseudonyms is not None
        behind = {plan.pseudonyms.of_license(*one.key): one.key for one in _people(day)}
        order = [behind[line["licenseId"]] for line in _lines(key, day)]
        in_place += [sum(one == other for one, other in zip(order, before, strict=True)) for before in (real,)]
        real_before = order
    assert sum(in_place) / len(in_place) < 5, "about one in each type, as by chance"
    assert real_before != real


# The holder of a snapshot --------------------------------------------------------------------------------


def _right(lines: list[Line], of_site: Callable[[Decision], str], said: Callable[[Line], str]) -> float:
    """The share of lines whose person somebody guesses who has decided on the snapshot himself.

    He knows what the line of each license would say. Of several that say the same he picks one.
    """
    would_say: dict[str, int] = Counter(map(of_site, _people()))
    return sum(1 / would_say[said(line)] for line in lines if would_say[said(line)]) / len(lines)


def test_who_has_the_snapshot_is_right_as_often_as_the_plan_says() -> None:
    """It is told, not denied: with the key's pseudonyms aside, he can make the plan himself."""
    plan, lines = _plan(KEY), _lines(KEY)
    assert plan.classes is not None
    by_id = {line["licenseId"]: _all_said(line) for line in lines}
    assert plan.pseudonyms is not None
    pseudonym = plan.pseudonyms.of_license
    rate = _right(lines, lambda one: by_id[pseudonym(*one.key)], _all_said)
    assert rate * 1000 == pytest.approx(plan.classes.snapshot_per_mille, abs=0.5)
    exact = _right(_lines(None), lambda one: one.license_id, lambda line: line["licenseId"])
    assert exact == 1.0
    told = " ".join((ROOT / "docs" / "works-council.md").read_text().split())
    assert plan.classes.sentence in told
    assert f"{rate:.1%}".replace("%", " %") in told
    assert f"{plan.classes.classes} classes" in told
    unique = len(Counter(map(_all_said, _lines(None))))
    assert f"{unique} of {PEOPLE}" in told


def test_the_promise_stands_in_the_threat_model() -> None:
    promise = "without a snapshot of that time a line leads to no person more closely than its class"
    assert promise in " ".join((ROOT / "docs" / "threat-model.md").read_text().split()).lower().replace("*", "")
