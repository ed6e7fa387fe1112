"""A site at rest: six analyzer licenses, all unused for long, and the policy that releases them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from seatwarden.engine.common.timestamps import format_instant

LICENSES = 6
ALL = [f"l-{n:02}" for n in range(LICENSES)]
"""The ids of the licenses."""
USERS = [f"user{n:02}" for n in range(LICENSES)]
"""Who holds them, in the same order; all of CORP."""

POLICY = """\
keep "tag" when user.tags = "License do not release"
keep "directory" when user.userDirectory = "INTERNAL"
release analyzer when unused for 30 days
release professional when unused for 30 days
limit release to 1000 per run
"""


def idle_site() -> dict[str, Any]:
    """Users user00, user01 … of CORP, each with an analyzer license unused for 90 days."""
    now = datetime.now(UTC)
    long_ago, created = format_instant(now - timedelta(days=90)), format_instant(now - timedelta(days=400))
    users, rows = [], []
    for n, (license_id, user_id) in enumerate(zip(ALL, USERS, strict=True)):
        user = {"id": f"u-{n:02}", "userId": user_id, "userDirectory": "CORP", "name": f"User {n:02}"}
        facts = {"roles": [], "tags": [], "customProperties": [], "attributes": [], "createdDate": created}
        flags = dict.fromkeys(("inactive", "blacklisted", "removedExternally", "deleteProhibited"), False)
        users.append({**user, **facts, **flags})
        row = {"id": license_id, "createdDate": created, "user": user, "lastUsed": long_ago}
        rows.append({**row, "excess": False, "quarantined": False, "quarantineEnd": "1753-01-01T00:00:00.000Z"})
    return {"users": users, "licenses": {"professional": [], "analyzer": rows}}
