"""Policies of the language's first edition mean what they meant.

`tests/data/first-edition.jsonl.gz` was recorded before the second edition had a word: generated sites, and generated
and written policies with their digest, the digest of their JSON form, and what was decided for each license of the
sites: the verdict, because of what, and the number of the rule. It is never written anew.
"""

import hashlib
import json

from seatwarden.engine.decide.decide import decide_all
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.policy.json_form.writer import policy_to_json
from seatwarden.policy.loading import CheckedPolicy, check_text
from tests.engine.support import day_of, snapshot_of
from tests.paths import DATA, EXAMPLES, load_json_lines


def test_first_edition() -> None:
    first, *recorded = load_json_lines(DATA / "first-edition.jsonl.gz")
    snapshots = [snapshot_of(site) for site in first["sites"]]
    assert len(recorded) == 276
    for entry in recorded:
        policy = check_text(entry["text"], "old.policy", EXAMPLES)
        tree = json.dumps(policy_to_json(policy.tree), sort_keys=True)
        assert policy.digest == entry["digest"], entry["text"]
        assert hashlib.sha256(tree.encode()).hexdigest() == entry["json"], entry["text"]
        assert " ".join(_decided(policy, snapshots)) == entry["verdicts"], entry["text"]


def _decided(policy: CheckedPolicy, snapshots: list[Snapshot]) -> list[str]:
    day = day_of(policy)
    return [_told(decision, policy) for snapshot in snapshots for decision in decide_all(policy, snapshot, day)]


def _told(decision: Decision, policy: CheckedPolicy) -> str:
    number = policy.rules.index(decision.rule) if decision.rule else "-"
    return f"{decision.verdict[0]}{decision.because[0]}{number}"
