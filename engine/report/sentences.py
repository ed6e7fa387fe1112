"""The report's sentences: what will happen, or what did."""

from collections import Counter
from collections.abc import Iterator, Sequence

from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.log.journal import JournalState
from seatwarden.engine.log.lines import Summary
from seatwarden.engine.log.reader import RecordedPlan
from seatwarden.engine.report.charts import Histogram, Pool
from seatwarden.engine.report.outcomes import LicenseOutcome
from seatwarden.grammar.ast import LICENSE_TYPES


def headline(journal: JournalState | None, outcomes: Sequence[LicenseOutcome]) -> str:
    """The one sentence that a reader takes away."""
    count = Counter(outcomes)
    if journal is not None:
        released = count["released"]
        return f"{_licenses(released)} {_were(released)} released".capitalize()
    if count["over the limit"]:
        return "Nothing will be released: the plan is over its limit"
    planned = count["to release"]
    return f"{_licenses(planned)} would be released" if planned else "No license would be released"


def sentences(plan: RecordedPlan, journal: JournalState | None, outcomes: Sequence[LicenseOutcome]) -> list[str]:
    """The sentences of the page: how the run ended or will end, and all else that an administrator should know."""
    told = _planned(plan, outcomes) if journal is None else _applied(plan, journal, outcomes)
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


def _planned(plan: RecordedPlan, outcomes: Sequence[LicenseOutcome]) -> Iterator[str]:
    summary, count = plan.log.summary, Counter(outcomes)
    everything = f"{_licenses(summary.licenses)} {_are(summary.licenses)} allocated"
    if count["over the limit"]:
        yield f"{everything}; {summary.release:,} of them {_are(summary.release)} due."
        yield from (f"Over the limit: {sentence}." for sentence in summary.over_limit)
        remedy = f" What helps: {summary.remedy}." if summary.remedy else ""
        yield f"As it stands this plan cannot be applied: over the limit nothing at all is released.{remedy}"
        return
    if count["to release"]:
        yield f"{everything}; {_by_type(plan, outcomes, 'to release')} would be released, {summary.keep:,} kept."
    else:
        yield f"{everything}, and all are kept."
    if one := count["waits"]:
        waiting = "is due and waits" if one == 1 else "are due and wait"
        yield f"{one:,} more {waiting} for later runs: a limit takes the longest unused first."
    yield "Nothing has been released so far: this is a plan."


def _applied(plan: RecordedPlan, journal: JournalState, outcomes: Sequence[LicenseOutcome]) -> Iterator[str]:
    summary, count = plan.log.summary, Counter(outcomes)
    yield (
        f"{_licenses(summary.licenses)} were allocated; "
        f"{_by_type(plan, outcomes, 'released') or 'no license'} {_were(count['released'])} released, "
        f"{summary.keep:,} were kept."
    )
    if one := count["gone"]:
        yield f"{_licenses(one)} {_were(one)} gone already when we came to delete {'it' if one == 1 else 'them'}."
    if one := count["skipped"]:
        yield f"{_licenses(one)} {_were(one)} skipped, because a fact had changed since the plan was made."
    if one := count["failed"]:
        yield f"{_licenses(one)} could not be released. Apply the plan again: only these are tried again."
    if one := count["unknown"]:
        yield f"What became of {_licenses(one)} is not known yet. Apply the plan again: Qlik Sense is asked."
    if one := count["to release"]:
        yield f"{_licenses(one)} of this run {_are(one)} still to be released: the run has not ended."
    if one := count["waits"]:
        yield f"{one:,} more {_were(one)} due and left to later runs by a limit."
    if not journal.sealed:
        yield "The journal of this run is not closed: it is under way, or was interrupted."


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
    if lose:
        people = plural(lose, "user")
        yield f"{people} {'were' if applied else 'are'} due to lose every license they hold."
    if both:
        yield f"{plural(both, 'user')} {'holds' if both == 1 else 'hold'} both license types."
    if summary.signed_key:
        yield (
            "This site runs on a signed license key. If other sites share it, a license that is released here is "
            "released there too."
        )


def pool_words(pool: Pool) -> str:
    """The picture of a pool, for who does not see it."""
    parts = [f"{segment.before:,} {segment.label}" for segment in pool.segments]
    return f"{pool.before:,} {pool.license_type} licenses: {join_words(parts)}. {pool.after:,} allocated afterwards."


def histogram_words(histogram: Histogram) -> str:
    """The picture of disuse, for who does not see it."""
    days = [f"{mark.value:,}" for mark in histogram.thresholds]
    unknown = f" Of {_licenses(histogram.unknown)} the last use is unknown." if histogram.unknown else ""
    if not days:
        return f"No release rule for this type speaks of days unused.{unknown}"
    due = sum(bar.release for bar in histogram.bars)
    threshold = "1 day" if days[0] == "1" else f"{days[0]} days"
    return f"{histogram.beyond:,} not used for {threshold} or longer; {due:,} due for release.{unknown}"


def _by_type(plan: RecordedPlan, outcomes: Sequence[LicenseOutcome], wanted: LicenseOutcome) -> str:
    """`8 professional and 4 analyzer licenses`."""
    counts = Counter(d.license_type for d, outcome in zip(plan.decisions, outcomes, strict=True) if outcome == wanted)
    parts = [f"{counts[license_type]:,} {license_type}" for license_type in LICENSE_TYPES if counts[license_type]]
    noun = "license" if sum(counts.values()) == 1 else "licenses"
    return f"{join_words(parts)} {noun}" if parts else ""


def _licenses(count: int) -> str:
    return plural(count, "license") if count else "no license"


def _are(count: int) -> str:
    return "is" if count <= 1 else "are"


def _were(count: int) -> str:
    return "was" if count <= 1 else "were"
