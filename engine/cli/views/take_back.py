"""What Qlik gives back of the licenses that are due, beside them: shown only where the site has license rules."""

from collections.abc import Iterable, Iterator
from typing import Any, Self

from msgspec import to_builtins

from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import printable
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.snapshot.model import Snapshot, UserReference
from seatwarden.engine.take_back.take_back import TakeBack, TakeBacks, count_take_backs

MOST_REASONS = 3
"""Most reasons for which nobody can say that are told below the counts."""


class TakeBackView:
    """The license rules of a snapshot, asked about decisions on its licenses."""

    column = Column("Given back by", least=12, leaves=2)

    def __init__(self, take_backs: TakeBacks, snapshot: Snapshot) -> None:
        self._take_backs = take_backs
        self._holders = {
            (license_type, row.id): row.user.id
            for license_type, rows in snapshot.licenses.items()
            for row in rows
            if isinstance(row.user, UserReference)
        }

    @classmethod
    def on(cls, snapshot: Snapshot) -> Self | None:
        """The view of a snapshot; None where it has no license rules, or none that gives anything."""
        take_backs = TakeBacks(snapshot)
        return cls(take_backs, snapshot) if take_backs.rules.rules else None

    def of(self, decision: Decision) -> TakeBack | None:
        """What becomes of a license that is due; None for one that is not."""
        if decision.ruling.verdict != "release":
            return None
        return self._take_backs.of(self._holders.get(decision.key, ""), decision.license_type)

    def cell(self, decision: Decision) -> str:
        """The same in few words."""
        found = self.of(decision)
        if found is None:
            return ""
        words = {"given back": ", ".join(found.rules), "not given back": "no rule", "cannot say": "cannot say"}
        return printable(words[found.answer])

    def sentence(self, decision: Decision) -> str | None:
        """The same as a sentence."""
        found = self.of(decision)
        return found.describe() if found else None

    def lines(self, decisions: Iterable[Decision]) -> list[str]:
        """The licenses that are due, counted: three numbers that add up, and why nobody can say. Empty without any."""
        counts = count_take_backs(self._due(decisions))
        if not counts.total:
            return []
        reasons = list(counts.reasons.items())
        shown = [f"  cannot say of {count:,}: {reason}" for reason, count in reasons[:MOST_REASONS]]
        left = sum(count for _, count in reasons[MOST_REASONS:])
        more = [f"  cannot say of {left:,} more, for other reasons"] if left else []
        return [*map(printable, (counts.describe("due"), *shown, *more))]

    def to_json(self, decisions: Iterable[Decision]) -> dict[str, Any]:
        """The counts, and the answer for each license that is due, as JSON."""
        due = [decision for decision in decisions if decision.ruling.verdict == "release"]
        counts = count_take_backs(self._due(due))
        licenses = [
            {"licenseId": one.license_id, "licenseType": one.license_type, **to_builtins(self.of(one))} for one in due
        ]
        numbers = {"notGivenBack": counts.not_given_back, "givenBack": counts.given_back}
        return {**numbers, "cannotSay": counts.cannot_say, "licenses": licenses}

    def _due(self, decisions: Iterable[Decision]) -> Iterator[TakeBack]:
        return (found for decision in decisions if (found := self.of(decision)) is not None)
