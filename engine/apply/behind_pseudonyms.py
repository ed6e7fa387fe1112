"""Applying a plan with pseudonyms: whose row a line is, and whether what the plan says of it still holds.

The rows are found by the pseudonyms of all rows that the site has now. What a line says is compared with the row as
the plan would have said it at its own moment: coarse facts with coarse facts.
"""

import re
from collections.abc import Mapping

from seatwarden.engine.common.timestamps import parse_timestamp
from seatwarden.engine.decide.decide import decide
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.disguise import Disguise
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.decide.withheld import is_withheld, mark_of
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.facts.facts import OF_SITE, subject_of
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.snapshot.model import License, Snapshot, UserReference
from seatwarden.engine.snapshot.unknown import Unknown
from seatwarden.grammar.ast import LicenseType

_OF_USE = ("license.unusedDays", "license.lastUsed", "user.unusedDays", "user.lastUsed")
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def lacking_key(plan: RecordedPlan, pseudonyms: Pseudonyms | None) -> str | None:
    """Why a plan with pseudonyms cannot be applied: its key is not at hand, or it is of format 1. None where it can."""
    wanted = plan.header.pseudonyms
    if wanted is None:
        return None
    if plan.header.period is None:
        return "the plan has pseudonyms of an older form, which is not applied any more; make a new plan"
    if pseudonyms is None or pseudonyms.key_id != wanted:
        return "the plan has pseudonyms, and the key that it was made with is not at hand"
    return None


def check_key(plan: RecordedPlan, pseudonyms: Pseudonyms | None) -> None:
    """Raises PlanRefused where a plan with pseudonyms cannot be applied."""
    lacking = lacking_key(plan, pseudonyms)
    if lacking is not None:
        raise PlanRefused(lacking)


class BehindPseudonyms:
    """The rows of a site behind the lines of a plan with pseudonyms."""

    def __init__(self, plan: RecordedPlan, pseudonyms: Pseudonyms) -> None:
        self._plan = plan
        self._pseudonyms = pseudonyms.of_period(plan.header.period)
        self._then = Disguise(self._pseudonyms, plan.policy, plan.day)

    def rows(self, licenses: Mapping[LicenseType, list[License]]) -> dict[Key, License]:
        """The rows by the keys that the plan has for them."""
        known = {decision.key for decision in self._plan.decisions}
        found = {
            (license_type, self._pseudonyms.of_license(license_type, row.id)): row
            for license_type, rows in licenses.items()
            for row in rows
        }
        return {key: row for key, row in found.items() if key in known}

    def unused_days(self, licenses: Mapping[LicenseType, list[License]]) -> dict[Key, int]:
        """The exact days without use at the plan's moment, which its lines do not say; unknown ones are left out."""
        snapshot = Snapshot.of([], licenses)
        found = {}
        for key, row in self.rows(licenses).items():
            unused = subject_of(snapshot, key[0], row, self._plan.day).unused_days
            if not isinstance(unused, Unknown):
                found[key] = unused
        return found

    def still_holds(self, planned: Decision, snapshot: Snapshot, row: License) -> bool:
        """Whether all that the plan says of a row holds, and nobody has used it since.

        What does not hold any more is not told: it would say of one person what the plan says of a class.
        """
        exact = decide(self._plan.policy, snapshot, planned.license_type, row, self._plan.day)
        then = self._then.of_decision(exact)
        used = parse_timestamp(row.last_used) if isinstance(row.last_used, str) else None
        if used is not None and used > self._plan.day.now and not exact.facts.keys().isdisjoint(_OF_USE):
            return False
        if is_withheld(planned):
            return mark_of(self._then.withheld(then)) == mark_of(planned)
        same_row = (then.user, then.row_state) == (planned.user, planned.row_state)
        # Those of the site stand in the plan's header, and hold for all of its licenses.
        return same_row and all(then.facts.get(name) == planned.facts[name] for name in planned.facts.keys() - OF_SITE)

    @staticmethod
    def without_ids(text: str, row: License | None) -> str:
        """A message about a request for a row, without the ids of QRS in it."""
        ids = [row.id] if row is not None else []
        if row is not None and isinstance(row.user, UserReference):
            ids.append(row.user.id)
        for one in ids:
            text = re.sub(rf"(?<![\w-]){re.escape(one)}(?![\w-])", "(id)", text)
        return _GUID.sub("(id)", text)
