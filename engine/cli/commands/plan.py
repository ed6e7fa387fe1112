"""`seatwarden plan`: what would be released, what is kept, and why. Releases nothing."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import to_builtins
from msgspec.structs import replace

from seatwarden.engine.cli.circumstances import this_hand
from seatwarden.engine.cli.exits import ExitCode, ended
from seatwarden.engine.cli.inputs import (
    Format,
    Inputs,
    LeastOption,
    NowOption,
    PeriodOption,
    PolicyOption,
    PseudonymizeOption,
    QuietOption,
    RawOption,
    SiteOption,
    SnapshotOrRunOption,
    TimezoneOption,
    gather,
)
from seatwarden.engine.cli.keys import PassphraseOption, SignOption, key_in
from seatwarden.engine.cli.terminal.csv_rows import print_csv
from seatwarden.engine.cli.terminal.output import is_terminal, note, print_result, say, warn
from seatwarden.engine.cli.terminal.prose import broken, room
from seatwarden.engine.cli.terminal.streams import is_quiet, is_utf8
from seatwarden.engine.cli.terminal.tables import piped_width, print_rows
from seatwarden.engine.common.collector import collector_off
from seatwarden.engine.common.key_file import DEFAULT_K
from seatwarden.engine.decide.pseudonyms import Pseudonyms, load_pseudonyms
from seatwarden.engine.log.run_folder import REPORT_FILE
from seatwarden.engine.plan.findings import finding_lines
from seatwarden.engine.plan.free import free_seats
from seatwarden.engine.plan.given_back import take_back_cell
from seatwarden.engine.plan.listing import Group, Show, sections
from seatwarden.engine.plan.modes import WHAT_IF
from seatwarden.engine.plan.plan import Plan, make_plan, plan_of_record, with_origin
from seatwarden.engine.plan.records import PRINTED, decision_to_json
from seatwarden.engine.plan.summary_text import closing_lines, plan_text, table_of, totals
from seatwarden.policy.errors import InputError

if TYPE_CHECKING:
    from seatwarden.engine.common.signing_key import SigningKey
    from seatwarden.engine.log.writer import KeptFile
    from seatwarden.engine.plan.circumstances import Hand

WAIT_SECONDS = 10
MOST_ON_TERMINAL = 1_000
"""Most licenses that a terminal lists; laying out more takes seconds, and nobody scrolls through them."""
_STYLE: dict[Group, str] = {
    "release": "bold",
    "downgrade": "bold",
    "hold": "bold",
    "not-now": "bold",
    "notice": "bold",
    "undetermined": "bold yellow",
    "kept": "bold green",
}


@collector_off()
def plan(
    policy: PolicyOption = None,
    snapshot: SnapshotOrRunOption = None,
    site: SiteOption = None,
    now: NowOption = None,
    timezone: TimezoneOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write the sealed plan into this folder.")
    ] = None,
    report: Annotated[
        bool, typer.Option("--report", help="With -o: write report.html into the folder too, a page to look at.")
    ] = False,
    keep_snapshot: Annotated[
        bool, typer.Option("--keep-snapshot", help="With -o: keep the snapshot in the folder too, for other policies.")
    ] = False,
    pseudonymize: PseudonymizeOption = None,
    pseudonyms_per: PeriodOption = "month",
    pseudonyms_k: LeastOption = DEFAULT_K,
    sign: SignOption = None,
    passphrase_env: PassphraseOption = None,
    format: Annotated[Format, typer.Option("--format", help="How to print.")] = "table",
    raw: RawOption = False,
    show: Annotated[
        Show, typer.Option("--show", help="Which licenses are listed; brief: those due and undetermined ones.")
    ] = "brief",
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 5 instead of 0 when something is to be released.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Say for every license whether it is kept or released.

    And why. Releases nothing.

    Example: seatwarden plan --policy butler.yaml --snapshot site.json
    """
    _check_folder(report, keep_snapshot, output, pseudonymize)
    key = _key(sign, passphrase_env, output, site)
    given = gather(policy, snapshot, site, now, timezone, runs=True, keep=keep_snapshot, rules=True)
    pseudonyms = load_pseudonyms(pseudonymize, pseudonyms_per, pseudonyms_k) if pseudonymize else None
    made = _made(given, pseudonyms)
    hand = _hand(given, key)
    made = with_origin(made, hand.origin(given.mode, given.snapshot.site_clock))
    made = _compared(made, given, site, output)
    written = _write(made, output, hand, site, given, keep_snapshot) if output is not None else None
    _print(made, format, show, written, raw)
    if output is not None:
        _say_written(output, report, format)
    something = detailed_exitcode and made.summary()["release"]
    raise ended(ExitCode.SOMETHING_TO_RELEASE if something else ExitCode.DONE)


