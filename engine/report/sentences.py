"""The report's sentences: what will happen, or what did."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET

from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.decide.states import LicenseState
from seatwarden.engine.log.journal import JournalState
from seatwarden.engine.log.lines import Summary
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.log.restored import REGRETTED_WITHIN, GivenBack
from seatwarden.engine.plan.waiting import CANNOT, NoticeCounts
from seatwarden.engine.report.histogram import Histogram
from seatwarden.engine.report.pool import Pool
from seatwarden.grammar.ast import LICENSE_TYPES


def headline(plan: RecordedPlan, journal: JournalState | None, states: Sequence[LicenseState]) -> str:
    """The one sentence that a reader takes away."""
    count, waiting = Counter(states), waiting_in(plan.log.summary)
    if journal is not None:
        released, downgraded = count["released"], count["downgraded"]
        also = f", {downgraded:,} downgraded" if downgraded else ""
        return f"{_licenses(released)} {_were(released)} released{also}".capitalize()
    if plan.is_stopped:
        return "Nothing is released: a fact has changed for very many users"
    if count["in this run"]:
        return f"{_licenses(count['in this run'])} would be released"
    if not count["due"] and waiting:
        return f"Nothing is released: {_licenses(waiting)} {_wait(waiting)} for notice"
    if count["due"]:
        return (
            f"Nothing will be released: {_licenses(count['due'])} {_are(count['due'])} due, more than the limit allows"
        )
    return "No license is due"


def sentences(plan: RecordedPlan, journal: JournalState | None, states: Sequence[LicenseState]) -> list[str]:
    """The sentences of the page: how the run ended or will end, and all else that an administrator should know."""
    told = _planned(plan, states) if journal is None else _applied(plan, journal, states)
    return [*told, *_notes(plan.log.summary, journal is not None), *_erased(plan, journal)]


def _erased(plan: RecordedPlan, journal: JournalState | None) -> Iterator[str]:
    """What is missing on the page, since somebody was erased from the record."""
    gone = plan.log.erased
    if not gone:
        return
    results = Counter(journal.outcomes[line.n].result for line in gone if line.n in journal.outcomes) if journal else {}
    ends = f" Of these {join_words([f'{count:,} ended as {result}' for result, count in results.items()])}."
    verdicts = Counter(line.verdict for line in gone)
    decided = join_words([f"{count:,} {verdict}" for verdict, count in sorted(verdicts.items())])
    yield (
        f"{_licenses(len(gone))} {_were(len(gone))} erased from the record since ({decided}): the totals of the plan "
        f"count {'it' if len(gone) == 1 else 'them'}, lists and pictures do not.{ends if results else ''}"
    )


def _planned(plan: RecordedPlan, states: Sequence[LicenseState]) -> Iterator[str]:
    summary, count = plan.log.summary, Counter(states)
    yield f"{_licenses(summary.licenses)} {_are(summary.licenses)} allocated.".capitalize()
    if (one := count["due"]) and count["in this run"]:
        waiting = "is due and waits" if one == 1 else "are due and wait"
        yield f"{one:,} more {waiting} for later runs: a limit takes the longest unused first."
    elif one:
        yield "Over the limit nothing at all is released."


def _applied(plan: RecordedPlan, journal: JournalState, states: Sequence[LicenseState]) -> Iterator[str]:
    summary, count = plan.log.summary, Counter(states)
    yield (
        f"{_licenses(summary.licenses)} {_were(summary.licenses)} allocated; "
        f"{_by_type(plan, states, 'released') or 'no license'} {_were(count['released'])} released, "
        f"{summary.keep:,} {_were(summary.keep)} kept."
    )
    if one := count["downgraded"]:
        yield f"{_licenses(one)} {_were(one)} taken, and an Analyzer license given in the place of each."
    if one := count["left"]:
        yield f"{_licenses(one)} {_were(one)} left beside the Analyzer license that was given: look at each."
    if one := count["gone"]:
        yield f"{_licenses(one)} {_were(one)} gone already when we came to delete {'it' if one == 1 else 'them'}."
    if one := count["skipped"]:
        yield f"{_licenses(one)} {_were(one)} skipped, because a fact had changed since the plan was made."
    if one := count["failed"]:
        yield f"{_licenses(one)} could not be released. Apply the plan again: only these are tried again."
    if one := count["unknown"]:
        yield f"What became of {_licenses(one)} is not known yet. Apply the plan again: Qlik Sense is asked."
    if one := count["in this run"]:
        yield f"{_licenses(one)} {_are(one)} still in this run: it has not ended."
    if one := count["due"]:
        yield f"{one:,} more {_were(one)} due and left to later runs by a limit."
    if not journal.sealed:
        yield "The journal of this run is not closed: it is under way, or was interrupted."


def regret_words(undone: Iterable[GivenBack]) -> Iterator[str]:
    """What was given back since, and how much of it so soon that its release is regretted."""
    restored = [one for one in undone if one.result == "restored"]
    soon = sum(one.is_regretted for one in restored)
    if restored:
        days = f"{REGRETTED_WITHIN.days} days"
        if soon == len(restored):
            within = f"within {days} of the release"
        else:
            within = f"{f'{soon:,} of them' if soon else 'none of them'} within {days} of the release"
        yield f"{_licenses(len(restored))} {_were(len(restored))} given back since, {within}."


def _notes(summary: Summary, applied: bool) -> Iterator[str]:
    undetermined, both, lose = summary.undetermined, summary.hold_both_types, summary.lose_every_license
    if undetermined:
        yield (
            f"{_licenses(undetermined)} {_are(undetermined)} undetermined: a fact is missing or unreadable, "
            "and unknown never releases."
        )
    quarantined = sum(counts.quarantined for counts in summary.by_type.values())
    if quarantined:
        them = "it" if quarantined == 1 else "them"
        yield f"{_licenses(quarantined)} {_are(quarantined)} in quarantine: Qlik Sense has taken {them} back already."
    held = sum(counts.held for counts in summary.by_type.values() if counts.held is not UNSET)
    if held:
        yield f"{_licenses(held)} {_are(held)} due and held: somebody asked to keep {'it' if held == 1 else 'them'}."
    if summary.notice is not UNSET and summary.notice.waiting:
        yield _waiting_words(summary.notice)
    if lose:
        yield f"{plural(lose, 'user')} {(_were if applied else _are)(lose)} due to lose every license they hold."
    if both:
        yield f"{plural(both, 'user')} {'holds' if both == 1 else 'hold'} both license types."
    if summary.signed_key:
        yield (
            "This site runs on a signed license key. If other sites share it, a license that is released here is "
            "released there too."
        )


def waiting_in(summary: Summary) -> int:
    """How many licenses wait for a notice."""
    return summary.notice.waiting if summary.notice is not UNSET else 0


def _waiting_words(counts: NoticeCounts) -> str:
    """A sentence on those who wait for a notice."""
    parts = [f"{counts.told:,} told"] if counts.told else []
    if counts.to_tell:
        later = counts.to_tell - counts.this_run
        parts.append(f"{counts.to_tell:,} to be told" + (f" ({later:,} {_wait(later)} for the limit)" if later else ""))
    parts += [f"{counts.later:,} told not long ago, to be told again later"] if counts.later else []
    if cannot := counts.cannot_tell:
        why = ", ".join(f"{count:,} {CANNOT[reason]}" for reason, count in cannot.items())
        parts.append(f"{sum(cannot.values()):,} that cannot be told ({why})")
    many = f" {counts.came_back:,} of them came back each time that they were told." if counts.came_back else ""
    waiting = counts.waiting
    return f"{_licenses(waiting)} {_are(waiting)} due and {_wait(waiting)} for notice: {join_words(parts)}.{many}"


def _wait(count: int) -> str:
    return "waits" if count == 1 else "wait"


def pool_words(pool: Pool) -> str:
    """The picture of a pool, for who does not see it."""
    parts = [f"{row.before:,} {row.label}" for row in pool.rows]
    before, after = pool.allocated
    limit = f" {limit_words(pool).capitalize()}." if pool.limit else ""
    allocated = f"{before:,} {pool.license_type} licenses allocated, {after:,} afterwards"
    return f"{allocated}: {join_words(parts) or 'none'}.{limit}"


def limit_words(pool: Pool) -> str:
    """The limit that is drawn into the picture; empty where all that is due fits."""
    if pool.limit is None:
        return ""
    return f"the limit allows {pool.limit.allowed:,}{'' if pool.limit.license_type else ' of both types'}"


def seats_words(pool: Pool) -> str:
    """The site's own numbers, as Qlik Sense told them when the snapshot was taken; empty where it did not."""
    if pool.seats is None:
        return ""
    numbers = (
        ("in all", pool.seats.total), ("allocated", pool.seats.allocated), ("free", pool.seats.available),
        ("in quarantine", pool.seats.quarantined), ("too many", pool.seats.excess or None),
    )  # fmt: skip
    return ", ".join(f"{number:,} {word}" for word, number in numbers if number is not None)


