"""What Qlik gives back of the licenses that are due: found when a plan is made, and part of its record."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET, Raw, Struct, structs

from seatwarden.engine.common.tables import Column
from seatwarden.engine.common.text import printable
from seatwarden.engine.decide.decision import Decision
from seatwarden.engine.decide.standing import is_due
from seatwarden.engine.snapshot.model import Snapshot
from seatwarden.engine.take_back.answer import TakeBack, named_rules

GIVEN_BACK_BY = Column("Given back by", least=12, leaves=2)
"""The column beside licenses that are due, where the site has license rules."""
MOST_REASONS = 3
"""Most reasons for which nobody can say that are told below the counts."""


class TakeBackCounts(Struct, frozen=True, rename="camel"):
    """How many of the licenses that a plan releases Qlik gives back: three numbers that add up."""

    not_given_back: int
    given_back: int
    cannot_say: int


def gives_licenses(snapshot: Snapshot) -> bool:
    """Whether the snapshot has license rules that give anything."""
    if snapshot.license_rules in (UNSET, Raw(b"[]")):
        return False
    from seatwarden.engine.take_back.take_back import take_backs_of  # their grammar: most snapshots have none

    return bool(take_backs_of(snapshot).rules.rules)


def with_take_backs(decisions: Sequence[Decision], snapshot: Snapshot) -> tuple[Decision, ...]:
    """The decisions; those that are due with what the license rules of the site give back, where it has any."""
    if not gives_licenses(snapshot):
        return tuple(decisions)
    from seatwarden.engine.take_back.take_back import take_backs_of

    asked = take_backs_of(snapshot)
    return tuple(
        [
            structs.replace(decision, take_back=asked.of_license(*decision.key)) if is_due(decision) else decision
            for decision in decisions
        ]
    )


def count_take_backs(decisions: Iterable[Decision]) -> TakeBackCounts | None:
    """The answers for all releases, counted; None where there are none."""
    answers = Counter(found.answer for found in _of_releases(decisions))
    if not answers:
        return None
    return TakeBackCounts(answers["not given back"], answers["given back"], answers["cannot say"])


def take_back_lines(counts: TakeBackCounts, decisions: Iterable[Decision]) -> list[str]:
    """The counts in words, with the rules by name, and why nobody can say. Of decisions that were erased since, the
    counts are all that is left."""
    rules, reasons = Counter[str](), Counter[str]()
    for found in _of_releases(decisions):
        rules.update(found.rules if found.answer == "given back" else ())
        reasons.update([found.reason] if found.answer == "cannot say" else ())
    by = f" ({named_rules([name for name, _ in rules.most_common()])})" if rules else ""
    parts = [f"{counts.not_given_back:,} not given back by a rule"] * bool(counts.not_given_back)
    parts += [f"{counts.given_back:,} given back if they log in{by}"] * bool(counts.given_back)
    parts += [f"{counts.cannot_say:,} cannot say"] * bool(counts.cannot_say)
    total = counts.not_given_back + counts.given_back + counts.cannot_say
    told, left = reasons.most_common(MOST_REASONS), sum(reasons.values())
    shown = [f"  cannot say of {count:,}: {reason}" for reason, count in told]
    left -= sum(count for _, count in told)
    more = [f"  cannot say of {left:,} more, for other reasons"] if left else []
    return [*map(printable, (f"{total:,} due: {', '.join(parts)}", *shown, *more))]


def take_back_cell(decision: Decision) -> str:
    """What becomes of a license that is due, in few words; empty where nothing is said."""
    found = decision.take_back
    return printable(found.brief) if found is not None else ""


def _of_releases(decisions: Iterable[Decision]) -> Iterator[TakeBack]:
    return (one.take_back for one in decisions if one.take_back is not None and one.takes)
