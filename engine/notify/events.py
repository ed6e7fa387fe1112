"""Events, which notifications tell of: counts, places, sentences; people's names only for those who ask for them.

Names, messages and paths come from outside. Whatever is shown becomes one printable line here, once for all
destinations, so that none can forge a line, a header or a direction of reading.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import PurePath
from typing import Any

from seatwarden.engine.common.seals import Seals
from seatwarden.engine.common.text import in_days, one_line, plural
from seatwarden.engine.common.timestamps import format_instant
from seatwarden.engine.decide.states import counts_by_type
from seatwarden.engine.site.notifications import EventKind
from seatwarden.grammar.ast import LicenseType

MAX_PEOPLE = 50
"""Most people that one notification names; the run folder has them all."""
MAX_FINDINGS = 20
"""Most findings that one notification tells."""
MAX_SUBJECT = 150
MAX_LINE = 1_000
MAX_NAME = 100
"""Most characters of a subject, of a line, of a person's name."""


@dataclass(frozen=True, slots=True)
class FindingWords:
    """A finding as it is told: its code, its kind and place, and the whole sentence, which may name people."""

    code: str
    kind: str
    sentence: str = field(repr=False)

    def text(self, people: bool) -> str:
        """One line, with the names in it or without."""
        return one_line(f"{self.code}: {self.sentence if people else self.kind}", MAX_LINE)


@dataclass(frozen=True, slots=True)
class PersonTold:
    """Somebody who was told of a release, or is to be, or whose notice has ended: `state` says which, in a word or two;
    `words` what is said behind the name."""

    state: str
    user: str = field(repr=False)
    license_type: LicenseType
    words: str = field(repr=False)

    @property
    def text(self) -> str:
        """One line, with the name in it."""
        return one_line(f"{self.state}: {one_line(self.user, MAX_NAME)} ({self.license_type}), {self.words}", MAX_LINE)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a site at an instant.

    `subject` and `lines` are for people, `data` (JSON values) for programs; `people` are the users it is about, with
    the type of the license, and go only to destinations that ask for them, as do the names in `findings`.
    """

    kind: EventKind
    site: str
    at: datetime
    subject: str
    lines: tuple[str, ...]
    data: Mapping[str, Any]
    people: tuple[tuple[str, LicenseType], ...] = field(default=(), repr=False)
    findings: tuple[FindingWords, ...] = ()
    told: tuple[PersonTold, ...] = field(default=(), repr=False)
    """Who was told in the run; they go to the same destinations as `people`, and their number to all."""
    seals: Seals | None = None
    """What leaves the machine so that nobody can write the record anew unseen."""
    answers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Who has approved what was done: without the comment, which may name people, and with it."""
    page: bytes = field(default=b"", repr=False)
    """The report as a page, which names people: a mail that may name them has it with it."""

    def __post_init__(self) -> None:
        # An event is safe to show whoever made it.
        object.__setattr__(self, "subject", one_line(self.subject, MAX_SUBJECT))
        object.__setattr__(self, "lines", tuple(one_line(line, MAX_LINE) for line in self.lines))

    @property
    def id(self) -> str:
        """The same for the same event, however often and wherever it is sent: receivers drop doubles by it."""
        found = [told.text(people=False) for told in self.findings]
        content = [self.kind, self.site, format_instant(self.at), self.subject, self.lines, self.data]
        content += [found] if found else []
        content += [dict(Counter(one.state for one in self.told))] if self.told else []
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    def lines_for(self, people: bool) -> list[str]:
        """The text, and what was found; with `people`, the first of them are named below it."""
        approved = [one_line(words if people else who, MAX_LINE) for who, words in self.answers]
        found = [told.text(people) for told in self.findings[:MAX_FINDINGS]]
        lines = [*self.lines, *approved, *told_words(self.told), *found]
        if len(self.findings) > MAX_FINDINGS:
            lines.append(f"and {plural(len(self.findings) - MAX_FINDINGS, 'more finding')}")
        lines += ["", *self.seals.paragraph] if self.seals else []
        if not people:
            return lines
        if self.people:
            named = [f"{user} ({license_type})" for user, license_type in self._named()]
            lines += ["", *named, *([f"and {self._more:,} more"] if self._more else [])]
        if self.told:
            more = len(self.told) - MAX_PEOPLE
            named = [one.text for one in self.told[:MAX_PEOPLE]]
            lines += ["", *named, *([f"and {more:,} more"] if more > 0 else [])]
        return lines

    def data_for(self, people: bool) -> dict[str, Any]:
        """The data; with people as `people` (the first of them) and `morePeople` (how many are left out)."""
        data = dict(self.data)
        if self.findings:
            data["findings"] = [{"code": t.code, "text": t.text(people)} for t in self.findings[:MAX_FINDINGS]]
        if self.answers:
            data["approvals"] = [one_line(words if people else who, MAX_LINE) for who, words in self.answers]
        if self.told:
            data["told"] = dict(Counter(one.state for one in self.told))
        if self.seals:
            data["seal"] = str(self.seals)
        if not people:
            return data
        named = [{"user": user, "licenseType": license_type} for user, license_type in self._named()]
        if self.told:
            data["toldPeople"] = [
                {"state": one.state, "user": one_line(one.user, MAX_NAME), "licenseType": one.license_type}
                for one in self.told[:MAX_PEOPLE]
            ]
        return {**data, "people": named, "morePeople": self._more}

    def _named(self) -> list[tuple[str, LicenseType]]:
        return [(one_line(user, MAX_NAME), license_type) for user, license_type in self.people[:MAX_PEOPLE]]

    @property
    def _more(self) -> int:
        return max(0, len(self.people) - MAX_PEOPLE)


