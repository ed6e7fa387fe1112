"""Downgrading: somebody is given an Analyzer license, and then loses the Professional one. The second look is that of a
release: the license and all facts are read again, and decided on by the same policy, before and after it is given."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

from seatwarden.engine.apply.actions import ActionOf
from seatwarden.engine.apply.apply import PendingApply
from seatwarden.engine.apply.exchange import Exchange, ExchangeRows, QrsToExchange
from seatwarden.engine.apply.releaser import Qrs, Release
from seatwarden.engine.log.journal import Gift
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.results import OutcomeKind
from seatwarden.engine.plan.downgrades import reserved_in
from seatwarden.engine.snapshot.model import License, UserReference
from seatwarden.grammar.ast import DOWNGRADED_TO


class QrsToApply(Qrs, QrsToExchange, Protocol):
    """The calls that applying a plan makes to QRS; all methods raise RemoteError."""


class Downgrade(Exchange):
    """The action of downgrading licenses of a plan. `release` is that of its releases, whose second look it has."""

    done: ClassVar[OutcomeKind] = "downgraded"
    overtaken: ClassVar[OutcomeKind] = "downgraded"

    def __init__(self, release: Release, qrs: QrsToApply, gifts: Mapping[Key, Gift | None], reserved: int = 0) -> None:
        super().__init__(qrs, DOWNGRADED_TO, gifts, reserved)
        self._release = release
        self._people: dict[Key, str] = {}

    def prepare(self, keys: Sequence[Key]) -> None:
        """Reads what the second look needs."""
        self._release.prepare(keys)

    def line_of(self, key: Key) -> int:
        """The line of the plan that decides on the license."""
        return self._release.line_of(key)

    def user_of(self, key: Key) -> str:
        """Whose license it is, as the plan says it."""
        return self._release.user_of(key)

    def _row_to_take(self, key: Key) -> Key:
        return key

    def _person(self, key: Key, taken: License | None) -> str | None:
        if taken is not None and isinstance(taken.user, UserReference):
            self._people.setdefault(key, taken.user.id)
        return self._people.get(key)

    def _changed(self, key: Key, rows: ExchangeRows) -> str | None:
        gift = self._gifts.get(key)
        ours = {gift.license_id} if gift is not None and gift.result == "given" and gift.license_id else set()
        if self._is_open(key):  # there was none before the POST that was sent
            ours = {row.id for row in rows.given}
        return self._release.second_look(key, rows.taken, ours)


def actions_of_plan(release: Release, qrs: QrsToApply, pending: PendingApply) -> ActionOf:
    """The action for each license of a plan."""
    downgraded = {decision.key for decision in pending.plan.decisions if decision.verdict == "downgrade"}
    if not downgraded:
        return lambda key: release
    reserved = reserved_in(dict.fromkeys((*pending.plan.limits, *pending.limits)))
    downgrade = Downgrade(release, qrs, pending.gifts, reserved)
    return lambda key: downgrade if key in downgraded else release