def histogram_words(histogram: Histogram) -> str:
    """The picture of disuse, for who does not see it."""
    days = [f"{mark.value:,}" for mark in histogram.thresholds]
    unknown = "".join(_unknown_use(histogram))
    if not days:
        return f"No release rule for this type speaks of days unused; {histogram.due:,} due.{unknown}"
    threshold = "1 day" if days[0] == "1" else f"{days[0]} days"
    due = f"{histogram.due:,} due"
    if histogram.spared:
        due += f", {histogram.spared:,} of them held or waiting for notice"
    return f"{histogram.beyond:,} not used for {threshold} or longer; {due}.{unknown}"


def _unknown_use(histogram: Histogram) -> Iterator[str]:
    if count := histogram.unknown - histogram.withheld:
        yield f" Of {_licenses(count)} the last use is not known."
    if histogram.withheld:
        yield f" Of {_licenses(histogram.withheld)} the last use is withheld."


def others_words(histogram: Histogram) -> str:
    """What other thresholds would do; empty where none was tried, or there is no license.

    Of as many licenses it is not said that they are others: mostly they are the same.
    """
    if not histogram.others or not histogram.licenses:
        return ""
    differ = [f"{other.due:,} with {other.days:,} days" for other in histogram.others if other.due != histogram.due]
    alike = join_words([f"{other.days:,}" for other in histogram.others if other.due == histogram.due], "or")
    if not differ:
        many = "as many licenses would be due" if histogram.due else "no license would be due, either"
        return f"With {alike} days {many}."
    as_many = f"; as many as now with {alike} days" if alike else ""
    return f"With another threshold other licenses would be due: {join_words(differ)}{as_many}."


def _by_type(plan: RecordedPlan, states: Sequence[LicenseState], wanted: LicenseState) -> str:
    """`8 professional and 4 analyzer licenses`."""
    counts = Counter(d.license_type for d, state in zip(plan.decisions, states, strict=True) if state == wanted)
    parts = [f"{counts[license_type]:,} {license_type}" for license_type in LICENSE_TYPES if counts[license_type]]
    noun = "license" if sum(counts.values()) == 1 else "licenses"
    return f"{join_words(parts)} {noun}" if parts else ""


def _licenses(count: int) -> str:
    return plural(count, "license") if count else "no license"


def _are(count: int) -> str:
    return "is" if count <= 1 else "are"


def _were(count: int) -> str:
    return "was" if count <= 1 else "were"
