"""`seatwarden restore`: gives back what a run has released."""

import errno
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from seatwarden.engine.apply.pending import ApplyResult, Pending, carry_out, open_journal
from seatwarden.engine.apply.regiver import actions_of_restore
from seatwarden.engine.cli.circumstances import clock, this_hand
from seatwarden.engine.cli.completion import complete_runs
from seatwarden.engine.cli.exits import ExitCode
from seatwarden.engine.cli.host import log_warnings, say_warnings, settings_from
from seatwarden.engine.cli.inputs import QuietOption, SiteOption, needed
from seatwarden.engine.cli.keys import PassphraseOption, SignOption, signing_hand
from seatwarden.engine.cli.terminal.confirm import confirm_number
from seatwarden.engine.cli.terminal.output import command_line, note, say, warn
from seatwarden.engine.cli.views.outcomes import say_counts, say_outcome
from seatwarden.engine.common.text import join_words, plural, printable
from seatwarden.engine.errors import DamagedLog, PlanRefused, RemoteError, UntrustedRecord
from seatwarden.engine.log.lines import PlanLog
from seatwarden.engine.log.reader import read_log
from seatwarden.engine.log.restore import BackLine, RestoreLog, read_restore
from seatwarden.engine.log.run_folder import PLAN_FILE, RESTORE_FILE
from seatwarden.engine.plan.circumstances import Hand
from seatwarden.engine.runs.record import SiteRecord, locked_record
from seatwarden.engine.runs.restore import (
    Restorable,
    SiteShown,
    check_restorable,
    find_restorable,
    only_of,
    pending_restore,
    seal_restore,
)
from seatwarden.engine.site.settings import Settings
from seatwarden.policy.errors import InputError


