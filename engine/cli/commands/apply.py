"""`seatwarden apply`: does exactly what a sealed plan says, and goes on where an earlier run ended."""

import errno
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from math import isnan
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from seatwarden.engine.apply.apply import PendingApply, check_chosen, check_plan, find_pending, hold_against, only_one
from seatwarden.engine.apply.approval import Granted, granted
from seatwarden.engine.apply.behind_pseudonyms import BehindPseudonyms
from seatwarden.engine.apply.downgrader import actions_of_plan
from seatwarden.engine.apply.pending import ApplyResult, carry_out, open_journal
from seatwarden.engine.apply.releaser import Release
from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.host import log_warnings, say_warnings, settings_from
from seatwarden.engine.cli.inputs import PseudonymizeOption, QuietOption, SiteOption, needed
from seatwarden.engine.cli.keys import PassphraseOption, SignOption, signing_hand
from seatwarden.engine.cli.terminal.confirm import confirm_number
from seatwarden.engine.cli.terminal.output import command_line, console, note, say, warn
from seatwarden.engine.cli.terminal.streams import is_quiet
from seatwarden.engine.cli.views.outcomes import say_counts, say_outcome
from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.decide.pseudonyms import Pseudonyms, load_pseudonyms
from seatwarden.engine.errors import OverTheLimit, PlanRefused, RemoteError, UntrustedRecord
from seatwarden.engine.log.journal import Journal
from seatwarden.engine.log.lines import Key
from seatwarden.engine.log.reader import RecordedPlan, read_plan
from seatwarden.engine.log.register import LOCK_FILE, RUNS_FOLDER
from seatwarden.engine.log.run_folder import JOURNAL_FILE
from seatwarden.engine.notice.standings import StandingsBeside
from seatwarden.engine.plan.circumstances import Hand
from seatwarden.engine.plan.findings import finding_lines
from seatwarden.engine.plan.limits import days_asked, describe_limits
from seatwarden.engine.plan.modes import MAX_AGE_HOURS
from seatwarden.engine.runs.alone import refuse_alone
from seatwarden.engine.runs.baseline import mass_changes
from seatwarden.engine.runs.lately import released_lately
from seatwarden.engine.runs.record import SiteRecord, site_record
from seatwarden.engine.runs.recovery import unpublished
from seatwarden.engine.runs.released import ReleasedBeside
from seatwarden.engine.runs.run import ACCEPT_OPTION
from seatwarden.engine.runs.seen import note_released
from seatwarden.engine.runs.terms import in_force, keys_in
from seatwarden.engine.site.connection import Site
from seatwarden.engine.site.settings import Settings
from seatwarden.grammar.ast import LICENSE_TYPES, AnyLimit
from seatwarden.grammar.errors import PolicySyntaxError
from seatwarden.grammar.parser import in_file, parse_limit
from seatwarden.policy.errors import InputError
from seatwarden.policy.file_kinds import PLAN, kind_of

AcceptOption = Annotated[
    bool, typer.Option("--accept-mass-change", help="Apply although a fact has changed for very many users.")
]
MOST_HOURS = 87_600
"""Ten years: a plan of any age."""


def apply(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the plan.", autocompletion=complete_runs)
    ],
    site: SiteOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for jobs.")] = False,
    max_age: Annotated[
        float, typer.Option("--max-age", metavar="HOURS", min=0, max=MOST_HOURS, help="Refuse a plan that is older.")
    ] = MAX_AGE_HOURS,
    limit: Annotated[
        list[str] | None,
        typer.Option("--limit", metavar="LIMIT", help='Not the plan\'s limits but these: "20", "5% of analyzer".'),
    ] = None,
    accept_mass_change: AcceptOption = False,
    pseudonymize: PseudonymizeOption = None,
    sign: SignOption = None,
    passphrase_env: PassphraseOption = None,
    parallel: Annotated[
        int, typer.Option("--parallel", metavar="N", min=1, max=16, help="Licenses under way at a time.")
    ] = 4,
    quiet: QuietOption = False,
) -> None:
    """Release what a sealed plan says, after a second look.

    Each license and its user are read again right before; what has changed is skipped. Over a limit nothing at all
    is released. Applied again after a crash, it goes on where it ended. Where the site file demands approvals, only
    what is approved is released, and options can only tighten it.

    Example: seatwarden apply plans/2026-11-21 --site butler.yaml
    """
    if isnan(max_age):  # neither below the least number of hours nor above the most, and no plan is older than it
        raise InputError("--max-age: `nan` is no number of hours", "write 24")
    _refuse_file(folder)
    plan = read_plan(folder)
    site = needed(site)
    settings = settings_from(site, None, needs_policy=False)
    say_warnings(settings)
    pseudonyms = _pseudonyms(plan, pseudonymize)
    asked = _Asked(limit, accept_mass_change, max_age, yes, parallel)
    hand = signing_hand(this_hand(clock, settings.site.qlik_user), settings, sign, passphrase_env)
    raise typer.Exit(_apply_recorded(plan, folder, settings, pseudonyms, asked, hand))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked for on the command line; `limit` is None for the plan's own limits."""

    limit: list[str] | None
    accepted: bool
    max_age: float
    yes: bool
    parallel: int


