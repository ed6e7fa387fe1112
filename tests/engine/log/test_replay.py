"""Deciding a plan again: the fast evaluator finds what the reference finds, whatever was made of the record."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import split_lines
from seatwarden.engine.log.replay import Replayed, replay
from seatwarden.engine.log.run_folder import PLAN_FILE
from seatwarden.engine.log.writer import write_plan
from seatwarden.grammar.ast import Policy
from tests.engine.log.forging import relinked
from tests.engine.support import RECORDING, plan_of
from tests.strategies import policies, sites


def _asked(folder: Path, *, reference: bool) -> Replayed | list[str]:
    """What replay says, or what is damaged."""
    try:
        return replay(folder, reference=reference)
    except DamagedLog as damaged:
        return [str(damage) for damage in damaged.damage]


@given(policies(), sites(), st.data())
def test_fast_is_reference(policy: Policy, site: dict[str, Any], data: st.DataObject) -> None:
    """Facts of one decision are given to another, and verdicts turned, with every digest put right."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        path = write_plan(plan_of(policy, site), folder, "", RECORDING)
        assert _asked(folder, reference=False) == _asked(folder, reference=True)
        lines = [msgspec.json.decode(line) for line in split_lines(path.read_bytes())]
        decisions = [line for line in lines if line["kind"] == "decision"]
        if not decisions:
            return
        pick = st.sampled_from(decisions)
        one, other = data.draw(pick), data.draw(pick)
        facts = other["person"]["facts"]
        changed = data.draw(st.sets(st.sampled_from(sorted(facts)))) if facts else set()
        one["person"]["facts"] |= {key: facts[key] for key in changed if key in one["person"]["facts"]}
        if data.draw(st.booleans()):
            one["verdict"], one["because"] = other["verdict"], other["because"]
        (folder / PLAN_FILE).write_bytes(relinked(lines, own=False))
        assert _asked(folder, reference=False) == _asked(folder, reference=True)
