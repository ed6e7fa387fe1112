"""A site as a past run knew it, for another policy: the snapshot where it was kept, else the facts that were recorded.

A plan records what its own rules read, and some facts of every license. Another policy can be held against it as far
as it reads nothing else: a fact that was not recorded is named, never taken as unknown or as having no value.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

from msgspec import UNSET, Raw, json, structs

from seatwarden.engine.common.text import join_words, plural
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.coarse import Coarsening
from seatwarden.engine.decide.decide import conclude, outcomes_of
from seatwarden.engine.decide.decision import Decision, Evaluated
from seatwarden.engine.decide.pseudonyms import is_personal
from seatwarden.engine.decide.reference import RuleOutcome
from seatwarden.engine.decide.standing import ruled
from seatwarden.engine.facts.day import Day, day_for
from seatwarden.engine.facts.downgrade import by_the_record
from seatwarden.engine.facts.facts import NO_USER, Fact, RecordedFacts
from seatwarden.engine.facts.guards import guard_for
from seatwarden.engine.facts.standing import Standing
from seatwarden.engine.log.decision_lines import RecordedDecision, decision_of
from seatwarden.engine.log.kept import kept_snapshot
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import OpenedLog, opened, read_log
from seatwarden.engine.plan.decide_site import decide_site
from seatwarden.engine.snapshot.model import NOTHING_SPOILED, Licenses, Snapshot, SnapshotFile
from seatwarden.grammar.ast import LICENSE_TYPES, Field, IsEmpty, LicenseType, Rule, Season, UnusedFor, walk
from seatwarden.grammar.printer import print_field
from seatwarden.policy.errors import InputError
from seatwarden.policy.loading import CheckedPolicy
from seatwarden.policy.vocabulary import IN_USE


class SnapshotOfRun(Snapshot):
    """Stands for the snapshot of a run that has not kept it: what the run says of the whole, and no rows."""

    def __init__(self, log: PlanLog) -> None:
        header, signed = log.header, log.summary.signed_key
        site_license = UNSET if signed is None else Raw(json.encode({"signedKey": signed}))
        file = SnapshotFile([], Licenses(), header.snapshot.taken_at, header.site, site_license)
        super().__init__(file, None, NOTHING_SPOILED, header.site_facts)
        self.overview = header.overview
        self._log = log

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the snapshot that was decided on."""
        return self._log.header.snapshot.sha256

    @cached_property
    def held_by_nobody(self) -> int:
        """As it was counted then."""
        return self._log.summary.held_by_nobody