def _apply_recorded(
    plan: RecordedPlan,
    folder: Path,
    settings: Settings,
    pseudonyms: Pseudonyms | None,
    asked: _Asked,
    hand: Hand,
) -> ExitCode:
    """Applies under the site's lock, with the register open, and tells of it."""
    from seatwarden.engine.runs.publish import publish_apply  # requests takes a while to import

    where = settings.site
    with _refusals_in_words(folder, plan), only_one(settings.folder / LOCK_FILE, where.url):
        with site_record(settings.folder, where.url, hand) as record:
            refuse_alone(record.register, settings.license_pool)
            code = _recorded(_Applying(plan, folder, settings, hand, record, pseudonyms, asked))
            applied = unpublished(plan, folder / JOURNAL_FILE, settings.folder)
            note_released(settings, (applied,), clock(), log_warnings)
            seals = record.seals(plan.log.root)
        # What an earlier apply of this plan left untold is told, too.
        publish_apply(applied, settings, log_warnings, datetime.now(UTC), seals)
    if seals is not None:
        say(str(seals))
    return code


@dataclass(frozen=True, slots=True)
class _Applying:
    """Everything that an apply works with."""

    plan: RecordedPlan
    folder: Path
    settings: Settings
    hand: Hand
    record: SiteRecord
    pseudonyms: Pseudonyms | None
    asked: _Asked


def _recorded(it: _Applying) -> ExitCode:
    """Applies, and enters into the register what is refused or set aside. Raises PlanRefused, OverTheLimit."""
    root = it.plan.log.root
    for why in (*it.record.unfinished, *it.record.changed):
        warn(f"what was begun to be erased or pruned is not gone: {why}")
    try:
        now = datetime.now(UTC)
        _note_other_policy(it)
        check_plan(it.plan, it.settings.site.url, _max_age(it), now, it.settings.policy)
        it.record.know_keys(keys_in(it.settings.signing, it.settings.approvals))
        approval = granted(it.plan, it.folder, in_force(it.settings, it.record, now))
        find = partial(_unused_days, it.plan, it.pseudonyms, it.settings.site)
        pending = _pending(it, approval, find)
        code = _apply(it, pending, approval)
    except (PlanRefused, OverTheLimit) as refusal:
        it.record.attempt(refusal.message, failed=False, root=root)
        raise
    except (InputError, RemoteError, UntrustedRecord) as error:
        it.record.attempt(error.message, failed=True, root=root)
        raise
    if code is ExitCode.REMOTE_FAILED:
        it.record.attempt("QRS could not be reached, or did not accept us", failed=True, root=root)
    return code


def _max_age(it: _Applying) -> timedelta:
    """The age up to which the plan is applied: where plans are approved, as long as that holds, or less."""
    if it.settings.approvals is not None and it.asked.max_age == MAX_AGE_HOURS:
        return it.settings.approvals.valid_for
    return timedelta(hours=it.asked.max_age)


def _note_other_policy(it: _Applying) -> None:
    """Says where the plan was made by another policy than the site file names now."""
    if it.settings.policy.rules and it.settings.policy.digest != it.plan.header.policy.canonical_sha256:
        named = it.settings.policy_file
        warn(f"the plan was made by another policy than `{named}` is now: what counts here is the plan's")


def _set_aside(pending: PendingApply, asked: _Asked) -> list[tuple[str, str, str]]:
    """The options by which somebody sets something aside: the option, what held before, what is used."""
    found, plan, max_age = [], pending.plan, asked.max_age
    if asked.limit:
        before, used = ("; ".join(describe_limits(several)) for several in (plan.limits, pending.limits))
        found.append(("--limit", before, used))
    if max_age != MAX_AGE_HOURS:
        found.append(("--max-age", f"{MAX_AGE_HOURS} hours", f"{max_age:g} hours"))
    changes = mass_changes(plan.findings)
    if asked.accepted and changes:
        found.append((ACCEPT_OPTION, "a change that touches everybody stops", "; ".join(changes)))
    return found


