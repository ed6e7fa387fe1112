"""Giving back on a recorded site: what the command does with a run that has released something."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seatwarden.engine.apply.pending import ApplyResult, carry_out, open_journal
from seatwarden.engine.apply.regiver import actions_of_restore
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.runs.restore import SiteShown, check_restorable, find_restorable, pending_restore, seal_restore
from seatwarden.engine.snapshot.model import License, Seats, User
from seatwarden.engine.snapshot.reader import decode_license, decode_user
from seatwarden.grammar.ast import LicenseType
from tests.engine.runs.recorded import RecordedSite
from tests.strategies import as_json


class RestoringQrs:
    """The site of a record, as giving back asks it."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content

    def users(self) -> list[User]:
        return [decode_user(as_json(row), "user") for row in self._content["users"]]

    def user(self, user_id: str) -> User | None:
        return next((user for user in self.users() if user.id == user_id), None)

    def licenses_of(self, license_type: LicenseType, user_id: str) -> list[License]:
        rows = [row for row in self._content["licenses"][license_type] if row["user"]["id"] == user_id]
        return [decode_license(as_json(row), "license") for row in rows]

    def license(self, license_type: LicenseType, license_id: str) -> License | None:
        rows = [row for row in self._content["licenses"][license_type] if row["id"] == license_id]
        return decode_license(as_json(rows[0]), "license") if rows else None

    def delete(self, license_type: LicenseType, license_id: str) -> tuple[int, str]:
        rows = self._content["licenses"][license_type]
        rows[:] = [row for row in rows if row["id"] != license_id]
        return 204, ""

    def seats(self) -> Mapping[LicenseType, Seats]:
        return {"analyzer": Seats(available=99), "professional": Seats(available=99)}

    def allocate(self, license_type: LicenseType, user_id: str) -> tuple[int, str]:
        (user,) = (row for row in self._content["users"] if row["id"] == user_id)
        new = {"id": f"new-{user_id}", "user": user, "lastUsed": "1753-01-01T00:00:00.000Z", "quarantined": False}
        self._content["licenses"][license_type].append(new)
        return 201, ""


def restore(site: RecordedSite, run: Path) -> tuple[Path, ApplyResult]:
    """Gives back all that a run has released: the folder of the restore, and how it ended."""
    plan = read_log(run)
    journal = check_restorable(plan, site.settings.site.url)
    with site.record() as record:
        found = find_restorable(plan, journal, site.state)
        log = seal_restore(found, found.left, SiteShown({}), record, site.state, site.hand)
        pending = pending_restore(log)
        with record.applying(pending):
            open_ = open_journal(pending, site.hand)
            try:
                done = carry_out(
                    pending,
                    actions_of_restore(log, RestoringQrs(site.content), pending.gifts),
                    open_,
                    parallel=1,
                    clock=lambda: site.now,
                    progress=lambda outcome: None,
                )
            finally:
                open_.close()
    return log.folder, done
