"""The personal part of a line: found whatever else is called `person`; there, or erased, and never both."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from seatwarden.engine.errors import DamagedLog
from seatwarden.engine.log.chain import erased, leaf_of
from seatwarden.engine.log.reader import parse_plan
from seatwarden.engine.log.writer import Recording, plan_lines
from seatwarden.engine.plan.plan import Plan
from seatwarden.policy.loading import load_policy
from tests.docs.edits import Line, change
from tests.engine.idle import POLICY, idle_site
from tests.engine.support import plan_of


def _plan(folder: Path, name: str) -> Plan:
    """A plan by a policy that reads a list of that name."""
    (folder / name).write_text("CORP\\user00\n", encoding="utf-8")
    (folder / "p.policy").write_text(
        f"set them from {json.dumps(name)}\nkeep when user = them\nrelease when unused for 30 days\n", encoding="utf-8"
    )
    policy = load_policy(folder / "p.policy")
    return replace(plan_of(policy.tree, idle_site()), policy=policy)


@pytest.mark.parametrize("name", ["person", "prev", "of", "sum"])
def test_a_file_of_the_policy_may_have_any_name(tmp_path: Path, name: str) -> None:
    """A list named `person` was taken for what is about a person, and erasing that cut the line in two."""
    header, *_ = lines = list(plan_lines(_plan(tmp_path, name), Recording(b"s" * 32)))
    assert name in json.loads(header)["policy"]["sources"]
    stub = erased(header[:-1])
    assert leaf_of(stub) == leaf_of(header[:-1])
    said = json.loads(header)
    del said["person"]
    assert {key: value for key, value in json.loads(stub).items() if key != "of"} == said
    log = parse_plan(Path("plan.jsonl"), b"".join([stub + b"\n", *lines[1:]]))
    assert log.header.policy.sources.keys() == {"p.policy", name}


@pytest.mark.parametrize("kind", ["plan", "finding", "decision"])
def test_there_is_the_part_or_what_is_left_of_it(tmp_path: Path, kind: str) -> None:
    """Never both, were every digest right: what is erased would seem to be there."""
    path = tmp_path / "plan.jsonl"
    path.write_bytes(b"".join(plan_lines(plan_of(POLICY, idle_site()), Recording(b"s" * 32))))

    def edit(lines: list[Line]) -> None:
        next(line for line in lines if line["kind"] == kind)["of"] = "0" * 64

    change(path, edit)
    with pytest.raises(DamagedLog, match="it has both `person` and `of`"):
        parse_plan(path, path.read_bytes())