def restore(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of the run.", autocompletion=complete_runs)],
    site: SiteOption = None,
    user: Annotated[
        list[str] | None,
        typer.Option("--user", metavar="USER", help="Only this person: DIRECTORY\\id, an id, a name; several times."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for jobs.")] = False,
    sign: SignOption = None,
    passphrase_env: PassphraseOption = None,
    quiet: QuietOption = False,
) -> None:
    """Give back what a run has released.

    Each person is looked at first: who has a license again is skipped, and no more are given than are free. It is a
    run of its own, with a record like that of an apply; called again after a crash, it goes on where it ended.

    Example: seatwarden restore runs/20261121T020000Z-0123456789ab --site butler.yaml
    """
    from seatwarden.engine.runs.publish import publish_restore  # requests takes a while to import

    _refuse_restore(folder)
    plan = read_log(folder)
    settings = settings_from(needed(site), None, needs_policy=False)
    say_warnings(settings)
    hand = signing_hand(this_hand(clock, settings.site.qlik_user), settings, sign, passphrase_env)
    seals = None
    try:
        with locked_record(settings.folder, settings.site.url, hand) as record:
            for why in (*record.unfinished, *record.changed):
                warn(f"what was begun to be erased or pruned is not gone: {why}")
            code, log = _recorded(_Restoring(plan, settings, hand, record, tuple(user or ()), yes))
            seals = record.seals(log.root) if log is not None else None
        if log is not None:
            publish_restore(log.folder, settings, log_warnings, seals)
    except PlanRefused as refusal:
        note(f"refused: {printable(str(refusal))}")
        raise typer.Exit(ExitCode.NO) from None
    if seals is not None:
        say(str(seals))
    raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Restoring:
    """Everything that a restore works with."""

    plan: PlanLog
    settings: Settings
    hand: Hand
    record: SiteRecord
    users: tuple[str, ...]
    yes: bool


def _refuse_restore(place: Path) -> None:
    """Raises InputError for a restore: what it gave back, the next run takes again where the policy says so."""
    if place.is_dir() and (place / RESTORE_FILE).is_file() and not (place / PLAN_FILE).exists():
        of = read_restore(place).header.of_run
        raise InputError(
            f"`{place}` is itself a restore, of run {of}", "name the run whose releases are to be given back"
        )
    if place.is_file():
        raise InputError(
            f"`{place}` is a file: restore takes the folder of a run", command_line(["restore", str(place.parent)])
        )


def _recorded(it: _Restoring) -> tuple[ExitCode, RestoreLog | None]:
    """Restores, and enters into the register what is refused or fails. Raises PlanRefused."""
    # It has no number yet, and is no attempt at the run that released: that one's number stays out of the line.
    what = f"restore of {it.plan.header.run_id}"
    try:
        code, log = _restore(it)
    except PlanRefused as refusal:
        it.record.attempt(f"{what}: {refusal.message}", failed=False)
        raise
    except (InputError, RemoteError) as error:
        it.record.attempt(f"{what}: {error.message}", failed=True)
        raise
    if code is ExitCode.REMOTE_FAILED:
        it.record.attempt(f"{what}: QRS could not be reached, or did not accept us", failed=True)
    return code, log


def _restore(it: _Restoring) -> tuple[ExitCode, RestoreLog | None]:
    journal = check_restorable(it.plan, it.settings.site.url)
    if it.record.number_of(it.plan.root) is None:
        raise PlanRefused("the register of runs does not know this run; name the site file that it was made with")
    try:
        it.record.remove_unknown_restores()
        found = find_restorable(it.plan, journal, it.settings.folder)
    except DamagedLog as damaged:
        help_ = f"look at it with `seatwarden log verify {damaged.path.parent}`; nothing is given back before"
        raise UntrustedRecord(f"an earlier restore is not as it was written: {damaged}", help_) from None
    wanted = only_of(it.users, it.plan, journal, found.left)
    if found.open is not None:
        if it.users:
            note("An earlier restore of this run is open: it is brought to its end first, whoever is named.")
        pending = pending_restore(found.open)
        _confirm([found.open.by_key[key] for key in pending.left_keys], it, pending.done)
        return _carry_out(it, found, pending), found.open
    if not wanted:
        say(_nothing_left(found, bool(it.users)))
        return ExitCode.DONE, None
    _confirm(wanted, it, 0)
    return _begin(it, found, wanted)


def _begin(it: _Restoring, found: Restorable, wanted: list[BackLine]) -> tuple[ExitCode, RestoreLog | None]:
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import

    with QrsClient(it.settings.site, datetime.now(UTC)) as client:
        shown = SiteShown(client.seats(), client.site_clock)
        for warning in client.warnings:
            warn(warning)
    log = seal_restore(found, wanted, shown, it.record, it.settings.folder, it.hand)
    return _carry_out(it, found, pending_restore(log)), log


def _nothing_left(found: Restorable, named: bool) -> str:
    erased = f" Whose {plural(found.erased, 'license')} were is erased." if found.erased else ""
    if not found.released:
        return "This run has released nothing."
    whose = "of these people " if named else ""
    return f"All that this run released {whose}has been given back.{erased}"


def _confirm(lines: list[BackLine], it: _Restoring, done: int) -> None:
    """Shows the licenses and asks for their number, unless `--yes`. Raises PlanRefused or InputError."""
    for line in lines if not it.yes else []:
        say(f"  {line.license_type:<12}  {printable(line.label)}: released {line.released[:10]}")
    counts = Counter(line.license_type for line in lines)
    what = join_words([plural(count, f"{license_type} license") for license_type, count in sorted(counts.items())])
    earlier = f" ({done} done by an earlier restore)" if done else ""
    say(f"To give back on {it.plan.header.site}: {what or 'nothing'}{earlier}")
    if not it.yes:
        confirm_number("licenses", len(lines), "give them back", "nothing has been given back")


def _carry_out(it: _Restoring, found: Restorable, pending: Pending[RestoreLog]) -> ExitCode:
    from seatwarden.engine.qrs.client import QrsClient  # requests takes a while to import

    client = QrsClient(it.settings.site, datetime.now(UTC))
    try:
        with it.record.applying(pending), client:
            journal = open_journal(pending, it.hand)
            try:
                done = carry_out(
                    pending,
                    actions_of_restore(pending.plan, client, pending.gifts),
                    journal,
                    parallel=1,
                    clock=lambda: datetime.now(UTC),
                    progress=lambda outcome: None,
                )
            finally:
                journal.close()
    except KeyboardInterrupt:
        note("Interrupted. The license under way was finished; restore again to go on.")
        return ExitCode.SOME_FAILED
    except OSError as error:
        note(f"error: the journal `{pending.path}` cannot be written: {error.strerror or error}")
        mend = "Make room" if error.errno == errno.ENOSPC else "See that the folder can be written to"
        note(f"Nothing further was given back. {mend}, then restore again: what is open is looked up in QRS.")
        return ExitCode.SOME_FAILED
    return _report(done)


def _report(done: ApplyResult) -> ExitCode:
    for outcome in done.outcomes:
        say_outcome(outcome)
    say_counts(done.counts)
    if done.outcomes and not done.reached:
        note("QRS could not be reached. Nothing was given back; restore again when it is there.")
        return ExitCode.REMOTE_FAILED
    if done.refused:
        note("QRS does not accept us: the restore was ended. Nothing further was given back; restore again to go on.")
        return ExitCode.REMOTE_FAILED
    whole = sum(done.counts.values()) == done.counts["restored"] + done.counts["held"]
    return ExitCode.DONE if done.settled and whole else ExitCode.SOME_FAILED