def _key(sign: Path | None, variable: str | None, output: Path | None, site: Path | None) -> "SigningKey | None":
    """The key that signs, asked for before anything is read. Raises InputError where nothing can be signed."""
    if sign is None:
        return None
    if output is None or site is None:
        raise InputError("--sign needs a plan of a live site, written with -o DIR", "a what-if is never applied")
    return key_in(sign, variable)


def _hand(given: Inputs, key: "SigningKey | None") -> "Hand":
    user = given.site.qlik_user if given.site else None
    return replace(this_hand(lambda: datetime.now(UTC), user), key=key)


def _say_written(output: Path, report: bool, format_: Format) -> None:
    """Writes the report too, where it is asked for, and says where all this is."""
    if report:
        from seatwarden.engine.report.write import write_report  # jinja2 takes a while to import

        write_report(output, output / REPORT_FILE)
    if format_ == "table":
        say(f"Sealed plan written to {output}" + (f", with {REPORT_FILE}" if report else ""))


def _check_folder(report: bool, keep_snapshot: bool, output: Path | None, pseudonymize: Path | None) -> None:
    """Raises InputError where what is asked for has no place, or may not be kept."""
    if report and output is None:
        raise InputError("--report needs a folder for the page", "name one with -o DIR")
    if keep_snapshot and output is None:
        raise InputError("--keep-snapshot needs a folder to keep it in", "name one with -o DIR")
    if keep_snapshot and pseudonymize is not None:
        raise InputError("--keep-snapshot and --pseudonymize exclude each other", "the snapshot names everybody")


def _kept(given: Inputs) -> "KeptFile":
    from seatwarden.engine.log.kept import keep

    return keep(given.snapshot)


def _made(given: Inputs, pseudonyms: Pseudonyms | None) -> Plan:
    if given.past is None:
        return make_plan(given.policy, given.snapshot, given.day, given.source, pseudonyms, given.stand)
    if pseudonyms is not None and given.past.has_pseudonyms:
        raise InputError("the run has pseudonyms already", "leave --pseudonymize out: the plan has those of the run")
    decisions = given.past.decide_all(given.policy, given.day)
    return plan_of_record(given.policy, given.snapshot, given.day, given.source, decisions, pseudonyms)


