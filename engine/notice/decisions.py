"""Decisions with what the register of notices says: who was told, and until when nothing is released."""

from collections.abc import Iterable

from msgspec import structs

from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.standing import due_reason, due_ruling, is_due, ruled
from seatwarden.engine.log.lines import Key
from seatwarden.engine.notice.assess import NoticeSite, clause_of, standing_of
from seatwarden.engine.snapshot.model import License, Snapshot


def with_notices(decisions: Iterable[Decision], site: NoticeSite) -> tuple[Decision, ...]:
    """The decisions on a site, in their order; a license that is due is kept until its holder was told in time."""
    rows = rows_of(site.snapshot)
    return tuple(with_notice(decision, rows[decision.key], site) for decision in decisions)


def rows_of(snapshot: Snapshot) -> dict[Key, License]:
    """The license rows of a snapshot, by type and id."""
    return {(license_type, row.id): row for license_type, rows in snapshot.licenses.items() for row in rows}


def with_notice(decision: Decision, row: License, site: NoticeSite) -> Decision:
    """The decision on one license; `row` is as the snapshot has it."""
    if not is_due(decision):
        return decision
    not_before = site.not_before(decision.user, decision.license_type)
    standing = structs.replace(
        decision.standing,
        not_before=str(not_before) if not_before is not None and not_before > site.day.today else "",
        notice=standing_of(decision, row, site) if clause_of(decision) is not None else None,
    )
    if standing == decision.standing:
        return decision
    ruling, reason = ruled(due_ruling(decision.ruling), due_reason(decision), standing, site.day)
    return structs.replace(decision, ruling=ruling, reason=reason, standing=standing)