def _refuse_file(place: Path) -> None:
    """Raises InputError for a file: a plan is applied in its folder, where its journal stands beside it."""
    if place.is_file() and kind_of(place) is PLAN:
        help_ = command_line(["apply", str(place.parent)])
        raise InputError(f"`{place}` is the log of a plan: apply takes its folder", help_)


@contextmanager
def _refusals_in_words(folder: Path, plan: RecordedPlan) -> Iterator[None]:
    """Says why the plan is not applied, and ends the command with no."""
    try:
        yield
    except PlanRefused as refusal:
        note(f"refused: {printable(str(refusal))}")
        raise typer.Exit(ExitCode.NO) from None
    except OverTheLimit as over:
        for sentence in over.sentences:
            note(f"over the limit: {sentence}")
        further = "further" if (folder / JOURNAL_FILE).exists() else "at all"
        remedy = f"{plan.log.summary.remedy}; or" if plan.log.summary.remedy else "Check the policy, or"
        note(f"Nothing {further} has been released. {remedy[0].upper()}{remedy[1:]} give another limit with --limit.")
        raise typer.Exit(ExitCode.NO) from None


def _unused_days(plan: RecordedPlan, pseudonyms: Pseudonyms | None, site: Site) -> Mapping[Key, int]:
    """The days without use that a plan with pseudonyms does not say, as the site says them. Raises RemoteError."""
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import

    if pseudonyms is None:
        return {}
    with QrsClient(site, datetime.now(UTC)) as client:
        licenses = {license_type: client.licenses(license_type) for license_type in LICENSE_TYPES}
    return BehindPseudonyms(plan, pseudonyms).unused_days(licenses)


def _pending(it: _Applying, approval: Granted, unused_days: Callable[[], Mapping[Key, int]]) -> PendingApply:
    """The work that is left within the limits; says which these are, where others than the plan's are asked for.

    Raises PlanRefused also where the plan found a change that touches everybody, and nobody has accepted it.
    """
    plan, asked = it.plan, it.asked
    limits = _limits(plan, asked.limit)
    if approval.by and asked.limit:
        limits = (*plan.limits, *limits)  # what was approved can only be made less
    if asked.limit:
        used, before = ("; ".join(describe_limits(several)) for several in (limits, plan.limits))
        note(f"limit: {used}; not the plan's: {before}")
    within = (*limits, *approval.limits)
    lately = released_lately(it.settings.folder, days_asked(within), datetime.now(UTC), but=plan.log.root)
    pending = find_pending(plan, it.folder, limits, unused_days, lately, granted=approval)
    check_chosen(pending, approval, unused_days)
    if asked.limit or approval.limits:
        hold_against(pending, within, lately)
    changes = mass_changes(plan.findings)
    # What has begun was accepted; and who approves a plan has read what was found in it.
    accepted = asked.accepted or plan.header.accepted or pending.state is not None or approval.by
    if changes and not accepted:
        raise PlanRefused(f"{'; '.join(changes)}: look at it, then add --accept-mass-change")
    return pending


def _apply(it: _Applying, pending: PendingApply, approval: Granted) -> ExitCode:
    if pending.state is not None and pending.state.sealed:
        say("This plan has been applied already.")
        say_counts(pending.counts)
        return ExitCode.DONE
    if not pending.chosen:
        say("This plan releases nothing.")
        return ExitCode.DONE
    for one in approval.by:
        say(printable(one.words))
    _confirm(pending, it.asked.yes)
    # Somebody may have said no while the question stood there.
    if granted(it.plan, it.folder, in_force(it.settings, it.record, datetime.now(UTC))) != approval:
        raise PlanRefused("the approvals have changed meanwhile; apply again")
    if pending.state is None:
        it.record.approved(it.plan, approval)
    for override in _set_aside(pending, it.asked):
        it.record.override(*override, root=it.plan.log.root)
    return _release(it, pending)