def _write(
    made: Plan,
    output: Path,
    hand: "Hand",
    site: Path | None,
    given: Inputs,
    keep_snapshot: bool,
) -> str:
    """Writes the plan, and returns its text; that of a live site is entered into the register of its runs, or it could
    not be applied."""
    from seatwarden.engine.log.heads import NO_HEADS  # most plans are only shown
    from seatwarden.engine.log.writer import Recording, seal_plan, write_plan

    text, kept = plan_text(made), _kept(given) if keep_snapshot else None
    if made.origin.mode == WHAT_IF or site is None or given.site is None:
        if hand.key is not None:
            raise InputError("a what-if is not signed: it is never applied", "leave --now out, or --sign")
        write_plan(made, output, text, Recording(hand.seed(), snapshot=kept, heads=given.heads or NO_HEADS))
        return text
    from seatwarden.engine.cli.state_folder import state_of
    from seatwarden.engine.runs.record import locked_record
    from seatwarden.engine.runs.terms import keys_in, terms_of
    from seatwarden.engine.site.ours import read_ours

    folder, _ = state_of(site, given.site)
    # Who is at work there may be about to write the next line: it is waited for a moment.
    with locked_record(folder, given.site.url, hand, WAIT_SECONDS) as record:
        signing, approvals = read_ours(site, "signing", "approvals", environment=os.environ)
        if signing is not None and hand.key is None:
            warn("the site file demands signatures, and this plan has none: apply refuses it; make it with --sign KEY")
        terms = terms_of(given.site, signing, approvals, made.day.now)
        record.know_keys(keys_in(signing, approvals))
        recording = record.recording(kept, given.heads or NO_HEADS, terms)
        record.planned(made, output, recording, seal_plan(made, output, text, recording))
    return text


def _compared(made: Plan, given: Inputs, site: Path | None, output: Path | None) -> Plan:
    """The plan, compared with the newest one beside it, or among the runs of the live site."""
    if output is None and site is None:
        return made
    # These take a while to import, and most plans of a snapshot are only shown.
    from seatwarden.engine.runs.baseline import compared_with_before
    from seatwarden.engine.runs.lately import with_lately

    places, percent = ([output.absolute().parent] if output is not None else []), None
    if site is not None and given.site is not None:
        from seatwarden.engine.cli.state_folder import state_of
        from seatwarden.engine.log.register import RUNS_FOLDER

        folder, percent = state_of(site, given.site)
        made = with_lately(made, folder)
        places.append(folder / RUNS_FOLDER)
    return compared_with_before(made, places, percent)


def _print(made: Plan, format_: Format, show: Show, written: str | None, raw: bool) -> None:
    """Prints the plan; `written` is the text of its `summary.txt`, if one was made."""
    if format_ == "json":
        decisions = [decision_to_json(decision) for decision in made.decisions]
        findings = [to_builtins(finding) for finding in made.findings]
        allowed = [{**to_builtins(finding), "reason": reason} for finding, reason in made.found.allowed]
        free = to_builtins(free_seats(made.run()["overview"], made.summary()["byType"], made.decisions))
        told = {"findings": findings, "allowed": allowed, "compared": made.compared or None, "free": free}
        print_result({"run": made.run(), "decisions": decisions, "summary": made.summary(), **told})
    elif format_ == "csv":
        _print_csv(made, raw)
        _note_findings(made)
    elif is_quiet():
        _note_findings(made)
    elif is_terminal():
        say("\n".join([*totals(made), ""]))
        listed = sections(made.decisions, show, MOST_ON_TERMINAL)
        for section in listed:
            say((section.title, _STYLE[section.group]))
            print_rows(*table_of(section))
        say("\n".join(broken(closing_lines(made, listed), room())))
    elif written is not None and show == "brief" and is_utf8() and piped_width() is None:
        say(written.removesuffix("\n"))
    else:
        text = plan_text(made, show, "─" if is_utf8() else "-", piped_width()).removesuffix("\n")
        say("\n".join(broken(text.split("\n"), piped_width())))


def _print_csv(made: Plan, raw: bool) -> None:
    rows = ({**row, "rules": "; ".join(row["rules"])} for row in map(decision_to_json, made.decisions))
    if "takeBack" not in made.summary():
        print_csv(PRINTED, rows, raw=raw)
        return
    pairs = zip(rows, made.decisions, strict=True)
    print_csv((*PRINTED, "takeBack"), ({**row, "takeBack": take_back_cell(one)} for row, one in pairs), raw=raw)


def _note_findings(made: Plan) -> None:
    """Says beside the result what the result has no place for."""
    for line in finding_lines(made.findings):
        note(line)
