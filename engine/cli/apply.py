"""`seatwarden apply`: does exactly what a sealed plan says, and goes on where an earlier run ended."""

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from filelock import FileLock, Timeout
from platformdirs import user_state_path
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from engine.apply import Apply, Outcome, OverTheLimit, choose
from engine.cli.exits import ExitCode
from engine.cli.inputs import PseudonymizeOption, SiteOption, read_site
from engine.cli.output import console, note, printable, say
from engine.days import format_instant
from engine.decide import Decision
from engine.decision_log import RecordedPlan, read_plan
from engine.files import sync_folder
from engine.journal import JOURNAL_FILE, DamagedJournal, Journal, JournalState, Key, read_journal
from engine.limits import describe_limits
from engine.phrases import join_words, plural
from engine.pseudonyms import Pseudonyms, load_pseudonyms
from engine.qrs.site import Site
from grammar.ast import Limit
from grammar.errors import PolicySyntaxError
from grammar.parser import in_file, parse_limit
from policy.errors import InputError

if TYPE_CHECKING:
    from engine.qrs.client import QrsClient

_STYLES = {"released": "bold red", "gone": "", "skipped": "yellow", "failed": "bold red", "unknown": "bold yellow"}
_AHEAD = timedelta(minutes=5)
"""How far a plan may lie in the future before the clock is held to be wrong."""


class Refused(Exception):
    """The plan is not applied, for a reason that is no failure: the answer is no (exit code 1)."""


def apply(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the plan.")],
    site: SiteOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for jobs.")] = False,
    max_age: Annotated[
        float, typer.Option("--max-age", metavar="HOURS", min=0, help="Refuse a plan that is older.")
    ] = 24,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit", metavar="LIMIT", help='Instead of the plan\'s limits: "20", "5% of analyzer". Repeatable.'
        ),
    ] = None,
    pseudonymize: PseudonymizeOption = None,
    parallel: Annotated[int, typer.Option("--parallel", min=1, max=16, help="Licenses under way at a time.")] = 4,
) -> None:
    """Release the licenses that a sealed plan releases, each looked at once more before.

    Example: seatwarden apply plans/2026-11-21 --site butler.yaml
    """
    if site is None:
        raise InputError("no site", "name the site file with --site")
    plan = read_plan(folder)
    where = read_site(site)
    try:
        _refuse_wrong_site_or_age(plan, where.url, max_age)
        limits = _limits(plan, limit)
        pseudonyms = _pseudonyms(plan, pseudonymize)
        with _only_one(where.url):
            code = _apply(plan, folder, where, limits, pseudonyms, yes, parallel)
    except Refused as refusal:
        note(f"refused: {refusal}")
        raise typer.Exit(ExitCode.NO) from None
    except OverTheLimit as over:
        for sentence in over.sentences:
            note(f"over the limit: {sentence}")
        note("Nothing at all has been released. Check the policy, or raise the limit with --limit.")
        raise typer.Exit(ExitCode.NO) from None
    raise typer.Exit(code)


def _apply(
    plan: RecordedPlan,
    folder: Path,
    site: Site,
    limits: tuple[Limit, ...],
    pseudonyms: Pseudonyms | None,
    yes: bool,
    parallel: int,
) -> ExitCode:
    from engine.qrs.client import QrsClient  # requests takes a while to import

    path = folder / JOURNAL_FILE
    data = path.read_bytes() if path.exists() else b""
    state = _earlier_run(path, data, plan)
    if state is not None and state.sealed:
        say("This plan has been applied already.")
        return _report(state.outcomes)
    chosen = state.chosen if state else [_key(decision) for decision in choose(plan, limits)]
    if not chosen:
        say("This plan releases nothing.")
        return ExitCode.DONE
    done = (
        {key for key, line in state.outcomes.items() if line["result"] in ("released", "gone", "skipped")}
        if state
        else set()
    )
    left = [key for key in chosen if key not in done]
    _confirm(plan, left, len(done), yes)
    client = QrsClient(site, datetime.now(UTC), parallel=parallel)
    try:
        journal = _open_journal(path, data, state, plan, limits, chosen)
    except OSError as error:
        raise InputError(
            f"the journal cannot be written to `{path}`: {error.strerror}", "nothing has been released"
        ) from None
    with client:
        return _run(plan, client, journal, state, left, pseudonyms, parallel, path)