def _release(it: _Applying, pending: PendingApply) -> ExitCode:
    """Releases what is left, and says what came of it."""
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import

    client = QrsClient(it.settings.site, datetime.now(UTC), parallel=it.asked.parallel)
    beside = ReleasedBeside({it.folder.resolve().parent, it.settings.folder / RUNS_FOLDER})
    release = Release(
        pending.plan,
        client,
        pseudonyms=it.pseudonyms,
        clock=lambda: datetime.now(UTC),
        released_by=beside.run_of,
        decide_now=_standings(it).decider(clock, lambda: client.site_clock),
    )
    progress = _progress_bar()
    task = progress.add_task("", total=len(pending.left))
    try:
        with it.record.applying(pending), client, progress, _journal(it, pending) as journal:
            done = carry_out(
                pending,
                actions_of_plan(release, client, pending),
                journal,
                parallel=it.asked.parallel,
                clock=lambda: datetime.now(UTC),
                progress=lambda outcome: progress.advance(task),
            )
    except KeyboardInterrupt:
        note("Interrupted. The licenses under way were finished; apply again to go on.")
        return ExitCode.SOME_FAILED
    except OSError as error:
        note(f"error: the journal `{pending.path}` cannot be written: {error.strerror or error}")
        mend = "Make room" if error.errno == errno.ENOSPC else "See that the folder can be written to"
        note(f"Nothing further was released. {mend}, then apply again: what is open is looked up in QRS.")
        return ExitCode.SOME_FAILED
    finally:
        for warning in client.warnings:
            warn(warning)
    return _report(done)


def _standings(it: _Applying) -> StandingsBeside:
    """The registers that say whose licenses are held, and who was told."""
    from seatwarden.engine.runs.notices import reach_of  # the texts of messages take a while to import

    return it.record.standings(it.plan.header, reach_of(it.settings, it.plan.day))


@contextmanager
def _journal(it: _Applying, pending: PendingApply) -> Iterator[Journal]:
    """The journal of the apply, open."""
    journal = open_journal(pending, it.hand)
    try:
        yield journal
    finally:
        journal.close()


def _report(done: ApplyResult) -> ExitCode:
    for outcome in done.outcomes:
        say_outcome(outcome)
    say_counts(done.counts)
    if done.outcomes and not done.reached:
        note("QRS could not be reached. Nothing was released; apply again when it is there.")
        return ExitCode.REMOTE_FAILED
    if done.refused:
        note("QRS does not accept us: the run was ended. Nothing further was released; apply again to go on.")
        return ExitCode.REMOTE_FAILED
    if left := done.counts.get("left", 0):
        note(f"{left:,} left with both licenses: look at them; `restore RUN --user U` takes back what was given.")
    return ExitCode.DONE if done.settled and not left else ExitCode.SOME_FAILED


def _limits(plan: RecordedPlan, asked: list[str] | None) -> tuple[AnyLimit, ...]:
    """The limits in force: those asked for on the command line, or else the plan's."""
    if not asked:
        return plan.limits
    try:
        return tuple(parse_limit(text, in_file("--limit")) for text in asked)
    except PolicySyntaxError as error:
        problem = error.problems[0]
        raise InputError(
            f"--limit: {problem.message}: {problem.label}", 'write "20", "5%" or "5% of analyzer"'
        ) from None


def _pseudonyms(plan: RecordedPlan, key_file: Path | None) -> Pseudonyms | None:
    """The pseudonyms that the plan was written with; the journal speaks of people as the plan does."""
    wanted = plan.header.pseudonyms
    if wanted is None:
        if key_file is not None:
            raise InputError("this plan names people: it was made without --pseudonymize", "make the plan with it")
        return None
    if plan.header.period is None:
        raise InputError(
            "this plan has pseudonyms of an older form, which cannot be applied any more", "make a new plan"
        )
    if key_file is None:
        raise InputError("this plan has pseudonyms", "name the key file it was made with: --pseudonymize KEYFILE")
    pseudonyms = load_pseudonyms(key_file)
    if pseudonyms.key_id != wanted:
        raise InputError(f"`{key_file}` is not the key that this plan was made with")
    return pseudonyms


def _confirm(pending: PendingApply, yes: bool) -> None:
    """Shows the licenses and asks for their number, unless `yes`. Raises PlanRefused or InputError."""
    left = pending.left
    for line in finding_lines(pending.plan.findings):
        note(line)
    if pending.plan.erased_words:
        note(f"of this plan {pending.plan.erased_words}: what is erased is not released")
    for decision in left if not yes else []:
        say(f"  {decision.license_type:<12}  {printable(decision.label)}: {printable(decision.reason)}")
    counts = Counter(decision.license_type for decision in left)
    what = join_words([plural(count, f"{license_type} license") for license_type, count in sorted(counts.items())])
    earlier = f" ({pending.done} done by an earlier run)" if pending.state else ""
    downgraded = sum(decision.verdict == "downgrade" for decision in left)
    become = f" ({downgraded:,} of them to become Analyzer)" if downgraded else ""
    say(f"To release on {pending.plan.header.site}: {what or 'nothing'}{become}{earlier}")
    if not yes:
        confirm_number("licenses", len(left), "release them", "nothing has been released")


def _progress_bar() -> Progress:
    columns = (TextColumn("releasing"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console(stderr=True), disable=is_quiet() or not sys.stderr.isatty())
