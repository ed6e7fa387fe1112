"""What a journal says when it is read back."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from seatwarden.engine.log.growing import whole_lines
from seatwarden.engine.log.journal_lines import JOURNAL_READER


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
    assert JOURNAL_READER.read(whole_lines(data)).damage == []
    found = Journalled()
    for line in map(json.loads, data.splitlines()):
        match line["kind"]:
            case "intent":
                license_id = line["person"]["licenseId"]
                found.intents[license_id] = found.intents.get(license_id, 0) + 1
            case "outcome":
                found.results[line["person"]["licenseId"]] = line["result"]
                found.details[line["person"]["licenseId"]] = line["person"]["detail"]
            case "seal":
                found.sealed = True
    return found