def _run(
    plan: RecordedPlan,
    client: "QrsClient",
    journal: Journal,
    state: JournalState | None,
    left: list[Key],
    pseudonyms: Pseudonyms | None,
    parallel: int,
    path: Path,
) -> ExitCode:
    unknown = [key for key, line in state.outcomes.items() if line["result"] == "unknown"] if state else []
    attempted = [*(state.open_intents if state else []), *unknown]
    progress = Progress(
        TextColumn("releasing"),
        BarColumn(),
        MofNCompleteColumn(),
        console=console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    task = progress.add_task("", total=len(left))
    apply_ = Apply(
        plan,
        client,
        journal,
        attempted=attempted,
        pseudonyms=pseudonyms,
        clock=lambda: datetime.now(UTC),
        progress=lambda outcome: progress.advance(task),
    )
    try:
        with progress:
            outcomes = apply_.run(left, parallel)
        final = {outcome.key for outcome in outcomes if outcome.result in ("released", "gone", "skipped")}
        if final == set(left):
            journal.seal(_counts(state, outcomes))
    except KeyboardInterrupt:
        note("Interrupted. The licenses under way were finished; apply again to go on.")
        return ExitCode.SOME_FAILED
    except OSError as error:
        note(f"error: the journal `{path}` cannot be written: {error.strerror or error}")
        note("Nothing further was released. Make room, then apply again: what is open is looked up in QRS.")
        return ExitCode.SOME_FAILED
    finally:
        journal.close()
    for outcome in outcomes:
        _say_outcome(outcome)
    _say_counts(_counts(state, outcomes))
    if apply_.stopped:
        note("QRS does not accept us: the run was ended. Nothing further was released; apply again to go on.")
        return ExitCode.REMOTE_FAILED
    return ExitCode.DONE if final == set(left) else ExitCode.SOME_FAILED


def _refuse_wrong_site_or_age(plan: RecordedPlan, url: str, max_age: float) -> None:
    if plan.header["site"] != url:
        raise Refused(f"the plan was made for {printable(plan.header['site'])}, not for {url}; make one for this site")
    age = datetime.now(UTC) - plan.day.now
    if age > timedelta(hours=max_age):
        hours = age.total_seconds() / 3600
        raise Refused(f"the plan is {hours:,.1f} hours old, more than {max_age:g}; make a new one, or raise --max-age")
    if age < -_AHEAD:
        raise Refused(
            f"the plan was made for {format_instant(plan.day.now)}, in the future; is this machine's clock right?"
        )


def _limits(plan: RecordedPlan, asked: list[str] | None) -> tuple[Limit, ...]:
    """The limits in force: those asked for on the command line, or else the plan's."""
    try:
        return tuple(parse_limit(text, in_file("--limit")) for text in (asked or plan.header["limits"]))
    except PolicySyntaxError as error:
        problem = error.problems[0]
        raise InputError(
            f"--limit: {problem.message}: {problem.label}", 'write "20", "5%" or "5% of analyzer"'
        ) from None


def _pseudonyms(plan: RecordedPlan, key_file: Path | None) -> Pseudonyms | None:
    """The pseudonyms that the plan was written with; the journal speaks of people as the plan does."""
    wanted = plan.header.get("pseudonyms")
    if wanted is None:
        if key_file is not None:
            raise InputError("this plan names people: it was made without --pseudonymize", "make the plan with it")
        return None
    if key_file is None:
        raise InputError("this plan has pseudonyms", "name the key file it was made with: --pseudonymize KEYFILE")
    pseudonyms = load_pseudonyms(key_file)
    if pseudonyms.key_id != wanted:
        raise InputError(f"`{key_file}` is not the key that this plan was made with")
    return pseudonyms


@contextmanager
def _only_one(url: str) -> Iterator[None]:
    """Holds the lock of the site: one apply at a time on this machine, whatever the plan. Raises Refused."""
    folder = user_state_path("seatwarden", ensure_exists=True) / "locks"
    folder.mkdir(exist_ok=True)
    lock = FileLock(folder / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Refused(f"another apply is at work on {url}; wait until it has ended") from None
    try:
        yield
    finally:
        lock.release()


def _earlier_run(path: Path, data: bytes, plan: RecordedPlan) -> JournalState | None:
    try:
        state = read_journal(data)
    except DamagedJournal as damage:
        raise Refused(f"the journal `{path}` is not as it was written: {damage}") from None
    if state is not None and state.header["planSeal"] != plan.seal["seal"]:
        raise Refused(f"the journal `{path}` belongs to another plan")
    return state


def _open_journal(
    path: Path,
    data: bytes,
    state: JournalState | None,
    plan: RecordedPlan,
    limits: tuple[Limit, ...],
    chosen: list[Key],
) -> Journal:
    now = format_instant(datetime.now(UTC))
    if state is not None:
        journal = Journal.reopen(path, data)
        journal.append("resume", {"at": now})
        return journal
    path.unlink(missing_ok=True)  # a crash came before the first line was whole: nothing had begun
    sync_folder(path.parent)
    header = {
        "runId": plan.header["runId"],
        "planSeal": plan.seal["seal"],
        "site": plan.header["site"],
        "limits": describe_limits(limits),
        "chosen": chosen,
        "at": now,
    }
    return Journal.create(path, header)


def _confirm(plan: RecordedPlan, left: list[Key], done: int, yes: bool) -> None:
    decisions = {_key(decision): decision for decision in plan.decisions}
    for key in left if not yes else []:
        decision = decisions[key]
        say(f"  {decision.license_type:<12}  {printable(_who(decision))}: {printable(decision.reason)}")
    counts = Counter(license_type for license_type, _ in left)
    what = join_words([plural(count, f"{license_type} license") for license_type, count in sorted(counts.items())])
    say(
        f"To release on {plan.header['site']}: {what or 'nothing'}"
        + (f" ({done} done by an earlier run)" if done else "")
    )
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("nobody is here to confirm", "add --yes in a job")
    if typer.prompt(f"Type the number of licenses ({len(left)}) to release them", default="no", err=True) != str(
        len(left)
    ):
        raise Refused("not confirmed; nothing has been released")


def _who(decision: Decision) -> str:
    return f"{decision.user} ({decision.user_name})" if decision.user_name else decision.user


def _key(decision: Decision) -> Key:
    return decision.license_type, decision.license_id


def _say_outcome(outcome: Outcome) -> None:
    detail = f": {outcome.detail}" if outcome.detail else ""
    line = Text.assemble((f"  {outcome.result:<9}", _STYLES[outcome.result]), f" {outcome.key[0]:<12}  ")
    say(line + Text(printable(f"{outcome.user}{detail}")))


def _counts(state: JournalState | None, outcomes: list[Outcome]) -> dict[str, int]:
    """Licenses by result, over all runs of this plan; a later outcome replaces an earlier one."""
    results = {key: line["result"] for key, line in state.outcomes.items()} if state else {}
    results |= {outcome.key: outcome.result for outcome in outcomes}
    counted = Counter(results.values())
    return {result: counted[result] for result in _STYLES}


def _say_counts(counts: dict[str, int]) -> None:
    say(", ".join(f"{count:,} {result}" for result, count in counts.items()))


def _report(outcomes: dict[Key, dict[str, object]]) -> ExitCode:
    """The counts of a journal that is complete."""
    counted = Counter(str(line["result"]) for line in outcomes.values())
    _say_counts({result: counted[result] for result in _STYLES})
    return ExitCode.DONE
