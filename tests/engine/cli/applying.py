"""A site with licenses to release, its plan, and what its journal must look like afterwards."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.log.chain import verify_chain

POLICY = """\
keep "tag" when user.tags = "License do not release"
keep "directory" when user.userDirectory = "INTERNAL"
release analyzer when unused for 30 days
release professional when unused for 30 days
limit release to 1000 per run
"""


def idle_site(licenses: int) -> dict[str, Any]:
    """Users user00, user01 … of CORP, each with an analyzer license unused for 90 days."""
    now = datetime.now(UTC)
    long_ago, created = format_instant(now - timedelta(days=90)), format_instant(now - timedelta(days=400))
    users, rows = [], []
    for n in range(licenses):
        user = {"id": f"u-{n:02}", "userId": f"user{n:02}", "userDirectory": "CORP", "name": f"User {n:02}"}
        facts = {"roles": [], "tags": [], "customProperties": [], "attributes": [], "createdDate": created}
        flags = dict.fromkeys(("inactive", "blacklisted", "removedExternally", "deleteProhibited"), False)
        users.append({**user, **facts, **flags})
        row = {"id": f"l-{n:02}", "createdDate": created, "user": user, "lastUsed": long_ago}
        rows.append({**row, "excess": False, "quarantined": False, "quarantineEnd": "1753-01-01T00:00:00.000Z"})
    return {"users": users, "licenses": {"professional": [], "analyzer": rows}}


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