@dataclass(frozen=True, slots=True)
class PastSite:
    """A site as one run knew it. `is_whole`: the snapshot was kept, so any policy can be asked."""

    opened: OpenedLog
    snapshot: Snapshot
    is_whole: bool

    @property
    def source(self) -> str:
        """The site."""
        return self.opened.log.header.site

    @property
    def has_pseudonyms(self) -> bool:
        """Whether people are named by pseudonyms."""
        return self.opened.log.header.pseudonyms is not None

    @property
    def is_coarse(self) -> bool:
        """Whether facts are only as exact as the policy of the run could tell apart: see `engine.decide.coarse`."""
        return self.opened.log.header.period is not None

    @property
    def remarks(self) -> list[str]:
        """What to know of decisions that are made of it."""
        if self.is_whole:
            return []
        erased = len(self.opened.log.erased)
        gone = [f"{plural(erased, 'license')} of this run {'was' if erased == 1 else 'were'} erased and left out"]
        what = "the run has not kept its snapshot: decided from the facts that it recorded, nothing is looked for in it"
        return [what, *(gone if erased else [])]

    def day_for(self, policy: CheckedPolicy, asked: datetime | date | None, timezone: str | None) -> Day:
        """The day to decide for: that of the run. Recorded facts are those of its moment and zone only.

        Raises InputError for another one.
        """
        then = self.opened.day
        day = day_for(policy, then.now if asked is None else asked, timezone)
        if self.is_whole:
            return day
        if day.zone.key != then.zone.key:
            message = f"the run counted days in {then.zone.key}, and this policy counts them in {day.zone.key}"
            raise InputError(message, f"with --timezone {then.zone.key} they are counted as the run did")
        if day.now != then.now:
            message = f"the facts of the run are those of its moment, {format_instant(then.now)}"
            raise InputError(message, f"leave --now out; {_KEEP}")
        return then

    def decide_all(self, policy: CheckedPolicy, day: Day) -> Iterator[Decision]:
        """The decision on every license by another policy. Raises InputError with the facts that are missing."""
        if self.is_whole:
            yield from decide_site(policy, self.snapshot, day)
            return
        same = policy.digest == self.opened.log.header.policy.canonical_sha256
        lines, read, by = self.opened.log.decisions, _read_by_type(policy), self._coarsenings(policy)
        facts = [self._facts(line, read[line.license_type], by) for line in lines]
        if missing := self._missing(read, facts):
            hidden = "people have pseudonyms in it, or " if self.has_pseudonyms else ""
            them = "it" if len(missing) == 1 else "them"
            message = f"the run did not record {join_words(missing)}: {hidden}its policy did not read {them}"
            raise InputError(message, _KEEP)
        for line, known in zip(lines, facts, strict=True):
            if self.is_coarse:
                outcomes = by[line.license_type].outcomes(known)
            else:
                outcomes = outcomes_of(policy, line.license_type, RecordedFacts(known), day)
            yield _decision(line, line.standing if same else _by_the_record(line.standing), known, outcomes, day)

    def missing(self, policy: CheckedPolicy) -> list[str]:
        """The fields that the policy reads and the run has not recorded, each with the types of licenses."""
        if self.is_whole:
            return []
        read, by = _read_by_type(policy), self._coarsenings(policy)
        return self._missing(
            read, [self._facts(line, read[line.license_type], by) for line in self.opened.log.decisions]
        )

    def _coarsenings(self, policy: CheckedPolicy) -> Mapping[LicenseType, Coarsening]:
        """What the policy can tell apart, where only that tells which coarse facts it can be asked on."""
        return {of: Coarsening(policy, of, self.opened.day) for of in LICENSE_TYPES} if self.is_coarse else {}

    def _facts(
        self, line: RecordedDecision, read: Mapping[str, bool], by: Mapping[LicenseType, Coarsening]
    ) -> dict[str, Fact]:
        """What is known of a license: as it was recorded, or as it follows from what stands in every line.

        A coarse fact is known only to a policy that divides its values as that of the run did.
        """
        recorded = self.opened.facts(line)
        if self.is_coarse:
            then, now = self.opened.coarsenings[line.license_type], by[line.license_type]
            of_moment = {name: found for name in _OF_MOMENT if (found := _DERIVED[name](line, self.opened.day))}
            told = {name: recorded[name] for name in read if name in recorded}
            alike = {name: fact for name, fact in told.items() if then.classes_of(name) == now.classes_of(name)}
            return {name: fact for name, fact in {**of_moment, **alike}.items() if name in read}
        known = {name: recorded[name] for name in read if name in recorded and not self._is_hidden(name)}
        for name in read.keys() - known.keys():
            derive = _DERIVED.get(name)
            found = derive(line, self.opened.day) if derive and not self._is_hidden(name) else None
            if found is not None:
                known[name] = found
        return known

    def _is_hidden(self, name: str) -> bool:
        return self.has_pseudonyms and is_personal(name)

    def _missing(self, read: "_Read", facts: Sequence[Mapping[str, Fact]]) -> list[str]:
        """The fields that some line lacks on which a verdict hangs, and of how many licenses."""
        lacking: dict[str, Counter[LicenseType]] = {}
        for line, known in zip(self.opened.log.decisions, facts, strict=True):
            for name, counts in read[line.license_type].items():
                if counts and name not in known:
                    lacking.setdefault(name, Counter())[line.license_type] += 1
        there = Counter(line.license_type for line in self.opened.log.decisions)
        return [_OF_SITE.get(name) or f"`{name}`{_of_which(lacking[name], there)}" for name in sorted(lacking)]


def _of_which(lacking: Counter[LicenseType], there: Counter[LicenseType]) -> str:
    """Of which licenses, where it is not of all."""
    if any(count < there[license_type] for license_type, count in lacking.items()):
        return f" of {plural(lacking.total(), 'license')}"
    return "" if lacking.keys() == there.keys() else f" of {join_words(sorted(lacking))} licenses"


_OF_SITE = {
    IN_USE["user.@"].name: "which custom properties anybody has",
    IN_USE["user.attributes"].name: "which attributes anybody has",
}
"""Facts of the site, for which rules have no name."""
_Read: TypeAlias = dict[LicenseType, dict[str, bool]]


def _read_by_type(policy: CheckedPolicy) -> _Read:
    return {license_type: _read_by(policy, license_type) for license_type in LICENSE_TYPES}


_KEEP = "`plan --keep-snapshot`, or `keepSnapshot: true` in the site file, keeps all facts for next time"


def past_site(folder: Path) -> PastSite:
    """The site as the run in a folder knew it. Raises InputError, DamagedLog."""
    return past_site_of(read_log(folder), folder)