def plan_ready(
    site: str,
    at: datetime,
    run_id: str,
    folder: PurePath,
    summary: Mapping[str, Any],
    findings: Sequence[FindingWords] = (),
    free: Mapping[LicenseType, str] = {},
    told: Sequence[PersonTold] = (),
) -> Event:
    """The event that a dry run has something to release, or somebody to tell.

    Of `summary` it has the counts: reasons may name people. `free` says in words how many licenses of a type are free
    before and after.
    """
    release, this_run, over = summary["release"], summary["thisRun"], summary["overLimit"]
    lines = [f"Plan {run_id} for {site}."]
    for license_type, counts in summary["byType"].items():
        lines.append(f"{license_type}: {counts_by_type(counts)}")
    lines += [f"{license_type}: {words}" for license_type, words in free.items()]
    if over:
        lines += [f"OVER THE LIMIT: {sentence}" for sentence in over]
        lines += [f"What helps: {summary['remedy']}."] if summary.get("remedy") else []
    elif this_run < release:
        lines.append(f"{this_run:,} of them in this run, longest unused first; the others wait for the next runs.")
    if summary["loseEveryLicense"]:
        lines.append(f"{plural(summary['loseEveryLicense'], 'user')} would be left without any license.")
    lines += [f"The plan is in {folder}.", "Nothing has been released."]
    counted = ("licenses", "release", "thisRun", "keep", "undetermined", "loseEveryLicense", "byType", "overLimit")
    data = {"runId": run_id, "folder": str(folder), **{key: summary[key] for key in counted}}
    due = plural(release, "license")
    subject = f"{due} due, over the limit on {site}" if over else f"{this_run:,} of {due} due in this run on {site}"
    if this_run == release:
        subject = f"{due} in this run on {site}"
    subject += _told_too(told)
    return Event("plan-ready", site, at, subject, tuple(lines), data, findings=tuple(findings), told=tuple(told))


def approval_wanted(
    site: str,
    at: datetime,
    run_id: str,
    folder: PurePath,
    summary: Mapping[str, Any],
    needed: int,
    approvers: Sequence[str],
    expires: str,
    findings: Sequence[FindingWords] = (),
    page: bytes = b"",
) -> Event:
    """The event that a plan waits for people to approve it; nothing of it is released before.

    It needs so many of the keys that are called `approvers`, until the instant `expires`.
    """
    lines = [f"Plan {run_id} for {site} waits for approval."]
    for license_type, counts in summary["byType"].items():
        lines.append(f"{license_type}: {counts_by_type(counts)}")
    lines.append(f"It needs {plural(needed, 'approval')}, until {expires}, of: {', '.join(approvers)}.")
    lines += [f"The plan is in {folder}.", f"To look at it and answer: seatwarden approve {folder} --key KEY"]
    lines.append("Nothing of it has been released.")
    data = {"runId": run_id, "folder": str(folder), "thisRun": summary["thisRun"], "byType": summary["byType"]}
    data |= {"approvals": needed, "approvers": list(approvers), "expires": expires}
    subject = f"approval wanted: {plural(summary['thisRun'], 'license')} to release on {site}"
    return Event("approval-wanted", site, at, subject, tuple(lines), data, findings=tuple(findings), page=page)


def releases_done(
    site: str,
    at: datetime,
    run_id: str,
    counts: Mapping[str, int],
    released: Sequence[tuple[str, LicenseType]],
    folder: PurePath | None = None,
    findings: Sequence[FindingWords] = (),
    told: Sequence[PersonTold] = (),
) -> Event:
    """The event that an apply has ended: `counts` are licenses by result, `released` users with the type taken, `told`
    those who were told in the same run."""
    parts = [f"{counts.get(result, 0):,} {result}" for result in ("failed", "unknown") if counts.get(result)]
    subject = f"{plural(counts.get('released', 0), 'license')} released on {site}" + "".join(f", {p}" for p in parts)
    subject += _told_too(told)
    lines = [f"Run {run_id} on {site} has ended.", *(f"{result}: {count:,}" for result, count in counts.items())]
    if parts:
        lines.append("Failed and unknown ones are tried again when the same plan is applied again.")
    lines += _in(folder)
    data = {"runId": run_id, "folder": str(folder) if folder else None, "counts": dict(counts)}
    return Event("releases-done", site, at, subject, tuple(lines), data, tuple(released), tuple(findings), tuple(told))


