"""What a journal says when it is read back."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from seatwarden.engine.log.chain import verify_chain


@dataclass
class Journalled:
    """What a journal says of each license: its intents and its outcomes, in order."""

    intents: dict[str, int] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    sealed: bool = False


def read_outcomes(folder: Path) -> Journalled:
    """The journal in a run folder, which must verify."""
    data = (folder / "outcomes.jsonl").read_bytes()
    assert verify_chain(data, sealed=False) == []
    found = Journalled()
    for line in map(json.loads, data.splitlines()):
        match line["kind"]:
            case "intent":
                found.intents[line["licenseId"]] = found.intents.get(line["licenseId"], 0) + 1
            case "outcome":
                found.results[line["licenseId"]] = line["result"]
                found.details[line["licenseId"]] = line["detail"]
            case "seal":
                found.sealed = True
    return found