def past_site_of(log: PlanLog, folder: Path) -> PastSite:
    """The same of a run whose plan has been read. Raises InputError, DamagedLog."""
    kept = kept_snapshot(folder, log.header) if folder.is_dir() else None
    if kept is not None:
        told = [line for line in log.decisions if line.about.standing is not UNSET]
        standings = {line.key: _by_the_record(line.standing) for line in told}
        return PastSite(opened(log), kept.with_standings(standings), True)
    return PastSite(opened(log), SnapshotOfRun(log), False)


def _by_the_record(standing: Standing) -> Standing:
    """What it says whatever the policy is: a new one is looked at anew for what is in the way of its downgrades."""
    if standing.downgrade is None:
        return standing
    return structs.replace(standing, downgrade=by_the_record(standing.downgrade))


def _decision(
    line: RecordedDecision, standing: Standing, facts: dict[str, Fact], outcomes: tuple[RuleOutcome, ...], day: Day
) -> Decision:
    concluded = conclude(line.license_type, outcomes, guard_for(line.about.row))
    return decision_of(line, *ruled(*concluded, standing, day), Evaluated(facts, outcomes))


# Facts that a policy reads -------------------------------------------------------------------------------

_UNUSED, _USED, _ALLOCATED = Field("license.unusedDays"), Field("license.lastUsed"), Field("license.createdDate")


def _read_by(policy: CheckedPolicy, license_type: LicenseType) -> dict[str, bool]:
    """The fields that the rules for a type read, by their names in the language: whether a verdict hangs on them."""
    read: dict[str, bool] = {}
    for rule in policy.rules:
        for field, counts in _fields(rule) if rule.applies_to(license_type) else ():
            name = print_field(field)
            read[name] = counts or read.get(name, False)
    return read


def _fields(rule: Rule) -> Iterator[tuple[Field, bool]]:
    for node, _ in walk(rule.condition):
        match node:
            case Season():
                yield Field("today"), True
            case UnusedFor(of_user=True):
                yield from ((node.field, True), (Field("user.lastUsed"), False))
            case UnusedFor():
                yield _UNUSED, True
                yield from ((_USED, False), (_ALLOCATED, False))  # these two only for the words
            case IsEmpty(field):
                yield field, True
                if field.name in IN_USE:
                    yield IN_USE[field.name], True
            case Field():
                yield node, True


_Derive: TypeAlias = Callable[[RecordedDecision, Day], Fact | None]


def _of_user(read: Callable[[RecordedDecision], Fact | None]) -> _Derive:
    def derive(line: RecordedDecision, day: Day) -> Fact | None:
        return read(line) if line.about.row.user in ("known", "doubled") else NO_USER

    return derive


def _name(line: RecordedDecision) -> Fact | None:
    """The name. A line without one does not tell whether it was empty or missing."""
    return (line.about.user_name,) if line.about.user_name else None


def _unused_days(line: RecordedDecision, day: Day) -> Fact | None:
    return (line.about.unused_days,) if line.about.unused_days is not None else None


def _last_used(line: RecordedDecision, day: Day) -> Fact | None:
    """The day of the last use. A line without one is of a license never used, if the days unused are known."""
    about = line.about
    used = day.day_of_timestamp(about.last_used) if about.last_used is not None else None
    if used is not None:
        return (used,)
    return () if about.last_used is None and about.unused_days is not None else None


def _never_used(line: RecordedDecision, day: Day) -> Fact | None:
    used = _last_used(line, day)
    return None if used is None else (not used,)


def _allocated(line: RecordedDecision, day: Day) -> Fact | None:
    """Of a license never used: from that day its days unused are counted. Of others no line tells it."""
    about = line.about
    if about.last_used is not None or about.unused_days is None:
        return None
    return (day.today - timedelta(days=about.unused_days),)


_DERIVED: Mapping[str, _Derive] = {
    "user": _of_user(lambda line: (f"{line.about.user_directory}\\{line.about.user_id}",)),
    "user.userDirectory": _of_user(lambda line: (line.about.user_directory or "",)),
    "user.userId": _of_user(lambda line: (line.about.user_id or "",)),
    "user.name": _of_user(_name),
    "license.type": lambda line, day: (line.license_type,),
    "license.unusedDays": _unused_days,
    "license.lastUsed": _last_used,
    "license.neverUsed": _never_used,
    "license.createdDate": _allocated,
    "today": lambda line, day: (day.today,),
    "month": lambda line, day: (day.today.month,),
    "weekday": lambda line, day: (day.weekday,),
}
"""Facts that follow from what stands in the line of every license, whatever its policy read."""
_OF_MOMENT = ("license.type", "today", "month", "weekday")
"""Those among them that say nothing of a person."""
