"""A plan told from its record has the summary that its decisions have."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.facts.standing import Standing
from seatwarden.engine.log.chain import ChainEnd
from seatwarden.engine.log.decision_lines import RecordedDecision, decision_of, linked_decisions
from seatwarden.engine.log.reader import read_log, recorded_plan
from seatwarden.engine.log.told import told_plan
from seatwarden.engine.log.writer import write_plan
from seatwarden.engine.plan.plan import make_plan
from seatwarden.engine.plan.summary_text import plan_text
from seatwarden.engine.take_back.answer import TakeBack
from seatwarden.grammar.ast import Policy
from seatwarden.grammar.printer import print_policy
from tests.engine.idle import POLICY, idle_site
from tests.engine.log.golden_site import KEY
from tests.engine.support import RECORDING, checked, day_of, plan_of, snapshot_of
from tests.strategies import policies, sites


@given(policies(), sites(), st.booleans())
def test_the_same_text(policy: Policy, site: dict[str, Any], hidden: bool) -> None:
    loaded = checked(print_policy(policy))
    pseudonyms = Pseudonyms(KEY, k=2) if hidden else None
    plan = make_plan(loaded, snapshot_of(site), day_of(loaded), "site", pseudonyms)
    with TemporaryDirectory() as folder:
        write_plan(plan, Path(folder), "", RECORDING)
        log = read_log(Path(folder))
    told, decided = told_plan(log), recorded_plan(log)
    assert plan_text(told, "all") == plan_text(decided, "all")
    for one, other in zip(told.decisions, decided.decisions, strict=True):
        assert one.facts.items() >= other.facts.items(), (
            "told with all facts of the site, also those that no rule reads"
        )
        assert [outcome.truth for outcome in one.outcomes] == [outcome.truth for outcome in other.outcomes]


@pytest.mark.parametrize("said", [True, False])
def test_what_a_line_says_of_a_license_is_said_of_it(said: bool) -> None:
    plan = plan_of(POLICY, idle_site())
    hold = Standing(not_before="2026-12-24")
    back = TakeBack("given back", ("everybody",), ("analyzer",))
    one = msgspec.structs.replace(plan.decisions[0], **({"standing": hold, "take_back": back} if said else {}))
    (line,) = linked_decisions(ChainEnd(), [one], b"s" * 32, iter([b"0" * 16]))
    read = msgspec.json.decode(line, type=RecordedDecision)
    told = decision_of(read, one.ruling, one.reason, one.evaluation)
    assert told == one