def told_words(told: Sequence[PersonTold]) -> list[str]:
    """How many people were told, in a line; none where nobody was."""
    counts = Counter(one.state for one in told)
    return [f"Notices: {', '.join(f'{count:,} {state}' for state, count in counts.items())}."] if told else []


def _told_too(told: Sequence[PersonTold]) -> str:
    """What a subject says of those who were told, or are to be."""
    counts = Counter(one.state for one in told)
    return "".join(f", {counts[state]:,} {state}" for state in ("told", "to tell", "refused") if counts[state])


def limit_hit(site: str, at: datetime, run_id: str, sentences: Iterable[str], folder: PurePath | None = None) -> Event:
    """The event that a plan is over a limit and nothing was released; `sentences` say over which."""
    said = [one_line(sentence, MAX_LINE) for sentence in sentences]
    lines = [f"Plan {run_id} for {site} is over the limit.", *said, "Nothing has been released.", *_in(folder)]
    data = {"runId": run_id, "folder": str(folder) if folder else None, "overLimit": said}
    return Event("limit-hit", site, at, f"over the limit, nothing released on {site}", tuple(lines), data)


def run_stopped(
    site: str,
    at: datetime,
    run_id: str,
    findings: Sequence[FindingWords],
    folder: PurePath | None = None,
    guarantees: Sequence[str] = (),
) -> Event:
    """The event that what was found in a plan stopped the run, or guarantees that do not hold, in sentences."""
    by = "guarantees that do not hold" if guarantees else "what was found"
    lines = [f"Run {run_id} on {site} was stopped by {by}.", *guarantees, "Nothing has been released.", *_in(folder)]
    data = {"runId": run_id, "folder": str(folder) if folder else None}
    subject = f"run stopped, nothing released on {site}"
    return Event("run-stopped", site, at, subject, tuple(lines), data, findings=tuple(findings))


def run_failed(site: str, at: datetime, stage: str, message: str, help: str | None = None) -> Event:
    """The event that a run ended early: `stage` says at what (`plan`, `apply`), `message` why, `help` what to do."""
    message = one_line(message, MAX_LINE)
    to_do = one_line(help, MAX_LINE) if help else None
    lines = [f"The run on {site} failed at {stage}: {message}", *([f"What to do: {to_do}"] if to_do else [])]
    data = {"stage": stage, "message": message, "help": to_do}
    return Event("run-failed", site, at, f"run failed at {stage} on {site}", tuple(lines), data)


def license_expiring(site: str, at: datetime, expires: date, days: int, threshold: int) -> Event:
    """The event that the site's own license ends in `days` (negative: days ago), fewer than `threshold`."""
    when = in_days(days)
    verb = "expires" if days >= 0 else "expired"
    lines = (
        f"The server license of {site} {verb} {when}, on {expires:%Y-%m-%d}.",
        f"You asked to be told from {plural(threshold, 'day')} before.",
    )
    data = {"expires": f"{expires:%Y-%m-%d}", "days": days, "thresholdDays": threshold}
    return Event("license-expiring", site, at, f"server license {verb} {when} on {site}", lines, data)


def licenses_low(
    site: str,
    at: datetime,
    license_type: LicenseType,
    free: int,
    below: str,
    lines: Sequence[str],
    data: Mapping[str, Any],
) -> Event:
    """The event that fewer licenses of a type are free than somebody wants: `below` says which level that is, `lines`
    when none is left."""
    subject = f"{license_type} licenses are low on {site}: {free:,} free"
    said = (f"Of the {license_type} licenses of {site} {free:,} are free.", f"You asked to be told below {below}.")
    return Event("licenses-low", site, at, subject, (*said, *lines), data)


def certificate_expiring(site: str, at: datetime, ending: Sequence[tuple[str, date, int]]) -> Event:
    """The event that certificates on the way to the site end soon: of each a sentence, its last day, and the days."""
    days = min(days for _, _, days in ending)
    when = in_days(days)
    verb = "ends" if days >= 0 else "ended"
    what = f"a certificate {verb}" if len(ending) == 1 else f"{len(ending)} certificates end soon, the first"
    sentences = [one_line(sentence, MAX_LINE) for sentence, _, _ in ending]
    lines = ("After that nothing works: no license is released, and nothing is watched.", *sentences)
    listed = [
        {"certificate": sentence, "lastDay": last.isoformat(), "days": days}
        for sentence, (_, last, days) in zip(sentences, ending, strict=True)
    ]
    return Event("certificate-expiring", site, at, f"{what} {when} on {site}", lines, {"certificates": listed})


def try_out(site: str, at: datetime) -> Event:
    """The event of a test message, sent to see whether it arrives."""
    lines = (f"This is a test message for {site}.", "Who reads it will also be told what happens there.")
    return Event("test", site, at, f"test message for {site}", lines, {})


def _in(folder: PurePath | None) -> list[str]:
    return [f"The records are in {folder}."] if folder else []
