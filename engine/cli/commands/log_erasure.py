"""`seatwarden log forget` and `log prune`: what has to go from the record, goes, and the rest still verifies."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.inputs import QuietOption, SiteOption, TextFormat, needed
from seatwarden.engine.cli.terminal.confirm import confirm_number
from seatwarden.engine.cli.terminal.output import note, print_result, say
from seatwarden.engine.cli.views.erasure import (
    left_lines,
    old_lines,
    old_to_json,
    reach_lines,
    trace_lines,
    traces_to_json,
)
from seatwarden.engine.common.text import plural, printable
from seatwarden.engine.decide.pseudonyms import Pseudonyms
from seatwarden.engine.errors import PlanRefused
from seatwarden.engine.facts.day import day_for
from seatwarden.engine.history import HISTORY_FILE
from seatwarden.engine.log.register import REGISTER_FILE, ErasureReason, RegisterState, read_register
from seatwarden.engine.notice.holds import HOLDS_FILE
from seatwarden.engine.notice.register import NOTICES_FILE
from seatwarden.engine.notice.standings import StandingsBeside
from seatwarden.engine.runs.forgotten import ForgottenPerson, find_person
from seatwarden.engine.runs.reach import StillNamed, named_after, out_of_reach
from seatwarden.engine.runs.record import SiteRecord, locked_record
from seatwarden.engine.runs.retention import OldRuns, find_old
from seatwarden.engine.runs.traces import Traces, find_traces, restore_folders_of, run_folders_of
from seatwarden.engine.site.retention import HOW_WRITTEN, read_keep
from seatwarden.grammar.ast import LICENSE_TYPES
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from datetime import timedelta

    from seatwarden.engine.site.settings import Settings

app = typer.Typer(rich_markup_mode=None)
"""Commands of the group `log`."""

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for jobs.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")]


@app.command("forget")
def forget(
    user: Annotated[str, typer.Argument(metavar="USER", help="DIRECTORY\\id, an id, a name, or a part of one.")],
    reason: Annotated[
        ErasureReason,
        typer.Option("--reason", help="Why: it stands in the register, and no name."),
    ],
    site: SiteOption = None,
    yes: YesOption = False,
    dry_run: DryOption = False,
    format: TextFormat = "text",
    quiet: QuietOption = False,
) -> None:
    """Erase a person from the record of a site.

    From plans, journals, kept snapshots and points that wait; roots, links and counts still verify. What cannot be
    erased here is listed.

    Example: seatwarden log forget "CORP\\jdoe" --site butler.yaml --reason left
    """
    settings = _settings(site)
    asked = _Forgetting(user, reason, settings, format)
    if dry_run:
        _shown(asked, _traces(asked, _register(settings)), done=None)
        raise typer.Exit(ExitCode.DONE)
    with _record(settings) as record:
        code = asked.forget(record, yes)
    raise typer.Exit(code)


class _Forgetting:
    """One call of `log forget`."""

    def __init__(self, user: str, reason: ErasureReason, settings: "Settings", format_: str) -> None:
        key = settings.pseudonym_key
        self.reason: ErasureReason = reason
        self.settings = settings
        self.format = format_
        self.pseudonyms = Pseudonyms.under(key) if key else None
        self._user = user

    @property
    def person(self) -> ForgottenPerson:
        """Who is meant. Raises InputError."""
        folder = self.settings.folder
        registers = [folder / HISTORY_FILE, folder / HOLDS_FILE, folder / NOTICES_FILE]
        places = [*run_folders_of(folder), *restore_folders_of(folder), *registers]
        return find_person(self._user, places, self.pseudonyms)

    def refuse_held(self, person: ForgottenPerson, registers: StandingsBeside) -> None:
        """Raises PlanRefused for somebody whose licenses are held: without the hold the next run would release them.

        Raises UntrustedRecord where it cannot be known.
        """
        today = day_for(self.settings.policy, clock(), None).today
        running = registers.holds().in_force(today)
        own = [one for one in running if one.covers(person.user, None)]
        if own:
            words = printable(f"{person.label} is {own[-1].as_found.sentence}")
            raise PlanRefused(words, "end the hold first: `seatwarden hold end`; then nobody is forgotten who is kept")
        # What names the person goes, and with it the hold of somebody else would be gone.
        others = [one.user for one in running if person.is_named_in(one.reason)]
        if others:
            words = printable(f"{person.label} is named in the reason of a hold that runs: that of {others[0]}")
            raise PlanRefused(words, "hold again with another reason, and end the one that names the person")

    def refuse_told(self, person: ForgottenPerson, registers: StandingsBeside) -> None:
        """Raises PlanRefused for somebody to whom a day was announced that has not come: without the register the next
        run could release the license before.

        Raises UntrustedRecord where it cannot be known.
        """
        day, notices = day_for(self.settings.policy, clock(), None), registers.notices().notices
        floor = max((found for one in LICENSE_TYPES if (found := notices.floor(person.user, one, day))), default=None)
        if floor is not None and floor > day.today:
            words = printable(f"{person.label} was told of a release, and nothing may be released before {floor}")
            raise PlanRefused(words, f"forget the person on {floor} or later; until then a run has to know it")

    def forget(self, record: SiteRecord, yes: bool) -> ExitCode:
        """Shows what there is, asks, erases it, and says what is left."""
        record.sweep()
        person = self.person
        self.refuse_held(person, record.standings())
        self.refuse_told(person, record.standings())
        traces = record.traces(person, self.pseudonyms)
        if not traces.files:
            _shown(self, traces, done=False)
            return ExitCode.NO if traces.left else ExitCode.DONE
        if self.format == "text":
            for line in trace_lines(traces):
                say(line)
        _confirm(yes, traces.lines, "line", f"To erase: {_extent(traces)}")
        done = record.erase(traces, self.reason)
        for problem in (*done.in_the_way, *done.changed):
            note(f"error: {printable(problem)}")
        if done.in_the_way:
            note("Not finished. The next `log forget`, `log prune`, `run` or `apply` goes on.")
        named = named_after(traces, self.settings)
        _shown(self, traces, done=not done.in_the_way, named=named)
        if done.in_the_way:
            return ExitCode.SOME_FAILED
        return ExitCode.NO if traces.left or done.changed or named.unexpected else ExitCode.DONE


def _traces(asked: _Forgetting, register: RegisterState) -> Traces:
    person = asked.person
    beside = StandingsBeside(asked.settings.folder, register)
    asked.refuse_held(person, beside)
    asked.refuse_told(person, beside)
    return find_traces(person, asked.settings.folder, register, asked.pseudonyms)


def _shown(asked: _Forgetting, traces: Traces, done: bool | None, named: StillNamed | None = None) -> None:
    """The end of a call: what was erased, or would be (`done` is None), and what is out of reach."""
    elsewhere = [*traces.elsewhere, *out_of_reach(traces.person, asked.settings)]
    if named and named.by_hand:
        who = f"{plural(named.by_hand, 'line')} of the record: they say that the person has run seatwarden, and stay"
        elsewhere.append(who)
    places = named.unexpected if named else ()
    if asked.format == "json":
        found = traces_to_json(traces, asked.reason, elsewhere)
        print_result({**found, "dryRun": done is None, "done": bool(done), "stillNamed": list(places)})
        return
    if done is None:
        for line in trace_lines(traces):
            say(line)
        say(f"Nothing was changed: {plural(traces.lines, 'line')} would be erased.")
    elif done:
        say(f"Erased: {_extent(traces)}.")
    elif not traces.files:
        say(f"Nothing to erase on {printable(traces.person.label)}.")
        for line in left_lines("Left as they are:", traces.left):
            say(line)
    for place in places:
        note(printable(f"still named: {place}"))
    for line in reach_lines(elsewhere):
        say(line)


def _extent(traces: Traces) -> str:
    return f"{plural(traces.lines, 'line')} of {plural(len(traces.runs), 'run')}"


@app.command("prune")
def prune(
    site: SiteOption = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="DAYS", help="For how long runs are kept: 400d. Default: `retention`."),
    ] = None,
    yes: YesOption = False,
    dry_run: DryOption = False,
    format: TextFormat = "text",
    quiet: QuietOption = False,
) -> None:
    """Delete runs whose time is over.

    Whole runs that are closed and verify; the register keeps their numbers and roots. Ages are counted up to the
    register's last line and what QRS's clock said last, so a wrong clock alone deletes nothing.

    Example: seatwarden log prune --site butler.yaml --keep 400d
    """
    settings = _settings(site)
    span = _keep(keep, settings)
    if dry_run:
        _say_old(find_old(settings.folder, _register(settings), span), settings.folder, format, done=None)
        raise typer.Exit(ExitCode.DONE)
    with _record(settings) as record:
        old = record.old_runs(span)
        if format == "text":
            for line in old_lines(old, settings.folder):
                say(line)
        if old.due:
            _confirm(yes, len(old.due), "run", f"To delete: {plural(len(old.due), 'run')}")
        problems = record.prune(old, span)
    for problem in problems:
        note(f"error: {printable(problem)}")
    _say_old(old, settings.folder, format, done=not problems)
    raise typer.Exit(ExitCode.SOME_FAILED if problems else ExitCode.DONE)


def _say_old(old: OldRuns, state: Path, format_: str, done: bool | None) -> None:
    if format_ == "json":
        print_result({**old_to_json(old), "dryRun": done is None, "done": bool(done)})
        return
    if old.upto is None:
        note("Nothing is pruned: no run has on record what QRS's clock said, and this machine's alone is not enough.")
    elif done is None:
        for line in old_lines(old, state):
            say(line)
        say(f"Nothing was changed: {plural(len(old.due), 'run')} would be deleted.")
    elif done:
        say(f"{plural(len(old.due), 'run')} deleted." if old.due else "No run's time is over.")
    else:
        note("Not finished. The next `log prune`, `log forget`, `run` or `apply` goes on.")


def _keep(written: str | None, settings: "Settings") -> "timedelta":
    """How long runs are kept: what the option says, or the site file. Raises InputError."""
    if written is None:
        if settings.retention is None:
            raise InputError("how long are runs kept?", "say so with --keep 400d, or with `retention` in the site file")
        return settings.retention
    span = read_keep(written)
    if span is None:
        raise InputError(f"--keep: `{written}` is no time to keep runs for", f"write {HOW_WRITTEN}")
    return span


def _settings(site: Path | None) -> "Settings":
    from seatwarden.engine.cli.host import say_warnings, settings_from  # takes a while to import

    settings = settings_from(needed(site), None, needs_policy=False)
    say_warnings(settings)
    _register(settings)
    return settings


def _register(settings: "Settings") -> RegisterState:
    """The register of a site, only read. Raises InputError where there is none, DamagedLog."""
    path = settings.folder / REGISTER_FILE
    state = read_register(path)
    if state is None:
        raise InputError(f"there is no record of this site: `{path}` does not exist", "`seatwarden run` begins it")
    return state


@contextmanager
def _record(settings: "Settings") -> Iterator[SiteRecord]:
    """The record of a site, open for writing, with nothing left of earlier erasures. Raises InputError, PlanRefused."""
    hand = this_hand(clock, settings.site.qlik_user)
    try:
        with locked_record(settings.folder, settings.site.url, hand) as record:
            _refuse_unfinished(record)
            yield record
    except OSError as error:
        what = f"`{error.filename or settings.folder}` cannot be read or written: {error.strerror or error}"
        raise InputError(what, "what was begun is finished by the next command; call this again") from None


def _refuse_unfinished(record: SiteRecord) -> None:
    """Raises PlanRefused where an earlier erasure or pruning cannot be brought to its end: one after the other."""
    for problem in (*record.unfinished, *record.changed):
        note(f"error: {printable(problem)}")
    if record.unfinished:
        raise PlanRefused("what an earlier command has begun to erase cannot be finished", "close what holds the file")


def _confirm(yes: bool, count: int, what: str, question: str) -> None:
    """Asks for the number, unless `yes`. Raises PlanRefused, or InputError where nobody can answer."""
    note(question)
    if not yes:
        confirm_number(f"{what}s", count, "go on; there is no way back", "nothing has been changed")
